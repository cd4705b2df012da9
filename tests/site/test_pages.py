"""Every page of the built site in a real browser, with the network closed."""

from __future__ import annotations

import gzip
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from booksite.assets import MODULES
from booksite.book import EDITIONS, LANGUAGE_TAGS, Book
from booksite.identity import repository
from booksite.serve import server
from conftest import close_network
from playwright.sync_api import Browser, Page, expect

from attention_course import claims

BOOK = Book(Path(__file__).parents[2])
HTML = BOOK.output / "html"
AXE = MODULES / "axe-core" / "axe.min.js"
PAGES = [f"{edition}/{page}" for edition in EDITIONS for page in BOOK.pages()]
LESSONS = [page for page in PAGES if re.search(r"/\d", page)]
every_page = pytest.mark.parametrize("name", PAGES)
every_lesson = pytest.mark.parametrize("name", LESSONS)


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where the built site is served."""
    if not (HTML / "index.html").exists():
        pytest.fail("there is no built site: run `make site` first")
    with server(HTML, 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture
def visit(browser: Browser, address: str):
    """Open a page of the site; at the end nothing may be on the console or asked of other hosts."""
    contexts, problems = [], []

    def visit(name: str, *, path: str = ".html", **options) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        problems.append(close_network(page))
        said: list[str] = []
        problems.append(said)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "console", lambda m: said.append(m.text) if m.type in ("error", "warning") else None
        )
        page.on(
            "response", lambda r: said.append(f"{r.status} {r.url}") if r.status > 399 else None
        )
        page.goto(f"{address}/{name}{path}")
        if options.get("java_script_enabled", True):
            page.wait_for_function(
                "[...document.querySelectorAll('.ac-explorable')].every((e) => e.dataset.ready)"
            )
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not [problem for found in problems for problem in found]


def axe(page: Page) -> list[str]:
    """What axe finds wrong, a line for each element."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['target']}" for rule in found["violations"] for node in rule["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
@every_page
def test_a_page_is_quiet_and_accessible(visit, name, theme):
    page = visit(name, color_scheme=theme)
    assert page.locator("html").get_attribute("data-theme") == theme
    assert page.locator("html").get_attribute("lang") == LANGUAGE_TAGS[name[:2]]
    page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    assert not axe(page)


@pytest.mark.parametrize("width", [320, 390, 768])
@every_page
def test_a_page_never_scrolls_sideways(visit, name, width):
    page = visit(name, viewport={"width": width, "height": 800}, has_touch=True)
    page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    wide = page.evaluate(
        """() => [...document.querySelectorAll('body *')]
             .filter((e) => e.getBoundingClientRect().right > innerWidth + 1
                && document.documentElement.scrollWidth > innerWidth)
             .map((e) => `${e.tagName}.${e.className}`).slice(0, 5)"""
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), wide


@every_page
def test_a_page_does_not_jump_while_it_loads(visit, name):
    page = visit(name, viewport={"width": 390, "height": 800})
    shift = page.evaluate(
        """() => new Promise((done) => {
             let sum = 0;
             new PerformanceObserver((list) => {
               for (const e of list.getEntries()) if (!e.hadRecentInput) sum += e.value;
             }).observe({type: 'layout-shift', buffered: true});
             setTimeout(() => done(sum), 300);
           })"""
    )
    assert shift < 0.1


@every_page
def test_the_switch_leads_to_the_same_page_in_the_other_language(visit, name):
    edition, slug = name.split("/")
    other = next(e for e in EDITIONS if e != edition)
    for width in (1200, 390):
        page = visit(name, viewport={"width": width, "height": 800})
        link = page.locator(f"a[data-edition={other}]").first
        assert link.is_visible()
        assert link.get_attribute("lang") == LANGUAGE_TAGS[other]
        link.focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/{other}/{slug}.html")
        assert page.locator("html").get_attribute("lang") == LANGUAGE_TAGS[other]


def test_the_front_door_offers_both_languages_and_remembers(visit):
    page = visit("index")
    assert not axe(page)
    assert page.locator("nav a").count() == 2
    page.locator("a[data-edition=zh]").click()
    page.wait_for_url("**/zh/index.html")
    page.goto(page.url.replace("zh/index.html", "index.html"))
    page.wait_for_url("**/zh/index.html")
    page.goto(page.url.replace("zh/index.html", "index.html#choose"))
    assert page.locator("nav a").count() == 2


@pytest.mark.parametrize("tag", ["en-GB", "zh-CN"])
def test_the_front_door_suggests_the_browsers_language(visit, tag):
    page = visit("index", locale=tag)
    assert page.locator("a.likely").get_attribute("data-edition") == tag[:2]


@pytest.mark.parametrize(
    ("edition", "query"),
    [
        ("en", "softmax"),
        ("en", "permutation"),
        ("zh", "注意力机制"),
        ("zh", "位置编码"),
        ("zh", "加权平均"),
        ("zh", "softmax的梯度"),
    ],
)
def test_search_finds_lessons(visit, edition, query):
    page = visit(f"{edition}/search", path=f".html?q={query}")
    page.wait_for_selector("#search-results ul.search li")
    found = page.locator("#search-results ul.search li a").evaluate_all(
        "(links) => links.map((link) => link.getAttribute('href'))"
    )
    assert [link for link in found if re.search(r"\d-\d-", link)]


@every_lesson
def test_without_scripts_the_reader_sees_still_pictures(visit, name):
    page = visit(name, java_script_enabled=False)
    explorables = page.locator(".ac-explorable")
    assert explorables.count() >= 3
    for i in range(explorables.count()):
        assert explorables.nth(i).bounding_box()["height"] > 60
        assert explorables.nth(i).inner_text().strip()
    assert page.locator(".ac-explorable :is(svg, table)").count() >= 1


@every_lesson
def test_sliders_move_by_keyboard_and_the_numbers_follow(visit, name):
    page = visit(name)
    moved = 0
    for root in page.locator(".ac-explorable:has(input[type=range])").all():
        slider = root.locator("input[type=range]:visible").first
        before = root.inner_text()
        slider.focus()
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        page.wait_for_timeout(100)
        assert root.inner_text() != before
        moved += 1
    assert moved


@every_lesson
def test_a_guess_is_kept_and_stands_beside_the_measurement(visit, name):
    page = visit(name)
    prediction = page.locator(".ac-explorable:has(fieldset)").first
    assert not prediction.locator("[role=status]").inner_text()
    prediction.locator("input[type=radio]").nth(1).check()
    prediction.locator("button").click()
    expect(prediction.locator("[role=status]")).not_to_be_empty()
    guess = prediction.locator("[role=status]").inner_text().splitlines()[0]
    expect(page.locator(".ac-claim").filter(has_text=guess)).to_have_count(1)


@every_lesson
def test_the_quiz_says_why(visit, name):
    page = visit(name)
    questions = page.locator(".ac-explorable").last.locator("fieldset")
    assert questions.count() >= 4
    for question in questions.all():
        question.locator("input[type=radio]").first.check()
        question.locator("button").click()
        expect(question.locator("[role=status]")).to_contain_text(re.compile("[✓✗]"))


@every_lesson
def test_exercises_show_hints_and_solutions_folded(visit, name):
    page = visit(name)
    cards = page.locator(".ac-exercise")
    assert cards.count() >= 2
    for card in cards.all():
        assert card.get_attribute("data-status") == "not attempted"
        assert not card.locator("pre").first.is_visible()
        card.locator("summary").last.click()
        assert card.locator("pre").first.is_visible()


@every_page
def test_every_picture_has_a_text_alternative_and_live_text(visit, name):
    page = visit(name, color_scheme="dark")
    for picture in page.locator(".ac-picture").all():
        assert len(picture.get_attribute("aria-label")) > 20
        assert picture.locator("svg text").count()
        # Glyphs drawn as outlines would be missing where the font is.
        assert not picture.locator("svg defs path[id*='DejaVu'], svg use[*|href*='DejaVu']").count()
    assert not page.locator("article img:not([alt]), article img[alt='']").count()


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_claims_page_shows_what_the_notebooks_measured(visit, edition):
    page = visit(f"{edition}/claims")
    shown = page.locator("article").inner_text()
    for lesson in BOOK.notebooks():
        notebook = json.loads(BOOK.executed(edition, lesson).read_text(encoding="utf-8"))
        for entry in claims.collect(notebook):
            assert entry["text"] in shown, entry["measure"]
            assert entry["verdict_text"].rstrip(":：.。") in shown
    for settled in ("C3", "C4", "C5", "C6", "C7", "C9"):
        assert settled in shown


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_chinese_chrome_is_chinese(visit, edition):
    page = visit(f"{edition}/2-1-human-attention")
    labels = page.evaluate(
        """() => [...document.querySelectorAll('[aria-label], [title], button, nav')]
             .filter((e) => !e.closest('article'))
             .flatMap((e) => [e.getAttribute('aria-label'), e.getAttribute('title')])
             .filter(Boolean)"""
    )
    if edition == "zh":
        english = [label for label in labels if not re.search("[\u4e00-\u9fff]", label)]
        assert not [label for label in english if re.search("[a-z]{3}", label)], english


@every_page
def test_links_inside_the_book_lead_somewhere(name):
    html = (HTML / f"{name}.html").read_text(encoding="utf-8")
    for target in set(re.findall(r'<a\b[^>]*\bhref="([^"]+)"', html)):
        if urlsplit(target).scheme or target.startswith(("#", "mailto:")):
            continue
        url, _, anchor = urljoin(f"/{name}.html", target).partition("#")
        file = HTML / url.lstrip("/").split("?")[0]
        assert file.is_file(), target
        if anchor:
            assert f'id="{anchor}"' in file.read_text(encoding="utf-8"), target


@every_page
def test_a_page_loads_nothing_foreign_and_stays_light(name):
    html = (HTML / f"{name}.html").read_text(encoding="utf-8")
    assert "Content-Security-Policy" in html
    assert re.search(r'<meta name="description" content="[^"]{20,}', html)
    loads = re.findall(r'<(?:script|img|iframe|source)[^>]*\bsrc="(https?:[^"]+)', html)
    loads += re.findall(
        r'<link[^>]*rel="(?:stylesheet|icon|preload)"[^>]*href="(https?:[^"]+)', html
    )
    assert not loads
    assert not re.search(r"mathjax|require\.js|thebe", html, flags=re.I)
    assert len(gzip.compress(html.encode())) < 150_000


def test_only_a_published_copy_links_to_colab_and_the_other_says_so():
    published = bool(repository(BOOK.config()["sphinx"]["config"]["book_repository"]))
    for name in LESSONS:
        html = (HTML / f"{name}.html").read_text(encoding="utf-8")
        assert ("colab.research.google.com/github/" in html) == published
        assert ("book-unpublished" in html) != published
