"""Runs the grid of lab 4-3 and writes its log: about ten minutes on one core.

``python -m attention_course.lessons.training_techniques.grid [PART]`` runs one part, or both:
``start`` (schedules and clipping, pre- and post-norm; five starts) and ``smoothing`` (three
starts), and puts what came out into ``grid.json``.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from . import experiments
from .experiments import Run, late, warm

LOG = Path(__file__).with_name("grid.json")
STARTS = {"start": range(5), "smoothing": range(3)}
PAIRS, LAYERS, STEPS, WARMUP = 1000, 4, 150, 50
NORMS, RATES, WAYS = ("pre", "post"), (0.003, 0.01), ("cold", "warm", "late", "clipped")
SIZES, SMOOTHINGS = (400,), (0.0, 0.1, 0.3)
SMOOTHING_STEPS, SMOOTHING_RATE = 500, 0.005


def start(norm: str, rate: float, way: str, seed: int, steps: int = STEPS) -> Run:
    """One run of a deep translator, from a start that ``seed`` chooses."""
    schedules = {"warm": warm(rate, WARMUP), "late": late(rate, WARMUP, STEPS)}
    return experiments.train(
        experiments.corpus(PAIRS),
        schedule=schedules.get(way, warm(rate)),
        steps=steps,
        norm=norm,
        layers=LAYERS,
        max_norm=1.0 if way == "clipped" else math.inf,
        seed=seed,
    )


def smoothing(pairs: int, smoothing: float, seed: int, steps: int = SMOOTHING_STEPS) -> Run:
    """One run of a small translator on few or many pairs."""
    return experiments.train(
        experiments.corpus(pairs),
        schedule=experiments.up_and_down(SMOOTHING_RATE, steps),
        steps=steps,
        smoothing=smoothing,
        seed=seed,
    )


def _summary(run: Run) -> dict[str, float]:
    over = sum(norm > 1 for norm in run.norms) / len(run.norms)
    return {"loss": run.last(), "over": over, "highest": max(run.norms)}


def _results(part: str) -> Iterator[tuple[list[str], list[dict[str, float]]]]:
    if part == "start":
        for norm, rate, way in product(NORMS, RATES, WAYS):
            yield (
                [norm, str(rate), way],
                [_summary(start(norm, rate, way, seed)) for seed in STARTS[part]],
            )
    else:
        for pairs, amount in product(SIZES, SMOOTHINGS):
            corpus, found = experiments.corpus(pairs), []
            for seed in STARTS[part]:
                model = smoothing(pairs, amount, seed).model
                judged = experiments.judged(model, corpus, corpus.held_out)
                train = experiments.judged(model, corpus, corpus.train[:300])
                found.append(judged | {f"train_{name}": value for name, value in train.items()})
            yield [str(pairs), str(amount)], found


def main(part: str | None = None) -> None:
    for each in [part] if part else ("start", "smoothing"):
        for keys, found in _results(each):
            rounded = [{name: round(value, 4) for name, value in one.items()} for one in found]
            print(each, *keys, rounded, flush=True)
            log: dict[str, Any] = json.loads(LOG.read_text()) if LOG.exists() else {}
            at = log.setdefault(each, {})
            for key in keys[:-1]:
                at = at.setdefault(key, {})
            at[keys[-1]] = rounded
            LOG.write_text(json.dumps(log, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
