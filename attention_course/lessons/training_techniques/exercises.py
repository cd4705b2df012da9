"""The exercises of lesson 4-3."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from ...exercises import Case, Exercise, Symptom

LESSON = "training_techniques"


def _normal(*shape: int, seed: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def my_rate(step, highest, warmup_steps):
    return highest * min(1.0, step / warmup_steps)


def _rate_if(step, highest, warmup_steps):
    if step >= warmup_steps:
        return highest
    return highest / warmup_steps * step


def _rate_added(step, highest, warmup_steps):
    rate = 0.0
    for _ in range(min(step, warmup_steps)):
        rate += highest / warmup_steps
    return rate


def _rate_numpy(step, highest, warmup_steps):
    return np.interp(step, [0, warmup_steps], [0, highest])


def _rate_torch(step, highest, warmup_steps):
    return highest * torch.tensor(step / warmup_steps).clamp(max=1.0)


rate = Exercise(
    LESSON,
    "rate",
    difficulty=1,
    minutes=5,
    right_answers=[my_rate, _rate_if, _rate_added, _rate_numpy, _rate_torch],
    cases=[
        Case(4, 0.1, 11),
        Case(4, 0.1, 4),
        Case(9, 0.1, 4),
        Case(1, 0.5, 10),
        Case(3, 2.0, 1),
        Case(7, 0.003, 50),
        Case(99, 0.003, 100),
        Case(5, 0.1, 4),
    ],
    mistakes={
        "no_level": lambda step, highest, warmup_steps: highest * step / warmup_steps,
        "from_zero": [
            lambda step, highest, warmup_steps: highest * min(1.0, (step - 1) / warmup_steps),
            lambda step, highest, warmup_steps: (
                highest * min(1.0, (step - 1) / max(warmup_steps - 1, 1))
            ),
        ],
        "falls": [
            lambda step, highest, warmup_steps: (
                highest * min(step / warmup_steps, (warmup_steps / step) ** 0.5)
            ),
            lambda step, highest, warmup_steps: highest * min(step / warmup_steps, 1 / step),
        ],
        "papers": lambda step, highest, warmup_steps: (
            highest * min(step**-0.5, step * warmup_steps**-1.5)
        ),
        "jump": lambda step, highest, warmup_steps: highest if step >= warmup_steps else 0.0,
        "not_highest": [
            lambda step, highest, warmup_steps: min(1.0, step / warmup_steps),
            lambda step, highest, warmup_steps: (
                highest if step >= warmup_steps else step / warmup_steps
            ),
        ],
        "own_4000": lambda step, highest, warmup_steps: highest * min(1.0, step / 4000),
        "cold": lambda step, highest, warmup_steps: highest,
        "backwards": lambda step, highest, warmup_steps: (
            highest * max(0.0, 1 - step / warmup_steps)
        ),
        "root": lambda step, highest, warmup_steps: highest * min(1.0, step / warmup_steps) ** 0.5,
    },
    otherwise="other_rate",
    wrong_answers={
        "other_rate": [
            lambda step, highest, warmup_steps: highest * min(1.0, step / warmup_steps) ** 2,
            lambda step, highest, warmup_steps: highest * min(1.0, (step + 1) / warmup_steps),
            lambda step, highest, warmup_steps: (
                highest if step > warmup_steps + 1 else highest * step / warmup_steps
            ),
        ],
    },
)


def my_factor(gradients, max_norm):
    norm = (gradients**2).sum() ** 0.5
    return min(1.0, max_norm / norm)


def _factor_flat(gradients, max_norm):
    norm = gradients.flatten().norm()
    return (max_norm / norm).clamp(max=1.0)


def _factor_small(gradients, max_norm):
    norm = math.hypot(*(gradient.norm().item() for gradient in gradients))
    return min(1.0, max_norm / (norm + 1e-12))


def _factor_numpy(gradients, max_norm):
    norm = np.sqrt(np.square(np.asarray(gradients, dtype=float)).sum())
    return max_norm / np.maximum(norm, max_norm)


def _factor_torch(gradients, max_norm):
    parameters = [nn.Parameter(torch.zeros_like(gradient)) for gradient in gradients]
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    norm = nn.utils.clip_grad_norm_(parameters, max_norm)
    return 1.0 if norm <= max_norm else max_norm / norm


def _flat(gradients) -> Tensor:
    return gradients.flatten()


def _by(size):
    """A wrong answer: the factor by another size of all numbers."""
    return lambda gradients, max_norm: min(1.0, max_norm / max(float(size(gradients)), 1e-12))


factor = Exercise(
    LESSON,
    "factor",
    difficulty=2,
    minutes=10,
    right_answers=[my_factor, _factor_flat, _factor_small, _factor_numpy, _factor_torch],
    cases=[
        Case(torch.tensor([[2.0, 2.0], [4.0, -1.0]]), 2.0),
        Case(torch.tensor([[0.3, 0.0], [0.0, -0.4]]), 1.0),
        Case(3 * _normal(2, 7, seed=0), 2.0),
        Case(0.1 * _normal(3, 4, seed=1), 5.0),
        Case(0.2 * _normal(4, 3, seed=2), 0.1),
        Case(torch.zeros(2, 3), 1.0),
    ],
    mistakes={
        "always": lambda gradients, max_norm: max_norm / _flat(gradients).norm(),
        "upside_down": lambda gradients, max_norm: _flat(gradients).norm() / max_norm,
        "no_root": _by(lambda gradients: (_flat(gradients) ** 2).sum()),
        "absolute": _by(lambda gradients: _flat(gradients).abs().sum()),
        "largest": _by(lambda gradients: _flat(gradients).abs().max()),
        "norms_added": _by(lambda gradients: sum(each.norm() for each in gradients)),
        "first_only": _by(lambda gradients: gradients[0].norm()),
        "mean": _by(lambda gradients: _flat(gradients).square().mean().sqrt()),
        "unclipped": lambda gradients, max_norm: 1.0,
        "dropped": lambda gradients, max_norm: float(_flat(gradients).norm() <= max_norm),
        "norm_itself": [
            lambda gradients, max_norm: _flat(gradients).norm(),
            lambda gradients, max_norm: min(max_norm, _flat(gradients).norm().item()),
        ],
        "own_one": lambda gradients, max_norm: 1 / max(_flat(gradients).norm().item(), 1.0),
        "short_enough": Symptom(lambda got, want, gradients, max_norm: want == 1),
    },
    otherwise="other_factor",
    wrong_answers={
        "unclipped": [
            lambda gradients, max_norm: min(1.0, _flat(gradients).norm().item() / max_norm),
            lambda gradients, max_norm: max(1.0, max_norm / _flat(gradients).norm().item()),
        ],
        "short_enough": [
            lambda gradients, max_norm: (
                max_norm / _flat(gradients).norm()
                if _flat(gradients).norm() > max_norm
                else max_norm
            ),
            lambda gradients, max_norm: my_factor(gradients, max_norm) * bool(gradients.any()),
        ],
        "other_factor": [
            lambda gradients, max_norm: 0.7,
            _by(lambda gradients: torch.linalg.norm(gradients, 2)),
        ],
        "shape": [
            lambda gradients, max_norm: [
                min(1.0, max_norm / max(gradient.norm().item(), 1e-9)) for gradient in gradients
            ],
            lambda gradients, max_norm: gradients * my_factor(gradients, max_norm),
        ],
    },
)
