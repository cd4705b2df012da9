"""A self-diagnosis in a reader's hands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from attention_course import language
from attention_course.explorables import SelfDiagnosis


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


def answer(page: Page, place: int) -> None:
    page.locator(".ac-question:not(.ac-away) .ac-choice").nth(place).click()


def test_answers_say_what_to_read_and_what_to_skip(show: Callable, page: Page) -> None:
    diagnosis = SelfDiagnosis("self_diagnosis.example")
    show(diagnosis)
    told, sections = page.get_by_role("status"), page.locator(".ac-route li")
    following = page.get_by_role("button", name="Next")
    expect(sections).to_have_text(["Sumsnot asked yet", "Productsnot asked yet"])
    answer(page, 0)
    expect(told).to_contain_text("Right. One more than two.")
    expect(sections).to_have_text(["Sums✓ skip", "Productsnot asked yet"])
    following.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Question 2 of 3")).to_be_visible()
    expect(told).to_be_empty()
    answer(page, 0)
    expect(told).to_contain_text("That is the sum.")
    expect(sections.last).to_have_text("Products→ read")
    following.click()
    expect(following).to_be_disabled()
    answer(page, 2)
    expect(told).to_contain_text("No fours at all.")
    expect(page.get_by_text("1 of 3 right.")).to_be_visible()


def test_the_first_answer_counts_until_one_starts_again(show: Callable, page: Page) -> None:
    show(SelfDiagnosis("self_diagnosis.example"))
    radios = page.locator(".ac-question:not(.ac-away) input")
    radios.nth(1).focus()
    page.keyboard.press("Space")
    expect(radios.first).to_be_disabled()
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Back").click()
    expect(radios.nth(1)).to_be_checked()
    expect(page.get_by_role("status")).to_contain_text("Worth reading.")
    page.get_by_role("button", name="Start again").click()
    expect(radios.nth(1)).not_to_be_checked()
    expect(radios.first).to_be_enabled()
    expect(page.get_by_role("status")).to_be_empty()
