"""Every exercise: its right answers pass, each wrong answer earns its own message, and whatever an
answer is or does, there is a card."""

import ast
import contextlib
import importlib
import json
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from idioms import idioms, introduced

import attention_course.exercises as protocol
from attention_course import answers, language, lessons
from attention_course.exercises import Case, Exercise, Outcome, Symptom
from attention_course.lessons.human_attention.exercises import softmax

MODULES = [
    importlib.import_module(f"{lessons.__name__}.{path.parent.name}.exercises")
    for path in sorted(Path(lessons.__path__[0]).glob("*/exercises.py"))
]
EXERCISES = [
    value for module in MODULES for value in vars(module).values() if isinstance(value, Exercise)
]
CHAPTERS = Path(__file__).parents[1] / "chapters"
every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=repr)
STATUSES = {"right", "wrong", "error", "not attempted"}


@pytest.fixture(params=["en", "zh"], autouse=True)
def reader(request):
    language.use(request.param)
    yield
    language.use("en")


def listed(mistake):
    """What makes or shows a mistake: code, symptoms, or a list of these."""
    return mistake if isinstance(mistake, list | tuple) else [mistake]


def wrong_answers(exercise):
    """Every wrong answer that comes with an exercise, under the message that it must earn."""
    for key, mistake in exercise.mistakes.items():
        yield from ((key, code) for code in listed(mistake) if not isinstance(code, Symptom))
    for key, more in exercise.wrong_answers.items():
        yield from ((key, answer) for answer in more)


def assert_presentable(outcome):
    """A card that can be shown: filled in, without marks that would stand there literally."""
    assert isinstance(outcome, Outcome)
    assert outcome.status in STATUSES
    html = outcome._repr_mimebundle_()["text/html"]
    assert f'data-status="{outcome.status}"' in html
    for text in (outcome.message, *outcome.notes):
        prose = re.sub(r"`[^`]*`", "", text)
        assert text.strip()
        assert not set("`*{}") & set(prose), text
        assert "??" not in text  # stands where a message has nothing to say


@every_exercise
def test_right_answers_pass(exercise):
    assert len(exercise.right_answers) >= 3
    for answer in exercise.right_answers:
        outcome = exercise.check(answer)
        assert outcome.status == "right", outcome.text()


@every_exercise
def test_each_wrong_answer_earns_its_own_message(exercise):
    for key, answer in wrong_answers(exercise):
        outcome = exercise.check(answer)
        assert (outcome.status, outcome.key) == ("wrong", key), outcome.text()
        assert_presentable(outcome)


@every_exercise
def test_every_message_is_proven_by_a_wrong_answer(exercise):
    messages = language.words(f"{exercise.chapter}.exercise.{exercise.name}.wrong")
    assert set(messages) <= {key for key, _ in wrong_answers(exercise)}
    assert len(set(messages.values())) == len(messages)
    verdict = language.word("display.check.wrong")  # the card says it before the message
    assert not any(text.startswith(verdict) for text in messages.values())


@every_exercise
def test_an_exercise_is_tried_on_several_sizes(exercise):
    def sizes(case):
        sized = np.ndarray | torch.Tensor | list
        return tuple(
            len(v) if isinstance(v, set) else np.shape(v) if isinstance(v, sized) else v
            for v in case.inputs
        )

    assert len({sizes(case) for case in exercise.cases}) >= 2 or len(exercise.cases) >= 5


@every_exercise
def test_none_of_the_words_holds_marks_that_would_show(exercise):
    entry = language.words(f"{exercise.chapter}.exercise.{exercise.name}")
    for text in [entry["title"], *entry["hints"], *entry["wrong"].values()]:
        assert "*" not in re.sub(r"`[^`]*`", "", text), text
        assert text.count("`") % 2 == 0, text


@every_exercise
def test_an_answer_that_raises_is_an_error_that_shows_its_line(exercise):
    def answer(*arguments, **keywords):
        return undefined_name  # noqa: F821

    outcome = exercise.check(answer)
    assert outcome.status == "error"
    assert "NameError" in outcome.message
    assert "return undefined_name" in outcome.message


@every_exercise
def test_the_card_shows_title_effort_hints_and_solution(exercise):
    html = exercise.check(...)._repr_mimebundle_()["text/html"]
    assert exercise.title in html
    assert html.count("<details>") == len(exercise.hints) + 1
    assert len(exercise.hints) >= 2
    assert exercise.minutes >= 1
    assert exercise.difficulty in (1, 2, 3)
    assert exercise.hint(1).body == exercise.hints[0]
    assert exercise.solution().body in exercise.solution().text()
    assert exercise.solution_source().startswith("def ")
    with pytest.raises(ValueError, match="number: got 99, expected 1 to"):
        exercise.hint(99)


# The untouched cell


def cells_of(path):
    """The code cells of a notebook but the setup cell: id → source."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code" and cell["id"] != "setup"]
    return {cell["id"]: "".join(cell["source"]) for cell in code}


def exercise_cells(editions="*"):
    found = []
    for path in sorted(CHAPTERS.glob(f"{editions}/*.ipynb")):
        for name, source in cells_of(path).items():
            if ".check(" in source:
                found.append(pytest.param(path, name, id=f"{path.parent.name}-{path.stem}-{name}"))
    return found


@pytest.mark.parametrize(("path", "name"), exercise_cells())
def test_the_untouched_cell_is_not_attempted(path, name):
    cells = cells_of(path)
    imports = re.findall(r"^(?:import|from) .*lessons.*$", "\n".join(cells.values()), flags=re.M)
    outcome = run_cell("\n".join(imports) + "\n" + cells[name], {})
    assert outcome.status == "not attempted"
    assert "`...`" in outcome.message
    assert_presentable(outcome)


@pytest.mark.parametrize(("path", "name"), exercise_cells("en"))
def test_the_solution_can_be_pasted_in_the_place_of_the_stub(path, name):
    """It has the stub's name and arguments, and asks only for what the page has by then."""
    source, names = cells_of(path)[name], names_before(path, name)
    (stub,) = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    solution = run_cell(source, dict(names)).exercise.solution_source()
    pasted = source.replace(ast.get_source_segment(source, stub), solution)
    outcome = run_cell(pasted, names)
    assert outcome.status == "right", outcome.text()
    (shown,) = ast.parse(solution).body
    assert ast.dump(shown.args) == ast.dump(stub.args)
    assert not re.findall(r"#(?! \().*", solution), "its comments say shapes, in any language"


@pytest.mark.parametrize(("path", "name"), exercise_cells("en"))
def test_a_solution_takes_what_chapter_0_the_page_and_the_hints_have_said(path, name):
    exercise = run_cell(cells_of(path)[name], names_before(path, name)).exercise
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for first in CHAPTERS.glob("en/0-*.ipynb"):
        cells[:0] = json.loads(first.read_text(encoding="utf-8"))["cells"] * (first != path)
    before = cells[: [cell["id"] for cell in cells].index(name)]
    prose = ["".join(cell["source"]) for cell in before if cell["cell_type"] == "markdown"]
    said = set().union(*map(introduced, prose + exercise.hints))
    assert not idioms(exercise.solution_source()) - said


def names_before(path, name):
    """What an exercise finds on its page: imports, functions and classes of the cells before it."""
    names = {}
    for before, source in cells_of(path).items():
        if before == name:
            return names
        for node in ast.parse(source).body:
            if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef):
                with contextlib.suppress(NameError):  # it needs a number that was computed before
                    exec(compile(ast.Module([node], []), before, "exec"), names)
    raise ValueError(f"{path}: has no cell {name}")


def run_cell(source, names):
    """What the cell shows, run with these names."""
    *body, shown = ast.parse(source).body
    exec(compile(ast.Module(body, []), "cell", "exec"), names)
    return eval(compile(ast.Expression(shown.value), "cell", "eval"), names)


def leaves_placeholders():
    def returned(*inputs):
        return ...

    def returned_twice(*inputs):
        return ..., ...

    def computed_with(x, *inputs):
        weights = ...
        return weights @ x

    def body(*inputs): ...

    def with_docstring(*inputs):
        """To do."""

    return [..., returned, returned_twice, computed_with, body, with_docstring]


@every_exercise
def test_a_placeholder_is_not_attempted(exercise):
    for answer in leaves_placeholders():
        assert exercise.check(answer).status == "not attempted", answer


# Answers that do anything at all


def right(exercise):
    return exercise.right_answers[0]


def plain(result):
    return np.asarray(result.numpy() if isinstance(result, torch.Tensor) else result)


def tensor(result):
    return torch.as_tensor(plain(result))


def with_gradient(result):
    found = tensor(result)
    return found.requires_grad_() if found.is_floating_point() else found


def rows(result):
    found = with_gradient(result)
    return list(found) if found.ndim else found


ODD_BUT_RIGHT = {
    "tensor": tensor,
    "tensor with a gradient": with_gradient,
    "result of a tensor with a gradient": lambda r: (
        with_gradient(r) * 1 if tensor(r).is_floating_point() else tensor(r)
    ),
    "rows that carry gradients": rows,
    "tuple of rows": lambda r: tuple(rows(r)) if plain(r).ndim else plain(r),
    "nested list": lambda r: plain(r).tolist(),
    "numpy": plain,
    "single precision": lambda r: plain(r).astype(np.float32) if plain(r).dtype != bool else r,
    "double precision": lambda r: tensor(r).double() if plain(r).dtype != bool else r,
    "numbers of numpy": lambda r: list(plain(r)) if plain(r).ndim else plain(r)[()],
    "objects": lambda r: plain(r).astype(object),
    "column order": lambda r: np.asfortranarray(plain(r)) if plain(r).ndim else r,
    "sparse": lambda r: tensor(r).to_sparse() if tensor(r).ndim else r,
}


@every_exercise
def test_a_right_result_in_an_odd_form_is_right(exercise):
    for style, form in ODD_BUT_RIGHT.items():
        outcome = exercise.check(lambda *inputs, form=form: form(right(exercise)(*inputs)))
        assert outcome.status == "right", f"{style}: {outcome.text()}"


class Hostile:
    """An object that refuses every question."""

    def __getattribute__(self, name):
        raise RuntimeError("no")

    def __array__(self, *arguments, **keywords):
        raise RuntimeError("no")

    __len__ = __iter__ = __float__ = __array__


class Ends:
    """An object that ends whoever asks."""

    def __array__(self, *arguments, **keywords):
        raise KeyboardInterrupt


class Pretender:
    shape = (1, "two", None)


def own_tail():
    loop = []
    loop.append(loop)
    return loop


def deep():
    nested = 1.0
    for _ in range(5_000):
        nested = [nested]
    return nested


def endless():
    while True:
        yield 1.0


NO_RESULTS = {
    "nothing": lambda r: None,
    "two results": lambda r: (r, r),
    "two different results": lambda r: (r, 1.0),
    "one result in a tuple": lambda r: (r,),
    "an axis too many": lambda r: plain(r)[None],
    "a list with a hole": lambda r: [r, None],
    "rows of unequal length": lambda r: [[1.0, 2.0], [1.0]],
    "tensors of unequal length": lambda r: [torch.ones(3), torch.ones(2)],
    "text": lambda r: "weights",
    "list of texts": lambda r: np.asarray(plain(r), dtype=str).tolist(),
    "array of texts": lambda r: np.asarray(plain(r), dtype=str),
    "bytes": lambda r: b"12",
    "dictionary": lambda r: {"weights": r},
    "set": lambda r: {1.0, 2.0},
    "generator": lambda r: (row for row in np.atleast_1d(plain(r))),
    "endless generator": lambda r: endless(),
    "map": lambda r: map(float, [1, 2]),
    "function": lambda r: np.exp,
    "class": lambda r: torch.nn.Linear,
    "module": lambda r: np,
    "layer": lambda r: torch.nn.Linear(2, 2),
    "object": lambda r: object(),
    "hostile object": lambda r: Hostile(),
    "list of hostile objects": lambda r: [Hostile(), Hostile()],
    "object that ends the program": lambda r: Ends(),
    "strange shape": lambda r: Pretender(),
    "not numbers": lambda r: plain(r) * np.nan,
    "infinite": lambda r: plain(r) + np.inf,
    "nothing hidden": lambda r: np.ma.masked_all(plain(r).shape),
    "complex": lambda r: plain(r) + 1j,
    "complex without imaginary part": lambda r: tensor(r).to(torch.complex64),
    "without numbers": lambda r: tensor(r).to("meta"),
    "dates": lambda r: np.full(plain(r).shape, np.datetime64("2020-01-01")),
    "records": lambda r: np.zeros(plain(r).shape, dtype=[("a", float)]),
    "empty": lambda r: [],
    "empty rows": lambda r: [[], []],
    "itself": lambda r: own_tail(),
    "deep": lambda r: deep(),
    "huge": lambda r: np.broadcast_to(np.float64(1), (10**6, 10**6, 10**3)),
    "long": lambda r: range(10**12),
    "large number": lambda r: 10**400,
    "large numbers": lambda r: np.full(plain(r).shape, 10**400, dtype=object),
}


@every_exercise
def test_a_result_of_any_kind_is_wrong_and_said_to_be(exercise):
    for kind, make in NO_RESULTS.items():
        outcome = exercise.check(lambda *inputs, make=make: make(right(exercise)(*inputs)))
        assert outcome.status == "wrong", f"{kind}: {outcome.text()}"
        assert_presentable(outcome)
        if outcome.key == "shape":
            said = re.findall(r"\([\d, ]*\)", outcome.message)
            assert len(set(said)) == len(said), outcome.message


@every_exercise
def test_half_precision_is_refused_by_name_or_passes(exercise):
    outcome = exercise.check(lambda *inputs: tensor(right(exercise)(*inputs)).half())
    assert (outcome.status, outcome.key) != ("wrong", exercise.otherwise)
    outcome = exercise.check(lambda *inputs: tensor(right(exercise)(*inputs)).bfloat16())
    assert_presentable(outcome)


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no words")


class Odd(BaseException):
    pass


def recursion(*inputs):
    return recursion(*inputs)


def raises(error):
    def answer(*inputs):
        raise error

    return answer


ERRORS = {
    "recursion": recursion,
    "sys.exit": lambda *inputs: sys.exit(),
    "no such argument": lambda: 1,
    **{
        type(error).__name__: raises(error)
        for error in (
            KeyboardInterrupt(),
            GeneratorExit(),
            StopIteration(),
            NotImplementedError("softmax of integers"),
            MemoryError(),
            AssertionError(),
            Mute(),
            Odd("`code` and *stars* and {braces}"),
            ValueError("long " * 1000),
        )
    },
}


@every_exercise
def test_whatever_an_answer_raises_is_an_error(exercise):
    for kind, answer in ERRORS.items():
        outcome = exercise.check(answer)
        assert outcome.status == "error", f"{kind}: {outcome.text()}"
        assert len(outcome.message) < 500
        assert_presentable(outcome)


def test_a_placeholder_that_is_not_in_the_way_does_not_hide_an_error():
    def answer(scores):
        weights = ...
        weights = np.exp(scores) / np.sum(scores, axis=7)
        return weights

    outcome = softmax.check(answer)
    assert outcome.status == "error"
    assert "axis=7" in outcome.message


def test_an_index_with_dots_is_no_placeholder():
    def answer(scores):
        weights = scores[..., scores.argmax()]  # noqa: F841

    assert softmax.check(answer).key == "no_return"


@pytest.mark.parametrize(
    "what", [None, 3, "softmax", [1.0, 2.0], np.zeros(3)], ids=lambda w: type(w).__name__
)
def test_what_is_no_function_is_asked_for_by_its_name(what):
    outcome = EXERCISES[0].check(what)
    assert (outcome.status, outcome.key) == ("wrong", "not_a_function")


# Answers that never end


def loops(*inputs):
    while True:
        pass


def loops_and_catches(*inputs):
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(0.01)


def sleeps(*inputs):
    time.sleep(20)


@every_exercise
def test_a_loop_that_never_ends_is_stopped(exercise, monkeypatch):
    monkeypatch.setattr(protocol, "SECONDS", 0.1)
    outcome = exercise.check(loops)
    assert (outcome.status, outcome.key) == ("wrong", "too_slow")
    assert "0.1" in outcome.message


@pytest.mark.parametrize("answer", [loops_and_catches, sleeps])
def test_what_cannot_be_stopped_is_left_behind(answer, monkeypatch):
    monkeypatch.setattr(protocol, "SECONDS", 0.1)
    started = time.monotonic()
    assert EXERCISES[0].check(answer).key == "too_slow"
    assert time.monotonic() - started < 10


def test_the_limit_holds_in_any_thread(monkeypatch):
    monkeypatch.setattr(protocol, "SECONDS", 0.1)
    with ThreadPoolExecutor() as pool:
        assert pool.submit(EXERCISES[0].check, loops).result(10).key == "too_slow"


def test_a_result_that_never_ends_is_stopped(monkeypatch):
    class Endless:
        def __array__(self, *arguments, **keywords):
            while True:
                pass

    monkeypatch.setattr(protocol, "SECONDS", 0.1)
    assert softmax.check(lambda scores: Endless()).key == "too_slow"


# Answers that change their inputs


@pytest.fixture(scope="module", autouse=True)
def inputs_never_change():
    before = [deepcopy([case.inputs for case in exercise.cases]) for exercise in EXERCISES]
    yield
    for exercise, cases in zip(EXERCISES, before, strict=True):
        for case, inputs in zip(exercise.cases, cases, strict=True):
            for now, then in zip(case.inputs, inputs, strict=True):
                assert np.array_equal(plain(now), plain(then)), exercise


def spoil(inputs):
    spoilt = []
    for name, value in enumerate(inputs):
        if hasattr(value, "shape"):
            value[...] = 0
            spoilt.append(name)
    return spoilt


@every_exercise
def test_an_input_that_is_emptied_is_told_too(exercise):
    def answer(*inputs):
        result = plain(right(exercise)(*inputs))
        for value in inputs:
            if isinstance(value, torch.Tensor):
                value.resize_(0)
        return result

    outcome = exercise.check(answer)
    assert outcome.status == "right"
    assert len(outcome.notes) == sum(
        isinstance(value, torch.Tensor) for value in exercise.cases[0].inputs
    )


@every_exercise
def test_an_answer_that_changes_its_inputs_is_told_so_and_judged_by_its_result(exercise):
    spoilt = []

    def answer(*inputs):
        result = plain(right(exercise)(*inputs)).copy()
        spoilt.extend(spoil(inputs))
        return result

    for _ in range(2):
        outcome = exercise.check(answer)
        assert outcome.status == "right"
        for place in spoilt:
            assert any(exercise.names[place] in note for note in outcome.notes)
        assert bool(spoilt) == bool(outcome.notes)


def test_an_input_that_holds_no_numbers_any_more_has_changed():
    assert answers.changed(np.zeros(2), np.array(["a", "b"]))
    assert answers.changed([1, 2], [1])
    assert not answers.changed(np.array([1.0, np.nan]), np.array([1.0, np.nan]))


# The protocol itself


def exercise_of(**more):
    """An exercise that borrows the title of another, and says what every exercise may say."""
    words = EXERCISES[0]
    settings = {"right_answers": [lambda x: 2 * x], "cases": [Case(1.0), Case(np.arange(4.0))]}
    return Exercise(words.chapter, words.name, 1, 1, **(settings | more))


def test_a_mistake_is_named_only_if_it_explains_the_cases_that_came_out_right():
    exercise = exercise_of(
        cases=[Case(1.0), Case(2.0)],
        mistakes={
            "nearly": lambda x: 4.0,
            "whole_numbers": lambda x: 2 * x**2 / x**0 - 4 * (x == 2),
        },
    )
    assert exercise.check(lambda x: 2.0 if x == 1 else 4.1).key == "numbers"
    assert exercise.check(lambda x: 4.0).key == "nearly"


def test_a_mistake_that_cannot_be_made_on_some_inputs_is_no_error_of_the_reader():
    exercise = exercise_of(mistakes={"nearly": lambda x: x[0], "whole_numbers": lambda x: x + 1})
    assert exercise.check(lambda x: x + 1).key == "whole_numbers"
    assert exercise.check(lambda x: [2 * x]).key == "shape"


def test_only_named_mistakes_count_on_extreme_inputs():
    exercise = exercise_of(
        cases=[Case(1.0), Case(1e300, only=["nearly"])], mistakes={"nearly": lambda x: x + 1}
    )
    assert exercise.check(lambda x: 2 * x if x < 9 else 5.0).status == "right"
    assert exercise.check(lambda x: 2 * x if x < 9 else 1 / 0).status == "right"
    assert exercise.check(lambda x: 2 * x if x < 9 else x + 1).key == "nearly"


def test_a_class_is_put_to_use():
    class Doubles:
        def __init__(self, factor):
            self.factor = factor

        def __call__(self, x):
            return self.factor * x

    class Untouched:
        def __init__(self, factor): ...

        def __call__(self, x): ...

    class Forgets(Doubles):
        def __call__(self, x):
            self.factor * x

    exercise = exercise_of(right_answers=[Doubles], use=lambda layer, x: layer(2)(x))
    assert exercise.names == ["x"]
    assert exercise.check(Doubles).status == "right"
    assert exercise.check(Untouched).status == "not attempted"
    assert exercise.check(Forgets).key == "no_return"
    assert exercise.check(lambda factor: lambda x: x).key == "numbers"


def test_a_value_is_compared_as_it_is():
    exercise = exercise_of(right_answers=[0.5], cases=[Case()], use=lambda answer: answer)
    assert exercise.check(0.5).status == "right"
    assert exercise.check(torch.tensor(0.5)).status == "right"
    assert exercise.check(0.6).key == "numbers"
    assert exercise.check(...).status == "not attempted"
    assert exercise.solution_source() == "0.5"


def test_exact_zeros_are_asked_for_where_zero_is_expected():
    exercise = exercise_of(
        right_answers=[lambda x: x * (x > 1)], cases=[Case(np.arange(4.0))], exact_zeros=True
    )
    assert exercise.check(lambda x: x * (x > 1) * 1.0000001).status == "right"
    assert exercise.check(lambda x: x * (x > 1) + 1e-12).key == "not_zero"


def test_right_at_first_and_nothing_later_is_not_called_untouched():
    assert exercise_of().check(lambda x: 2 * x if np.ndim(x) == 0 else None).key == (
        "nothing_for_some"
    )
    assert exercise_of().check(lambda x: 2 * x if np.ndim(x) == 0 else ...).key == (
        "nothing_for_some"
    )


def test_the_card_says_on_which_inputs_it_failed():
    first, later = (
        exercise_of().check(answer).notes[0]
        for answer in (lambda x: x, lambda x: x if np.ndim(x) else 2 * x)
    )
    assert "`x = 1`" in first
    assert "`x = [0, 1, 2, 3]`" in later
    assert first.split("`")[0] != later.split("`")[0]


def test_the_card_shows_what_can_be_worked_out_by_hand():
    def formula(x):
        """x(w) = 2 * w"""

    def in_words(x):
        """Twice as much."""

    def shown(value):
        exercise = exercise_of(right_answers=[lambda x: 1.0], cases=[Case(value)])
        return "".join(exercise.check(lambda x: 2.0).notes)

    for kind in (np.array, torch.tensor):
        assert "`x = [[1, -0.5], [0, 2]]`" in shown(kind([[1.0, -0.5], [0.0, 2.0]]))
        assert "(3, 3)" in shown(kind(np.eye(3)))
    assert "`x(w) = 2 * w`" in shown(formula)
    assert not shown(in_words)
