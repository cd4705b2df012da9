"""Planes for the tests, and what the library computes for their states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from attention_course.attention import scaled_dot_product_attention

from .explorable import QueryKeyValuePlane

MOVED = {"query": [0.2, -1.0], "scale": False}


def shown() -> dict[str, QueryKeyValuePlane]:
    values = [[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]]
    keys = [[1, 0.5], [-1, 1], [0.5, -1]]
    eight = np.random.default_rng(0).standard_normal((2, 8, 2))
    return {
        "few": QueryKeyValuePlane(["city", "the", "sights"], [1.0, 1.0], keys, values),
        "8 keys": QueryKeyValuePlane(list("abcdefgh"), [1, 1], *eight, scale=False),
    }


def computed() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    generator = np.random.default_rng(1)
    for case in range(200):
        n = int(generator.integers(1, 9))
        query, key = 3 * generator.standard_normal(2), 3 * generator.standard_normal((n, 2))
        value, scale = generator.standard_normal((n, 2)), case % 2 == 0
        output, weights = scaled_dot_product_attention(
            *map(torch.tensor, (query[None], key, value)), scale=None if scale else 1.0
        )
        state = {"query": query.tolist(), "key": key.tolist(), "value": value.tolist()}
        yield (
            {**state, "scale": scale},
            {"products": key @ query, "weights": weights[0], "output": output[0]},
        )


REFUSED = [
    (lambda: QueryKeyValuePlane(["a"], [1], [[1, 2]], [[1, 2]]), ValueError, "query: .*2"),
    (lambda: QueryKeyValuePlane(["a"], [1, 2], [[1]], [[1, 2]]), ValueError, "keys: got"),
    (lambda: QueryKeyValuePlane(list("abcdefghi"), [1, 2], [], []), ValueError, "tokens: got 9"),
]
