"""The exercises of lesson 3-1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...exercises import Case, Exercise

LESSON = "encoder_decoder"


def my_write(say, start, length):
    read = [start]
    for _ in range(length):
        rows = say(read)  # (len(read), vocabulary)
        read.append(int(rows[-1].argmax()))
    return read[1:]


def _write_plain(say, start, length):
    words = []
    while len(words) < length:
        row = say([start, *words])[len(words)].tolist()
        words += [row.index(max(row))]
    return words


def _write_tensor(say, start, length):
    read = torch.tensor([start])
    for _ in range(length):
        read = torch.cat([read, say(read)[-1].argmax(dim=-1, keepdim=True)])
    return read[1:]


def _write_numpy(say, start, length):
    read = np.full(length + 1, start)
    for i in range(length):
        read[i + 1] = np.argmax(np.asarray(say(read[: i + 1])), axis=1)[i]
    return read[1:]


def _write_padded(say, start, length):
    read = torch.full((length + 1,), start)
    for i in range(length):
        read[i + 1] = say(read)[i].argmax()  # what is read later does not count here
    return read[1:]


def _writes(
    *,
    reads: Callable[[list[int]], list[int]] = list,
    picks: Callable[[Tensor], Tensor] = lambda rows: rows[-1].argmax(),
    gives: Callable[[list[int]], list[int]] = lambda read: read[1:],
    more: int = 0,
    begins: int | None = None,
) -> Callable[..., list[int]]:
    """A wrong answer: the loop of writing with one thing done otherwise."""

    def answer(say, start, length):
        read = [start if begins is None else begins]
        for _ in range(length + more):
            read.append(int(picks(say(reads(read)))))
        return gives(read)

    return answer


@dataclass(frozen=True)
class Speaker:
    """Stands for a decoder: at each place it goes by the words read up to there.

    Attributes:
        said: the start sign, and what it says to whoever hands back all that it said; to others it
            says other words.
        vocabulary: how many words there are.
    """

    said: tuple[int, ...]
    vocabulary: int

    def __call__(self, read: Any) -> Tensor:
        """``(n,)`` words read to ``(n, vocabulary)`` numbers."""
        read = tuple(int(word) for word in read)
        rows = -torch.ones(len(read), self.vocabulary)
        for i, word in enumerate(read):
            known = i + 1 < len(self.said) and read[: i + 1] == self.said[: i + 1]
            says = self.said[i + 1] if known else (3 * word + 2 * i + 1) % self.vocabulary
            rows[i, says] = 2.0 + (2 * i + 1) % 5
            rows[i, (says + 1) % self.vocabulary] = -2.0
        return rows


write = Exercise(
    LESSON,
    "write",
    difficulty=2,
    minutes=10,
    right_answers=[my_write, _write_plain, _write_tensor, _write_numpy, _write_padded],
    cases=[
        Case(Speaker((0, 4, 2, 5, 6, 3, 7), 8), 0, 6),
        Case(Speaker((1, 3, 3, 7, 2, 5, 9, 4, 6, 8), 11), 1, 9),
        Case(Speaker((3, 5, 2, 5, 2), 6), 3, 4),
        Case(Speaker((4, 2), 7), 4, 1),
    ],
    mistakes={
        "start_alone": [
            _writes(reads=lambda read: read[:1]),
            _writes(picks=lambda rows: rows[0].argmax()),
        ],
        "last_word_alone": _writes(reads=lambda read: read[-1:]),
        "whole_table": [
            _writes(picks=lambda rows: rows.argmax()),
            _writes(picks=lambda rows: rows.argmax() % rows.shape[1]),
        ],
        "wrong_axis": _writes(picks=lambda rows: rows.argmax(dim=0)[-1]),
        "average": [
            _writes(picks=lambda rows: rows.mean(dim=0).argmax()),
            _writes(picks=lambda rows: rows.sum(dim=0).argmax()),
        ],
        "own_start": [_writes(begins=0), _writes(begins=1)],
        "number_not_place": _writes(picks=lambda rows: rows[-1].max()),
        "smallest": _writes(picks=lambda rows: rows[-1].argmin()),
        "keeps_start": [_writes(gives=list), _writes(gives=lambda read: read[:-1])],
        "one_too_few": _writes(more=-1),
        "last_word_only": lambda say, start, length: my_write(say, start, length)[-1],
    },
    otherwise="other_words",
    wrong_answers={
        "other_words": [
            lambda say, start, length: my_write(say, start, length)[::-1],
            lambda say, start, length: [0] * length,
        ],
    },
)


def my_one_row_mask(n_source, n_target):
    n = n_source + n_target
    may_see = torch.ones(n, n, dtype=torch.bool).tril()
    may_see[:n_source, :n_source] = True
    return may_see


def _one_row_numpy(n_source, n_target):
    place = np.arange(n_source + n_target)
    return place < np.maximum(n_source, place[:, None] + 1)


def _one_row_loop(n_source, n_target):
    places = range(n_source + n_target)
    return [[j < n_source or j <= i for j in places] for i in places]


def _one_row_blocks(n_source, n_target):
    sources = torch.ones(n_source + n_target, n_source, dtype=torch.bool)
    hidden = torch.zeros(n_source, n_target, dtype=torch.bool)
    own = torch.ones(n_target, n_target, dtype=torch.bool).tril()
    return torch.cat([sources, torch.cat([hidden, own])], dim=1)


def _one_row_hidden(n_source, n_target):
    n = n_source + n_target
    later = torch.ones(n, n).triu(1).bool()
    later[:, :n_source] = False
    return ~later


def _none(ones: Tensor) -> Tensor:
    return ~ones


def _blocks(**changed: Callable[[Tensor], Tensor]) -> Callable[[int, int], Tensor]:
    """A wrong answer: the mask with some of its four blocks made otherwise, from all True."""
    made = {"encoder": Tensor.bool, "hidden": _none, "across": Tensor.bool, "own": Tensor.tril}
    made |= changed

    def answer(n_source, n_target):
        n = n_source + n_target
        ones = torch.ones(n, n, dtype=torch.bool)
        top, bottom = ones[:n_source], ones[n_source:]
        above = [made["encoder"](top[:, :n_source]), made["hidden"](top[:, n_source:])]
        below = [made["across"](bottom[:, :n_source]), made["own"](bottom[:, n_source:])]
        return torch.cat([torch.cat(above, dim=1), torch.cat(below, dim=1)])

    return answer


def _staircase(moved: Callable[[int], int]) -> Callable[[int, int], Tensor]:
    """A wrong answer: one staircase for all, moved by so much for a source of ``n`` words."""
    return lambda n_source, n_target: (
        torch.ones(n_source + n_target, n_source + n_target).tril(moved(n_source)).bool()
    )


one_row = Exercise(
    LESSON,
    "one_row",
    difficulty=2,
    minutes=10,
    right_answers=[
        my_one_row_mask,
        _one_row_numpy,
        _one_row_loop,
        _one_row_blocks,
        _one_row_hidden,
    ],
    cases=[Case(3, 2), Case(2, 4), Case(5, 3), Case(4, 1), Case(1, 6), Case(1, 1)],
    mistakes={
        "causal_all": _blocks(encoder=Tensor.tril),
        "everything": _blocks(hidden=Tensor.bool, own=Tensor.bool),
        "source_sees_target": _blocks(hidden=Tensor.bool),
        "own_future": _blocks(own=Tensor.bool),
        "no_cross": [
            _blocks(across=_none),
            _blocks(across=_none, encoder=Tensor.tril),
            _blocks(across=_none, own=Tensor.bool),
        ],
        "one_too_wide": lambda n_source, n_target: (
            my_one_row_mask(n_source, n_target) | (torch.arange(n_source + n_target) == n_source)
        ),
        "staircase_moved": [_staircase(lambda n: n), _staircase(lambda n: n - 1)],
        "across_causal": _blocks(across=Tensor.tril),
        "not_itself": [
            _blocks(own=lambda ones: ones.tril(-1)),
            _blocks(own=lambda ones: ones.tril(-1), encoder=lambda ones: ones.tril(-1)),
        ],
        "turned_round": lambda n_source, n_target: my_one_row_mask(n_source, n_target).T,
        "upside_down": lambda n_source, n_target: ~my_one_row_mask(n_source, n_target),
        "sizes_exchanged": lambda n_source, n_target: my_one_row_mask(n_target, n_source),
        "decoder_alone": lambda n_source, n_target: my_one_row_mask(n_source, n_target)[n_source:],
    },
    otherwise="other_mask",
    wrong_answers={
        "other_mask": [
            lambda n_source, n_target: torch.eye(n_source + n_target).bool(),
            lambda n_source, n_target: torch.zeros(n_source + n_target, n_source + n_target).bool(),
        ],
        "not_boolean": [lambda n_source, n_target: my_one_row_mask(n_source, n_target).float()],
    },
)
