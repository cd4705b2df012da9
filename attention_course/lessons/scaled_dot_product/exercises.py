"""The exercises of notebook 2-2: scaled scores, a mask, packed documents, the right factor."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...attention import scaled_dot_product_attention
from ...exercises import Exercise, Wrong, as_array, call, same

CHAPTER = "scaled_dot_product"


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _verify_scores(answer: Callable[..., Any]) -> None:
    for d in (8, 5):  # 8 first: who wrote √8 into the code is right there, and nowhere else
        query, key = _normal(3, d, seed=d), _normal(4, d, seed=d + 100)
        result = call(answer, query.clone(), key.clone())
        if np.shape(result) == (4, 3):
            raise Wrong("transposed")
        scores = as_array(result, (3, 4))
        products = (query @ key.T).numpy()
        if same(scores, products / math.sqrt(d)):
            continue
        if d != 8 and same(scores, products / math.sqrt(8)):
            raise Wrong("hard_coded", d=d)
        for mistake, factor in {
            "not_divided": 1.0,
            "divided_by_d": 1 / d,
            "multiplied": math.sqrt(d),
            "counts_words": 1 / math.sqrt(4),
        }.items():
            if same(scores, products * factor):
                raise Wrong(mistake)
        if same(scores.sum(axis=-1), np.ones(3)):
            raise Wrong("weights_already")
        raise Wrong("other_scores")


def _scores_matrices(query, key):
    d = query.shape[-1]
    return query @ key.T / math.sqrt(d)


def _scores_scale_first(query, key):
    return (query * query.size(-1) ** -0.5) @ key.transpose(-2, -1)


def _scores_einsum(query, key):
    return torch.einsum("id,jd->ij", query, key) / torch.tensor(query.shape[1]).sqrt()


def _scores_loop(query, key):
    return [[float(q @ k) / len(q) ** 0.5 for k in key] for q in query]


def _scores_numpy(query, key):
    return np.asarray(query) @ np.asarray(key).T / np.sqrt(query.shape[1])


scores = Exercise(
    CHAPTER,
    "scores",
    difficulty=1,
    minutes=5,
    verify=_verify_scores,
    right_answers=[
        _scores_matrices,
        _scores_scale_first,
        _scores_einsum,
        _scores_loop,
        _scores_numpy,
    ],
    wrong_answers={
        "transposed": [lambda query, key: key @ query.T / math.sqrt(query.shape[-1])],
        "hard_coded": [lambda query, key: query @ key.T / math.sqrt(8)],
        "not_divided": [lambda query, key: query @ key.T],
        "divided_by_d": [lambda query, key: query @ key.T / query.shape[-1]],
        "multiplied": [lambda query, key: query @ key.T * math.sqrt(query.shape[-1])],
        "counts_words": [lambda query, key: query @ key.T / math.sqrt(len(key))],
        "weights_already": [
            lambda query, key: (query @ key.T / math.sqrt(query.shape[-1])).softmax(-1)
        ],
        "other_scores": [
            lambda query, key: query @ key.T - math.sqrt(query.shape[-1]),
            lambda query, key: query @ key.T / math.sqrt(len(query)),
        ],
        "shape": [lambda query, key: query[0] @ key.T, lambda query, key: query],
    },
)


_MAY_ATTEND = torch.tensor(
    [[True, False, True, True], [True, True, False, False], [False, True, True, True]]
)


def _masked(query: Tensor, key: Tensor, value: Tensor, may_attend: Tensor) -> np.ndarray:
    return scaled_dot_product_attention(query, key, value, may_attend)[0].numpy()


def _verify_masked(answer: Callable[..., Any]) -> None:
    for d in (8, 5):
        arguments = _normal(3, d, seed=d), _normal(4, d, seed=d + 100), _normal(4, 6, seed=d + 200)
        result = call(answer, *(argument.clone() for argument in arguments), _MAY_ATTEND.clone())
        if np.shape(result) == (3, 4):
            raise Wrong("weights_returned")
        output = as_array(result, (3, 6))
        if not same(output, _masked(*arguments, _MAY_ATTEND)):
            _name_the_mistake(output, d, *arguments)
    nobody = _MAY_ATTEND.clone()
    nobody[1] = False
    output = as_array(call(answer, *(a.clone() for a in arguments), nobody.clone()), (3, 6))
    if not same(output, _masked(*arguments, nobody)):
        if np.isnan(output).any():
            raise Wrong("nothing_gives_nan")
        if same(output[1], arguments[2].mean(0)):
            raise Wrong("nothing_gives_average")
        raise Wrong("nothing_gives_something")


def _name_the_mistake(output: np.ndarray, d: int, query: Tensor, key: Tensor, value: Tensor):
    may = _MAY_ATTEND
    products = query @ key.T
    scaled = products / math.sqrt(d)

    def softmax_where(allowed: Tensor, scores: Tensor = scaled, dim: int = -1) -> Tensor:
        return scores.masked_fill(~allowed, -math.inf).softmax(dim)

    mistakes = [
        ("mask_ignored", scaled.softmax(-1)),
        ("mask_ignored", products.softmax(-1)),
        ("inverted", softmax_where(~may)),
        ("not_shared_out", scaled.softmax(-1) * may),
        ("score_zero", (scaled * may).softmax(-1)),
        ("wrong_axis", softmax_where(may, dim=0)),
        ("wrong_axis", scaled.softmax(0)),
        ("wrong_axis", scaled.softmax(0) * may),
        ("not_divided", softmax_where(may, products)),
        ("divided_by_d", softmax_where(may, products / d)),
    ]
    if d != 8:
        mistakes.append(("hard_coded", softmax_where(may, products / math.sqrt(8))))
    for mistake, weights in mistakes:
        if same(output, weights @ value):
            raise Wrong(mistake)
    if np.isnan(output).any():
        raise Wrong("nan")
    raise Wrong("other_output")


def _masked_fill(query, key, value, may_attend):
    scores = query @ key.T / math.sqrt(query.shape[-1])
    weights = scores.masked_fill(~may_attend, -math.inf).softmax(dim=-1)
    weights = weights.masked_fill(~may_attend, 0.0)  # a row without any key: NaN becomes 0
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


masked_attention = Exercise(
    CHAPTER,
    "masked_attention",
    difficulty=2,
    minutes=15,
    verify=_verify_masked,
    right_answers=[
        _masked_fill,
        _masked_exponentials,
        _masked_nan_to_num,
        _masked_afterwards,
        _masked_loop,
        _masked_library,
    ],
    wrong_answers={
        "mask_ignored": [
            _with_scores(lambda scores, may: scores.softmax(-1)),
            lambda query, key, value, may_attend: (query @ key.T).softmax(-1) @ value,
        ],
        "inverted": [
            _with_scores(lambda scores, may: scores.masked_fill(may, -math.inf).softmax(-1))
        ],
        "not_shared_out": [_with_scores(lambda scores, may: scores.softmax(-1) * may)],
        "score_zero": [
            _with_scores(lambda scores, may: (scores * may).softmax(-1)),
            _with_scores(lambda scores, may: scores.masked_fill(~may, 0).softmax(-1)),
        ],
        "wrong_axis": [
            _with_scores(lambda scores, may: scores.masked_fill(~may, -math.inf).softmax(0)),
            _with_scores(lambda scores, may: scores.softmax(0)),
            _with_scores(lambda scores, may: scores.softmax(0) * may),
        ],
        "not_divided": [_with_factor(lambda d: 1.0)],
        "divided_by_d": [_with_factor(lambda d: 1 / d)],
        "hard_coded": [_with_factor(lambda d: 8**-0.5)],
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
        "weights_returned": [
            lambda query, key, value, may_attend: (query @ key.T).masked_fill(~may_attend, 0)
        ],
        "other_output": [
            _with_scores(lambda scores, may: may / may.sum(-1, keepdim=True)),
            _with_factor(math.sqrt),
        ],
        "shape": [lambda query, key, value, may_attend: query],
    },
)


def _verify_packed(answer: Callable[..., Any]) -> None:
    for documents in ([2, 0, 0, 0, 1, 1], [7, 3, 3, 3]):
        document = torch.tensor(documents)
        n = len(documents)
        result = call(answer, document.clone())
        mask = as_array(result, (n, n)) != 0
        same_document = np.equal.outer(documents, documents)
        before = np.tri(n, dtype=bool)
        if np.array_equal(mask, same_document & before):
            # torch.tensor turns a list of lists of True and False into booleans.
            if torch.as_tensor(result).dtype != torch.bool:
                raise Wrong("not_boolean")
            continue
        for mistake, other in {
            "documents_mixed": before,
            "future_seen": same_document,
            "turned": same_document & before.T,
            "not_itself": same_document & np.tri(n, k=-1, dtype=bool),
            "inverted": ~(same_document & before),
            "either": same_document | before,
            "numbers_in_order": before & (np.greater_equal.outer(documents, documents)),
        }.items():
            if np.array_equal(mask, other):
                raise Wrong(mistake)
        row, column = np.argwhere(mask != (same_document & before))[0]
        raise Wrong("other_mask", row=row, column=column)


def _packed_broadcast(document):
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


packed_mask = Exercise(
    CHAPTER,
    "packed_mask",
    difficulty=2,
    minutes=10,
    verify=_verify_packed,
    right_answers=[
        _packed_broadcast,
        _packed_positions,
        _packed_tril,
        _packed_loop,
        _packed_numpy,
    ],
    wrong_answers={
        "documents_mixed": [lambda document: torch.ones(len(document), len(document)).tril() > 0],
        "future_seen": [lambda document: document[:, None] == document],
        "turned": [lambda document: (document[:, None] == document).triu()],
        "not_itself": [lambda document: (document[:, None] == document).tril(-1)],
        "inverted": [lambda document: ~_packed_tril(document)],
        "not_boolean": [
            lambda document: _packed_tril(document).float(),
            lambda document: _packed_tril(document).int(),
        ],
        "either": [
            lambda document: (
                (document[:, None] == document)
                | torch.ones(len(document), len(document), dtype=torch.bool).tril()
            )
        ],
        "numbers_in_order": [lambda document: (document[:, None] >= document).tril()],
        "other_mask": [lambda document: (document[:, None] == document).tril(1)],
        "shape": [lambda document: document, lambda document: document == document[0]],
    },
)


# Within this share of the right factor an answer counts, so that one found by drawing may pass.
_NEAR = 0.03


def _verify_scale(answer: Callable[..., Any]) -> None:
    for d, spread_query, spread_key in ((64, 1.0, 1.0), (100, 3.0, 0.5), (48, 0.25, 2.0)):
        factor = float(as_array(call(answer, d, spread_query, spread_key), ()))
        both = spread_query * spread_key
        if math.isclose(factor, 1 / (both * math.sqrt(d)), rel_tol=_NEAR):
            continue
        for mistake, other in {
            "not_divided": 1.0,
            "divided_by_d": 1 / (both * d),
            "upside_down": both * math.sqrt(d),
            "spreads_ignored": 1 / math.sqrt(d),
            "spreads_squared": 1 / (both**2 * math.sqrt(d)),
            "spreads_rooted": 1 / math.sqrt(both * d),
            "spreads_multiplied": both / math.sqrt(d),
            "one_spread": 1 / (spread_query * math.sqrt(d)),
            "spreads_added": 1 / ((spread_query + spread_key) * math.sqrt(d)),
        }.items():
            if math.isclose(factor, other, rel_tol=_NEAR):
                raise Wrong(mistake)
        variance = (factor * both) ** 2 * d
        raise Wrong(
            "other_factor", d=d, query=spread_query, key=spread_key, variance=f"{variance:.3g}"
        )


def _scale_formula(d, spread_query, spread_key):
    return 1 / (spread_query * spread_key * math.sqrt(d))


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
    verify=_verify_scale,
    right_answers=[_scale_formula, _scale_variance, _scale_torch, _scale_by_drawing],
    wrong_answers={
        "not_divided": [lambda d, spread_query, spread_key: 1.0],
        "divided_by_d": [lambda d, spread_query, spread_key: 1 / (d * spread_query * spread_key)],
        "upside_down": [lambda d, spread_query, spread_key: d**0.5 * spread_query * spread_key],
        "spreads_ignored": [lambda d, spread_query, spread_key: d**-0.5],
        "spreads_squared": [
            lambda d, spread_query, spread_key: d**-0.5 / (spread_query * spread_key) ** 2
        ],
        "spreads_rooted": [
            lambda d, spread_query, spread_key: (d * spread_query * spread_key) ** -0.5
        ],
        "spreads_multiplied": [
            lambda d, spread_query, spread_key: d**-0.5 * spread_query * spread_key
        ],
        "one_spread": [lambda d, spread_query, spread_key: d**-0.5 / spread_query],
        "spreads_added": [
            lambda d, spread_query, spread_key: d**-0.5 / (spread_query + spread_key)
        ],
        "other_factor": [
            lambda d, spread_query, spread_key: 1 / 8,
            lambda d, spread_query, spread_key: d**-0.5 / spread_key,
        ],
        "shape": [lambda d, spread_query, spread_key: [d**-0.5, spread_query]],
    },
)
