"""The explorables as Python makes them: state, words, the still page, ids, the widget."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser

import anywidget
import numpy as np
import pytest
import torch

from attention_course import language
from attention_course.attention import scaled_dot_product_attention
from attention_course.explorables import (
    PositionExplorer,
    Prediction,
    QueryKeyValuePlane,
    Quiz,
    ScaleExplorer,
    WeightsExplorer,
)
from attention_course.explorables.base import Explorable, module_source
from attention_course.explorables.quiz import explorable as quiz_module
from attention_course.positions import sinusoidal_encoding

MAKE: dict[str, Callable[[], Explorable]] = {
    "weights": lambda: WeightsExplorer(["a", "b", "c"], [2, 0.5, -1], [[1, 0], [0, 1], [1, 1]]),
    "plane": lambda: QueryKeyValuePlane(["a", "b"], [1, 2], [[1, 0], [0, 1]], [[3, 1], [-1, 2]]),
    "scale": ScaleExplorer,
    "position": PositionExplorer,
    "quiz": lambda: Quiz("human_attention"),
    "prediction": lambda: Prediction("human_attention.predict"),
}


@pytest.fixture(params=MAKE)
def make(request: pytest.FixtureRequest) -> Callable[[], Explorable]:
    return MAKE[request.param]


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


class Outline(HTMLParser):
    """The elements of a page, and the cells of its tables."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self._cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._cell = tag in ("th", "td")
        if tag == "tr":
            self.rows.append([])
        elif self._cell:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._cell = False

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.rows[-1][-1] += data


def number(text: str) -> float:
    return float(text.replace("−", "-"))


@pytest.mark.parametrize("name", language.LANGUAGES)
def test_output_stands_on_its_own(make: Callable[[], Explorable], name: str) -> None:
    language.use(name)
    bundle = make()._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    html = bundle["text/html"]
    tags = Outline(html).tags
    addresses = [a.get("src") or a.get("href") for _, a in tags if "src" in a or "href" in a]
    assert all(address.startswith("data:") for address in addresses)
    assert set(re.findall(r"https?://[^\"'\\ ]+", html)) <= {"http://www.w3.org/2000/svg"}
    (root,) = [a for _, a in tags if "ac-explorable" in (a.get("class") or "").split()]
    assert root["role"] == "group"
    assert root["aria-label"]
    assert root["data-lm-suppress-shortcuts"] == "true"


def test_state_is_json(make: Callable[[], Explorable]) -> None:
    state = make().state
    assert json.loads(json.dumps(state, allow_nan=False)) == state


def test_state_is_small() -> None:
    assert len(json.dumps(ScaleExplorer().state)) < 40_000


def test_running_again_gives_the_same_output(make: Callable[[], Explorable]) -> None:
    runs = []
    for _ in range(2):
        Explorable._shown.clear()
        runs.append([make().html(), make().html()])
    assert runs[0] == runs[1]
    ids = {re.search(r'id="(ac-[^"]+)"', html)[1] for html in runs[0]}
    assert len(ids) == 2, "the same thing twice on a page needs two ids"


def test_text_from_outside_stays_text() -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    shown = WeightsExplorer([evil, "b"], [1, 0], [[1], [0]]).html()
    outline = Outline(shown)
    assert "img" not in {tag for tag, _ in outline.tags}
    assert shown.count("</script>") == 1
    assert outline.rows[1][0] == evil


def test_the_words_of_a_module_are_those_it_uses(make: Callable[[], Explorable]) -> None:
    explorable = make()
    used = set(re.findall(r"\bwords(?:\"\))?\.(\w+)", module_source(explorable.module)))
    if explorable.module == "scale_explorer":  # it looks these up by name
        used |= {"spread", "largest", "entropy", "gradient", "scaled", "unscaled"}
    assert used <= set(explorable.words)
    unused = set(explorable.words) - used - {"answer"}  # the quiz's still page says "answer"
    assert not unused


def test_a_module_is_one_file(make: Callable[[], Explorable]) -> None:
    source = module_source(make().module)
    assert not re.search(r"^\s*import\b", source, re.MULTILINE)
    assert source.count("export default") == 1
    assert "innerHTML" not in source
    assert "insertAdjacentHTML" not in source


def test_still_weights_are_the_librarys() -> None:
    scores, values = [2.0, 0.5, -1.0], [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    explorer = WeightsExplorer(["a", "b", "c"], scores, values, temperature=2)
    weights = torch.tensor(scores, dtype=torch.float64).div(2).softmax(0)
    mixture = weights @ torch.tensor(values, dtype=torch.float64)
    _, *rows, last = Outline(explorer.still()).rows
    assert [number(row[2]) for row in rows] == pytest.approx(weights.tolist(), abs=1e-4)
    assert [number(cell) for cell in last[3:]] == pytest.approx(mixture.tolist(), abs=1e-3)


@pytest.mark.parametrize("scale", [True, False])
def test_still_plane_is_the_librarys(scale: bool) -> None:
    query, keys, values = [1.0, 2.0], [[1.0, 0.0], [0.0, 1.0]], [[3.0, 1.0], [-1.0, 2.0]]
    explorer = QueryKeyValuePlane(["a", "b"], query, keys, values, scale=scale)
    _, weights = scaled_dot_product_attention(
        torch.tensor([query]), torch.tensor(keys), torch.tensor(values), scale=None if scale else 1
    )
    rows = Outline(explorer.still()).rows
    assert [number(row[4]) for row in rows[2:4]] == pytest.approx(weights[0].tolist(), abs=1e-4)


def test_still_scale_explorer_agrees_with_autograd() -> None:
    explorer = ScaleExplorer(d=16, num_keys=4, seed=1)
    products = torch.tensor(explorer.state["products"][2], dtype=torch.float64)
    norms = [
        torch.autograd.functional.jacobian(lambda x: x.softmax(-1), row).norm() for row in products
    ]
    (row,) = [r for r in Outline(explorer.still()).rows if r[:2] == ["16", "q·k"]]
    assert number(row[2]) == pytest.approx(products.std(correction=0).item(), abs=0.01)
    entropy = torch.special.entr(products.softmax(-1)).sum(-1).mean()
    assert number(row[4]) == pytest.approx(entropy.item(), abs=1e-3)
    assert number(row[5]) == pytest.approx(torch.stack(norms).mean().item(), abs=1e-4)


def test_scale_explorer_draws_standard_normal_vectors() -> None:
    for d, products in zip([4, 8, 16], ScaleExplorer(seed=5).state["products"], strict=False):
        assert np.std(products) == pytest.approx(d**0.5, rel=0.25)
    assert ScaleExplorer(seed=5).state == ScaleExplorer(seed=5).state
    assert ScaleExplorer(seed=5).state != ScaleExplorer(seed=6).state


def test_still_positions_are_the_librarys() -> None:
    encoding = sinusoidal_encoding(8, 4, 100.0)
    rows = Outline(PositionExplorer(8, 4, 100.0, 3).still()).rows
    found = [number(cell) for row in rows[1:3] for cell in row[2:]]
    assert found == pytest.approx(encoding[3].tolist(), abs=1e-4)
    similarity = torch.cosine_similarity(encoding, encoding[3:4])
    assert [number(row[1]) for row in rows[4:]] == pytest.approx(similarity.tolist(), abs=1e-4)


def test_widget_keeps_its_state_in_step(make: Callable[[], Explorable]) -> None:
    explorable = make()
    widget = explorable.widget()
    assert isinstance(widget, anywidget.AnyWidget)
    assert widget._esm == module_source(explorable.module)
    for name, value in explorable.state.items():
        assert not hasattr(anywidget.AnyWidget, name), f"{name} is anywidget's own"
        assert getattr(widget, name) == value
        assert name in widget.keys


def test_python_reads_back_what_the_reader_moved() -> None:
    explorer = MAKE["weights"]()
    widget = explorer.widget()
    seen = []
    widget.observe(lambda change: seen.append(change["new"]), "scores")
    widget.set_state({"scores": [0.0, 0.0, 3.0]})  # what the page sends when a slider moves
    assert widget.scores == [0.0, 0.0, 3.0]
    assert seen == [[0.0, 0.0, 3.0]]
    assert explorer.state["scores"] == [2.0, 0.5, -1.0], "the explorable keeps its start"


def test_numbers_come_from_lists_arrays_and_tensors() -> None:
    values = [[1.0, 2.0], [3.0, 4.0]]
    states = [
        WeightsExplorer(["a", "b"], kind([1.0, 2.0]), kind(values)).state
        for kind in (list, np.array, torch.tensor, lambda x: torch.tensor(x, requires_grad=True))
    ]
    assert all(state == states[0] for state in states)


@pytest.mark.parametrize(
    ("make_bad", "error", "message"),
    [
        (lambda: WeightsExplorer(["a"], [1, 2], [[1]]), ValueError, r"scores: got shape \(2,\)"),
        (lambda: WeightsExplorer(["a"], [1], [1]), ValueError, r"values: .*expected \(1, any\)"),
        (lambda: WeightsExplorer("ab", [1, 2], [[1], [2]]), TypeError, "tokens: got 'ab'"),
        (lambda: WeightsExplorer([], [], []), ValueError, "tokens: got 0 tokens, expected 1 to 64"),
        (lambda: WeightsExplorer(["a"], [float("nan")], [[1]]), ValueError, "scores: .*NaN"),
        (lambda: WeightsExplorer(["a"], ["x"], [[1]]), TypeError, "scores: .*expected numbers"),
        (lambda: WeightsExplorer(["a"], [1], [[1]], 0), ValueError, "temperature: got 0, .* 0.1"),
        (lambda: WeightsExplorer(["a"], [1], [[1]], "hot"), TypeError, "temperature: got 'hot'"),
        (lambda: WeightsExplorer(["a"], [1], [[0] * 17]), ValueError, "d_v, .*got 17"),
        (lambda: QueryKeyValuePlane(["a"], [1], [[1, 2]], [[1, 2]]), ValueError, "query: .*2"),
        (lambda: QueryKeyValuePlane(["a"], [1, 2], [[1]], [[1, 2]]), ValueError, "keys: got"),
        (lambda: ScaleExplorer(d=5), ValueError, "d: got 5, expected one of 4, 8"),
        (lambda: ScaleExplorer(num_keys=1), ValueError, "num_keys: got 1"),
        (lambda: PositionExplorer(d_model=3), ValueError, "d_model: got 3, expected an even"),
        (lambda: PositionExplorer(length=8, position=8), ValueError, "position: got 8.*0 to 7"),
        (lambda: PositionExplorer(base=1), ValueError, "base: got 1"),
        (lambda: Quiz("no_such_notebook"), KeyError, "no_such_notebook"),
        (lambda: Prediction("human_attention.nothing"), KeyError, "human_attention.nothing"),
    ],
)
def test_bad_input_is_named(make_bad: Callable, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make_bad()


def test_a_question_needs_exactly_one_right_option(monkeypatch: pytest.MonkeyPatch) -> None:
    item = {"question": "Why?", "options": [{"text": t, "right": True, "why": ""} for t in "ab"]}
    monkeypatch.setattr(quiz_module, "words", lambda key: [item])
    with pytest.raises(ValueError, match="'Why\\?' has 2 right options, expected 1"):
        Quiz("any")
