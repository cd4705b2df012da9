"""What questions with options to choose from have in common."""

from __future__ import annotations

from collections.abc import Sequence

from .base import LINE, Explorable, lines


class Question(Explorable):
    """Something to answer, where other explorables are something to move."""

    def room(self, columns: int) -> float:
        options = sum(lines(text, columns - 9) * LINE + 23 for text in self.options())
        return lines(self.state["question"], columns) * LINE + options + 82  # 82: the button

    def options(self) -> Sequence[str]:
        """The answers to choose from."""
        raise NotImplementedError
