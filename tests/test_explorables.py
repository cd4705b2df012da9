"""The explorables as Python makes them: state, words, the still page, ids, the widget."""

from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import anywidget
import numpy as np
import pytest
import torch

from attention_course import explorables, language
from attention_course.explorables import Quiz, ScaleExplorer, WeightsExplorer
from attention_course.explorables.base import MIME, Explorable, module_source, source
from attention_course.explorables.quiz import explorable as quiz_module

NAMES = explorables.names()
every_explorable = pytest.mark.parametrize("name", NAMES)
FILES = {"explorable.py", "module.js", "style.css", "examples.py"}


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


def first(name: str) -> Explorable:
    return next(iter(explorables.examples(name).shown().values()))


class Outline(HTMLParser):
    """The elements of a page, and the cells of its tables."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []
        self._cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._cell = tag in ("th", "td")
        if self._cell:
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        self._cell = False

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.cells[-1] += data


@every_explorable
def test_an_explorable_is_a_folder(name: str) -> None:
    folder = Path(explorables.__file__).parent / name
    words = {f"{each}.toml" for each in language.LANGUAGES}
    assert FILES | words == {path.name for path in folder.iterdir()} - {"__pycache__"}
    made = getattr(explorables, explorables.class_name(name))
    assert issubclass(made, Explorable)
    assert made.module == name
    assert set(explorables.examples(name).MOVED) <= set(first(name).state)


@every_explorable
@pytest.mark.parametrize("reader", language.LANGUAGES)
def test_output_stands_on_its_own(name: str, reader: str) -> None:
    language.use(reader)
    for explorable in explorables.examples(name).shown().values():
        bundle = explorable._repr_mimebundle_()
        assert set(bundle) == {"text/html", "text/plain", MIME}
        html = bundle["text/html"]
        tags = Outline(html).tags
        addresses = [a.get("src") or a.get("href") for _, a in tags if "src" in a or "href" in a]
        assert all(address.startswith("data:") for address in addresses)
        assert set(re.findall(r"https?://[^\"'\\ ]+", html)) <= {"http://www.w3.org/2000/svg"}
        (root,) = [a for _, a in tags if "ac-explorable" in (a.get("class") or "").split()]
        assert root["role"] == "group"
        assert root["aria-label"]
        assert root["data-lm-suppress-shortcuts"] == "true"


@every_explorable
def test_state_is_json_and_small(name: str) -> None:
    for explorable in explorables.examples(name).shown().values():
        text = json.dumps(explorable.state, allow_nan=False)
        assert json.loads(text) == explorable.state
        assert len(text) < 50_000
        shown = explorable.data()
        assert json.loads(json.dumps(shown)) == {**shown, "height": list(shown["height"])}


@every_explorable
def test_running_again_gives_the_same_output(name: str) -> None:
    runs = []
    for _ in range(2):
        Explorable._shown.clear()
        runs.append([first(name).html(), first(name).html()])
    assert runs[0] == runs[1]
    ids = {re.search(r'id="(ac-[^"]+)"', html)[1] for html in runs[0]}
    assert len(ids) == 2, "the same thing twice on a page needs two ids"


@every_explorable
def test_the_words_of_a_module_are_those_it_uses(name: str) -> None:
    words = set(first(name).words)
    module = module_source(name)
    python = source(name, "explorable.py")
    used = {word for word in words if re.search(rf"\.{word}\b|[\"']{word}[\"']", module)}
    used |= {word for word in words if f'"{word}"' in python}
    assert used == words
    assert set(re.findall(r"\bwords(?:\"\))?\.(\w+)", module)) <= words


@every_explorable
def test_a_module_is_one_file(name: str) -> None:
    module = module_source(name)
    assert not re.search(r"^\s*import\b", module, re.MULTILINE)
    assert module.count("export default") == 1
    assert "innerHTML" not in module
    assert "insertAdjacentHTML" not in module


@every_explorable
def test_a_modules_styles_are_its_own(name: str) -> None:
    """What another explorable's style sheet is needed for belongs to all of them."""
    module, shared = module_source(name), source("explorables.css")
    drawn = set(re.findall(r"\bac-[a-z-]*[a-z]", module))
    for other in set(NAMES) - {name}:
        foreign = set(re.findall(r"\.(ac-[a-z-]*[a-z])", source(other, "style.css")))
        own = set(re.findall(r"\.(ac-[a-z-]*[a-z])", source(name, "style.css") + shared))
        assert not (drawn & foreign) - own


@every_explorable
def test_widget_keeps_its_state_in_step(name: str) -> None:
    explorable, moved = first(name), explorables.examples(name).MOVED
    widget = explorable.widget()
    assert isinstance(widget, anywidget.AnyWidget)
    assert widget._esm == module_source(name)
    for key, value in explorable.state.items():
        assert not hasattr(anywidget.AnyWidget, key), f"{key} is anywidget's own"
        assert getattr(widget, key) == value
        assert key in widget.keys
    before = {key: explorable.state[key] for key in moved}
    seen = {}
    widget.observe(lambda change: seen.update({change["name"]: change["new"]}), list(moved))
    widget.set_state(moved)  # what the page sends when the reader moves something
    assert seen == {key: value for key, value in moved.items() if value != before[key]} == moved
    assert {key: explorable.state[key] for key in moved} == before, "it keeps its start"


def test_an_asset_is_inside_an_output_and_named_in_its_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(WeightsExplorer, "assets", {"weights": "terminology.toml"})
    explorable = first("weights_explorer")
    bundle = explorable._repr_mimebundle_()
    assert bundle[MIME]["assets"] == {"weights": "terminology.toml"}
    assert "assets" not in bundle[MIME]["state"]
    held = explorable.widget().assets["weights"]
    assert held in bundle["text/html"]
    whole = (Path(explorables.__file__).parents[1] / "terminology.toml").read_bytes()
    assert base64.b64decode(held.removeprefix("data:;base64,")) == whole


def test_text_from_outside_stays_text() -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    shown = WeightsExplorer([evil, "b"], [1, 0], [[1], [0]]).html()
    outline = Outline(shown)
    assert "img" not in {tag for tag, _ in outline.tags}
    assert shown.count("</script>") == 1
    assert evil in outline.cells


def test_scale_explorer_draws_standard_normal_vectors() -> None:
    for d, products in zip([4, 8, 16], ScaleExplorer(seed=5).state["products"], strict=False):
        assert np.std(products) == pytest.approx(d**0.5, rel=0.25)
    assert ScaleExplorer(seed=5).state == ScaleExplorer(seed=5).state
    assert ScaleExplorer(seed=5).state != ScaleExplorer(seed=6).state


def test_numbers_come_from_lists_arrays_and_tensors() -> None:
    values = [[1.0, 2.0], [3.0, 4.0]]
    states = [
        WeightsExplorer(["a", "b"], kind([1.0, 2.0]), kind(values)).state
        for kind in (list, np.array, torch.tensor, lambda x: torch.tensor(x, requires_grad=True))
    ]
    assert all(state == states[0] for state in states)


@every_explorable
def test_bad_input_is_named(name: str) -> None:
    for make, error, message in explorables.examples(name).REFUSED:
        with pytest.raises(error, match=message):
            make()


def test_a_question_needs_exactly_one_right_option(monkeypatch: pytest.MonkeyPatch) -> None:
    item = {"question": "Why?", "options": [{"text": t, "right": True, "why": ""} for t in "ab"]}
    monkeypatch.setattr(quiz_module, "words", lambda key: item)
    with pytest.raises(ValueError, match=r"any\.first: got 2 right options, expected 1"):
        Quiz("any.first")
