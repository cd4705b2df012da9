"""What lesson 1 measures with: the tasks and networks of a race, what a layer costs, and training
one stack of blocks in two shapes.

The race takes minutes, so that it was run once, by ``python -m
attention_course.lessons.why_transformers.race``; its log is ``race.json``, beside this file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from ... import corpora
from ...attention import MultiHeadAttention
from ...positions import sinusoidal_encoding
from ...training import train

ITEMS, FILLERS = 8, 8  # words 0 … 7 are worth remembering, 8 … 15 are not
ASK = ITEMS + FILLERS  # the last word of a sentence: which item was it?
PAIRS = (2, 4, 6, 8)  # to remember at once
LENGTH = 64
STEPS, BATCH = 300, 32
WIDTH = 32  # of an embedding
RATES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
DISTANCES = (4, 8, 16, 32, 62)
UNCLIPPED = ("16, unclipped", "62, unclipped")  # tasks without gradient clipping
_TESTED = 512  # sentences

# Words (batch, n, parts), whose parts' embeddings are added, and the right answers (batch,).
Sentences = tuple[Tensor, Tensor]
Task = Callable[[int, torch.Generator], Sentences]


def recall(distance: int) -> Task:
    """One item among fillers, ``distance`` words before the question that ends the sentence.

    Whatever the distance, a sentence has 64 words: only the place of the item differs.
    """

    def sentences(size: int, generator: torch.Generator) -> Sentences:
        words = _fillers(size, generator)
        items = torch.randint(ITEMS, (size,), generator=generator)
        words[:, -1 - distance] = items
        return words.unsqueeze(2), items

    return sentences


def longer(distance: int) -> str:
    """The name in the log of :func:`recall` with four times the steps."""
    return f"{distance}, longer"


def latest(size: int, generator: torch.Generator) -> Sentences:
    """About one word in five is an item; asked for is the last of them."""
    words = _fillers(size, generator)
    items = torch.randint(ITEMS, words.shape, generator=generator)
    here = torch.rand(words.shape, generator=generator) < 0.2
    here[:, 0], here[:, -1] = True, False
    last = (here * torch.arange(LENGTH)).argmax(dim=1)
    return torch.where(here, items, words).unsqueeze(2), items[torch.arange(size), last]


def look_up(pairs: int, *, asked_first: bool = False) -> Task:
    """``pairs`` words, each a name and an item at once; the last word has one of the names only.

    Asked for is the item that stood with it. Names are the words that elsewhere are fillers.
    ``asked_first`` puts the word that asks before the pairs.
    """

    def sentences(size: int, generator: torch.Generator) -> Sentences:
        shuffled = torch.rand(size, FILLERS, generator=generator).argsort(dim=1)
        names = ITEMS + shuffled[:, :pairs]  # (size, pairs), no name twice
        items = torch.randint(ITEMS, (size, pairs), generator=generator)
        asked = torch.randint(pairs, (size, 1), generator=generator)
        names = torch.cat([names, names.take_along_dim(asked, 1)], dim=1)
        parts = torch.cat([items, torch.full((size, 1), ASK)], dim=1)
        words = torch.stack([names, parts], dim=2)
        return words.roll(int(asked_first), dims=1), items.take_along_dim(asked, 1)[:, 0]

    return sentences


def of_two_kinds(task: Task, *, new: bool) -> Task:
    """Those sentences of a task that are kept for the test, about a fifth; or else all others.

    Which are kept is told by a sum over a sentence's words, so that no single word tells it.
    """

    def sentences(size: int, generator: torch.Generator) -> Sentences:
        words, items = task(10 * size, generator)
        places = torch.arange(1, words[0].numel() + 1)
        kept = ((words.flatten(1) * places).sum(dim=1) % 5 == 0) == new
        return words[kept][:size], items[kept][:size]

    return sentences


def items_alone(pairs: int) -> float:
    """The share of questions about ``pairs`` answered by the commonest of a sentence's items.

    That is the best to be done by who knows which items occurred, and not with which names.
    """
    sentences, right = look_up(pairs)(20_000, torch.Generator().manual_seed(7))
    counts = F.one_hot(sentences[:, :-1, 1], ITEMS).sum(dim=1)  # (sentences, ITEMS)
    return (counts.argmax(dim=1) == right).double().mean().item()


def _fillers(size: int, generator: torch.Generator) -> Tensor:
    words = torch.randint(ITEMS, ITEMS + FILLERS, (size, LENGTH), generator=generator)
    words[:, -1] = ASK
    return words


class Recurrent(nn.Module):
    """An embedding, a recurrent layer that reads word after word, and a guess from its last state.

    Args:
        layer: ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM``.
        width: of the state.
    """

    def __init__(self, layer: type[nn.RNNBase], width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(ASK + 1, WIDTH)
        self.read = layer(WIDTH, width, batch_first=True)
        self.answer = nn.Linear(width, ITEMS)

    def vectors(self, words: Tensor) -> Tensor:
        """Of the words: ``(batch, n, parts)`` to ``(batch, n, WIDTH)``."""
        return self.embedding(words).sum(2)

    def guesses(self, x: Tensor) -> Tensor:
        """A score for each item, ``(batch, ITEMS)``, from the words' vectors."""
        states, _ = self.read(x)  # (batch, n, width)
        return self.answer(states[:, -1])

    def forward(self, words: Tensor) -> Tensor:
        return self.guesses(self.vectors(words))


class Attending(nn.Module):
    """An embedding, one head of attention from the question to all words, and a guess.

    Args:
        ordered: whether the words are told where they stand.
    """

    def __init__(self, ordered: bool = True) -> None:
        super().__init__()
        self.embedding = nn.Embedding(ASK + 1, WIDTH)
        self.attend = MultiHeadAttention(WIDTH, 1)
        self.answer = nn.Linear(WIDTH, ITEMS)
        self.register_buffer("places", ordered * sinusoidal_encoding(LENGTH, WIDTH))

    def vectors(self, words: Tensor) -> Tensor:
        """Of the words with their places: ``(batch, n, parts)`` to ``(batch, n, WIDTH)``."""
        return self.embedding(words).sum(2) + self.places[: words.size(1)]

    def guesses(self, x: Tensor) -> Tensor:
        """A score for each item, ``(batch, ITEMS)``, from the words' vectors."""
        mixture, _ = self.attend(x[:, -1:], x)  # (batch, 1, WIDTH)
        return self.answer(mixture[:, 0])

    def forward(self, words: Tensor) -> Tensor:
        return self.guesses(self.vectors(words))


def _started_open(model: Recurrent, by: float) -> Recurrent:
    """Adds to the bias of an LSTM's forget gates, so that it keeps more of its state at first.

    Source: Jozefowicz et al. 2015, An Empirical Exploration of Recurrent Network Architectures.
    """
    width = model.read.hidden_size
    with torch.no_grad():
        model.read.bias_ih_l0[width : 2 * width] += by  # input, forget, cell, output: width each
    return model


# Of about the same number of parameters: a GRU has three times the matrices of a plain layer, an
# LSTM four times.
MODELS: dict[str, Callable[[], nn.Module]] = {
    "rnn": lambda: Recurrent(nn.RNN, 50),
    "gru": lambda: Recurrent(nn.GRU, 24),
    "lstm": lambda: Recurrent(nn.LSTM, 20),
    "lstm_open": lambda: _started_open(Recurrent(nn.LSTM, 20), 1),
    "lstm_wide": lambda: _started_open(Recurrent(nn.LSTM, 20), 5),
    "attention": Attending,
    "unordered": lambda: Attending(ordered=False),
}
RECURRENT = ["rnn", "gru", "lstm"]


def parameters_of(model: str) -> int:
    """The number of a model's parameters."""
    return sum(parameter.numel() for parameter in MODELS[model]().parameters())


class Result(NamedTuple):
    """Of one run, on 512 sentences made for the test."""

    accuracy: float
    loss: float


def fit(
    model: str | Callable[[], nn.Module],
    task: Task,
    *,
    learning_rate: float,
    seed: int,
    steps: int = STEPS,
    max_norm: float | None = 1.0,
) -> nn.Module:
    """A model, trained on ``steps`` batches of 32 sentences.

    Sentences are drawn anew at each step. Of those with an item far back none comes twice in
    practice; with two pairs there are only 7,168, and some are met again.

    Args:
        model: its name, or what makes it.
        max_norm: the gradient is clipped to this norm, or not at all.
    """
    torch.manual_seed(seed)
    model = MODELS[model]() if isinstance(model, str) else model()
    generator = torch.Generator().manual_seed(1000 + seed)

    def loss(model: nn.Module, sentences: Sentences) -> Tensor:
        words, items = sentences
        return F.cross_entropy(model(words), items)

    train(
        model,
        lambda step: task(BATCH, generator),
        loss,
        steps=steps,
        learning_rate=learning_rate,
        max_norm=max_norm,
        progress=False,
    )
    return model


@torch.no_grad()
def test(model: nn.Module, task: Task) -> Result:
    """What a model reaches on 512 new sentences, the same for all models."""
    words, items = task(_TESTED, torch.Generator().manual_seed(7))
    guesses = model(words)  # (512, ITEMS)
    right = guesses.argmax(dim=1) == items
    return Result(right.double().mean().item(), F.cross_entropy(guesses, items).item())


def run(
    model: str | Callable[[], nn.Module], task: Task, *, tested: Task | None = None, **fitted: Any
) -> Result:
    """What a model reaches on new sentences once it is trained, with the settings of :func:`fit`.

    Args:
        tested: gives the sentences for the test, if they are not drawn as those for training.
    """
    return test(fit(model, task, **fitted), tested or task)


def race() -> dict[str, dict[str, Any]]:
    """The log of the race: model → distance, as text, or ``"latest"`` → what :mod:`.race` wrote."""
    log = resources.files(__package__).joinpath("race.json")
    return json.loads(log.read_text(encoding="utf-8"))


def raced(model: str, tasks: Sequence[str | int] = DISTANCES) -> np.ndarray:
    """The accuracies of a model in the race: ``(tasks, runs)``."""
    return np.array([race()[model][str(task)]["accuracies"] for task in tasks])


def all_runs(model: str, task: str) -> list[float]:
    """The accuracies of a model's five trials at a task, and of its five runs."""
    entry = race()[model][task]
    return [*entry["tried"].values(), *entry["accuracies"]]


def band(shares: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, lowest and highest over the runs, of ``(tasks, runs)``."""
    return shares.mean(axis=1), shares.min(axis=1), shares.max(axis=1)


# --- What a layer costs ---------------------------------------------------------------------------


class Costs(NamedTuple):
    """What one layer of width 32 does with a sentence.

    Attributes:
        operations: multiplications with an addition each.
        steps: that have to wait for one another.
        path: steps on the way from the first word to the last: words, or layers of this kind.
        kept: numbers that are kept until the gradient is computed, parameters apart.
    """

    operations: int
    steps: int
    path: int
    kept: int


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "convolution": lambda: nn.Conv1d(WIDTH, WIDTH, 3, padding=1),
    "recurrent": lambda: nn.RNN(WIDTH, WIDTH, batch_first=True),
    "attention": lambda: MultiHeadAttention(WIDTH, 1),
}


def costs(name: str, n: int) -> Costs:
    """Measure a layer on a sentence of ``n`` words."""
    torch.manual_seed(0)
    layer = LAYERS[name]()
    x = torch.randn(1, n, WIDTH)
    with FlopCounterMode(display=False) as counter:
        _applied(layer, x)
    steps = n if name == "recurrent" else 1  # each state needs the one before it
    path = n - 1 if name == "recurrent" else _layers_until_seen(layer, x)
    return Costs(counter.get_total_flops() // 2, steps, path, _kept(layer, x))


def _applied(layer: nn.Module, x: Tensor) -> Tensor:
    if isinstance(layer, nn.Conv1d):
        return layer(x.transpose(1, 2)).transpose(1, 2)
    if isinstance(layer, nn.RNN):
        return layer(x)[0]
    return layer(x, need_weights=True)[0]


def _layers_until_seen(layer: nn.Module, x: Tensor) -> int:
    """How often a layer has to be applied until the last output depends on the first word."""
    x = x.double().requires_grad_()
    layer, y, layers = layer.double(), x, 0
    while True:
        y, layers = _applied(layer, y), layers + 1
        (gradient,) = torch.autograd.grad(y[0, -1].sum(), x, retain_graph=True)
        if gradient[0, 0].any():
            return layers


def _kept(layer: nn.Module, x: Tensor) -> int:
    layer, kept = layer.float(), {parameter.data_ptr(): 0 for parameter in layer.parameters()}

    def pack(tensor: Tensor) -> Tensor:
        kept.setdefault(tensor.data_ptr(), tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = _applied(layer, x)
    assert y.requires_grad
    return sum(kept.values())


# --- One stack of blocks, two shapes --------------------------------------------------------------

# From sentences (batch, n) to what is seen (batch, m) and the words wanted there, 0 for none.
Ask = Callable[[Tensor], tuple[Tensor, Tensor]]


def text() -> tuple[Tensor, Tensor, int]:
    """Sentences to learn from, sentences held out, and how many words there are.

    They are those of the fill-in corpus with one clue, the answer in the place of the blank:
    ``(n_sentences, longest)``, 0 where there is no word.
    """
    corpus = corpora.fill_in_the_blank()
    known = len(corpus.vocabulary)

    def filled(sentences: corpora.BlankSentences) -> Tensor:
        asked = sentences.where(asks="what", clues=1)
        words, blank = torch.as_tensor(asked.words), torch.as_tensor(asked.blank)
        return torch.where(words == blank, known + torch.as_tensor(asked.answer)[:, None], words)

    return filled(corpus.train), filled(corpus.held_out), known + len(corpus.answers)


def spelled(ids: Tensor) -> list[str]:
    """The words of a sentence of :func:`text`, ``(n,)``: nothing for 0, a box for a hidden word."""
    corpus = corpora.fill_in_the_blank()
    known = [*corpus.vocabulary.words, *corpus.answers, "▢"]
    return [known[i] for i in ids.tolist()]


def commonest(words: Tensor) -> float:
    """The share of the commonest word among all words."""
    counts = words[words > 0].bincount()
    return (counts.max() / counts.sum()).item()


class Stack(nn.Module):
    """Vectors of words with their places, two blocks, and a guess at every word.

    Args:
        block: makes a block of a width; it is called with vectors ``(batch, n, width)`` and a mask.
        vocabulary: how many words there are.
    """

    def __init__(self, block: Callable[[int], nn.Module], vocabulary: int) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, WIDTH)
        self.blocks = nn.ModuleList([block(WIDTH), block(WIDTH)])
        self.guess = nn.Linear(WIDTH, vocabulary)

    def forward(self, words: Tensor, mask: Tensor | None = None) -> Tensor:
        x = self.words(words) + sinusoidal_encoding(words.size(1), WIDTH)  # (batch, n, WIDTH)
        for block in self.blocks:
            x = block(x, mask)
        return self.guess(x)  # (batch, n, vocabulary)


def train_stack(stack: nn.Module, words: Tensor, ask: Ask, mask: Tensor | None = None) -> None:
    """150 steps of 64 sentences drawn at random, with Adam at a learning rate of 0.003.

    Args:
        stack: trained in place; called with what is seen, and the mask.
        words: ``(n_sentences, n)``.
        ask: what is seen of sentences, and which words are wanted.
        mask: who may look at whom, ``(m, m)``.
    """
    train(
        stack,
        lambda step: words[torch.randint(len(words), (64,))],
        lambda stack, drawn: F.cross_entropy(*_answers(stack, drawn, ask, mask)),
        steps=150,
        learning_rate=3e-3,
        max_norm=1.0,
    )


@torch.no_grad()
def named(stack: nn.Module, words: Tensor, ask: Ask, mask: Tensor | None = None) -> float:
    """The share of the words wanted that the stack names."""
    guesses, wanted = _answers(stack, words, ask, mask)
    return (guesses.argmax(dim=1) == wanted).double().mean().item()


def _answers(
    stack: nn.Module, words: Tensor, ask: Ask, mask: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Guesses ``(asked, vocabulary)`` and the words wanted ``(asked,)``."""
    seen, wanted = ask(words)
    return stack(seen, mask)[wanted > 0], wanted[wanted > 0]


@torch.no_grad()
def moved(stack: nn.Module, words: Tensor, mask: Tensor | None = None) -> Tensor:
    """Which outputs move when a word is replaced by another: ``(n, n)``, output by word.

    Args:
        stack: called with words and mask.
        words: one sentence, ``(1, n)``.
        mask: who may look at whom.
    """
    before, columns = stack(words, mask), []
    for i in range(words.size(1)):
        changed = words.clone()
        changed[0, i] = words[0, (i + 1) % words.size(1)]
        columns.append((stack(changed, mask) - before)[0].abs().amax(dim=1) > 1e-6)  # (n,)
    return torch.stack(columns, dim=1)
