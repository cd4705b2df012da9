"""Recall races for the tests, and what NumPy makes of their runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .explorable import NETWORKS, RecallRace

MOVED = {"distance": 8}
RUNS = {
    "rnn": [[1.0, 0.9, 0.95], [0.2, 0.1, 0.15]],
    "gru": [[1.0, 1.0, 1.0], [0.8, 0.4, 0.6]],
    "attention": [[1.0, 0.98, 0.97], [1.0, 1.0, 0.99]],
}


def shown() -> dict[str, RecallRace]:
    distances = [2**i for i in range(9)]
    runs = np.random.default_rng(0).random((3, 9, 5)).round(3)
    many = dict(zip(NETWORKS, runs.tolist(), strict=True))
    return {"two": RecallRace([2, 8], RUNS, 0.125), "nine": RecallRace(distances, many, 0.125, 64)}


def computed() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for race in shown().values():
        for i, distance in enumerate(race.state["distances"]):
            expected = {}
            for name in NETWORKS:
                runs = np.array(race.state["runs"][name][i])
                expected[name] = {
                    "mean": runs.mean(),
                    "lowest": runs.min(),
                    "highest": runs.max(),
                    "steps": 1 if name == "attention" else distance,
                }
            yield {**race.state, "distance": distance}, expected


REFUSED = [
    (lambda: RecallRace([8, 2], RUNS, 0.125), ValueError, "distances: got .8, 2., expected rising"),
    (lambda: RecallRace([2, 8], {"rnn": RUNS["rnn"]}, 0.1), ValueError, "accuracies: got rnn, exp"),
    (lambda: RecallRace([2, 8], RUNS, 1.5), ValueError, "chance: got 1.5"),
    (lambda: RecallRace([2, 8], RUNS, 0.1, 5), ValueError, "distance: got 5, expected one of"),
    (
        lambda: RecallRace([2, 8], {**RUNS, "gru": [[1.0, 2.0], [0.1, 0.1]]}, 0.1),
        ValueError,
        "accuracies.'gru'.: got 2",
    ),
]
