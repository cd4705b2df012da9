"""What questions with options to choose from have in common."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_LINE = 23  # pixels


def height(question: str, options: Sequence[str]) -> tuple[int, int]:
    """About how many pixels one question takes on a wide and on a narrow page."""

    def pixels(columns: int) -> int:
        asked = _lines(question, columns) * _LINE + 6
        answers = sum(_lines(text, columns - 9) * _LINE + 23 for text in options)
        return asked + answers + 66  # 66: the button and the space below

    return pixels(86), pixels(40)


def _lines(text: str, columns: int) -> int:
    """About how many lines ``text`` takes, ``columns`` Latin letters wide."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return -(-(len(text) + wide) // columns)
