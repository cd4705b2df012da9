"""Trains the models of lesson 3-1 over seeds and writes their log: some minutes on one core.

``python -m attention_course.lessons.encoder_decoder.runs [WAY …]`` trains for the ways named, or
for all, and puts the results into ``runs.json``. All ways have the same size, batches and steps.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .experiments import (
    WAYS,
    Results,
    accuracy,
    arrows,
    pairs,
    trained,
    without_cross_attention,
    written_right,
)

LOG = Path(__file__).with_name("runs.json")
SEEDS = range(3)
TESTS = 1000, 0  # so many pairs, drawn with a seed that no batch has


def measured(way: str) -> Results:
    """What a model that was trained in this way gets right on new pairs, for each seed.

    ``letters`` and ``arrows`` are right given the target so far, ``cut`` are letters without
    cross-attention, ``written`` are letters that the model writes by itself.
    """
    results: Results = {"letters": [], "arrows": [], "cut": [], "written": []}
    source, target = pairs(*TESTS)
    for seed in SEEDS:
        model = trained(WAYS[way], seed)
        results["letters"].append(accuracy(model, source, target, WAYS[way]))
        results["arrows"].append(arrows(model, source, target, WAYS[way]))
        results["written"].append(written_right(model, source, WAYS[way]))
        with without_cross_attention(model):
            results["cut"].append(accuracy(model, source, target, WAYS[way]))
    return results


def main(*ways: str) -> None:
    for way in ways or WAYS:
        log = json.loads(LOG.read_text()) if LOG.exists() else {}
        log[way] = measured(way)
        print(way, log[way], flush=True)
        LOG.write_text(json.dumps(log, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
