"""Runs for the tests, and what torch's autograd and Adam do with the same numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from attention_course.corpora import Vocabulary, fill_in_the_blank
from attention_course.lessons.human_attention.experiments import fill_in

from .explorable import LiveTraining

MOVED = {"rate": 3, "hide": True}


def shown() -> dict[str, LiveTraining]:
    return {"corpus": LiveTraining(fill_in_the_blank())}


class _Tables:
    """Tables whose numbers are given, in float64, as :func:`fill_in` reads them."""

    def __init__(self, numbers: dict[str, Any]) -> None:
        self.all = {
            name: torch.tensor(rows, dtype=torch.float64, requires_grad=True)
            for name, rows in numbers.items()
        }
        vars(self).update(self.all)


def _loss(tables: _Tables, batch: list[dict[str, Any]]) -> Tensor:
    longest = max(len(sentence["ids"]) for sentence in batch)
    words = torch.tensor(
        [s["ids"] + [Vocabulary.PAD] * (longest - len(s["ids"])) for s in batch]
    )  # (batch, n)
    numbers, _ = fill_in(tables, words, torch.tensor([[s["blank"]] for s in batch]))
    return F.cross_entropy(numbers[:, 0], torch.tensor([s["answer"] for s in batch]))


def _trained(state: dict[str, Any]) -> dict[str, Any]:
    tables = _Tables(state["tables"])
    optimizer = torch.optim.Adam(tables.all.values(), lr=state["learning_rate"])
    losses, gradients = [], {}
    for batch in state["batches"]:
        loss = _loss(tables, batch)
        optimizer.zero_grad()
        loss.backward()
        gradients = gradients or {name: t.grad.flatten().clone() for name, t in tables.all.items()}
        optimizer.step()
        losses.append(loss.item())
    after = {name: tensor.detach().flatten() for name, tensor in tables.all.items()}
    return {"losses": losses, "gradients": gradients, "tables": after}


def _sentence(row: list[int], blanks: list[int]) -> dict[str, Any]:
    """As the module unfolds it, with what training reads of it."""
    ids = row[:-1]
    return {"ids": ids, "blank": next(i for i in ids if i in blanks), "answer": row[-1]}


def computed() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    live = shown()["corpus"]
    for scale, steps, learning_rate in ((1.0, 3, 0.01), (20.0, 2, 0.1)):
        numbers = live.tables()
        numbers["embedding"] *= scale  # small ones, and some with which attention is decided
        train = [_sentence(row, live.state["blanks"]) for row in live.state["train"]]
        state = {
            "tables": {name: rows.tolist() for name, rows in numbers.items()},
            "batches": [train[40 * step : 40 * step + 40] for step in range(steps)],
            "learning_rate": learning_rate,
        }
        yield state, _trained(state)


REFUSED = [
    (lambda: LiveTraining([1, 2]), TypeError, "corpus: got a list, expected a fill-in-the-blank"),
    (lambda: LiveTraining(fill_in_the_blank(), rate=6), ValueError, "rate: got 6, expected 0 to 5"),
    (
        lambda: LiveTraining(fill_in_the_blank(), count=4),
        ValueError,
        "count: got 4, expected 0 to 3",
    ),
    (lambda: LiveTraining(fill_in_the_blank(), seed=-1), ValueError, "seed: got -1, expected a"),
]
