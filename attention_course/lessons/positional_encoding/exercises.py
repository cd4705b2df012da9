"""The exercises of lesson 3-2 and its lab.

The lesson: a test of order, the encoding, a shift. The lab: a RoPE score, a window.
"""

from __future__ import annotations

import cmath
import math
from itertools import permutations

import numpy as np
import torch

from ...attention import scaled_dot_product_attention
from ...exercises import Case, Exercise, Symptom, same
from ...positions import rotary_embedding, sinusoidal_encoding

CHAPTER = "positional_encoding"


def attention(x):
    return scaled_dot_product_attention(x, x, x)[0]


def word_by_word(x):
    return torch.tanh(3 * x)


def average(x):
    return x + x.mean(dim=0)


def with_positions(x):
    return attention(x + sinusoidal_encoding(*x.shape))


def masked(x):
    return scaled_dot_product_attention(x, x, x, causal=True)[0]


def louder_at_the_start(x):
    return torch.cat([2 * x[:1], x[1:]])


def louder_at_the_end(x):
    return torch.cat([x[:-1], 2 * x[-1:]])


def by_distance(x):  # a reversal keeps all distances
    place = torch.arange(float(len(x)))
    return scaled_dot_product_attention(x, x, x, bias=-(place[:, None] - place).abs())[0]


def in_a_ring(x):  # moving all words on by one keeps all neighbours
    return x + torch.roll(x, 1, dims=0) ** 2


def in_the_middle(x):
    middle = torch.arange(len(x)) == len(x) // 2
    return torch.where(middle[:, None], x + 1, x)


def the_word_before(x):  # the same vectors come out, in whatever order the words stand
    return torch.roll(x, 1, dims=0)


def faint_positions(x):  # far below 0.01, far above rounding
    return x + 0.002 * sinusoidal_encoding(*x.shape)


_BLIND = [attention, word_by_word, average]
_SEEING = [
    with_positions,
    masked,
    louder_at_the_start,
    louder_at_the_end,
    by_distance,
    in_a_ring,
    in_the_middle,
    the_word_before,
    faint_positions,
]


def _words(n: int, d: int) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(n))


def order_matters(layer, x):
    for _ in range(100):
        shuffle = torch.randperm(len(x))
        if not torch.allclose(layer(x[shuffle]), layer(x)[shuffle], atol=1e-5):
            return True
    return False


def _order_swaps(layer, x):
    straight, n = layer(x), len(x)
    for i in range(n - 1):  # every shuffle is made of swaps of neighbours
        swap = [*range(i), i + 1, i, *range(i + 2, n)]
        if (layer(x[swap]) - straight[swap]).abs().max() > 1e-4:
            return True
    return False


def _order_all(layer, x):
    return any(
        not torch.allclose(layer(x[list(p)]), layer(x)[list(p)], atol=1e-4)
        for p in permutations(range(len(x)))
    )


def _order_back(layer, x):
    x = np.asarray(x)
    straight, generator = np.asarray(layer(torch.tensor(x))), np.random.default_rng(0)
    gaps = []
    for _ in range(60):
        shuffle = generator.permutation(len(x))
        turned = np.asarray(layer(torch.tensor(x[shuffle])))
        gaps.append(np.abs(turned[np.argsort(shuffle)] - straight).max())
    return max(gaps) > 1e-4


def _differ(a: torch.Tensor, b: torch.Tensor) -> bool:
    return not torch.allclose(a, b, atol=1e-5)


def _reversed(x: torch.Tensor) -> list[int]:
    return list(reversed(range(len(x))))


def _on_by_one(x: torch.Tensor) -> list[int]:
    return [*range(1, len(x)), 0]


def _swap(x: torch.Tensor) -> list[int]:
    return [1, 0, *range(2, len(x))]


def _order_as_bags(layer, x):
    """The mistake of comparing which vectors come out, and not where."""
    swaps = [_swap(x), _on_by_one(x), _reversed(x)]
    straight = layer(x).sort(dim=0).values
    return any(_differ(layer(x[swap]).sort(dim=0).values, straight) for swap in swaps)


def _order_roughly(layer, x):
    """The mistake of taking a small gap for rounding."""
    swaps = [_swap(x), _on_by_one(x), _reversed(x)]
    return any((layer(x[swap]) - layer(x)[swap]).abs().max() > 0.01 for swap in swaps)


def _gap(layer, x):
    shuffle = _on_by_one(x)
    return (layer(x[shuffle]) - layer(x)[shuffle]).abs().max()


order = Exercise(
    CHAPTER,
    "order",
    difficulty=2,
    minutes=10,
    right_answers=[order_matters, _order_swaps, _order_all, _order_back],
    cases=[
        Case(layer, _words(n, d))
        for n, d in ((5, 4), (6, 2), (3, 8))
        for layer in (*_BLIND, *_SEEING)
    ],
    mistakes={
        "false_alarm": Symptom(lambda got, want, layer, x: got and not want),
        "too_generous": Symptom(
            lambda got, want, layer, x: want and not got and layer is faint_positions
        ),
        "missed": Symptom(lambda got, want, layer, x: want and not got),
    },
    otherwise="missed",
    wrong_answers={
        "false_alarm": [
            lambda layer, x: True,
            lambda layer, x: _differ(layer(x[_on_by_one(x)]), layer(x)),  # not shuffled back
            lambda layer, x: _differ(layer(x[_on_by_one(x)])[_on_by_one(x)], layer(x)),  # again on
            lambda layer, x: not _order_swaps(layer, x),  # the other way round
        ],
        "missed": [
            lambda layer, x: False,
            lambda layer, x: _differ(layer(x[_reversed(x)]), layer(x)[_reversed(x)]),
            lambda layer, x: _differ(layer(x[_on_by_one(x)]), layer(x)[_on_by_one(x)]),
            lambda layer, x: _differ(layer(x[_swap(x)]), layer(x)[_swap(x)]),
            lambda layer, x: _differ(layer(x).sum(dim=0), layer(x[_reversed(x)]).sum(dim=0)),
            lambda layer, x: _order_as_bags(layer, x),
        ],
        "too_generous": [lambda layer, x: _order_roughly(layer, x)],
        "not_boolean": [_gap],
        "type": [lambda layer, x: str(_order_swaps(layer, x))],
        "shape": [
            lambda layer, x: (layer(x[_on_by_one(x)]) - layer(x)[_on_by_one(x)]).abs() > 1e-5
        ],
    },
    values=lambda got, want, layer, x: {"layer": layer.__name__},
)


def _speeds(d: int, base: float) -> np.ndarray:
    return base ** -(np.arange(0, d, 2) / d)  # (d/2,), radians a position


def _interleave(even: np.ndarray, odd: np.ndarray) -> np.ndarray:
    return np.stack([even, odd], axis=-1).reshape(*even.shape[:-1], -1)


def _waves(angles: np.ndarray) -> np.ndarray:
    return _interleave(np.sin(angles), np.cos(angles))


def _encode(positions: np.ndarray, d: int, base: float) -> np.ndarray:
    return _waves(positions[:, None] * _speeds(d, base))  # (length, d)


def _row(numbers: np.ndarray) -> str:
    return ", ".join(f"{number:.2f}" for number in numbers)


def encode(length, d_model, base=10_000.0):
    speeds = base ** (-np.arange(0, d_model, 2) / d_model)
    angles = np.arange(length)[:, None] * speeds
    encoding = np.empty((length, d_model))
    encoding[:, 0::2] = np.sin(angles)
    encoding[:, 1::2] = np.cos(angles)
    return encoding


def _encode_loop(length, d_model, base=10_000.0):
    table = []
    for position in range(length):
        row = []
        for i in range(d_model // 2):
            angle = position / base ** (2 * i / d_model)
            row += [math.sin(angle), math.cos(angle)]
        table.append(row)
    return table


def _encode_logarithm(length, d_model, base=10_000.0):
    speeds = torch.exp(torch.arange(0, d_model, 2) * (-math.log(base) / d_model))
    angles = torch.outer(torch.arange(length), speeds)
    return torch.stack([angles.sin(), angles.cos()], dim=2).reshape(length, d_model)


def _encode_phase(length, d_model, base=10_000.0):
    column = np.arange(d_model)
    angles = np.arange(length)[:, None] / base ** (column // 2 * 2 / d_model)
    return np.sin(angles + column % 2 * np.pi / 2)


def _encode_library(length, d_model, base=10_000.0):
    return sinusoidal_encoding(length, d_model, base)


def _own_speeds(length: int, d_model: int, base: float, factor: int) -> np.ndarray:
    """The mistake of an angle for each column, instead of one for each pair of columns."""
    column = np.arange(d_model)
    angles = np.arange(length)[:, None] / base ** (factor * column / d_model)  # (length, d)
    return np.where(column % 2 == 0, np.sin(angles), np.cos(angles))


def _places(length: int) -> np.ndarray:
    return np.arange(length)[:, None]  # (length, 1)


encoding = Exercise(
    CHAPTER,
    "encoding",
    difficulty=1,
    minutes=10,
    right_answers=[encode, _encode_loop, _encode_logarithm, _encode_phase, _encode_library],
    cases=[
        Case(7, 6, 50.0),
        Case(1, 2, 10.0),
        Case(12, 16, 10_000.0),
        Case(30, 4, 3.5),
        Case(200, 32, 10_000.0),
    ],
    tolerance=1e-4,  # angles up to 199, in float32
    mistakes={
        "halves": lambda length, d_model, base: np.concatenate(
            [
                np.sin(_places(length) * _speeds(d_model, base)),
                np.cos(_places(length) * _speeds(d_model, base)),
            ],
            axis=1,
        ),
        "cosine_first": lambda length, d_model, base: encode(length, d_model, base)[
            :, np.arange(d_model) ^ 1
        ],
        "half_exponent": lambda length, d_model, base: _waves(
            _places(length) / base ** (np.arange(d_model // 2) / d_model)
        ),
        "double_exponent": lambda length, d_model, base: _waves(
            _places(length) / base ** (2 * np.arange(0, d_model, 2) / d_model)
        ),
        "own_speed": [
            lambda length, d_model, base: _own_speeds(length, d_model, base, 1),
            lambda length, d_model, base: _own_speeds(length, d_model, base, 2),
        ],
        "faster": lambda length, d_model, base: _waves(
            _places(length) * base ** (np.arange(0, d_model, 2) / d_model)
        ),
        "degrees": lambda length, d_model, base: _waves(
            np.deg2rad(_places(length) * _speeds(d_model, base))
        ),
        "from_one": lambda length, d_model, base: _encode(np.arange(1, length + 1), d_model, base),
        "other_base": lambda length, d_model, base: encode(length, d_model),
        "first_row": Symptom(lambda got, want, *sizes: not same(got[0], want[0])),
    },
    otherwise="other_table",
    wrong_answers={
        "first_row": [
            lambda length, d_model, base: np.sin(
                _places(length) * np.repeat(_speeds(d_model, base), 2)
            )
        ],
        "other_table": [
            lambda length, d_model, base: encode(length, d_model, base / 2),
            lambda length, d_model, base: encode(length, d_model, base)[[0] * length],
        ],
        "shape": [
            lambda length, d_model, base: encode(length, d_model, base).T,
            lambda length, d_model, base: encode(length, 6, base),
            lambda length, d_model, base: encode(7, d_model, base),
        ],
    },
    values=lambda got, want, *sizes: {
        "first": _row(got[0]),
        "row": _row(got[-1]),
        "wanted": _row(want[-1]),
        "position": len(got) - 1,
    },
)


def _turns(angles: np.ndarray) -> np.ndarray:
    """A matrix that turns each hand, a (sine, cosine) pair of columns, by its angle."""
    d = 2 * len(angles)
    matrix = np.zeros((d, d))
    even, odd = np.arange(0, d, 2), np.arange(1, d, 2)
    matrix[even, even] = matrix[odd, odd] = np.cos(angles)
    matrix[even, odd], matrix[odd, even] = np.sin(angles), -np.sin(angles)
    return matrix


def shift_matrix(k, d_model, base=10_000.0):
    matrix = np.zeros((d_model, d_model))
    for i in range(0, d_model, 2):
        angle = k * base ** (-i / d_model)
        sin, cos = np.sin(angle), np.cos(angle)
        matrix[i : i + 2, i : i + 2] = [[cos, sin], [-sin, cos]]
    return matrix


def _shift_columns(k, d_model, base=10_000.0):
    angles = k * base ** (-np.arange(0, d_model, 2) / d_model)
    matrix = np.diag(np.repeat(np.cos(angles), 2))
    sines = np.repeat(np.sin(angles), 2)[:-1]
    sines[1::2] = 0
    return matrix + np.diag(sines, 1) - np.diag(sines, -1)


def _shift_torch(k, d_model, base=10_000.0):
    blocks = []
    for i in range(0, d_model, 2):
        angle = torch.tensor(k / base ** (i / d_model))
        cos, sin = angle.cos(), angle.sin()
        blocks.append(torch.stack([torch.stack([cos, sin]), torch.stack([-sin, cos])]))
    return torch.block_diag(*blocks)


def _shift_fitted(k, d_model, base=10_000.0):
    table = _encode(np.arange(40.0), d_model, base)
    moved = _encode(np.arange(40.0) + k, d_model, base)
    return np.linalg.lstsq(table, moved, rcond=None)[0].T


def _halves(d: int) -> np.ndarray:
    """The columns in another order: all sines, then all cosines."""
    return np.concatenate([np.arange(0, d, 2), np.arange(1, d, 2)])


def _mixes_hands(matrix: np.ndarray) -> bool:
    hand = np.arange(len(matrix)) // 2
    return not same(matrix[hand[:, None] != hand], 0)


def _stretches(matrix: np.ndarray) -> bool:
    """Whether lengths change, by more than half precision explains."""
    return not same(matrix @ matrix.T, np.eye(len(matrix)), 0.01)


def _mirrors(matrix: np.ndarray) -> bool:
    """Whether some block of a hand turns it over, as a mirror does."""
    blocks = [matrix[i : i + 2, i : i + 2] for i in range(0, len(matrix), 2)]
    return any(np.linalg.det(block) < 0 for block in blocks)


shift = Exercise(
    CHAPTER,
    "shift",
    difficulty=3,
    minutes=15,
    right_answers=[shift_matrix, _shift_columns, _shift_torch, _shift_fitted],
    cases=[
        Case(3, 6, 50.0),
        Case(1, 6, 50.0),
        Case(0, 4, 50.0),
        Case(10, 8, 100.0),
        Case(2, 2, 10.0),
        Case(100, 12, 20.0),
    ],
    tolerance=1e-4,  # angles up to 100, in float32
    mistakes={
        "backwards": lambda k, d_model, base: shift_matrix(-k, d_model, base),
        "one_step": lambda k, d_model, base: shift_matrix(1, d_model, base),
        "one_speed": lambda k, d_model, base: shift_matrix(k, d_model, 1.0),
        "halves": lambda k, d_model, base: shift_matrix(k, d_model, base)[
            np.ix_(_halves(d_model), _halves(d_model))
        ],
        "degrees": lambda k, d_model, base: _turns(np.radians(k * _speeds(d_model, base))),
        "other_base": lambda k, d_model, base: shift_matrix(k, d_model),
        "hands_mixed": Symptom(lambda got, want, *inputs: _mixes_hands(got)),
        "stretched": Symptom(lambda got, want, *inputs: _stretches(got)),
        "mirrored": Symptom(lambda got, want, *inputs: _mirrors(got)),
    },
    otherwise="other_angles",
    wrong_answers={
        "backwards": [lambda k, d_model, base: shift_matrix(k, d_model, base).T],
        "hands_mixed": [lambda k, d_model, base: np.ones((d_model, d_model))],
        "stretched": [
            lambda k, d_model, base: np.abs(shift_matrix(k, d_model, base)),
            lambda k, d_model, base: np.diag(np.repeat(np.cos(k * _speeds(d_model, base)), 2)),
        ],
        "mirrored": [
            lambda k, d_model, base: shift_matrix(k, d_model, base)[np.arange(d_model) ^ 1],
            lambda k, d_model, base: (
                shift_matrix(k, d_model, base) * np.resize([1, -1], d_model)[:, None]
            ),
        ],
        "half_precision": [
            lambda k, d_model, base: shift_matrix(k, d_model, base).astype(np.float16)
        ],
        "other_angles": [
            lambda k, d_model, base: _turns(k / base ** (np.arange(d_model // 2) / d_model)),
            lambda k, d_model, base: np.eye(d_model),
        ],
        "shape": [
            lambda k, d_model, base: shift_matrix(k, d_model, base)[:2, :2],
            lambda k, d_model, base: shift_matrix(k, 6, base),
        ],
    },
)


def _rotated(x: np.ndarray, angles: np.ndarray) -> np.ndarray:
    a, b = x[0::2], x[1::2]
    return _interleave(
        a * np.cos(angles) - b * np.sin(angles), a * np.sin(angles) + b * np.cos(angles)
    )


def _rotated_halves(x: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """The first half of the vector paired with the second."""
    a, b = np.split(x, 2)
    return np.concatenate(
        [a * np.cos(angles) - b * np.sin(angles), a * np.sin(angles) + b * np.cos(angles)]
    )


def _rotated_in_place(x: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """The mistake of writing the new first numbers before the old ones have been used."""
    x = x.copy()
    x[0::2] = x[0::2] * np.cos(angles) - x[1::2] * np.sin(angles)
    x[1::2] = x[0::2] * np.sin(angles) + x[1::2] * np.cos(angles)
    return x


def rope_score(query, key, offset, base=10_000.0):
    angles = offset * base ** (-np.arange(0, len(query), 2) / len(query))
    a, b = query[0::2], query[1::2]
    turned = np.empty(len(query))
    turned[0::2] = a * np.cos(angles) - b * np.sin(angles)
    turned[1::2] = a * np.sin(angles) + b * np.cos(angles)
    return turned @ key


def _rope_score_complex(query, key, offset, base=10_000.0):
    q, k = query[0::2] + 1j * query[1::2], key[0::2] + 1j * key[1::2]
    turn = np.exp(1j * offset * base ** (-np.arange(0, len(query), 2) / len(query)))
    return (q * turn * k.conj()).sum().real


def _rope_score_loop(query, key, offset, base=10_000.0):
    total = 0.0
    for i in range(0, len(query), 2):
        turned = complex(query[i], query[i + 1]) * cmath.rect(1, offset / base ** (i / len(query)))
        total += turned.real * key[i] + turned.imag * key[i + 1]
    return total


def _rope_score_key(query, key, offset, base=10_000.0):
    return query @ _rotated(key, -offset * _speeds(len(key), base))


def _rope_score_library(query, key, offset, base=10_000.0):
    pair = torch.stack([torch.as_tensor(query), torch.as_tensor(key)])  # at 1000 + offset and 1000
    q, k = rotary_embedding(pair, torch.tensor([1000 + offset, 1000]), base)
    return q @ k


def _turned_score(turn, query: np.ndarray, key: np.ndarray, angles: np.ndarray) -> float:
    return turn(query, angles) @ key


_QUERY, _KEY = np.array([1.0, 0.5, -2.0, 1.5, 0.25, 3.0]), np.array([0.5, 2, 1, -1, 1.5, 0.75])

rope = Exercise(
    CHAPTER,
    "rope_score",
    difficulty=2,
    minutes=10,
    right_answers=[
        rope_score,
        _rope_score_complex,
        _rope_score_loop,
        _rope_score_key,
        _rope_score_library,
    ],
    cases=[
        Case(_QUERY, _KEY, 5, 50.0),
        Case(_QUERY, _KEY, -2, 50.0),
        Case(_QUERY, _KEY, 0, 50.0),
        Case(np.array([2.0, -1.0]), np.array([0.5, 3.0]), 3, 10.0),
        Case(np.cos(np.arange(64.0)), np.sin(np.arange(64.0) ** 2), 100, 10_000.0),
    ],
    tolerance=1e-4,  # angles up to 100, in float32
    mistakes={
        "backwards": lambda query, key, offset, base: rope_score(query, key, -offset, base),
        "both_turned": lambda query, key, offset, base: query @ key,
        "opposite": lambda query, key, offset, base: rope_score(query, key, 2 * offset, base),
        "one_speed": lambda query, key, offset, base: rope_score(query, key, offset, 1.0),
        "halves": lambda query, key, offset, base: _turned_score(
            _rotated_halves, query, key, offset * _speeds(len(query), base)
        ),
        "degrees": lambda query, key, offset, base: _turned_score(
            _rotated, query, key, np.radians(offset * _speeds(len(query), base))
        ),
        "added": [
            lambda query, key, offset, base: (
                (query + _encode(np.array([offset]), len(query), base)[0]) @ key
            ),
            lambda query, key, offset, base: (
                (query + _encode(np.array([offset]), len(query), base)[0])
                @ (key + _encode(np.array([0]), len(query), base)[0])
            ),
        ],
        "other_base": lambda query, key, offset, base: rope_score(query, key, offset),
        "overwritten": lambda query, key, offset, base: _turned_score(
            _rotated_in_place, query, key, offset * _speeds(len(query), base)
        ),
        "divided": lambda query, key, offset, base: (
            rope_score(query, key, offset, base) / math.sqrt(len(query))
        ),
    },
    otherwise="other_score",
    wrong_answers={
        "other_score": [
            lambda query, key, offset, base: rope_score(key, query, offset, base) + 1,
            lambda query, key, offset, base: rope_score(query, key, offset, base / 2),
            lambda query, key, offset, base: 0.0,
        ],
        "shape": [
            lambda query, key, offset, base: _rotated(query, offset * _speeds(len(query), base))
        ],
    },
    values=lambda got, want, *inputs: {"wanted": f"{want:.4g}", "read": f"{got:.4g}"},
)


def _back(n: int) -> np.ndarray:
    """How far back word j stands from word i: ``(n, n)``."""
    return np.arange(n)[:, None] - np.arange(n)


def window_mask(n, width):
    i, j = np.arange(n)[:, None], np.arange(n)
    return (j <= i) & (i - j < width)


def _window_loop(n, width):
    return [[0 <= i - j < width for j in range(n)] for i in range(n)]


def _window_torch(n, width):
    everything = torch.ones(n, n, dtype=torch.bool)
    return everything.tril() & everything.triu(1 - width)


def _window_rows(n, width):
    mask = np.zeros((n, n), dtype=bool)
    for i in range(n):
        mask[i, max(0, i - width + 1) : i + 1] = True
    return mask


window = Exercise(
    CHAPTER,
    "window",
    difficulty=1,
    minutes=8,
    right_answers=[window_mask, _window_loop, _window_torch, _window_rows],
    cases=[Case(6, 3), Case(5, 2), Case(6, 1), Case(3, 9), Case(1, 1), Case(40, 16)],
    mistakes={
        "future": [
            lambda n, width: _back(n) < width,
            lambda n, width: np.abs(_back(n)) < width,
            lambda n, width: np.abs(_back(n)) <= width,
        ],
        "no_window": lambda n, width: _back(n) >= 0,
        "one_too_many": lambda n, width: (_back(n) >= 0) & (_back(n) <= width),
        "one_too_few": [
            lambda n, width: (_back(n) >= 0) & (_back(n) < width - 1),
            lambda n, width: (_back(n) > 0) & (_back(n) < width),
        ],
        "inverted": lambda n, width: ~window_mask(n, width),
        "transposed": lambda n, width: window_mask(n, width).T,
    },
    otherwise="other_cells",
    wrong_answers={
        "not_boolean": [lambda n, width: window_mask(n, width).astype(float)],
        "other_cells": [
            lambda n, width: np.eye(n, dtype=bool),
            lambda n, width: (_back(n) >= 1) & (_back(n) <= width),
        ],
        "shape": [lambda n, width: window_mask(n, width)[0]],
    },
    values=lambda got, want, n, width: {"count": int((got != want).sum()), "all": n * n},
)
