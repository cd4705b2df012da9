"""What lesson 4-2 trains and measures with: a translator from Chinese to English.

A model is trained in the lesson; one is trained longer and shipped with the book, and its runs over
seeds were made once, by ``python -m attention_course.lessons.train_a_translator.runs``, whose log
``runs.json`` is beside this file.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ... import decoding, training
from ...corpora import SentencePair, TranslationCorpus, Vocabulary, further
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


def runs() -> dict[str, dict[str, Any]]:
    """The log of the runs from five starts, by their seeds; see ``runs.py``."""
    return json.loads(Path(__file__).with_name("runs.json").read_text(encoding="utf-8"))


def logged_matches() -> list[dict[str, float]]:
    """The exact match on each part, of each run of the log."""
    return [run["exact_match"] for run in runs().values()]


def logged_error_rates(layer: int) -> list[dict[str, Any]]:
    """The error rates of a layer's heads, and of their mean, on ``held_out``: of each run."""
    rows = [run["error_rates"][layer] for run in runs().values()]
    return [{"heads": row[:-1], "mean": row[-1]} for row in rows]


# --- Stopped and resumed --------------------------------------------------------------------------


@dataclass(frozen=True)
class Resumed:
    """Three runs of as many steps: one in one go, two that were stopped on the way.

    Attributes:
        whole: the losses of the run in one go.
        resumed: of a run that was interrupted and went on from its checkpoint.
        forgetful: of one that went on with the parameters alone, and an optimizer that begins anew.
        same_parameters: whether the first two end with the same parameters, bit for bit.
    """

    whole: list[float]
    resumed: list[float]
    forgetful: list[float]
    same_parameters: bool


def stopped_and_resumed(
    corpus: TranslationCorpus, *, steps: int, written: int, stopped: int, **options: object
) -> Resumed:
    """Interrupt a run, and go on from the checkpoint that it left.

    Args:
        steps: of the whole run.
        written: the checkpoint is written every so many steps.
        stopped: the step during which the run is interrupted.
        options: of :func:`model`.
    """
    schedule = partial(rate, steps=steps)
    settings = {"steps": steps, "schedule": schedule, "progress": False}
    draw = batches(corpus)

    def interrupted(step: int) -> Batch:
        if step == stopped:
            raise KeyboardInterrupt
        return draw(step)

    first = model(corpus, **options)
    whole = training.train(first, draw, loss, **settings)
    with tempfile.TemporaryDirectory() as folder:
        kept = {"checkpoint": Path(folder) / "run.safetensors", "checkpoint_every": written}
        with contextlib.suppress(KeyboardInterrupt):
            training.train(model(corpus, **options), interrupted, loss, **settings, **kept)
        second = model(corpus, seed=1, **options)  # other numbers: all must come from the file
        resumed = training.train(second, draw, loss, **settings, **kept)
    third = model(corpus, **options)
    before = training.train(third, draw, loss, **settings | {"steps": written})
    after = training.train(
        third,
        lambda step: draw(step + written),
        loss,
        **settings | {"steps": steps - written, "schedule": lambda s: schedule(s + written)},
    )
    parameters = zip(first.parameters(), second.parameters(), strict=True)
    return Resumed(
        whole.losses,
        resumed.losses,
        before.losses + after.losses,
        all(torch.equal(a, b) for a, b in parameters),
    )


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


def beam_translate(
    translator: Transformer,
    corpus: TranslationCorpus,
    pairs: Sequence[SentencePair],
    beam_size: int = 4,
) -> list[list[tuple[str, ...]]]:
    """Each pair's source, translated by beam search: all that is in the beam, the best first."""
    source = torch.tensor(corpus.sources(pairs))
    beams, _ = decoding.beam_search(
        translator, source, corpus.start, corpus.end, LONGEST, beam_size
    )
    return [[corpus.words(row) for row in rows] for rows in beams.tolist()]


@dataclass(frozen=True)
class Compared:
    """Greedy decoding and beam search on the same sentences.

    Attributes:
        greedy, beam: the share of sentences that each has right.
        in_beam: the share whose right translation is somewhere in the beam.
        gained, lost: how many sentences beam search has right and greedy decoding wrong, and how
            many it is the other way round.
    """

    greedy: float
    beam: float
    in_beam: float
    gained: int
    lost: int


def compared(
    translator: Transformer,
    corpus: TranslationCorpus,
    pairs: Sequence[SentencePair],
    beam_size: int = 4,
) -> Compared:
    """Translate the pairs both ways."""
    beams = beam_translate(translator, corpus, pairs, beam_size)
    greedy = [
        w == p.target for w, p in zip(translate(translator, corpus, pairs), pairs, strict=True)
    ]
    best = [rows[0] == pair.target for rows, pair in zip(beams, pairs, strict=True)]
    inside = [pair.target in rows for rows, pair in zip(beams, pairs, strict=True)]
    both = list(zip(greedy, best, strict=True))
    return Compared(
        float(np.mean(greedy)),
        float(np.mean(best)),
        float(np.mean(inside)),
        both.count((False, True)),
        both.count((True, False)),
    )


def wrong(
    translator: Transformer, corpus: TranslationCorpus, pairs: Sequence[SentencePair]
) -> list[tuple[SentencePair, tuple[str, ...]]]:
    """The pairs whose translation has a wrong word, each with what was written."""
    written = translate(translator, corpus, pairs)
    return [(p, w) for p, w in zip(pairs, written, strict=True) if w != p.target]


def exact_match_by_structure(
    translator: Transformer, corpus: TranslationCorpus, pairs: Sequence[SentencePair]
) -> dict[str, tuple[int, float]]:
    """For each structure how many pairs have it, and the share of these that are right.

    The worst first; ``""`` are all pairs.
    """
    right = [
        w == p.target for w, p in zip(translate(translator, corpus, pairs), pairs, strict=True)
    ]
    found: dict[str, tuple[int, float]] = {}
    for structure in sorted({name for pair in pairs for name in pair.structures}):
        rows = [r for r, p in zip(right, pairs, strict=True) if structure in p.structures]
        found[structure] = len(rows), float(np.mean(rows))
    worst_first = dict(sorted(found.items(), key=lambda item: item[1][1]))
    return {"": (len(pairs), float(np.mean(right))), **worst_first}


SHORT, LONG = range(1, 13), range(13, 16)
FLAT, NESTED = range(2), range(2, 3)


def exact_match_by_length_and_nesting(
    translator: Transformer, corpus: TranslationCorpus, count: int = 200
) -> dict[tuple[str, str], float]:
    """On further sentences, short or long, flat or nested; see :func:`corpora.further`."""
    return {
        (length, shape): exact_match(
            translator, corpus, further(corpus, count, words=words, nesting=nesting)
        )
        for length, words in (("short", SHORT), ("long", LONG))
        for shape, nesting in (("flat", FLAT), ("nested", NESTED))
    }


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


def best_head(
    translator: Transformer, corpus: TranslationCorpus, pairs: Sequence[SentencePair]
) -> tuple[int, int]:
    """The layer and the head whose pointing has the lowest error rate on the pairs."""
    weights = cross_weights(translator, corpus, pairs)
    layers, heads = len(translator.decoder), weights[0].shape[1]
    found = {
        (layer, head): pointed(weights, layer, head).error_rate(pairs)
        for layer in range(layers)
        for head in range(heads)
    }
    return min(found, key=found.get)


def one_each(pairs: Sequence[SentencePair]) -> Alignment:
    """The best that can be done while every target word points to exactly one source word."""
    links = []
    for pair in pairs:
        gold = dict(sorted(pair.alignment))
        links.append(frozenset((i, gold.get(i, 0)) for i in range(len(pair.target))))
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


def error_rates(
    translator: Transformer,
    corpus: TranslationCorpus,
    pairs: Sequence[SentencePair],
    layer: int,
    head: int,
) -> dict[str, float]:
    """The error rate of a head, of the mean of its layer, and of what to compare them with."""
    weights = cross_weights(translator, corpus, pairs)
    found = {
        "head": pointed(weights, layer, head),
        "layer": pointed(weights, layer),
        "diagonal": diagonal(pairs),
        "counting": co_occurrence(corpus, pairs),
        "one_each": one_each(pairs),
    }
    return {name: alignment.error_rate(pairs) for name, alignment in found.items()}
