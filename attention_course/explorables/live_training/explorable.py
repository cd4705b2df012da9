"""The fill-in-the-blank model, trained from scratch while the reader watches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

import numpy as np

from attention_course.corpora import BlankSentence, FillInTheBlank
from attention_course.markup import element, escape

from .. import still
from ..base import LINE, WIDE, Explorable, letters, lines, one_of, rows

WIDTH = 32
MOST = 300  # steps, as in the lesson
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
COUNTS = (50, 100, 200, 400)
HELD_OUT = 100
_BITS = 2**32 - 1


class LiveTraining(Explorable):
    """Start the training of lesson 2-1's model; watch its losses and where two blanks look.

    The model and its training are those of ``lessons.human_attention``: attention from the blank to
    the words, over tables 32 wide; Adam, 128 sentences a step.

    Args:
        corpus: the sentences: 400 to train on, 100 to test on, and two to show, of those that it
            is not trained on the shortest that differ in the blank alone.
        seed: fixes the first tables and the batches.
        rate: which of the learning rates 0.001, 0.003, 0.01, 0.03, 0.1 and 0.3, counted from 0.
        count: which of the numbers of sentences 50, 100, 200 and 400, counted from 0.

    Raises:
        ValueError: a number out of its range, or a corpus with too few sentences.
        TypeError: ``corpus`` is none.
    """

    module = "live_training"

    def __init__(
        self,
        corpus: FillInTheBlank,
        seed: int = 1,
        rate: int = 2,
        count: int = len(COUNTS) - 1,
    ) -> None:
        if not isinstance(corpus, FillInTheBlank):
            kind = type(corpus).__name__
            raise TypeError(f"corpus: got a {kind}, expected a fill-in-the-blank corpus")
        told = {
            "cities": corpus.cities,
            "kinds": corpus.kinds,
            "examples": corpus.examples,
            "blanks": tuple(corpus.blanks.values()),
        }
        train = _drawn("train", corpus.train, COUNTS[-1])
        held_out = _drawn("held_out", corpus.held_out, HELD_OUT)
        super().__init__(
            vocabulary=list(corpus.vocabulary.words),
            answers=list(corpus.answers),
            **{
                part: [corpus.vocabulary.id(word) for word in kinds] for part, kinds in told.items()
            },
            train=[_row(each, corpus) for each in train],
            held_out=[_row(each, corpus) for each in held_out],
            shown=[_row(each, corpus) for each in _pair(corpus)],
            rates=list(RATES),
            counts=list(COUNTS),
            most=MOST,
            rate=one_of("rate", rate, range(len(RATES)), f"0 to {len(RATES) - 1}"),
            count=one_of("count", count, range(len(COUNTS)), f"0 to {len(COUNTS) - 1}"),
            seed=one_of("seed", seed, range(2**31), "a whole number from 0"),
            hide=False,
            steps=0,
        )

    def room(self, columns: int) -> float:
        words = self.words
        buttons = rows([words["start"], words["one"], words["again"]], columns)
        controls = 48 if columns == WIDE else 132
        picture = 190 if columns == WIDE else 150
        spoken = [self.state["vocabulary"][i] for i in self.state["shown"][0][:-1]]
        taken = sum(letters(word) + 1.2 for word in spoken)
        shown = 2 * (27 * math.ceil(taken / columns) + 11)
        summary = max(3, lines(words["learns"], 0.8 * columns))
        return 48 * buttons + controls + picture + shown + summary * LINE + 80

    def tables(self) -> dict[str, np.ndarray]:
        """The tables before training, the same as in the browser: ``embedding`` ``(words, 32)``,
        ``query``, ``key``, ``value`` ``(32, 32)``, ``answer`` ``(32, answers)``."""
        random = uniform(self.state["seed"])
        words, answers = len(self.state["vocabulary"]), len(self.state["answers"])

        def normal() -> float:
            first, second = next(random), next(random)
            return math.sqrt(-2 * math.log(1 - first)) * math.cos(2 * math.pi * second)

        def matrix(n: int, m: int) -> np.ndarray:
            drawn = np.array(list(islice(random, n * m))).reshape(n, m)
            return math.sqrt(6 / (n + m)) * (2 * drawn - 1)

        embedding = 0.02 * np.array([[normal() for _ in range(WIDTH)] for _ in range(words)])
        squares = {name: matrix(WIDTH, WIDTH) for name in ("query", "key", "value")}
        return {"embedding": embedding, **squares, "answer": matrix(WIDTH, answers)}

    def still(self) -> str:
        words, names = self.words, self.state["vocabulary"]
        tables, shown = self.tables(), self.state["shown"]
        weights = [self._look(tables, row)[0] for row in shown]
        labels = [
            " / ".join(dict.fromkeys(names[i] for i in ids)) for ids in zip(*shown, strict=True)
        ][:-1]
        looks = [
            [label, *(still.number(each[j], 3) for each in weights)]
            for j, label in enumerate(labels)
        ]
        found = [(self._look(tables, row)[1], row[-1]) for row in self.state["held_out"]]
        loss = -np.mean([math.log(chances[answer]) for chances, answer in found])
        right = np.mean([chances.argmax() == answer for chances, answer in found])
        progress = [["0", still.number(loss, 2), still.number(right, 2)]]
        read = [" ".join(names[i] for i in row[:-1]) for row in shown]
        return (
            "".join(element("p", escape(text)) for text in read)
            + still.bars(labels, weights[0], words["what"])
            + still.table(
                words["weights_table"], [words["word"], words["what"], words["else"]], looks
            )
            + still.table(
                words["progress_table"], [words["step"], words["loss"], words["accuracy"]], progress
            )
        )

    def _look(self, tables: dict[str, np.ndarray], row: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """The weights of a sentence's words, and how probable each answer is."""
        vectors = tables["embedding"][row[:-1]]  # (n, 32)
        blank = next(i for i in row if i in self.state["blanks"])
        query = tables["embedding"][blank] @ tables["query"]
        weights = _softmax(vectors @ tables["key"] @ query / math.sqrt(WIDTH))
        return weights, _softmax(weights @ vectors @ tables["value"] @ tables["answer"])


def uniform(seed: int) -> Iterator[float]:
    """Numbers from 0 to 1 by mulberry32, the same as in the browser."""
    state = seed
    while True:
        state = (state + 0x6D2B79F5) & _BITS
        t = (state ^ (state >> 15)) * (state | 1) & _BITS
        t ^= (t + (t ^ (t >> 7)) * (t | 61)) & _BITS
        yield (t ^ (t >> 14)) / 2**32


def _softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max())
    return powers / powers.sum()


def _drawn(name: str, sentences: Sequence[BlankSentence], count: int) -> list[BlankSentence]:
    """So many of the sentences, in an order drawn once."""
    if len(sentences) < count:
        raise ValueError(f"{name}: got {len(sentences)} sentences, expected at least {count}")
    order = np.random.default_rng(0).permutation(len(sentences))
    return [sentences[int(i)] for i in order[:count]]


def _pair(corpus: FillInTheBlank) -> tuple[BlankSentence, BlankSentence]:
    """The shortest two sentences, next to each other, that differ in the blank alone."""
    held_out = list(corpus.held_out.where(clues=2))
    pairs = [
        (one, other)
        for one, other in pairwise(held_out)
        if (one.asks, other.asks) == ("what", "else")
        and len(one.words) == len(other.words)
        and sum(a != b for a, b in zip(one.words, other.words, strict=True)) == 1
    ]
    return min(pairs, key=lambda pair: len(pair[0].words))


def _row(sentence: BlankSentence, corpus: FillInTheBlank) -> list[int]:
    """The ids of a sentence's words, and behind them the number of its answer."""
    ids = [corpus.vocabulary.id(word) for word in sentence.words]
    return [*ids, corpus.answers.index(sentence.answer)]
