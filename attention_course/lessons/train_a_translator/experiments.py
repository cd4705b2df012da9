"""What lesson 4-2 trains and measures with: a translator from Chinese to English.

A model is trained in the lesson; one is trained longer and shipped with the book, and its runs over
seeds were made once, by ``python -m attention_course.lessons.train_a_translator.runs``, whose log
``runs.json`` is beside this file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ... import decoding, training
from ...corpora import SentencePair, TranslationCorpus, Vocabulary
from ...transformer import Transformer, attention_weights

WIDTH, HEADS, LAYERS, HIDDEN = 64, 4, 2, 128
STEPS, BATCH, LEARNING_RATE, WARMUP = 1000, 64, 5e-3, 100
LONGEST = 40
PAD = Vocabulary.PAD

Batch = tuple[Tensor, Tensor]


def model(corpus: TranslationCorpus, *, seed: int = 0, **options: object) -> Transformer:
    """A Transformer for the corpus's words, not trained yet.

    Args:
        options: other than the lesson's, as of :class:`Transformer`.
    """
    torch.manual_seed(seed)
    sizes = {"d_model": WIDTH, "num_heads": HEADS, "num_layers": LAYERS, "d_ff": HIDDEN} | options
    return Transformer(len(corpus.source_vocabulary), len(corpus.target_vocabulary), **sizes)


def batches(
    corpus: TranslationCorpus, *, size: int = BATCH, seed: int = 0
) -> Callable[[int], Batch]:
    """The sentence pairs of a step, drawn by lot: ``(size, n_source)`` and ``(size, n_target)``.

    What a step draws depends on the seed and the step alone, so that a run can go on later.
    """
    source = torch.tensor(corpus.sources(corpus.train))
    target = torch.tensor(corpus.targets(corpus.train))

    def batch(step: int) -> Batch:
        generator = torch.Generator().manual_seed(1_000_003 * seed + step)
        drawn = torch.randint(len(source), (size,), generator=generator)
        return _cut(source[drawn]), _cut(target[drawn])

    return batch


def _cut(rows: Tensor) -> Tensor:
    """Without the columns in which there is nothing but padding."""
    return rows[:, : int((rows != PAD).sum(dim=1).max())]


def loss(translator: Transformer, batch: Batch, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy of every next word, given the source and the words before it."""
    source, target = batch
    logits = translator(source, target[:, :-1])  # (batch, n_target - 1, vocabulary)
    return F.cross_entropy(
        logits.flatten(0, 1),
        target[:, 1:].flatten(),
        ignore_index=PAD,
        label_smoothing=smoothing,
    )


def rate(step: int, steps: int = STEPS, highest: float = LEARNING_RATE) -> float:
    """Up in a straight line for :data:`WARMUP` steps, then down to nearly zero."""
    return highest * min(step / WARMUP, 1) * max(1 - step / steps, 0.02)


def train(
    translator: Transformer,
    corpus: TranslationCorpus,
    *,
    steps: int = STEPS,
    seed: int = 0,
    **options: object,
) -> training.Log:
    """The lesson's training; ``options`` are those of :func:`training.train`."""
    options = {"schedule": partial(rate, steps=steps)} | options
    return training.train(translator, batches(corpus, seed=seed), loss, steps=steps, **options)


# --- What it can do -------------------------------------------------------------------------------


def translate(
    translator: Transformer, corpus: TranslationCorpus, pairs: Sequence[SentencePair]
) -> list[tuple[str, ...]]:
    """Each pair's source, translated by the likeliest word at each step."""
    source = torch.tensor(corpus.sources(pairs))
    written = decoding.greedy_decode(translator, source, corpus.start, corpus.end, LONGEST)
    return [corpus.words(row) for row in written.tolist()]


def exact_match(
    translator: Transformer, corpus: TranslationCorpus, pairs: Sequence[SentencePair]
) -> float:
    """The share of sentences whose translation has every word right."""
    written = translate(translator, corpus, pairs)
    return float(np.mean([w == p.target for w, p in zip(written, pairs, strict=True)]))


# --- Where it looks -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Alignment:
    """For each sentence pair the source word that each target word points to.

    Attributes:
        links: for each pair the set of ``(i, j)``: word ``i`` of the target, ``j`` of the source.
    """

    links: tuple[frozenset[tuple[int, int]], ...]

    def error_rate(self, pairs: Sequence[SentencePair]) -> float:
        """The alignment error rate ``1 - 2·|A ∩ G| / (|A| + |G|)`` against the gold alignment.

        Source: Och and Ney 2003, section 2.3, with all gold links sure.
        """
        both = found = gold = 0
        for links, pair in zip(self.links, pairs, strict=True):
            both += len(links & pair.alignment)
            found += len(links)
            gold += len(pair.alignment)
        return 1 - 2 * both / (found + gold)


def cross_weights(
    translator: Transformer, corpus: TranslationCorpus, pairs: Sequence[SentencePair]
) -> list[np.ndarray]:
    """The weights of the cross-attention while the right target is read.

    Returns:
        For each pair ``(layers, heads, n_target, n_source)``: row ``i`` is where the model looks
        when it writes target word ``i``.
    """
    found = []
    for start in range(0, len(pairs), 100):
        some = pairs[start : start + 100]
        source = torch.tensor(corpus.sources(some))
        target = torch.tensor(corpus.targets(some))
        with torch.no_grad(), attention_weights(translator) as weights:
            translator(source, target[:, :-1])
        layers = [weights[f"decoder.{i}.cross_attention"] for i in range(len(translator.decoder))]
        stacked = torch.stack(layers, dim=1)  # (batch, layers, heads, n_target, n_source)
        for rows, pair in zip(stacked.numpy(), some, strict=True):
            found.append(rows[:, :, : len(pair.target), : len(pair.source)])
    return found


def pointed(weights: Sequence[np.ndarray], layer: int, head: int | None = None) -> Alignment:
    """Each target word points to the source word with the most weight.

    Args:
        weights: as of :func:`cross_weights`.
        layer, head: which; without a head the mean of the layer's.
    """
    links = []
    for each in weights:
        rows = each[layer].mean(axis=0) if head is None else each[layer, head]
        links.append(frozenset(enumerate(rows.argmax(axis=1).tolist())))
    return Alignment(tuple(links))


def diagonal(pairs: Sequence[SentencePair]) -> Alignment:
    """The rival that knows no word: the same place in both sentences, as far as they are long."""
    return Alignment(
        tuple(
            frozenset(
                (i, round(i * (len(pair.source) - 1) / max(len(pair.target) - 1, 1)))
                for i in range(len(pair.target))
            )
            for pair in pairs
        )
    )


def co_occurrence(corpus: TranslationCorpus, pairs: Sequence[SentencePair]) -> Alignment:
    """The rival that only counts: the source word with the largest Dice coefficient in training.

    ``2·(sentences with both words) / (sentences with one + sentences with the other)``.
    """
    together = np.zeros((len(corpus.target_vocabulary), len(corpus.source_vocabulary)))
    for sources, targets in _word_numbers(corpus, corpus.train):
        together[np.ix_(np.unique(targets), np.unique(sources))] += 1
    of_target = np.zeros(len(together))
    of_source = np.zeros(together.shape[1])
    for sources, targets in _word_numbers(corpus, corpus.train):
        of_target[np.unique(targets)] += 1
        of_source[np.unique(sources)] += 1
    dice = 2 * together / np.maximum(of_target[:, None] + of_source, 1)
    return Alignment(
        tuple(
            frozenset(enumerate(dice[np.ix_(targets, sources)].argmax(axis=1).tolist()))
            for sources, targets in _word_numbers(corpus, pairs)
        )
    )


def _word_numbers(
    corpus: TranslationCorpus, pairs: Sequence[SentencePair]
) -> Iterator[tuple[list[int], list[int]]]:
    for pair in pairs:
        yield (
            [corpus.source_vocabulary.id(word) for word in pair.source],
            [corpus.target_vocabulary.id(word) for word in pair.target],
        )
