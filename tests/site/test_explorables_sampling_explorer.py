"""The sampling explorer in a reader's hands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest
import torch
from hands import PHONE, frame, middle, number, table, touch
from playwright.sync_api import Page, expect

from attention_course import explorables, language
from attention_course.decoding import probabilities
from attention_course.explorables import SamplingExplorer
from attention_course.explorables.sampling_explorer.explorable import measured

EXAMPLES = explorables.examples("sampling_explorer")
TOKENS = [" ", "\n", "\t", *"abcdefghi"]
LOGITS = torch.tensor(
    [
        [3.0, 2.5, 2.0, 1.5, 1.0, 0.5, 0.0, -0.5, -1.0, -1.5, -2.0, -2.5],
        [0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    ]
).double()


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


@pytest.fixture
def explorer(show: Callable) -> SamplingExplorer:
    made = SamplingExplorer(["for x in", "if a:\n\tself."], TOKENS, LOGITS)
    show(made)
    return made


def move(page: Page, name: str, text: str) -> None:
    """Press arrow keys on the slider of this name until it says ``text``."""
    slider = page.get_by_label(name, exact=True)
    for key in ("Home", *["ArrowRight"] * 80):
        slider.press(key)
        frame(page)
        if slider.get_attribute("aria-valuetext") == text:
            return
    raise AssertionError(f"{name} never says {text}")


def fact(page: Page, place: int) -> str:
    return page.locator(".ac-counts b").nth(place).text_content()


def bars(page: Page) -> list[list[str]]:
    """The texts of each row of bars: token, the model's share, the share now, times drawn."""
    return page.locator(".ac-next:not(.ac-next-heads)").evaluate_all(
        """rows => rows.map((row) =>
            [...row.children].filter((_, i) => i !== 1).map((cell) => cell.textContent))"""
    )


def chips(page: Page) -> list[str]:
    return page.locator(".ac-lots code").all_text_contents()


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"),
    [("0.50", "off", "off"), ("2.00", "5", "off"), ("1.50", "off", "0.80"), ("0.75", "6", "0.90")],
)
def test_the_bars_are_the_librarys(
    page: Page, explorer: SamplingExplorer, temperature: str, top_k: str, top_p: str
) -> None:
    for name, text in (("temperature", temperature), ("top-k", top_k), ("top-p", top_p)):
        move(page, name, text)
    expected = probabilities(
        LOGITS[0],
        float(temperature),
        None if top_k == "off" else int(top_k),
        None if top_p == "off" else float(top_p),
    )
    shown, rows = bars(page), table(page)
    assert len(shown) == len(rows) == 11
    for i, share in enumerate(expected[:10]):
        said = "cut" if share == 0 else f"{100 * share:.1f}%"
        assert shown[i][:3] == [
            ["␣", "⏎", "⇥", *"abcdefg"][i],
            f"{100 * LOGITS[0].softmax(0)[i]:.1f}%",
            said,
        ]
        assert rows[i][3] == ("cut" if share == 0 else f"{share:.4f}")
    kept = int((expected > 0).sum())
    assert shown[10][0] == f"2 others, {max(0, kept - 10)} left"
    assert fact(page, 0) == f"{kept} of 12"
    whole = probabilities(LOGITS[0], float(temperature))
    assert number(fact(page, 1)) == pytest.approx(100 * whole[expected == 0].sum().item(), abs=0.06)
    entropy = -(expected * expected.clamp_min(1e-300).log2()).sum().item()
    assert number(fact(page, 2).split(" → ")[1]) == pytest.approx(entropy, abs=0.006)
    widths = page.locator(".ac-lane .ac-now").evaluate_all(
        "bars => bars.map(bar => parseFloat(bar.style.width))"
    )
    assert widths[:10] == pytest.approx((100 * expected[:10]).tolist(), abs=1e-3)


def test_the_sentence_says_what_happened(page: Page, explorer: SamplingExplorer) -> None:
    said = page.locator(".ac-summary")
    expect(said).to_have_text(re.compile("^These are the model's own probabilities; “␣”"))
    move(page, "temperature", "0.50")
    expect(said).to_have_text(re.compile("^Temperature 0.50 makes the likely tokens likelier"))
    move(page, "temperature", "2.00")
    move(page, "top-k", "4")
    expect(said).to_have_text(
        re.compile("^Temperature 2.00 brings the tokens closer.* 4 of 12 tokens are left; the ")
    )
    move(page, "top-k", "1")
    expect(said).to_have_text(
        "Temperature 2.00 brings the tokens closer together. Only “␣” is left: it comes every time."
    )
    move(page, "temperature", "1.00")
    move(page, "top-k", "off")
    expect(said).to_have_text(re.compile("^These are the model's own"))


def test_a_cut_token_is_marked_by_more_than_colour(page: Page, explorer: SamplingExplorer) -> None:
    move(page, "top-k", "3")
    rows = page.locator(".ac-next:not(.ac-next-heads)")
    cut = rows.evaluate_all("rows => rows.map(row => row.classList.contains('ac-cut'))")
    assert cut == [False] * 3 + [True] * 8
    assert [row[2] for row in bars(page)][3:] == ["cut"] * 8
    expect(rows.nth(3).locator(".ac-now")).not_to_be_visible()


def test_draws_are_the_same_again_and_others_for_another_number(
    page: Page, explorer: SamplingExplorer
) -> None:
    move(page, "temperature", "2.00")
    move(page, "top-k", "8")
    shares = probabilities(LOGITS[0], 2.0, 8)
    expect(page.locator(".ac-lots")).to_have_text("Nothing drawn yet.")
    runs = {}
    for name, seed in [("Draw 20", 1), ("Another 20", 2), ("Another 20", 3), ("Draw 20", 1)]:
        page.get_by_role("button", name=name, exact=True).click()
        frame(page)
        places = EXAMPLES.drawn(seed, torch.arange(12), shares)
        assert chips(page) == [explorer.state["tokens"][place] for place in places]
        expect(page.locator(".ac-lots")).to_contain_text(f"Draw {seed}, ")
        assert runs.setdefault(seed, places) == places
        came = Counter(places)
        assert [row[3] for row in bars(page)] == [f"{came[i]}×" for i in range(10)] + ["0×"]
        expect(page.locator(".ac-summary")).to_contain_text(
            f"Of 20 draws “␣” got {came[0]}, where about {20 * shares[0]:.1f} were to be expected;"
            f" different tokens drawn: {len(came)}."
        )
    assert len(set(map(tuple, runs.values()))) == 3


def test_the_same_luck_follows_the_sliders(page: Page, explorer: SamplingExplorer) -> None:
    page.get_by_role("button", name="Draw 20", exact=True).click()
    move(page, "temperature", "3.00")
    assert len(set(chips(page))) > 5
    move(page, "top-k", "1")
    assert chips(page) == ["␣"] * 20


def test_the_pages_chances_are_even() -> None:
    """Over 500 numbers of a draw the chances fill twenty boxes evenly, at each place of a draw."""
    drawn = torch.tensor([EXAMPLES.chances(seed) for seed in range(1, 501)])
    for values in (drawn.flatten(), *drawn.T):
        counts = torch.histc(values, bins=20, min=0, max=1)
        expected = len(values) / 20
        assert ((counts - expected) ** 2 / expected).sum() < 50  # 19 degrees of freedom: p = 0.0001


def test_another_text_has_its_own_logits(page: Page, explorer: SamplingExplorer) -> None:
    texts = page.get_by_role("group", name="the text so far").get_by_role("button")
    assert texts.all_text_contents() == ["for␣x␣in", "⇥self."]
    texts.nth(1).press("Enter")
    frame(page)
    expect(texts.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".ac-chosen-text")).to_have_text("if␣a:⏎\n⇥self.?")
    assert bars(page)[0][0] == "a"
    assert [row[0] for row in bars(page)][1:4] == ["␣", "⏎", "⇥"], "equal ones in their order"
    # Those as likely as the last of the top k stay too, as in the library.
    move(page, "top-k", "2")
    assert fact(page, 0) == "12 of 12"
    move(page, "top-p", "0.95")
    assert fact(page, 0) == "1 of 12"


@pytest.mark.parametrize("page", [PHONE], indirect=True)
def test_a_finger_moves_a_slider_and_draws(page: Page, explorer: SamplingExplorer) -> None:
    slider = page.get_by_label("temperature")
    x, y = middle(slider)
    touch(page, (x, y), (x + 200, y))
    assert slider.get_attribute("aria-valuetext") == "3.00"
    expect(page.locator(".ac-summary")).to_contain_text("Temperature 3.00")
    page.touchscreen.tap(*middle(page.get_by_role("button", name="Another 20")))
    frame(page)
    assert len(chips(page)) == 20


def test_what_cannot_be_seen_has_a_sign() -> None:
    made = SamplingExplorer(
        ["a\n\n\n\n b\n", "x" * 500], ["\r", "\x00", "\xa0", "é", "字", "  "], [[0.0] * 6] * 2
    )
    assert made.state["tokens"] == ["\\r", "\\x00", "\\xa0", "é", "字", "␣␣"]
    assert made.state["contexts"][0] == "…⏎\n⏎\n␣b⏎\n"
    assert made.state["contexts"][1] == "…" + "x" * 120


def test_a_top_p_of_one_cuts_nothing() -> None:
    made = SamplingExplorer(["x"], TOKENS, LOGITS[:1], temperature=0.1, top_p=1.0)
    assert made.state["top_p"] is None
    after = measured(made.state)["after"]
    torch.testing.assert_close(after, probabilities(LOGITS[0], 0.1, top_p=1.0))


def test_a_start_of_ones_own_stands_on_the_sliders(show: Callable, page: Page) -> None:
    show(SamplingExplorer(["x"], TOKENS, LOGITS[:1], temperature=0.65, top_k=11, top_p=0.87))
    texts = [
        page.get_by_label(name, exact=True).get_attribute("aria-valuetext")
        for name in ("temperature", "top-k", "top-p")
    ]
    assert texts == ["0.65", "11", "0.87"]
    page.get_by_label("top-p").press("ArrowRight")
    frame(page)
    assert page.get_by_label("top-p").get_attribute("aria-valuetext") == "0.90"
