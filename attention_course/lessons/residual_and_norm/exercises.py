"""The exercises of lesson 3-4 and its lab."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...exercises import Case, Exercise, Symptom

LESSON = "residual_and_norm"


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def my_layer_norm(x, gain, shift, eps):
    mean = x.mean(dim=-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(dim=-1, keepdim=True)
    return gain * (x - mean) / torch.sqrt(variance + eps) + shift


def _norm_torch(x, gain, shift, eps):
    return F.layer_norm(x, x.shape[-1:], gain, shift, eps)


def _norm_numpy(x, gain, shift, eps):
    x = np.asarray(x, dtype=float)
    centred = x - x.mean(axis=1)[:, None]
    scaled = centred / np.sqrt(x.var(axis=1)[:, None] + eps)
    return scaled * np.asarray(gain) + np.asarray(shift)


def _norm_rows(x, gain, shift, eps):
    rows = []
    for row in x:
        row = row - row.sum() / len(row)
        rows.append(row * (row.square().sum() / len(row) + eps).rsqrt() * gain + shift)
    return torch.stack(rows)


def _norm_var(x, gain, shift, eps):
    variance, mean = torch.var_mean(x, dim=1, correction=0, keepdim=True)
    return gain * ((x - mean) / (variance + eps) ** 0.5) + shift


def _normed(
    axis: Any = -1,
    *,
    centre: bool = True,
    correction: int = 0,
    power: float = 0.5,
    inside: bool = True,
    has_eps: bool = True,
) -> Callable[..., Tensor]:
    """A wrong answer: LayerNorm with one thing done otherwise."""

    def answer(x, gain, shift, eps):
        eps = eps if has_eps else 0.0
        mean = x.mean(dim=axis, keepdim=True)
        variance = ((x - mean) ** 2).sum(dim=axis, keepdim=True)
        count = x.numel() / variance.numel()
        variance = variance / (count - correction)
        by = (variance + eps) ** power if inside else variance**power + eps
        return gain * (x - mean if centre else x) / by + shift

    return answer


def _mean_square(x, gain, shift, eps):
    return gain * x / torch.sqrt((x**2).mean(dim=-1, keepdim=True) + eps) + shift


def _norm_case(n: int, d: int, eps: float = 1e-5, scale: float = 1.0) -> Case:
    x = scale * _normal(n, d, seed=n) + 2.0
    return Case(x, 1 + 0.5 * _normal(d, seed=d), _normal(d, seed=d + 50), eps)


layer_norm = Exercise(
    LESSON,
    "layer_norm",
    difficulty=2,
    minutes=10,
    right_answers=[my_layer_norm, _norm_torch, _norm_numpy, _norm_rows, _norm_var],
    cases=[
        _norm_case(3, 4),
        _norm_case(5, 8),
        _norm_case(4, 4, scale=20.0),
        _norm_case(2, 6, eps=0.5),
        _norm_case(1, 5, eps=0.1),
        # A row of equal numbers: only ε keeps the division from 0 / 0.
        Case(torch.full((2, 3), 8.0), torch.ones(3), torch.zeros(3), 1e-5),
    ],
    mistakes={
        "wrong_axis": _normed(0),
        "whole_table": [
            _normed((0, 1)),
            _normed((0, 1), correction=1),
            _normed((0, 1), correction=1, has_eps=False),
        ],
        "no_eps": _normed(has_eps=False),
        "eps_outside": _normed(inside=False),
        "unbiased": [
            _normed(correction=1),
            _normed(correction=1, has_eps=False),
            _normed(correction=1, inside=False),
        ],
        "own_eps": lambda x, gain, shift, eps: my_layer_norm(x, gain, shift, 1e-5),
        "variance_not_root": _normed(power=1.0),
        "summed": lambda x, gain, shift, eps: (
            gain * F.normalize(x - x.mean(dim=-1, keepdim=True), dim=-1) + shift
        ),
        "not_centred": [_normed(centre=False), _mean_square],
        "no_gain": lambda x, gain, shift, eps: my_layer_norm(x, 1.0, shift, eps),
        "no_shift": lambda x, gain, shift, eps: my_layer_norm(x, gain, 0.0, eps),
        "gain_and_shift_missing": lambda x, gain, shift, eps: my_layer_norm(x, 1.0, 0.0, eps),
        "shift_before_gain": lambda x, gain, shift, eps: (
            gain * (my_layer_norm(x, 1.0, 0.0, eps) + shift)
        ),
    },
    otherwise="other_numbers",
    wrong_answers={
        "no_eps": [lambda x, gain, shift, eps: my_layer_norm(x, gain, shift, 0.0)],
        "other_numbers": [
            lambda x, gain, shift, eps: x.softmax(-1) * gain + shift,
            lambda x, gain, shift, eps: my_layer_norm(x, shift, gain, eps),
        ],
        "shape": [lambda x, gain, shift, eps: my_layer_norm(x, gain, shift, eps)[0]],
    },
)


def pre_norm(x, f, norm):
    return x + f(norm(x))


def _pre_steps(x, f, norm):
    inside = norm(x)
    changed = f(inside)
    return torch.add(changed, x)


def _pre_numpy(x, f, norm):
    return np.asarray(f(norm(x))) + np.asarray(x)


def _pre_double(x, f, norm):
    x = x.double()
    return x + f(norm(x))


def _halved(x: Tensor) -> Tensor:
    return 0.5 * x + 1.0


def _squared(x: Tensor) -> Tensor:
    return x.square()


def _bent(x: Tensor) -> Tensor:
    return (x @ _normal(x.shape[-1], x.shape[-1], seed=7).to(x.dtype)).relu()


def _plain_norm(x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:])


def _learned_norm(x: Tensor) -> Tensor:
    """With gain 2 and shift 1: not :func:`_plain_norm`, and not the same when done twice."""
    return 2 * _plain_norm(x) + 1


residual = Exercise(
    LESSON,
    "residual",
    difficulty=1,
    minutes=5,
    right_answers=[pre_norm, _pre_steps, _pre_numpy, _pre_double],
    cases=[
        Case(2 * _normal(3, 5, seed=2) - 1, _squared, _plain_norm),
        Case(3 * _normal(2, 4, seed=1) + 1, _halved, _plain_norm),
        Case(_normal(4, 6, seed=3) + 5, _bent, _plain_norm),
        Case(_normal(3, 4, seed=4), _bent, _learned_norm),
    ],
    mistakes={
        "post_norm": lambda x, f, norm: norm(x + f(x)),
        "no_residual": lambda x, f, norm: f(norm(x)),
        "added_after_norm": [
            lambda x, f, norm: norm(x) + f(norm(x)),
            lambda x, f, norm: norm(x) + f(x),
        ],
        "normed_afterwards": [
            lambda x, f, norm: x + norm(f(x)),
            lambda x, f, norm: norm(f(x)),
        ],
        "no_norm": lambda x, f, norm: x + f(x),
        "twice": lambda x, f, norm: norm(x + f(norm(x))),
        "own_norm": lambda x, f, norm: x + f(_plain_norm(x)),
        "normed_twice": lambda x, f, norm: x + f(norm(norm(x))),
        "subtracted": lambda x, f, norm: x - f(norm(x)),
        "multiplied": lambda x, f, norm: x * f(norm(x)),
    },
    otherwise="other_join",
    wrong_answers={
        "other_join": [lambda x, f, norm: x, lambda x, f, norm: (x + f(norm(x))) / 2],
        "shape": [lambda x, f, norm: torch.cat([x, f(norm(x))])],
    },
)


def layers_until(factor, share):
    left, layers = 1.0, 0
    while left > share:
        left = left * factor
        layers += 1
    return layers


def _until_log(factor, share):
    return math.ceil(math.log(share) / math.log(factor))


def _until_first(factor, share):
    return next(layers for layers in range(10**6) if factor**layers <= share)


def _until_numpy(factor, share):
    return int(np.ceil(np.log10(share) / np.log10(factor)))


def _same_amount(factor, share):
    left, layers = 1.0, 0
    while left > share:
        left -= factor
        layers += 1
    return layers


depth = Exercise(
    LESSON,
    "depth",
    difficulty=2,
    minutes=10,
    right_answers=[layers_until, _until_log, _until_first, _until_numpy],
    cases=[
        Case(0.1, 0.5),
        Case(0.9, 0.01),
        Case(0.5, 0.1),
        Case(0.1, 3e-8),
        Case(0.07, 1e-30),
        Case(0.99, 0.5),
        Case(0.5, 0.125),
    ],
    mistakes={
        "not_whole": Symptom(lambda got, want, factor, share: got != np.round(got)),
        "rounded_down": lambda factor, share: math.floor(math.log(share) / math.log(factor)),
        "counted_from_one": lambda factor, share: layers_until(factor, share) + 1,
        "taken": lambda factor, share: layers_until(1 - factor, share),
        "stopped": lambda factor, share: 1,
        "added_up": [
            lambda factor, share: math.ceil((1 - share) / (1 - factor)),
            _same_amount,
        ],
        "divided": lambda factor, share: math.ceil(factor / share),
        "turned_round": lambda factor, share: math.ceil(math.log(factor) / math.log(share)),
        "one_too_many": lambda factor, share: math.floor(math.log(share) / math.log(factor)) + 1,
    },
    otherwise="other_depth",
    wrong_answers={
        "not_whole": [
            lambda factor, share: math.log(share) / math.log(factor),
            lambda factor, share: factor ** layers_until(factor, share),
        ],
        "stopped": [
            lambda factor, share: next(n for n in range(10**6) if factor**n <= 1 - share),
        ],
        "other_depth": [lambda factor, share: 100],
        "shape": [lambda factor, share: [factor, share]],
    },
)
