"""The exercises of lesson 2-2 and its labs."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...attention import scaled_dot_product_attention
from ...exercises import Case, Exercise, Symptom, same

CHAPTER = "scaled_dot_product"


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def my_scores(query, key):
    d = query.shape[-1]
    return query @ key.mT / math.sqrt(d)


def _scores_scale_first(query, key):
    return (query * query.size(-1) ** -0.5) @ key.transpose(-2, -1)


def _scores_einsum(query, key):
    return torch.einsum("id,jd->ij", query, key) / torch.tensor(query.shape[1]).sqrt()


def _scores_loop(query, key):
    return [[float(q @ k) / len(q) ** 0.5 for k in key] for q in query]


def _scores_numpy(query, key):
    return np.asarray(query) @ np.asarray(key).T / np.sqrt(query.shape[1])


def _scores_case(n_q: int, n_k: int, d: int) -> Case:
    return Case(_normal(n_q, d, seed=d), _normal(n_k, d, seed=d + 100))


scores = Exercise(
    CHAPTER,
    "scores",
    difficulty=1,
    minutes=5,
    right_answers=[
        my_scores,
        _scores_scale_first,
        _scores_einsum,
        _scores_loop,
        _scores_numpy,
    ],
    # d = 8 first: who wrote √8 into the code is right there, and nowhere else.
    cases=[
        _scores_case(3, 5, 8),
        _scores_case(3, 4, 5),
        _scores_case(7, 2, 3),
        _scores_case(1, 1, 2),
        _scores_case(20, 30, 64),
    ],
    mistakes={
        "transposed": lambda query, key: key @ query.T / math.sqrt(query.shape[-1]),
        "hard_coded": lambda query, key: query @ key.T / math.sqrt(8),
        "of_the_sentence": lambda query, key: query @ key.T / math.sqrt(2),
        "halved": lambda query, key: query @ key.T / (query.shape[-1] / 2),
        "not_divided": lambda query, key: query @ key.T,
        "divided_by_d": lambda query, key: query @ key.T / query.shape[-1],
        "multiplied": lambda query, key: query @ key.T * math.sqrt(query.shape[-1]),
        "counts_words": lambda query, key: query @ key.T / math.sqrt(len(key)),
        "weights_already": Symptom(lambda got, want, query, key: same(got.sum(axis=-1), 1)),
    },
    otherwise="other_scores",
    wrong_answers={
        "weights_already": [
            lambda query, key: (query @ key.T / math.sqrt(query.shape[-1])).softmax(-1)
        ],
        "other_scores": [
            lambda query, key: query @ key.T - math.sqrt(query.shape[-1]),
            lambda query, key: query @ key.T / math.sqrt(len(query)),
        ],
        "shape": [lambda query, key: query[0] @ key.T, lambda query, key: query],
    },
    values=lambda got, want, query, key: {"d": query.shape[-1]},
)


def my_masked_attention(query, key, value, may_attend):
    scores = query @ key.mT / math.sqrt(query.shape[-1])
    weights = scores.masked_fill(~may_attend, -math.inf).softmax(dim=-1)
    weights = weights.masked_fill(~may_attend, 0.0)
    return weights @ value


def _masked_exponentials(query, key, value, may_attend):
    exponentials = torch.exp(query @ key.T / query.shape[-1] ** 0.5) * may_attend
    return exponentials @ value / exponentials.sum(dim=-1, keepdim=True).clamp(min=1e-30)


def _masked_nan_to_num(query, key, value, may_attend):
    scores = query @ key.T / query.shape[-1] ** 0.5
    scores = torch.where(may_attend, scores, -torch.inf)
    return torch.softmax(scores, dim=1).nan_to_num() @ value


def _masked_afterwards(query, key, value, may_attend):
    weights = (query @ key.T / query.shape[-1] ** 0.5).softmax(dim=-1) * may_attend
    totals = weights.sum(dim=-1, keepdim=True)
    return weights / torch.where(totals > 0, totals, 1.0) @ value


def _masked_loop(query, key, value, may_attend):
    rows = []
    for q, allowed in zip(query, may_attend, strict=True):
        row = torch.zeros(value.shape[1])
        if allowed.any():
            row = torch.softmax(key[allowed] @ q / len(q) ** 0.5, dim=0) @ value[allowed]
        rows.append(row)
    return torch.stack(rows)


def _masked_library(query, key, value, may_attend):
    return scaled_dot_product_attention(query, key, value, may_attend)[0]


def _with_scores(change: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """A wrong answer: attention whose weights ``change`` makes from the scores and the mask."""

    def answer(query, key, value, may_attend):
        return change(query @ key.T / math.sqrt(query.shape[-1]), may_attend) @ value

    return answer


def _with_factor(factor: Callable[[int], float]) -> Callable[..., Tensor]:
    """A wrong answer: masked attention whose dot products are multiplied by ``factor(d)``."""

    def answer(query, key, value, may_attend):
        scale = factor(query.shape[-1])
        return scaled_dot_product_attention(query, key, value, may_attend, scale=scale)[0]

    return answer


def _masked_with(fill: float) -> Callable[..., Tensor]:
    """A wrong answer: a hidden key has the score ``fill``."""
    return _with_scores(
        lambda scores, may: (
            scores.masked_fill(~may, fill).softmax(-1) * may.any(dim=-1, keepdim=True)
        )
    )


def _masked_all_or_nothing(query, key, value, may_attend):
    """A wrong answer: one row that may attend to nothing empties all of them."""
    output, _ = scaled_dot_product_attention(query, key, value, may_attend)
    return output if may_attend.any(dim=-1).all() else torch.zeros_like(output)


def _shared_out(shares: Tensor, extra: float) -> Tensor:
    """Each row divided by its sum and something extra, against a division by 0."""
    return shares / (shares.sum(dim=-1, keepdim=True) + extra)


def _may_attend(n_q: int, n_k: int, *, nobody: int | None = None) -> Tensor:
    """A mask, irregular; the row ``nobody`` may attend to nothing."""
    may_attend = (torch.arange(n_q)[:, None] * 2 + torch.arange(n_k)) % 3 != 1
    if nobody is not None:
        may_attend[nobody] = False
    return may_attend


def _masked_case(n_q: int, n_k: int, d: int, d_v: int, nobody: int | None = None) -> Case:
    query, key, value = (
        _normal(*shape, seed=seed + d)
        for seed, shape in ((0, (n_q, d)), (100, (n_k, d)), (200, (n_k, d_v)))
    )
    return Case(query, key, value, _may_attend(n_q, n_k, nobody=nobody))


def _weights_case(query: Tensor, key: Tensor, **more: Any) -> Case:
    """With a 1 for each key in a column of its own as values, the output is the weights."""
    n_q, n_k = len(query), len(key)
    return Case(query, key, torch.eye(n_k), _may_attend(n_q, n_k), **more)


def _low_scores() -> Case:
    """Visible keys have scores near -30,000, hidden ones 5: no number in place of a score hides."""
    visible = _may_attend(1, 5)[0]
    key = torch.where(visible, -600.0 - 0.01 * torch.arange(5), 0.1)[:, None] * torch.eye(5, 4)[0]
    return _weights_case(torch.tensor([[100.0, 0.0, 0.0, 0.0]]), key, only=["not_zero"])


def _hidden_stands_out() -> Case:
    """Visible keys have scores near -20, a hidden one 5: what is added to their sum shows."""
    query = torch.tensor([[-28.0, 7.0]])
    key = torch.tensor([[1.0, 0.0], [1.01, 0.0], [0.0, 1.0]])
    return Case(query, key, torch.eye(3), torch.tensor([[True, True, False]]))


def _sum_of_weights(got: np.ndarray, value: Tensor, may_attend: Tensor) -> float:
    """The row of weights whose sum is furthest from 1, where the output is the weights; else 1."""
    if not torch.equal(value, torch.eye(len(value))):
        return 1.0
    sums = got[~_nobody(may_attend)].sum(axis=-1)
    return float(sums[np.abs(sums - 1).argmax()])


def _hidden_weight(got: np.ndarray, value: Tensor, may_attend: Tensor) -> float:
    """The largest weight of a hidden key, where the output is the weights; else 0."""
    if not torch.equal(value, torch.eye(len(value))):
        return 0.0
    return float(np.abs(got[~may_attend.numpy()]).max(initial=0.0))


def _nobody(may_attend: Tensor) -> np.ndarray:
    return ~may_attend.any(dim=-1).numpy()


masked_attention = Exercise(
    CHAPTER,
    "masked_attention",
    difficulty=2,
    minutes=15,
    right_answers=[
        my_masked_attention,
        _masked_exponentials,
        _masked_nan_to_num,
        _masked_afterwards,
        _masked_loop,
        _masked_library,
    ],
    cases=[
        _masked_case(3, 4, 8, 6),
        _masked_case(3, 4, 5, 6),
        _masked_case(9, 7, 16, 2),
        _masked_case(3, 4, 5, 6, nobody=1),
        _masked_case(1, 2, 3, 4, nobody=0),
        _weights_case(_normal(5, 4, seed=1), _normal(6, 4, seed=2)),
        _hidden_stands_out(),
        _low_scores(),
    ],
    exact_zeros=True,
    mistakes={
        "weights_returned": lambda query, key, value, may_attend: scaled_dot_product_attention(
            query, key, value, may_attend
        )[1],
        "mask_ignored": [
            _with_scores(lambda scores, may: scores.softmax(-1)),
            lambda query, key, value, may_attend: (query @ key.T).softmax(-1) @ value,
        ],
        "inverted": _with_scores(
            lambda scores, may: scores.masked_fill(may, -math.inf).softmax(-1)
        ),
        "not_shared_out": _with_scores(lambda scores, may: scores.softmax(-1) * may),
        "score_zero": _with_scores(lambda scores, may: (scores * may).softmax(-1)),
        "wrong_axis": [
            _with_scores(lambda scores, may: scores.masked_fill(~may, -math.inf).softmax(0)),
            _with_scores(lambda scores, may: scores.softmax(0)),
            _with_scores(lambda scores, may: scores.softmax(0) * may),
        ],
        "not_divided": _with_factor(lambda d: 1.0),
        "divided_by_d": _with_factor(lambda d: 1 / d),
        "hard_coded": _with_factor(lambda d: 8**-0.5),
        "of_the_sentence": _with_factor(lambda d: 2**-0.5),
        "nothing_gives_nan": Symptom(
            lambda got, want, query, key, value, may_attend: (
                np.isnan(got).any() and not np.isnan(got[~_nobody(may_attend)]).any()
            )
        ),
        "nan": Symptom(lambda got, want, *inputs: np.isnan(got).any()),
        "nothing_gives_average": Symptom(
            lambda got, want, query, key, value, may_attend: (
                _nobody(may_attend).any() and same(got[_nobody(may_attend)], value.mean(0))
            )
        ),
        "nothing_gives_something": Symptom(
            lambda got, want, query, key, value, may_attend: got[_nobody(may_attend)].any()
        ),
        "other_rows_lost": Symptom(
            lambda got, want, query, key, value, may_attend: _nobody(may_attend).any()
        ),
        "not_zero": Symptom(
            lambda got, want, query, key, value, may_attend: _hidden_weight(got, value, may_attend)
        ),
        "sum_not_whole": Symptom(
            lambda got, want, query, key, value, may_attend: (
                abs(_sum_of_weights(got, value, may_attend) - 1) > 1e-3
            )
        ),
    },
    otherwise="other_output",
    wrong_answers={
        "score_zero": [_with_scores(lambda scores, may: scores.masked_fill(~may, 0).softmax(-1))],
        "nan": [_with_scores(lambda scores, may: (scores + ~may * -math.inf).softmax(-1))],
        "nothing_gives_nan": [
            _with_scores(lambda scores, may: scores.masked_fill(~may, -math.inf).softmax(-1))
        ],
        "nothing_gives_average": [
            _with_scores(lambda scores, may: scores.masked_fill(~may, -1e9).softmax(-1))
        ],
        "nothing_gives_something": [
            _with_scores(lambda scores, may: (scores + (may.float() - 1) * 1e4).softmax(-1))
        ],
        "not_zero": [_masked_with(-20.0), _masked_with(-100.0), _masked_with(-1e4)],
        "other_rows_lost": [_masked_all_or_nothing],
        "sum_not_whole": [
            _with_scores(lambda scores, may: scores.masked_fill(~may, -20.0).softmax(-1) * may),
            _with_scores(lambda scores, may: _shared_out(scores.softmax(-1) * may, 1e-9)),
            _with_scores(lambda scores, may: _shared_out(scores.exp() * may, 1e-9)),
        ],
        "weights_returned": [
            lambda query, key, value, may_attend: (query @ key.T).masked_fill(~may_attend, 0)
        ],
        "other_output": [
            _with_scores(lambda scores, may: may / may.sum(-1, keepdim=True)),
            _with_factor(math.sqrt),
        ],
        "shape": [lambda query, key, value, may_attend: query],
        "type": [scaled_dot_product_attention],
    },
    values=lambda got, want, query, key, value, may_attend: {
        "d": query.shape[-1],
        "value": f"{_hidden_weight(got, value, may_attend):.1g}",
        "sum": f"{_sum_of_weights(got, value, may_attend):.2g}",
    },
)


def my_packed_mask(document):
    n = len(document)
    same_document = document[:, None] == document[None, :]  # (n, n)
    not_later = torch.ones(n, n, dtype=torch.bool).tril()
    return same_document & not_later


def _packed_positions(document):
    position = torch.arange(len(document))
    return (document[:, None] == document) & (position[:, None] >= position)


def _packed_tril(document):
    return torch.eq(document.unsqueeze(1), document.unsqueeze(0)).tril()


def _packed_loop(document):
    n = len(document)
    return [[bool(j <= i and document[i] == document[j]) for j in range(n)] for i in range(n)]


def _packed_numpy(document):
    numbers = np.asarray(document)
    return np.tril(numbers[:, None] == numbers[None, :])


def _first_difference(got: np.ndarray, want: np.ndarray) -> dict[str, int]:
    row, column = np.argwhere(got != want)[0] if (got != want).any() else (0, 0)
    return {"row": int(row), "column": int(column)}


packed_mask = Exercise(
    CHAPTER,
    "packed_mask",
    difficulty=2,
    minutes=10,
    right_answers=[
        my_packed_mask,
        _packed_positions,
        _packed_tril,
        _packed_loop,
        _packed_numpy,
    ],
    cases=[
        Case(torch.tensor([2, 0, 0, 0, 1, 1])),
        Case(torch.tensor([7, 3, 3, 3])),
        Case(torch.tensor([4, 4])),
        Case(torch.tensor([1])),
        Case(torch.arange(60) // 7 * 1000),
    ],
    mistakes={
        "documents_mixed": lambda document: torch.ones(len(document), len(document)).tril() > 0,
        "future_seen": lambda document: document[:, None] == document,
        "turned": lambda document: (document[:, None] == document).triu(),
        "not_itself": lambda document: (document[:, None] == document).tril(-1),
        "inverted": lambda document: ~_packed_tril(document),
        "either": lambda document: (
            (document[:, None] == document)
            | torch.ones(len(document), len(document), dtype=torch.bool).tril()
        ),
        "numbers_in_order": lambda document: (document[:, None] >= document).tril(),
        "additive": Symptom(lambda got, want, document: np.isinf(got).any()),
    },
    otherwise="other_mask",
    wrong_answers={
        "not_boolean": [
            lambda document: _packed_tril(document).float(),
            lambda document: _packed_tril(document).int(),
        ],
        "additive": [
            lambda document: torch.where(_packed_tril(document), 0.0, -math.inf),
            lambda document: _packed_tril(document).float().log(),
        ],
        "other_mask": [
            lambda document: (document[:, None] == document).tril(1),
            lambda document: (document[:, None] != document).tril(),
        ],
        "shape": [lambda document: document, lambda document: document == document[0]],
    },
    values=lambda got, want, document: _first_difference(got, want),
)


def my_scale(d, spread_query, spread_key):
    return 1 / (spread_query * spread_key * d**0.5)


def _scale_variance(d, spread_query, spread_key):
    variance = d * spread_query**2 * spread_key**2  # d terms, each of variance (σ_q σ_k)²
    return variance**-0.5


def _scale_torch(d, spread_query, spread_key):
    return 1 / (torch.tensor(float(d)).sqrt() * spread_query * spread_key)


def _scale_by_drawing(d, spread_query, spread_key):
    generator = np.random.default_rng(0)
    query = spread_query * generator.standard_normal((20_000, d))
    key = spread_key * generator.standard_normal((20_000, d))
    return 1 / (query * key).sum(axis=1).std()


scale = Exercise(
    CHAPTER,
    "scale",
    difficulty=3,
    minutes=10,
    right_answers=[my_scale, _scale_variance, _scale_torch, _scale_by_drawing],
    # A small d shows what is off by 1, even if an answer found by drawing is to pass.
    tolerance=0.03,
    cases=[
        Case(64, 1.0, 1.0),
        Case(3, 1.0, 1.0),
        Case(100, 3.0, 0.4),
        Case(48, 0.25, 2.0),
        Case(2, 0.5, 0.75),
    ],
    mistakes={
        "negative": Symptom(lambda got, want, *sizes: got < 0),
        "not_divided": lambda d, spread_query, spread_key: 1.0,
        "divided_by_d": lambda d, spread_query, spread_key: 1 / (d * spread_query * spread_key),
        "upside_down": lambda d, spread_query, spread_key: d**0.5 * spread_query * spread_key,
        "spreads_ignored": lambda d, spread_query, spread_key: d**-0.5,
        "spreads_squared": lambda d, spread_query, spread_key: (
            d**-0.5 / (spread_query * spread_key) ** 2
        ),
        "spreads_rooted": lambda d, spread_query, spread_key: (
            (d * spread_query * spread_key) ** -0.5
        ),
        "spreads_multiplied": lambda d, spread_query, spread_key: (
            d**-0.5 * spread_query * spread_key
        ),
        "one_spread": [
            lambda d, spread_query, spread_key: d**-0.5 / spread_query,
            lambda d, spread_query, spread_key: d**-0.5 / spread_key,
        ],
        "spreads_added": lambda d, spread_query, spread_key: d**-0.5 / (spread_query + spread_key),
    },
    otherwise="other_factor",
    wrong_answers={
        "other_factor": [
            lambda d, spread_query, spread_key: 1 / 8,
            lambda d, spread_query, spread_key: d**-0.5 / math.hypot(spread_query, spread_key),
            lambda d, spread_query, spread_key: (d - 1) ** -0.5 / (spread_query * spread_key),
        ],
        "negative": [lambda d, spread_query, spread_key: -my_scale(d, spread_query, spread_key)],
        "shape": [lambda d, spread_query, spread_key: [d**-0.5, spread_query]],
    },
    values=lambda got, want, d, spread_query, spread_key: {
        "variance": f"{float(got * spread_query * spread_key) ** 2 * d:.3g}"
    },
)


def my_score_gradient(weights, upstream):
    gathered = (weights * upstream).sum()
    return weights * (upstream - gathered)


def _gradient_jacobian(weights, upstream):
    jacobian = torch.diag(weights) - torch.outer(weights, weights)  # (n, n)
    return jacobian @ upstream


def _gradient_loop(weights, upstream):
    n = len(weights)
    gradient = [0.0] * n
    for j in range(n):
        for i in range(n):
            reaction = weights[i] * (1 - weights[i]) if i == j else -weights[i] * weights[j]
            gradient[j] += float(upstream[i] * reaction)
    return gradient


def _gradient_numpy(weights, upstream):
    w, u = np.asarray(weights), np.asarray(upstream)
    return w * u - w * np.dot(w, u)


def _gradient_torch(weights, upstream):
    scores = weights.clamp(min=1e-30).log().requires_grad_()
    scores.softmax(dim=0).backward(upstream)
    return scores.grad


def _gradient_case(n: int, seed: int) -> Case:
    return Case((2 * _normal(n, seed=seed)).softmax(dim=0), _normal(n, seed=seed + 100))


score_gradient = Exercise(
    CHAPTER,
    "score_gradient",
    difficulty=3,
    minutes=15,
    right_answers=[
        my_score_gradient,
        _gradient_jacobian,
        _gradient_loop,
        _gradient_numpy,
        _gradient_torch,
    ],
    cases=[
        _gradient_case(4, seed=0),
        _gradient_case(2, seed=1),
        _gradient_case(30, seed=2),
        Case(torch.tensor([0.25, 0.5, 0.25]), torch.tensor([2.0, 2.0, 2.0])),
        Case(torch.tensor([0.0, 1.0, 0.0]), torch.tensor([3.0, -1.0, 5.0])),
        Case(torch.tensor([1.0]), torch.tensor([4.0])),
    ],
    mistakes={
        "reaction_only": lambda weights, upstream: weights * (1 - weights),
        "own_only": lambda weights, upstream: weights * (1 - weights) * upstream,
        "others_only": lambda weights, upstream: (
            -weights * ((weights * upstream).sum() - weights * upstream)
        ),
        "weights_only": lambda weights, upstream: weights * upstream,
        "added": lambda weights, upstream: weights * (upstream + (weights * upstream).sum()),
        "turned": lambda weights, upstream: weights * ((weights * upstream).sum() - upstream),
        "plain_mean": lambda weights, upstream: weights * (upstream - upstream.mean()),
        "mean_of_products": lambda weights, upstream: (
            weights * (upstream - (weights * upstream).mean())
        ),
        "not_gathered": lambda weights, upstream: (
            (torch.diag(weights) - torch.outer(weights, weights)) * upstream
        ),
        "softmax_again": lambda weights, upstream: my_score_gradient(
            weights.softmax(dim=0), upstream
        ),
    },
    otherwise="other_gradient",
    wrong_answers={
        "other_gradient": [lambda weights, upstream: upstream],
        "shape": [
            lambda weights, upstream: (weights * upstream).sum(),
            lambda weights, upstream: (weights * upstream)[None],
        ],
    },
)


def my_next_letter(W_key):
    return torch.roll(W_key, -1, dims=0)


def _next_concatenated(W_key):
    return torch.cat([W_key[1:], W_key[:1]])


def _next_loop(W_key):
    n = len(W_key)
    return [W_key[(i + 1) % n].tolist() for i in range(n)]


def _next_numpy(W_key):
    return 2 * np.roll(np.asarray(W_key), -1, axis=0)


def _next_solved(W_key):
    n, d = W_key.shape
    wanted = 20 * math.sqrt(d) * torch.eye(n).roll(1, dims=1)
    return wanted @ torch.linalg.pinv(W_key).T


def _keys(n: int, d: int, seed: int) -> Tensor:
    """Keys of length 10 at right angles to each other: (n, d)."""
    return 10 * torch.linalg.qr(_normal(d, d, seed=seed))[0][:n]


def _weights_of_letters(W_query: np.ndarray, W_key: Tensor) -> Tensor:
    """Who finds whom: (n, n)."""
    scores = torch.from_numpy(W_query) @ W_key.double().T / math.sqrt(W_key.shape[-1])
    return scores.softmax(dim=-1)


def _finds_next(W_query: np.ndarray, W_key: Tensor) -> np.ndarray:
    """Whether each letter gives more than 0.9 of its weight to the next one: (n,)."""
    following = torch.arange(1, len(W_key) + 1) % len(W_key)
    weights = _weights_of_letters(W_query, W_key)
    return (weights[torch.arange(len(W_key)), following] > 0.9).numpy()


def _found(got: np.ndarray, want: np.ndarray, W_key: Tensor) -> dict[str, Any]:
    """What the first letter that does not find the next one finds instead."""
    letter = int(np.argmin(_finds_next(got, W_key)))
    weights = _weights_of_letters(got, W_key)[letter]
    n = len(W_key)
    return {
        "letter": letter,
        "next": (letter + 1) % n,
        "weight": f"{float(weights[(letter + 1) % n]):.2f}",
    }


def _prefers(step: int) -> Callable[..., bool]:
    """Whether each letter gives the most weight to the one ``step`` places on."""

    def prefers(got: np.ndarray, want: np.ndarray, W_key: Tensor) -> bool:
        places = torch.arange(len(W_key))
        best = _weights_of_letters(got, W_key).argmax(dim=-1)
        return bool((best == (places + step) % len(W_key)).all())

    return prefers


def _all_but_the_last(got: np.ndarray, want: np.ndarray, W_key: Tensor) -> bool:
    found = _finds_next(got, W_key)
    return bool(found[:-1].all() and not found[-1])


next_letter = Exercise(
    CHAPTER,
    "next_letter",
    difficulty=2,
    minutes=10,
    right_answers=[my_next_letter, _next_concatenated, _next_loop, _next_numpy, _next_solved],
    cases=[
        Case(_keys(4, 8, seed=0)),
        Case(_keys(3, 3, seed=1)),
        Case(_keys(16, 20, seed=2)),
        Case(_keys(2, 5, seed=3)),
    ],
    measure=_finds_next,
    mistakes={
        "same_letter": Symptom(_prefers(0)),
        "previous_letter": Symptom(_prefers(-1)),
        "last_left_out": Symptom(_all_but_the_last),
        "too_even": Symptom(_prefers(1)),
    },
    otherwise="other_letter",
    wrong_answers={
        "same_letter": [lambda W_key: W_key, lambda W_key: 3 * W_key],
        "previous_letter": [lambda W_key: torch.roll(W_key, 1, dims=0)],
        "last_left_out": [
            lambda W_key: torch.cat([W_key[1:], 0 * W_key[:1]]),
            lambda W_key: torch.cat([W_key[1:], W_key[-1:]]),
        ],
        "too_even": [
            lambda W_key: torch.roll(W_key, -1, dims=0) / 100,
            lambda W_key: torch.roll(W_key, -1, dims=0) / W_key.norm(dim=-1, keepdim=True),
        ],
        "other_letter": [
            lambda W_key: -torch.roll(W_key, -1, dims=0),
            lambda W_key: 0 * W_key,
            lambda W_key: torch.roll(W_key, -1, dims=1),
            lambda W_key: torch.roll(W_key, -2, dims=0),
        ],
        "shape": [lambda W_key: torch.roll(torch.eye(len(W_key)), 1, dims=1)[:, :2]],
    },
    values=_found,
)


def my_repair(query, key, value, order):
    output, _ = scaled_dot_product_attention(query, key, value[order])
    return output


def _repair_by_hand(query, key, value, order):
    weights = (query @ key.T / math.sqrt(query.shape[-1])).softmax(dim=-1)
    return weights @ value[order]


def _repair_key(query, key, value, order):
    return scaled_dot_product_attention(query, key[order.argsort()], value)[0]


def _repair_by_place(query, key, value, order):
    old_key = torch.empty_like(key)
    for i, drawer in enumerate(order.tolist()):
        old_key[drawer] = key[i]
    return scaled_dot_product_attention(query, old_key, value)[0]


def _repair_weights(query, key, value, order):
    _, weights = scaled_dot_product_attention(query, key, value)
    return weights[:, order.argsort()] @ value


def _repair_numpy(query, key, value, order):
    powers = np.exp(query.numpy() @ key.numpy().T / query.shape[-1] ** 0.5)
    return powers / powers.sum(axis=-1, keepdims=True) @ value.numpy()[order.numpy()]


def _repair_case(n_q: int, d: int, d_v: int, order: list[int]) -> Case:
    n_k = len(order)
    query, key = 2 * _normal(n_q, d, seed=d), _normal(n_k, d, seed=d + 1)
    return Case(query, key, _normal(n_k, d_v, seed=d + 2), torch.tensor(order))


repair = Exercise(
    CHAPTER,
    "repair",
    difficulty=2,
    minutes=10,
    right_answers=[
        my_repair,
        _repair_by_hand,
        _repair_key,
        _repair_by_place,
        _repair_weights,
        _repair_numpy,
    ],
    cases=[
        # As many numbers in a value as keys: rows and columns can be mixed up.
        _repair_case(3, 8, 5, [2, 0, 4, 1, 3]),
        _repair_case(1, 5, 2, [1, 2, 0]),
        _repair_case(6, 4, 4, [3, 6, 0, 5, 1, 2, 4]),
        _repair_case(2, 3, 5, [0, 1]),
    ],
    mistakes={
        "not_repaired": [
            lambda query, key, value, order: scaled_dot_product_attention(query, key, value)[0],
            lambda query, key, value, order: scaled_dot_product_attention(
                query, key[order], value[order]
            )[0],
        ],
        "other_way": [
            lambda query, key, value, order: scaled_dot_product_attention(
                query, key, value[order.argsort()]
            )[0],
            lambda query, key, value, order: scaled_dot_product_attention(query, key[order], value)[
                0
            ],
        ],
        "both_repaired": lambda query, key, value, order: scaled_dot_product_attention(
            query, key[order.argsort()], value[order]
        )[0],
        "not_divided": lambda query, key, value, order: (
            (query @ key.T).softmax(dim=-1) @ value[order]
        ),
        "numbers_moved": lambda query, key, value, order: scaled_dot_product_attention(
            query, key, value[:, order]
        )[0],
        "weights_returned": lambda query, key, value, order: scaled_dot_product_attention(
            query, key, value
        )[1],
    },
    otherwise="other_output",
    wrong_answers={
        "other_output": [
            lambda query, key, value, order: query @ key.T @ value[order],
            lambda query, key, value, order: value[order].mean(0).expand(len(query), -1),
        ],
        "shape": [lambda query, key, value, order: value[order]],
    },
)
