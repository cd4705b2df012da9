"""Runs the race of lesson 1 and its lab, and writes its log: about 45 minutes on one core.

``python -m attention_course.lessons.why_transformers.race [MODEL [TASK …]]`` runs one model on the
tasks named, or all on all, and puts the results into ``race.json``.

For each model and task one run at each learning rate (seed 100) chooses the rate, by its loss on
new sentences; five others (seeds 0 to 4) at that rate are what is reported, so that no run is
chosen for its own result. What only explains how recurrent networks fail (more steps) is run with
them alone, and so is the question before the pairs: attention asks with the last word. The LSTMs
whose gates start open run the distances only, attention without places one of them and the latest
item.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import NamedTuple

from .experiments import (
    DISTANCES,
    MODELS,
    PAIRS,
    RATES,
    RECURRENT,
    STEPS,
    Result,
    Task,
    latest,
    longer,
    look_up,
    of_two_kinds,
    recall,
    run,
)

LOG = Path(__file__).with_name("race.json")
CHOOSE, REPORT = 100, range(5)


class Setting(NamedTuple):
    """A task, and what :func:`.experiments.run` is to know of it."""

    task: Task
    steps: int = STEPS
    max_norm: float | None = 1.0
    tested: Task | None = None


def _kept(task: Task, steps: int = STEPS) -> Setting:
    return Setting(of_two_kinds(task, new=False), steps, tested=of_two_kinds(task, new=True))


TASKS = {
    **{str(distance): Setting(recall(distance)) for distance in DISTANCES},
    "latest": Setting(latest),
    **{f"{pairs} pairs": Setting(look_up(pairs)) for pairs in PAIRS},
    **{f"{distance}, unclipped": Setting(recall(distance), max_norm=None) for distance in (16, 62)},
}
FOR_RECURRENT = {
    # Of sentences with two pairs there are so few that many come twice, and in the longer run each
    # five times: those of the test are kept from training.
    "2 pairs, asked first": _kept(look_up(2, asked_first=True)),
    "2 pairs, longer": _kept(look_up(2), steps=4 * STEPS),
    "4 pairs, much longer": Setting(look_up(4), 16 * STEPS),
}
LONGER = {longer(distance): Setting(recall(distance), 4 * STEPS) for distance in DISTANCES}


def raced(model: str, setting: Setting) -> dict[str, object]:
    """The best learning rate of the grid for a model and a task, and five runs at it.

    ``tried`` has the accuracy of the run that tried each rate.
    """

    def one(rate: float, seed: int) -> Result:
        return run(model, learning_rate=rate, seed=seed, **setting._asdict())

    tried = {rate: one(rate, CHOOSE) for rate in RATES}
    rate = min(tried, key=lambda rate: tried[rate].loss)
    return {
        "learning_rate": rate,
        "accuracies": [one(rate, seed).accuracy for seed in REPORT],
        "tried": {rate: result.accuracy for rate, result in tried.items()},
    }


_FAR = [*map(str, DISTANCES), *LONGER]
FEW = {"lstm_open": _FAR, "lstm_wide": _FAR, "unordered": ["62", "latest"]}


def settings_of(model: str) -> dict[str, Setting]:
    """The tasks that a model is given."""
    if model in FEW:
        return {task: (TASKS | LONGER)[task] for task in FEW[model]}
    return TASKS | FOR_RECURRENT | LONGER if model in RECURRENT else TASKS


def main(model: str | None = None, *tasks: str) -> None:
    for each in [model] if model else MODELS:
        settings = settings_of(each)
        for task in tasks or settings:
            entry = raced(each, settings[task])
            print(each, task, entry, flush=True)
            log = json.loads(LOG.read_text()) if LOG.exists() else {}
            log.setdefault(each, {})[task] = entry
            LOG.write_text(json.dumps(log, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
