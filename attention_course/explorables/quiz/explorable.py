"""Questions with one right answer each, and a reason for every option."""

from __future__ import annotations

from attention_course.language import words
from attention_course.markup import code_spans, escape

from .. import questions, still
from ..base import Explorable


class Quiz(Explorable):
    """A notebook's quiz: choose, check, and read why the option is right or wrong.

    Args:
        name: the file of words that holds the items, ``[[quiz]]`` with ``question`` and
            ``[[quiz.options]]`` of ``text``, ``right`` and ``why``. Code may stand in backticks.

    Raises:
        KeyError: there is no such file, or it holds no quiz.
        ValueError: a question does not have exactly one right option.
    """

    module = "quiz"

    def __init__(self, name: str) -> None:
        items = [
            {
                "question": item["question"],
                "options": [
                    {"text": o["text"], "right": o.get("right", False), "why": o["why"]}
                    for o in item["options"]
                ],
            }
            for item in words(f"{name}.quiz")
        ]
        for item in items:
            right = sum(option["right"] for option in item["options"])
            if right != 1:
                raise ValueError(
                    f"{name}.quiz: {item['question']!r} has {right} right options, expected 1"
                )
        super().__init__(items=items, answers=[-1] * len(items))

    def height(self) -> tuple[int, int]:
        items = [
            questions.height(item["question"], [option["text"] for option in item["options"]])
            for item in self.state["items"]
        ]
        return tuple(126 + sum(each) for each in zip(*items, strict=True))

    def still(self) -> str:
        return "".join(self._still_item(*each) for each in enumerate(self.state["items"], 1))

    def _still_item(self, place: int, item: dict) -> str:
        answer = next(option for option in item["options"] if option["right"])
        return (
            f"<p><b>{place}. {code_spans(item['question'])}</b></p>"
            + still.options(option["text"] for option in item["options"])
            + f"<details><summary>{escape(self.words['answer'])}</summary>"
            + f"<p>{code_spans(answer['text'])} {code_spans(answer['why'])}</p></details>"
        )
