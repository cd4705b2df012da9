"""A prediction in a reader's hands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from attention_course import language
from attention_course.explorables import Prediction


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


class Card:
    """A result card as a notebook shows it."""

    def _repr_mimebundle_(self) -> dict[str, str]:
        return {"text/html": '<div data-claim="C3" class="ac ac-card"><p>0.96</p></div>'}


def guessing() -> Prediction:
    return Prediction("prediction.example")


def test_a_guess_is_kept_and_set_beside_the_measurement(show: Callable, page: Page) -> None:
    prediction = guessing()
    show(Card(), prediction, Card())
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_have_text("Choose an answer first.")
    page.get_by_role("radio").nth(1).check()
    page.get_by_role("button").click()
    said = f"Your guess: {prediction.state['options'][1]}".replace("`", "")
    expect(page.get_by_role("status")).to_contain_text(said)
    expect(page.locator("[data-claim]").last).to_contain_text(said)
    expect(page.locator("[data-claim]").first).not_to_contain_text("guess")
    page.reload()
    expect(page.locator("[data-claim]").last).to_contain_text(said)
    page.get_by_role("button", name="Change my guess").click()
    expect(page.locator("[data-claim]").last).not_to_contain_text("guess")
    expect(page.get_by_role("radio").nth(1)).to_be_enabled()


def test_a_card_that_comes_later_gets_the_guess(show: Callable, page: Page) -> None:
    show(guessing())
    page.get_by_role("radio").first.check()
    page.get_by_role("button").click()
    page.evaluate(
        """() => {
          const card = document.createElement("div");
          card.dataset.claim = "C3";
          document.querySelector("main").append(card);
        }"""
    )
    expect(page.locator("[data-claim]")).to_contain_text("Your guess")
