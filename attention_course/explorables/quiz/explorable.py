"""A question with one right answer, and a reason for every option."""

from __future__ import annotations

from attention_course.language import words
from attention_course.markup import code_spans, escape

from .. import still
from ..questions import Question, judged


class Quiz(Question):
    """Choose, check, and read why the option is right or wrong.

    Args:
        key: of a table of words with ``question`` and ``[[options]]`` of ``text``, ``why`` and, on
            one of them, ``right = true``. Code may stand in backticks.

    Raises:
        KeyError: there is no such table, or it lacks the question or the options.
        ValueError: not exactly one option is right.
    """

    module = "quiz"

    def __init__(self, key: str) -> None:
        table = words(key)
        if not isinstance(table, dict):
            raise KeyError(f"{key!r} is no table with a question and its options")
        options = judged(key, table["options"])
        super().__init__(question=table["question"], options=options, answer=-1)

    def options(self) -> list[str]:
        return [option["text"] for option in self.state["options"]]

    def still(self) -> str:
        answer = next(option for option in self.state["options"] if option["right"])
        return (
            f"<p><b>{code_spans(self.state['question'])}</b></p>"
            + still.options(self.options())
            + f"<details><summary>{escape(self.words['answer'])}</summary>"
            + f"<p>{code_spans(answer['text'])} {code_spans(answer['why'])}</p></details>"
        )
