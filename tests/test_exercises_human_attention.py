"""The checkers of notebook 2-1, beyond what test_exercises.py asks of every checker."""

import numpy as np
import pytest

from attention_course.lessons.human_attention import exercises


def test_a_message_says_what_the_answer_gave():
    outcome = exercises.softmax.check(np.exp)
    assert outcome.key == "not_normalised"
    assert "30.2" in outcome.message  # e¹ + e³ + e²
    outcome = exercises.softmax.check(lambda s: 2**s / (2**s).sum(axis=-1, keepdims=True))
    assert outcome.key == "other_weights"
    assert "2.00" in outcome.message


def test_overflow_is_a_wrong_answer_and_not_a_warning(recwarn):
    def naive(scores):
        return np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)

    assert exercises.softmax.check(naive).key == "overflow"
    assert not recwarn.list


@pytest.mark.parametrize("shift", [-3.0, 0.0, 100.0])
def test_softmax_backwards_takes_any_shift(shift):
    outcome = exercises.softmax_backwards.check(lambda weights: np.log(weights) + shift)
    assert outcome.status == "right"


def test_an_answer_that_changes_its_input_does_not_spoil_the_check():
    def in_place(scores):
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        return scores

    for _ in range(2):
        assert exercises.softmax.check(in_place).status == "right"


def test_a_single_number_is_told_by_its_shape_and_a_text_by_its_type():
    assert exercises.attend.check(lambda *arguments: 1.0).key == "shape"
    assert exercises.softmax_backwards.check(lambda weights: [[0.0]]).key == "shape"
    outcome = exercises.hide.check(lambda *arguments: "weights")
    assert outcome.key == "type"
    assert "`str`" in outcome.message
    outcome = exercises.attend.check(lambda asks, labels, contents: (contents[0], labels))
    assert outcome.key == "type"
    assert "tuple of 2 results" in outcome.message


def test_the_solution_is_a_function_of_the_exercises_name():
    for name, function in {
        "softmax": "my_softmax",
        "softmax_backwards": "scores_for",
        "attend": "my_attend",
        "hide": "weights_with_hidden",
    }.items():
        assert getattr(exercises, name).solution_source().startswith(f"def {function}(")
