"""A real browser with the network closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser import chromium  # noqa: F401
from matplotlib import font_manager
from playwright.sync_api import Browser, Page, Route

from attention_course import _metrics_font


def close_network(page: Page) -> list[str]:
    """Let ``page`` reach this machine only; the list fills with what else it asks for."""
    foreign: list[str] = []

    def guard(route: Route) -> None:
        address = urlsplit(route.request.url)
        host = address.hostname or ""
        inside = host in ("127.0.0.1", "localhost", "::1") or host.endswith(".localhost")
        if inside or address.scheme in ("data", "blob", "file"):
            route.fallback()
        else:
            foreign.append(route.request.url)
            route.abort()

    page.route("**/*", guard)
    return foreign


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of a new context; the test fails if it asks another host for anything.

    Parametrized indirectly it takes the context's options: viewport, has_touch, color_scheme.
    """
    context = browser.new_context(**getattr(request, "param", {}))
    context.set_default_timeout(10_000)
    page = context.new_page()
    foreign = close_network(page)
    yield page
    context.close()
    assert not foreign, f"asked other hosts for {foreign}"


@pytest.fixture(scope="session")
def wide_font() -> bytes:
    """A font whose Chinese characters are as wide as any Chinese font's; the machine has none."""
    return Path(font_manager.findfont(_metrics_font.register())).read_bytes()


@pytest.fixture
def show(page: Page, wide_font: bytes) -> Callable[..., Page]:
    """Put displays on a page of their own, as a notebook's output would, and wait until they run.

    An error on the console fails the test.
    """
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)

    def show(*displays: Any, style: str = "") -> Page:
        outputs = "".join(
            f"<section>{display._repr_mimebundle_()['text/html']}</section>" for display in displays
        )
        body = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Output</title>'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            '<style>@font-face{font-family:"Noto Sans CJK SC";src:url(/wide.ttf)}</style>'
            f'<body style="{style}"><main>{outputs}</main></body></html>'
        )
        page.route(
            "http://book.localhost/",
            lambda route: route.fulfill(content_type="text/html; charset=utf-8", body=body),
        )
        page.route(
            "http://book.localhost/wide.ttf",
            lambda route: route.fulfill(content_type="font/ttf", body=wide_font),
        )
        page.goto("http://book.localhost/")
        page.evaluate("document.fonts.ready")
        page.wait_for_function(
            "[...document.querySelectorAll('.ac-explorable')].every((e) => e.dataset.ready)"
        )
        assert not problems, problems
        return page

    return show
