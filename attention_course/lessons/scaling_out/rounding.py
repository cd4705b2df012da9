"""Measures how far rounding alone leads two runs of lesson 4-5 apart: minutes on one core.

``python -m attention_course.lessons.scaling_out.rounding`` trains the script's model from eight
starts, on whole batches, and on batches of which the gradients of 2, 4 or 8 equal shares are
averaged, with numbers of 32 and of 64 bits. For each kind of numbers it puts the largest difference
between a run's losses and those on whole batches into ``rounding.json``, 24 numbers each.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor

from . import script

LOG = Path(__file__).with_name("rounding.json")
STARTS, SHARES, STEPS, BATCH = range(8), (2, 4, 8), 80, 64
KINDS = {"float32": torch.float32, "float64": torch.float64}


def losses(start: int, shares: int, kind: torch.dtype, steps: int = STEPS) -> Tensor:
    """The loss at each step, ``(steps,)``, of one run; another start has other batches, too."""
    model = script.new_model(start).to(kind)
    optimizer = script.new_optimizer(model)
    return torch.tensor(
        [
            script.train_step(model, optimizer, script.batch(1000 * start + step, BATCH), shares)
            for step in range(1, steps + 1)
        ],
        dtype=torch.float64,
    )


def apart(start: int, kind: torch.dtype, steps: int = STEPS) -> list[float]:
    """For 2, 4 and 8 shares, the largest difference to the run on whole batches."""
    whole = losses(start, 1, kind, steps)
    return [(losses(start, n, kind, steps) - whole).abs().max().item() for n in SHARES]


def main() -> None:
    log = {
        name: [float(f"{each:.1e}") for start in STARTS for each in apart(start, kind)]
        for name, kind in KINDS.items()
    }
    LOG.write_text(json.dumps(log, indent=1) + "\n")


if __name__ == "__main__":
    main()
