"""The exercises of notebook 2-1: softmax both ways, a weighted average, hidden words."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ...attention import scaled_dot_product_attention
from ...exercises import Exercise, Wrong, as_array, call, same

CHAPTER = "human_attention"

_ROW = np.array([1.0, 3.0, 2.0])
_TABLE = np.array([[0.0, 1.0, 3.0], [2.0, -1.0, 0.5]])
_HUGE = np.array([1000.0, 1002.0, 999.0])


def _softmax(scores: np.ndarray) -> np.ndarray:
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _weights(answer: Callable[..., Any], *arguments: Any) -> np.ndarray:
    """What the answer gives for copies of the arguments, without warnings about overflow."""
    with np.errstate(all="ignore"):
        result = call(answer, *(argument.copy() for argument in arguments))
        return as_array(result, arguments[0].shape)


def _verify_softmax(answer: Callable[..., Any]) -> None:
    row = _weights(answer, _ROW)
    if not same(row, _softmax(_ROW)):
        if same(row, np.exp(_ROW)):
            raise Wrong("not_normalised", total=f"{row.sum():.1f}")
        if same(row, _ROW / _ROW.sum()):
            raise Wrong("no_exponential")
        if same(row, np.log(_softmax(_ROW))):
            raise Wrong("logarithm")
        if same(np.sort(row), [0, 0, 1]):
            raise Wrong("winner_takes_all")
        if not same(row.sum(), 1):
            raise Wrong("not_normalised", total=f"{row.sum():.2f}")
        raise Wrong("other_weights", ratio=f"{row[1] / row[2]:.2f}")
    table = _weights(answer, _TABLE)
    if not same(table, _softmax(_TABLE)):
        if same(table.sum(), 1):
            raise Wrong("whole_table")
        if same(table.sum(axis=0), np.ones(3)):
            raise Wrong("wrong_axis")
        raise Wrong("table")
    if not same(_weights(answer, _HUGE), _softmax(_HUGE)):
        raise Wrong("overflow")


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


softmax = Exercise(
    CHAPTER,
    "softmax",
    difficulty=1,
    minutes=10,
    verify=_verify_softmax,
    right_answers=[my_softmax, _softmax_loop, _softmax_torch, _softmax_through_log],
    wrong_answers={
        "not_normalised": [np.exp, lambda scores: np.exp(scores) / scores.size],
        "no_exponential": [lambda scores: scores / scores.sum(axis=-1, keepdims=True)],
        "logarithm": [lambda scores: torch.log_softmax(torch.as_tensor(scores), dim=-1)],
        "winner_takes_all": [
            lambda scores: (scores == scores.max(axis=-1, keepdims=True)).astype(float)
        ],
        "other_weights": [
            lambda scores: 2**scores / (2**scores).sum(axis=-1, keepdims=True),
            lambda scores: _softmax(-scores),
        ],
        "whole_table": [lambda scores: np.exp(scores) / np.exp(scores).sum()],
        "wrong_axis": [lambda scores: np.exp(scores) / np.exp(scores).sum(axis=0)],
        "table": [lambda scores: _softmax(scores.ravel()[-3:]) * np.ones_like(scores)],
        "overflow": [lambda scores: np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)],
        "shape": [lambda scores: np.exp(scores).sum()],
    },
)


def _verify_softmax_backwards(answer: Callable[..., Any]) -> None:
    for weights in ([0.5, 0.25, 0.25], [0.7, 0.2, 0.06, 0.04]):
        weights = np.array(weights)
        scores = _weights(answer, weights)
        if not np.isfinite(scores).all():
            raise Wrong("not_finite")
        if same(_softmax(scores), weights):
            continue
        if same(scores, weights):
            raise Wrong("unchanged")
        if same(scores, np.exp(weights)) or same(scores, _softmax(weights)):
            raise Wrong("same_direction")
        if same(scores, 1 / weights) or same(_softmax(-scores), weights):
            raise Wrong("upside_down")
        if same(_softmax(scores * math.log(10)), weights) or same(
            _softmax(scores * math.log(2)), weights
        ):
            raise Wrong("other_base")
        found = ", ".join(f"{weight:.2f}" for weight in _softmax(scores))
        raise Wrong("other_scores", wanted=", ".join(f"{w:.2f}" for w in weights), found=found)


def scores_for(weights):
    return np.log(weights)


def _backwards_shifted(weights):
    return np.log(weights) - np.log(weights.max())


def _backwards_loop(weights):
    return [math.log(weight / weights[0]) for weight in weights]


def _backwards_torch(weights):
    return torch.as_tensor(weights).log() + 5


softmax_backwards = Exercise(
    CHAPTER,
    "softmax_backwards",
    difficulty=2,
    minutes=5,
    verify=_verify_softmax_backwards,
    right_answers=[scores_for, _backwards_shifted, _backwards_loop, _backwards_torch],
    wrong_answers={
        "unchanged": [lambda weights: weights],
        "same_direction": [np.exp, _softmax],
        "upside_down": [lambda weights: 1 / weights, lambda weights: -np.log(weights)],
        "other_base": [np.log10, np.log2],
        "not_finite": [lambda weights: np.log(weights - weights.max())],
        "other_scores": [lambda weights: 2 * np.log(weights), np.sqrt],
        "shape": [lambda weights: np.log(weights).sum()],
    },
)


_ASKS = np.array([1.0, 0.5])
_LABELS = np.array([[2.0, 1.0], [0.0, -1.0], [0.5, 3.0], [-1.0, 0.0]])
_CONTENTS = np.array([[1.0, 0.0], [4.0, 2.0], [0.0, 3.0], [-2.0, 5.0]])


def _verify_attend(answer: Callable[..., Any]) -> None:
    arguments = [array.copy() for array in (_ASKS, _LABELS, _CONTENTS)]
    with np.errstate(all="ignore"):
        result = call(answer, *arguments)
    scores = _LABELS @ _ASKS
    weights = _softmax(scores)
    if np.shape(result) == _CONTENTS.shape:
        raise Wrong("not_added_up")
    mixture = as_array(result, (2,))
    if same(mixture, weights @ _CONTENTS):
        return
    for key, mistake in {
        "labels_averaged": weights @ _LABELS,
        "scores_as_weights": scores @ _CONTENTS,
        "not_normalised": np.exp(scores) @ _CONTENTS,
        "divided_again": weights @ _CONTENTS / len(_CONTENTS),
        "plain_average": _CONTENTS.mean(axis=0),
        "only_the_largest": _CONTENTS[scores.argmax()],
    }.items():
        if same(mixture, mistake):
            raise Wrong(key)
    raise Wrong("other_mixture")


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
    verify=_verify_attend,
    right_answers=[my_attend, _attend_loop, _attend_average, _attend_torch, _attend_library],
    wrong_answers={
        "labels_averaged": [lambda asks, labels, contents: _softmax(labels @ asks) @ labels],
        "scores_as_weights": [lambda asks, labels, contents: (labels @ asks) @ contents],
        "not_normalised": [lambda asks, labels, contents: np.exp(labels @ asks) @ contents],
        "not_added_up": [
            lambda asks, labels, contents: _softmax(labels @ asks)[:, None] * contents
        ],
        "divided_again": [
            lambda asks, labels, contents: (_softmax(labels @ asks)[:, None] * contents).mean(0)
        ],
        "plain_average": [lambda asks, labels, contents: contents.mean(axis=0)],
        "only_the_largest": [lambda asks, labels, contents: contents[(labels @ asks).argmax()]],
        "other_mixture": [lambda asks, labels, contents: _softmax(contents @ asks) @ contents],
        "shape": [lambda asks, labels, contents: _softmax(labels @ asks)],
    },
)


_SCORES = np.array([2.0, -1.0, 0.5, 1.0])
_MAY_ATTEND = np.array([True, False, True, True])


def _verify_hide(answer: Callable[..., Any]) -> None:
    weights = _weights(answer, _SCORES, _MAY_ATTEND)
    seen = _softmax(_SCORES[_MAY_ATTEND])
    if not same(weights[_MAY_ATTEND], seen) or not same(weights[~_MAY_ATTEND], 0):
        if np.isnan(weights).any():
            raise Wrong("not_a_number")
        if same(weights, np.where(_MAY_ATTEND, 0, 1)):
            raise Wrong("inverted")
        if same(weights, _softmax(_SCORES)):
            raise Wrong("nothing_hidden")
        if same(weights, _softmax(np.where(_MAY_ATTEND, _SCORES, 0))):
            raise Wrong("score_zero", weight=f"{weights[1]:.2f}")
        if same(weights, _softmax(_SCORES) * _MAY_ATTEND):
            raise Wrong("not_shared_out", total=f"{weights.sum():.2f}")
        raise Wrong("other_weights")
    nothing = _weights(answer, _SCORES, np.zeros(4, dtype=bool))
    if not same(nothing, np.zeros(4)):
        raise Wrong("nothing_to_see")


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


hide = Exercise(
    CHAPTER,
    "hide",
    difficulty=2,
    minutes=15,
    verify=_verify_hide,
    right_answers=[weights_with_hidden, _hide_multiply, _hide_infinity, _hide_loop, _hide_torch],
    wrong_answers={
        "nothing_hidden": [lambda scores, may_attend: _softmax(scores)],
        "score_zero": [
            lambda scores, may_attend: _softmax(np.where(may_attend, scores, 0)),
            lambda scores, may_attend: _softmax(scores * may_attend),
        ],
        "not_shared_out": [lambda scores, may_attend: _softmax(scores) * may_attend],
        "inverted": [lambda scores, may_attend: _softmax(np.where(may_attend, -1e9, scores))],
        "not_a_number": [
            lambda scores, may_attend: np.exp(scores + (1 - may_attend) * -np.inf),
        ],
        "nothing_to_see": [
            lambda scores, may_attend: _softmax(np.where(may_attend, scores, -1e9)),
            lambda scores, may_attend: _softmax(np.where(may_attend, scores, -np.inf)),
        ],
        "other_weights": [
            lambda scores, may_attend: may_attend / may_attend.sum(),
            lambda scores, may_attend: _softmax(np.where(may_attend, scores, -2)),
        ],
        "shape": [lambda scores, may_attend: _softmax(scores[may_attend])],
    },
)
