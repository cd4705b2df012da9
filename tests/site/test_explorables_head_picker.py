"""The head picker in a reader's hands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hands import frame, number, table
from playwright.sync_api import Page, expect

from attention_course import language
from attention_course.explorables import examples


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


def test_a_head_and_a_token_are_picked(show: Callable, page: Page) -> None:
    picker = examples("head_picker").shown()["4 heads"]
    show(picker)
    page.get_by_role("button", name="Head 3").click()
    page.get_by_label("asked at").fill("5")
    frame(page)
    expect(page.get_by_role("button", name="Head 3")).to_have_attribute("aria-pressed", "true")
    weights = [number(row[3]) for row in table(page)]
    assert weights == pytest.approx(picker.state["weights"][2][5], abs=1e-4)


def test_without_any_head_no_head_adds_to_an_answer(show: Callable, page: Page) -> None:
    show(examples("head_picker").shown()["2 heads"])
    for head in (1, 2):
        page.get_by_label(f"head {head} on").uncheck()
    expect(page.locator(".ac-summary")).to_contain_text("0 of 2 heads on")
    said = {row[1].split(":")[0] for row in table(page, 1)}
    assert said == {"cat"}  # all scores are 0: the first name
