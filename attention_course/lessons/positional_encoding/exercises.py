"""The exercises of notebook 3-2: write the encoding, read it back, shift it, rotate with it."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ...exercises import Exercise, Wrong, as_array, call, same
from ...positions import rotary_embedding, sinusoidal_encoding

CHAPTER = "positional_encoding"


def _speeds(d: int, base: float) -> np.ndarray:
    return base ** -(np.arange(0, d, 2) / d)  # (d/2,), radians a position


def _interleave(even: np.ndarray, odd: np.ndarray) -> np.ndarray:
    return np.stack([even, odd], axis=-1).reshape(*even.shape[:-1], -1)


def _waves(angles: np.ndarray) -> np.ndarray:
    return _interleave(np.sin(angles), np.cos(angles))


def _encode(positions: np.ndarray, d: int, base: float) -> np.ndarray:
    return _waves(positions[:, None] * _speeds(d, base))  # (length, d)


_LENGTH, _D_MODEL, _BASE = 7, 6, 50.0


def _verify_encoding(answer: Callable[..., Any]) -> None:
    table = as_array(call(answer, _LENGTH, _D_MODEL, _BASE), (_LENGTH, _D_MODEL))
    positions = np.arange(_LENGTH)
    right = _encode(positions, _D_MODEL, _BASE)
    if same(table, right):
        return
    place = positions[:, None]
    pair, column = np.arange(_D_MODEL // 2), np.arange(_D_MODEL)

    def own_speeds(factor: int) -> np.ndarray:
        angles = place / _BASE ** (factor * column / _D_MODEL)  # (length, d)
        return np.where(column % 2 == 0, np.sin(angles), np.cos(angles))

    for key, mistake in (
        ("halves", np.concatenate([right[:, 0::2], right[:, 1::2]], axis=1)),
        ("cosine_first", _interleave(right[:, 1::2], right[:, 0::2])),
        ("half_exponent", _waves(place / _BASE ** (pair / _D_MODEL))),
        ("double_exponent", _waves(place / _BASE ** (4 * pair / _D_MODEL))),
        ("own_speed", own_speeds(1)),
        ("own_speed", own_speeds(2)),
        ("faster", _waves(place * _BASE ** (2 * pair / _D_MODEL))),
        ("degrees", _waves(np.radians(place * _speeds(_D_MODEL, _BASE)))),
        ("from_one", _encode(positions + 1, _D_MODEL, _BASE)),
        ("other_base", _encode(positions, _D_MODEL, 10_000.0)),
    ):
        if same(table, mistake):
            raise Wrong(key)
    if not same(table[0], right[0]):
        raise Wrong("first_row", row=_row(table[0]))
    raise Wrong("other_table", row=_row(table[1]), wanted=_row(right[1]))


def _row(numbers: np.ndarray) -> str:
    return ", ".join(f"{number:.2f}" for number in numbers)


def _encode_numpy(length, d_model, base=10_000.0):
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


encoding = Exercise(
    CHAPTER,
    "encoding",
    difficulty=1,
    minutes=10,
    verify=_verify_encoding,
    right_answers=[_encode_numpy, _encode_loop, _encode_logarithm, _encode_phase, _encode_library],
    wrong_answers={
        "halves": [
            lambda length, d_model, base: np.concatenate(
                [
                    np.sin(np.arange(length)[:, None] * _speeds(d_model, base)),
                    np.cos(np.arange(length)[:, None] * _speeds(d_model, base)),
                ],
                axis=1,
            )
        ],
        "cosine_first": [
            lambda length, d_model, base: _encode_numpy(length, d_model, base)[
                :, np.arange(d_model) ^ 1
            ]
        ],
        "half_exponent": [
            lambda length, d_model, base: _waves(
                np.arange(length)[:, None] / base ** (np.arange(d_model // 2) / d_model)
            )
        ],
        "double_exponent": [
            lambda length, d_model, base: _waves(
                np.arange(length)[:, None] / base ** (2 * np.arange(0, d_model, 2) / d_model)
            )
        ],
        "own_speed": [
            lambda length, d_model, base: [
                [
                    (math.cos if j % 2 else math.sin)(position / base ** (j / d_model))
                    for j in range(d_model)
                ]
                for position in range(length)
            ],
            lambda length, d_model, base: [
                [
                    (math.cos if j % 2 else math.sin)(position / base ** (2 * j / d_model))
                    for j in range(d_model)
                ]
                for position in range(length)
            ],
        ],
        "faster": [
            lambda length, d_model, base: _waves(
                np.arange(length)[:, None] * base ** (np.arange(0, d_model, 2) / d_model)
            )
        ],
        "degrees": [
            lambda length, d_model, base: _waves(
                np.deg2rad(np.arange(length)[:, None] * _speeds(d_model, base))
            )
        ],
        "from_one": [
            lambda length, d_model, base: _encode(np.arange(1, length + 1), d_model, base)
        ],
        "other_base": [lambda length, d_model, base: _encode_numpy(length, d_model)],
        "first_row": [
            lambda length, d_model, base: np.sin(
                np.arange(length)[:, None] * np.repeat(_speeds(d_model, base), 2)
            )
        ],
        "other_table": [
            lambda length, d_model, base: _encode_numpy(length, d_model, base / 2),
            lambda length, d_model, base: _encode_numpy(length, d_model, base)[[0] * length],
        ],
        "shape": [lambda length, d_model, base: _encode_numpy(length, d_model, base).T],
    },
)


_CLOCK_WIDTH, _CLOCK_BASE = 8, 10_000.0


def _verify_clock(answer: Callable[..., Any]) -> None:
    speeds = _speeds(_CLOCK_WIDTH, _CLOCK_BASE)
    for position in (0, 3, 40, 499):
        row = _encode(np.array([position]), _CLOCK_WIDTH, _CLOCK_BASE)[0]
        read = float(as_array(call(answer, row, _CLOCK_BASE), ()))
        if same(read, position, 1e-3):
            continue
        angles = np.arctan2(row[0::2], row[1::2])
        if same(read, position + 1):
            raise Wrong("one_too_many")
        if position and any(same(read, angle) for angle in angles[1:]):
            raise Wrong("angle")
        if any(same(read % lap, position % lap) for lap in 2 * np.pi / speeds[:-1]):
            raise Wrong("several_laps", position=position, read=f"{read:.2f}")
        if same(read, (np.pi / 2 - angles[-1]) / speeds[-1]):
            raise Wrong("cosine_as_sine")
        turned = read * speeds[:2]  # slower hands show nearly the same cosine for many positions
        if any(map(same, np.sin(turned), row[0::2])) or any(map(same, np.cos(turned), row[1::2])):
            raise Wrong("half_a_hand", position=position, read=f"{read:.2f}")
        raise Wrong("other_position", position=position, read=f"{read:.2f}")


def _clock_slowest(row, base=10_000.0):
    speed = base ** (-(len(row) - 2) / len(row))
    return np.arctan2(row[-2], row[-1]) / speed


def _clock_compare(row, base=10_000.0):
    angles = np.arange(500)[:, None] * base ** (-np.arange(0, len(row), 2) / len(row))
    likeness = np.sin(angles) @ row[0::2] + np.cos(angles) @ row[1::2]
    return likeness.argmax()


def _clock_search(row, base=10_000.0):
    for position in range(500):
        angles = [position / base ** (i / len(row)) for i in range(0, len(row), 2)]
        if all(
            math.isclose(math.sin(angle), sine, abs_tol=1e-6)
            for angle, sine in zip(angles, row[0::2], strict=True)
        ):
            return position


def _clock_arcsine(row, base=10_000.0):
    return round(math.asin(row[-2]) * base ** ((len(row) - 2) / len(row)))


clock = Exercise(
    CHAPTER,
    "clock",
    difficulty=2,
    minutes=10,
    verify=_verify_clock,
    right_answers=[_clock_slowest, _clock_compare, _clock_search, _clock_arcsine],
    wrong_answers={
        "several_laps": [
            lambda row, base: np.arctan2(row[0], row[1]),
            lambda row, base: np.arctan2(row[0], row[1]) % (2 * np.pi),
            lambda row, base: np.arctan2(row[2], row[3]) / base ** (-2 / len(row)),
        ],
        "angle": [lambda row, base: np.arctan2(row[-2], row[-1])],
        "cosine_as_sine": [
            lambda row, base: np.arctan2(row[-1], row[-2]) * base ** (1 - 2 / len(row))
        ],
        "half_a_hand": [
            lambda row, base: np.arcsin(row[0]),
            lambda row, base: np.arccos(row[3]) * base ** (2 / len(row)),
        ],
        "one_too_many": [lambda row, base: _clock_slowest(row, base) + 1],
        "other_position": [
            lambda row, base: np.arctan2(row[-2], row[-1]) * base,
            lambda row, base: 0,
        ],
        "shape": [lambda row, base: np.arctan2(row[0::2], row[1::2]) / _speeds(len(row), base)],
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


def _verify_shift(answer: Callable[..., Any]) -> None:
    speeds = _speeds(_D_MODEL, _BASE)
    halves = np.array([0, 2, 4, 1, 3, 5])
    for k in (3, 1, 0, 10):
        matrix = as_array(call(answer, k, _D_MODEL, _BASE), (_D_MODEL, _D_MODEL))
        right = _turns(k * speeds)
        if same(matrix, right):
            continue
        for key, mistake in {
            "backwards": right.T,
            "one_step": _turns(speeds),
            "one_speed": _turns(np.full(_D_MODEL // 2, float(k))),
            "halves": right[np.ix_(halves, halves)],
            "degrees": _turns(np.radians(k * speeds)),
            "other_base": _turns(k * _speeds(_D_MODEL, 10_000.0)),
        }.items():
            if same(matrix, mistake):
                raise Wrong(key)
        if np.any(matrix.reshape(3, 2, 3, 2).swapaxes(1, 2)[~np.eye(3, dtype=bool)]):
            raise Wrong("hands_mixed")
        if not same(matrix @ matrix.T, np.eye(_D_MODEL)):
            raise Wrong("stretched")
        raise Wrong("other_angles")


def _shift_blocks(k, d_model, base=10_000.0):
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


shift = Exercise(
    CHAPTER,
    "shift",
    difficulty=2,
    minutes=12,
    verify=_verify_shift,
    right_answers=[_shift_blocks, _shift_columns, _shift_torch, _shift_fitted],
    wrong_answers={
        "backwards": [
            lambda k, d_model, base: _shift_blocks(k, d_model, base).T,
            lambda k, d_model, base: _shift_blocks(-k, d_model, base),
        ],
        "one_step": [lambda k, d_model, base: _shift_blocks(1, d_model, base)],
        "one_speed": [lambda k, d_model, base: _shift_blocks(k, d_model, 1.0)],
        "halves": [
            lambda k, d_model, base: _shift_blocks(k, d_model, base)[
                np.ix_([0, 2, 4, 1, 3, 5], [0, 2, 4, 1, 3, 5])
            ]
        ],
        "degrees": [lambda k, d_model, base: _turns(np.radians(k * _speeds(d_model, base)))],
        "other_base": [lambda k, d_model, base: _shift_blocks(k, d_model)],
        "hands_mixed": [lambda k, d_model, base: np.ones((d_model, d_model))],
        "stretched": [
            lambda k, d_model, base: np.abs(_shift_blocks(k, d_model, base)),
            lambda k, d_model, base: np.diag(np.repeat(np.cos(k * _speeds(d_model, base)), 2)),
        ],
        "other_angles": [
            lambda k, d_model, base: _turns(k / base ** (np.arange(d_model // 2) / d_model)),
            lambda k, d_model, base: np.eye(d_model),
        ],
        "shape": [lambda k, d_model, base: _shift_blocks(k, d_model, base)[:2, :2]],
    },
)


_VECTOR = np.array([1.0, 0.5, -2.0, 1.5, 0.25, 3.0])


def _verify_rotary(answer: Callable[..., Any]) -> None:
    speeds = _speeds(_D_MODEL, _BASE)
    for position in (0, 5, 1):
        turned = as_array(call(answer, _VECTOR.copy(), position, _BASE), (_D_MODEL,))
        if same(turned, _rotated(_VECTOR, position * speeds)):
            continue
        swapped = _rotated(_VECTOR.reshape(2, 3).T.ravel(), position * speeds)
        for key, mistake in {
            "backwards": _rotated(_VECTOR, -position * speeds),
            "one_speed": _rotated(_VECTOR, np.full(_D_MODEL // 2, float(position))),
            "halves": swapped.reshape(3, 2).T.ravel(),
            "degrees": _rotated(_VECTOR, np.radians(position * speeds)),
            "not_by_position": _rotated(_VECTOR, speeds),
            "added": _VECTOR + _waves(position * speeds),
            "multiplied": _VECTOR * _waves(position * speeds),
            "overwritten": _rotated_in_place(_VECTOR.copy(), position * speeds),
            "other_base": _rotated(_VECTOR, position * _speeds(_D_MODEL, 10_000.0)),
        }.items():
            if same(turned, mistake):
                raise Wrong(key)
        if not same(np.linalg.norm(turned), np.linalg.norm(_VECTOR)):
            raise Wrong("longer", before=_norm(_VECTOR), after=_norm(turned))
        raise Wrong("other_angles")


def _norm(vector: np.ndarray) -> str:
    return f"{np.linalg.norm(vector):.2f}"


def _rotated(x: np.ndarray, angles: np.ndarray) -> np.ndarray:
    a, b = x[0::2], x[1::2]
    return _interleave(
        a * np.cos(angles) - b * np.sin(angles), a * np.sin(angles) + b * np.cos(angles)
    )


def _rotated_in_place(x: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """The mistake of writing the new first numbers before the old ones have been used."""
    x[0::2] = x[0::2] * np.cos(angles) - x[1::2] * np.sin(angles)
    x[1::2] = x[0::2] * np.sin(angles) + x[1::2] * np.cos(angles)
    return x


def _rotate_pairs(x, position, base=10_000.0):
    angles = position * base ** (-np.arange(0, len(x), 2) / len(x))
    a, b = x[0::2], x[1::2]
    turned = np.empty_like(x)
    turned[0::2] = a * np.cos(angles) - b * np.sin(angles)
    turned[1::2] = a * np.sin(angles) + b * np.cos(angles)
    return turned


def _rotate_complex(x, position, base=10_000.0):
    numbers = x[0::2] + 1j * x[1::2]
    numbers = numbers * np.exp(1j * position * base ** (-np.arange(0, len(x), 2) / len(x)))
    return np.column_stack([numbers.real, numbers.imag]).ravel()


def _rotate_loop(x, position, base=10_000.0):
    turned = []
    for i in range(0, len(x), 2):
        angle = position / base ** (i / len(x))
        number = complex(x[i], x[i + 1]) * cmath.rect(1, angle)
        turned += [number.real, number.imag]
    return turned


def _rotate_library(x, position, base=10_000.0):
    return rotary_embedding(torch.as_tensor(x)[None], torch.tensor([position]), base)[0]


rotary = Exercise(
    CHAPTER,
    "rotary",
    difficulty=3,
    minutes=15,
    verify=_verify_rotary,
    right_answers=[_rotate_pairs, _rotate_complex, _rotate_loop, _rotate_library],
    wrong_answers={
        "backwards": [lambda x, position, base: _rotate_pairs(x, -position, base)],
        "one_speed": [lambda x, position, base: _rotate_pairs(x, position, 1.0)],
        "halves": [
            lambda x, position, base: np.concatenate(
                [
                    x[:3] * np.cos(position * _speeds(6, base))
                    - x[3:] * np.sin(position * _speeds(6, base)),
                    x[:3] * np.sin(position * _speeds(6, base))
                    + x[3:] * np.cos(position * _speeds(6, base)),
                ]
            )
        ],
        "degrees": [
            lambda x, position, base: _rotated(x, np.radians(position * _speeds(len(x), base)))
        ],
        "not_by_position": [lambda x, position, base: _rotate_pairs(x, 1, base)],
        "added": [
            lambda x, position, base: x + _encode(np.array([position]), len(x), base)[0],
        ],
        "multiplied": [
            lambda x, position, base: x * _encode(np.array([position]), len(x), base)[0],
        ],
        "overwritten": [
            lambda x, position, base: _rotated_in_place(x, position * _speeds(len(x), base))
        ],
        "other_base": [lambda x, position, base: _rotate_pairs(x, position)],
        "longer": [
            lambda x, position, base: _interleave(
                x[0::2] * np.cos(position * _speeds(len(x), base))
                + x[1::2] * np.sin(position * _speeds(len(x), base)),
                x[0::2] * np.sin(position * _speeds(len(x), base))
                + x[1::2] * np.cos(position * _speeds(len(x), base)),
            )
        ],
        "other_angles": [
            lambda x, position, base: _rotated(
                x, position / base ** (np.arange(len(x) // 2) / len(x))
            ),
            lambda x, position, base: x,
        ],
        "shape": [lambda x, position, base: _rotate_pairs(x, position, base)[0::2]],
    },
)
