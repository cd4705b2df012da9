"""A self-diagnosis for the tests, and what follows from some answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .explorable import SelfDiagnosis

MOVED = {"answers": [0, -1, -1], "at": 1}


def shown() -> dict[str, SelfDiagnosis]:
    return {
        "three questions": SelfDiagnosis("self_diagnosis.example"),
        "ten questions": SelfDiagnosis("prerequisites.diagnosis"),
    }


def computed() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    diagnosis = SelfDiagnosis("self_diagnosis.example")
    for answers, answered, right, advice in (
        ([-1, -1, -1], 0, 0, [0, 0]),
        ([0, -1, -1], 1, 1, [1, 0]),
        ([2, 1, -1], 2, 1, [2, 0]),  # "I do not know yet"; half of a section
        ([1, 0, -1], 2, 0, [2, 2]),
        ([0, 1, 1], 3, 2, [1, 2]),
        ([0, 1, 0], 3, 3, [1, 1]),
    ):
        state = {**diagnosis.state, "answers": answers}
        yield state, {"answered": answered, "right": right, "advice": advice}


REFUSED = [
    (lambda: SelfDiagnosis("no_such_lesson.diagnosis"), KeyError, "no_such_lesson"),
    (lambda: SelfDiagnosis("self_diagnosis.title"), KeyError, "self_diagnosis.title"),
]
