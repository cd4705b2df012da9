"""Depth explorers for the tests, and what the library measures for their states."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import torch

from attention_course.lessons.residual_and_norm import experiments

from .explorable import NORMS, DepthExplorer

MOVED = {"residual": True, "norm": "pre"}


@cache
def _runs() -> dict[tuple[bool, str], dict[int, Any]]:
    return experiments.profiles([2, 5, 12])


def shown() -> dict[str, DepthExplorer]:
    return {"5 layers": DepthExplorer(_runs(), depth=5)}


def computed() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    explorer = DepthExplorer(_runs())
    for residual, norm in _runs():
        gradient, signal = (
            torch.as_tensor(experiments.profile(5, residual, norm)).log10().round(decimals=4)
        )
        state = {**explorer.state, "depth": 5, "residual": residual, "norm": norm}
        reaches = gradient[0] - gradient[-1]
        yield (
            state,
            {"gradient": gradient, "signal": signal, "reaches": reaches, "differ": signal[-1]},
        )


def _without(way: tuple[bool, str]) -> dict[tuple[bool, str], dict[int, Any]]:
    return {each: run for each, run in _runs().items() if each != way}


def _with_pre(run: dict[int, Any]) -> dict[tuple[bool, str], dict[int, Any]]:
    return {**_runs(), (True, NORMS[1]): run}


REFUSED = [
    (
        lambda: DepthExplorer(_without((True, "pre"))),
        ValueError,
        r"runs: got none for \(True, 'pre'\)",
    ),
    (lambda: DepthExplorer(_with_pre({2: [[1, 1, 1]] * 2})), ValueError, r"runs: got depths \[2\]"),
    (
        lambda: DepthExplorer(_with_pre({**_runs()[True, "pre"], 2: [[1, 0, 1]] * 2})),
        ValueError,
        "runs: got a number that is not positive",
    ),
    (
        lambda: DepthExplorer(_with_pre({**_runs()[True, "pre"], 2: [[1, 1]] * 2})),
        ValueError,
        r"got shape \(2, 2\), expected \(2, 3\)",
    ),
    (lambda: DepthExplorer(_runs(), depth=7), ValueError, "depth: got 7, expected one of 2, 5, 12"),
    (lambda: DepthExplorer(_runs(), norm="batch"), ValueError, "norm: got 'batch'"),
]
