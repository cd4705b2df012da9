"""The exercises of notebook 2-1: softmax both ways, a weighted average, hidden words."""

from __future__ import annotations

import math

import numpy as np
import torch

from ...attention import scaled_dot_product_attention
from ...exercises import Case, Exercise, Symptom, same

CHAPTER = "human_attention"


def _normal(*shape: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def _softmax(scores: np.ndarray) -> np.ndarray:
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def my_softmax(scores):
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _softmax_loop(scores):
    if scores.ndim > 1:
        return [_softmax_loop(row) for row in scores]
    largest = max(scores)
    exponentials = [math.exp(score - largest) for score in scores]
    return [exponential / sum(exponentials) for exponential in exponentials]


def _softmax_torch(scores):
    return torch.softmax(torch.as_tensor(scores), dim=-1)


def _softmax_through_log(scores):
    return np.exp(scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True))


def _growth(got: np.ndarray, scores: np.ndarray) -> float:
    """By which factor the weights of a row grow where its scores grow by 1."""
    low, high = scores.argmin(), scores.argmax()
    return (got[high] / got[low]) ** (1 / (scores[high] - scores[low]))


softmax = Exercise(
    CHAPTER,
    "softmax",
    difficulty=1,
    minutes=10,
    right_answers=[my_softmax, _softmax_loop, _softmax_torch, _softmax_through_log],
    cases=[
        Case(np.array([1.0, 3.0, 2.0]), otherwise="other_weights"),
        Case(2 * _normal(9, seed=1)),
        Case(np.array([0.7])),
        Case(np.array([[0.0, 1.0, 3.0], [2.0, -1.0, 0.5]]), otherwise="table"),
        Case(_normal(5, 4, seed=2), otherwise="table"),
        Case(_normal(1, 6, seed=3), otherwise="table"),
        Case(np.array([1000.0, 1002.0, 999.0]), otherwise="overflow"),
        Case(np.array([[1000.0, 1001.0], [1.0, 2.0]]), otherwise="overflow"),
    ],
    mistakes={
        "no_exponential": lambda scores: scores / scores.sum(axis=-1, keepdims=True),
        "logarithm": lambda scores: np.log(_softmax(scores)),
        "winner_takes_all": [
            lambda scores: (scores == scores.max(axis=-1, keepdims=True)).astype(float)
        ],
        "whole_table": [
            lambda scores: np.exp(scores) / np.exp(scores).sum(),
            Symptom(
                lambda got, want, scores: got.ndim == 2 and len(got) > 1 and same(got.sum(), 1)
            ),
        ],
        "wrong_axis": lambda scores: np.exp(scores) / np.exp(scores).sum(axis=0),
        "largest_of_table": [
            lambda scores: (
                np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum(-1, keepdims=True)
            )
        ],
        "not_normalised": Symptom(
            lambda got, want, scores: np.isfinite(got).all() and not same(got.sum(axis=-1), 1)
        ),
    },
    wrong_answers={
        "whole_table": [
            lambda scores: (
                np.exp(scores - scores.mean(-1, keepdims=True))
                / np.exp(scores - scores.mean(-1, keepdims=True)).sum()
            )
        ],
        "not_normalised": [np.exp, lambda scores: np.exp(scores) / scores.size],
        "other_weights": [
            lambda scores: 2**scores / (2**scores).sum(axis=-1, keepdims=True),
            lambda scores: _softmax(-scores),
        ],
        "numbers": [lambda scores: _softmax(scores.clip(-1, 3))],
        "table": [lambda scores: _softmax(scores[-1:] if scores.ndim > 1 else scores) + 0 * scores],
        "overflow": [lambda scores: np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)],
        "shape": [lambda scores: np.exp(scores).sum()],
    },
    values=lambda got, want, scores: {
        "total": f"{got.sum(axis=-1).flat[0]:.3g}",
        "ratio": f"{_growth(got, scores):.2f}" if scores.ndim == 1 else "",
    },
)


def scores_for(weights):
    return np.log(weights)


def _backwards_shifted(weights):
    return np.log(weights) - np.log(weights.max())


def _backwards_loop(weights):
    return [math.log(weight / weights[0]) for weight in weights]


def _backwards_torch(weights):
    return torch.as_tensor(weights).log() + 5


def _row(numbers: np.ndarray) -> str:
    return ", ".join(f"{number:.2f}" for number in numbers)


softmax_backwards = Exercise(
    CHAPTER,
    "softmax_backwards",
    difficulty=2,
    minutes=5,
    right_answers=[scores_for, _backwards_shifted, _backwards_loop, _backwards_torch],
    cases=[
        Case(np.array([0.5, 0.25, 0.25])),
        Case(np.array([0.7, 0.2, 0.06, 0.04])),
        Case(np.array([0.001, 0.999])),
        Case(_softmax(_normal(30, seed=4))),
    ],
    measure=lambda scores, weights: _softmax(scores),
    mistakes={
        "not_finite": Symptom(lambda got, want, weights: not np.isfinite(got).all()),
        "unchanged": lambda weights: weights,
        "same_direction": [np.exp, _softmax],
        "upside_down": [lambda weights: 1 / weights, lambda weights: -np.log(weights)],
        "other_base": [np.log10, np.log2],
    },
    otherwise="other_scores",
    wrong_answers={
        "not_finite": [lambda weights: np.log(weights - weights.max())],
        "other_scores": [
            lambda weights: 2 * np.log(weights),
            np.sqrt,
            lambda weights: np.log(
                [0.5, 0.25, 0.25] if len(weights) == 3 else [0.7, 0.2, 0.05, 0.05]
            ),
        ],
        "shape": [lambda weights: np.log(weights).sum()],
    },
    values=lambda got, want, weights: {"found": _row(_softmax(got)), "wanted": _row(weights)},
)


def my_attend(asks, labels, contents):
    scores = labels @ asks
    exponentials = np.exp(scores - scores.max())
    weights = exponentials / exponentials.sum()
    return weights @ contents


def _attend_loop(asks, labels, contents):
    exponentials = [math.exp(sum(a * b for a, b in zip(asks, row, strict=True))) for row in labels]
    mixture = [0.0] * len(contents[0])
    for exponential, content in zip(exponentials, contents, strict=True):
        for i, number in enumerate(content):
            mixture[i] += exponential / sum(exponentials) * number
    return mixture


def _attend_average(asks, labels, contents):
    return np.average(contents, axis=0, weights=np.exp(labels @ asks))


def _attend_torch(asks, labels, contents):
    asks, labels, contents = map(torch.as_tensor, (asks, labels, contents))
    return torch.softmax(labels @ asks, dim=0) @ contents


def _attend_library(asks, labels, contents):
    asks, labels, contents = map(torch.as_tensor, (asks[None], labels, contents))
    return scaled_dot_product_attention(asks, labels, contents, scale=1.0)[0][0]


attend = Exercise(
    CHAPTER,
    "attend",
    difficulty=1,
    minutes=10,
    right_answers=[my_attend, _attend_loop, _attend_average, _attend_torch, _attend_library],
    cases=[
        Case(
            np.array([1.0, 0.5]),
            np.array([[1.5, 1.0], [0.0, -1.0], [1.0, 3.0], [-1.0, 0.0]]),
            np.array([[1.0, 0.0], [4.0, 2.0], [0.0, 3.0], [-2.0, 5.0]]),
        ),
        Case(_normal(3, seed=5), _normal(5, 3, seed=6), _normal(5, 4, seed=7)),
        Case(_normal(4, seed=8), _normal(1, 4, seed=9), _normal(1, 2, seed=10)),
        Case(_normal(8, seed=11), _normal(60, 8, seed=12), _normal(60, 1, seed=13)),
    ],
    mistakes={
        "labels_averaged": lambda asks, labels, contents: _softmax(labels @ asks) @ labels,
        "scores_as_weights": lambda asks, labels, contents: (labels @ asks) @ contents,
        "not_normalised": lambda asks, labels, contents: np.exp(labels @ asks) @ contents,
        "not_added_up": lambda asks, labels, contents: _softmax(labels @ asks)[:, None] * contents,
        "divided_again": lambda asks, labels, contents: (
            _softmax(labels @ asks)[:, None] * contents
        ).mean(axis=0),
        "plain_average": lambda asks, labels, contents: contents.mean(axis=0),
        "only_the_largest": lambda asks, labels, contents: contents[(labels @ asks).argmax()],
    },
    otherwise="other_mixture",
    wrong_answers={
        "other_mixture": [
            lambda asks, labels, contents: _softmax(contents @ asks) @ contents,
            lambda asks, labels, contents: _softmax(labels[:4] @ asks) @ contents[:4],
        ],
        "shape": [lambda asks, labels, contents: _softmax(labels @ asks)],
        "type": [
            lambda asks, labels, contents: (
                _softmax(labels @ asks) @ contents,
                _softmax(labels @ asks),
            )
        ],
    },
)


def weights_with_hidden(scores, may_attend):
    weights = np.zeros(len(scores))
    if may_attend.any():
        seen = scores[may_attend]
        exponentials = np.exp(seen - seen.max())
        weights[may_attend] = exponentials / exponentials.sum()
    return weights


def _hide_multiply(scores, may_attend):
    exponentials = np.exp(scores) * may_attend
    return exponentials / max(exponentials.sum(), 1e-30)


def _hide_infinity(scores, may_attend):
    weights = np.exp(np.where(may_attend, scores, -np.inf))
    return weights / weights.sum() if weights.sum() > 0 else weights


def _hide_loop(scores, may_attend):
    exponentials = [
        math.exp(score) if may else 0.0 for score, may in zip(scores, may_attend, strict=True)
    ]
    return [exponential / (sum(exponentials) or 1.0) for exponential in exponentials]


def _hide_torch(scores, may_attend):
    scores, may_attend = torch.as_tensor(scores), torch.as_tensor(may_attend)
    weights = torch.softmax(scores.masked_fill(~may_attend, -torch.inf), dim=0)
    return torch.nan_to_num(weights)


def _hide_with(fill: float):
    """A wrong answer: a hidden word has the score ``fill``."""

    def answer(scores, may_attend):
        weights = _softmax(np.where(may_attend, scores, fill))
        return weights if may_attend.any() else np.zeros(len(scores))

    return answer


def _hidden_weight(got: np.ndarray, may_attend: np.ndarray) -> float:
    return float(np.abs(got[~may_attend]).max(initial=0.0))


hide = Exercise(
    CHAPTER,
    "hide",
    difficulty=2,
    minutes=15,
    right_answers=[weights_with_hidden, _hide_multiply, _hide_infinity, _hide_loop, _hide_torch],
    cases=[
        Case(np.array([2.0, 1.5, -0.5, 1.0]), np.array([True, False, True, True])),
        Case(np.array([0.5, 2.0, -1.0, 1.5]), np.array([False, True, True, False])),
        Case(np.array([3.0, 1.0, 2.5, 2.0, 4.0]), np.array([False, False, True, False, False])),
        Case(_normal(12, seed=14), np.arange(12) % 3 != 2),
        Case(np.array([1.0, 2.0]), np.array([True, True])),
        Case(np.array([2.0, -1.0, 0.5]), np.zeros(3, dtype=bool), otherwise="nothing_to_see"),
        Case(np.array([1.5]), np.array([False]), otherwise="nothing_to_see"),
        # A large negative number in place of a score hides nothing where all scores are lower.
        Case(
            np.array([-30_000.0, 5.0, -30_001.0]), np.array([True, False, True]), only=["not_zero"]
        ),
    ],
    exact_zeros=True,
    mistakes={
        "not_a_number": Symptom(
            lambda got, want, scores, may_attend: np.isnan(got).any() and may_attend.any()
        ),
        "inverted": [
            lambda scores, may_attend: _softmax(np.where(may_attend, -1e9, scores)),
            lambda scores, may_attend: _softmax(scores) * ~may_attend,
        ],
        "nothing_hidden": lambda scores, may_attend: _softmax(scores),
        "score_zero": lambda scores, may_attend: _softmax(scores * may_attend),
        "not_shared_out": lambda scores, may_attend: _softmax(scores) * may_attend,
        "not_zero": Symptom(
            lambda got, want, scores, may_attend: (
                may_attend.any() and _hidden_weight(got, may_attend)
            )
        ),
    },
    otherwise="other_weights",
    wrong_answers={
        "score_zero": [lambda scores, may_attend: _softmax(np.where(may_attend, scores, 0))],
        "not_zero": [_hide_with(-2.0), _hide_with(-20.0), _hide_with(-100.0), _hide_with(-1e4)],
        "not_a_number": [
            lambda scores, may_attend: np.exp(scores + (1 - may_attend) * -np.inf),
        ],
        "nothing_to_see": [
            lambda scores, may_attend: _softmax(np.where(may_attend, scores, -1e9)),
            lambda scores, may_attend: _softmax(np.where(may_attend, scores, -np.inf)),
        ],
        "other_weights": [
            lambda scores, may_attend: may_attend / may_attend.sum(),
            lambda scores, may_attend: weights_with_hidden(scores, may_attend) * may_attend[0],
            lambda scores, may_attend: weights_with_hidden(
                scores, may_attend & (np.arange(len(scores)) != 1)
            ),
        ],
        "shape": [lambda scores, may_attend: _softmax(scores[may_attend])],
    },
    values=lambda got, want, scores, may_attend: {
        "weight": f"{_hidden_weight(got, may_attend):.2f}",
        "value": f"{_hidden_weight(got, may_attend):.1g}",
        "total": f"{got.sum():.2f}",
    },
)
