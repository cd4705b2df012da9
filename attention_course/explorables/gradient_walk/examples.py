"""Walks for the tests, and what torch's own gradient descent does with the same numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from .explorable import GradientWalk

MOVED = {"learning_rate": 0.25, "steps": 7}


def shown() -> dict[str, GradientWalk]:
    return {
        "two examples": GradientWalk([1, 2], [3, 4], steps=4),
        "five examples": GradientWalk(
            [-2, -1, 0, 1, 3], [1, 2, 0, -1, -2], start=2.5, learning_rate=0.05, steps=20
        ),
    }


def computed() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for walk in shown().values():
        for learning_rate in (0.01, 0.1, 0.2, 0.37, 0.5):
            for steps in (0, 1, 9, 20):
                state = {**walk.state, "learning_rate": learning_rate, "steps": steps}
                yield state, _walked(state)


def _walked(state: dict[str, Any]) -> dict[str, list[float]]:
    """The same walk by autograd and ``torch.optim.SGD``."""
    x, y = (torch.tensor(state[name], dtype=torch.float64) for name in ("x", "y"))
    w = torch.tensor(state["start"], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=state["learning_rate"])
    found = {"weights": [], "slopes": [], "losses": []}
    for _ in range(state["steps"] + 1):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(w * x, y)
        loss.backward()
        for name, value in (("weights", w), ("slopes", w.grad), ("losses", loss)):
            found[name].append(value.item())
        optimizer.step()
    return found


REFUSED = [
    (lambda: GradientWalk([0, 0], [1, 2]), ValueError, "x: got zeros only"),
    (lambda: GradientWalk([1, 2], [1]), ValueError, r"y: got shape \(1,\), expected \(2\)"),
    (lambda: GradientWalk([1], [1], learning_rate=2), ValueError, "learning_rate: got 2"),
    (lambda: GradientWalk([1], [1], steps=21), ValueError, "steps: got 21, expected a whole"),
    (lambda: GradientWalk([1], [1], start="x"), TypeError, "start: got 'x', expected a number"),
]
