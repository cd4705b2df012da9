"""Figures: live text in both languages, the page's own ink, and a text alternative."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from attention_course import drawing, language, plots

TOKENS = {"en": ["Beijing", "sights", "___"], "zh": ["北京", "著名景点", "＿"]}


@pytest.fixture(params=["en", "zh"])
def tokens(request):
    language.use(request.param)
    yield TOKENS[request.param]
    language.use("en")


def shown(figure):
    """Every text of a drawing, as a reader sees it."""
    html = figure.html()
    svg = ElementTree.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])
    return ["".join(e.itertext()).strip() for e in svg.iter() if e.tag.endswith("text")]


@pytest.fixture
def table(monkeypatch):
    """A lesson's words: what is put into this dict stands at ``lesson.figure``."""
    entries = {}
    real = language._words_of
    monkeypatch.setattr(
        language,
        "_words_of",
        lambda name, code: {"figure": entries} if name == "lesson" else real(name, code),
    )
    return entries


def test_all_words_of_a_figure_are_at_its_key(table):
    table["curves"] = {
        "title": "After {steps} steps",
        "x": "width",
        "y": "norm",
        "reference": "chance",
        "series": {"scaled": "with √d", "unscaled": "without"},
    }
    curves = plots.curves(
        [1, 2, 3],
        {"scaled": [1, 2, 3], "unscaled": [3, 2, 1]},
        key="lesson.figure.curves",
        reference=2,
        values={"steps": 20},
    )
    expected = {"After 20 steps", "width", "norm", "chance", "with √d", "without"}
    assert expected <= set(shown(curves))
    assert "with √d: starts at 1, ends at 3." in curves.alt
    assert ("en", "lesson.figure.curves") in language.read

    table["bars"] = {"title": "T", "bars": {"city": "the city"}, "alt": "{n} bars"}
    bars = plots.bars({"city": 0.5}, key="lesson.figure.bars", values={"n": 1}, title="given")
    assert {"the city", "given"} <= set(shown(bars))
    assert "T" not in shown(bars)
    assert bars.alt == "1 bars"

    table["heatmap"] = {
        "titles": {"before": "Before", "after": "After"},
        "rows": ["first", "second"],
        "columns": {"a": "A"},
    }
    maps = plots.heatmap(
        {"before": [[1], [2]], "after": [[2], [1]]}, columns=["a"], key="lesson.figure.heatmap"
    )
    assert {"Before", "After", "first", "second", "A"} <= set(shown(maps))


def test_a_word_that_is_missing_or_unknown_is_named(table):
    table["bars"] = {"colour": "T"}
    with pytest.raises(
        TypeError, match=r"colour in lesson\.figure\.bars: expected one of title, x"
    ):
        plots.bars([1, 2], key="lesson.figure.bars")
    table["bars"] = {"bars": {"city": "the city"}}
    with pytest.raises(KeyError, match=r"lesson\.figure\.bars\.bars has no 'town', only city"):
        plots.bars({"town": 1}, key="lesson.figure.bars")
    with pytest.raises(TypeError, match="colour: expected one of title"):
        plots.bars([1, 2], colour="red")
    with pytest.raises(TypeError, match="which is no table"):
        plots.bars([1, 2], key="display.card.join")


def test_bars_come_in_groups_too(table):
    table["groups"] = {
        "bars": {"city": "the city", "kind": "the kind"},
        "series": {"before": "untrained", "after": "trained"},
    }
    numbers = {"before": {"city": 1, "kind": 2}, "after": {"city": 3, "kind": 4}}
    spread = {
        "before": {"city": (0, 2), "kind": (1, 3)},
        "after": {"city": (2, 4), "kind": (3, 5)},
    }
    figure = plots.bars(numbers, spread=spread, key="lesson.figure.groups")
    assert {"the city", "the kind", "untrained", "trained", "4"} <= set(shown(figure))
    assert "the kind trained 4;" in figure.alt


def every_figure(tokens):
    weights = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    yield plots.heatmap(weights, rows=tokens, columns=tokens, x=tokens[0], title=tokens[1])
    yield plots.heatmap([weights, -weights], titles=tokens[:2], rows=tokens)
    yield plots.heatmap(torch.tensor(weights), columns=tokens, annotate=True)
    yield plots.curves(
        [4, 16, 64],
        {tokens[0]: ([1, 2, 3], [0.5, 1.5, 2.5], [1.5, 2.5, 3.5]), tokens[1]: [3, 2, 1]},
        x=tokens[1],
        log_x=True,
        log_y=True,
        reference=2,
    )
    yield plots.bars([1, 2, 3], tokens, spread=[[0, 2], [1, 3], [2, 4]], x=tokens[0])
    yield plots.bars({tokens[0]: [1, 2, 3], tokens[1]: [3, 2, 1]}, tokens, title=tokens[1])


def test_every_character_is_live_text(tokens):
    """No glyph is drawn as an outline, so none can be missing where no Chinese font is."""
    for figure in every_figure(tokens):
        html = figure._repr_mimebundle_()["text/html"]
        svg = ElementTree.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])
        shown = "".join("".join(e.itertext()) for e in svg.iter() if e.tag.endswith("text"))
        assert tokens[1] in shown
        assert not [e for e in svg.iter() if (e.get("id") or "").split("-")[-1] == "glyph"]
        assert "DejaVu" not in html


def test_ink_is_the_pages_own_and_the_text_alternative_is_there(tokens):
    for figure in every_figure(tokens):
        bundle = figure._repr_mimebundle_()
        assert "currentColor" in bundle["text/html"]
        assert drawing.INK not in bundle["text/html"]
        assert f'aria-label="{figure.alt}"' in bundle["text/html"]
        assert bundle["text/plain"] == figure.alt
        assert re.search(r"\d", figure.alt)


def test_a_figure_is_the_same_each_time_and_its_ids_are_its_own(tokens):
    def draw():
        return [figure.html() for figure in every_figure(tokens)]

    first = draw()
    assert first == draw()
    ids = [i for html in first for i in set(re.findall(r'\bid="([^"]+)"', html))]
    assert len(ids) == len(set(ids))


def test_chinese_leaves_room_for_its_width():
    """The metrics font gives a Chinese label about its real width, one em a character."""
    with drawing.settings():
        font = FontProperties(family=matplotlib.rcParams["font.family"], size=11)
    width, _, _ = text_to_path.get_text_width_height_descent("注意力权重", font, ismath=False)
    assert width == pytest.approx(5 * 11, rel=0.05)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"values: got shape \(3,\), expected 2 dimensions"):
        plots.heatmap(np.ones(3))
    with pytest.raises(ValueError, match="rows: got 2 labels, expected 3"):
        plots.heatmap(np.ones((3, 3)), rows=["a", "b"])
    with pytest.raises(ValueError, match="titles: got 1 labels, expected 2"):
        plots.heatmap([np.ones((3, 3))] * 2, titles=["a"])
    with pytest.raises(ValueError, match=r"series\['a'\]: got 2 numbers, expected 3"):
        plots.curves([1, 2, 3], {"a": [1, 2]})
    with pytest.raises(ValueError, match="values: got 2 numbers, expected 3"):
        plots.bars([1, 2], ["a", "b", "c"])
    with pytest.raises(ValueError, match="weights: got 1 numbers, expected 2, one a word"):
        plots.shaded_words(["a", "b"], [1])
    with pytest.raises(ValueError, match="weights: got 0 to 2, expected numbers from 0 to 1"):
        plots.shaded_words(["a", "b"], [0, 2])
    with pytest.raises(ValueError, match="alt: got an empty text"):
        plots.picture(plots.new_figure()[0], "")


def test_shaded_words_say_their_weights(tokens):
    shown = plots.shaded_words(tokens, torch.tensor([0.6, 0.399, 0.001]))
    html = shown._repr_mimebundle_()["text/html"]
    assert f'aria-label="{shown.alt}"' in html
    assert html.count("--ground:") == 3
    for text in (*tokens[:2], "60", "40"):
        assert text in shown.alt
    assert shown.alt.count("%") == 2  # a weight that would read as 0 % is left out
    escaped = plots.shaded_words(["<b>"], [1])
    assert "<b>" not in escaped.html()


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0"), (1024, "1,024"), (0.12345, "0.123"), (-2.5, "−2.5"), (1.5e-7, "1.5 × 10⁻⁷")],
)
def test_numbers_are_short(value, written):
    assert plots.number(value) == written


def test_the_metrics_font_leaves_nothing_behind():
    script = "from attention_course import plots; plots.heatmap([[1.0]], rows=['北京'])"
    subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", script],
        check=True,
    )
