"""What is particular to the exercises of notebook 3-2."""

import numpy as np
import pytest
import torch

from attention_course.lessons.positional_encoding import exercises
from attention_course.positions import rotary_embedding, sinusoidal_encoding


def test_the_solution_of_the_encoding_is_the_library_s_encoding():
    encode = exercises.encoding.right_answers[0]
    for length, d_model, base in ((1, 2, 10.0), (50, 16, 10_000.0), (7, 64, 3.5)):
        theirs = sinusoidal_encoding(length, d_model, base)
        assert np.allclose(encode(length, d_model, base), theirs, atol=1e-6)


def test_the_clock_is_read_from_the_library_s_encoding_too():
    read = exercises.clock.right_answers[0]
    rows = sinusoidal_encoding(500, 8).numpy()
    assert np.allclose([read(row) for row in rows], np.arange(500), atol=1e-2)


@pytest.mark.parametrize("k", [0, 1, 7, 100])
def test_the_shift_moves_every_row_of_the_encoding(k):
    matrix = exercises.shift.right_answers[0](k, 16)
    table = sinusoidal_encoding(200, 16).double().numpy()
    assert np.allclose(table[: 200 - k] @ matrix.T, table[k:], atol=1e-6)


def test_the_solution_of_rope_is_the_library_s_rotation():
    rotate = exercises.rotary.right_answers[0]
    x = torch.randn(5, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    theirs = rotary_embedding(x, torch.arange(5))
    ours = [rotate(row.numpy(), position) for position, row in enumerate(x)]
    assert np.allclose(ours, theirs, atol=1e-12)


def test_single_precision_and_whole_numbers_will_do():
    encode = exercises.encoding.right_answers[0]
    assert exercises.encoding.check(lambda *a: encode(*a).astype(np.float32)).status == "right"
    read = exercises.clock.right_answers[0]
    assert exercises.clock.check(lambda *a: round(float(read(*a)))).status == "right"


def test_an_answer_with_not_a_number_is_wrong():
    for exercise in (exercises.encoding, exercises.shift, exercises.rotary, exercises.clock):
        right = exercise.right_answers[0]
        outcome = exercise.check(lambda *a, right=right: right(*a) * np.nan)
        assert outcome.status == "wrong"
