"""A guess the reader commits to before the measurement."""

from __future__ import annotations

from attention_course.language import words
from attention_course.markup import code_spans

from .. import still
from ..questions import Question


class Prediction(Question):
    """Ask for a guess, keep it while the reader stays, and set it beside the measured value.

    Args:
        key: of a table of words with ``question``, ``options`` and, when a result card further
            down answers the question, ``card``: the claim it is about, such as ``"C3"``.

    Raises:
        KeyError: there is no such table, or it lacks the question or the options.
    """

    module = "prediction"

    def __init__(self, key: str) -> None:
        table = words(key)
        super().__init__(
            key=key,
            question=table["question"],
            options=list(table["options"]),
            card=table.get("card", ""),
            guess=-1,
        )

    def options(self) -> list[str]:
        return self.state["options"]

    def still(self) -> str:
        question = code_spans(self.state["question"])
        return f"<p><b>{question}</b></p>" + still.options(self.options())
