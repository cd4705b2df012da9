"""How much of a frame (16 ms) an explorable takes to answer a move, at 64 tokens.

Prints the ratio of the processor's time for one update to the frame, below 1 when the picture keeps
up with the hand. Needs Chromium.

    python benchmarks/explorables.py
"""

from __future__ import annotations

import os
import shutil

import numpy as np
from playwright.sync_api import Page, sync_playwright

from attention_course.explorables import (
    PositionExplorer,
    QueryKeyValuePlane,
    ScaleExplorer,
    WeightsExplorer,
)

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


def main() -> None:
    generator = np.random.default_rng(0)
    explorables = {
        "weights, 64 tokens": WeightsExplorer(
            [f"token {i}" for i in range(64)],
            generator.standard_normal(64),
            generator.standard_normal((64, 16)),
        ),
        "plane, 8 tokens": QueryKeyValuePlane(
            list("abcdefgh"), [1, 1], *generator.standard_normal((2, 8, 2))
        ),
        "scale, 64 keys": ScaleExplorer(num_keys=64),
        "position, 64 by 128": PositionExplorer(length=64, d_model=128),
    }
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        raise SystemExit("no browser: install Chromium, or say where it is in CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        for name, explorable in explorables.items():
            page = browser.new_page()
            page.set_content(explorable._repr_mimebundle_()["text/html"])
            page.wait_for_selector("[data-ready]")
            for unfolded in (False, True):
                if unfolded:
                    page.locator(".ac-numbers summary").click()
                table = ", numbers unfolded" if unfolded else ""
                print(f"{seconds(page) / FRAME:.2f}  {name}{table}")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
