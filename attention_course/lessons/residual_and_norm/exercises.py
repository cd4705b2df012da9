"""The exercises of notebook 3-4: TODO."""

from __future__ import annotations

import numpy as np

from ...exercises import Case, Exercise

LESSON = "residual_and_norm"
_CASES = [Case(np.array([1.0, 2.0, 4.0])), Case(np.array([0.5, -1.0, 3.0, 7.0, -2.0]))]


def my_first(x):
    return 2 * x


def _first_added(x):
    return x + x


def _first_listed(x):
    return [2 * value for value in x]


first = Exercise(
    LESSON,
    "first",
    difficulty=1,
    minutes=5,
    cases=_CASES,
    right_answers=[my_first, _first_added, _first_listed],
    mistakes={"unchanged": lambda x: x},
    otherwise="other",
    wrong_answers={"other": [lambda x: 3 * x]},
)


def my_second(x):
    return x.sum()


def _second_listed(x):
    return sum(list(x))


def _second_product(x):
    return x @ np.ones(len(x))


second = Exercise(
    LESSON,
    "second",
    difficulty=1,
    minutes=5,
    cases=_CASES,
    right_answers=[my_second, _second_listed, _second_product],
    mistakes={"average": lambda x: x.mean()},
    otherwise="other",
    wrong_answers={"other": [lambda x: x.max()]},
)
