"""The map of the book: every lesson has a part, and the lit one is told without colour too."""

import html
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from attention_course import language, overview

ROOT = Path(__file__).parents[1]
LESSONS = sorted(path.stem for path in ROOT.glob("chapters/en/[0-9]*.ipynb"))


@pytest.fixture(params=["en", "zh"])
def edition(request):
    language.use(request.param)
    yield request.param
    language.use("en")


@pytest.fixture
def installed_from(monkeypatch):
    """Let pip have written down that the library came from an address."""

    class Distribution:
        url = None

        def read_text(self, name):
            assert name == "direct_url.json"
            return self.url and json.dumps({"url": self.url})

    found = Distribution()
    monkeypatch.setattr(overview.importlib.metadata, "distribution", lambda name: found)
    overview.address.cache_clear()
    yield found
    overview.address.cache_clear()


def parts(shown):
    tree = ElementTree.fromstring(shown.html())
    return [e for e in tree.iter() if e.get("data-part") or e.tag == "a"]


@pytest.mark.parametrize("page", LESSONS)
def test_every_page_has_its_part(page, edition):
    shown = overview.here(page)
    lit = [part for part in parts(shown) if part.get("aria-current")]
    assert lit
    for part in lit:
        assert part.get("aria-current") == "true"
        assert part.get("data-part").startswith(page.split("-lab")[0][:3])
        assert part.text in shown.text()
    assert shown.text() in html.unescape(shown.html())


def test_every_part_is_drawn_in_both_languages(edition):
    shown = overview.here("2-1-human-attention")
    assert {part.get("data-part") for part in parts(shown)} == set(overview.PARTS.values())
    nav = ElementTree.fromstring(shown.html())
    assert nav.tag == "nav"
    assert nav.get("aria-label")
    assert not re.findall(r">[^<]*\bNone\b", shown.html())
    drawn = {*overview.ENCODER, *overview.DECODER}.union(*overview.GROUPS.values())
    assert drawn == set(language.words("display.overview.part"))
    assert drawn >= set(overview.PARTS)


def test_a_lab_lights_the_part_of_its_lesson():
    assert overview.here("2-2-lab-roles").lit == overview.here("2-2-scaled-dot-product").lit
    assert overview.here("3-2-lab").lit == ["positions"]
    assert overview.here("3-1-encoder-decoder").lit == ["encoder", "decoder", "masked", "cross"]


@pytest.mark.parametrize("page", ["9-9-nothing", "glossary", "2", ""])
def test_a_page_without_a_part_is_named(page):
    with pytest.raises(ValueError, match=f"page: got '{page}', expected one of 0-prerequisites"):
        overview.here(page)


def test_what_is_shown_does_not_depend_on_which_lessons_there_are(installed_from, monkeypatch):
    monkeypatch.delattr(overview, "is_written")
    for installed_from.url in (None, "file:///home/somebody/book"):
        overview.address.cache_clear()
        shown = overview.here("2-2-scaled-dot-product")
        assert "<a" not in shown.html()


def test_parts_are_links_where_the_library_came_from_the_site(installed_from, edition):
    installed_from.url = "https://example.org/book/attention_course-0.1.0-py3-none-any.whl"
    links = {
        part.get("href"): part
        for part in parts(overview.here("2-2-scaled-dot-product"))
        if part.tag == "a"
    }
    assert f"https://example.org/book/{edition}/2-1-human-attention.html" in links
    for address in links:
        lesson = address.removeprefix(f"https://example.org/book/{edition}/").removesuffix(".html")
        assert (ROOT / "chapters" / edition / f"{lesson}.ipynb").exists()
        assert lesson != "2-2-scaled-dot-product"  # the reader is there
    lab = parts(overview.here("2-2-lab-roles"))
    (lit,) = [part for part in lab if part.get("aria-current")]
    assert lit.get("href") == f"https://example.org/book/{edition}/2-2-scaled-dot-product.html"
