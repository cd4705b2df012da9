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
from conftest import close_network
from playwright.sync_api import Browser, Page, expect

from attention_course import claims, language
from booksite.assets import MODULES
from booksite.book import EDITIONS, LANGUAGE_TAGS, Book
from booksite.identity import repository
from booksite.serve import server

BOOK = Book(Path(__file__).parents[2])
HTML = BOOK.output / "html"
AXE = MODULES / "axe-core" / "axe.min.js"
PAGES = [f"{edition}/{page}" for edition in EDITIONS for page in BOOK.pages()]
LESSONS = [page for page in PAGES if re.search(r"/\d", page)]
# Each lesson in one edition, the editions taking turns: for what does not depend on the words.
TURNS = [
    f"{EDITIONS[i % len(EDITIONS)]}/{page}"
    for i, page in enumerate(page for page in BOOK.pages() if page[0].isdigit())
]
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
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not [problem for found in problems for problem in found]


def axe(page: Page, *rules: str) -> list[str]:
    """What axe finds wrong, a line for each element; by the rules named, or by all."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{rule['id']}: {node['target']}" for rule in found["violations"] for node in rule["nodes"]
    ]


class Findings(list):
    """What is wrong with a page: a visit goes on to its end and tells all of it."""

    def note(self, *problems: object) -> None:
        self.extend(map(str, problems))

    def check(self, right: bool, problem: str) -> None:
        if not right:
            self.append(problem)


@pytest.mark.parametrize("theme", ["light", "dark"])
@every_page
def test_a_page(visit, name, theme):
    """Each page is visited once in each theme: light on a phone, dark on a wide screen."""
    phone = {"viewport": {"width": 390, "height": 800}, "has_touch": True}
    page = visit(name, color_scheme=theme, **(phone if theme == "light" else {}))
    found = Findings()
    found.check(page.locator("html").get_attribute("data-theme") == theme, f"is not {theme}")
    found.check(
        page.locator("html").get_attribute("lang") == LANGUAGE_TAGS[name[:2]], "its language"
    )
    if theme == "light":
        _does_not_jump(page, found)
    wake(page)
    _the_switch(page, name, found)
    if theme == "dark":
        _explorables_answer(page, found)
        _guesses_stand_beside_the_measurement(page, found)
        _questions_say_why(page, found)
        _exercises_are_folded(page, found)
        _pictures_have_live_text(page, found)
    page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    # Between the themes colours are all that differs.
    found.note(*axe(page, *(["color-contrast"] if theme == "dark" else [])))
    if theme == "light":
        for width in (390, 320, 768):
            page.set_viewport_size({"width": width, "height": 800})
            _does_not_scroll_sideways(page, width, found)
    assert not found, "\n".join(found)


def wake(page: Page) -> None:
    """Come near every explorable, so that it starts, and wait until all run."""
    page.evaluate(
        """async () => {
             for (const root of document.querySelectorAll('.ac-explorable')) {
               root.scrollIntoView({block: 'center', behavior: 'instant'});
               for (const _ of [1, 2]) await new Promise(requestAnimationFrame);
             }
           }"""
    )
    expect(page.locator(".ac-explorable:not([data-ready])")).to_have_count(0)
    page.evaluate("scrollTo(0, 0)")


def _does_not_jump(page: Page, found: Findings) -> None:
    shift = page.evaluate(
        """() => new Promise((done) => {
             let sum = 0;
             new PerformanceObserver((list) => {
               for (const e of list.getEntries()) if (!e.hadRecentInput) sum += e.value;
             }).observe({type: 'layout-shift', buffered: true});
             setTimeout(() => done(sum), 300);
           })"""
    )
    found.check(shift < 0.1, f"jumps by {shift:.2f} while it loads")


def _does_not_scroll_sideways(page: Page, width: int, found: Findings) -> None:
    wide = page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
             ['page', ...[...document.querySelectorAll('body *')]
             .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
             .map((e) => `${e.tagName}.${e.className}`).slice(0, 5)]"""
    )
    found.check(not wide, f"is wider than {width} pixels: {wide}")


def _the_switch(page: Page, name: str, found: Findings) -> None:
    edition, slug = name.split("/")
    for other in EDITIONS:
        if other == edition:
            continue
        link = page.locator(f"a[data-edition={other}]").first
        found.check(link.is_visible(), f"shows no link to {other}")
        found.check(link.get_attribute("lang") == LANGUAGE_TAGS[other], f"link's lang, {other}")
        found.check(link.get_attribute("href") == f"../{other}/{slug}.html", f"link to {other}")


def _explorables_answer(page: Page, found: Findings) -> None:
    for root in page.locator(".ac-explorable:has(input[type=range])").all():
        before = root.inner_text()
        slider = root.locator("input[type=range]:visible").first
        slider.focus()
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        try:
            expect(root).not_to_have_text(before, timeout=2000, use_inner_text=True)
        except AssertionError:
            found.note(f"{root.get_attribute('aria-label')}: its first slider changes nothing")


def _settled_by_a_card() -> set[str]:
    """The options of all predictions that a result card answers, in every language."""
    found: set[str] = set()

    def walk(table: object) -> None:
        if isinstance(table, dict):
            if "card" in table:
                found.update(table["options"])
            for value in table.values():
                walk(value)

    for file in BOOK.library.glob("lessons/*/*.toml"):
        walk(language.read_toml(*file.relative_to(BOOK.library).parts))
    return found


def _guesses_stand_beside_the_measurement(page: Page, found: Findings) -> None:
    for prediction in page.locator(".ac-explorable[data-module^=prediction]").all():
        said = prediction.locator("[role=status]")
        found.check(not said.inner_text(), "a guess is there before the reader's")
        prediction.locator("input[type=radio]").nth(1).check()
        prediction.locator("button").click()
        expect(said).not_to_be_empty()
        guess = said.inner_text().splitlines()[0]
        beside = page.locator(".ac-claim").filter(has_text=guess).count()
        wanted = any(guess.endswith(option.replace("`", "")) for option in _settled_by_a_card())
        found.check(beside == wanted, f"{guess!r} stands beside {beside} measurements")


def _questions_say_why(page: Page, found: Findings) -> None:
    for question in page.locator("[data-module^=quiz] .ac-question").all():
        question.locator("input[type=radio]").first.check()
        question.locator("button").click()
        try:
            said = question.locator("[role=status]")
            expect(said).to_contain_text(re.compile("[✓✗]"), timeout=2000)
        except AssertionError:
            found.note(f"a question says {said.inner_text()!r}")


def _exercises_are_folded(page: Page, found: Findings) -> None:
    for card in page.locator(".ac-exercise").all():
        title, solution = card.locator("b").first.inner_text(), card.locator("pre").first
        found.check(card.get_attribute("data-status") == "not attempted", f"{title}: its status")
        found.check(not solution.is_visible(), f"{title}: the solution shows")
        card.locator("summary").last.click()
        found.check(solution.is_visible(), f"{title}: the solution does not unfold")


def _pictures_have_live_text(page: Page, found: Findings) -> None:
    pictures = page.locator(".ac-picture").evaluate_all(
        """(all) => all.map((p) => [
             p.getAttribute('aria-label') || '',
             p.querySelectorAll('svg text').length,
             p.querySelectorAll("svg defs path[id*='DejaVu']").length,
           ])"""
    )
    for label, texts, outlines in pictures:
        # Glyphs drawn as outlines would be missing where the font is.
        found.check(len(label) > 20 and texts > 0 and not outlines, f"picture {label[:40]!r}")
    bare = page.locator("article img:not([alt]), article img[alt='']").count()
    found.check(not bare, "an image without a text alternative")


def test_the_switch_is_reached_by_keyboard_and_leads_to_the_same_page(visit):
    name = LESSONS[0]
    edition, slug = name.split("/")
    other = next(e for e in EDITIONS if e != edition)
    page = visit(name)
    page.locator(f"a[data-edition={other}]").first.focus()
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
        ("zh", "意力"),
        ("zh", "词"),
    ],
)
def test_search_finds_lessons(visit, edition, query):
    page = visit(f"{edition}/search", path=f".html?q={query}")
    page.wait_for_selector("#search-results ul.search li")
    found = page.locator("#search-results ul.search li a").evaluate_all(
        "(links) => links.map((link) => link.getAttribute('href'))"
    )
    assert [link for link in found if re.search(r"\d-\d-", link)]


def test_without_scripts_the_reader_sees_still_pictures(visit):
    page = visit(LESSONS[0], java_script_enabled=False)
    explorables = page.locator(".ac-explorable")
    assert explorables.count() >= 3
    for explorable in explorables.all():
        assert explorable.bounding_box()["height"] > 60
        assert explorable.inner_text().strip()


@every_lesson
def test_a_lesson_carries_its_explorables_stills(name):
    html = (HTML / f"{name}.html").read_text(encoding="utf-8")
    for still in re.split(r'<div class="ac ac-explorable"', html)[1:]:
        assert re.search(r"<(svg|table|ul|img)\b", still[:20_000])


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_claims_page_shows_what_the_notebooks_measured(visit, edition):
    page = visit(f"{edition}/claims")
    shown = page.locator("article").inner_text()
    for lesson in BOOK.notebooks():
        notebook = json.loads(BOOK.executed(edition, lesson).read_text(encoding="utf-8"))
        for entry in claims.collect(notebook):
            assert entry["text"] in shown, entry["measure"]
            assert entry["verdict_text"].rstrip(":：.。") in shown


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_chinese_chrome_is_chinese(visit, edition):
    page = visit(next(name for name in LESSONS if name.startswith(edition)))
    labels = page.evaluate(
        """() => [...document.querySelectorAll('[aria-label], [title], button, nav')]
             .filter((e) => !e.closest('article'))
             .flatMap((e) => [e.getAttribute('aria-label'), e.getAttribute('title')])
             .filter(Boolean)"""
    )
    if edition == "zh":
        english = [label for label in labels if not re.search("[\u4e00-\u9fff]", label)]
        assert not [label for label in english if re.search("[a-z]{3}", label)], english


@pytest.mark.parametrize("edition", EDITIONS)
def test_only_the_chinese_edition_names_chinese_fonts(visit, edition):
    """Their quotation marks are full-width."""
    page = visit(next(name for name in LESSONS if name.startswith(edition)))
    for element in ("article p", "article pre"):
        fonts = page.locator(element).first.evaluate("(e) => getComputedStyle(e).fontFamily")
        assert bool(re.search("PingFang|YaHei|CJK|Source Han", fonts)) == (edition == "zh"), fonts
        assert re.search("(sans-serif|monospace)$", fonts)


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


@pytest.mark.parametrize("name", [*PAGES, *(f"{edition}/search" for edition in EDITIONS)])
def test_a_page_loads_nothing_foreign_and_stays_light(name):
    html = (HTML / f"{name}.html").read_text(encoding="utf-8")
    assert "Content-Security-Policy" in html
    assert re.search(r'<meta name="description" content="[^"]{15,}', html)
    loads = re.findall(r'<(?:script|img|iframe|source)[^>]*\bsrc="(https?:[^"]+)', html)
    loads += re.findall(
        r'<link[^>]*rel="(?:stylesheet|icon|preload)"[^>]*href="(https?:[^"]+)', html
    )
    assert not loads
    assert not re.search(r"mathjax|require\.js|thebe", html, flags=re.I)
    assert len(gzip.compress(html.encode())) < 150_000
    elements = re.findall(r"<[a-zA-Z]", re.sub(r"(?s)<(script|style).*?</\1>", "", html))
    assert len(elements) < 4_000


def test_only_a_published_copy_links_to_colab_and_the_other_says_so():
    published = bool(repository(BOOK.config()["sphinx"]["config"]["book_repository"]))
    for name in LESSONS:
        html = (HTML / f"{name}.html").read_text(encoding="utf-8")
        assert ("colab.research.google.com/github/" in html) == published
        assert ("kaggle.com/kernels/welcome?src=" in html) == published
        assert ("book-unpublished" in html) != published


def test_the_colours_go_round_and_are_kept(visit):
    page = visit("en/index", color_scheme="dark")
    root, button = page.locator("html"), page.locator(".theme-switch-button")
    for mode, theme in (("light", "light"), ("dark", "dark"), ("auto", "dark"), ("light", "light")):
        button.click()
        expect(root).to_have_attribute("data-mode", mode)
        expect(root).to_have_attribute("data-theme", theme)
    page.reload()
    expect(root).to_have_attribute("data-theme", "light")
    button.click()
    button.click()
    page.emulate_media(color_scheme="light")
    expect(root).to_have_attribute("data-theme", "light")


def test_search_opens_by_key_and_button_and_closes(visit):
    page = visit("en/index")
    dialog = page.locator("#pst-search-dialog")
    page.keyboard.press("Control+k")
    expect(dialog.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    page.locator(".search-button-field").click()
    expect(dialog).to_be_visible()
    page.mouse.click(5, 5)
    expect(dialog).not_to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("softmax")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=softmax")
    page.wait_for_selector("#search-results ul.search li")


@pytest.mark.parametrize("name", ["primary", "secondary"])
def test_a_sidebar_is_a_dialog_on_a_phone(visit, name):
    page = visit(LESSONS[0], viewport={"width": 390, "height": 800})
    shown = page.locator(f"#pst-{name}-sidebar-modal")
    page.locator(f".{name}-toggle").click()
    expect(shown).to_be_visible()
    assert shown.locator("a").count() > 3
    page.keyboard.press("Escape")
    expect(shown).not_to_be_visible()
    assert page.locator(f"#pst-{name}-sidebar a").count() > 3
    page.locator(f".{name}-toggle").click()
    shown.locator("a").last.click()
    expect(shown).not_to_be_visible()


def test_the_left_sidebar_goes_and_comes_on_a_wide_page(visit):
    page = visit(LESSONS[0])
    for there in (False, True):
        page.locator(".primary-toggle").click()
        expect(page.locator("#pst-primary-sidebar")).to_be_visible(visible=there)


def test_the_contents_follow_the_reader(visit):
    page = visit(LESSONS[0])
    links = page.locator(".page-toc > ul > li > a")
    for link in (links.nth(2), links.nth(0)):
        link.click()  # to a section, or to the first inside it if no text stands before that
        expect(link.locator("xpath=..").locator("a.active")).to_have_count(1)
        expect(page.locator(".page-toc a.active")).to_have_count(1)


@pytest.mark.parametrize("name", TURNS)
def test_an_anchor_leads_to_its_heading_though_cells_before_it_were_never_laid_out(visit, name):
    ids = re.findall(r'<section id="([^"]+)">', (HTML / f"{name}.html").read_text(encoding="utf-8"))
    page = visit(name, path=f".html#{ids[-2]}", viewport={"width": 390, "height": 800})
    heading = page.locator(f'[id="{ids[-2]}"]').locator("h2, h3, h4").first
    for _ in range(10):
        page.wait_for_timeout(100)
    assert -5 < heading.bounding_box()["y"] < 400


def test_code_is_copied_by_a_button_that_says_so(visit):
    page = visit(LESSONS[0], permissions=["clipboard-read", "clipboard-write"])
    code = page.locator("div.cell_input div.highlight:visible").first
    code.scroll_into_view_if_needed()
    text = code.locator("pre").inner_text()
    code.get_by_role("button", name="Copy").click()
    expect(code.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == text.rstrip()
