"""Weights explorers for the tests, and what the library computes for their states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from attention_course.attention import scaled_dot_product_attention

from .explorable import WeightsExplorer

MOVED = {"scores": [0.0, 1.0, 5.0], "temperature": 2.5}


def shown() -> dict[str, WeightsExplorer]:
    values = [[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]]
    generator = np.random.default_rng(0)
    many = generator.standard_normal(64), generator.standard_normal((64, 16))
    return {
        "few": WeightsExplorer(["city", "the", "sights"], [2.0, 0.5, -1.0], values),
        "64 tokens": WeightsExplorer([f"word {i}" for i in range(64)], *many),
    }


def computed() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    generator = np.random.default_rng(0)
    for n, width, spread in [(1, 1, 1), (6, 4, 2), (16, 8, 5), (64, 16, 1), (64, 3, 40)] * 20:
        scores = (spread * generator.standard_normal(n)).tolist()
        values = generator.standard_normal((n, width)).tolist()
        yield _case(scores, values, float(generator.uniform(0.1, 10)))
    yield _case([1e4, 1e4, -1e4], [[1.0], [2.0], [3.0]], 0.1)


def _case(
    scores: list[float], values: list[list[float]], temperature: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Attention with the query 1 and the scores as keys."""
    one, keys, rows = (
        torch.tensor(each, dtype=torch.float64) for each in ([[1.0]], scores, values)
    )
    output, weights = scaled_dot_product_attention(one, keys[:, None], rows, scale=1 / temperature)
    state = {"scores": scores, "values": values, "temperature": temperature}
    return state, {"weights": weights[0], "mixture": output[0]}


REFUSED = [
    (lambda: WeightsExplorer(["a"], [1, 2], [[1]]), ValueError, r"scores: got shape \(2,\)"),
    (lambda: WeightsExplorer(["a"], [1], [1]), ValueError, r"values: .*expected \(1, any\)"),
    (lambda: WeightsExplorer("ab", [1, 2], [[1], [2]]), TypeError, "tokens: got 'ab'"),
    (lambda: WeightsExplorer([], [], []), ValueError, "tokens: got 0 tokens, expected 1 to 64"),
    (lambda: WeightsExplorer(["a"], [float("nan")], [[1]]), ValueError, "scores: .*NaN"),
    (lambda: WeightsExplorer(["a"], ["x"], [[1]]), TypeError, "scores: .*expected numbers"),
    (lambda: WeightsExplorer(["a"], [1], [[1]], 0), ValueError, "temperature: got 0, .* 0.1"),
    (lambda: WeightsExplorer(["a"], [1], [[1]], "hot"), TypeError, "temperature: got 'hot'"),
    (lambda: WeightsExplorer(["a"], [1], [[0] * 17]), ValueError, "d_v, .*got 17"),
]
