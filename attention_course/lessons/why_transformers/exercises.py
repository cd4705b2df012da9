"""The exercises of lesson 1 (how far convolutions see, what GPT learns from) and its labs."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch

from ...exercises import Case, Exercise

LESSON = "why_transformers"


def layers_needed(n, width):
    seen, layers = 1, 0
    while seen < n:
        seen += (width - 1) / 2
        layers += 1
    return layers


def _layers_rounded_up(n, width):
    return math.ceil((n - 1) / (width // 2))


def _layers_whole(n, width):
    reach = (width - 1) // 2
    return (n - 1 + reach - 1) // reach


def _layers_numpy(n, width):
    return np.ceil(2 * (n - 1) / (width - 1))


def _layers_from_one(n, width):
    return layers_needed(n, width) + 1


def _rounded_up(layers: Callable[[int, int], float]) -> Callable[[int, int], int]:
    return lambda n, width: math.ceil(layers(n, width))


layers = Exercise(
    LESSON,
    "layers",
    difficulty=2,
    minutes=8,
    cases=[  # in the first, no two mistakes give the same
        Case(61, 7),
        Case(20, 3),
        Case(64, 5),
        Case(12, 9),
        Case(200, 7),
        Case(65, 3),
        Case(4, 5),
    ],
    right_answers=[layers_needed, _layers_rounded_up, _layers_whole, _layers_numpy],
    mistakes={
        "whole_window": [
            _rounded_up(lambda n, width: (n - 1) / width),
            _rounded_up(lambda n, width: n / width),
            lambda n, width: n // width,
        ],
        "half_window": [
            _rounded_up(lambda n, width: (n - 1) / (width / 2)),
            _rounded_up(lambda n, width: n / (width / 2)),
            lambda n, width: (n - 1) / (width / 2),
        ],
        "middle_counted": [
            _rounded_up(lambda n, width: (n - 1) / (width // 2 + 1)),
            lambda n, width: (n - 1) // (width // 2 + 1),
        ],
        "both_sides": _rounded_up(lambda n, width: (n - 1) / (width - 1)),
        "one_too_many": [
            _rounded_up(lambda n, width: n / (width // 2)),
            lambda n, width: (n - 1) // (width // 2) + 1,
            _layers_from_one,
        ],
        "not_rounded": [
            lambda n, width: (n - 1) / (width // 2),
            lambda n, width: (n - 1) // (width // 2),
            lambda n, width: round((n - 1) / (width // 2)),
        ],
        "doubling": [
            _rounded_up(lambda n, width: math.log(n) / math.log(width)),
            _rounded_up(lambda n, width: math.log2(n)),
            lambda n, width: math.log(n, width),
        ],
        "words_between": [
            lambda n, width: n - 1,
            lambda n, width: n,
            _rounded_up(lambda n, width: (n - 1) / 2),
        ],
    },
    otherwise="other",
    wrong_answers={
        "other": [
            lambda n, width: 1,
            lambda n, width: n * width,
            lambda n, width: (n - 1) / width // 2,
        ],
        "middle_counted": [_rounded_up(lambda n, width: (n - 1) / ((width + 1) / 2))],
        "shape": [lambda n, width: np.arange(layers_needed(n, width))],
    },
)


def words_to_say(ids):
    said = ids[1:]
    said.append(0)
    return said


def _say_joined(ids):
    return ids[1:] + [0]  # noqa: RUF005


def _say_unpacked(ids):
    return [*ids[1:], 0]


def _say_numpy(ids):
    return np.append(ids[1:], 0)


def _say_loop(ids):
    return [ids[i + 1] if i + 1 < len(ids) else 0 for i in range(len(ids))]


def _say_torch(ids):
    said = torch.zeros(len(ids), dtype=torch.long)
    said[:-1] = torch.tensor(ids[1:])
    return said


say = Exercise(
    LESSON,
    "say",
    difficulty=1,
    minutes=5,
    cases=[Case([5, 2, 9, 4, 7]), Case([4, 9, 5, 3, 3, 5, 9]), Case([3])],
    right_answers=[words_to_say, _say_joined, _say_unpacked, _say_numpy, _say_loop, _say_torch],
    mistakes={
        "copied": lambda ids: ids,
        "backwards": [lambda ids: [0, *ids[:-1]], lambda ids: [ids[-1], *ids[:-1]]],
        "wraps": lambda ids: ids[1:] + ids[:1],
        "last_again": lambda ids: ids[1:] + ids[-1:],
        "left_out": lambda ids: ids[1:],
        "two_ahead": lambda ids: [*ids[2:], 0, 0][: len(ids)],
        "from_the_end": lambda ids: ids[::-1],
    },
    otherwise="other",
    wrong_answers={
        "copied": [lambda ids: ids.copy()],
        "left_out": [lambda ids: ids[:-1]],
        "wraps": [lambda ids: np.roll(ids, -1)],
        "other": [
            lambda ids: [*(word + 1 for word in ids[1:]), 0],
            lambda ids: [*ids[1:], -1],
            lambda ids: [word + 1 for word in ids],
            lambda ids: [0] * len(ids),
        ],
        "shape": [lambda ids: [ids[:-1], ids[1:]]],
    },
)


def keep_needed(words, left):
    return left ** (1 / words)


def _keep_by_logarithm(words, left):
    return math.exp(math.log(left) / words)


def _keep_numpy(words, left):
    return np.power(left, 1 / words)


def _keep_halving(words, left):
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if middle**words < left else (low, middle)
    return low


keep = Exercise(
    LESSON,
    "keep",
    difficulty=1,
    minutes=5,
    cases=[Case(3, 0.2), Case(61, 0.8), Case(2, 0.25), Case(5, 0.1), Case(1, 0.7)],
    right_answers=[keep_needed, _keep_by_logarithm, _keep_numpy, _keep_halving],
    mistakes={
        "shared_out": [
            lambda words, left: left / words,
            lambda words, left: 1 - left / words,
        ],
        "linear": lambda words, left: 1 - (1 - left) / words,
        "inverse": lambda words, left: left**words,
        "forgets": lambda words, left: 1 - left ** (1 / words),
        "root_of_lost": [
            lambda words, left: (1 - left) ** (1 / words),
            lambda words, left: 1 - (1 - left) ** (1 / words),
        ],
        "swapped": [
            lambda words, left: words ** (1 / left),
            lambda words, left: words**left,
        ],
        "left_ignored": lambda words, left: 0.5 ** (1 / words),
    },
    otherwise="other",
    wrong_answers={
        "other": [
            lambda words, left: left,
            lambda words, left: 0.9,
            lambda words, left: left**0.5,
            lambda words, left: math.log(left) / words,
        ],
        "shape": [lambda words, left: [left] * words],
    },
)
