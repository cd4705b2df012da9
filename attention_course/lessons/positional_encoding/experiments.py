"""What lesson 3-2 and its lab measure with.

The models' own lines stand on the pages. Here is what would only be in the way there: the
sentences, the training, and repeating it all over seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...training import train

Make = Callable[..., nn.Module]

# --- Who bit whom? ------------------------------------------------------------------------------

ANIMALS = 12
BITES, WHO = 12, 13  # the other two words, after the animals 0 … 11
_TRAINED_PAIRS = 44  # of 66


def sentences(pairs: Sequence[tuple[int, int]]) -> Tensor:
    """ "a bites b, who?" and "b bites a, who?" for each pair of animals: ``(2·pairs, 4)``."""
    both_orders = [order for a, b in pairs for order in ((a, b), (b, a))]
    return torch.tensor([[a, BITES, b, WHO] for a, b in both_orders])


@dataclass(frozen=True)
class Run:
    """A model trained to say who bit.

    Attributes:
        model: from sentences ``(batch, 4)`` to a score for each word at each place.
        held_out: sentences whose pair of animals it never saw in training: ``(44, 4)``.
    """

    model: nn.Module
    held_out: Tensor

    @torch.no_grad()
    def accuracy(self, **changes: Any) -> float:
        """The share of held-out sentences whose biter it names at the last word.

        Args:
            changes: attributes of the model that have other values during this test.
        """
        model = deepcopy(self.model)
        for name, value in changes.items():
            setattr(model, name, value)
        named = model(self.held_out)[:, -1].argmax(dim=-1)  # (44,)
        return (named == self.held_out[:, 0]).double().mean().item()


def who_bit(make: Make, *arguments: Any, seeds: int = 5) -> list[Run]:
    """Models ``make(*arguments)``, each on other pairs from another start; 150 steps."""
    return [_who_bit(make, arguments, seed) for seed in range(seeds)]


def _who_bit(make: Make, arguments: tuple[Any, ...], seed: int) -> Run:
    torch.manual_seed(seed)
    model, pairs = make(*arguments), list(combinations(range(ANIMALS), 2))
    pairs = [pairs[i] for i in torch.randperm(len(pairs))]
    seen = sentences(pairs[:_TRAINED_PAIRS])

    def loss(model: nn.Module, words: Tensor) -> Tensor:
        return F.cross_entropy(model(words)[:, -1], words[:, 0])

    train(model, lambda step: seen, loss, steps=150, learning_rate=5e-3, progress=False)
    return Run(model, sentences(pairs[_TRAINED_PAIRS:]))


class Recurrent(nn.Module):
    """torch's plain RNN between an embedding and a guess: it reads one word after the other."""

    def __init__(self, vocabulary: int = ANIMALS + 2, width: int = 32) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, width)
        self.read = nn.RNN(width, width, batch_first=True)
        self.answer = nn.Linear(width, vocabulary)

    def forward(self, words: Tensor) -> Tensor:
        states, _ = self.read(self.words(words))  # (batch, n, width)
        return self.answer(states)  # (batch, n, vocabulary)


# --- Moving on by one matrix ---------------------------------------------------------------------


def best_miss(table: np.ndarray, k: int) -> float:
    """How far the best single matrix stays from moving each row of ``table`` to the row k further.

    Best in the sense of least squares; the largest miss of any number.
    """
    matrix, *_ = np.linalg.lstsq(table[:-k], table[k:], rcond=None)
    return float(np.abs(table[:-k] @ matrix - table[k:]).max())


# --- Train short, test long ----------------------------------------------------------------------

WIDTH = 32
NOTHING = 8  # the word "…", after the animals 0 … 7
TRAINED, TESTED = 16, 64  # lengths
_NO_ANSWER = -100  # what cross_entropy leaves out
_STEPS, _BATCH = 200, 16


class Way(nn.Module):
    """A way to say where words stand, by one of three methods; this one does nothing."""

    def add(self, x: Tensor, positions: Tensor) -> Tensor:
        """The embeddings ``(batch, n, width)``, with something added."""
        return x

    def turn(self, x: Tensor, positions: Tensor) -> Tensor:
        """The queries or the keys ``(batch, n, width)``, turned."""
        return x

    def bias(self, positions: Tensor) -> Tensor | None:
        """What is added to the scores ``(n, n)``."""
        return None


class Parts(nn.Module):
    """What a reader of the lab is made of; how it uses them is said by its ``forward``.

    Args:
        way: tells it where words stand.

    Attributes:
        words: a vector of 32 numbers for each of nine words.
        query, key, value: learned matrices ``(32, 32)``.
        answer: gives each of the nine words a score.
    """

    def __init__(self, way: Way) -> None:
        super().__init__()
        self.way = way
        self.words = nn.Embedding(NOTHING + 1, WIDTH)
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.answer = nn.Linear(WIDTH, NOTHING + 1)


def two_back(batch: int, n: int) -> tuple[Tensor, Tensor]:
    """Animals in a row, and at each place the one two places before: ``(batch, n)`` each."""
    words = torch.randint(NOTHING, (batch, n))
    return words, F.pad(words[:, :-2], (2, 0), value=_NO_ANSWER)


def latest(batch: int, n: int) -> tuple[Tensor, Tensor]:
    """Mostly "…", an animal at one place in five, and at each place the latest animal."""
    animals, spoken = torch.randint(NOTHING, (batch, n)), torch.rand(batch, n) < 0.2
    spoken[:, 0] = True
    when = torch.where(spoken, torch.arange(n), 0).cummax(dim=1).values  # the latest was spoken
    return torch.where(spoken, animals, NOTHING), animals.gather(1, when)


TASKS = {"two_back": two_back, "latest": latest}


def train_readers(
    reader: Callable[[Way], nn.Module],
    way: Callable[..., Way],
    task: str,
    *,
    arguments: tuple[float, ...] = (),
    begin_anywhere: bool = False,
    seeds: int = 4,
) -> list[nn.Module]:
    """Models ``reader(way(*arguments))`` from several starts, trained for 200 steps on 16 words.

    Args:
        reader: makes a model that is called with words ``(batch, n)``, positions ``(n,)`` and,
            where there is one, a mask ``(n, n)``.
        way: makes what tells it where words stand.
        task: one of :data:`TASKS`.
        arguments: what ``way`` is made with.
        begin_anywhere: let each text begin at a position from 0 to 48, so that all positions below
            64 occur; otherwise each begins at 0.
    """
    return [
        _train_reader(lambda: reader(way(*arguments)), task, seed, begin_anywhere)
        for seed in range(seeds)
    ]


def _train_reader(
    make: Callable[[], nn.Module], task: str, seed: int, begin_anywhere: bool
) -> nn.Module:
    torch.manual_seed(seed)
    model = make()
    words, wanted = (each.split(_BATCH) for each in TASKS[task](_STEPS * _BATCH, TRAINED))
    begins = torch.randint(TESTED - TRAINED + 1 if begin_anywhere else 1, (_STEPS,))

    def batch(step: int) -> tuple[Tensor, Tensor, Tensor]:
        i = step - 1
        return words[i], wanted[i], begins[i] + torch.arange(TRAINED)

    def loss(model: nn.Module, examples: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        words, wanted, positions = examples
        return F.cross_entropy(model(words, positions).flatten(0, 1), wanted.flatten())

    adam = torch.optim.Adam(model.parameters(), lr=1e-2, fused=True)  # the faster kind
    train(model, batch, loss, steps=_STEPS, optimizer=adam, progress=False)
    return model


@torch.no_grad()
def accuracy(
    readers: Sequence[nn.Module], task: str, positions: Tensor, mask: Tensor | None = None
) -> np.ndarray:
    """The share of right answers on 256 new texts, for each reader and each position.

    Args:
        readers: from :func:`train_readers`.
        positions: ``(n,)``, where the words stand.
        mask: ``(n, n)``, True = may attend, besides the causal mask.

    Returns:
        ``(readers, n)``, NaN where the task asks for nothing.
    """
    torch.manual_seed(1000)
    words, wanted = TASKS[task](256, len(positions))
    asked = (wanted[0] != _NO_ANSWER).numpy()
    shares = np.full((len(readers), len(positions)), np.nan)
    for i, reader in enumerate(readers):
        right = reader(words, positions, mask).argmax(dim=-1) == wanted  # (256, n)
        shares[i, asked] = right.double().mean(dim=0).numpy()[asked]
    return shares


def with_rows(readers: Sequence[nn.Module], rows: Tensor) -> list[nn.Module]:
    """The same readers, with other ``rows`` to add to their embeddings."""
    changed = deepcopy(list(readers))
    for reader in changed:
        reader.way.rows = rows
    return changed


# --- What position alone does to the scores -------------------------------------------------------


@torch.no_grad()
def scores_of_one_word(reader: Parts, positions: Tensor, word: Tensor | None = None) -> Tensor:
    """The scores ``(n, n)`` of an untrained reader for one word, n times over.

    Args:
        reader: whose matrices and way are used.
        positions: ``(n,)``, where the word stands.
        word: its vector ``(32,)``; a random one if not given.
    """
    torch.manual_seed(0)
    word = torch.randn(WIDTH) if word is None else word
    x = reader.way.add(word.expand(len(positions), WIDTH), positions)
    query, key = (reader.way.turn(part(x), positions) for part in (reader.query, reader.key))
    bias = reader.way.bias(positions)
    return query @ key.T / WIDTH**0.5 + (0 if bias is None else bias)


def unevenness(scores: Tensor) -> float:
    """How much a table of scores ``(n, n)`` changes along its diagonals, at most."""
    n = len(scores)
    diagonals = (scores.diagonal(k) for k in range(1 - n, n))
    return max((d.max() - d.min()).item() for d in diagonals)


def comparable(tables: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Each table moved to a mean of 0 and scaled to a largest size of 1."""
    centred = {name: table - table.mean() for name, table in tables.items()}
    return {name: table / table.abs().max() for name, table in centred.items()}
