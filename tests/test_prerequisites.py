"""The self-diagnosis of chapter 0: it sends the reader to sections that there are."""

import json
import re
from pathlib import Path

import pytest

from attention_course import language
from attention_course.explorables import SelfDiagnosis

CHAPTERS = Path(__file__).parents[1] / "chapters"


@pytest.fixture(params=language.LANGUAGES)
def edition(request):
    language.use(request.param)
    yield request.param
    language.use("en")


def headings(edition):
    """The headings of chapter 0, each with the number of its page before it."""
    for path in sorted(CHAPTERS.glob(f"{edition}/0-*.ipynb")):
        text = "\n".join("".join(c["source"]) for c in json.loads(path.read_text())["cells"])
        number = re.search(r"^# ([\d.]+) ", text, flags=re.M)[1]
        for heading in re.findall(r"^### (.+)$", text, flags=re.M):
            yield number, heading


def test_the_sections_of_the_diagnosis_are_on_the_pages(edition):
    sections = SelfDiagnosis("prerequisites.diagnosis").state["sections"]
    found = [tuple(re.split(": |：", section, maxsplit=1)) for section in sections]
    assert set(found) <= set(headings(edition))


def test_there_are_ten_questions_one_for_each_section(edition):
    state = SelfDiagnosis("prerequisites.diagnosis").state
    assert len(state["questions"]) == 10
    assert [question["section"] for question in state["questions"]] == list(range(10))
