"""Measures how far rounding alone leads two runs of lesson 4-5 apart: minutes on one core.

``python -m attention_course.lessons.scaling_out.rounding`` trains the script's model from eight
starts, on whole batches, and on batches of which the gradients of 2, 4 or 8 equal shares are
averaged, with numbers of 32 and of 64 bits. For each kind of numbers it puts the largest difference
between a run's losses and those on whole batches into ``rounding.json``, 24 numbers each. Beside
them stands how far apart the parameters are after start 0 with 2 shares, in 32 bits: those of the
keys' bias, and all others. The bias adds the same to all scores of a query, which softmax does not
see: its slope is 0 but for rounding, and Adam makes steps of that.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor, nn

from . import script

LOG = Path(__file__).with_name("rounding.json")
STARTS, SHARES, STEPS, BATCH = range(8), (2, 4, 8), 80, 64
KINDS = {"float32": torch.float32, "float64": torch.float64}
KEY_BIAS = "layers.0.attention.key.bias"


def trained(
    start: int, shares: int, kind: torch.dtype, steps: int = STEPS
) -> tuple[nn.Module, Tensor]:
    """One run's model and its loss at each step, ``(steps,)``; another start has other batches."""
    model = script.new_model(start).to(kind)
    optimizer = script.new_optimizer(model)
    losses = [
        script.train_step(model, optimizer, script.batch(1000 * start + step, BATCH), shares)
        for step in range(1, steps + 1)
    ]
    return model, torch.tensor(losses, dtype=torch.float64)


def apart(start: int, kind: torch.dtype, steps: int = STEPS) -> list[float]:
    """For 2, 4 and 8 shares, the largest difference to the run on whole batches."""
    _, whole = trained(start, 1, kind, steps)
    return [(trained(start, n, kind, steps)[1] - whole).abs().max().item() for n in SHARES]


def parameters_apart(steps: int = STEPS) -> dict[str, float]:
    """How far two shares lead the parameters from those of whole batches, at most: start 0."""
    models = [trained(0, shares, torch.float32, steps)[0] for shares in (1, 2)]
    whole, shared = (dict(model.named_parameters()) for model in models)
    differences = {name: (shared[name] - whole[name]).abs().max().item() for name in whole}
    key_bias = differences.pop(KEY_BIAS)
    return {"key bias": key_bias, "other parameters": max(differences.values())}


def main() -> None:
    log = {
        name: [float(f"{each:.1e}") for start in STARTS for each in apart(start, kind)]
        for name, kind in KINDS.items()
    }
    log |= {name: float(f"{far:.1e}") for name, far in parameters_apart().items()}
    LOG.write_text(json.dumps(log, indent=1) + "\n")


if __name__ == "__main__":
    main()
