"""Mask debuggers for the tests, and what the library computes for their states."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from .explorable import MASKS, WAYS, MaskDebugger, measured

MOVED = {"mask": "empty", "way": "after"}
TOKENS = ["<start>", "I", "like", "small", "<pad>", "<pad>"]


def debugger(n: int, padding: list[int], **start: str) -> MaskDebugger:
    generator = np.random.default_rng(n)
    query, key, value = (generator.standard_normal((n, width)) for width in (4, 4, 3))
    return MaskDebugger(TOKENS[:n], query, key, value, padding, **start)


def shown() -> dict[str, MaskDebugger]:
    return {
        "3 words": debugger(3, [2]),
        "6 words": debugger(6, [4, 5], mask="both", way="after"),
    }


def computed() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for made, mask, way in product([debugger(5, [4]), debugger(6, [0, 5])], MASKS, WAYS):
        state = {**made.state, "mask": mask, "way": way}
        yield state, measured(state)


def _made(**other: Any) -> MaskDebugger:
    rows = [[1.0, 0.0], [0.0, 1.0]]
    start = {"tokens": ["a", "b"], "query": rows, "key": rows, "value": rows, "padding": [1]}
    return MaskDebugger(**{**start, **other})


REFUSED = [
    (lambda: _made(tokens="ab"), TypeError, "tokens: got 'ab'"),
    (lambda: _made(tokens=["a"] * 7), ValueError, "tokens: got 7 tokens, expected 1 to 6"),
    (lambda: _made(query=[[1, 0]]), ValueError, r"query: got shape \(1, 2\), expected \(2, any\)"),
    (lambda: _made(key=[[1], [0]]), ValueError, r"key: got shape \(2, 1\), expected \(2, 2\)"),
    (lambda: _made(value=[[1], ["x"]]), TypeError, "value: .*expected numbers"),
    (lambda: _made(padding=[2]), ValueError, "padding: got 2, expected places from 0 to 1"),
    (lambda: _made(padding=[]), ValueError, "padding: got 0 places, expected 1 to 1"),
    (lambda: _made(padding=[0, 1]), ValueError, "padding: got 2 places, expected 1 to 1"),
    (lambda: _made(mask="all"), ValueError, "mask: got 'all', expected one of none, causal"),
    (lambda: _made(way="late"), ValueError, "way: got 'late', expected one of right, inverted"),
]
