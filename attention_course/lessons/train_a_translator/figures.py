"""What lesson 4-2 shows that nobody else shows: its tables, and weights beside the gold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.patches import Rectangle

from ... import plots
from ...corpora import SentencePair, TranslationCorpus, read_chinese, read_english
from ...language import word, words
from ...numbers import percent
from ...tables import Table
from .experiments import PAD, Compared, runs


def shifted(corpus: TranslationCorpus, read: Sequence[int], right: Sequence[int]) -> Table:
    """What the decoder reads at each place of one sentence, and what it should say there."""
    said = words("train_a_translator.shifted")
    known = corpus.target_vocabulary.words
    lines = [
        [str(i), known[a], known[b]]
        for i, (a, b) in enumerate(zip(read, right, strict=True), start=1)
        if b != PAD
    ]
    return Table(said["title"], said["head"], lines)


def translations(pairs: Sequence[SentencePair], written: Sequence[Sequence[str]]) -> Table:
    """Sentences, and what was written; the right translation where that is another."""
    said = words("train_a_translator.translations")
    lines = [
        [
            read_chinese(pair.source),
            read_english(text),
            said["same"] if tuple(text) == pair.target else read_english(pair.target),
        ]
        for pair, text in zip(pairs, written, strict=True)
    ]
    return Table(said["title"], said["head"], lines)


def wrong(found: Sequence[tuple[SentencePair, Sequence[str]]]) -> Table:
    """The same of sentences that went wrong, as :func:`experiments.wrong` gives them."""
    return translations([pair for pair, _ in found], [text for _, text in found])


def scores(here: Mapping[str, float], parts: Mapping[str, Sequence[SentencePair]]) -> Table:
    """Exact match on each part, in this run and over the runs of the log."""
    said, logged = words("train_a_translator.scores"), runs().values()
    lines = []
    for part, shown in said["parts"].items():
        shares = [run["exact_match"][part] for run in logged]
        lines.append([shown, str(len(parts[part])), percent(here[part], 1), _span(shares)])
    return Table(said["title"].format(count=len(logged)), said["head"], lines)


def _span(shares: Sequence[float]) -> str:
    """The mean, and from where to where."""
    low, mean, high = (percent(f(shares), 1) for f in (min, np.mean, max))
    return word("train_a_translator.span", low=low, mean=mean, high=high)


def structures(found: Mapping[str, Mapping[str, tuple[int, float]]], at_least: int = 15) -> Table:
    """Exact match by structure, on two parts; the worst of the first part first."""
    said = words("train_a_translator.structures")
    (first, of_first), (second, of_second) = found.items()
    lines = []
    for name, (count, share) in of_first.items():
        other = of_second.get(name, (0, 0.0))
        if min(count, other[0]) >= at_least:
            cells = [f"{percent(each[1], 0)} ({each[0]})" for each in ((count, share), other)]
            lines.append([said["names"][name], *cells])
    head = [said["head"], said["parts"][first], said["parts"][second]]
    return Table(said["title"], head, lines)


def grid(found: Mapping[tuple[str, str], float]) -> Table:
    """Exact match by length and nesting."""
    said = words("train_a_translator.grid")
    lines = [
        [said["rows"][length], *(percent(found[length, shape], 1) for shape in said["columns"])]
        for length in said["rows"]
    ]
    return Table(said["title"], [said["corner"], *said["columns"].values()], lines)


def error_rates(rates: Mapping[str, float], layer: int, head: int) -> Table:
    """The alignment error rate of each way to align."""
    said = words("train_a_translator.error_rates")
    lines = [
        [shown.format(layer=layer + 1, head=head + 1), percent(rates[name], 1)]
        for name, shown in said["rows"].items()
    ]
    return Table(said["title"], said["head"], lines)


def beams(found: Mapping[str, Compared]) -> Table:
    """Greedy decoding beside beam search."""
    said = words("train_a_translator.beams")
    parts = words("train_a_translator.scores.parts")
    lines = [
        [
            shown,
            percent(found[name].greedy, 1),
            percent(found[name].beam, 1),
            str(found[name].gained),
            str(found[name].lost),
            percent(found[name].in_beam, 1),
        ]
        for name, shown in parts.items()
    ]
    return Table(said["title"], said["head"], lines)


def looks(weights: np.ndarray, pair: SentencePair, layer: int, head: int) -> plots.Picture:
    """The weights of one head ``(n_target, n_source)``, with the gold alignment outlined."""
    picture = plots.heatmap(
        weights,
        rows=list(pair.target),
        columns=list(pair.source),
        limits=(0, 1),
        key="train_a_translator.figure.looks",
        values={"layer": layer + 1, "head": head + 1},
    )
    axis = picture.figure.axes[0]
    for row, column in sorted(pair.alignment):
        box = Rectangle(
            (column - 0.46, row - 0.46), 0.92, 0.92, fill=False, edgecolor=plots.ORANGE, linewidth=2
        )
        axis.add_patch(box)
    most = weights.argmax(axis=1)
    tied = {row for row, _ in pair.alignment}
    hits = sum((row, column) in pair.alignment for row, column in enumerate(most.tolist()))
    picture.alt += " " + word(
        "train_a_translator.looks_alt", tied=len(tied), words=len(pair.target), hits=hits
    )
    return picture
