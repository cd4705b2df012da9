"""How much of a frame (16 ms) an explorable takes to answer a move.

Prints the ratio of the processor's time for one update to the frame, below 1 when the picture keeps
up with the hand, for every explorable that has sliders, with the states of its ``examples.py``.
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

FRAME = 0.016  # seconds
UPDATES = 200
# A move of every slider in turn, one a frame, as a hand would.
MOVE = """
async (updates) => {
  const inputs = [...document.querySelectorAll("input[type=range]")];
  for (let i = 0; i < updates; i++) {
    const input = inputs[i % inputs.length];
    input.value = Number(input.min) + Math.random() * (input.max - input.min);
    input.dispatchEvent(new Event("input"));
    await new Promise(requestAnimationFrame);
  }
}
"""


def seconds(page: Page) -> float:
    """The processor's time that one update takes: script, style, layout and painting."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    page.evaluate(MOVE, 20)  # so that the code is compiled
    before = busy()
    page.evaluate(MOVE, UPDATES)
    return (busy() - before) / UPDATES


def report(page: Page, name: str) -> None:
    """Print the ratios of the explorable on a page, with its tables folded and unfolded."""
    page.wait_for_selector("[data-ready]")
    if not page.locator("input[type=range]").count():
        return
    print(f"{seconds(page) / FRAME:.2f}  {name}")
    page.locator(".ac-numbers summary").click()
    print(f"{seconds(page) / FRAME:.2f}  {name}, numbers unfolded")


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
        for name in explorables.names():
            for which, explorable in explorables.examples(name).shown().items():
                page = browser.new_page()
                page.set_content(explorable._repr_mimebundle_()["text/html"])
                report(page, f"{name}, {which}")
                page.close()


if __name__ == "__main__":
    main()
