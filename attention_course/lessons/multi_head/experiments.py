"""What lesson 3-3 and its lab measure with: animals at a round table, and readers of it.

The readers' forward passes stand on the pages. Here is what would only be in the way there: seating
the animals, training, and asking with some of the heads switched off.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
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
RATES = (0.01, 0.03)  # of learning


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


def tables_to_choose_by(questions: Sequence[str], tables: int = 100) -> Tables:
    """Tables by which a head or a learning rate is chosen; no accuracy is measured on them."""
    return lay(questions, tables, torch.Generator().manual_seed(2))


class Parts(nn.Module):
    """What a reader of tables is made of; how it uses them is said by its ``forward``.

    Attributes:
        W_query, W_key, W_value: ``(runs, 1, 32, width)``, whatever the number of heads. The axis of
            1 stands for all tables of a run.
        W_output: ``(runs, 1, width, 32)``.
        W_up, W_down: ``(runs, 1, 32, hidden)`` and ``(runs, 1, hidden, 32)``, of a feed-forward.
        on: ``(runs, 1, heads, 1, 1)``: 1 for each head; a 0 switches it off.

    Args:
        num_heads: how many heads; divides ``width``.
        questions: what each seat is asked.
        width: of all heads together.
        hidden: how many numbers a feed-forward has in between; by default there is none.
        seed: of the random numbers.
    """

    def __init__(
        self,
        num_heads: int,
        questions: Sequence[str],
        *,
        width: int = WIDTH,
        hidden: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)

        def matrix(rows: int, columns: int) -> nn.Parameter:
            numbers = torch.randn(RUNS, 1, rows, columns, generator=generator)
            return nn.Parameter(numbers / math.sqrt(max(rows, 1)))

        self.num_heads, self.questions = num_heads, tuple(questions)
        self.W_query, self.W_key, self.W_value = (matrix(WIDTH, width) for _ in range(3))
        self.W_output = matrix(width, WIDTH)
        self.embedding = nn.Parameter(torch.randn(RUNS, ANIMALS, WIDTH, generator=generator))
        self.W_answer = matrix(WIDTH, len(self.questions) * ANIMALS)
        self.W_up, self.W_down = matrix(WIDTH, hidden), matrix(hidden, WIDTH)
        self.register_buffer("on", torch.ones(RUNS, 1, num_heads, 1, 1))

    def by_head(self, x: Tensor) -> Tensor:
        """Each head's own columns: ``(..., 8, width)`` -> ``(..., heads, 8, d_head)``."""
        return x.unflatten(-1, (self.num_heads, -1)).transpose(-2, -3)

    def join(self, heads: Tensor) -> Tensor:
        """The heads side by side again: ``(..., heads, 8, d_head)`` -> ``(..., 8, width)``."""
        return heads.transpose(-2, -3).flatten(-2)

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


@contextmanager
def switched(model: Parts, on: Tensor) -> Iterator[None]:
    """While it lasts, the heads of a model are switched on and off as ``on`` says."""
    before, model.on = model.on, on
    try:
        yield
    finally:
        model.on = before


@torch.no_grad()
def share_right(model: Parts, tables: Tables) -> Tensor:
    """The share of right answers at some tables, for each run and question."""
    said = model(tables.animals).argmax(dim=-1)  # (runs, tables, 8, questions)
    return (said == tables.answers).double().mean(dim=(1, 2))


def accuracy(model: Parts, off: Sequence[int] = ()) -> Tensor:
    """The share of right answers on held-out tables, for each run and question.

    Args:
        off: the heads that are switched off during the test.

    Returns:
        ``(runs, questions)``.
    """
    on = model.on.clone()
    on[:, :, list(off)] = 0
    with switched(model, on):
        return share_right(model, held_out_tables(model.questions))


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
    tables, scores = held_out_tables(model.questions, tables=1), []
    for head in range(model.num_heads):
        alone = torch.zeros_like(model.on)
        alone[:, :, head] = 1
        with switched(model, alone):
            scores.append(model(tables.animals)[run, 0])  # (8, questions, 16)
    names, asked = words("multi_head.animals"), words("multi_head.questions")
    return (
        [names[animal] for animal in tables.animals[run, 0]],
        look(model, tables.animals)[1][run, 0],
        torch.stack(scores),
        names,
        [asked[question] for question in model.questions],
        tables.places[run, 0],
    )


# --- Fewer heads (the lab) -----------------------------------------------------------------------


def order_by_importance(model: Parts) -> Tensor:
    """In which order each run loses its heads if always the least important one goes.

    That is the one without which most answers stay right, tried anew after each removal.

    Returns:
        ``(runs, heads)``: numbers of heads, the first to go first.
    """
    tables, runs = tables_to_choose_by(model.questions), torch.arange(RUNS)
    on, order = torch.ones_like(model.on), []
    for _ in range(model.num_heads):
        left = []
        for head in range(model.num_heads):
            without = on.clone()
            without[:, :, head] = 0
            with switched(model, without):
                left.append(share_right(model, tables).mean(dim=1))
        there = on.flatten(1) > 0  # (runs, heads)
        order.append(torch.stack(left, dim=1).where(there, -1.0).argmax(dim=1))
        on[runs, :, order[-1]] = 0
    return torch.stack(order, dim=1)


def random_order(model: Parts, seed: int = 0) -> Tensor:
    """Another order, by lot, in each run: ``(runs, heads)``."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(RUNS, model.num_heads, generator=generator).argsort(dim=1)


def without(model: Parts, order: Tensor, count: int) -> Tensor:
    """The switches of a model whose runs have lost the first ``count`` heads of their orders."""
    on = torch.ones_like(model.on)
    on[torch.arange(RUNS)[:, None], :, order[:, :count]] = 0
    return on


def accuracy_as_heads_go(model: Parts, order: Tensor) -> Tensor:
    """Accuracy with none, one, … all of the heads removed: ``(heads + 1, runs)``."""
    tables, shares = held_out_tables(model.questions), []
    for count in range(model.num_heads + 1):
        with switched(model, without(model, order, count)):
            shares.append(share_right(model, tables).mean(dim=1))
    return torch.stack(shares)


def falls(model: Parts) -> Tensor:
    """How far accuracy falls without each head and each pair: ``(runs, heads, heads)``.

    In the diagonal, one head is off; else the head of the row and the head of the column.
    """
    numbers, whole = range(model.num_heads), accuracy(model).mean(dim=1)
    fallen = torch.zeros(RUNS, model.num_heads, model.num_heads, dtype=torch.double)
    for i in numbers:
        for j in numbers[i:]:
            fallen[:, i, j] = fallen[:, j, i] = whole - accuracy(model, off=[i, j]).mean(dim=1)
    return fallen


@torch.no_grad()
def with_twins(model: Parts) -> Parts:
    """A model that answers the same, but has each head twice, each with half of its output."""
    width = model.W_query.shape[-1]
    twins = type(model)(2 * model.num_heads, model.questions, width=2 * width)
    for name in ("W_query", "W_key", "W_value"):
        matrix = getattr(model, name)
        getattr(twins, name).copy_(torch.cat([matrix, matrix], dim=-1))
    twins.W_output.copy_(torch.cat([model.W_output, model.W_output], dim=-2) / 2)
    twins.embedding.copy_(model.embedding)
    twins.W_answer.copy_(model.W_answer)
    return twins


def fit_at_best_rate(model: Parts, rates: Sequence[float] = RATES, **training: Any) -> Parts:
    """Train the same readers at each learning rate; returns those that then answer best.

    Args:
        model: untrained, and left so.
        training: what else :func:`fit` takes.
    """
    tables = tables_to_choose_by(model.questions)
    trained = [fit(deepcopy(model), learning_rate=rate, **training) for rate in rates]
    return max(trained, key=lambda readers: share_right(readers, tables).mean())
