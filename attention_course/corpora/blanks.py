"""The fill-in-the-blank corpus.

Its sentences are made from the words of the reader's language, so that both editions train on text
that their readers can check.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from ..language import words
from .vocabulary import Vocabulary


@dataclass(frozen=True)
class BlankSentence:
    """A sentence with a blank.

    Attributes:
        words: the sentence, the blank among them.
        answer: the word that belongs into the blank.
        asks: the kind of blank, ``"what"`` or ``"else"``.
        blank: where in ``words`` the blank stands, counted from 0.
        city, kind, example: where these words stand, or None where the sentence has none.
    """

    words: tuple[str, ...]
    answer: str
    asks: str
    blank: int
    city: int | None = None
    kind: int | None = None
    example: int | None = None

    @property
    def clues(self) -> int:
        """How many clues it has: a city with a kind is one, an example is one."""
        return (self.city is not None) + (self.example is not None)

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
        blank: ``(n_sentences, 1)``, the number of the word that is the blank.
        answer: ``(n_sentences,)``, the place of the right answer in the corpus's ``answers``.
        city, kind, example: ``(n_sentences,)``, where in its sentence the word stands, -1 where
            the sentence has none.
    """

    def __init__(
        self, sentences: Sequence[BlankSentence], vocabulary: Vocabulary, answers: Sequence[str]
    ) -> None:
        self._sentences, self._made_with = tuple(sentences), (vocabulary, answers)
        place = {answer: i for i, answer in enumerate(answers)}
        self.words = vocabulary.encode([s.words for s in sentences])
        self.blank = vocabulary.encode([[s.words[s.blank]] for s in sentences])
        self.answer = np.array([place[s.answer] for s in sentences], dtype=np.int64)
        self.city, self.kind, self.example = (
            np.array([-1 if place is None else place for place in places], dtype=np.int64)
            for places in (
                [s.city for s in sentences],
                [s.kind for s in sentences],
                [s.example for s in sentences],
            )
        )

    def where(self, *, asks: str | None = None, clues: int | None = None) -> BlankSentences:
        """The sentences with this kind of blank, or this many clues, or both, in the same order.

        Raises:
            ValueError: no sentence is like that.
        """
        found = [
            sentence
            for sentence in self._sentences
            if asks in (None, sentence.asks) and clues in (None, sentence.clues)
        ]
        if not found:
            raise ValueError(f"asks, clues: got {asks!r}, {clues!r}, which no sentence has")
        return BlankSentences(found, *self._made_with)

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
        cities, kinds, examples: the words that the answer depends on.
        blanks: kind of blank → the word that is it.
        fillers: all other words.
    """

    train: BlankSentences
    held_out: BlankSentences
    vocabulary: Vocabulary
    answers: tuple[str, ...]
    cities: tuple[str, ...]
    kinds: tuple[str, ...]
    examples: tuple[str, ...]
    blanks: dict[str, str]

    @property
    def fillers(self) -> tuple[str, ...]:
        telling = {*self.cities, *self.kinds, *self.examples, *self.blanks.values()}
        return tuple(word for word in self.vocabulary.words[1:] if word not in telling)


def fill_in_the_blank(
    *, examples: bool = False, held_out: float = 0.2, seed: int = 0
) -> FillInTheBlank:
    """Sentences such as "our teacher says: the famous sights of Beijing include [what]".

    There are two kinds of blank. ``[what]`` asks for a thing of the named kind in the named city.
    ``[what else]`` asks for a second thing like the example: of the same kind, in the same city.
    Both have the same answers. A sentence has the clue to its own question, and most have the clue
    to the other one too; these come in pairs, one after the other, that differ in the blank alone.

    Held out are combinations of a wording and a fact: each fact is seen in training, and each
    wording, never both together.

    Args:
        examples: instead, sentences that ask ``[what]`` and name an example before the blank
            ("Tiananmen and [what]"), which by itself gives the answer away.
        held_out: the share of each fact's sentences that is kept for testing.
        seed: chooses which, and what the other clue of a sentence is.

    Raises:
        ValueError: ``held_out`` leaves nothing to train or to test on.
    """
    source, rng = words("corpora"), np.random.default_rng(seed)
    frames = list(product(["", *source["openings"]], source["endings"]))
    used = ["what"] if examples else ["what", "else", "both"]
    wordings = [
        (clues, f"{opening} {core} {ending}")
        for clues in used
        for core in source["cores"][clues]
        for opening, ending in frames
    ]
    n_held_out = round(held_out * len(wordings))
    if not 0 < n_held_out < len(wordings):
        raise ValueError(f"held_out: got {held_out!r}, expected a share between 0 and 1")
    facts = [
        _Fact(city["name"], kind, *names)
        for city in source["cities"]
        for kind, names in zip(source["kinds"], city["facts"], strict=True)
    ]
    train: list[BlankSentence] = []
    test: list[BlankSentence] = []
    for fact in facts:
        elsewhere = [other for other in facts if other.city != fact.city]
        for place, i in enumerate(rng.permutation(len(wordings))):
            clues, wording = wordings[i]
            made = test if place < n_held_out else train
            other = elsewhere[rng.integers(len(elsewhere))]
            made.extend(_sentences(clues, wording, fact, other, examples))
    vocabulary = Vocabulary(word for sentence in train for word in sentence.words)
    answers = tuple(fact.answer for fact in facts)
    return FillInTheBlank(
        train=BlankSentences(train, vocabulary, answers),
        held_out=BlankSentences(test, vocabulary, answers),
        vocabulary=vocabulary,
        answers=answers,
        cities=tuple(dict.fromkeys(fact.city for fact in facts)),
        kinds=tuple(source["kinds"]),
        examples=tuple(fact.example for fact in facts),
        blanks=dict(source["blanks"]),
    )


@dataclass(frozen=True)
class _Fact:
    city: str
    kind: str
    answer: str
    example: str


def _sentences(
    clues: str, wording: str, fact: _Fact, other: _Fact, examples: bool
) -> Iterator[BlankSentence]:
    """One sentence, or a pair of them if the wording has both clues."""
    if clues == "both":
        yield _sentence(wording, "what", fact.answer, fact, other.example)
        yield _sentence(wording, "else", other.answer, fact, other.example)
    else:
        if examples:
            wording = wording.replace("{blank}", words("corpora.with_example"))
        yield _sentence(wording, clues, fact.answer, fact, fact.example)


def _sentence(wording: str, asks: str, answer: str, fact: _Fact, example: str) -> BlankSentence:
    # Filled in after splitting: a name such as "New York" stays one word.
    parts = wording.split()
    names = {
        "{city}": fact.city,
        "{kind}": fact.kind,
        "{example}": example,
        "{blank}": words("corpora.blanks")[asks],
    }
    place = {part: parts.index(part) if part in parts else None for part in names}
    return BlankSentence(
        tuple(names.get(part, part) for part in parts),
        answer,
        asks,
        blank=place["{blank}"],
        city=place["{city}"],
        kind=place["{kind}"],
        example=place["{example}"],
    )
