"""What lesson 4-3 and its lab measure with: three techniques of training, each switchable.

The translator of lesson 4-2, smaller, and with few sentence pairs, so that it can overfit; and a
recurrent network, whose gradient explodes. What takes minutes is in ``grid.json``, the log of
``python -m attention_course.lessons.training_techniques.grid``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ... import training
from ...corpora import SentencePair, TranslationCorpus, translation
from ...transformer import Transformer
from ..train_a_translator import experiments as translator

SIZES = {"d_model": 32, "num_heads": 4, "d_ff": 64}
Schedule = Callable[[int], float]


@dataclass(frozen=True)
class Run:
    """A model after training, and what was written down on the way.

    Attributes:
        model: as it was after the last step that could be taken.
        losses: the loss at each step.
        norms: the norm of the gradient at each step, before it was clipped.
        broke: the step at which loss or gradient was no longer a finite number, or None.
    """

    model: nn.Module
    losses: list[float]
    norms: list[float]
    broke: int | None = None

    def last(self, steps: int = 20) -> float:
        """The mean loss over the last steps."""
        return float(np.mean(self.losses[-steps:]))


def corpus(pairs: int) -> TranslationCorpus:
    """So many sentence pairs to learn from, and 300 held out."""
    return translation(pairs, held_out=300, unseen_combinations=1, longer=1)


def train(
    corpus: TranslationCorpus,
    *,
    schedule: Schedule,
    steps: int,
    norm: str = "pre",
    layers: int = 2,
    batch: int = 32,
    smoothing: float = 0.0,
    max_norm: float = math.inf,
    seed: int = 0,
    broken: int | None = None,
    times: float = 1.0,
) -> Run:
    """Train a small translator with Adam.

    Args:
        schedule: the learning rate at each step.
        norm, layers: of the Transformer.
        smoothing: of the labels.
        max_norm: clip the gradient's norm to this.
        seed: chooses the model's start and the batches.
        broken, times: at this step the loss is ``times`` as large as it should be.
    """
    model = translator.model(corpus, seed=seed, num_layers=layers, norm=norm, **SIZES)
    optimizer = torch.optim.Adam(model.parameters())
    norms = watch(optimizer, max_norm)
    taken = []

    def loss(model: nn.Module, examples: translator.Batch) -> Tensor:
        value = translator.loss(model, examples, smoothing)
        taken.append(value.item())
        return value * (times if len(taken) == broken else 1.0)

    training.train(
        model,
        translator.batches(corpus, size=batch, seed=seed),
        loss,
        steps=steps,
        optimizer=optimizer,
        schedule=schedule,
        progress=False,
    )
    return Run(model, taken, norms)


def watch(optimizer: torch.optim.Optimizer, max_norm: float = math.inf) -> list[float]:
    """Before every step of the optimizer, write down the gradient's norm, then clip it."""
    norms: list[float] = []
    parameters = [p for group in optimizer.param_groups for p in group["params"]]

    def clip(*_: Any) -> None:
        norms.append(nn.utils.clip_grad_norm_(parameters, max_norm).item())

    optimizer.register_step_pre_hook(clip)
    return norms


def warm(highest: float, warmup_steps: int = 0) -> Schedule:
    """Up in a straight line for ``warmup_steps`` steps, then level."""
    return lambda step: highest * min(1.0, step / max(1, warmup_steps))


def up_and_down(highest: float, steps: int, warmup_steps: int = 50) -> Schedule:
    """Up in a straight line, then down in a straight line to nearly zero, as in lesson 4-2."""
    return lambda step: highest * min(step / warmup_steps, 1) * max(1 - step / steps, 0.02)


def late(highest: float, warmup_steps: int, steps: int) -> Schedule:
    """The control: the rates of :func:`warm` in the opposite order, so the small ones come last."""
    rising = warm(highest, warmup_steps)
    return lambda step: rising(steps + 1 - step)


# --- How sure a translator is, and how often it is right ------------------------------------------


@torch.no_grad()
def guesses(
    model: Transformer, corpus: TranslationCorpus, pairs: Sequence[SentencePair]
) -> tuple[Tensor, Tensor]:
    """For every next word of the right translations the logarithms of the probabilities of all
    words, ``(words, vocabulary)``, and which word it was, ``(words,)``."""
    source = torch.tensor(corpus.sources(pairs))
    target = torch.tensor(corpus.targets(pairs))
    logits = model(source, target[:, :-1])  # (batch, n_target - 1, vocabulary)
    real = target[:, 1:] != translator.PAD
    return logits[real].log_softmax(dim=-1), target[:, 1:][real]


def calibration_error(sure: Tensor, right: Tensor, bins: int = 10) -> float:
    """The expected calibration error: how far apart are how sure one is and how often right.

    The guesses are sorted into bins by how sure they are; in each bin the mean of ``sure`` is
    compared with the share of ``right``; the mean of the differences is weighted by how many
    guesses there are. 0 is perfect.

    Args:
        sure: the probability of the likeliest word, ``(words,)``.
        right: whether it was the word, ``(words,)``.

    Source: Guo et al. 2017 (arXiv:1706.04599), equation 3.
    """
    which = (sure * bins).long().clamp(max=bins - 1)
    error = 0.0
    for i in range(bins):
        inside = which == i
        if inside.any():
            gap = sure[inside].double().mean() - right[inside].double().mean()
            error += abs(gap.item()) * inside.double().mean().item()
    return error


def judged(
    model: Transformer, corpus: TranslationCorpus, pairs: Sequence[SentencePair]
) -> dict[str, float]:
    """How well a translator does on sentence pairs.

    Returns:
        ``loss``: the cross-entropy of the next word, without smoothing; ``right``: the share of
        next words that are the likeliest; ``sure``: the mean probability of the likeliest;
        ``error``: :func:`calibration_error`; ``exact``: the share of sentences with every word
        right.
    """
    logs, words = guesses(model, corpus, pairs)
    sure, likeliest = logs.exp().max(dim=-1)
    right = likeliest == words
    return {
        "loss": F.nll_loss(logs, words).item(),
        "right": right.double().mean().item(),
        "sure": sure.mean().item(),
        "error": calibration_error(sure, right),
        "exact": translator.exact_match(model, corpus, pairs),
    }


def grid() -> dict[str, Any]:
    """The log of the grid: part → what was varied → a list with what came out of each start."""
    log = resources.files(__package__).joinpath("grid.json")
    return json.loads(log.read_text(encoding="utf-8"))


# --- A network whose gradient explodes ------------------------------------------------------------


class Adder(nn.Module):
    """A recurrent network that reads numbers and is asked for the sum of two that are marked.

    Its state begins each step as it was, with a bend: the matrix starts as the identity. Source:
    Le, Jaitly and Hinton 2015 (arXiv:1504.00941).
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.network = nn.RNN(2, width, nonlinearity="relu", batch_first=True)
        self.answer = nn.Linear(width, 1)
        with torch.no_grad():
            nn.init.eye_(self.network.weight_hh_l0)
            self.network.bias_hh_l0.zero_()
            self.network.bias_ih_l0.zero_()

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, length, 2)``, numbers and marks, to ``(batch,)``."""
        return self.answer(self.network(x)[0][:, -1])[:, 0]


GUESS = 1 / 6
"""The loss of always saying 1, the mean of the sum of two numbers between 0 and 1."""


def sums(length: int, seed: int, step: int, batch: int = 32) -> tuple[Tensor, Tensor]:
    """Numbers between 0 and 1, of which one in each half is marked, and the sum of the two."""
    generator = torch.Generator().manual_seed(1_000_003 * seed + step)
    numbers = torch.rand(batch, length, generator=generator)
    marks = torch.zeros(batch, length)
    half = length // 2
    for first, last in ((0, half), (half, length)):
        places = torch.randint(first, last, (batch, 1), generator=generator)
        marks.scatter_(1, places, 1.0)
    return torch.stack([numbers, marks], dim=-1), (numbers * marks).sum(dim=-1)


def add(
    *,
    learning_rate: float,
    max_norm: float = math.inf,
    steps: int = 300,
    length: int = 50,
    seed: int = 0,
) -> Run:
    """Train an :class:`Adder` with plain gradient descent, until the numbers break."""
    torch.manual_seed(seed)
    model = Adder()
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    norms, taken = watch(optimizer, max_norm), []

    def loss(model: nn.Module, examples: tuple[Tensor, Tensor]) -> Tensor:
        value = F.mse_loss(model(examples[0]), examples[1])
        taken.append(value.item())
        return value

    try:
        training.train(
            model,
            partial(sums, length, seed),
            loss,
            steps=steps,
            optimizer=optimizer,
            progress=False,
        )
    except FloatingPointError:
        return Run(model, taken, norms, broke=len(taken))
    return Run(model, taken, norms)
