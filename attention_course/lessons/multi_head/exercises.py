"""The exercises of lesson 3-3 (splitting into heads, the whole layer) and of its lab."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...attention import MultiHeadAttention, scaled_dot_product_attention
from ...exercises import Case, Exercise

CHAPTER = "multi_head"


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def my_split(x, num_heads):
    return x.reshape(len(x), num_heads, -1).transpose(0, 1)


def _split_unflatten(x, num_heads):
    return x.unflatten(-1, (num_heads, -1)).transpose(0, 1)


def _split_reshape(x, num_heads):
    n, d_model = x.shape
    return x.reshape(n, num_heads, d_model // num_heads).permute(1, 0, 2)


def _split_chunks(x, num_heads):
    return torch.stack(x.chunk(num_heads, dim=-1))


def _split_columns(x, num_heads):
    d_head = x.shape[1] // num_heads
    return [x[:, h * d_head : (h + 1) * d_head].tolist() for h in range(num_heads)]


def _split_numpy(x, num_heads):
    return np.stack(np.split(np.asarray(x), num_heads, axis=1))


def _viewed(x: Tensor, num_heads: int) -> Tensor:
    """The mistake of cutting the numbers in reading order, rows of different words together."""
    return x.reshape(num_heads, len(x), -1)


def _every_other(x: Tensor, num_heads: int) -> Tensor:
    """The mistake of dealing the columns out to the heads one by one."""
    return x.unflatten(-1, (-1, num_heads)).permute(2, 0, 1)


split = Exercise(
    CHAPTER,
    "split",
    difficulty=1,
    minutes=5,
    right_answers=[
        my_split,
        _split_unflatten,
        _split_reshape,
        _split_chunks,
        _split_columns,
        _split_numpy,
    ],
    cases=[
        Case(_normal(5, 4, seed=0), 2),
        Case(_normal(3, 12, seed=1), 4),
        Case(_normal(7, 6, seed=2), 3),
        Case(_normal(4, 5, seed=3), 1),
    ],
    mistakes={
        "viewed": _viewed,
        "every_other": _every_other,
        "not_turned": lambda x, num_heads: x.unflatten(-1, (num_heads, -1)),
        "head_of_size": lambda x, num_heads: x.unflatten(-1, (-1, num_heads)).transpose(0, 1),
        "two_heads": lambda x, num_heads: _split_unflatten(x, 2),
    },
    otherwise="other_numbers",
    wrong_answers={
        "other_numbers": [
            lambda x, num_heads: _split_unflatten(x, num_heads).flip(0),
            lambda x, num_heads: 2 * _split_unflatten(x, num_heads),
        ],
        "shape": [lambda x, num_heads: x, lambda x, num_heads: _split_unflatten(x, num_heads)[0]],
    },
)


def my_multi_head(x, W_query, W_key, W_value, W_output, num_heads):
    n, d_model = x.shape
    query, key, value = [
        (x @ W).reshape(n, num_heads, -1).transpose(0, 1) for W in (W_query, W_key, W_value)
    ]
    weights = (query @ key.mT / query.shape[-1] ** 0.5).softmax(dim=-1)  # (num_heads, n, n)
    return (weights @ value).transpose(0, 1).reshape(n, d_model) @ W_output


def _multi_head_library_attention(x, W_query, W_key, W_value, W_output, num_heads):
    q, k, v = (_split_unflatten(x @ W, num_heads) for W in (W_query, W_key, W_value))
    heads, _ = scaled_dot_product_attention(q, k, v)
    return heads.transpose(0, 1).flatten(1) @ W_output


def _multi_head_loop(x, W_query, W_key, W_value, W_output, num_heads):
    d_head, output = x.shape[1] // num_heads, 0
    for h in range(num_heads):
        mine = slice(h * d_head, (h + 1) * d_head)
        q, k, v = x @ W_query[:, mine], x @ W_key[:, mine], x @ W_value[:, mine]
        weights = (q @ k.T / math.sqrt(d_head)).softmax(dim=-1)
        output = output + weights @ v @ W_output[mine]
    return output


def _multi_head_einsum(x, W_query, W_key, W_value, W_output, num_heads):
    def heads(W):
        return torch.einsum("nd,dhe->hne", x, W.reshape(len(W), num_heads, -1))

    q, k, v = heads(W_query), heads(W_key), heads(W_value)
    weights = torch.softmax(torch.einsum("hie,hje->hij", q, k) / q.size(-1) ** 0.5, dim=2)
    mixed = torch.einsum("hij,hje->ihe", weights, v)
    return mixed.reshape(len(x), -1) @ W_output


def _multi_head_kernel(x, W_query, W_key, W_value, W_output, num_heads):
    q, k, v = (_split_reshape(x @ W, num_heads) for W in (W_query, W_key, W_value))
    heads = F.scaled_dot_product_attention(q, k, v)
    return torch.cat(list(heads), dim=-1) @ W_output


def _multi_head_library(x, W_query, W_key, W_value, W_output, num_heads):
    layer = MultiHeadAttention(x.shape[1], num_heads, bias=False)
    for linear, W in zip(
        (layer.query, layer.key, layer.value, layer.output),
        (W_query, W_key, W_value, W_output),
        strict=True,
    ):
        linear.weight = torch.nn.Parameter(W.T)
    return layer(x[None])[0][0]


def _join(heads: Tensor) -> Tensor:
    return heads.transpose(0, 1).flatten(1)


def _weights(q: Tensor, k: Tensor) -> Tensor:
    return (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1)


def _with(
    cut: Callable[[Tensor, int], Tensor] = _split_unflatten,
    weigh: Callable[[Tensor, Tensor], Tensor] = _weights,
    join: Callable[[Tensor], Tensor] = _join,
    project: Callable[[Tensor, Tensor], Tensor] = torch.matmul,
) -> Callable[..., Tensor]:
    """A wrong answer: the layer with one of its steps done otherwise."""

    def answer(x, W_query, W_key, W_value, W_output, num_heads):
        q, k, v = (cut(x @ W, num_heads) for W in (W_query, W_key, W_value))
        return project(join(weigh(q, k) @ v), W_output)

    return answer


def _scaled(scale: Callable[[Tensor], float]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda q, k: (q @ k.mT * scale(q)).softmax(dim=-1)


def _along(axis: int) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda q, k: (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=axis)


def _layer_case(n: int, d_model: int, num_heads: int) -> Case:
    matrices = _normal(4, d_model, d_model, seed=n)
    return Case(_normal(n, d_model, seed=d_model), *matrices, num_heads)


multi_head = Exercise(
    CHAPTER,
    "multi_head",
    difficulty=2,
    minutes=12,
    right_answers=[
        my_multi_head,
        _multi_head_library_attention,
        _multi_head_loop,
        _multi_head_einsum,
        _multi_head_kernel,
        _multi_head_library,
    ],
    cases=[_layer_case(5, 6, 2), _layer_case(3, 12, 4), _layer_case(7, 6, 3), _layer_case(4, 8, 1)],
    tolerance=1e-4,
    mistakes={
        "no_output": _with(project=lambda heads, W_output: heads),
        "output_turned": _with(project=lambda heads, W_output: heads @ W_output.T),
        "joined_by_view": _with(join=lambda heads: heads.reshape(heads.shape[1], -1)),
        "viewed": [
            _with(cut=_viewed),
            _with(cut=_viewed, join=lambda heads: heads.reshape(heads.shape[1], -1)),
        ],
        "every_other": _with(cut=_every_other),
        "over_heads": _with(weigh=_along(0)),
        "over_queries": _with(weigh=_along(1)),
        "not_divided": _with(weigh=_scaled(lambda q: 1.0)),
        "not_rooted": _with(weigh=_scaled(lambda q: 1 / q.shape[-1])),
        "root_of_heads": _with(weigh=_scaled(lambda q: len(q) ** -0.5)),
        "always_two_heads": lambda x, W_query, W_key, W_value, W_output, num_heads: my_multi_head(
            x, W_query, W_key, W_value, W_output, 2
        ),
        "root_of_d_model": _with(weigh=_scaled(lambda q: (len(q) * q.shape[-1]) ** -0.5)),
        "one_head": lambda x, W_query, W_key, W_value, W_output, num_heads: my_multi_head(
            x, W_query, W_key, W_value, W_output, 1
        ),
        "averaged_weights": _with(weigh=lambda q, k: _weights(q, k).mean(dim=0, keepdim=True)),
        "between_heads": _with(
            cut=lambda x, num_heads: x.unflatten(-1, (num_heads, -1)),
            join=lambda heads: heads.flatten(1),
        ),
    },
    otherwise="other_output",
    wrong_answers={
        "other_output": [
            lambda x, W_query, W_key, W_value, W_output, num_heads: my_multi_head(
                x, W_key, W_query, W_value, W_output, num_heads
            ),
            lambda x, W_query, W_key, W_value, W_output, num_heads: x @ W_value @ W_output,
        ],
        "shape": [
            lambda x, W_query, W_key, W_value, W_output, num_heads: _split_unflatten(
                x @ W_value, num_heads
            )
        ],
    },
)


def my_order(accuracy, num_heads):
    left, order = list(range(num_heads)), []
    while left:
        without = [accuracy([h for h in left if h != head]) for head in left]
        least = left[without.index(max(without))]
        left.remove(least)
        order.append(least)
    return order


def _order_recursive(accuracy, num_heads):
    def rest(left):
        if not left:
            return []
        least = max(left, key=lambda head: accuracy(sorted(left - {head})))
        return [least, *rest(left - {least})]

    return rest(set(range(num_heads)))


def _order_numpy(accuracy, num_heads):
    left, order = np.arange(num_heads), []
    for _ in range(num_heads):
        shares = [accuracy(np.delete(left, i).tolist()) for i in range(len(left))]
        order.append(left[int(np.argmax(shares))])
        left = np.delete(left, int(np.argmax(shares)))
    return np.array(order)


def _order_by_loss(accuracy, num_heads):
    gone = []
    while len(gone) < num_heads:
        left = [h for h in range(num_heads) if h not in gone]
        whole, losses = accuracy(left), {}
        for head in left:
            losses[head] = whole - accuracy([h for h in left if h != head])
        gone += sorted(losses, key=losses.get)[:1]
    return torch.tensor(gone)


def _order_once(accuracy, num_heads):
    """The mistake of ranking the heads once, while all the others are there."""
    numbers = range(num_heads)
    without = [accuracy([h for h in numbers if h != head]) for head in numbers]
    return sorted(numbers, key=lambda head: -without[head])


def _order_alone(accuracy, num_heads):
    """The mistake of asking what each head can do by itself."""
    return sorted(range(num_heads), key=lambda head: accuracy([head]))


def _order_worst_first(accuracy, num_heads):
    return my_order(lambda left: -accuracy(left), num_heads)


def _order_built_up(accuracy, num_heads):
    """The mistake of starting with no head and adding the best one each time."""
    there, left = [], list(range(num_heads))
    while left:
        best = max(left, key=lambda head: accuracy([*there, head]))
        left.remove(best)
        there.append(best)
    return there[::-1]


def _one_kept(accuracy, num_heads):
    return my_order(accuracy, num_heads)[:-1]


def _of_jobs(*jobs: tuple[float, set[int]]) -> Callable[[Any], float]:
    """Accuracy of heads of which some stand in for each other.

    Args:
        jobs: the share of answers that a job is good for, and the heads any one of which does it.
    """

    def accuracy(left):
        left = {int(head) for head in left}
        return sum(share for share, heads in jobs if heads & left)

    return accuracy


order = Exercise(
    CHAPTER,
    "order",
    difficulty=3,
    minutes=12,
    right_answers=[my_order, _order_recursive, _order_numpy, _order_by_loss],
    cases=[
        # Heads 0 and 2 do the largest job: either may go, not both.
        Case(_of_jobs((0.5, {0, 2}), (0.02, {0}), (0.01, {2}), (0.3, {1}), (0.17, {3})), 4),
        Case(_of_jobs((0.5, {0}), (0.2, {1}), (0.3, {2})), 3),
        Case(
            _of_jobs(
                (0.4, {1, 3}), (0.3, {0, 4}), (0.2, {2}), (0.01, {1}), (0.02, {3}), (0.05, {4})
            ),
            5,
        ),
        # Head 0 does most by itself, but little that 1 and 2 do not do together.
        Case(
            _of_jobs(
                (0.3, {0, 1}), (0.3, {0, 2}), (0.12, {1}), (0.1, {2}), (0.05, {0}), (0.13, {3})
            ),
            4,
        ),
    ],
    mistakes={
        "not_again": _order_once,
        "alone": _order_alone,
        "worst_first": _order_worst_first,
        "turned_round": lambda accuracy, num_heads: my_order(accuracy, num_heads)[::-1],
        "built_up": _order_built_up,
        "one_kept": _one_kept,
        "shares": lambda accuracy, num_heads: [
            accuracy([h for h in range(num_heads) if h != head]) for head in range(num_heads)
        ],
    },
    otherwise="other_order",
    wrong_answers={
        "other_order": [
            lambda accuracy, num_heads: list(range(num_heads)),
            lambda accuracy, num_heads: [0] * num_heads,
        ],
        "shape": [lambda accuracy, num_heads: [my_order(accuracy, num_heads)] * 2],
    },
)


def my_two(output, values, share):
    pairs, misses = [], []
    for left in range(len(values)):
        for right in range(len(values)):
            mixed = share * values[left] + (1 - share) * values[right]  # (d,)
            pairs.append([left, right])
            misses.append(((mixed - output) ** 2).sum())
    return pairs[misses.index(min(misses))]


def _two_at_once(output, values, share):
    mixed = share * values[:, None] + (1 - share) * values  # (animals, animals, d)
    place = int((mixed - output).norm(dim=-1).argmin())
    return [place // len(values), place % len(values)]


def _two_loop(output, values, share):
    best, nearest = None, math.inf
    for left in range(len(values)):
        for right in range(len(values)):
            mixed = share * values[left] + (1 - share) * values[right]
            off = float(((mixed - output) ** 2).sum())
            if off < nearest:
                best, nearest = (left, right), off
    return best


def _two_solved(output, values, share):
    """The right one follows from the left one: is it there?"""
    rest = (output - share * values) / (1 - share)  # (animals, d)
    distance = torch.cdist(rest, values)
    left = distance.amin(dim=1).argmin()
    return torch.stack([left, distance[left].argmin()])


def _two_numpy(output, values, share):
    values, output = np.asarray(values), np.asarray(output)
    mixed = share * values[:, None] + (1 - share) * values[None]
    distance = ((mixed - output) ** 2).sum(axis=-1)
    return np.array(np.unravel_index(distance.argmin(), distance.shape))


def _two_nearest(output: Tensor, values: Tensor, share: float) -> Tensor:
    """The mistake of naming the two animals that are nearest to the average."""
    return (values - output).norm(dim=-1).argsort()[:2]


def _two_most_alike(output: Tensor, values: Tensor, share: float) -> Tensor:
    """The mistake of naming those with the largest dot products."""
    return (values @ output).argsort(descending=True)[:2]


def _two_one_by_one(output: Tensor, values: Tensor, share: float) -> list[Tensor]:
    """The mistake of settling the left one before the right one is looked at."""
    left = (share * values - output).norm(dim=-1).argmin()
    rest = (output - share * values[left]) / (1 - share)
    return [left, (values - rest).norm(dim=-1).argmin()]


def _two_no_rest(output: Tensor, values: Tensor, share: float) -> list[int]:
    """The mistake of giving the right one no share."""
    place = int((share * values[:, None] + values - output).norm(dim=-1).argmin())
    return [place // len(values), place % len(values)]


def _average_case(animals: int, d: int, left: int, right: int, share: float, seed: int) -> Case:
    values = _normal(animals, d, seed=seed)
    return Case(share * values[left] + (1 - share) * values[right], values, share)


two = Exercise(
    CHAPTER,
    "two",
    difficulty=3,
    minutes=12,
    right_answers=[my_two, _two_at_once, _two_loop, _two_solved, _two_numpy],
    cases=[
        _average_case(5, 3, left=1, right=3, share=0.65, seed=107),
        _average_case(6, 3, left=5, right=0, share=0.6, seed=61),
        _average_case(9, 4, left=7, right=3, share=0.4, seed=38),
        _average_case(16, 8, left=9, right=4, share=0.2, seed=68),
    ],
    mistakes={
        "turned_round": lambda output, values, share: my_two(output, values, 1 - share),
        "half_each": lambda output, values, share: my_two(output, values, 0.5),
        "nearest": _two_nearest,
        "most_alike": _two_most_alike,
        "one_by_one": _two_one_by_one,
        "no_rest": _two_no_rest,
        "vectors": lambda output, values, share: values[my_two(output, values, share)],
        "one_only": lambda output, values, share: my_two(output, values, share)[0],
    },
    otherwise="other_animals",
    wrong_answers={
        "other_animals": [
            lambda output, values, share: [0, 1],
            lambda output, values, share: [len(values) - 1] * 2,
        ],
        "shape": [lambda output, values, share: [my_two(output, values, share)] * 3],
    },
)
