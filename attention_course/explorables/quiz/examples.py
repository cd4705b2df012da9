"""A question for the tests, and which of its answers is right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .explorable import Quiz

MOVED = {"answer": 1}


def shown() -> dict[str, Quiz]:
    return {"three options": Quiz("quiz.example")}


def computed() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    (quiz,) = shown().values()
    for answer in range(-1, len(quiz.state["options"])):
        yield {**quiz.state, "answer": answer}, {"right": answer == 1}


REFUSED = [
    (lambda: Quiz("no_such_lesson.quiz.first"), KeyError, "no_such_lesson"),
    (lambda: Quiz("quiz.title"), KeyError, "quiz.title"),
]
