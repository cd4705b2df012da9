"""The exercises of notebook 2-1 and its lab: softmax, queries, hidden words, drowning words."""

from __future__ import annotations

import math

import numpy as np
import torch

from ...exercises import Case, Exercise, Symptom, same

CHAPTER = "human_attention"


def _normal(*shape: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def my_softmax(scores):
    powers = np.exp(scores)
    return powers / powers.sum()


def _softmax_loop(scores):
    total = 0.0
    for score in scores:
        total += math.exp(score)
    return [math.exp(score) / total for score in scores]


def _softmax_torch(scores):
    return torch.softmax(torch.as_tensor(scores), dim=-1)


def _softmax_through_log(scores):
    return np.exp(scores - np.logaddexp.reduce(scores))


def _growth(got: np.ndarray, scores: np.ndarray) -> float:
    """By which factor weights grow where scores grow by 1, on average."""
    low, high = scores.argmin(), scores.argmax()
    return (got[high] / got[low]) ** (1 / (scores[high] - scores[low]))


def _does_not_add_up(got: np.ndarray, *_: np.ndarray) -> bool:
    """Whether weights do not add up to 1, by more than a format of few digits explains."""
    return bool(np.isfinite(got).all()) and not same(got.sum(axis=-1), 1, 0.01)


softmax = Exercise(
    CHAPTER,
    "softmax",
    difficulty=1,
    minutes=5,
    right_answers=[my_softmax, _softmax_loop, _softmax_torch, _softmax_through_log],
    cases=[
        Case(np.array([1.0, 3.0, 2.0]), otherwise="other_weights"),
        Case(np.array([0.5, -1.0, 0.0, 2.0, -3.0])),
        Case(2 * _normal(9, seed=1)),
        Case(np.array([0.7])),
        Case(np.array([-20.0, -21.0, -20.5])),
    ],
    mistakes={
        "no_exponential": [
            lambda scores: scores / scores.sum(),
            lambda scores: np.abs(scores) / np.abs(scores).sum(),
        ],
        "logarithm": lambda scores: np.log(_softmax(scores)),
        "winner_takes_all": lambda scores: (scores == scores.max()).astype(float),
        "not_normalised": Symptom(_does_not_add_up),
    },
    wrong_answers={
        "not_normalised": [
            np.exp,
            lambda scores: np.exp(scores) / scores.size,
            lambda scores: np.exp(scores) / scores.sum(),
            lambda scores: np.exp(scores / scores.sum()),
            lambda scores: np.exp(scores) / np.exp(scores).max(),
        ],
        "other_weights": [
            lambda scores: 2**scores / (2**scores).sum(),
            lambda scores: _softmax(-scores),
            lambda scores: _softmax(_softmax(scores)),
            lambda scores: scores**2 / (scores**2).sum(),
            lambda scores: _softmax(np.sort(scores)),
        ],
        "numbers": [lambda scores: _softmax(scores.clip(-1, 3))],
        "half_precision": [
            lambda scores: _softmax(scores).astype(np.float16),
            lambda scores: torch.as_tensor(scores).bfloat16().softmax(0),
        ],
        "shape": [lambda scores: np.exp(scores).sum(), lambda scores: _softmax(scores)[None]],
    },
    values=lambda got, want, scores: {
        "total": f"{got.sum():.3g}",
        "ratio": f"{_growth(got, scores):.2f}",
    },
)


def softmax_of_table(table):
    powers = np.exp(table - table.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _table_row_by_row(table):
    rows = []
    for row in table:
        powers = np.exp(row - max(row))
        rows.append(powers / sum(powers))
    return rows


def _table_turned(table):
    turned = table.T - table.max(axis=1)
    return (np.exp(turned) / np.exp(turned).sum(axis=0)).T


def _table_torch(table):
    return torch.as_tensor(table).softmax(-1)


def _flat(row: np.ndarray, table: np.ndarray) -> np.ndarray:
    """One number a row, laid flat over the table: as NumPy does where the table is square."""
    return np.resize(row, table.shape)


def _no_keepdims(shift, division):
    """A wrong answer: ``keepdims`` forgotten in the subtraction, the division, or both."""

    def answer(table):
        largest = table.max(axis=1)
        powers = np.exp(table - (_flat(largest, table) if shift else largest[:, None]))
        total = powers.sum(axis=1)
        return powers / (_flat(total, table) if division else total[:, None])

    return answer


def _table_less(subtracted):
    """A wrong answer: from each row another number than its largest is subtracted."""
    return lambda table: _unguarded(table - subtracted(table))


def _unguarded(table):
    powers = np.exp(table)
    return powers / powers.sum(axis=1, keepdims=True)


table = Exercise(
    CHAPTER,
    "table",
    difficulty=2,
    minutes=10,
    right_answers=[softmax_of_table, _table_row_by_row, _table_turned, _table_torch],
    cases=[
        Case(np.array([[0.0, 1.0], [2.0, 5.0]])),
        Case(np.array([[0.0, 1.0, 3.0], [2.0, -1.0, 0.5]])),
        Case(_normal(5, 4, seed=2)),
        Case(_normal(1, 6, seed=3)),
        Case(_normal(4, 1, seed=4)),
        Case(np.array([[1000.0, 1001.0, 999.0], [1000.0, 1002.0, 998.0]]), otherwise="overflow"),
        Case(np.array([[1000.0, 1001.0], [1.0, 2.0]]), otherwise="overflow"),
        Case(np.array([[1000.0, 0.0, 0.0, 0.0], [0.0, 1000.0, 0.0, 0.0]]), otherwise="overflow"),
    ],
    mistakes={
        "whole_table": [
            lambda table: np.exp(table) / np.exp(table).sum(),
            Symptom(lambda got, want, table: len(got) > 1 and same(got.sum(), 1)),
        ],
        "no_keepdims": [
            lambda table: np.exp(table) / _flat(np.exp(table).sum(axis=1), table),
            _no_keepdims(True, False),
            _no_keepdims(False, True),
            _no_keepdims(True, True),
        ],
        "wrong_axis": [
            lambda table: np.exp(table) / np.exp(table).sum(axis=0),
            Symptom(lambda got, want, table: same(got.sum(axis=0), 1)),
        ],
        "no_exponential": lambda table: table / table.sum(axis=1, keepdims=True),
        "largest_of_table": [
            lambda table: _unguarded(table - table.max()),
            lambda table: _unguarded(table - 1000),
        ],
        "not_normalised": Symptom(_does_not_add_up),
    },
    otherwise="table",
    wrong_answers={
        "whole_table": [
            lambda table: (
                np.exp(table - table.mean(1, keepdims=True))
                / np.exp(table - table.mean(1, keepdims=True)).sum()
            )
        ],
        "wrong_axis": [
            lambda table: (
                np.exp(table - table.max(1, keepdims=True))
                / sum(np.exp(table - table.max(1, keepdims=True)))
            )
        ],
        "overflow": [
            _unguarded,
            _table_less(lambda table: table.min(axis=1, keepdims=True)),
            _table_less(lambda table: table.mean(axis=1, keepdims=True)),
            _table_less(lambda table: table[:, :1]),
            lambda table: _unguarded(table.clip(max=700)),
        ],
        "half_precision": [lambda table: _softmax(table).astype(np.float16)],
        "table": [
            lambda table: _softmax(table[-1:]) + 0 * table,
            lambda table: _softmax(-table),
            lambda table: 2**table / (2**table).sum(axis=1, keepdims=True),
        ],
        "not_normalised": [
            np.exp,
            lambda table: np.exp(table) / table.shape[1],
            lambda table: np.exp(table - table.max(axis=1, keepdims=True)),
        ],
        "shape": [lambda table: _softmax(table)[0], lambda table: np.exp(table).sum(axis=1)],
    },
)


KEYS = np.array([[2.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 2.0], [0.0, 0.0]])  # of the lesson


def query_for(times):
    return [np.log(times) / 2, 0.0]


def _query_other_number(times):
    return np.array([0.0, -np.log(times) / 2])


def _query_shared_out(times):
    return torch.tensor([math.log(times) / 4, -math.log(times) / 4])


def _query_solved(times):
    wanted = np.array([np.log(times), 0.0]) + 1.0
    return np.linalg.solve(np.array([[2.0, 0.0], [0.0, 2.0]]), wanted)


def _times(query: np.ndarray) -> float:
    """How many times the weight of the first word the query gives to it, against the fourth."""
    scores = KEYS @ query
    return float(np.exp(scores[0] - scores[3]))


query = Exercise(
    CHAPTER,
    "query",
    difficulty=2,
    minutes=10,
    right_answers=[query_for, _query_other_number, _query_shared_out, _query_solved],
    cases=[Case(3.0), Case(1.0), Case(10.0), Case(0.5), Case(1.5), Case(100.0)],
    measure=lambda result, times: _times(result),
    mistakes={
        "ratio_of_queries": [
            lambda times: [times, 1.0],
            lambda times: [1.0, 1.0 / times],
            lambda times: [2 * times, 2.0],
            lambda times: [times / 2, 0.5],
        ],
        "difference_of_scores": [
            lambda times: [times / 2, 0.0],
            lambda times: [1 + times / 2, 1.0],
        ],
        "key_forgotten": [
            lambda times: [math.log(times), 0.0],
            lambda times: [math.log(times) / 2, -math.log(times) / 2],
        ],
        "turned_round": [
            lambda times: [0.0, math.log(times) / 2],
            lambda times: [-math.log(times) / 2, 0.0],
        ],
        "other_base": [
            lambda times: [math.log2(times) / 2, 0.0],
            lambda times: [math.log10(times) / 2, 0.0],
        ],
        "only_three": lambda times: [math.log(3) / 2, 0.0],
    },
    otherwise="other_ratio",
    wrong_answers={
        "other_ratio": [
            lambda times: [math.exp(times), 0.0],
            lambda times: [1.0, 1.0],
            lambda times: [math.log(times) / 2, 1.0],
        ],
        "shape": [
            lambda times: math.log(times) / 2,
            lambda times: _softmax(KEYS @ query_for(times)),
        ],
    },
    values=lambda got, want, times: {"found": f"{_times(got):.3g}", "wanted": f"{times:g}"},
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


def _hide_guarded(powers_of):
    """A right answer: powers with a 0 for what is hidden, and a guard before the division."""

    def answer(scores, may_attend):
        powers = powers_of(scores, may_attend)
        return powers / powers.sum() if may_attend.any() else np.zeros(len(scores))

    return answer


def _hide_in_place(scores, may_attend):
    scores[~may_attend] = -np.inf
    weights = np.exp(scores)
    return weights / weights.sum() if may_attend.any() else weights


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
    right_answers=[
        weights_with_hidden,
        _hide_multiply,
        _hide_infinity,
        _hide_loop,
        _hide_torch,
        _hide_in_place,
        _hide_guarded(lambda scores, may_attend: np.where(may_attend, np.exp(scores), 0)),
        _hide_guarded(lambda scores, may_attend: np.exp(scores) * may_attend),
        _hide_guarded(lambda scores, may_attend: np.exp(np.where(may_attend, scores, -np.inf))),
    ],
    cases=[
        Case(np.array([2.0, 1.5, -0.5, 1.0]), np.array([True, False, True, True])),
        Case(np.array([0.5, 2.0, -1.0, 1.5]), np.array([False, True, True, False])),
        Case(np.array([3.0, 1.0, 2.5, 2.0, 4.0]), np.array([False, False, True, False, False])),
        Case(_normal(12, seed=14), np.arange(12) % 3 != 2),
        Case(np.array([1.0, 2.0]), np.array([True, True])),
        Case(np.array([2.0, -1.0, 0.5]), np.zeros(3, dtype=bool), otherwise="nothing_to_see"),
        Case(np.array([1.5]), np.array([False]), otherwise="nothing_to_see"),
        Case(np.array([-20.0, -21.0, -19.0]), np.array([True, True, False])),
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
        "mask_added": lambda scores, may_attend: _softmax(scores + may_attend),
        "not_zero": Symptom(
            lambda got, want, scores, may_attend: (
                may_attend.any() and _hidden_weight(got, may_attend) > 0
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
            lambda scores, may_attend: (
                np.exp(scores) * may_attend / ((np.exp(scores) * may_attend).sum() + 1e-6)
            ),
            lambda scores, may_attend: (
                np.exp(scores) * may_attend / ((np.exp(scores) * may_attend).sum() + 1e-9)
            ),
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
        Case(np.array([0.6, 0.3, 0.1])),
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
            lambda weights: weights / weights.min(),
            lambda weights: 4 * weights,
            lambda weights: np.log(
                [0.6, 0.3, 0.1] if len(weights) == 3 else [0.7, 0.2, 0.05, 0.05]
            ),
        ],
        "shape": [lambda weights: np.log(weights).sum()],
    },
    values=lambda got, want, weights: {"found": _row(_softmax(got)), "wanted": _row(weights)},
)


def share_of_two(score, n):
    power = np.exp(score)
    return 2 * power / (2 * power + n - 2)


def _share_softmax(score, n):
    return _softmax(np.array([score, score] + [0.0] * (n - 2)))[:2].sum()


def _share_the_other_way(score, n):
    return 1 / (1 + (n - 2) / 2 * np.exp(-score))


def _share_torch(score, n):
    scores = torch.zeros(n, dtype=torch.float64)
    scores[:2] = score
    return scores.softmax(0)[:2].sum()


share = Exercise(
    CHAPTER,
    "share",
    difficulty=2,
    minutes=10,
    right_answers=[share_of_two, _share_softmax, _share_the_other_way, _share_torch],
    cases=[
        Case(2.0, 5),
        Case(0.0, 4),
        Case(-1.0, 6),
        Case(8.0, 1000),
        Case(3.0, 2),
        Case(1.0, 3),
    ],
    mistakes={
        "one_word": [
            lambda score, n: share_of_two(score, n) / 2,
            lambda score, n: math.exp(score) / (math.exp(score) + n - 1),
            lambda score, n: math.exp(score) / (math.exp(score) + n - 2),
        ],
        "all_fillers": [
            lambda score, n: 2 * math.exp(score) / (2 * math.exp(score) + n),
            lambda score, n: 2 * math.exp(score) / (2 * math.exp(score) + n - 1),
        ],
        "two_left_out": lambda score, n: 2 * math.exp(score) / (math.exp(score) + n - 2),
        "score_zero_counts": lambda score, n: 1.0,
        "one_filler": lambda score, n: 2 * math.exp(score) / (2 * math.exp(score) + 1),
        "no_exponential": lambda score, n: 2 * score / (2 * score + n - 2) if score else 0.0,
        "equal_share": lambda score, n: 2 / n,
        "the_rest": lambda score, n: 1 - share_of_two(score, n),
    },
    otherwise="other_share",
    wrong_answers={
        "other_share": [
            lambda score, n: math.exp(2 * score) / (math.exp(2 * score) + n - 2),
            lambda score, n: 2 * 2**score / (2 * 2**score + n - 2),
            lambda score, n: 100 * share_of_two(score, n),
        ],
        "shape": [lambda score, n: _softmax(np.array([score, score] + [0.0] * (n - 2)))],
    },
)
