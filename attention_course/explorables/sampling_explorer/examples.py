"""Sampling explorers for the tests, and what the library computes for their states."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from .explorable import DRAWS, SamplingExplorer, measured

MOVED = {"temperature": 0.5, "top_k": 3, "seed": 2}
# Texts, and what a model might well write next, the likeliest first.
LIKELY = {
    "def area(width, height):\n    return width": [" ", ".", "\n", "_", "s", ")"],
    "import json\n\nfor name in ": ["n", "s", "r", "l", "f", "i", "d", "m", "(", "a", "p", "t"],
    "class Shelf:\n    def __init__(self, books):\n\tself.books = b": ["o", "a", "y", "u", "i"],
    "if not found:\n    raise ValueErr": ["o"],
    "total = 0\nfor price in prices:\n    total +": ["=", " ", "+"],
    'print("': ["%", "T", "S", "E", "\\", " ", "-", "N", "U", "C", "I", "F", "a", "i", "w", "{"],
}
CHARACTERS = ["\n", "\t", *map(chr, range(32, 127))]
PIECES = [*CHARACTERS, *(f"{a}{b}{c}" for a, b, c in product(" ersd", "aeioutn\n", "tnrsledm"))]


def explorer(texts: int, tokens: list[str], seed: int = 0, **start: Any) -> SamplingExplorer:
    generator = np.random.default_rng(seed)
    contexts = list(LIKELY)[:texts]
    logits = generator.normal(-3, 1.5, (texts, len(tokens)))
    for row, context in zip(logits, contexts, strict=True):
        for place, token in enumerate(LIKELY[context]):
            if token in tokens:
                row[tokens.index(token)] = 6 - 0.4 * place - 3 * (place > 0)
    return SamplingExplorer(contexts, tokens, logits, **start)


def shown() -> dict[str, SamplingExplorer]:
    return {
        "8 tokens": explorer(2, [*" \n.n_s)", "max"]),
        "97 characters": explorer(6, CHARACTERS, temperature=0.8, top_k=10),
        "1 text": explorer(1, CHARACTERS, top_p=0.9),
        "pieces": explorer(6, PIECES, temperature=2.0, top_p=0.95),
    }


def computed() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    small, large = explorer(2, list("abcdef"), 1), explorer(6, PIECES, 2)
    level = SamplingExplorer(["x"], list("abcdefgh"), [[2, 1, 2, 0, 1, 2, 0.5, 1]])
    steep = SamplingExplorer(["x"], list("abcd"), [[90, 0, -5, 89]])
    cases = [
        (small, (0.1, 0.75, 1.0, 3.0), (None, 1, 3, 6), (None, 0.05, 0.5, 0.95)),
        (large, (0.1, 0.5, 1.0, 1.35, 3.0), (None, 1, 5, 40, 400), (None, 0.05, 0.5, 0.99)),
        (level, (0.3, 1.0, 3.0), (None, 1, 2, 4, 7), (None, 0.3, 0.6, 0.9)),  # with equal ones
        (steep, (0.1, 1.0, 3.0), (None, 2, 4), (None, 0.5, 0.99)),
    ]
    for made, temperatures, some_k, some_p in cases:
        last = len(made.state["contexts"]) - 1
        for place, moved in enumerate(product(temperatures, some_k, some_p)):
            names = dict(zip(("temperature", "top_k", "top_p"), moved, strict=True))
            seed = None if place % 4 == 0 else 7 * place
            state = {**made.state, **names, "context": place % (last + 1), "seed": seed}
            here = measured(state)
            yield state, {**here, "drawn": drawn(seed, here["order"], here["after"])}


def drawn(seed: int | None, order: Any, shares: Any) -> list[int]:
    """The places that the page draws: a chance falls into one of the shares laid end to end."""
    if seed is None:
        return []
    ends = shares[order].cumsum(0)
    return [int(order[(ends > chance).nonzero()[0]]) for chance in chances(seed)]


def chances(seed: int) -> list[float]:
    return [_mixed((DRAWS * seed + i) * 0x9E3779B9) / 2**32 for i in range(DRAWS)]


def _mixed(x: int) -> int:
    """The last steps of MurmurHash3."""
    x &= 0xFFFFFFFF
    x = ((x ^ (x >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return x ^ (x >> 16)


def _made(**other: Any) -> SamplingExplorer:
    start = {"contexts": ["if "], "tokens": ["a", "b"], "logits": [[1.0, 0.0]]}
    return SamplingExplorer(**{**start, **other})


REFUSED = [
    (lambda: _made(contexts="if "), TypeError, "contexts: got 'if ', expected a sequence"),
    (lambda: _made(contexts=[]), ValueError, "contexts: got 0, expected 1 to 6"),
    (lambda: _made(contexts=["if "] * 7), ValueError, "contexts: got 7, expected 1 to 6"),
    (lambda: _made(contexts=[""]), ValueError, "contexts: got an empty string"),
    (lambda: _made(tokens="ab"), TypeError, "tokens: got 'ab'"),
    (lambda: _made(tokens=["a", ""]), ValueError, "tokens: got an empty string"),
    (lambda: _made(tokens=["a"] * 513), ValueError, "tokens: got 513 tokens, expected 1 to 512"),
    (lambda: _made(logits=[1.0, 0.0]), ValueError, r"logits: got shape \(2,\), expected \(1, 2\)"),
    (lambda: _made(logits=[[1.0, float("-inf")]]), ValueError, "logits: got an infinite number"),
    (lambda: _made(logits=[["x", "y"]]), TypeError, "logits: .*expected numbers"),
    (lambda: _made(temperature=0), ValueError, "temperature: got 0, expected .* 0.1 to 3"),
    (lambda: _made(temperature="hot"), TypeError, "temperature: got 'hot', expected a number"),
    (lambda: _made(top_k=0), ValueError, "top_k: got 0, expected None or 1 to 2 tokens"),
    (lambda: _made(top_k=3), ValueError, "top_k: got 3, expected None or 1 to 2 tokens"),
    (lambda: _made(top_p=0), ValueError, "top_p: got 0, expected a number from 0.01 to 1"),
    (lambda: _made(top_p=1.5), ValueError, "top_p: got 1.5"),
]
