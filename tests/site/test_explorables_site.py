"""Explorables as the site serves them: files that pages share, started when the reader is near."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from attention_course import explorables, language
from attention_course.explorables.base import MIME, Explorable
from booksite.explorables import Published, lighten, publish
from booksite.pages import with_security_policy

HOST = "http://book.localhost"
FAR = '<div style="height: 5000px"></div>'
NAMES = explorables.names()


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


@pytest.fixture
def published(tmp_path: Path) -> Published:
    return publish(tmp_path / "files")


def make(name: str) -> Explorable:
    return next(iter(explorables.examples(name).shown().values()))


def light(published: Published, explorable: Explorable) -> str:
    output = {"data": json.loads(json.dumps(explorable._repr_mimebundle_()))}
    lighten(output, published)
    assert set(output["data"]) == {"text/html", "text/plain"}
    return output["data"]["text/html"]


class Served:
    """A page of the site with the files of the explorables, and what it asked for."""

    def __init__(self, page: Page, published: Published, folder: Path, *parts: Any) -> None:
        self.page, self.folder = page, folder
        self.asked: list[str] = []
        self.said: list[str] = []
        self.published = published
        page.route(f"{HOST}/**", self._answer)
        page.on("console", lambda m: self.said.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.said.append(str(error)))
        if parts:
            self.show(*parts)

    def show(self, *parts: Any) -> None:
        body = "".join(p if isinstance(p, str) else light(self.published, p) for p in parts)
        start = self.published.start
        self.html = with_security_policy(
            '<!doctype html><html lang="en" data-live><meta charset="utf-8"><title>x</title>'
            f'<script type="module" src="{start}"></script><body><main>{body}</main>'
        )
        self.page.goto(f"{HOST}/page.html")

    def _answer(self, route: Any) -> None:
        name = route.request.url.removeprefix(f"{HOST}/").partition("?")[0]
        if name == "page.html":
            return route.fulfill(content_type="text/html", body=self.html)
        self.asked.append(name)
        if not (self.folder / name).is_file():
            return route.fulfill(status=404)
        kinds = {".js": "text/javascript", ".css": "text/css"}
        content = (self.folder / name).read_bytes()
        kind = kinds.get(Path(name).suffix, "application/octet-stream")
        return route.fulfill(content_type=kind, body=content)


@pytest.fixture
def serve(page: Page, published: Published, tmp_path: Path) -> Callable[..., Served]:
    return lambda *parts: Served(page, published, tmp_path / "files", *parts)


def test_files_are_named_by_what_is_in_them(published: Published, tmp_path: Path) -> None:
    files = list((tmp_path / "files").iterdir())
    for path in files:
        assert hashlib.sha256(path.read_bytes()).hexdigest()[:10] in path.name
    again = publish(tmp_path / "again")
    assert again == published
    assert {path.name for path in files} == {p.name for p in (tmp_path / "again").iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_an_element_is_light_and_holds_its_state(published: Published, name: str) -> None:
    explorable = make(name)
    html = light(published, explorable)
    state = re.search(r'<script type="application/json">(.*?)</script>', html)[1]
    held = json.loads(state)
    assert set(held.pop("assets", {})) == set(explorable.assets)
    assert held == explorable.state
    assert html.count("<script") == 1
    assert "<style" not in html
    assert explorable.still() in html
    size = len(explorable._repr_mimebundle_()["text/html"])
    assert len(html) < size - 20_000


def test_each_starts_when_the_reader_comes_near(page: Page, serve: Callable) -> None:
    served = serve(make("quiz"), FAR, make("weights_explorer"), make("weights_explorer"))
    page.wait_for_selector("[data-ready]")
    page.wait_for_timeout(100)
    assert page.locator("[data-ready]").count() == 1
    assert not [name for name in served.asked if "weights" in name]
    expect(page.locator(".ac-still table").first).to_be_attached()
    page.locator("[data-module^=weights]").last.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelectorAll('[data-ready]').length === 3")
    assert len(served.asked) == len(set(served.asked)), "each file is asked for once"
    assert not served.said


def test_all_start_for_print(page: Page, serve: Callable) -> None:
    serve(*(part for name in NAMES for part in (make(name), FAR)))
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function(
        f"() => document.querySelectorAll('[data-ready]').length === {len(NAMES)}"
    )


@pytest.mark.parametrize("name", NAMES)
def test_each_runs_under_the_sites_policy(page: Page, serve: Callable, name: str) -> None:
    served = serve(make(name))
    page.wait_for_selector("[data-ready]")
    assert not served.said
    assert page.locator(".ac-explorable").get_attribute("role") == "group"
    assert page.locator(".ac-explorable .ac-explorable").count() == 0
    own = page.locator(f"link[rel=stylesheet][href*={name}]")
    assert own.evaluate("(link) => link.sheet.cssRules.length")


def test_a_module_may_be_its_own_worker(page: Page, serve: Callable) -> None:
    served = serve(make("live_training"))
    page.wait_for_selector("[data-ready]")
    page.get_by_role("button", name="One step").click()
    expect(page.locator(".ac-summary")).to_contain_text("After step 1:")
    assert [worker.url for worker in page.workers] == [
        f"{HOST}/{served.published.each['live_training'].module}"
    ]
    assert not served.said


def test_the_still_page_is_seen_until_the_module_is_there(page: Page, serve: Callable) -> None:
    waiting: list[Any] = []
    served = serve()
    page.route("**/weights_explorer-*.js", lambda route: waiting.append(route))
    served.show(make("weights_explorer"))
    page.wait_for_function("() => document.querySelector('link[href*=weights]')")
    expect(page.locator(".ac-still table")).to_be_visible()
    page.unroute("**/weights_explorer-*.js")
    while not waiting:
        page.wait_for_timeout(20)
    waiting[0].fallback()
    page.wait_for_selector("[data-ready]")
    expect(page.locator(".ac-still")).to_have_count(0)


def test_a_module_that_cannot_be_fetched_leaves_the_still_page(page: Page, serve: Callable) -> None:
    served = serve()
    page.route("**/weights_explorer-*.js", lambda route: route.abort())
    served.show(make("weights_explorer"), make("quiz"))
    expect(page.get_by_role("alert")).to_contain_text("Failed to fetch")
    expect(page.locator(".ac-still table")).to_be_visible()
    expect(page.locator("[data-ready]")).to_have_count(1)


def test_a_late_error_is_told_from_that_of_another_of_its_kind(
    page: Page, serve: Callable, tmp_path: Path
) -> None:
    module = next((tmp_path / "files").glob("quiz-*.js"))
    module.write_text(
        "export default { render: ({ el }) => { const b = document.createElement('button');"
        " b.textContent = 'go'; b.onclick = () => setTimeout(() => { throw new TypeError('no') });"
        " el.append(b) } };"
    )
    serve(make("quiz"), make("quiz"))
    page.wait_for_function("() => document.querySelectorAll('[data-ready]').length === 2")
    page.get_by_role("button", name="go").last.click()
    expect(page.locator("[data-error]")).to_have_count(1)
    expect(page.locator("[data-ready]")).to_have_count(1)
    assert page.locator(".ac-explorable").last.get_attribute("data-error") == "TypeError: no"


def test_an_asset_is_fetched_from_the_site_when_the_module_wants_it(
    monkeypatch: pytest.MonkeyPatch, page: Page, tmp_path: Path
) -> None:
    quiz = explorables.Quiz
    monkeypatch.setattr(quiz, "assets", {"terms": "terminology.toml"})
    published = publish(tmp_path / "files")
    kit = next((tmp_path / "files").glob("kit-*.js")).name
    (tmp_path / "files" / published.each["quiz"].module).write_text(
        f'import {{ asset }} from "./{kit}"; export default {{ async render({{ model, el }}) {{'
        " const bytes = await asset(model, 'terms'); el.append(String(bytes.byteLength)) } };"
    )
    shown = make("quiz")
    assert "terms" not in json.dumps(shown.data()["state"])
    served = Served(page, published, tmp_path / "files", FAR, shown)
    page.wait_for_timeout(100)
    assert not [name for name in served.asked if "terminology" in name]
    page.locator(".ac-explorable").scroll_into_view_if_needed()
    page.wait_for_selector("[data-ready]")
    whole = (Path(explorables.__file__).parents[1] / "terminology.toml").read_bytes()
    expect(page.locator(".ac-stage")).to_have_text(str(len(whole)))
    (asked,) = [name for name in served.asked if "terminology" in name]
    assert re.fullmatch(r"terminology-[0-9a-f]{10}\.toml", asked)


def test_other_outputs_stay_as_they_are(published: Published) -> None:
    output = {"data": {"text/html": "<p>x</p>"}}
    lighten(output, published)
    lighten({"name": "stdout", "text": "x"}, published)
    assert output == {"data": {"text/html": "<p>x</p>"}}
    assert MIME not in output["data"]
