"""What every explorable does: it fits, draws when it must, says its numbers, can be read still."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from explorables import MOVES
from hands import PHONE, frame
from playwright.sync_api import Browser, Page, expect

from attention_course import explorables, language
from attention_course.explorables.base import Explorable

NAMES = explorables.names()
EXAMPLES = [(name, which) for name in NAMES for which in explorables.examples(name).shown()]
every_example = pytest.mark.parametrize(("name", "which"), EXAMPLES)
every_explorable = pytest.mark.parametrize("name", NAMES)
# Every text of the tables, row by row.
TABLES = """(root) => [...root.querySelectorAll("table")].map((table) =>
  [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent)))"""


WIDE = {"width": 1000, "height": 800}
# How often the page is asked to draw when each kind of control is moved five times between two
# frames.
DRAWINGS = (
    """() => {
  let asked = [];
  window.requestAnimationFrame = (callback) => asked.push(callback);
  const counted = (move) => {
    asked = [];
    for (let i = 0; i < 5; i++) move(i);
    const times = asked.length;
    for (const draw of asked) draw();
    return times;
  };"""
    + MOVES
    + "return moves.map(counted); }"
)


def make(name: str, which: str | None = None, reader: str = "en") -> Explorable:
    language.use(reader)
    shown = explorables.examples(name).shown()
    return shown[which or next(iter(shown))]


def test_every_explorable_is_tried_by_hand() -> None:
    """What is particular to one is tested in the file of its name."""
    files = Path(__file__).parent.glob("test_explorables_*.py")
    tried = {path.stem.removeprefix("test_explorables_") for path in files}
    assert set(NAMES) <= tried


@every_example
@pytest.mark.parametrize("page", [{"has_touch": True}], ids=["touch"], indirect=True)
@pytest.mark.parametrize("reader", language.LANGUAGES)
def test_fits_the_page_and_the_finger(
    show: Callable, page: Page, name: str, which: str, reader: str
) -> None:
    explorable = make(name, which, reader)
    for size, reserved in zip((WIDE, PHONE["viewport"]), explorable.height(), strict=True):
        page.set_viewport_size(size)
        show(explorable)
        taken = page.locator(".ac-explorable").bounding_box()["height"]
        assert taken == pytest.approx(reserved, rel=0.1), f"{size} keeps another height free"
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    small = page.locator(".ac-explorable").evaluate(
        """(el) => [...el.querySelectorAll("button, input, summary, .ac-target")]
            .map((each) => (each.closest("label") || each).getBoundingClientRect())
            .filter(({ width, height }) => width < 39.5 || height < 39.5)
            .map(({ width, height }) => `${width} x ${height}`)"""
    )
    assert not small
    for width in (1000, 390, 320):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


@every_example
def test_the_still_page_says_the_numbers_and_the_live_one_draws_once_a_frame(
    show: Callable, page: Page, name: str, which: str
) -> None:
    explorable = make(name, which)
    show(explorable)
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    frame(page)
    live = page.locator(".ac-explorable").evaluate(TABLES)
    drawings = page.evaluate(DRAWINGS)  # how long one takes: benchmarks/explorables.py
    assert all(times <= 1 for times in drawings), drawings
    page.set_content(f"<main>{explorable.still()}</main>")
    still = page.locator("main").evaluate(TABLES)
    assert len(still) >= min(1, len(live))
    for here, there in zip(still, live, strict=False):
        assert len(here) == len(there)
        for row, other in zip(here, there, strict=True):
            assert all(same(*pair) for pair in zip(row, other, strict=True)), (row, other)


def same(text: str, other: str) -> bool:
    """Whether two texts are the same but for the last digit of their numbers."""
    number = r"\d+(?:\.\d+)?"
    if re.sub(number, "#", text) != re.sub(number, "#", other):
        return False
    pairs = zip(re.findall(number, text), re.findall(number, other), strict=True)
    return all(
        abs(float(a) - float(b)) <= 1.01 * 10 ** -len(a.partition(".")[2]) if "." in a else a == b
        for a, b in pairs
    )


def test_without_scripts_there_is_a_picture_or_text(browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    outputs = (make(*each)._repr_mimebundle_()["text/html"] for each in EXAMPLES)
    page.set_content("".join(f"<section>{html}</section>" for html in outputs))
    for shown, each in zip(page.locator(".ac-explorable").all(), EXAMPLES, strict=True):
        assert shown.locator("li, td").first.is_visible(), each
        if shown.locator("table").count():
            assert shown.locator("svg, img").first.is_visible(), each
    context.close()


@every_explorable
def test_every_control_answers_to_the_keyboard(show: Callable, page: Page, name: str) -> None:
    """Tab reaches each control, and an arrow key changes what the explorable says."""
    show(make(name))
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    mark = """() => document.querySelectorAll(
        ".ac-explorable :is(input:not([type=radio]), button, summary, [role=slider])"
      ).forEach((control, i) => (control.dataset.control = i))"""
    page.evaluate(mark)
    controls = page.locator("[data-control]:not(:disabled)")
    wanted = set(controls.evaluate_all("(all) => all.map((e) => e.dataset.control)"))
    for _ in range(4 * len(wanted) + 4):
        if not wanted:
            break
        page.keyboard.press("Tab")
        wanted.discard(page.evaluate("document.activeElement.dataset.control"))
    assert not wanted
    for slider in page.locator("input[type=range], [role=slider]").all():
        text = "() => document.querySelector('.ac-explorable').innerHTML"
        before = page.evaluate(text)
        at_its_end = slider.evaluate("(s) => s.max !== undefined && s.value === s.max")
        slider.press("ArrowLeft" if at_its_end else "ArrowRight")
        frame(page)
        assert slider.get_attribute("aria-valuetext")
        assert page.evaluate(text) != before


class Other:
    """The first weights explorer, or another one, with something else for its module to export."""

    def __init__(self, render: str, **assets: str) -> None:
        explorable = make("weights_explorer")
        explorable.assets = assets
        html = explorable._repr_mimebundle_()["text/html"]
        plain = "export default { render };"
        assert plain in html
        self.html = html.replace(plain, json.dumps(f"export default {{ {render} }};")[1:-1])

    def _repr_mimebundle_(self) -> dict[str, Any]:
        return {"text/html": self.html}


FAIL = "const fail = () => { throw new TypeError('broken') };"


@pytest.mark.parametrize(
    "render",
    [
        f"render() {{ {FAIL} fail() }}",
        f"async render() {{ {FAIL} fail() }}",
        f"async render() {{ {FAIL} await new Promise((go) => setTimeout(go, 50)); fail() }}",
    ],
    ids=["at once", "in its promise", "while it waits"],
)
def test_an_error_is_said_in_place_beside_the_still_page(page: Page, render: str) -> None:
    page.set_content(Other(render).html)
    expect(page.get_by_role("alert")).to_have_text(re.compile("TypeError: broken"))
    expect(page.locator(".ac-table")).to_be_visible()
    root = page.locator(".ac-explorable")
    assert root.get_attribute("data-ready") is None
    assert "broken" in root.get_attribute("data-error")
    assert root.evaluate("(el) => el.style.height") == ""


@pytest.mark.parametrize(
    "go",
    [
        "fail()",
        "(async () => fail())()",
        "setTimeout(fail, 20)",
        "change(model, { x: 1 })",
    ],
    ids=["handler", "promise", "timer", "drawing"],
)
def test_a_late_error_is_said_in_place_of_what_it_broke(page: Page, go: str) -> None:
    broken = Other(
        f"""render({{ model, el }}) {{
          {FAIL}
          el.append(button("go", () => {go}));
          return watch(model, el, () => model.get("x") && fail());
        }}"""
    )
    other = make("weights_explorer", "64 tokens")
    page.set_content(broken.html + other._repr_mimebundle_()["text/html"])
    page.wait_for_function("document.querySelectorAll('[data-ready]').length == 2")
    page.get_by_role("button", name="go").click()
    expect(page.get_by_role("alert")).to_have_text(re.compile("TypeError: broken"))
    expect(page.locator("[data-error]")).to_have_count(1)
    expect(page.locator("[data-ready]")).to_have_count(1)
    expect(page.locator("[data-error] .ac-still")).to_be_visible()
    expect(page.get_by_role("button", name="go")).to_have_count(0)


def test_the_still_page_is_seen_until_the_module_has_drawn(page: Page) -> None:
    slow = "async render({ el }) { el.append('half'); await new Promise((go) => (window.go = go)) }"
    page.set_content(Other(slow).html)
    page.wait_for_function("!!window.go")
    expect(page.locator(".ac-still")).to_be_visible()
    expect(page.get_by_text("half")).not_to_be_visible()
    before = page.locator(".ac-explorable").bounding_box()["height"]
    assert before == pytest.approx(make("weights_explorer").height()[0], abs=1)
    page.evaluate("window.go()")
    expect(page.get_by_text("half")).to_be_visible()
    expect(page.locator(".ac-still")).to_have_count(0)


def test_what_render_returns_is_called_when_the_element_leaves(page: Page) -> None:
    render = """render({ el }) {
      window.here = (window.here || 0) + 1;
      el.append("live");
      return () => (window.here -= 1);
    }"""
    page.set_content(f"<main>{Other(render).html}</main>")
    page.wait_for_selector("[data-ready]")
    assert page.evaluate("window.here") == 1
    page.evaluate("window.kept = document.querySelector('.ac-explorable'), window.kept.remove()")
    page.wait_for_function("window.here === 0")
    page.evaluate("document.querySelector('main').append(window.kept)")
    page.wait_for_function("window.here === 1")
    expect(page.get_by_text("live")).to_be_visible()


def test_an_asset_comes_out_of_an_output_that_stands_alone(page: Page) -> None:
    render = """async render({ model, el }) {
      el.append(new TextDecoder().decode(await asset(model, "terms")).length);
    }"""
    page.set_content(Other(render, terms="terminology.toml").html)
    page.wait_for_selector("[data-ready]")
    terms = (Path(explorables.__file__).parents[1] / "terminology.toml").read_text()
    expect(page.locator(".ac-stage")).to_have_text(str(len(terms)))
