"""Every exercise: its right answers pass, each wrong answer earns its own message."""

import importlib
from pathlib import Path

import pytest
from attention_course.exercises import Exercise, Wrong, call

from attention_course import language, lessons

MODULES = [
    importlib.import_module(f"{lessons.__name__}.{path.parent.name}.exercises")
    for path in sorted(Path(lessons.__path__[0]).glob("*/exercises.py"))
]
EXERCISES = [
    value for module in MODULES for value in vars(module).values() if isinstance(value, Exercise)
]
every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=repr)


@pytest.fixture(params=["en", "zh"], autouse=True)
def reader(request):
    language.use(request.param)
    yield
    language.use("en")


@every_exercise
def test_right_answers_pass(exercise):
    assert len(exercise.right_answers) >= 2
    for answer in exercise.right_answers:
        assert exercise.check(answer).status == "right", answer


@every_exercise
def test_each_wrong_answer_earns_its_own_message(exercise):
    assert exercise.wrong_answers
    for key, answers in exercise.wrong_answers.items():
        assert answers, key
        for answer in answers:
            outcome = exercise.check(answer)
            assert (outcome.status, outcome.key) == ("wrong", key), outcome.message


@every_exercise
def test_every_message_is_proven_by_a_wrong_answer(exercise):
    messages = language.words(f"{exercise.chapter}.exercise.{exercise.name}.wrong")
    assert set(messages) <= set(exercise.wrong_answers)
    assert len(set(messages.values())) == len(messages)


@every_exercise
def test_untouched_answers_are_not_attempted(exercise):
    def raises(*arguments):
        raise NotImplementedError

    answers = [None, ...]
    if callable(exercise.right_answers[0]):
        answers += [lambda *arguments, **keywords: ..., lambda *arguments, **keywords: None, raises]
    for answer in answers:
        assert exercise.check(answer).status == "not attempted"


@every_exercise
def test_an_answer_that_raises_is_an_error_that_shows_its_line(exercise):
    def answer(*arguments, **keywords):
        return undefined_name  # noqa: F821

    if callable(exercise.right_answers[0]):
        outcome = exercise.check(answer)
        assert outcome.status == "error"
        assert "NameError" in outcome.message
        assert "return undefined_name" in outcome.message


@every_exercise
def test_the_card_shows_title_effort_hints_and_solution(exercise):
    html = exercise.check(None)._repr_mimebundle_()["text/html"]
    assert exercise.title in html
    assert html.count("<details>") == len(exercise.hints) + 1
    assert len(exercise.hints) >= 2
    assert exercise.minutes >= 1
    assert exercise.difficulty in (1, 2, 3)
    assert exercise.hint(1).body == exercise.hints[0]
    assert exercise.solution().body in exercise.solution().text()
    with pytest.raises(ValueError, match="number: got 99, expected 1 to"):
        exercise.hint(99)


def test_a_message_is_filled_with_what_came():
    def verify(answer):
        if call(answer) != 1:
            raise Wrong("shape", got=(2,), expected=(3,))

    exercise = Exercise("human_attention", EXERCISES[0].name, 1, 1, verify, [lambda: 1])
    outcome = exercise.check(lambda: 2)
    assert outcome.status == "wrong"
    assert "(2,)" in outcome.message
    assert "(3,)" in outcome.message
    assert outcome.text()
