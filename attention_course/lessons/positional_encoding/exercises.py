"""The exercises of notebook 3-2: write the encoding, read it back, shift it, rotate with it."""

from __future__ import annotations

import cmath
import math

import numpy as np
import torch

from ...exercises import Case, Exercise, Symptom, same
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


def _row(numbers: np.ndarray) -> str:
    shown = [f"{number:.2f}" for number in numbers[:8]]
    return ", ".join(shown if len(numbers) <= 8 else [*shown, "…"])


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
    right_answers=[_encode_numpy, _encode_loop, _encode_logarithm, _encode_phase, _encode_library],
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
        "cosine_first": lambda length, d_model, base: _encode_numpy(length, d_model, base)[
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
        "other_base": lambda length, d_model, base: _encode_numpy(length, d_model),
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
            lambda length, d_model, base: _encode_numpy(length, d_model, base / 2),
            lambda length, d_model, base: _encode_numpy(length, d_model, base)[[0] * length],
        ],
        "shape": [
            lambda length, d_model, base: _encode_numpy(length, d_model, base).T,
            lambda length, d_model, base: _encode_numpy(length, 6, base),
            lambda length, d_model, base: _encode_numpy(7, d_model, base),
        ],
    },
    values=lambda got, want, *sizes: {
        "first": _row(got[0]),
        "row": _row(got[-1]),
        "wanted": _row(want[-1]),
        "position": len(got) - 1,
    },
)


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


def _angles(row: np.ndarray) -> np.ndarray:
    return np.arctan2(row[0::2], row[1::2])


def _is_some_hand(got: np.ndarray, row: np.ndarray, base: float) -> bool:
    """Whether ``got`` fits the sine or the cosine of a quick hand, but not both."""
    turned = got * _speeds(len(row), base)[:2]  # slower hands look alike at many positions
    return any(map(same, np.sin(turned), row[0::2])) or any(map(same, np.cos(turned), row[1::2]))


def _is_laps_off(got: np.ndarray, want: np.ndarray, row: np.ndarray, base: float) -> bool:
    laps = (got - want) / (2 * np.pi / _speeds(len(row), base)[:-1])
    return any(abs(lap - np.round(lap)) < 1e-3 for lap in laps)


clock = Exercise(
    CHAPTER,
    "clock",
    difficulty=2,
    minutes=10,
    right_answers=[_clock_slowest, _clock_compare, _clock_search, _clock_arcsine],
    cases=[
        Case(_encode(np.array([position]), 8, 10_000.0)[0], 10_000.0)
        for position in (0, 3, 40, 499, 250, 137)
    ],
    mistakes={
        "one_too_many": lambda row, base: _clock_slowest(row, base) + 1,
        "angle": [
            lambda row, base: _angles(row)[3],
            lambda row, base: _angles(row)[2],
            lambda row, base: _angles(row)[1],
        ],
        "cosine_as_sine": lambda row, base: (
            np.arctan2(row[-1], row[-2]) * base ** (1 - 2 / len(row))
        ),
        "several_laps": Symptom(_is_laps_off),
        "half_a_hand": Symptom(lambda got, want, row, base: _is_some_hand(got, row, base)),
    },
    otherwise="other_position",
    wrong_answers={
        "several_laps": [
            lambda row, base: np.arctan2(row[0], row[1]),
            lambda row, base: np.arctan2(row[0], row[1]) % (2 * np.pi),
            lambda row, base: np.arctan2(row[2], row[3]) / base ** (-2 / len(row)),
        ],
        "half_a_hand": [
            lambda row, base: np.arcsin(row[0]),
            lambda row, base: np.arccos(row[3]) * base ** (2 / len(row)),
        ],
        "other_position": [
            lambda row, base: np.arctan2(row[-2], row[-1]) * base,
            lambda row, base: 0,
        ],
        "shape": [lambda row, base: _angles(row) / _speeds(len(row), base)],
    },
    values=lambda got, want, row, base: {"position": int(np.round(want)), "read": f"{got:.5g}"},
)


def _turns(angles: np.ndarray) -> np.ndarray:
    """A matrix that turns each hand, a (sine, cosine) pair of columns, by its angle."""
    d = 2 * len(angles)
    matrix = np.zeros((d, d))
    even, odd = np.arange(0, d, 2), np.arange(1, d, 2)
    matrix[even, even] = matrix[odd, odd] = np.cos(angles)
    matrix[even, odd], matrix[odd, even] = np.sin(angles), -np.sin(angles)
    return matrix


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


def _halves(d: int) -> np.ndarray:
    """The columns in another order: all sines, then all cosines."""
    return np.concatenate([np.arange(0, d, 2), np.arange(1, d, 2)])


def _mixes_hands(matrix: np.ndarray) -> bool:
    hand = np.arange(len(matrix)) // 2
    return not same(matrix[hand[:, None] != hand], 0)


shift = Exercise(
    CHAPTER,
    "shift",
    difficulty=2,
    minutes=12,
    right_answers=[_shift_blocks, _shift_columns, _shift_torch, _shift_fitted],
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
        "backwards": lambda k, d_model, base: _shift_blocks(-k, d_model, base),
        "one_step": lambda k, d_model, base: _shift_blocks(1, d_model, base),
        "one_speed": lambda k, d_model, base: _shift_blocks(k, d_model, 1.0),
        "halves": lambda k, d_model, base: _shift_blocks(k, d_model, base)[
            np.ix_(_halves(d_model), _halves(d_model))
        ],
        "degrees": lambda k, d_model, base: _turns(np.radians(k * _speeds(d_model, base))),
        "other_base": lambda k, d_model, base: _shift_blocks(k, d_model),
        "hands_mixed": Symptom(lambda got, want, *inputs: _mixes_hands(got)),
        "stretched": Symptom(lambda got, want, *inputs: not same(got @ got.T, np.eye(len(got)))),
    },
    otherwise="other_angles",
    wrong_answers={
        "backwards": [lambda k, d_model, base: _shift_blocks(k, d_model, base).T],
        "hands_mixed": [lambda k, d_model, base: np.ones((d_model, d_model))],
        "stretched": [
            lambda k, d_model, base: np.abs(_shift_blocks(k, d_model, base)),
            lambda k, d_model, base: np.diag(np.repeat(np.cos(k * _speeds(d_model, base)), 2)),
        ],
        "other_angles": [
            lambda k, d_model, base: _turns(k / base ** (np.arange(d_model // 2) / d_model)),
            lambda k, d_model, base: np.eye(d_model),
        ],
        "shape": [
            lambda k, d_model, base: _shift_blocks(k, d_model, base)[:2, :2],
            lambda k, d_model, base: _shift_blocks(k, 6, base),
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


def _norm(vector: np.ndarray) -> str:
    return f"{np.linalg.norm(vector):.2f}"


_VECTOR = np.array([1.0, 0.5, -2.0, 1.5, 0.25, 3.0])

rotary = Exercise(
    CHAPTER,
    "rotary",
    difficulty=3,
    minutes=15,
    right_answers=[_rotate_pairs, _rotate_complex, _rotate_loop, _rotate_library],
    cases=[
        Case(_VECTOR, 5, 50.0),
        Case(_VECTOR, 0, 50.0),
        Case(_VECTOR, 1, 50.0),
        Case(np.array([2.0, -1.0]), 3, 10.0),
        Case(np.cos(np.arange(64.0)), 100, 10_000.0),
    ],
    tolerance=1e-4,  # angles up to 100, in float32
    mistakes={
        "backwards": lambda x, position, base: _rotate_pairs(x, -position, base),
        "one_speed": lambda x, position, base: _rotate_pairs(x, position, 1.0),
        "halves": lambda x, position, base: _rotated_halves(x, position * _speeds(len(x), base)),
        "degrees": lambda x, position, base: _rotated(
            x, np.radians(position * _speeds(len(x), base))
        ),
        "not_by_position": lambda x, position, base: _rotate_pairs(x, 1, base),
        "added": lambda x, position, base: x + _encode(np.array([position]), len(x), base)[0],
        "places": lambda x, position, base: _rotate_pairs(x, position, base)[_halves(len(x))],
        "unchanged": lambda x, position, base: x,
        "multiplied": lambda x, position, base: x * _encode(np.array([position]), len(x), base)[0],
        "overwritten": lambda x, position, base: _rotated_in_place(
            x, position * _speeds(len(x), base)
        ),
        "other_base": lambda x, position, base: _rotate_pairs(x, position),
        "longer": Symptom(
            lambda got, want, x, position, base: not same(np.linalg.norm(got), np.linalg.norm(x))
        ),
    },
    otherwise="other_angles",
    wrong_answers={
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
            lambda x, position, base: _rotate_pairs(x, position + 1, base),
            lambda x, position, base: _rotate_pairs(x, position, base) * np.resize([1, -1], len(x)),
        ],
        "shape": [lambda x, position, base: _rotate_pairs(x, position, base)[0::2]],
    },
    values=lambda got, want, x, position, base: {"before": _norm(x), "after": _norm(got)},
)
