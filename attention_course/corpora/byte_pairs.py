"""Byte pair encoding: text as tokens, each a piece that was frequent in other text."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from .. import checks

# No token reaches over the end of a piece: a word with the space before it, a number, signs, a line
# break with the indentation after it.
_PIECE = re.compile(rb" ?[A-Za-z]+| ?[0-9]+|\n *| +(?! )| ?[^\sA-Za-z0-9]+|\s")
_BYTES = 256
Pair = tuple[int, int]


class BytePairs:
    """Tokens 0 to 255 are the bytes; each further one is two earlier ones, one after the other.

    Args:
        merges: for each further token, from 256 on, the two that it joins.

    Attributes:
        merges: as given.
        tokens: what each token stands for, as bytes.

    Raises:
        ValueError: a merge joins a token that is not there yet.

    Source: Sennrich et al. 2016 (arXiv:1508.07909), algorithm 1; on bytes, Radford et al. 2019
    (GPT-2), section 2.2.
    """

    def __init__(self, merges: Iterable[Sequence[int]]) -> None:
        self.merges: tuple[Pair, ...] = tuple((int(left), int(right)) for left, right in merges)
        tokens = [bytes([i]) for i in range(_BYTES)]
        for pair in self.merges:
            if not all(0 <= token < len(tokens) for token in pair):
                raise ValueError(f"merges: got {pair}, expected tokens below {len(tokens)}")
            tokens.append(tokens[pair[0]] + tokens[pair[1]])
        self.tokens = tuple(tokens)
        self._new = {pair: token for token, pair in enumerate(self.merges, start=_BYTES)}
        self._known: dict[bytes, list[int]] = {}

    @classmethod
    def learn(cls, text: bytes, vocab_size: int) -> BytePairs:
        """Join the pair of tokens that is most frequent in ``text``, and again, until there are
        ``vocab_size`` tokens, or no pair is left that occurs twice.

        Raises:
            TypeError, ValueError: ``text`` is not bytes, or ``vocab_size`` below 256.
        """
        _check(text)
        if checks.size("vocab_size", vocab_size) < _BYTES:
            raise ValueError(f"vocab_size: got {vocab_size}, expected at least {_BYTES}")
        counts = Counter(_PIECE.findall(text))
        pieces = {piece: list(piece) for piece in counts}
        pairs: Counter[Pair] = Counter()
        where: defaultdict[Pair, set[bytes]] = defaultdict(set)
        for piece, tokens in pieces.items():
            for pair in pairwise(tokens):
                pairs[pair] += counts[piece]
                where[pair].add(piece)
        merges: list[Pair] = []
        while len(merges) < vocab_size - _BYTES and pairs:
            best = max(pairs, key=lambda pair: (pairs[pair], pair))
            if pairs[best] < 2:
                break
            for piece in where[best]:
                tokens = pieces[piece]
                joined = pieces[piece] = merge(tokens, best, _BYTES + len(merges))
                for pair in pairwise(tokens):
                    pairs[pair] -= counts[piece]
                for pair in pairwise(joined):
                    pairs[pair] += counts[piece]
                    where[pair].add(piece)
            del pairs[best]
            merges.append(best)
        return cls(merges)

    def __len__(self) -> int:
        """How many tokens there are."""
        return len(self.tokens)

    def encode(self, text: bytes) -> np.ndarray:
        """The tokens ``(n,)`` of a text.

        Raises:
            TypeError: ``text`` is not bytes.
        """
        _check(text)
        found: list[int] = []
        for piece in _PIECE.findall(text):
            if piece not in self._known:
                self._known[piece] = self._encode_piece(piece)
            found += self._known[piece]
        return np.array(found, dtype=np.int64)

    def _encode_piece(self, piece: bytes) -> list[int]:
        tokens, never = list(piece), len(self)
        while len(tokens) > 1:
            new, best = min((self._new.get(pair, never), pair) for pair in pairwise(tokens))
            if new == never:
                break
            tokens = merge(tokens, best, new)
        return tokens

    def decode(self, tokens: Iterable[int]) -> bytes:
        """The text of tokens, an array or a list.

        Raises:
            IndexError: a token is not in the vocabulary.
        """
        return b"".join(self.tokens[int(token)] for token in tokens)

    def shown(self, tokens: Iterable[int]) -> str:
        """The text of tokens as it can be printed, also where it ends inside a character."""
        return self.decode(tokens).decode("utf-8", errors="replace")


def merge(tokens: Sequence[int], pair: Pair, new: int) -> list[int]:
    """The tokens with each ``pair``, from left to right, replaced by ``new``."""
    joined: list[int] = []
    i = 0
    while i < len(tokens):
        if tuple(tokens[i : i + 2]) == pair:
            joined.append(new)
            i += 2
        else:
            joined.append(tokens[i])
            i += 1
    return joined


def _check(text: bytes) -> None:
    if not isinstance(text, bytes):
        raise TypeError(f"text: got {checks.describe(text)}, expected bytes")
