"""What dividing by √d does to the logits, to softmax and to the gradient through it."""

from __future__ import annotations

import math

import numpy as np

from .. import still
from ..base import LINE, WIDE, Explorable, lines, one_of

DIMS = [4, 8, 16, 32, 64, 128, 256, 512, 1024]
_SAMPLES = 512  # dot products for each d: enough for a histogram, few enough for a page


class ScaleExplorer(Explorable):
    """Move d; see the logits spread, softmax sharpen and its gradient fade, unless divided by √d.

    Queries and keys of 1024 independent standard normal numbers are drawn here; the first ``d`` of
    each give the dot products for that ``d``, so that a query stays itself while it grows. The page
    scales them and takes softmax, entropy and the norm of softmax's Jacobian.

    Args:
        d: the number of dimensions at the start, a power of two from 4 to 1024.
        num_keys: how many keys a query chooses from, 2 to 64.
        seed: of the random numbers.

    Raises:
        ValueError: a ``d`` or ``num_keys`` outside these.
    """

    module = "scale_explorer"

    def __init__(self, d: int = 64, num_keys: int = 16, seed: int = 0) -> None:
        d = one_of("d", d, DIMS, f"one of {', '.join(map(str, DIMS))}")
        num_keys = one_of("num_keys", num_keys, range(2, 65), "a whole number from 2 to 64")
        generator = np.random.default_rng(seed)
        rows = _SAMPLES // num_keys
        queries = generator.standard_normal((rows, 1, DIMS[-1]))
        keys = generator.standard_normal((rows, num_keys, DIMS[-1]))
        terms = queries * keys
        products = [np.round(terms[..., :width].sum(-1), 3).tolist() for width in DIMS]
        super().__init__(d=d, scale=False, row=0, dims=DIMS, products=products)

    def room(self, columns: int) -> float:
        summary = max(lines(self.words["without_scaling"], columns - 2), 3) * LINE
        return 418 if columns == WIDE else 781 + summary

    def still(self) -> str:
        state, words = self.state, self.words
        table = []
        for width, products in zip(DIMS, np.array(state["products"]), strict=True):
            for name, factor in ((words["scaled"], math.sqrt(width)), (words["unscaled"], 1.0)):
                logits = products / factor
                weights = _softmax(logits)
                table.append(
                    [
                        str(width),
                        name,
                        still.number(logits.std()),
                        f"{still.number(100 * weights.max(-1).mean(), 1)}%",
                        still.number(_entropy(weights).mean(), 3),
                        still.number(_jacobian_norm(weights).mean(), 4),
                    ]
                )
        names = ["d_short", "scaling", "spread", "largest", "entropy", "gradient"]
        row = np.array(state["products"][DIMS.index(state["d"])][state["row"]])
        weights = _softmax(row / (math.sqrt(state["d"]) if state["scale"] else 1.0))
        keys = [f"{words['key']} {i + 1}" for i in range(len(row))]
        return still.bars(keys, weights, words["weights_chart"]) + still.table(
            words["table"], [words[name] for name in names], table
        )


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def _entropy(weights: np.ndarray) -> np.ndarray:
    return -(weights * np.log(np.maximum(weights, 1e-300))).sum(-1)


def _jacobian_norm(weights: np.ndarray) -> np.ndarray:
    """The Frobenius norm of ``diag(p) - p pᵀ``, the derivative of softmax at its output ``p``."""
    outer = weights[..., :, None] * weights[..., None, :]
    return np.linalg.norm(weights[..., None] * np.eye(weights.shape[-1]) - outer, axis=(-2, -1))
