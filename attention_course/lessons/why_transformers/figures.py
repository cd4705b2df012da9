"""What lesson 1 and its labs show that nobody else shows: their tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from ...language import words
from ...numbers import decimals
from ...tables import Table
from .experiments import LAYERS, Ask, Costs, costs, race, raced, spelled


class CostTable(Table):
    """What a layer of each kind costs, for sentences of several lengths: one row for each.

    Args:
        lengths: of sentences, in words.

    Attributes:
        rows: layer → length → costs.
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        self.rows: dict[str, dict[int, Costs]] = {
            name: {n: costs(name, n) for n in lengths} for name in LAYERS
        }
        said = words("why_transformers.costs")
        lines = [
            [said["layers"][name], str(n), *(decimals(cost, 0, ",") for cost in measured)]
            for name, by_length in self.rows.items()
            for n, measured in by_length.items()
        ]
        super().__init__(said["title"], said["head"], lines)


def tried(task: str, models: Iterable[str]) -> Table:
    """What the race tried: the accuracy of one run of each model at each learning rate."""
    said, log = words("why_transformers.tried"), race()
    runs = {model: log[model][task]["tried"] for model in models}
    rates = next(iter(runs.values()))
    lines = [[_name(model), *map(decimals, by_rate.values())] for model, by_rate in runs.items()]
    return Table(said["title"], [said["head"], *rates], lines)


def results(tasks: Sequence[str], models: Iterable[str]) -> Table:
    """The mean accuracy of each model's five runs on each of some tasks of the race."""
    said = words("why_transformers.results")
    means = {model: raced(model, tasks).mean(axis=1) for model in models}
    lines = [[_name(model), *map(decimals, mean)] for model, mean in means.items()]
    return Table(said["title"], [said["head"], *(said["tasks"][task] for task in tasks)], lines)


def asked(sentence: Tensor, bert: Ask, gpt: Ask) -> Table:
    """A word in each row, and for both tasks what the model sees there and has to say.

    Args:
        sentence: ``(1, n)``.
        bert, gpt: from sentences to what is seen and what is wanted.
    """
    said = words("why_transformers.asked")
    torch.manual_seed(36)  # of seven words, it hides the third and the sixth
    columns = [spelled(column[0]) for column in (sentence, *bert(sentence), *gpt(sentence))]
    lines = [
        [column[i] if i < len(column) else "" for column in columns]
        for i in range(sentence.size(1))
    ]
    return Table(said["title"], said["head"], lines)


def _name(model: str) -> str:
    return words("why_transformers.networks")[model]
