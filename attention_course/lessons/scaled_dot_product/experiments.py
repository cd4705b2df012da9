"""What lesson 2-2 and its labs measure with: a reader of sentences, and the game of drawers.

The models' forward passes stand on the pages. Here is what would only be in the way there: making
the examples, training, and repeating it all over seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ... import plots
from ...corpora import Vocabulary
from ...language import words
from ...training import train

Attend = Callable[[Tensor, Tensor, Tensor], Tensor]


def largest_difference(ours: Attend, theirs: Attend, cases: int = 50) -> float:
    """Between two attentions' outputs, over random queries, keys and values in double precision.

    A batch of one and one head stand in front, and values are as wide as keys, as torch's fused
    kernel asks for: otherwise it computes the formula in steps, as we do.

    Args:
        ours, theirs: from ``(1, 1, n_q, d)``, ``(1, 1, n_k, d)`` and ``(1, 1, n_k, d)`` to
            ``(1, 1, n_q, d)``.
        cases: how many; each has its own sizes, from 2 to 32.
    """
    largest = 0.0
    for seed in range(cases):
        generator = torch.Generator().manual_seed(seed)
        n_q, n_k, d = torch.randint(2, 33, (3,), generator=generator).tolist()
        query = torch.randn(1, 1, n_q, d, generator=generator).double()
        key = torch.randn(1, 1, n_k, d, generator=generator).double()
        value = torch.randn(1, 1, n_k, d, generator=generator).double()
        difference = ours(query, key, value) - theirs(query, key, value)
        largest = max(largest, difference.abs().max().item())
    return largest


@contextmanager
def one_thread() -> Iterator[None]:
    """Small matrices are multiplied faster by one core than by several that wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


# --- Sentences such as "cat saw fish and ate it" ------------------------------------------------

ANIMAL, THING, DEED, IT = 0, 2, 4, 5  # where they stand in a sentence


class Reader(nn.Module):
    """An attention layer between an embedding and a table that names a word.

    Trained to say at two places of a sentence what is meant: at the deed, who did it; at "it", what
    it was done to. One pair of animal and thing in eight is held out, the lesson's own among them.

    Args:
        layer: makes the layer from the width of the word vectors and d; called on ``(..., n,
            width)`` it gives the output ``(..., n, d)`` and the weights ``(..., n, n)``.
        width, d: of the word vectors, and of the queries, keys and values.
    """

    def __init__(self, layer: Callable[[int, int], nn.Module], width: int = 16, d: int = 8) -> None:
        super().__init__()
        sentences = _sentences()
        self.vocabulary = Vocabulary(word for sentence in sentences for word in sentence)
        ids = torch.from_numpy(self.vocabulary.encode(sentences))
        apart = torch.tensor([_held_out(sentence) for sentence in sentences])
        self.learned_from, self.held_out = ids[~apart], ids[apart]
        self.embed = nn.Embedding(len(self.vocabulary), width)
        nn.init.normal_(self.embed.weight, std=0.1)
        self.layer = layer(width, d)
        self.read_out = nn.Linear(d, len(self.vocabulary))

    def forward(self, ids: Tensor) -> Tensor:
        """A score for each word of the vocabulary at each place: (batch, n, words)."""
        output, _ = self.layer(self.embed(ids))
        return self.read_out(output)

    @torch.no_grad()
    def weights(self, sentence: Sequence[str]) -> Tensor:
        """Who attends to whom in a sentence: (n, n)."""
        ids = torch.from_numpy(self.vocabulary.encode([sentence]))
        return self.layer(self.embed(ids))[1][0]

    @torch.no_grad()
    def accuracy(self) -> float:
        """The share of right answers on the held-out sentences."""
        return (_said(self, self.held_out) == _meant(self.held_out)).double().mean().item()

    @torch.no_grad()
    def attends_as_meant(self) -> tuple[float, float]:
        """Weights on held-out sentences: of the deed on the animal, of "it" on the thing."""
        _, weights = self.layer(self.embed(self.held_out))
        return weights[:, DEED, ANIMAL].mean().item(), weights[:, IT, THING].mean().item()


def examples() -> list[str]:
    """Two of the sentences that a reader learns from, each with its answers in the line below."""
    learned_from = [sentence for sentence in _sentences() if not _held_out(sentence)]
    lines = []
    for sentence in (learned_from[0], learned_from[-1]):
        answers = ((DEED, ANIMAL), (IT, THING))
        named = [f"{sentence[place]} → {sentence[answer]}" for place, answer in answers]
        lines += [" ".join(sentence), "    " + ",  ".join(named)]
    return lines


@one_thread()
def train_reader(layer: Callable[[int, int], nn.Module], seed: int = 0, steps: int = 300) -> Reader:
    """A trained :class:`Reader`, in under a second."""
    torch.manual_seed(seed)
    reader = Reader(layer)

    def batch(step: int) -> Tensor:
        return reader.learned_from[torch.randint(len(reader.learned_from), (64,))]

    def loss(model: nn.Module, ids: Tensor) -> Tensor:
        return F.cross_entropy(model(ids)[:, [DEED, IT]].flatten(0, 1), _meant(ids).flatten())

    train(reader, batch, loss, steps=steps, learning_rate=0.01, progress=False)
    return reader


def _sentences() -> list[tuple[str, ...]]:
    source = words("scaled_dot_product.reader")
    parts = (source[name] for name in ("animals", "sees", "things", "and", "deeds", "it"))
    return list(product(*parts))


def _held_out(sentence: Sequence[str]) -> bool:
    """Whether animal and thing have the same place in their lists, as the lesson's own have."""
    source = words("scaled_dot_product.reader")
    return source["animals"].index(sentence[ANIMAL]) == source["things"].index(sentence[THING])


def _said(reader: Reader, ids: Tensor) -> Tensor:
    return reader(ids)[:, [DEED, IT]].argmax(dim=-1)


def _meant(ids: Tensor) -> Tensor:
    return ids[:, [ANIMAL, THING]]


# --- The game of drawers ------------------------------------------------------------------------

LETTERS = NUMBERS = 16  # how many there are
DRAWERS = 8  # on a table
RUNS = 5  # models trained side by side, each from its own start and on its own tables
HALF = LETTERS + 1  # places for the letter; the last stands for "no letter"; as many for the number
GAMES = ("same letter", "next letter", "number")


@dataclass(frozen=True)
class Tables:
    """Tables with a slip of paper and eight drawers each, the same number for each run.

    Attributes:
        slips: ``(runs, tables, 1, 34)``.
        drawers: ``(runs, tables, 8, 34)``. Two ones and 32 zeros each: one of 17 places says the
            letter, one of 17 the number; the last of the 17 stands for none.
        answers: ``(runs, tables)``.
    """

    slips: Tensor
    drawers: Tensor
    answers: Tensor


def lay_out(game: str, tables: int, generator: torch.Generator) -> Tables:
    """Fresh tables, on each of which no letter and no number stands twice.

    The answer is in drawer 0, which attention cannot know.

    Args:
        game: what the slip names of the right drawer. ``"same letter"``: its letter; ``"next
            letter"``: the letter before its own (A comes after P); asked is its number.
            ``"number"``: its number; asked is its letter.

    Raises:
        ValueError: another game.
    """
    if game not in GAMES:
        raise ValueError(f"game: got {game!r}, expected one of {', '.join(GAMES)}")
    letters, numbers = _different(tables, generator), _different(tables, generator)
    none = torch.full_like(letters[..., :1], LETTERS)
    if game == "number":
        slips, answers = _ones(none, numbers[..., :1]), letters[..., 0]
    else:
        named = (letters[..., :1] - int(game == "next letter")) % LETTERS
        slips, answers = _ones(named, none), numbers[..., 0]
    return Tables(slips, _ones(letters, numbers), answers)


def held_out_tables(game: str, tables: int = 500) -> Tables:
    """The tables on which accuracy is measured; always the same ones."""
    return lay_out(game, tables, torch.Generator().manual_seed(1))


class Matrices(nn.Module):
    """The three matrices of a model for the game; a page adds what the model does with them.

    Their numbers are drawn so that those of a query or key (two rows, added) have variance 1.

    Attributes:
        W_query, W_key: ``(runs, 1, 34, d)``. The axis of 1 stands for all tables of a run.
        W_value: ``(runs, 1, 34, 16)``: one number for each possible answer.
        scale: what the scores are to be multiplied by.

    Args:
        d: the width of queries and keys.
        scale: ``1/√d`` if not given.
        start: the first queries are so many times as large.
        one_matrix: the queries' matrix and the keys' are one and the same.
        seed: of the random numbers.
    """

    def __init__(
        self,
        d: int,
        scale: float | None = None,
        start: float = 1.0,
        one_matrix: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)

        def matrix(width: int, size: float = 1.0) -> nn.Parameter:
            numbers = torch.randn(RUNS, 1, 2 * HALF, width, generator=generator)
            return nn.Parameter(size * numbers / math.sqrt(2))

        self.scale = 1 / math.sqrt(d) if scale is None else scale
        self.W_query, self.W_key, self.W_value = matrix(d, start), matrix(d), matrix(NUMBERS)
        if one_matrix:
            self.W_query = self.W_key


@one_thread()
def fit(
    model: Matrices,
    game: str = "same letter",
    *,
    learning_rate: float = 0.03,
    steps: int = 200,
    optimizer: type[torch.optim.Optimizer] = torch.optim.Adam,
    query_rate: float = 1.0,
) -> Tensor:
    """Train a model on fresh tables at every step; its accuracy on held-out tables, (runs,).

    Args:
        model: from slips and drawers to a score for each answer, ``(runs, tables, 16)``.
        query_rate: the learning rate of ``W_query``, as a multiple of that of the others.
    """
    generator = torch.Generator().manual_seed(0)
    rates = [
        {"params": [parameter], "lr": learning_rate * (query_rate if name == "W_query" else 1)}
        for name, parameter in model.named_parameters()
    ]

    def batch(step: int) -> Tables:
        return lay_out(game, 32, generator)

    train(model, batch, _loss, steps=steps, optimizer=optimizer(rates), progress=False)
    tables = held_out_tables(game)
    with torch.no_grad():
        return accuracy(model(tables.slips, tables.drawers), tables)


def sweep(
    make: Callable[..., Matrices],
    d: int,
    rates: Sequence[float],
    *,
    scale: float,
    start: float = 1.0,
    **training: Any,
) -> Tensor:
    """The accuracy of a fresh model, ``make(d, scale, start)``, for each learning rate.

    Args:
        rates: learning rates.
        scale, start: see :class:`Matrices`.
        training: see :func:`fit`.

    Returns:
        ``(rates, runs)``.
    """
    return torch.stack(
        [fit(make(d, scale, start), learning_rate=rate, **training) for rate in rates]
    )


def one_step(model: Matrices, tables: Tables, optimizer: torch.optim.Optimizer) -> None:
    """One step of training on these tables."""
    optimizer.zero_grad()
    _loss(model, tables).backward()
    optimizer.step()


def accuracy(scores: Tensor, tables: Tables) -> Tensor:
    """The share of tables answered right: (runs, tables, 16) -> (runs,)."""
    return (scores.argmax(dim=-1) == tables.answers).double().mean(dim=-1)


def accuracy_bars(runs: Mapping[str, Tensor], key: str) -> plots.Picture:
    """A bar for the mean of each, its ends over the runs, and what opening any drawer reaches."""
    return plots.bars(
        {name: each.mean() for name, each in runs.items()},
        spread={name: (each.min(), each.max()) for name, each in runs.items()},
        reference=1 / DRAWERS,
        limits=(0, 1),
        key=key,
    )


def _loss(model: nn.Module, tables: Tables) -> Tensor:
    scores = model(tables.slips, tables.drawers)
    # Added up over the runs, so that each learns as if it were alone.
    return RUNS * F.cross_entropy(scores.flatten(0, 1), tables.answers.flatten())


def _different(tables: int, generator: torch.Generator) -> Tensor:
    """Eight different ones of sixteen for each table: (runs, tables, 8)."""
    order = torch.rand(RUNS, tables, LETTERS, generator=generator).argsort(dim=-1)
    return order[..., :DRAWERS]


def _ones(letters: Tensor, numbers: Tensor) -> Tensor:
    """(..., n), (..., n) -> (..., n, 34)"""
    return torch.cat([F.one_hot(letters, HALF), F.one_hot(numbers, HALF)], dim=-1).float()


# --- Random queries and keys --------------------------------------------------------------------

DIMS = tuple(2**power for power in range(2, 11))  # d = 4, 8, …, 1024
SEEDS = 8


def draw(d: int, seed: int, queries: int = 200, keys: int = 16) -> tuple[Tensor, ...]:
    """Random queries, their keys and values, and the direction in which a loss pulls the outputs.

    All numbers are independent, with mean 0 and variance 1.

    Returns:
        Query ``(queries, 1, d)``, which asks for its gradient; key ``(queries, keys, d)``; value
        ``(queries, keys, 8)``; pull ``(queries, 1, 8)``.
    """
    generator = torch.Generator().manual_seed(seed)
    query = torch.randn(queries, 1, d, generator=generator, requires_grad=True)
    key = torch.randn(queries, keys, d, generator=generator)
    value = torch.randn(queries, keys, 8, generator=generator)
    return query, key, value, torch.randn(queries, 1, 8, generator=generator)


def for_each_d(measure: Callable[..., Sequence[Tensor | float]], **options: object) -> Tensor:
    """``measure(d, seed, **options)`` for each d of :data:`DIMS` and seed: (results, 9, 8)."""
    results = [
        [torch.as_tensor(measure(d, seed, **options)) for seed in range(SEEDS)] for d in DIMS
    ]
    return torch.stack([torch.stack(each) for each in results]).movedim(-1, 0).double()


def band(runs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What a curve shows of several runs: mean, lowest, highest; (..., runs) -> 3 × (...)."""
    return runs.mean(-1), runs.amin(-1), runs.amax(-1)
