"""The recall race in a reader's hands."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from hands import PHONE, frame, middle, number, table, touch
from playwright.sync_api import Page, expect

from attention_course import explorables, language

RUNS = explorables.examples("recall_race").RUNS


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


def race() -> explorables.Explorable:
    return explorables.examples("recall_race").shown()["two"]


def means(page: Page) -> list[float]:
    return [number(text) for text in page.locator(".ac-race .ac-output").all_text_contents()]


def test_bars_and_ways_follow_the_distance(show: Callable, page: Page) -> None:
    show(race())
    hops, jump = page.locator(".ac-hops"), page.locator(".ac-jump")
    assert hops.get_attribute("d").count("M") == 2
    page.get_by_label("distance in words").focus()
    page.keyboard.press("ArrowRight")
    frame(page)
    assert means(page) == [round(100 * np.mean(rows[1]), 1) for rows in RUNS.values()]
    assert hops.get_attribute("d").count("M") == 8
    assert jump.get_attribute("d").count("M") == 1
    expect(page.locator(".ac-ways")).to_have_attribute(
        "aria-label", re.compile("stands 8 words.*hands it on 8 times")
    )
    expect(page.locator(".ac-summary")).to_contain_text("attention: 99.7%")


def test_the_table_has_every_run(show: Callable, page: Page) -> None:
    show(race())
    rows = table(page)
    assert len(rows) == 6
    for row, (at, name) in zip(rows, [(i, n) for i in (0, 1) for n in RUNS], strict=True):
        runs = 100 * np.array(RUNS[name][at])
        expected = [runs.mean(), runs.min(), runs.max()]
        assert [number(text) for text in row[2:5]] == pytest.approx(expected, abs=0.06)
        assert row[5] == ("1" if name == "attention" else ["2", "8"][at])


@pytest.mark.parametrize("page", [PHONE], indirect=True)
def test_a_finger_moves_the_distance(show: Callable, page: Page) -> None:
    show(race())
    slider = page.get_by_label("distance in words")
    x, y = middle(slider)
    touch(page, (x - 30, y), (x + 120, y))
    assert means(page) == [round(100 * np.mean(rows[1]), 1) for rows in RUNS.values()]
