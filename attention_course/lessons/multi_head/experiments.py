"""What lesson 3-3 measures with: animals at a round table, and readers of it.

The readers' forward passes stand on the pages. Here is what would only be in the way there: seating
the animals, training, and asking with some of the heads switched off.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...language import words
from ...positions import sinusoidal_encoding
from ...training import train
from ..scaled_dot_product.experiments import one_thread

Look = Callable[["Parts", Tensor], tuple[Tensor, Tensor]]

KINDS, MEMBERS = 4, 4  # of animals; how many of each there are
ANIMALS = KINDS * MEMBERS
SEATS = 2 * KINDS  # at a table: two animals of each kind
WIDTH = 32
RUNS = 5  # readers trained side by side, each from its own start and on its own tables
# How many seats further on the wanted animal sits; the one of the same kind sits anywhere.
STEPS = {"left": -1, "right": 1, "second left": -2, "second right": 2}
KIN = "kin"


@dataclass(frozen=True)
class Tables:
    """Round tables with eight animals each.

    Attributes:
        animals: ids ``(runs, tables, 8)``.
        places: ``(runs, tables, 8, questions)``: the seat of the animal that answers each question,
            asked at each seat.
    """

    animals: Tensor
    places: Tensor

    @property
    def answers(self) -> Tensor:
        """The ids of the animals asked for: ``(runs, tables, 8, questions)``."""
        return self.animals[..., None].expand_as(self.places).gather(2, self.places)


def lay(questions: Sequence[str], tables: int, generator: torch.Generator) -> Tables:
    """Fresh tables, two animals of each kind in random order.

    Args:
        questions: what each seat is asked: keys of :data:`STEPS`, or ``"kin"``.

    Raises:
        ValueError: another question.
    """
    for question in questions:
        if question not in (*STEPS, KIN):
            raise ValueError(
                f"questions: got {question!r}, expected one of {', '.join((*STEPS, KIN))}"
            )
    members = torch.rand(RUNS, tables, KINDS, MEMBERS, generator=generator).argsort(dim=-1)
    kinds = MEMBERS * torch.arange(KINDS)[:, None]
    in_pairs = (kinds + members[..., :2]).flatten(2)  # (runs, tables, 8): kin beside kin
    order = torch.rand(RUNS, tables, SEATS, generator=generator).argsort(dim=-1)
    seat_of = order.argsort(dim=-1)  # where each of the pairs sits
    seats = torch.arange(SEATS)
    places = [
        seat_of.gather(2, order ^ 1)
        if question == KIN
        else ((seats + STEPS[question]) % SEATS).expand_as(order)
        for question in questions
    ]
    return Tables(in_pairs.gather(2, order), torch.stack(places, dim=-1))


def held_out_tables(questions: Sequence[str], tables: int = 300) -> Tables:
    """The tables on which accuracy is measured; always the same ones."""
    return lay(questions, tables, torch.Generator().manual_seed(1))


class Parts(nn.Module):
    """What a reader of tables is made of; how it uses them is said by its ``forward``.

    Attributes:
        W_query, W_key, W_value, W_output: ``(runs, 1, 32, 32)``, whatever the number of heads. The
            axis of 1 stands for all tables of a run.
        on: ``(heads, 1, 1)``: 1 for each head; a 0 switches it off.

    Args:
        num_heads: how many heads; divides 32.
        questions: what each seat is asked.
        seed: of the random numbers.
    """

    def __init__(self, num_heads: int, questions: Sequence[str], seed: int = 0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)

        def matrix(*shape: int) -> nn.Parameter:
            numbers = torch.randn(RUNS, *shape, generator=generator)
            return nn.Parameter(numbers / math.sqrt(shape[-2]))

        self.num_heads, self.questions = num_heads, tuple(questions)
        self.W_query, self.W_key, self.W_value, self.W_output = (
            matrix(1, WIDTH, WIDTH) for _ in range(4)
        )
        self.embedding = nn.Parameter(torch.randn(RUNS, ANIMALS, WIDTH, generator=generator))
        self.W_answer = matrix(1, WIDTH, len(self.questions) * ANIMALS)
        self.register_buffer("on", torch.ones(num_heads, 1, 1))

    def vectors(self, animals: Tensor) -> Tensor:
        """Who sits where, animal and seat added up: (runs, tables, 8) -> (runs, tables, 8, 32)."""
        run = torch.arange(RUNS)[:, None, None]
        return self.embedding[run, animals] + sinusoidal_encoding(SEATS, WIDTH)

    def answer(self, output: Tensor) -> Tensor:
        """(runs, tables, 8, 32) -> a score for each animal: (runs, tables, 8, questions, 16)."""
        return (output @ self.W_answer).unflatten(-1, (len(self.questions), ANIMALS))


@one_thread()
def fit(model: Parts, steps: int = 300, learning_rate: float = 0.01, tables: int = 32) -> Parts:
    """Train the readers on fresh tables at every step, in a few seconds; returns the model."""
    generator = torch.Generator().manual_seed(0)

    def batch(step: int) -> Tables:
        return lay(model.questions, tables, generator)

    def loss(model: nn.Module, tables: Tables) -> Tensor:
        # Added up over the runs, so that each learns as if it were alone.
        scores = model(tables.animals)
        return RUNS * F.cross_entropy(scores.flatten(0, -2), tables.answers.flatten())

    train(model, batch, loss, steps=steps, learning_rate=learning_rate, progress=False)
    return model


@torch.no_grad()
def accuracy(model: Parts, off: Sequence[int] = ()) -> Tensor:
    """The share of right answers on held-out tables, for each run and question.

    Args:
        off: the heads that are switched off during the test.

    Returns:
        ``(runs, questions)``.
    """
    tables, before = held_out_tables(model.questions), model.on
    model.on = before.clone()
    model.on[list(off)] = 0
    said = model(tables.animals).argmax(dim=-1)  # (runs, tables, 8, questions)
    model.on = before
    return (said == tables.answers).double().mean(dim=(1, 2))


@torch.no_grad()
def looks_at(model: Parts, look: Look) -> Tensor:
    """How much weight each head lays on the seat of each answer: ``(runs, heads, questions)``.

    Args:
        look: gives a model's heads and their weights ``(runs, tables, heads, 8, 8)`` for animals.
    """
    tables = held_out_tables(model.questions)
    _, weights = look(model, tables.animals)
    places = tables.places[:, :, None].expand(*weights.shape[:-1], -1)
    return weights.gather(-1, places).double().mean(dim=(1, 3))


@torch.no_grad()
def at_a_table(model: Parts, look: Look, run: int = 0) -> tuple[Any, ...]:
    """What a ``HeadPicker`` shows of one of the readers, at a table that it has never seen.

    Args:
        look: gives a model's heads and their weights ``(runs, tables, heads, 8, 8)`` for animals.
    """
    tables, before = held_out_tables(model.questions, tables=1), model.on
    scores = []
    for head in range(model.num_heads):
        model.on = torch.zeros_like(before)
        model.on[head] = 1
        scores.append(model(tables.animals)[run, 0])  # (8, questions, 16)
    model.on = before
    names, asked = words("multi_head.animals"), words("multi_head.questions")
    return (
        [names[animal] for animal in tables.animals[run, 0]],
        look(model, tables.animals)[1][run, 0],
        torch.stack(scores),
        names,
        [asked[question] for question in model.questions],
        tables.places[run, 0],
    )
