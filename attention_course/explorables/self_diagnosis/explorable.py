"""Short questions that say what to read and what to skip."""

from __future__ import annotations

from attention_course.language import words
from attention_course.markup import code_spans, element, escape

from .. import still
from ..base import LINE, WIDE, Explorable
from ..questions import asked, judged


class SelfDiagnosis(Explorable):
    """Answer question after question; a list says which sections to read and which to skip.

    To every question the options end with "I do not know yet", which is never right.

    Args:
        key: of a table of words with ``sections``, the names of sections in their order, and
            ``[[questions]]`` of ``section`` (its place in that list, from 0), ``question`` and
            ``[[questions.options]]`` as a quiz has them.

    Raises:
        KeyError: there is no such table, or it lacks something.
        ValueError: not exactly one option of a question is right, or not every section has one.
    """

    module = "self_diagnosis"

    def __init__(self, key: str) -> None:
        table = words(key)
        if not isinstance(table, dict):
            raise KeyError(f"{key!r} is no table with sections and questions")
        questions = [
            {
                "section": item["section"],
                "question": item["question"],
                "options": judged(f"{key}.questions[{i}]", item["options"]),
            }
            for i, item in enumerate(table["questions"])
        ]
        found = sorted({question["section"] for question in questions})
        expected = list(range(len(table["sections"])))
        if found != expected:
            raise ValueError(f"{key}: got questions on sections {found}, expected {expected}")
        super().__init__(
            sections=table["sections"],
            questions=questions,
            answers=[-1] * len(questions),
            at=0,
        )

    def room(self, columns: int) -> float:
        unsure = self.words["unsure"]
        tallest = max(
            asked(each["question"], [*(o["text"] for o in each["options"]), unsure], columns)
            for each in self.state["questions"]
        )
        told = (3 if columns == WIDE else 6) * LINE
        return tallest + told + 24 * len(self.state["sections"]) + 135

    def still(self) -> str:
        parts, answer = [], escape(self.words["answer"])
        for each in self.state["questions"]:
            right = next(option for option in each["options"] if option["right"])
            section = self.state["sections"][each["section"]]
            parts.append(
                f"<p><b>{code_spans(each['question'])}</b></p>"
                + still.options(option["text"] for option in each["options"])
                + f"<details><summary>{answer}</summary>"
                + f"<p>{code_spans(right['text'])} {code_spans(right['why'])} "
                + f"({escape(section)})</p></details>"
            )
        return element("div", *parts)
