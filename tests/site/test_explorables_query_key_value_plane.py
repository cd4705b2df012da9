"""The plane of query, keys and values in a reader's hands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hands import PHONE, drag_to, frame, middle, number, table, touch
from playwright.sync_api import Page

from attention_course import language
from attention_course.explorables import QueryKeyValuePlane


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


TOKENS = ["city", "the", "sights"]
VALUES = [[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]]


def plane() -> QueryKeyValuePlane:
    return QueryKeyValuePlane(TOKENS, [1.0, 1.0], [[1, 0.5], [-1, 1], [0.5, -1]], VALUES)


def test_the_query_is_dragged_and_moved_by_keys(show: Callable, page: Page) -> None:
    show(plane())
    handle = page.get_by_role("slider", name="query", exact=True)
    before = handle.get_attribute("aria-valuetext")
    assert before == "x 1.0, y 1.0"
    drag_to(page, handle, (-60, 40))
    after = handle.get_attribute("aria-valuetext")
    assert after != before
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    frame(page)
    x, y = (number(part.split()[-1]) for part in after.split(","))
    now = [number(p.split()[-1]) for p in handle.get_attribute("aria-valuetext").split(",")]
    assert now == pytest.approx([x + 0.1, y + 0.5])
    keys = torch.tensor(plane().state["key"])
    products = keys @ torch.tensor(now)
    rows = table(page)[1:4]
    assert [number(row[2]) for row in rows] == pytest.approx(products.tolist(), abs=1e-3)
    expected = (products / 2**0.5).softmax(0).tolist()
    assert [number(row[4]) for row in rows] == pytest.approx(expected, abs=1e-4)
    page.get_by_role("switch").uncheck()
    frame(page)
    expected = products.softmax(0).tolist()
    assert [number(row[4]) for row in table(page)[1:4]] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("page", [PHONE], indirect=True)
def test_a_key_is_dragged_by_touch_without_scrolling(show: Callable, page: Page) -> None:
    show(plane())
    handle = page.get_by_role("slider", name="sights", exact=True)
    x, y = middle(handle)
    scrolled = page.evaluate("scrollY")
    touch(page, (x, y), (x - 40, y - 60))
    assert page.evaluate("scrollY") == scrolled
    assert handle.get_attribute("aria-valuetext") != "x 0.5, y −1.0"
    page.get_by_label("sights x").fill("1")  # the key just touched is the one the sliders move
    frame(page)
    assert handle.get_attribute("aria-valuetext").startswith("x 1.0")
