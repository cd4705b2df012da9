"""Checkers for the book's exercises.

An exercise is an :class:`Exercise`. ``check(answer)`` says one of four things: *not attempted*
(the cell is untouched), *wrong*, *raised an error*, *right*; it always gives a card, whatever the
answer is or does. To write an exercise, say what is right, what to try and what goes wrong::

    def my_scores(query, key):  # a correct answer: shown as the solution, and the measure
        return query @ key.T / math.sqrt(query.shape[-1])

    scores = Exercise(
        "scaled_dot_product",  # the lesson, whose words are used
        "scores",  # its table [exercise.scores]
        difficulty=1,
        minutes=5,
        cases=[  # several: small and large, no two sizes of a case alike; the simplest first
            Case(normal(3, 8), normal(4, 8)),
            Case(normal(2, 5), normal(7, 5)),
        ],
        mistakes={  # likely mistake → code that makes it
            "not_divided": lambda query, key: query @ key.T,
            "transposed": lambda query, key: key @ query.T / math.sqrt(query.shape[-1]),
            "weights_already": Symptom(lambda got, want, query, key: same(got.sum(axis=-1), 1)),
        },
        otherwise="other_scores",  # right shape, and none of these
        right_answers=[my_scores, another_style, a_third],
        wrong_answers={"weights_already": [...], "other_scores": [...]},
    )

For each case in turn, the answer gets copies of the inputs, and what it returns (lists, tuples,
tensors on any device, with gradients or without: all are read) is compared with what the first
right answer returns. Where they differ, the message is that of the first mistake that fits:

- *code* that makes the mistake fits if it returns the same numbers, and would have passed the cases
  before; or, if the answer's result has a wrong shape and no mistake gives it, a result of that
  shape. It is a wrong answer that must earn its message, which the tests try.
- a :class:`Symptom` fits if its test of ``(got, want, *inputs)`` says so. Give wrong answers that
  show it.

One message may have a list of both. If none fits, it is the case's ``otherwise``, then the
exercise's.

An exercise in which a zero must be exactly 0 sets ``exact_zeros=True``; one that many results solve
compares what ``measure(result, *inputs)`` makes of them. An exercise that asks for a class, or a
value, says in ``use`` what to do with it. See the attributes of :class:`Exercise`.

The words are in the lesson's ``<language>.toml`` under ``exercise.<name>``: ``title``, ``hints`` (a
list) and a table ``wrong`` with a message for each mistake. A message names the likely mistake and
does not give the answer away. Its ``{placeholders}`` are filled from the case's inputs by the names
that the solution gives them, and from ``values(got, want, *inputs)``. What every exercise may need
to say (another shape, two results, a forgotten ``return``, …) is in ``display.wrong``, and an
exercise's own message of the same name goes before it.
"""

from __future__ import annotations

import inspect
import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import answers
from .answers import NotAttempted, Raised, TooSlow, Wrong, as_array, same
from .language import word, words
from .markup import Display, code_spans, escape

__all__ = ["Case", "Exercise", "Outcome", "Symptom", "same"]

SECONDS = 10.0  # that all cases together may take
_NEAR = 0.01  # as a share of the largest number: rounded, or of a format that keeps few digits
_TONES = {"right": "good", "wrong": "bad", "error": "bad", "not attempted": "quiet"}
_SHOWN = 8  # numbers of an array that are shown; of a larger one, its shape


class Case:
    """Inputs that an answer is tried on.

    Args:
        inputs: what the answer is called with.
        otherwise: the message if the answer is wrong here and no mistake fits; the exercise's own
            ``otherwise`` by default.
        only: on inputs more extreme than the task promises, the only mistakes that count. Whoever
            fails here in another way (by an overflow, say) passes.
    """

    def __init__(
        self, *inputs: Any, otherwise: str | None = None, only: Sequence[str] | None = None
    ) -> None:
        self.inputs, self.otherwise, self.only = inputs, otherwise, only


@dataclass(frozen=True)
class Symptom:
    """A mistake known by what it gives: ``test(got, want, *inputs)`` is true."""

    test: Callable[..., Any]


@dataclass(frozen=True)
class Outcome(Display):
    """What a check found.

    Attributes:
        status: ``"not attempted"``, ``"wrong"``, ``"error"`` or ``"right"``.
        message: what to tell the reader.
        key: the key of the message among the exercise's wrong answers, if the answer was wrong.
        notes: what else there is to tell: on which inputs it failed, which of them it changed.
    """

    exercise: Exercise
    status: str
    message: str
    key: str | None = None
    notes: tuple[str, ...] = ()

    def html(self) -> str:
        exercise = self.exercise
        said = word(f"display.check.{self.status.replace(' ', '_')}")
        notes = "".join(f"<p>{code_spans(note)}</p>" for note in self.notes)
        hints = "".join(
            f"<details><summary>{word('display.check.hint', number=i)}</summary>"
            f"<p>{code_spans(hint)}</p></details>"
            for i, hint in enumerate(exercise.hints, start=1)
        )
        return (
            f'<div class="ac ac-card ac-exercise" data-tone="{_TONES[self.status]}" '
            f'data-exercise="{exercise.name}" data-status="{self.status}">'
            f'<div class="ac-head"><b>{escape(exercise.title)}</b>'
            f"<span>{exercise.effort()}</span></div>"
            f'<p class="ac-message"><span class="ac-verdict">{said}</span> '
            f"{code_spans(self.message)}</p>{notes}{hints}"
            f"<details><summary>{word('display.check.solution')}</summary>"
            f'<pre tabindex="0"><code>{escape(exercise.solution_source())}</code></pre>'
            "</details></div>"
        )

    def text(self) -> str:
        said = word(f"display.check.{self.status.replace(' ', '_')}")
        return "\n".join([f"{self.exercise.title}: {said} {self.message}", *self.notes])


@dataclass(frozen=True)
class Shown(Display):
    """A hint or a solution."""

    heading: str
    body: str
    code: bool = False

    def html(self) -> str:
        body = (
            f'<pre tabindex="0"><code>{escape(self.body)}</code></pre>'
            if self.code
            else f"<p>{code_spans(self.body)}</p>"
        )
        return (
            f'<div class="ac ac-card" data-tone="quiet"><div class="ac-head"><b>'
            f"{escape(self.heading)}</b></div>{body}</div>"
        )

    def text(self) -> str:
        return f"{self.heading}\n{self.body}"


@dataclass(frozen=True)
class Exercise:
    """One exercise: what it asks, and how an answer is judged.

    Attributes:
        chapter: the folder of the lesson, such as ``"human_attention"``.
        name: the table of words in it, ``exercise.<name>``.
        difficulty: 1 (a line), 2 (a few lines) or 3 (needs thought).
        minutes: how long a reader may need.
        right_answers: correct answers in several styles. The first is the solution shown, and what
            it returns is what is expected; it must be safe on every case.
        cases: what answers are tried on, in this order.
        mistakes: message key → code that makes this mistake, or a :class:`Symptom`, or a list of
            these; the first that fits is named.
        otherwise: the message key where none fits.
        wrong_answers: message key → further answers that must earn that message.
        values: ``values(got, want, *inputs)`` gives what messages say of the result.
        measure: ``measure(result, *inputs)`` is compared instead of the results themselves.
        use: ``use(answer, *inputs)`` gives the result; by default the answer is called.
        tolerance: how far a number may be off, as a share of the largest one expected.
        by_shape: whether a wrong shape alone tells the mistake; not where its length is what an
            answer has to get right.
        exact_zeros: where exactly 0 is expected, nothing else will do (message ``not_zero``).
    """

    chapter: str
    name: str
    difficulty: int
    minutes: int
    right_answers: Sequence[Any]
    cases: Sequence[Case]
    mistakes: Mapping[str, Any] = field(default_factory=dict)
    otherwise: str = "numbers"
    wrong_answers: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    values: Callable[..., Mapping[str, object]] | None = None
    measure: Callable[..., Any] | None = None
    use: Callable[..., Any] | None = None
    tolerance: float = 1e-5
    by_shape: bool = True
    exact_zeros: bool = False

    @property
    def _words(self) -> dict[str, Any]:
        return words(f"{self.chapter}.exercise.{self.name}")

    @property
    def title(self) -> str:
        return self._words["title"]

    @property
    def hints(self) -> list[str]:
        return self._words["hints"]

    def effort(self) -> str:
        """Difficulty and minutes, in words."""
        level = word(f"display.check.difficulty_{self.difficulty}")
        return word("display.check.effort", level=level, minutes=self.minutes)

    @property
    def names(self) -> list[str]:
        """The names of the inputs."""
        if self.use:
            return list(inspect.signature(self.use).parameters)[1:]
        return list(inspect.signature(self.right_answers[0]).parameters)

    def check(self, answer: Any) -> Outcome:
        """Judge ``answer``: a function, unless the exercise asks for something else."""
        trial = _Trial(self)
        try:
            answers.within(SECONDS, lambda: trial.judge(answer))
        except NotAttempted:
            return Outcome(self, "not attempted", word("display.check.try_it"))
        except Raised as raised:
            message = _describe(raised.__cause__, answer)
            return Outcome(self, "error", message, notes=trial.notes())
        except Wrong as wrong:
            return self._wrong(wrong, trial)
        except TooSlow:
            return self._wrong(Wrong("too_slow", seconds=f"{SECONDS:g}"), trial)
        except Exception as error:  # a result that cannot be looked at without an accident
            return self._wrong(Wrong("unreadable", error=answers.said(error)), trial)
        return Outcome(
            self, "right", word("display.check.well_done"), notes=trial.notes(right=True)
        )

    def _wrong(self, wrong: Wrong, trial: _Trial) -> Outcome:
        own = self._words["wrong"]
        message = own.get(wrong.message) or word(f"display.wrong.{wrong.message}")
        message = message.format_map(_Values({**trial.values(), **wrong.values}))
        return Outcome(self, "wrong", message, wrong.message, trial.notes())

    def hint(self, number: int = 1) -> Shown:
        """The hint of this number, from 1.

        Raises:
            ValueError: there is no such hint.
        """
        hints = self.hints
        if number not in range(1, len(hints) + 1):
            raise ValueError(f"number: got {number!r}, expected 1 to {len(hints)}")
        heading = f"{self.title} · {word('display.check.hint', number=number)}"
        return Shown(heading, hints[number - 1])

    def solution(self) -> Shown:
        """A correct answer's code."""
        heading = f"{self.title} · {word('display.check.solution')}"
        return Shown(heading, self.solution_source(), code=True)

    def solution_source(self) -> str:
        """The code of the first right answer."""
        answer = self.right_answers[0]
        if not callable(answer):
            return repr(answer)
        return textwrap.dedent(inspect.getsource(answer)).strip()

    def __repr__(self) -> str:
        return f"<Exercise {self.chapter}.{self.name}>"


class _Trial:
    """An answer on trial: what it is tried on, and what came of it."""

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise
        self.case: Case | None = None
        self.passed: list[Case] = []
        self.changed: list[str] = []
        self.got: np.ndarray | None = None

    def judge(self, answer: Any) -> None:
        """Return if the answer is right.

        Raises:
            NotAttempted, Raised, Wrong: it is not.
        """
        if answer is Ellipsis:
            raise NotAttempted
        if not callable(answer) and self.exercise.use is None:
            raise Wrong("not_a_function", type=type(answer).__name__)
        for case in self.exercise.cases:
            self.case, self.got = case, None
            self._judge_case(answer, case)
            if case.only is None:
                self.passed.append(case)

    def _judge_case(self, answer: Any, case: Case) -> None:
        inputs = answers.copies(case.inputs)
        try:
            result = answers.call(answer, *inputs, use=self.exercise.use)
        except (NotAttempted, Wrong):
            if not self.passed:
                raise
            raise Wrong("nothing_for_some") from None
        except Raised:
            if case.only is not None:
                return
            raise
        self._note_changes(case, inputs)
        want = self._expected(self.case)
        try:
            self.got = as_array(result, want.shape)
        except Wrong as wrong:
            raise self._mistake_of_shape(result, wrong) from None
        self._compare(self.got, want, str(getattr(result, "dtype", "")))

    def _compare(self, got: np.ndarray, want: np.ndarray, dtype: str) -> None:
        exercise, case = self.exercise, self.case
        if self._agree(got, want, case):
            if exercise.exact_zeros and np.any(got[want == 0]):
                raise Wrong("not_zero", value=f"{np.abs(got[want == 0]).max():.1g}")
            if want.dtype == bool and got.dtype != bool:
                raise Wrong("not_boolean")
            return
        if "int" in dtype and np.array_equal(got, np.trunc(want)):
            raise Wrong("whole_numbers")
        for key, mistake in exercise.mistakes.items():
            if (case.only is None or key in case.only) and self._fits(mistake, got, want):
                raise Wrong(key)
        if case.only is None:
            if self._agree(got, want, case, _NEAR):
                key = "half_precision" if "float16" in dtype else "nearly"
                off = f"{np.abs(got - want).max():.1g}"
                raise Wrong(key, dtype=dtype.removeprefix("torch."), off=off)
            raise Wrong(case.otherwise or exercise.otherwise)

    def _made_by(self, code: Any, case: Case) -> np.ndarray:
        """What our own code gives for this case."""
        result = answers.call(code, *answers.copies(case.inputs), use=self.exercise.use)
        return as_array(result, answers.shape_of(result))

    def _tried_by(self, code: Any, case: Case) -> np.ndarray | None:
        """The same of code that makes a mistake; None where it cannot."""
        try:
            return self._made_by(code, case)
        except (Raised, Wrong):
            return None

    def _expected(self, case: Case) -> np.ndarray:
        return self._made_by(self.exercise.right_answers[0], case)

    def _agree(
        self, got: np.ndarray | None, want: np.ndarray, case: Case, tolerance: float | None = None
    ) -> bool:
        """Whether two results are as good as the same; not a number agrees with its like."""
        if got is None or got.shape != want.shape:
            return False
        if self.exercise.measure:
            with np.errstate(all="ignore"):
                got, want = (self.exercise.measure(result, *case.inputs) for result in (got, want))
        return same(got, want, tolerance or self.exercise.tolerance, equal_nan=True)

    def _fits(self, mistake: Any, got: np.ndarray, want: np.ndarray) -> bool:
        return any(
            self._shows(one, got, want) if isinstance(one, Symptom) else self._explains(one, got)
            for one in _listed(mistake)
        )

    def _shows(self, symptom: Symptom, got: np.ndarray, want: np.ndarray) -> bool:
        with np.errstate(all="ignore"):
            return bool(symptom.test(got, want, *self.case.inputs))

    def _explains(self, code: Callable[..., Any], got: np.ndarray) -> bool:
        results = [(self.case, got), *((case, self._expected(case)) for case in self.passed)]
        return all(self._agree(self._tried_by(code, case), made, case) for case, made in results)

    def _mistake_of_shape(self, result: Any, wrong: Wrong) -> Wrong:
        """The mistake that gives this very result, else one of this wrong shape, else ``wrong``."""
        if wrong.message == "shape":
            shape = answers.shape_of(result)
            got = as_array(result, shape)
            codes = [
                (key, code)
                for key, mistake in self.exercise.mistakes.items()
                for code in _listed(mistake)
                if not isinstance(code, Symptom)
            ]
            alike = [
                (key, code)
                for key, code in codes
                if np.shape(self._tried_by(code, self.case)) == shape
            ]
            found = [each for each in alike if self._explains(each[1], got)]
            for key, _ in found + (alike if self.exercise.by_shape else []):
                return Wrong(key)
        return wrong

    def _note_changes(self, case: Case, inputs: tuple[Any, ...]) -> None:
        for name, before, after in zip(self.exercise.names, case.inputs, inputs, strict=False):
            if name not in self.changed and answers.changed(before, after):
                self.changed.append(name)

    def values(self) -> dict[str, Any]:
        """What a message may name: the inputs, and what the exercise says of the result."""
        if self.case is None:
            return {}
        values = dict(zip(self.exercise.names, self.case.inputs, strict=False))
        if self.exercise.values and self.got is not None:
            want = self._expected(self.case)
            with np.errstate(all="ignore"):
                values |= self.exercise.values(self.got, want, *self.case.inputs)
        return values

    def notes(self, *, right: bool = False) -> tuple[str, ...]:
        """On which inputs it failed, and which of them it changed."""
        notes = [word("display.check.changed", name=name) for name in self.changed]
        if self.case and not right:
            pairs = zip(self.exercise.names, self.case.inputs, strict=False)
            inputs = list(filter(None, (_shown(name, value) for name, value in pairs)))
            if inputs:
                key = "tried_again" if self.passed else "tried"
                joined = word("display.check.join").join(inputs)
                notes.insert(0, word(f"display.check.{key}", inputs=joined))
        return tuple(notes)


def _listed(mistake: Any) -> Sequence[Any]:
    return mistake if isinstance(mistake, list | tuple) else [mistake]


class _Values(dict):
    """What fills a message; what cannot be told of this result is left open."""

    def __missing__(self, name: str) -> str:
        return "??"


def _shown(name: str, value: Any) -> str:
    """An input in a few words: its numbers if they are few, else its shape.

    A function shows its docstring if that is its formula, such as ``f(w) = w * w``; else nothing.
    """
    if callable(value):
        said = value.__doc__ or ""
        return f"`{said}`" if said.startswith(f"{name}(") else ""
    if math.prod(getattr(value, "shape", ())) > _SHOWN:
        return word("display.check.shaped", name=name, shape=tuple(value.shape))
    return f"`{name} = {_short(value)}`"


def _short(value: Any) -> str:
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return f"[{', '.join(map(_short, value))}]"
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4g}" if abs(value) < 1_000 else f"{value:.7g}"


def _describe(error: BaseException | None, answer: Any) -> str:
    """The reader's error with the line of the reader's code that raised it."""
    line = answers.raising_line(error, answer)
    if not line:
        return f"`{answers.said(error)}`"
    return word("display.check.raised", error=answers.said(error), line=line)
