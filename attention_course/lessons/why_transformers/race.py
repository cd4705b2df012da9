"""Runs the race of lesson 1 and writes its log: about ten minutes on one core.

``python -m attention_course.lessons.why_transformers.race [MODEL [TASK …]]`` runs one model on the
tasks named, or all on all, and puts the results into ``race.json``.

For each model and task one run at each learning rate (seed 100) chooses the rate, by its loss on
new sentences; five others (seeds 0 to 4) at that rate are what is reported, so that no run is
chosen for its own result. Attention asks with the last word, so that only recurrent networks can be
asked first.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .experiments import (
    DISTANCES,
    MODELS,
    PAIRS,
    RATES,
    STEPS,
    Task,
    latest,
    look_up,
    recall,
    run,
)

LOG = Path(__file__).with_name("race.json")
CHOOSE, REPORT = 100, range(5)
ASKED_FIRST = "2 pairs, asked first"

TASKS: dict[str, tuple[Task, int]] = {
    **{str(distance): (recall(distance), STEPS) for distance in DISTANCES},
    "latest": (latest, STEPS),
    **{f"{pairs} pairs": (look_up(pairs), STEPS) for pairs in PAIRS},
    "4 pairs, longer": (look_up(4), 4 * STEPS),
    ASKED_FIRST: (look_up(2, asked_first=True), STEPS),
}


def raced(model: str, task: Task, steps: int) -> dict[str, object]:
    """The best learning rate of the grid for a model and a task, and five runs at it.

    ``tried`` has the accuracy of the run that tried each rate.
    """
    tried = {rate: run(model, task, learning_rate=rate, seed=CHOOSE, steps=steps) for rate in RATES}
    rate = min(tried, key=lambda rate: tried[rate].loss)
    runs = [run(model, task, learning_rate=rate, seed=seed, steps=steps) for seed in REPORT]
    return {
        "learning_rate": rate,
        "accuracies": [result.accuracy for result in runs],
        "tried": {rate: result.accuracy for rate, result in tried.items()},
    }


def tasks_of(model: str) -> list[str]:
    """The tasks that a model can be given."""
    return [task for task in TASKS if model in ("rnn", "gru") or task != ASKED_FIRST]


def main(model: str | None = None, *tasks: str) -> None:
    for each in [model] if model else MODELS:
        for task in tasks or tasks_of(each):
            entry = raced(each, *TASKS[task])
            print(each, task, entry, flush=True)
            log = json.loads(LOG.read_text()) if LOG.exists() else {}
            log.setdefault(each, {})[task] = entry
            LOG.write_text(json.dumps(log, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
