"""The walk down a loss curve in a reader's hands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hands import frame, number, table
from playwright.sync_api import Page, expect

from attention_course import language
from attention_course.explorables import GradientWalk


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


def test_the_walk_follows_the_learning_rate_and_the_steps(show: Callable, page: Page) -> None:
    """On this curve the slope is 5w − 11 and the bottom is at 2.2."""
    show(GradientWalk([1, 2], [3, 4], learning_rate=0.1, steps=3))
    assert [number(row[1]) for row in table(page)] == [0, 1.1, 1.65, 1.925]
    assert [number(row[2]) for row in table(page)] == [-11, -5.5, -2.75, -1.375]
    page.get_by_label("learning rate").fill("0.2")
    frame(page)
    assert [number(row[1]) for row in table(page)] == pytest.approx([0, 2.2, 2.2, 2.2])
    page.get_by_label("steps").focus()
    page.keyboard.press("End")
    frame(page)
    assert len(table(page)) == 21
    page.get_by_label("start at w =").fill("1")
    frame(page)
    assert number(table(page)[0][1]) == 1
    assert page.locator(".ac-dot:visible").count() == 21


def test_too_large_a_learning_rate_climbs_out(show: Callable, page: Page) -> None:
    show(GradientWalk([1, 2], [3, 4], learning_rate=0.1, steps=3))
    said = page.locator(".ac-summary")
    for name, told in (
        ("Too small", "slowly"),
        ("Halving", "leaves only 50.0%"),
        ("Large", "75.0% as far away"),
        ("Too large", "125.0% as far away as before: up and out"),
    ):
        page.get_by_role("button", name=name, exact=True).click()
        frame(page)
        expect(said).to_contain_text(told)
    losses = [number(row[3]) for row in table(page)]
    assert losses == sorted(losses)
    page.get_by_label("learning rate").fill("0.4")
    frame(page)
    expect(said).to_contain_text("back and forth for ever")
    places = [number(row[1]) for row in table(page)]
    assert places[::2] == [0] * 6
    assert places[1::2] == [4.4] * 5
