"""The exercises of lesson 3-3: splitting into heads, the whole layer."""

from __future__ import annotations

import math
from collections.abc import Callable

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
    cases=[_layer_case(5, 4, 2), _layer_case(3, 12, 4), _layer_case(7, 6, 3), _layer_case(4, 8, 1)],
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
