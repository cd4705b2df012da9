"""The weights explorer in a reader's hands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hands import PHONE, frame, middle, number, table
from playwright.sync_api import Page, expect

from attention_course import language
from attention_course.explorables import WeightsExplorer


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


TOKENS = ["city", "the", "sights"]
SCORES = [2.0, 0.5, -1.0]
VALUES = [[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]]


def weights() -> WeightsExplorer:
    return WeightsExplorer(TOKENS, SCORES, VALUES)


def many() -> WeightsExplorer:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(64, generator=generator)
    values = torch.randn(64, 8, generator=generator)
    return WeightsExplorer([f"word {i}" for i in range(64)], scores, values)


def test_a_score_moves_the_weights_by_keyboard(show: Callable, page: Page) -> None:
    show(weights())
    page.get_by_label("score of the").focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    frame(page)
    scores = torch.tensor([2.0, 2.5, -1.0])
    expected = scores.softmax(0)
    rows = table(page)
    assert [number(row[1]) for row in rows[:3]] == pytest.approx(scores.tolist())
    assert [number(row[2]) for row in rows[:3]] == pytest.approx(expected.tolist(), abs=1e-4)
    mixture = (expected @ torch.tensor(VALUES)).tolist()
    assert [number(cell) for cell in rows[3][3:]] == pytest.approx(mixture, abs=1e-3)
    assert page.get_by_label("score of the").get_attribute("aria-valuetext") == "2.5"


def test_the_temperature_and_the_buttons(show: Callable, page: Page) -> None:
    show(weights())
    page.get_by_label("temperature").fill("2.5")
    frame(page)
    expected = (torch.tensor(SCORES) / 2.5).softmax(0).tolist()
    assert [number(row[2]) for row in table(page)[:3]] == pytest.approx(expected, abs=1e-4)
    page.get_by_role("button", name="Equal scores").click()
    frame(page)
    assert [number(row[2]) for row in table(page)[:3]] == pytest.approx([1 / 3] * 3, abs=1e-4)
    page.get_by_role("button", name="One big score").click()
    frame(page)
    assert number(table(page)[0][1]) == 5
    page.get_by_role("button", name="Reset").click()
    frame(page)
    assert [number(row[1]) for row in table(page)[:3]] == SCORES
    assert number(table(page)[3][2]) == 1


@pytest.mark.parametrize("page", [PHONE], indirect=True)
def test_a_score_moves_by_touch(show: Callable, page: Page) -> None:
    show(weights())
    slider = page.get_by_label("score of city")
    x, y = middle(slider)
    page.touchscreen.tap(x, y)
    frame(page)
    assert number(table(page)[0][1]) == pytest.approx(0, abs=0.3)


def test_many_scores_are_drawn_with_the_mouse(show: Callable, page: Page) -> None:
    show(many())
    box = page.locator(".ac-scores").bounding_box()
    step = box["width"] / 64
    page.mouse.move(box["x"] + 3.5 * step, box["y"] + box["height"] * 0.25)
    page.mouse.down()
    page.mouse.move(box["x"] + 5.5 * step, box["y"] + box["height"] * 0.75)
    page.mouse.up()
    frame(page)
    rows = table(page)
    assert number(rows[3][1]) == pytest.approx(2.5, abs=0.2)
    assert number(rows[5][1]) == pytest.approx(-2.5, abs=0.2)
    expected = torch.tensor([number(row[1]) for row in rows[:64]]).softmax(0).tolist()
    assert [number(row[2]) for row in rows[:64]] == pytest.approx(expected, abs=2e-3)
    page.get_by_label("token", exact=True).fill("10")
    page.get_by_label("score", exact=True).fill("5")
    frame(page)
    assert number(table(page)[9][1]) == 5


def test_what_is_seen_is_also_said_once_the_reader_pauses(show: Callable, page: Page) -> None:
    show(weights())
    page.get_by_label("score of sights").fill("4")
    spoken = page.locator("[aria-live=polite]")
    assert "city" in spoken.text_content()
    expect(page.locator(".ac-summary")).to_contain_text("sights")
    expect(spoken).to_have_text(page.locator(".ac-summary").text_content())


def test_a_tie_names_all_that_lead(show: Callable, page: Page) -> None:
    show(WeightsExplorer(TOKENS, [2, 2, 0], VALUES))
    expect(page.locator(".ac-summary")).to_contain_text("“city”, “the” share the most weight")


def test_names_typed_by_someone_stay_text(show: Callable, page: Page) -> None:
    evil = "<img src=x onerror=document.title='x'>"
    show(WeightsExplorer([evil, "b"], [1, 0], [[1], [0]]))
    assert page.locator("main img").count() == 0
    assert table(page)[0][0] == evil


@pytest.mark.parametrize("page", [{"reduced_motion": "reduce"}], indirect=True)
def test_nothing_glides_when_motion_is_not_wanted(show: Callable, page: Page) -> None:
    show(weights())
    page.get_by_role("button", name="Equal scores").click()
    bar = page.locator(".ac-track i").first
    assert bar.evaluate("(el) => getComputedStyle(el).transitionDuration") == "0s"


def test_two_on_a_page_do_not_move_each_other(show: Callable, page: Page) -> None:
    show(weights(), weights())
    page.get_by_label("score of city").first.fill("-3")
    frame(page)
    assert page.get_by_label("score of city").last.input_value() == "2"
