"""The mask debugger in a reader's hands."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hands import PHONE, frame, middle, number, table
from playwright.sync_api import Page, expect

from attention_course import language
from attention_course.attention import scaled_dot_product_attention
from attention_course.explorables import MaskDebugger

TOKENS = ["I", "like", "cats", "PAD"]
QUERY, KEY, VALUE = torch.randn(3, 4, 8, generator=torch.Generator().manual_seed(1)).double()


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


@pytest.fixture
def debugger(show: Callable) -> MaskDebugger:
    made = MaskDebugger(TOKENS, QUERY, KEY, VALUE, [3])
    show(made)
    return made


def choose(page: Page, *names: str) -> str:
    """Press the buttons of these names; what the debugger says then."""
    for name in names:
        page.get_by_role("button", name=name, exact=True).click()
    frame(page)
    return page.locator(".ac-summary").text_content()


def marked(page: Page, mark: str) -> list[tuple[int, int]]:
    """The cells (row, column) that have a mark; after the words come the sum and the moves."""
    flags = page.locator(".ac-heat .ac-cell").evaluate_all(
        "(cells, mark) => cells.map((cell) => cell.classList.contains(mark))", mark
    )
    return [divmod(i, 6) for i, flag in enumerate(flags) if flag]


def weights(page: Page) -> torch.Tensor:
    return torch.tensor([[number(x) for x in row[1:-1]] for row in table(page)]).double()


def test_the_right_way_is_the_librarys_and_has_no_fault(page: Page, debugger: MaskDebugger) -> None:
    said = choose(page, "both", "right")
    may = torch.ones(4, 4, dtype=torch.bool).tril() & torch.tensor([True, True, True, False])
    expected = scaled_dot_product_attention(QUERY, KEY, VALUE, may)[1]
    torch.testing.assert_close(weights(page), expected, atol=1e-4, rtol=0)
    assert "no output moves" in said
    assert marked(page, "ac-leak") == marked(page, "ac-starved") == []
    assert marked(page, "ac-closed") == [tuple(at) for at in (~may).nonzero().tolist()]
    assert [row[-1] for row in table(page, 1)] == ["0.0000"] * 4


def test_upside_down_shows_what_is_hidden(page: Page, debugger: MaskDebugger) -> None:
    said = choose(page, "causal", "upside down")
    assert "6 of 6 hidden cells get weight, and 10 of 10 open ones get none" in said
    assert "No key is left (∅) for “PAD”" in said
    leaks = [(0, 1), (0, 2), (0, 3), (0, 5), (1, 2), (1, 3), (1, 5), (2, 3), (2, 5)]
    assert marked(page, "ac-leak") == [*leaks, (3, 4)]


def test_padding_on_the_wrong_axis_hides_a_row(page: Page, debugger: MaskDebugger) -> None:
    said = choose(page, "padding", "wrong axis")
    assert "3 of 4 hidden cells get weight, and 3 of 12 open ones get none" in said
    assert marked(page, "ac-starved") == [(3, 0), (3, 1), (3, 2)]


def test_a_late_mask_leaks_through_the_denominator(page: Page, debugger: MaskDebugger) -> None:
    said = choose(page, "causal", "too late")
    assert "3 of 4 rows sum to less than 1, and 3 of 4 outputs move" in said
    assert [at for at in marked(page, "ac-leak") if at[1] < 4] == [], "the weights look right"
    moves = [number(row[-1]) for row in table(page, 1)]
    assert min(moves[:3]) > 0.01
    assert moves[3] == 0
    assert page.locator(".ac-heat .ac-cell").last.text_content() == "–", (
        "nothing is hidden from the last"
    )
    said = choose(page, "late, divided")
    assert "these are the right weights" in said
    assert marked(page, "ac-leak") == []
    late = weights(page)
    choose(page, "right")
    assert torch.equal(late, weights(page))


def test_a_finite_number_averages_what_is_hidden(page: Page, debugger: MaskDebugger) -> None:
    assert "as good as −∞" in choose(page, "both", "−10⁹")
    assert marked(page, "ac-leak") == []
    said = choose(page, "empty rows")
    assert said.startswith("“PAD” may see nothing")
    assert weights(page)[3].tolist() == [0.25] * 4
    assert marked(page, "ac-leak") == [(3, 0), (3, 1), (3, 2), (3, 3), (3, 5)]
    said = choose(page, "right")
    assert "No key is left (∅) for “PAD”" in said
    assert weights(page)[3].tolist() == [0] * 4
    assert marked(page, "ac-leak") == []


def test_without_a_mask_only_upside_down_is_wrong(page: Page, debugger: MaskDebugger) -> None:
    choose(page, "none")
    for way in ("right", "wrong axis", "too late", "late, divided", "−10⁹"):
        assert choose(page, way) == "Nothing is hidden: every row mixes all words."
        assert marked(page, "ac-leak") == []
    assert "16 of 16 open ones get none" in choose(page, "upside down")


@pytest.mark.parametrize("page", [PHONE], indirect=True)
def test_a_finger_and_the_keyboard_choose(page: Page, debugger: MaskDebugger) -> None:
    late = page.get_by_role("button", name="too late")
    page.touchscreen.tap(*middle(late))
    expect(late).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".ac-code")).to_have_text("late = scores.softmax(dim=-1) * may_attend")
    page.get_by_role("button", name="padding").press("Enter")
    expect(page.get_by_role("button", name="padding")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".ac-summary")).to_contain_text("4 of 4 rows sum to less than 1")
