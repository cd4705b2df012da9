"""A quiz in a reader's hands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from attention_course import language
from attention_course.explorables import Quiz


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


def test_a_quiz_says_why(show: Callable, page: Page) -> None:
    quiz = Quiz("quiz.example")
    show(quiz)
    options = quiz.state["options"]
    check, told = page.get_by_role("button", name="Check"), page.get_by_role("status")
    check.click()
    expect(told).to_have_text("Choose an answer first.")
    page.get_by_role("radio").nth(0).check()
    expect(told).to_have_text("Choose an answer first.")
    check.click()
    expect(told).to_contain_text("Not yet.")
    expect(told).to_contain_text(options[0]["why"].replace("`", ""))
    page.get_by_role("radio").nth(1).focus()
    page.keyboard.press("Space")
    check.focus()
    page.keyboard.press("Enter")
    expect(told).to_contain_text("Right.")
    expect(told).to_contain_text(options[1]["why"].replace("`", ""))


def test_two_questions_have_answers_of_their_own(show: Callable, page: Page) -> None:
    show(Quiz("quiz.example"), Quiz("quiz.example"))
    page.get_by_role("radio").nth(1).check()
    page.get_by_role("radio").nth(3).check()
    assert page.get_by_role("radio").nth(1).is_checked()
    page.get_by_role("button", name="Check").first.click()
    expect(page.get_by_role("status").first).to_contain_text("Right.")
    expect(page.get_by_role("status").last).to_be_empty()
