"""Scale explorers for the tests, and what the library computes for their states."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch

from attention_course.attention import scaled_dot_product_attention

from .explorable import ScaleExplorer

MOVED = {"d": 256, "scale": True}


def shown() -> dict[str, ScaleExplorer]:
    return {"16 keys": ScaleExplorer(), "64 keys": ScaleExplorer(num_keys=64)}


def computed() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    explorer = ScaleExplorer(seed=3)
    for index, d in enumerate(explorer.state["dims"]):
        products = torch.tensor(explorer.state["products"][index], dtype=torch.float64)
        for scale in (True, False):
            logits = products / math.sqrt(d) if scale else products
            measured = _measured(logits)
            # The query 1 attends to the products as keys: the library divides, if at all.
            ones = torch.ones(*products.shape[:-1], 1, 1, dtype=torch.float64)
            keys = products[..., None]
            _, weights = scaled_dot_product_attention(
                ones, keys, keys, scale=1 / math.sqrt(d) if scale else 1.0
            )
            row = {"logits": logits[5], "weights": weights[5, 0], "gradient": _slopes(logits)[5]}
            curve = {"scaled" if scale else "unscaled": {index: measured}}
            state = {**explorer.state, "d": d, "scale": scale, "row": 5}
            yield state, {**measured, "logits": logits, "row": row, **curve}


def _measured(logits: torch.Tensor) -> dict[str, torch.Tensor]:
    weights = logits.softmax(-1)
    return {
        "spread": logits.std(correction=0),
        "largest": weights.amax(-1).mean(),
        "entropy": torch.special.entr(weights).sum(-1).mean(),
        "gradient": _slopes(logits).mean(),
    }


def _slopes(logits: torch.Tensor) -> torch.Tensor:
    """The norm of softmax's Jacobian for each row, by autograd."""
    jacobian = torch.func.vmap(torch.func.jacrev(lambda row: row.softmax(-1)))
    return jacobian(logits).flatten(1).norm(dim=-1)


REFUSED = [
    (lambda: ScaleExplorer(d=5), ValueError, "d: got 5, expected one of 4, 8"),
    (lambda: ScaleExplorer(num_keys=1), ValueError, "num_keys: got 1"),
]
