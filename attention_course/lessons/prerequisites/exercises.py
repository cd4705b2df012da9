"""The exercises of notebook 0: the matrix product, and the spread of numbers."""

from __future__ import annotations

import math
import statistics

import numpy as np
import torch

from ...exercises import Case, Exercise, Symptom

LESSON = "prerequisites"


def _normal(*shape: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def all_scores(people, fruits):
    return fruits @ people.T


def _scores_turned(people, fruits):
    return (people @ fruits.T).T


def _scores_by_loops(people, fruits):
    table = []
    for fruit in fruits:
        row = []
        for taste in people:
            total = 0.0
            for wanted, there in zip(taste, fruit, strict=True):
                total += wanted * there
            row.append(total)
        table.append(row)
    return table


def _scores_row_by_row(people, fruits):
    return np.array([people @ fruit for fruit in fruits])


def _scores_summed(people, fruits):
    return (fruits[:, None] * people[None]).sum(axis=-1)


def _scores_torch(people, fruits):
    return torch.tensor(fruits) @ torch.tensor(people).mT


def _two_by_two(people, fruits):
    """A wrong answer: it adds up as many qualities as there are people."""
    count = len(people)
    return fruits[:, :count] @ people[:, :count].T


scores = Exercise(
    LESSON,
    "scores",
    difficulty=1,
    minutes=5,
    right_answers=[
        all_scores,
        _scores_turned,
        _scores_by_loops,
        _scores_row_by_row,
        _scores_summed,
        _scores_torch,
    ],
    cases=[
        Case(np.array([[1.0, -1.0], [0.0, 2.0]]), np.array([[2.0, 0.5], [1.0, 3.0]])),
        Case(_normal(2, 3, seed=1), _normal(4, 3, seed=2), otherwise="fixed_size"),
        Case(_normal(5, 2, seed=3), _normal(3, 2, seed=4)),
        Case(_normal(4, 4, seed=5), _normal(4, 4, seed=6)),
    ],
    mistakes={
        "turned_round": lambda people, fruits: people @ fruits.T,
        "no_transpose": [
            lambda people, fruits: fruits @ people,
            lambda people, fruits: people @ fruits,
        ],
        "number_by_number": [
            lambda people, fruits: fruits * people,
            lambda people, fruits: fruits * people.T,
            lambda people, fruits: fruits.T * people,
        ],
        "other_transpose": [
            lambda people, fruits: fruits.T @ people,
            lambda people, fruits: people.T @ fruits,
            lambda people, fruits: fruits.T @ people.T,
            lambda people, fruits: people.T @ fruits.T,
        ],
    },
    otherwise="other_scores",
    wrong_answers={
        "fixed_size": [_two_by_two],
        "no_transpose": [
            lambda people, fruits: fruits @ people.reshape(people.shape[1], people.shape[0]),
        ],
        "other_scores": [
            lambda people, fruits: fruits @ people.T / 2,
            lambda people, fruits: fruits @ people.T + 1,
            lambda people, fruits: -fruits @ people.T,
            lambda people, fruits: (people[:, None] * fruits[None]).sum(axis=1),
        ],
        "shape": [lambda people, fruits: (fruits @ people.T)[0]],
    },
)


def spread(numbers):
    distances = numbers - numbers.mean()
    return np.sqrt((distances**2).mean())


def _spread_by_loops(numbers):
    mean = sum(numbers) / len(numbers)
    total = 0.0
    for number in numbers:
        total += (number - mean) ** 2
    return math.sqrt(total / len(numbers))


def _spread_library(numbers):
    return statistics.pstdev(numbers.tolist())


def _spread_torch(numbers):
    return torch.tensor(numbers).std(correction=0)


def _spread_of_squares(numbers):
    return ((numbers**2).mean() - numbers.mean() ** 2) ** 0.5


standard_deviation = Exercise(
    LESSON,
    "standard_deviation",
    difficulty=1,
    minutes=5,
    right_answers=[spread, _spread_by_loops, _spread_library, _spread_torch, _spread_of_squares],
    cases=[
        Case(np.array([2.0, 3.0, 4.0, 11.0])),
        Case(np.array([0.5, -1.0, 4.0]), otherwise="fixed_count"),
        Case(3 * _normal(12, seed=7) + 5),
        Case(np.array([10.0, 10.0, 10.0, 10.0, 11.0])),
    ],
    mistakes={
        "no_root": lambda numbers: np.var(numbers),
        "not_squared": Symptom(lambda got, want, numbers: abs(got) < 1e-6 * want),
        "absolute": lambda numbers: np.abs(numbers - numbers.mean()).mean(),
        "mean_not_subtracted": lambda numbers: np.sqrt((numbers**2).mean()),
        "one_less": [
            lambda numbers: np.std(numbers, ddof=1),
            lambda numbers: torch.tensor(numbers).std(),
        ],
        "sum_for_mean": lambda numbers: np.sqrt(((numbers - numbers.mean()) ** 2).sum()),
        "root_too_early": [
            lambda numbers: np.sqrt(((numbers - numbers.mean()) ** 2).sum()) / len(numbers),
        ],
        "range": lambda numbers: numbers.max() - numbers.min(),
    },
    otherwise="other_spread",
    wrong_answers={
        "not_squared": [lambda numbers: (numbers - numbers.mean()).mean()],
        "fixed_count": [lambda numbers: np.sqrt(((numbers - numbers.mean()) ** 2).sum() / 4)],
        "other_spread": [
            lambda numbers: np.sqrt(((numbers - np.median(numbers)) ** 2).mean()),
            lambda numbers: np.abs(numbers - numbers.mean()).max(),
            lambda numbers: np.var(numbers) / 2,
            lambda numbers: np.std(numbers) / np.sqrt(len(numbers)) + 1,
        ],
        "shape": [lambda numbers: np.sqrt((numbers - numbers.mean()) ** 2)],
    },
)
