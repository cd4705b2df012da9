"""The model of lesson 2-1 and its lab, and what trains and measures it.

A model is one function, ``forward(tables, ids, blank)``, over tables of learned numbers. The lesson
writes :func:`fill_in`; the lab writes its rivals.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ... import training
from ...attention import padding_mask, scaled_dot_product_attention
from ...corpora import BlankSentences, FillInTheBlank

WIDTH = 32
BATCH = 128
LEARNING_RATE = 0.01

Forward = Callable[["Tables", Tensor, Tensor], tuple[Tensor, Tensor]]


class Tables(nn.Module):
    """The numbers that the model learns; each table is used as a matrix.

    Attributes:
        embedding: ``(vocabulary, 32)``, a row for each word. They start near zero, so that at first
            no word stands out.
        query, key, value: ``(32, 32)``.
        answer: ``(32, answers)``.
        hidden, last: ``(32, 64)`` and ``(64, answers)``, for a read-out in two layers.
    """

    def __init__(self, vocabulary: int, answers: int) -> None:
        super().__init__()
        self.embedding = nn.Parameter(0.02 * torch.randn(vocabulary, WIDTH))
        self.query, self.key, self.value = (_table(WIDTH, WIDTH) for _ in range(3))
        self.answer = _table(WIDTH, answers)
        self.hidden, self.last = _table(WIDTH, 2 * WIDTH), _table(2 * WIDTH, answers)


def _table(rows: int, columns: int) -> nn.Parameter:
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(rows, columns)))


def fill_in(tables: Tables, ids: Tensor, blank: Tensor) -> tuple[Tensor, Tensor]:
    """The model of the lesson: attention from the blank to the words, read out by one table.

    Args:
        tables: the model's numbers.
        ids: ``(batch, n)``, 0 for no word.
        blank: ``(batch, 1)``, the id of the word that is the blank.

    Returns:
        A number for each answer, ``(batch, 1, answers)``, and the weights, ``(batch, 1, n)``.
    """
    vectors = tables.embedding[ids]  # (batch, n, 32)
    query = tables.embedding[blank] @ tables.query  # (batch, 1, 32)
    keys, values = vectors @ tables.key, vectors @ tables.value  # (batch, n, 32)
    mixture, weights = scaled_dot_product_attention(query, keys, values, padding_mask(ids, 0))
    return mixture @ tables.answer, weights


@dataclass
class Model:
    """A model that fills blanks.

    Attributes:
        forward: its lines: ``(tables, words (batch, n), blank (batch, 1))`` to a number for each
            answer ``(batch, 1, answers)`` and the weights ``(batch, 1, n)``.
        tables: its numbers.
        log: what its training wrote down; shown, the loss curve.
    """

    forward: Forward
    tables: Tables
    log: training.Log = field(default_factory=training.Log)

    @torch.no_grad()
    def read(
        self, sentences: BlankSentences, words: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """How probable it thinks each answer, ``(sentences, answers)``; its weights ``(…, n)``.

        Args:
            sentences: whose blanks to fill.
            words: read these instead of the sentences' own words: some hidden, or some added.
        """
        ids = torch.as_tensor(sentences.words if words is None else words)
        numbers, weights = self.forward(self.tables, ids, torch.as_tensor(sentences.blank))
        return numbers[:, 0].softmax(dim=-1).numpy(), weights[:, 0].numpy()

    def accuracy(self, sentences: BlankSentences, words: np.ndarray | None = None) -> float:
        """The share of blanks that it fills correctly."""
        probabilities, _ = self.read(sentences, words)
        return float((probabilities.argmax(axis=1) == sentences.answer).mean())

    def certainty(self, sentences: BlankSentences, words: np.ndarray | None = None) -> float:
        """The probability that it gives to the right answer, on average."""
        probabilities, _ = self.read(sentences, words)
        return float(probabilities[np.arange(len(sentences)), sentences.answer].mean())


def untrained(forward: Forward, corpus: FillInTheBlank, *, seed: int = 0) -> Model:
    """A model whose numbers are still those it starts from."""
    torch.manual_seed(seed)
    return Model(forward, Tables(len(corpus.vocabulary), len(corpus.answers)))


def train(
    forward: Forward,
    corpus: FillInTheBlank,
    *,
    seed: int = 0,
    steps: int = 300,
    sentences: BlankSentences | None = None,
    fillers: int = 0,
) -> Model:
    """Train a model with Adam, 128 sentences a step.

    Args:
        forward: the model's lines.
        corpus: where the sentences come from.
        seed: fixes the first numbers and which sentences are drawn.
        steps: how many.
        sentences: what to learn from, by default all the corpus's training sentences.
        fillers: at each step, by chance 0 to so many filler words are put behind the sentences.
    """
    model = untrained(forward, corpus, seed=seed)
    batch = _batches(corpus, corpus.train if sentences is None else sentences, fillers)
    model.log = training.train(
        model.tables,
        batch,
        _loss(forward),
        steps=steps,
        learning_rate=LEARNING_RATE,
        progress=False,
    )
    return model


def watch(
    forward: Forward,
    corpus: FillInTheBlank,
    sentences: BlankSentences,
    place: int,
    stages: Sequence[int],
) -> np.ndarray:
    """The weights in one of the sentences after so many steps of training: ``(stages, n)``."""
    model, n = untrained(forward, corpus), len(sentences[place].words)
    optimizer = torch.optim.Adam(model.tables.parameters(), lr=LEARNING_RATE)
    batch, looks = _batches(corpus, corpus.train, 0), []
    for steps in np.diff(stages, prepend=0):
        if steps:
            training.train(
                model.tables,
                batch,
                _loss(forward),
                steps=steps,
                optimizer=optimizer,
                progress=False,
            )
        looks.append(model.read(sentences)[1][place, :n])
    return np.array(looks)


def weight_on(model: Model, sentences: BlankSentences) -> dict[str, np.ndarray]:
    """The weight on the city, the kind, the example and all other words, ``(sentences,)`` each."""
    _, weights = model.read(sentences)
    rows = np.arange(len(sentences))
    found = {
        part: np.where(places < 0, 0, weights[rows, places])
        for part, places in _places(sentences).items()
    }
    return found | {"other": 1 - sum(found.values())}


def shares(model: Model, sentences: BlankSentences) -> dict[str, float]:
    """:func:`weight_on`, averaged over the sentences, to three decimals."""
    found = weight_on(model, sentences)
    return {part: round(float(weights.mean()), 3) for part, weights in found.items()}


def over_runs(
    runs: Sequence[dict[str, float]],
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """The mean over runs of each named number, and the smallest and the largest."""
    found = {name: [run[name] for run in runs] for name in runs[0]}
    means = {name: round(float(np.mean(numbers)), 3) for name, numbers in found.items()}
    return means, {name: (min(numbers), max(numbers)) for name, numbers in found.items()}


@torch.no_grad()
def scores(model: Model, corpus: FillInTheBlank, asks: str) -> dict[str, np.ndarray]:
    """The learned score of each word for one kind of blank, by groups: cities, kinds and so on.

    As the query comes from the blank alone and a word's key from the word alone, a word has the
    same score in every sentence.
    """
    tables = model.tables
    query = tables.embedding[corpus.vocabulary.id(corpus.blanks[asks])] @ tables.query
    found = (tables.embedding @ tables.key @ query / WIDTH**0.5).numpy()
    return {part: found[ids] for part, ids in _groups(corpus).items()}


@torch.no_grad()
def loudness(model: Model, corpus: FillInTheBlank) -> dict[str, float]:
    """How far the votes of a word's value spread over the answers, on average, by groups.

    Zero would mean that the value votes for nothing.
    """
    tables = model.tables
    votes = tables.embedding @ tables.value @ tables.answer  # (vocabulary, answers)
    spread = votes.std(dim=1).numpy()
    return {part: float(spread[ids].mean()) for part, ids in _groups(corpus).items()}


def least_seen(
    model: Model, sentences: BlankSentences, part: str, corpus: FillInTheBlank
) -> tuple[str, float, float]:
    """The city that gets the least weight, that weight, and how often it is the answer's city when
    the city is hidden in every sentence; or the same for the kinds.

    Args:
        model: which.
        sentences: each with a city and a kind.
        part: ``"city"`` or ``"kind"``.
        corpus: where they come from.
    """
    names, place = (corpus.cities, 0) if part == "city" else (corpus.kinds, 1)
    probabilities, _ = model.read(sentences, hide(sentences, part, corpus))
    # Answers stand city by city, each city's kinds in the same order.
    told = np.divmod(sentences.answer, len(corpus.kinds))[place]
    filled = np.divmod(probabilities.argmax(axis=1), len(corpus.kinds))[place]
    found = weight_on(model, sentences)[part]
    weights = [found[told == i].mean() for i in range(len(names))]
    least = int(np.argmin(weights))
    return names[least], float(weights[least]), float(np.mean(filled == least))


def right_kind(model: Model, sentences: BlankSentences, part: str, corpus: FillInTheBlank) -> float:
    """With a part of each sentence hidden (see :func:`hide`), the share of blanks that it fills
    with something of the right kind, in whatever city.
    """
    probabilities, _ = model.read(sentences, hide(sentences, part, corpus))
    kinds = len(corpus.kinds)  # answers stand city by city, each city's kinds in the same order
    return float(np.mean(probabilities.argmax(axis=1) % kinds == sentences.answer % kinds))


def answers(model: Model, corpus: FillInTheBlank, sentences: Sequence[Sequence[str]]) -> list[str]:
    """What the model fills into sentences that are given as words."""
    ids = torch.from_numpy(corpus.vocabulary.encode(sentences))
    blanks = [next(w for w in sentence if w in corpus.blanks.values()) for sentence in sentences]
    blank = torch.from_numpy(corpus.vocabulary.encode([[word] for word in blanks]))
    with torch.no_grad():
        numbers, _ = model.forward(model.tables, ids, blank)
    return [corpus.answers[i] for i in numbers[:, 0].argmax(dim=-1)]


def hide(sentences: BlankSentences, part: str, corpus: FillInTheBlank) -> np.ndarray:
    """The sentences' words with one replaced by "no word" in each: ``(sentences, n)``.

    Args:
        sentences: which.
        part: ``"city"``, ``"kind"``, ``"example"``, or ``"filler"`` for one of the fillers, picked
            at random.
        corpus: says what a filler is.
    """
    words = sentences.words.copy()
    if part == "filler":
        is_filler = np.isin(words, _fillers(corpus))
        places = (is_filler * np.random.default_rng(0).random(words.shape)).argmax(axis=1)
    else:
        places = _places(sentences)[part]
    words[np.arange(len(words)), places] = corpus.vocabulary.PAD
    return words


def every_third(sentences: BlankSentences, corpus: FillInTheBlank) -> BlankSentences:
    """The first of them, the fourth and so on."""
    return BlankSentences(list(sentences)[::3], corpus.vocabulary, corpus.answers)


def most_right(sentences: BlankSentences) -> float:
    """The share of blanks that can be filled correctly where neither weights nor values depend on
    the question and a linear read-out names the answer.

    Args:
        sentences: with two clues, in pairs that differ in the blank alone. For answers A and B,
            either no pair whose city and kind mean A and whose example means B can be all right, or
            no pair the other way round.
    """
    what, other = sentences.answer[::2].tolist(), sentences.answer[1::2].tolist()
    pairs = Counter(zip(what, other, strict=True))
    rest = sum(min(n, pairs[b, a]) for (a, b), n in pairs.items() if a < b)
    return 1 - rest / len(sentences)


def lengthen(sentences: BlankSentences, extra: int, corpus: FillInTheBlank) -> np.ndarray:
    """The sentences' words with ``extra`` fillers behind each: ``(sentences, n + extra)``."""
    added = np.random.default_rng(0).choice(_fillers(corpus), (len(sentences), extra))
    return np.hstack([sentences.words, added])


@torch.no_grad()
def mute_fillers(model: Model, corpus: FillInTheBlank) -> Model:
    """The model with all fillers' embeddings set to 0: the value of a filler votes for nothing."""
    tables = copy.deepcopy(model.tables)
    tables.embedding[torch.from_numpy(_fillers(corpus))] = 0
    return Model(model.forward, tables)


def _places(sentences: BlankSentences) -> dict[str, np.ndarray]:
    return {"city": sentences.city, "kind": sentences.kind, "example": sentences.example}


def _groups(corpus: FillInTheBlank) -> dict[str, np.ndarray]:
    """The ids of the cities, the kinds, the examples, and of all other words."""
    groups = {
        "city": corpus.cities,
        "kind": corpus.kinds,
        "example": corpus.examples,
        "other": [*corpus.fillers, *corpus.blanks.values()],
    }
    return {
        part: np.array([corpus.vocabulary.id(word) for word in words])
        for part, words in groups.items()
    }


def _fillers(corpus: FillInTheBlank) -> np.ndarray:
    return np.array([corpus.vocabulary.id(word) for word in corpus.fillers])


def _batches(
    corpus: FillInTheBlank, sentences: BlankSentences, fillers: int
) -> Callable[[int], tuple[Tensor, Tensor, Tensor]]:
    words, blank, answer = map(
        torch.from_numpy, (sentences.words, sentences.blank, sentences.answer)
    )
    filler_ids = torch.from_numpy(_fillers(corpus))

    def batch(step: int) -> tuple[Tensor, Tensor, Tensor]:
        rows = torch.randint(len(words), (BATCH,))
        extra = int(torch.randint(fillers + 1, ()))
        added = filler_ids[torch.randint(len(filler_ids), (BATCH, extra))]
        return torch.cat([words[rows], added], dim=1), blank[rows], answer[rows]

    return batch


def _loss(forward: Forward) -> Callable[[nn.Module, tuple[Tensor, Tensor, Tensor]], Tensor]:
    def loss(tables: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        words, blank, answer = batch
        numbers, _ = forward(tables, words, blank)  # (batch, 1, answers)
        return F.cross_entropy(numbers[:, 0], answer)

    return loss
