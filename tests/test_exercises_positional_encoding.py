"""What is particular to the exercises of lesson 3-2 and its lab."""

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


@pytest.mark.parametrize("k", [0, 1, 7, 100])
def test_the_shift_moves_every_row_of_the_encoding(k):
    matrix = exercises.shift.right_answers[0](k, 16)
    table = sinusoidal_encoding(200, 16).double().numpy()
    assert np.allclose(table[: 200 - k] @ matrix.T, table[k:], atol=1e-6)


@pytest.mark.parametrize(("p", "s"), [(0, 0), (7, 2), (2, 7), (90, 100)])
def test_the_score_from_the_offset_is_the_score_of_the_two_positions(p, s):
    query, key = torch.randn(2, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    turned_query = rotary_embedding(query[None], torch.tensor([p]))[0]
    turned_key = rotary_embedding(key[None], torch.tensor([s]))[0]
    for solution in exercises.rope.right_answers:
        score = solution(query.numpy(), key.numpy(), p - s)
        assert np.isclose(float(score), float(turned_query @ turned_key), atol=1e-9)


def test_three_of_the_layers_are_blind_and_swaps_of_neighbours_find_all_the_others():
    layers = [case.inputs[0] for case in exercises.order.cases]
    assert len(set(layers)) == 12
    solve = exercises.order.right_answers[1]
    blind = {"attention", "word_by_word", "average"}
    for case in exercises.order.cases:
        assert solve(*case.inputs) == (case.inputs[0].__name__ not in blind)


def test_an_answer_with_not_a_number_is_wrong():
    for exercise in (exercises.encoding, exercises.shift, exercises.rope):
        right = exercise.right_answers[0]
        outcome = exercise.check(lambda *a, right=right: right(*a) * np.nan)
        assert outcome.status == "wrong"
