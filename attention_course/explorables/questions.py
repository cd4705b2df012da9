"""What questions with options to choose from have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .base import LINE, Explorable, lines


def judged(name: str, options: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Options with a reason each, exactly one of them right.

    Args:
        name: of the question, for the error.
        options: tables of ``text``, ``why`` and, on one of them, ``right = true``.

    Raises:
        ValueError: not exactly one option is right.
    """
    read = [{"text": o["text"], "right": o.get("right", False), "why": o["why"]} for o in options]
    right = sum(option["right"] for option in read)
    if right != 1:
        raise ValueError(f"{name}: got {right} right options, expected 1")
    return read


def asked(question: str, options: Sequence[str], columns: int) -> float:
    """The pixels that a question takes with its options, where a line holds so many letters."""
    rows = sum(lines(text, columns - 9) * LINE + 23 for text in options)
    return lines(question, columns) * LINE + rows


class Question(Explorable):
    """Something to answer, where other explorables are something to move."""

    def room(self, columns: int) -> float:
        return asked(self.state["question"], self.options(), columns) + 82  # 82: the button

    def options(self) -> Sequence[str]:
        """The answers to choose from."""
        raise NotImplementedError
