"""The exercises of lesson 4-1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ...exercises import Case, Exercise

LESSON = "self_attention_layer"

Matrix = tuple[tuple[float, ...], ...]


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# --- 1: a layer of the decoder --------------------------------------------------------------------


@dataclass(frozen=True)
class Norm:
    """Stands for a LayerNorm with a gain and a shift of its own."""

    gain: float

    def __call__(self, x: Tensor) -> Tensor:
        centred = x - x.mean(dim=-1, keepdim=True)
        return self.gain * centred / centred.std(dim=-1, keepdim=True, correction=0) + 1 / self.gain


@dataclass(frozen=True)
class Look:
    """Stands for an attention from ``asking`` to ``seen``, which is ``asking`` if not given."""

    matrix: Matrix

    def __call__(self, asking: Tensor, seen: Tensor | None = None) -> Tensor:
        seen = asking if seen is None else seen
        return (asking @ asking.new_tensor(self.matrix) @ seen.T).softmax(dim=-1) @ (seen + 1)


@dataclass(frozen=True)
class Think:
    """Stands for a feed-forward."""

    matrix: Matrix

    def __call__(self, x: Tensor) -> Tensor:
        return (x @ x.new_tensor(self.matrix)).relu() + 0.5


def _square(width: int, seed: int) -> Matrix:
    return tuple(map(tuple, _normal(width, width, seed=seed).tolist()))


def _decoder_case(n_target: int, n_source: int, width: int, seed: int) -> Case:
    return Case(
        _normal(n_target, width, seed=seed) + 1,
        2 * _normal(n_source, width, seed=seed + 1) - 1,
        Look(_square(width, seed + 2)),
        Look(_square(width, seed + 3)),
        Think(_square(width, seed + 4)),
        [Norm(0.5), Norm(1.5), Norm(3.0)],
    )


def my_decoder_layer(x, states, look_back, look_across, think, norms):
    x = x + look_back(norms[0](x))
    x = x + look_across(norms[1](x), states)
    return x + think(norms[2](x))


def _decoder_named(x, states, look_back, look_across, think, norms):
    first, second, third = norms
    back = x + look_back(first(x))
    across = back + look_across(second(back), states)
    return across + think(third(across))


def _decoder_loop(x, states, look_back, look_across, think, norms):
    parts = [look_back, lambda y: look_across(y, states), think]
    for part, norm in zip(parts, norms, strict=True):
        x = x + part(norm(x))
    return x


def _decoder_in_place(x, states, look_back, look_across, think, norms):
    total = x.clone()
    total += look_back(norms[0](total))
    total += look_across(norms[1](total), states)
    total += think(norms[2](total))
    return total


def _decoder_numpy(x, states, look_back, look_across, think, norms):
    parts = (look_back, lambda y: look_across(y, states), think)
    result = x.numpy()
    for i in range(3):
        result = result + parts[i](norms[i](torch.tensor(result))).numpy()
    return result


def _layer(
    *,
    back: Callable = lambda x, part, norm: x + part(norm(x)),
    across: Callable = lambda x, part, norm, states: x + part(norm(x), states),
    after: Callable = lambda x, part, norm: x + part(norm(x)),
    order: tuple[int, int, int] = (0, 1, 2),
) -> Callable[..., Tensor]:
    """A wrong answer: the layer with one of its three parts done otherwise."""

    def answer(x, states, look_back, look_across, think, norms):
        first, second, third = (norms[i] for i in order)
        x = back(x, look_back, first)
        x = across(x, look_across, second, states)
        return after(x, think, third)

    return answer


def _across_first(x, states, look_back, look_across, think, norms):
    x = x + look_across(norms[0](x), states)
    x = x + look_back(norms[1](x))
    return x + think(norms[2](x))


def _side_by_side(x, states, look_back, look_across, think, norms):
    seen = look_back(norms[0](x)) + look_across(norms[1](x), states)
    return x + seen + think(norms[2](x))


def _thinks_beside(x, states, look_back, look_across, think, norms):
    looked = my_decoder_layer(x, states, look_back, look_across, torch.zeros_like, norms)
    return looked + think(norms[2](x))


def _normed_once(x, states, look_back, look_across, think, norms):
    normed = norms[0](x)
    x = x + look_back(normed)
    x = x + look_across(normed, states)
    return x + think(normed)


def _carries_normed(x, states, look_back, look_across, think, norms):
    return my_decoder_layer(norms[0](x), states, look_back, look_across, think, norms)


def _old_x(x, states, look_back, look_across, think, norms):
    back = x + look_back(norms[0](x))
    across = x + look_across(norms[1](back), states)
    return x + think(norms[2](across))


def _only_x_at_the_end(x, states, look_back, look_across, think, norms):
    seen = look_across(norms[1](look_back(norms[0](x))), states)
    return x + think(norms[2](seen))


decoder_layer = Exercise(
    LESSON,
    "decoder_layer",
    difficulty=2,
    minutes=10,
    right_answers=[
        my_decoder_layer,
        _decoder_named,
        _decoder_loop,
        _decoder_in_place,
        _decoder_numpy,
    ],
    cases=[
        _decoder_case(2, 3, 4, seed=0),
        _decoder_case(4, 2, 6, seed=10),
        _decoder_case(5, 7, 3, seed=20),
    ],
    mistakes={
        "post_norm": _layer(
            back=lambda x, part, norm: norm(x + part(x)),
            across=lambda x, part, norm, states: norm(x + part(x, states)),
            after=lambda x, part, norm: norm(x + part(x)),
        ),
        "no_residual": [
            _layer(
                back=lambda x, part, norm: part(norm(x)),
                across=lambda x, part, norm, states: part(norm(x), states),
                after=lambda x, part, norm: part(norm(x)),
            ),
            _layer(back=lambda x, part, norm: part(norm(x))),
            _layer(across=lambda x, part, norm, states: part(norm(x), states)),
            _layer(after=lambda x, part, norm: part(norm(x))),
        ],
        "added_to_normed": _layer(
            back=lambda x, part, norm: norm(x) + part(norm(x)),
            across=lambda x, part, norm, states: norm(x) + part(norm(x), states),
            after=lambda x, part, norm: norm(x) + part(norm(x)),
        ),
        "no_norm": [
            _layer(
                back=lambda x, part, norm: x + part(x),
                across=lambda x, part, norm, states: x + part(x, states),
                after=lambda x, part, norm: x + part(x),
            ),
            _layer(back=lambda x, part, norm: x + part(x)),
            _layer(across=lambda x, part, norm, states: x + part(x, states)),
            _layer(after=lambda x, part, norm: x + part(x)),
        ],
        "normed_afterwards": _layer(
            back=lambda x, part, norm: x + norm(part(x)),
            across=lambda x, part, norm, states: x + norm(part(x, states)),
            after=lambda x, part, norm: x + norm(part(x)),
        ),
        "normed_once": _normed_once,
        "normed_last": lambda x, states, look_back, look_across, think, norms: norms[2](
            my_decoder_layer(x, states, look_back, look_across, think, norms)
        ),
        "old_x": [_old_x, _only_x_at_the_end],
        "one_norm": [_layer(order=(i, i, i)) for i in range(3)],
        "norms_mixed_up": [_layer(order=order) for order in ((2, 1, 0), (1, 0, 2), (0, 2, 1))],
        "states_normed": _layer(
            across=lambda x, part, norm, states: x + part(norm(x), norm(states))
        ),
        "only_states_normed": _layer(
            across=lambda x, part, norm, states: x + part(x, norm(states))
        ),
        "states_ask": _layer(across=lambda x, part, norm, states: part(states, norm(x))),
        "own_words": [
            _layer(across=lambda x, part, norm, states: x + part(norm(x))),
            _layer(across=lambda x, part, norm, states: x + part(norm(x), x)),
        ],
        "back_at_states": lambda x, states, look_back, look_across, think, norms: my_decoder_layer(
            x, states, lambda y: look_back(y, states), look_across, think, norms
        ),
        "across_first": _across_first,
        "side_by_side": [_side_by_side, _thinks_beside],
        "no_back": _layer(back=lambda x, part, norm: x),
        "no_across": _layer(across=lambda x, part, norm, states: x),
        "no_think": _layer(after=lambda x, part, norm: x),
    },
    otherwise="other_layer",
    wrong_answers={
        "states_ask": [
            lambda x, states, look_back, look_across, think, norms: look_across(
                states, norms[1](x + look_back(norms[0](x)))
            ),
        ],
        "other_layer": [
            lambda x, states, look_back, look_across, think, norms: x,
            _carries_normed,
            lambda x, states, look_back, look_across, think, norms: (
                -my_decoder_layer(x, states, look_back, look_across, think, norms)
            ),
        ],
    },
)


# --- 2: how many parameters -----------------------------------------------------------------------


def layer_parameters(d_model, num_heads, d_ff):
    attention = 4 * (d_model * d_model + d_model)
    feed_forward = (d_model * d_ff + d_ff) + (d_ff * d_model + d_model)
    norms = 2 * (2 * d_model)
    return attention + feed_forward + norms


def _parameters_formula(d_model, num_heads, d_ff):
    return 4 * d_model**2 + 9 * d_model + 2 * d_model * d_ff + d_ff


def _parameters_heads(d_model, num_heads, d_ff):
    d_head = d_model // num_heads
    total = d_model * d_model + d_model
    for _ in range(num_heads):
        total += 3 * (d_model * d_head + d_head)
    total += sum(n * m + m for n, m in [(d_model, d_ff), (d_ff, d_model)])
    return total + 4 * d_model


def _parameters_shapes(d_model, num_heads, d_ff):
    shapes = [(d_model, d_model), (d_model,)] * 4 + [(d_model,)] * 4
    shapes += [(d_ff, d_model), (d_ff,), (d_model, d_ff), (d_model,)]
    return np.sum([np.prod(shape) for shape in shapes])


def _parameters_counted(d_model, num_heads, d_ff):
    layer = nn.TransformerEncoderLayer(d_model, num_heads, d_ff)
    return sum(parameter.numel() for parameter in layer.parameters())


def _counted(
    *,
    matrices: int = 4,
    biases: int = 4,
    inner: int = 1,
    outer: int = 1,
    ff_biases: int = 1,
    norms: int = 4,
) -> Callable[[int, int, int], int]:
    """A wrong answer: so many of each kind."""
    return lambda d_model, num_heads, d_ff: (
        matrices * d_model**2
        + biases * d_model
        + (inner + outer) * d_model * d_ff
        + ff_biases * (d_ff + d_model)
        + norms * d_model
    )


count = Exercise(
    LESSON,
    "count",
    difficulty=2,
    minutes=10,
    right_answers=[
        layer_parameters,
        _parameters_formula,
        _parameters_heads,
        _parameters_shapes,
        _parameters_counted,
    ],
    cases=[Case(6, 3, 10), Case(12, 3, 7), Case(5, 1, 20), Case(32, 8, 50), Case(64, 4, 256)],
    mistakes={
        "no_vectors": _counted(biases=0, ff_biases=0, norms=0),
        "no_biases": [_counted(biases=0, ff_biases=0), _counted(biases=0, ff_biases=0, norms=2)],
        "four_short": [_counted(biases=0), _counted(norms=0)],
        "two_short": [_counted(norms=2), _counted(biases=2)],
        "one_short": _counted(biases=3),
        "ff_biases": _counted(ff_biases=0),
        "inner_bias": lambda d_model, num_heads, d_ff: (
            layer_parameters(d_model, num_heads, d_ff) - d_ff
        ),
        "three_matrices": [_counted(matrices=3, biases=3), _counted(matrices=3)],
        "heads_whole": [
            lambda d_model, num_heads, d_ff: (
                layer_parameters(d_model, num_heads, d_ff)
                + (num_heads - 1) * 4 * (d_model**2 + d_model)
            ),
            lambda d_model, num_heads, d_ff: (
                layer_parameters(d_model, num_heads, d_ff)
                + (num_heads - 1) * 3 * (d_model**2 + d_model)
            ),
        ],
        "one_head": lambda d_model, num_heads, d_ff: (
            _counted(matrices=1, biases=1)(d_model, num_heads, d_ff)
            + 3 * (d_model * (d_model // num_heads) + d_model // num_heads)
        ),
        "four_times": lambda d_model, num_heads, d_ff: layer_parameters(
            d_model, num_heads, 4 * d_model
        ),
        "same_bias": lambda d_model, num_heads, d_ff: (
            layer_parameters(d_model, num_heads, d_ff) + d_ff - d_model
        ),
        "norm_numbers": [
            lambda d_model, num_heads, d_ff: _counted(norms=0)(d_model, num_heads, d_ff) + 4,
            lambda d_model, num_heads, d_ff: _counted(norms=0)(d_model, num_heads, d_ff) + 2,
        ],
        "norm_of_hidden": lambda d_model, num_heads, d_ff: (
            layer_parameters(d_model, num_heads, d_ff) + 2 * (d_ff - d_model)
        ),
        "one_ff_matrix": [_counted(outer=0), _counted(inner=0)],
        "no_attention": _counted(matrices=0, biases=0),
        "no_feed_forward": _counted(inner=0, outer=0, ff_biases=0),
        "decoder": [_counted(matrices=8, biases=8, norms=6), _counted(matrices=8, biases=8)],
    },
    otherwise="other_count",
    wrong_answers={
        "other_count": [
            lambda d_model, num_heads, d_ff: d_model * d_ff,
            lambda d_model, num_heads, d_ff: 2 * layer_parameters(d_model, num_heads, d_ff),
        ],
    },
)
