"""The stepper through the encoder–decoder in a reader's hands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hands import PHONE, frame, middle
from playwright.sync_api import Locator, Page, expect

from attention_course import language
from attention_course.explorables import ArchitectureStepper, examples


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


def stepper(which: str = "2 layers") -> ArchitectureStepper:
    return examples("architecture_stepper").shown()[which]


def step(page: Page) -> Locator:
    return page.get_by_role("button", name="Next", exact=True)


def box(page: Page, side: str, name: str) -> Locator:
    """A part of the drawing: the first of its name is the encoder's."""
    found = page.get_by_role("button", name=name, exact=True)
    return found.first if side == "encoder" else found.last


def sizes(page: Page) -> list[list[int]]:
    """The shapes that are shown: those that flow in, and last the one that comes out."""
    rows = page.locator(".ac-flow").all()
    return [[int(size) for size in row.locator(".ac-size b").all_text_contents()] for row in rows]


def test_every_step_shows_the_shapes_that_the_model_had(show: Callable, page: Page) -> None:
    shown = stepper()
    show(shown)
    stages = shown.state["stages"]
    for i, stage in enumerate(stages):
        expect(page.locator(".ac-at")).to_contain_text(f"Step {i + 1} of {len(stages)}")
        assert sizes(page) == [*stage["inputs"], stage["output"]]
        lit = page.locator("[aria-current=step]")
        expect(lit).to_have_count(1)
        name = shown.state["names"].get(stage["part"], "Linear")
        expect(lit).to_have_text(name)
        said = page.locator(".ac-summary").text_content()
        assert said.lower().startswith(f"{name.lower()}: ")
        assert "{" not in said
        if stage is not stages[-1]:
            step(page).click()
            frame(page)


def test_cross_attention_asks_with_the_target_and_looks_at_the_source(
    show: Callable, page: Page
) -> None:
    show(stepper("1 layer"))
    box(page, "decoder", "Cross-attention").click()
    frame(page)
    rows = page.locator(".ac-flow")
    expect(rows.nth(0)).to_contain_text("Query from Masked self-attention")
    expect(rows.nth(0)).to_contain_text("4 words so far")
    for i, name in ((1, "Key"), (2, "Value")):
        expect(rows.nth(i)).to_contain_text(f"{name} from hidden states")
        expect(rows.nth(i)).to_contain_text("5 source words")
    expect(rows.nth(3)).to_contain_text("4 words so far")
    assert page.locator(".ac-feeding").all_text_contents() == [
        "hidden states",
        "Masked self-attention",
    ]


def test_arrow_keys_step_and_stop_at_the_ends(show: Callable, page: Page) -> None:
    show(stepper("1 layer"))
    at = page.locator(".ac-at")
    page.get_by_role("button", name="Back").focus()
    page.keyboard.press("ArrowLeft")
    frame(page)
    expect(at).to_have_text("Step 1 of 14")
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    frame(page)
    expect(at).to_have_text("Step 3 of 14")
    box(page, "decoder", "Softmax: next word").press("Enter")
    page.keyboard.press("ArrowRight")
    frame(page)
    expect(at).to_have_text("Step 14 of 14")
    expect(step(page)).to_have_attribute("aria-disabled", "true")


@pytest.mark.parametrize("page", [PHONE], indirect=True)
def test_a_finger_picks_a_part_in_the_layer_where_the_reader_is(show: Callable, page: Page) -> None:
    show(stepper())
    at = page.locator(".ac-at")
    page.touchscreen.tap(*middle(box(page, "encoder", "Feed-forward")))
    expect(at).to_contain_text("Encoder, layer 1 of 2")
    page.touchscreen.tap(*middle(step(page)))
    expect(at).to_contain_text("Encoder, layer 2 of 2")
    page.touchscreen.tap(*middle(box(page, "decoder", "Feed-forward")))
    expect(at).to_contain_text("Decoder, layer 2 of 2")
    page.touchscreen.tap(*middle(box(page, "decoder", "Embedding")))
    expect(page.locator(".ac-summary")).to_contain_text("Embedding")
    expect(at).to_have_text("Step 10 of 19")


def test_the_still_says_what_flows_where(show: Callable, page: Page) -> None:
    page.set_content(stepper("1 layer").still())
    said = page.get_by_role("img").get_attribute("aria-label")
    assert "hidden states (2 × 5 × 16)" in said
    assert "Masked self-attention to Cross-attention; hidden states to Cross-attention" in said
