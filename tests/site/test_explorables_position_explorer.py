"""The position explorer in a reader's hands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hands import PHONE, frame, middle, number, table, touch
from playwright.sync_api import Page

from attention_course import language
from attention_course.explorables import PositionExplorer, QueryKeyValuePlane


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


def test_a_position_is_picked_on_the_picture(show: Callable, page: Page) -> None:
    show(PositionExplorer(length=64, d_model=32))
    picture = page.locator("canvas")
    box = picture.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 40.5 / 64, box["y"] + box["height"] * 5.5 / 16)
    frame(page)
    assert page.get_by_role("slider", name="position").input_value() == "40"
    assert page.get_by_label("pair of dimensions").input_value() == "5"
    rows = table(page)
    assert number(rows[0][2]) == pytest.approx(torch.tensor(40.0).sin().item(), abs=1e-4)
    page.get_by_label("dimensions d").fill("4")
    frame(page)
    assert page.get_by_label("pair of dimensions").input_value() == "1"
    assert len(table(page)) == 2
    painted = picture.evaluate("(c) => [...c.getContext('2d').getImageData(40, 0, 1, 1).data]")
    assert painted[3] == pytest.approx(235 * torch.tensor(40.0).sin().abs().item(), abs=2)


@pytest.mark.parametrize("page", [PHONE], indirect=True)
def test_a_finger_that_goes_up_scrolls_and_sideways_picks(show: Callable, page: Page) -> None:
    show(
        PositionExplorer(),
        QueryKeyValuePlane(["a", "b"], [1, 1], [[1, 0], [0, 1]], [[1, 0], [0, 1]]),
    )
    position = page.get_by_role("slider", name="position")
    x, y = middle(page.locator("canvas"))
    scrolled = page.evaluate("scrollY")
    touch(page, (x, y), (x + 60, y))
    assert int(position.input_value()) > 40
    assert page.evaluate("scrollY") == scrolled
    for drawing in (page.locator("canvas"), page.locator(".ac-planes svg").first):
        x, y = middle(drawing)
        scrolled = page.evaluate("scrollY")
        touch(page, (x - 90, y + 30), (x - 90, y - 60))
        assert page.evaluate("scrollY") > scrolled
