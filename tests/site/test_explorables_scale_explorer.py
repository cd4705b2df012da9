"""The scale explorer in a reader's hands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hands import frame, number, table
from playwright.sync_api import Page

from attention_course import language
from attention_course.explorables import ScaleExplorer


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


def test_the_scale_explorer_follows_d_and_the_switch(show: Callable, page: Page) -> None:
    explorer = ScaleExplorer()
    show(explorer)
    page.get_by_label("dimensions d").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    frame(page)
    products = torch.tensor(explorer.state["products"][-1])
    facts = page.locator(".ac-facts b")
    assert number(facts.nth(0).text_content()) == pytest.approx(
        products.std(correction=0).item(), abs=0.01
    )
    expected = products[0].softmax(0).tolist()
    assert [number(row[2]) for row in table(page, 1)] == pytest.approx(expected, abs=1e-4)
    page.get_by_role("switch").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Another query").click()
    frame(page)
    expected = (products[1] / 32).softmax(0).tolist()
    assert [number(row[2]) for row in table(page, 1)] == pytest.approx(expected, abs=1e-4)
