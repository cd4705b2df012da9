"""Words and their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np


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
