"""How quickly the explorables answer, as shares of what they may take.

Prints a ratio a line, below 1 where the picture keeps up with the hand:

- for every state in an explorable's ``examples.py``, what one move of its slowest control takes
  (script, style and layout, all tables of numbers unfolded), in times of a frame of 16 ms; of forty
  moves the quickest counts, so that other work on the machine does not;
- for the translator, a sentence of thirty words, in times of 100 ms, and another head, in times of
  a frame;
- for the model that learns on the page, the time between two frames while it learns, in times of
  50 ms: the middle one, and the longest.

Needs Chromium.

    python benchmarks/explorables.py
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from attention_course import explorables
from attention_course.corpora import fill_in_the_blank, translation
from attention_course.explorables import LiveTraining, Translator
from attention_course.explorables.base import Explorable

FRAME, SENTENCE, GAP = 16, 100, 50  # milliseconds
# `moves`: how each kind of control is moved, the i-th time; not buttons, which may train.
MOVES = """
  const all = (kind) => [...document.querySelectorAll(`.ac-explorable ${kind}`)]
    .filter((each) => !each.disabled);
  const [slider] = all("input[type=range]");
  const [box] = all("input[type=checkbox]");
  const [list] = all("select");
  const radios = all("input[type=radio]");
  const moves = [];
  if (slider) moves.push((i) => {
    slider.value = i % 2 ? slider.min : slider.max;
    slider.dispatchEvent(new Event("input"));
  });
  if (box) moves.push(() => box.click());
  if (radios.length > 1) moves.push((i) => radios[i % 2].click());
  if (list) moves.push((i) => {
    list.selectedIndex = i % 2;
    list.dispatchEvent(new Event("change", { bubbles: true }));
  });
"""
# The milliseconds of each of forty moves of each kind.
ANSWERS = (
    """() => {
  let draw;
  window.requestAnimationFrame = (callback) => ((draw = callback), 1);
  document.querySelectorAll("details").forEach((each) => (each.open = true));
  const timed = (move) => Array.from({ length: 40 }, (_, i) => {
    draw = () => {};
    const start = performance.now();
    move(i);
    draw();
    document.body.getBoundingClientRect();
    return performance.now() - start;
  });"""
    + MOVES
    + "return moves.map(timed); }"
)
# The milliseconds from Enter until the translation of each text is drawn.
TRANSLATE = """(texts) => {
  let draw = () => {};
  window.requestAnimationFrame = (callback) => ((draw = callback), 1);
  const input = document.querySelector(".ac-typed");
  return texts.map((text) => {
    input.value = text;
    input.dispatchEvent(new Event("input"));
    draw();
    const start = performance.now();
    input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
    draw();
    document.body.getBoundingClientRect();
    return performance.now() - start;
  });
}"""
# The milliseconds of twenty presses of the heads in turn.
HEADS = """(buttons) => {
  let draw = () => {};
  window.requestAnimationFrame = (callback) => ((draw = callback), 1);
  return Array.from({ length: 20 }, (_, i) => {
    const start = performance.now();
    buttons[(i + 1) % buttons.length].click();
    draw();
    document.body.getBoundingClientRect();
    return performance.now() - start;
  });
}"""
# The milliseconds between frames until the Start button has no more to do.
FRAMES = """async (start) => {
  const gaps = [];
  let last = performance.now();
  start.click();
  do {
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - last);
    last = now;
  } while (!start.disabled);
  return gaps.sort((one, other) => one - other);
}"""


def open_model(page: Page) -> None:
    """Have the translator open its weights: the page holds its first translation without them."""
    layers = page.get_by_role("group", name="layer", exact=True)
    layers.locator("button[aria-pressed=false]").first.click()
    page.wait_for_timeout(500)


def shown(browser: Browser, explorable: Explorable) -> Page:
    page = browser.new_page()
    page.set_content(explorable._repr_mimebundle_()["text/html"])
    page.wait_for_selector("[data-ready]")
    return page


def answers(browser: Browser) -> None:
    print("a move of the slowest control, in times of a frame")
    for name in explorables.names():
        for which, explorable in explorables.examples(name).shown().items():
            page = shown(browser, explorable)
            if taken := [min(moves) for moves in page.evaluate(ANSWERS)]:
                print(f"{max(taken) / FRAME:8.2f}  {name}, {which}", flush=True)
            page.close()


def translating(browser: Browser) -> None:
    corpus = translation()
    page = shown(browser, Translator.of(corpus))
    open_model(page)
    words = [word for pair in corpus.held_out[:40] for word in pair.source]
    texts = ["".join(words[i : i + 30]) for i in range(12)]  # none twice: it would be remembered
    taken = min(page.evaluate(TRANSLATE, texts)) / SENTENCE
    print(f"a sentence of thirty words, in times of 100 ms\n{taken:8.2f}  translator")
    heads = page.get_by_role("group", name="head", exact=True).get_by_role("button")
    taken = min(heads.evaluate_all(HEADS)) / FRAME
    print(f"another head looked at, in times of a frame\n{taken:8.2f}  translator")
    page.close()


def learning(browser: Browser) -> None:
    page = shown(browser, LiveTraining(fill_in_the_blank()))
    start = page.get_by_role("button", name="Start", exact=True)
    gaps = start.evaluate(FRAMES)
    print("from frame to frame while a model learns, in times of 50 ms")
    print(f"{gaps[len(gaps) // 2] / GAP:8.2f}  the middle one\n{gaps[-1] / GAP:8.2f}  the longest")
    page.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser; without one the program ends with what to do."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        raise SystemExit("no browser: install Chromium, or say where it is in CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        yield browser
        browser.close()


def main() -> None:
    with chromium() as browser:
        answers(browser)
        translating(browser)
        learning(browser)


if __name__ == "__main__":
    main()
