"""The checkers of notebook 2-1 and its lab, beyond what test_exercises.py asks of every checker."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from attention_course.attention import scaled_dot_product_attention
from attention_course.lessons.human_attention import exercises, experiments

CHAPTERS = Path(__file__).parents[1] / "chapters"


def test_a_message_says_what_the_answer_gave():
    outcome = exercises.softmax.check(np.exp)
    assert outcome.key == "not_normalised"
    assert "30.2" in outcome.message  # e¹ + e³ + e²
    outcome = exercises.softmax.check(lambda s: 2**s / (2**s).sum())
    assert outcome.key == "other_weights"
    assert "2.00" in outcome.message


def test_overflow_is_a_wrong_answer_and_not_a_warning(recwarn):
    def naive(table):
        return np.exp(table) / np.exp(table).sum(axis=1, keepdims=True)

    assert exercises.table.check(naive).key == "overflow"
    assert not recwarn.list


@pytest.mark.parametrize("shift", [-3.0, 0.0, 100.0])
def test_softmax_backwards_takes_any_shift(shift):
    outcome = exercises.softmax_backwards.check(lambda weights: np.log(weights) + shift)
    assert outcome.status == "right"


def test_an_answer_that_changes_its_input_does_not_spoil_the_check():
    def in_place(table):
        table -= table.max(axis=1, keepdims=True)
        np.exp(table, out=table)
        table /= table.sum(axis=1, keepdims=True)
        return table

    for _ in range(2):
        assert exercises.table.check(in_place).status == "right"


@pytest.mark.parametrize("shift", [-2.0, 0.0, 5.0])
def test_a_query_may_ask_for_more_of_both(shift):
    outcome = exercises.query.check(lambda times: [np.log(times) / 2 + shift, shift])
    assert outcome.status == "right"


def test_the_lessons_keys_are_those_of_the_exercise():
    notebook = json.loads((CHAPTERS / "en" / "2-1-human-attention.ipynb").read_text())
    cell = next(cell for cell in notebook["cells"] if cell["id"] == "build-words")
    code = "".join(cell["source"])
    found = {}
    exec(code, found)
    assert np.array_equal(found["keys"], exercises.KEYS)


def test_the_labs_model_is_the_one_that_the_lesson_writes():
    notebook = json.loads((CHAPTERS / "en" / "2-1-human-attention.ipynb").read_text())
    cells = {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}
    lesson = {"scaled_dot_product_attention": scaled_dot_product_attention}
    exec(cells["measure-model"], lesson)
    torch.manual_seed(0)
    tables, ids = experiments.Tables(9, 4), torch.tensor([[3, 8, 1, 0], [2, 5, 1, 6]])
    blank = torch.tensor([[1], [1]])
    ours, theirs = (
        forward(tables, ids, blank) for forward in (experiments.fill_in, lesson["fill_in"])
    )
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one, other)


def test_a_single_number_is_told_by_its_shape_and_a_text_by_its_type():
    assert exercises.softmax.check(lambda scores: 1.0).key == "shape"
    assert exercises.softmax_backwards.check(lambda weights: [[0.0]]).key == "shape"
    outcome = exercises.hide.check(lambda *arguments: "weights")
    assert outcome.key == "type"
    assert "`str`" in outcome.message
    outcome = exercises.query.check(lambda times: ([1.0, 0.0], times))
    assert outcome.key == "type"


def test_the_solution_is_a_function_of_the_exercises_name():
    for name, function in {
        "softmax": "my_softmax",
        "query": "query_for",
        "hide": "weights_with_hidden",
        "table": "softmax_of_table",
        "softmax_backwards": "scores_for",
        "share": "share_of_two",
    }.items():
        assert getattr(exercises, name).solution_source().startswith(f"def {function}(")
