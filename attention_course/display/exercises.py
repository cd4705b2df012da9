"""Checkers for the book's exercises.

An exercise is a :class:`Exercise`. ``check(answer)`` says one of four things: *not attempted*,
*wrong*, *raised an error*, *right*. A wrong answer's message names the likely mistake and does not
give the answer away. Each exercise carries wrong answers, each of which must earn the message it is
filed under, and right answers in several styles; the tests try them all. The first right answer is
the one that ``solution()`` shows.

The words (title, hints, messages) are in ``words/<language>/<chapter>.toml`` under
``exercise.<name>``: ``title``, ``hints`` (a list), and a table ``wrong`` with one message each.
"""

from __future__ import annotations

import inspect
import textwrap
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .language import word, words
from .markup import Display, code_spans, escape

_TONES = {"right": "good", "wrong": "bad", "error": "bad", "not attempted": "quiet"}


class Wrong(Exception):
    """Raised by a checker: the answer is wrong in the way that ``message`` names.

    Args:
        message: a key of the exercise's table ``wrong``, or of ``common.wrong``.
        values: what fills the message's placeholders.
    """

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message, self.values = message, values


class _NotAttempted(Exception):
    pass


class _RaisedError(Exception):
    pass


def call(answer: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """What the reader's function returns; tells an untouched or failing answer from a wrong one."""
    try:
        result = answer(*arguments, **keywords)
    except NotImplementedError:
        raise _NotAttempted from None
    except Exception as error:
        raise _RaisedError from error
    if result is None or result is Ellipsis:
        raise _NotAttempted
    return result


def as_array(result: Any, shape: tuple[int, ...], wrong: str = "shape") -> np.ndarray:
    """``result`` as a float array of ``shape``; any array-like, torch included, will do.

    Raises:
        Wrong: it has another shape (message ``wrong``, given ``got`` and ``expected``).
    """
    detached = result.detach().cpu() if hasattr(result, "detach") else result
    try:
        array = np.asarray(detached, dtype=float)
    except (TypeError, ValueError):
        raise Wrong(wrong, got=type(result).__name__, expected=shape) from None
    if array.shape != shape:
        raise Wrong(wrong, got=array.shape, expected=shape)
    return array


def same(array: np.ndarray, expected: Any, tolerance: float = 1e-5) -> bool:
    """Whether two arrays agree to ``tolerance``; a NaN agrees with nothing."""
    return bool(np.allclose(array, np.asarray(expected, dtype=float), tolerance, tolerance))


@dataclass(frozen=True)
class Outcome(Display):
    """What a check found.

    Attributes:
        status: ``"not attempted"``, ``"wrong"``, ``"error"`` or ``"right"``.
        message: what to tell the reader.
        key: the key of the message among the exercise's wrong answers, if the answer was wrong.
    """

    exercise: Exercise
    status: str
    message: str
    key: str | None = None

    def html(self) -> str:
        exercise = self.exercise
        said = word(f"display.check.{self.status.replace(' ', '_')}")
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
            f"{code_spans(self.message)}</p>{hints}"
            f"<details><summary>{word('display.check.solution')}</summary>"
            f'<pre tabindex="0"><code>{escape(exercise.solution_source())}</code></pre>'
            "</details></div>"
        )

    def text(self) -> str:
        said = word(f"display.check.{self.status.replace(' ', '_')}")
        return f"{self.exercise.title}: {said} {self.message}".strip()


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
        chapter: the file of words, such as ``"human_attention"``.
        name: the table of words in it, ``exercise.<name>``.
        difficulty: 1 (a line), 2 (a few lines) or 3 (needs thought).
        minutes: how long a reader may need.
        verify: called with the answer; returns if it is right, raises :class:`Wrong` if not, and
            calls the reader's function through :func:`call`.
        right_answers: correct answers in several styles; the first is the solution shown.
        wrong_answers: message key → answers that must earn that message.
    """

    chapter: str
    name: str
    difficulty: int
    minutes: int
    verify: Callable[[Any], None]
    right_answers: Sequence[Any]
    wrong_answers: Mapping[str, Sequence[Any]] = field(default_factory=dict)

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

    def check(self, answer: Any) -> Outcome:
        """Judge ``answer``: a function, or a value, as the exercise asks."""
        if answer is None or answer is Ellipsis:
            return self._not_attempted()
        try:
            self.verify(answer)
        except _NotAttempted:
            return self._not_attempted()
        except _RaisedError as raised:
            return Outcome(self, "error", _describe(raised.__cause__))
        except Wrong as wrong:
            own = self._words["wrong"]
            message = own.get(wrong.message) or word(f"display.wrong.{wrong.message}")
            return Outcome(self, "wrong", message.format(**wrong.values), wrong.message)
        return Outcome(self, "right", word("display.check.well_done"))

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

    def _not_attempted(self) -> Outcome:
        return Outcome(self, "not attempted", word("display.check.try_it"))

    def __repr__(self) -> str:
        return f"<Exercise {self.chapter}.{self.name}>"


def _describe(error: BaseException | None) -> str:
    """The reader's error with the line of the reader's code that raised it."""
    frames = traceback.extract_tb(error.__traceback__)[1:] if error else []
    where = frames[0].line if frames else ""
    return word(
        "display.check.raised",
        error=f"{type(error).__name__}: {error}",
        line=where or "?",
    )
