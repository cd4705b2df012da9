"""A reader's hands on an explorable, and the numbers that it says."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

PHONE = {"viewport": {"width": 390, "height": 700}, "has_touch": True, "is_mobile": True}


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


def drag_to(page: Page, handle: Locator, move: tuple[float, float]) -> None:
    x, y = middle(handle)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + move[0], y + move[1], steps=4)
    page.mouse.up()
    frame(page)


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
