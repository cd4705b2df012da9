"""Runs the race of lab 3-4 and writes its log: about ten minutes on one core.

``python -m attention_course.lessons.residual_and_norm.race [NORM]`` races one norm, or both, at
every learning rate, without a warm-up and with one, from eight starts each, and puts the mean loss
over the last 20 steps of every run into ``race.json``.
"""

from __future__ import annotations

import json
import sys
from itertools import product
from pathlib import Path

from .experiments import learn_first

LOG = Path(__file__).with_name("race.json")
NORMS, RATES, WARMUPS, STARTS = ("pre", "post"), (0.001, 0.003, 0.01), (0, 100), range(8)
STEPS, LAST = 400, 20


def last_loss(norm: str, rate: float, warmup_steps: int, seed: int) -> float:
    """The mean loss over the last steps of one run."""
    run = learn_first(norm, learning_rate=rate, warmup_steps=warmup_steps, seed=seed, steps=STEPS)
    return sum(run.losses[-LAST:]) / LAST


def main(norm: str | None = None) -> None:
    for each, rate, warmup in product([norm] if norm else NORMS, RATES, WARMUPS):
        losses = [round(last_loss(each, rate, warmup, seed), 4) for seed in STARTS]
        print(each, rate, warmup, losses, flush=True)
        log = json.loads(LOG.read_text()) if LOG.exists() else {}
        log.setdefault(each, {}).setdefault(str(rate), {})[str(warmup)] = losses
        LOG.write_text(json.dumps(log, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
