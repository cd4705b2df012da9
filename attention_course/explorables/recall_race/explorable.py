"""How far each kind of network recalls, as its runs measured it, and how its signal travels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .. import still
from ..base import LINE, WIDE, Explorable, array, between, lines, one_of

NETWORKS = ("rnn", "gru", "attention")


class RecallRace(Explorable):
    """Move the distance; see how many questions each network answers, and the steps it needs.

    Args:
        distances: in words, rising; at each the networks were trained and tested.
        accuracies: for each network, ``"rnn"``, ``"gru"`` and ``"attention"``, what its runs
            reached: ``(distances, runs)``.
        chance: the share that guessing reaches.
        distance: the one shown at the start.

    Raises:
        TypeError, ValueError: distances or accuracies are not such numbers; a network is missing.
    """

    module = "recall_race"

    def __init__(
        self,
        distances: Sequence[int],
        accuracies: Mapping[str, Sequence[Sequence[float]]],
        chance: float,
        distance: int | None = None,
    ) -> None:
        distances = [int(each) for each in array("distances", distances, None)]
        if distances != sorted(set(distances)) or distances[0] < 1:
            raise ValueError(f"distances: got {distances}, expected rising numbers from 1")
        if set(accuracies) != set(NETWORKS):
            found = ", ".join(accuracies)
            raise ValueError(f"accuracies: got {found}, expected {', '.join(NETWORKS)}")
        runs = {
            name: array(f"accuracies[{name!r}]", accuracies[name], len(distances), None)
            for name in NETWORKS
        }
        for name, table in runs.items():
            for number in np.ravel(table):
                between(f"accuracies[{name!r}]", number, 0, 1)
        start = distances[0] if distance is None else distance
        super().__init__(
            distances=distances,
            runs=runs,
            chance=between("chance", chance, 0, 1),
            distance=one_of("distance", start, distances, "one of the distances"),
        )

    def room(self, columns: int) -> float:
        summary = max(lines(self.words["summary"], columns - 2), 3) * LINE
        return (376 if columns == WIDE else 396) + summary

    def still(self) -> str:
        state, words = self.state, self.words
        means = {name: np.mean(state["runs"][name], axis=1) for name in NETWORKS}
        here = state["distances"].index(state["distance"])
        rows = []
        for i, distance in enumerate(state["distances"]):
            for name in NETWORKS:
                runs = state["runs"][name][i]
                shown = [
                    f"{still.number(100 * x, 1)}%" for x in (means[name][i], min(runs), max(runs))
                ]
                steps = "1" if name == "attention" else str(distance)
                rows.append([str(distance), words[name], *shown, steps])
        head = ["distance", "network", "mean", "lowest", "highest", "steps"]
        return still.bars(
            [words[name] for name in NETWORKS],
            [means[name][here] for name in NETWORKS],
            words["chart"],
        ) + still.table(words["table"], [words[name] for name in head], rows)
