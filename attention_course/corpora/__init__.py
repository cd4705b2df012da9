"""The course's generated corpora and their vocabularies.

The sentences are made from the words of the reader's language, so that both editions train on text
that their readers can check.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from ..language import words


class Vocabulary:
    """Words and their numbers. Number 0 is padding: no word, there to make rows equally long.

    Args:
        words: every word once is enough; repeats are dropped.
    """

    PAD = 0

    def __init__(self, words: Iterable[str]) -> None:
        self.words: tuple[str, ...] = ("", *dict.fromkeys(words))
        self._ids = {word: i for i, word in enumerate(self.words) if i != self.PAD}

    def __len__(self) -> int:
        """How many numbers there are, padding included."""
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self._ids

    def id(self, word: str) -> int:
        """The number of a word.

        Raises:
            KeyError: the vocabulary does not have the word.
        """
        if word not in self._ids:
            raise KeyError(f"word: got {word!r}, expected one of the {len(self) - 1} words known")
        return self._ids[word]

    def encode(self, sentences: Sequence[Sequence[str]]) -> np.ndarray:
        """Sentences as numbers ``(n_sentences, longest)``, padded at the end.

        Raises:
            KeyError: a word that the vocabulary does not have.
            TypeError: a sentence is a string, not a sequence of words.
        """
        if isinstance(sentences, str) or any(isinstance(s, str) for s in sentences):
            raise TypeError("sentences: got a string, expected sequences of words")
        longest = max(map(len, sentences), default=0)
        rows = np.full((len(sentences), longest), self.PAD, dtype=np.int64)
        for row, sentence in zip(rows, sentences, strict=True):
            row[: len(sentence)] = [self.id(word) for word in sentence]
        return rows


@dataclass(frozen=True)
class BlankSentence:
    """A sentence with a blank.

    Attributes:
        words: the sentence, the blank among them.
        answer: the word that belongs into the blank.
        blank, city, kind: where in ``words`` they stand, counted from 0.
        example: where a word stands that gives the answer away, or None.
    """

    words: tuple[str, ...]
    answer: str
    blank: int
    city: int
    kind: int
    example: int | None = None

    def __str__(self) -> str:
        return read_out(self.words)


def read_out(sentence: Sequence[str]) -> str:
    """Words as a reader expects to see them: spaces and capitals as the language has them."""
    text = words("corpora.joiner").join(sentence)
    text = re.sub(r" ([.,:?])", r"\1", text)
    return text[:1].upper() + text[1:]


class BlankSentences:
    """Sentences with a blank, and the same as arrays of numbers.

    Attributes:
        words: ``(n_sentences, longest)``, padded at the end.
        answer: ``(n_sentences,)``, the place of the right answer in the corpus's ``answers``.
        city, kind, example: ``(n_sentences,)``, where in its sentence the word stands; ``example``
            is None if the sentences have none.
    """

    def __init__(
        self, sentences: Sequence[BlankSentence], vocabulary: Vocabulary, answers: Sequence[str]
    ) -> None:
        self._sentences = tuple(sentences)
        place = {answer: i for i, answer in enumerate(answers)}
        self.words = vocabulary.encode([s.words for s in sentences])
        self.answer = np.array([place[s.answer] for s in sentences], dtype=np.int64)
        self.city = np.array([s.city for s in sentences], dtype=np.int64)
        self.kind = np.array([s.kind for s in sentences], dtype=np.int64)
        self.example = None
        if all(s.example is not None for s in sentences):
            self.example = np.array([s.example for s in sentences], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._sentences)

    def __getitem__(self, i: int) -> BlankSentence:
        return self._sentences[i]

    def __iter__(self) -> Iterator[BlankSentence]:
        return iter(self._sentences)


@dataclass(frozen=True)
class FillInTheBlank:
    """The fill-in-the-blank corpus.

    Attributes:
        train, held_out: sentences to learn from, and to test on; none is in both.
        vocabulary: the words of the sentences.
        answers: the words that can fill a blank.
        cities, kinds: the words that the answer depends on.
    """

    train: BlankSentences
    held_out: BlankSentences
    vocabulary: Vocabulary
    answers: tuple[str, ...]
    cities: tuple[str, ...]
    kinds: tuple[str, ...]


def fill_in_the_blank(
    *, examples: bool = False, held_out: float = 0.2, seed: int = 0
) -> FillInTheBlank:
    """Sentences such as "our teacher says: the famous sights of Beijing include __".

    Every sentence is a true fact about a city in one of many wordings; the answer depends on two of
    its words, the city and the kind of thing. Held out are combinations of a wording and a fact:
    each fact is seen in training, and each wording, never both together.

    Args:
        examples: name another thing of the same kind before the blank ("Tiananmen and __"), which
            by itself gives the answer away.
        held_out: the share of each fact's sentences that is kept for testing.
        seed: chooses which.

    Raises:
        ValueError: ``held_out`` leaves nothing to train or to test on.
    """
    source = words("corpora")
    openings = ["", *source["openings"]]
    wordings = list(product(openings, source["cores"], source["endings"]))
    n_held_out = round(held_out * len(wordings))
    if not 0 < n_held_out < len(wordings):
        raise ValueError(f"held_out: got {held_out!r}, expected a share between 0 and 1")
    kinds = tuple(source["kinds"])
    rng = np.random.default_rng(seed)
    train: list[BlankSentence] = []
    test: list[BlankSentence] = []
    answers = []
    for city in source["cities"]:
        for kind, (answer, example) in zip(kinds, city["facts"], strict=True):
            answers.append(answer)
            sentences = [
                _sentence(wording, city["name"], kind, answer, example if examples else None)
                for wording in wordings
            ]
            order = rng.permutation(len(wordings))
            test.extend(sentences[i] for i in order[:n_held_out])
            train.extend(sentences[i] for i in order[n_held_out:])
    vocabulary = Vocabulary(word for sentence in train for word in sentence.words)
    return FillInTheBlank(
        train=BlankSentences(train, vocabulary, answers),
        held_out=BlankSentences(test, vocabulary, answers),
        vocabulary=vocabulary,
        answers=tuple(answers),
        cities=tuple(city["name"] for city in source["cities"]),
        kinds=kinds,
    )


def _sentence(
    wording: tuple[str, str, str], city: str, kind: str, answer: str, example: str | None
) -> BlankSentence:
    source = words("corpora")
    text = " ".join(wording)
    if example is not None:
        text = text.replace("{blank}", source["with_example"])
    # Filled in after splitting: a name such as "New York" stays one word.
    names = {"{city}": city, "{kind}": kind, "{blank}": source["blank"], "{example}": example}
    sentence = tuple(names.get(part) or part for part in text.split())
    return BlankSentence(
        sentence,
        answer,
        blank=sentence.index(source["blank"]),
        city=sentence.index(city),
        kind=sentence.index(kind),
        example=None if example is None else sentence.index(example),
    )
