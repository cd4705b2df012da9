"""The depth explorer in a reader's hands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hands import frame, number, table
from playwright.sync_api import Page

from attention_course import language
from attention_course.explorables import DepthExplorer
from attention_course.lessons.residual_and_norm import experiments


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


def test_the_reader_chooses_depth_residual_and_norm(show: Callable, page: Page) -> None:
    runs = experiments.profiles([2, 12])
    show(DepthExplorer(runs))
    assert len(table(page, 1)) == 13
    said = page.locator(".ac-summary")
    assert "hardly any of it is left" in said.text_content()
    page.get_by_role("switch").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="norm first").click()
    frame(page)
    gradient, signal = runs[True, "pre"][12]
    assert "keeps its order of magnitude" in said.text_content()
    times = said.text_content().split(" times")[0].split()[-1]
    assert number(times) == pytest.approx(gradient[0] / gradient[-1], abs=0.006)
    assert number(table(page, 1)[-1][2]) == pytest.approx(signal[-1], abs=0.006)
    page.get_by_label("layers", exact=True).focus()
    page.keyboard.press("ArrowLeft")
    frame(page)
    assert len(table(page, 1)) == 3
    assert page.get_by_role("button", name="norm first").get_attribute("aria-pressed") == "true"
