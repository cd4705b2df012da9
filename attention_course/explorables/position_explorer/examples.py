"""Position explorers for the tests, and what the library computes for their states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from attention_course.positions import sinusoidal_encoding

from .explorable import PositionExplorer

MOVED = {"position": 3, "base": 100.0}


def shown() -> dict[str, PositionExplorer]:
    return {
        "64 by 32": PositionExplorer(),
        "64 by 128": PositionExplorer(length=64, d_model=128),
        "8 by 4": PositionExplorer(8, 4, 100.0, 3),
    }


def computed() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for length in (2, 64, 256):
        for d_model in (2, 6, 32, 128):
            for base in (10, 370.0, 10_000, 100_000):
                encoding, position = sinusoidal_encoding(length, d_model, base), length // 3
                similarity = torch.cosine_similarity(encoding, encoding[position][None])
                yield (
                    {"length": length, "d_model": d_model, "base": base, "position": position},
                    {"encoding": encoding, "similarity": similarity},
                )


REFUSED = [
    (lambda: PositionExplorer(d_model=3), ValueError, "d_model: got 3, expected an even"),
    (lambda: PositionExplorer(length=8, position=8), ValueError, "position: got 8.*0 to 7"),
    (lambda: PositionExplorer(base=1), ValueError, "base: got 1"),
]
