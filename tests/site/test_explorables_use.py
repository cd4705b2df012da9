"""The explorables in a reader's hands: mouse, touch, keyboard, and what they say in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Locator, Page, expect

from attention_course import language
from attention_course.explorables import (
    PositionExplorer,
    Prediction,
    QueryKeyValuePlane,
    Quiz,
    ScaleExplorer,
    WeightsExplorer,
)
from attention_course.explorables.base import Explorable

PHONE = {"viewport": {"width": 320, "height": 700}, "has_touch": True, "is_mobile": True}
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


def plane() -> QueryKeyValuePlane:
    return QueryKeyValuePlane(TOKENS, [1.0, 1.0], [[1, 0.5], [-1, 1], [0.5, -1]], VALUES)


ALL: dict[str, Callable[[], Explorable]] = {
    "weights": weights,
    "many": many,
    "plane": plane,
    "scale": ScaleExplorer,
    "position": PositionExplorer,
    "quiz": lambda: Quiz("human_attention"),
    "prediction": lambda: Prediction("human_attention.predict"),
}


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


def table(page: Page, place: int = 0) -> list[list[str]]:
    """The cells of a table of numbers, unfolded first if need be."""
    folded = page.locator(".ac-numbers")
    if folded.get_attribute("open") is None:
        folded.locator("summary").click()
    rows = folded.locator("table").nth(place).locator("tbody tr")
    expect(rows.first).to_be_visible()
    return rows.evaluate_all("rows => rows.map(row => [...row.cells].map(c => c.textContent))")


def frame(page: Page) -> None:
    """Wait until what has changed is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def number(text: str) -> float:
    return float(text.replace("−", "-").rstrip("%"))


def middle(target: Locator) -> tuple[float, float]:
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def touch(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Put a finger down, draw it across the page, lift it."""
    session = page.context.new_cdp_session(page)
    at = [
        (start[0] + (end[0] - start[0]) * k / 6, start[1] + (end[1] - start[1]) * k / 6)
        for k in range(7)
    ]
    for kind, points in [
        ("touchStart", at[:1]),
        *(("touchMove", [point]) for point in at[1:]),
        ("touchEnd", []),
    ]:
        session.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]},
        )
    frame(page)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "page",
    [PHONE, {"viewport": {"width": 1000, "height": 800}}],
    ids=["phone", "wide"],
    indirect=True,
)
@pytest.mark.parametrize("reader", language.LANGUAGES)
def test_fits_the_page_and_the_finger(show: Callable, page: Page, name: str, reader: str) -> None:
    language.use(reader)
    show(ALL[name]())
    for summary in page.locator("details:not([open])>summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = page.locator(".ac-explorable").evaluate(
        """(el) => [...el.querySelectorAll("button, input, summary, .ac-target")]
            .map((each) => (each.closest("label") || each).getBoundingClientRect())
            .filter(({ width, height }) => width < 39.5 || height < 39.5)
            .map(({ width, height }) => `${width} x ${height}`)"""
    )
    assert not small


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("width", [390, 1000])
@pytest.mark.parametrize("reader", language.LANGUAGES)
def test_the_page_keeps_the_right_height_free(
    show: Callable, page: Page, name: str, width: int, reader: str
) -> None:
    language.use(reader)
    page.set_viewport_size({"width": width, "height": 800})
    explorable = ALL[name]()
    show(explorable)
    reserved = explorable.height()[width < 600]
    assert page.locator(".ac-explorable").evaluate("(el) => el.offsetHeight") == pytest.approx(
        reserved, rel=0.12
    )


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


def drag_to(page: Page, handle: Locator, move: tuple[float, float]) -> None:
    x, y = middle(handle)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + move[0], y + move[1], steps=4)
    page.mouse.up()
    frame(page)


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


@pytest.mark.parametrize("page", [PHONE], indirect=True)
def test_a_finger_that_goes_up_scrolls_and_sideways_picks(show: Callable, page: Page) -> None:
    show(PositionExplorer(), plane())
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


def test_a_quiz_says_why_and_counts(show: Callable, page: Page) -> None:
    quiz = Quiz("human_attention")
    show(quiz)
    item = quiz.state["items"][0]
    right = next(i for i, option in enumerate(item["options"]) if option["right"])
    wrong = (right + 1) % len(item["options"])
    question = page.locator("fieldset").first
    check = question.get_by_role("button")
    check.click()
    expect(question.get_by_role("status")).to_have_text("Choose an answer first.")
    question.get_by_role("radio").nth(wrong).check()
    expect(question.get_by_role("status")).to_have_text("Choose an answer first.")
    check.click()
    expect(question.get_by_role("status")).to_contain_text("Not yet.")
    why = item["options"][wrong]["why"].replace("`", "")
    expect(question.get_by_role("status")).to_contain_text(why)
    question.get_by_role("radio").nth(right).focus()
    page.keyboard.press("Space")
    check.focus()
    page.keyboard.press("Enter")
    expect(question.get_by_role("status")).to_contain_text("Right.")
    count = f"1 of {len(quiz.state['items'])} right"
    expect(page.locator(".ac-summary")).to_have_text(count)


class Card:
    """A result card as a notebook shows it."""

    def _repr_mimebundle_(self) -> dict[str, Any]:
        return {"text/html": '<div data-claim="C3" class="ac ac-card"><p>0.96</p></div>'}


def guessing() -> Prediction:
    prediction = Prediction("human_attention.predict")
    prediction.state["card"] = "C3"
    return prediction


def test_a_guess_is_kept_and_set_beside_the_measurement(show: Callable, page: Page) -> None:
    prediction = guessing()
    show(Card(), prediction, Card())
    page.get_by_role("button").click()
    expect(page.get_by_role("status")).to_have_text("Choose an answer first.")
    page.get_by_role("radio").nth(1).check()
    page.get_by_role("button").click()
    said = f"Your guess: {prediction.state['options'][1]}".replace("`", "")
    expect(page.get_by_role("status")).to_contain_text(said)
    expect(page.locator("[data-claim]").last).to_contain_text(said)
    expect(page.locator("[data-claim]").first).not_to_contain_text("guess")
    page.reload()
    expect(page.locator("[data-claim]").last).to_contain_text(said)
    page.get_by_role("button", name="Change my guess").click()
    expect(page.locator("[data-claim]").last).not_to_contain_text("guess")
    expect(page.get_by_role("radio").nth(1)).to_be_enabled()


def test_a_card_that_comes_later_gets_the_guess(show: Callable, page: Page) -> None:
    show(guessing())
    page.get_by_role("radio").first.check()
    page.get_by_role("button").click()
    page.evaluate(
        """() => {
          const card = document.createElement("div");
          card.dataset.claim = "C3";
          document.querySelector("main").append(card);
        }"""
    )
    expect(page.locator("[data-claim]")).to_contain_text("Your guess")


def test_what_is_seen_is_also_said_once_the_reader_pauses(show: Callable, page: Page) -> None:
    show(weights())
    page.get_by_label("score of sights").fill("4")
    spoken = page.locator("[aria-live=polite]")
    assert "city" in spoken.text_content()
    expect(page.locator(".ac-summary")).to_contain_text("sights")
    expect(spoken).to_have_text(page.locator(".ac-summary").text_content())


@pytest.mark.parametrize("name", ALL)
def test_without_scripts_there_is_a_picture_or_text(browser: Browser, name: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_content(ALL[name]()._repr_mimebundle_()["text/html"])
    shown = page.locator(".ac-explorable")
    if name in ("quiz", "prediction"):
        expect(shown.locator("li").first).to_be_visible()
    else:
        expect(shown.locator("svg, img").first).to_be_visible()
        expect(shown.locator("td").first).to_be_visible()
    context.close()


def test_an_error_is_said_in_place_beside_the_still_page(page: Page) -> None:
    broken = weights()
    html = broken._repr_mimebundle_()["text/html"].replace(
        '"scores":[2.0', '"scores":null,"x":[2.0'
    )
    page.set_content(html)
    expect(page.get_by_role("alert")).to_contain_text("TypeError")
    expect(page.locator(".ac-table")).to_be_visible()
    assert page.locator(".ac-explorable").get_attribute("data-ready") is None


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


@pytest.mark.parametrize("name", ["many", "position", "scale", "plane"])
def test_answers_within_a_frame(show: Callable, page: Page, name: str) -> None:
    show(PositionExplorer(length=64, d_model=128) if name == "position" else ALL[name]())
    times = page.evaluate(
        """() => {
          let draw;
          window.requestAnimationFrame = (callback) => ((draw = callback), 1);
          const input = document.querySelector("input[type=range]");
          return Array.from({ length: 40 }, (_, i) => {
            input.value = i % 2 ? input.min : input.max;
            const start = performance.now();
            input.dispatchEvent(new Event("input"));
            draw();
            document.body.getBoundingClientRect();
            return performance.now() - start;
          });
        }"""
    )
    assert min(times) < 16  # the quickest: other programs on the machine slow down the rest
