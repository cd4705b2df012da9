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

from attention_course import drawing, language, numbers, plots

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
    monkeypatch.setattr(language, "words_file", lambda name, code: (name, f"{code}.toml"))
    return entries


def test_all_words_of_a_figure_are_at_its_key(table, monkeypatch):
    asked = []
    monkeypatch.setattr(sys, "audit", lambda event, *about: asked.append(about))
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
    assert ("lesson/en.toml", "figure.curves") in asked

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
    # What belongs together is found by name, in whatever order it comes.
    turned = {series: dict(reversed(row.items())) for series, row in spread.items()}
    again = plots.bars(numbers, spread=dict(reversed(turned.items())), key="lesson.figure.groups")
    assert again.html() == figure.html()


def test_one_bar_a_name():
    figure = plots.bars({"a": 1, "b": 2}, spread={"b": (1, 3), "a": (0, 2)})
    assert figure.html() == plots.bars([1, 2], ["a", "b"], spread=[(0, 2), (1, 3)]).html()
    assert figure.html() == plots.bars(["a", "b"], [1, 2], spread=[(0, 2), (1, 3)]).html()
    with pytest.raises(ValueError, match=r"spread: got \['a', 'c'\], expected \['a', 'b'\]"):
        plots.bars({"a": 1, "b": 2}, spread={"a": (0, 2), "c": (1, 3)})


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
    [
        (0, "0"),
        (1024, "1,024"),
        (0.12345, "0.123"),
        (-2.5, "−2.5"),
        (1.5e-7, "1.5\u00a0×\u00a010⁻⁷"),
    ],
)
def test_numbers_are_short(value, written):
    assert plots.number(value) == written


def test_the_metrics_font_leaves_nothing_behind():
    script = "from attention_course import plots; plots.heatmap([[1.0]], rows=['北京'])"
    subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", script],
        check=True,
    )


MATRIX = np.array([[0.25, 0.05], [0.0, 0.0]])


@pytest.mark.parametrize(
    "label", ["US$ or HK$", "from $5 to $10", "$$", r"$\frac$", "_before", "<b>"]
)
def test_labels_are_plain_text(label):
    figures = [
        plots.heatmap(MATRIX, rows=[label, "b"], title=label),
        plots.heatmap([MATRIX, MATRIX], titles=[label, "b"]),
        plots.curves([1, 2, 3], {label: [1, 2, 3], "b": [3, 2, 1]}, x=label, y=label),
        plots.bars([1, 2], [label, "b"], title=label),
        plots.bars({label: [1, 2], "b": [2, 1]}, ["c", "d"]),
    ]
    for figure in figures:
        assert label in shown(figure)


READERS = {
    "axes.grid": True,
    "savefig.bbox": "tight",
    "svg.image_inline": False,
    "svg.fonttype": "path",
    "xtick.top": True,
    "ytick.labelleft": False,
    "image.origin": "lower",
    "path.sketch": (1, 100, 2),
    "legend.fontsize": 4,
    "axes.unicode_minus": False,
    "savefig.transparent": False,
    "axes.prop_cycle": matplotlib.cycler(color=["red"]),
}


@pytest.mark.parametrize("some", [{"text.usetex": True}, READERS])
def test_a_readers_settings_change_nothing(some):
    def figures():
        figures = list(every_figure(["a", "b", "c"]))
        figures[0].figure.axes[0].set_title("added $by$ hand")
        return [figure.html() for figure in figures]

    expected = figures()
    with matplotlib.rc_context(some):
        assert figures() == expected


def test_a_picture_can_be_added_to_before_it_is_shown():
    figure = plots.curves([1, 2], {"a": [1, 2]})
    figure.figure.axes[0].axhline(1.5, label="more")
    figure.figure.axes[0].set_title("added")
    assert "added" in shown(figure)


def test_bfloat16_and_gradients_are_drawn():
    weights = torch.softmax(torch.randn(3, 3, requires_grad=True), -1).bfloat16()
    plots.heatmap(weights)
    plots.heatmap([weights, weights])
    plots.heatmap({"a": weights})
    plots.bars(weights[0], ["a", "b", "c"])
    plots.bars({"a": weights[0, 0], "b": weights[0, 1]})
    plots.curves([1, 2, 3], {"a": weights[0]})
    plots.shaded_words(["a", "b", "c"], weights[0].clamp(0, 1))
    plots.heatmap(torch.eye(3, dtype=torch.bool))


def test_cells_that_hold_no_number_are_crossed_out(recwarn):
    nan, inf = float("nan"), float("inf")
    figure = plots.heatmap([[0.25, 0.05], [nan, -inf]])
    assert {"0.25", "0"} <= set(shown(figure))  # the scale is that of the numbers
    assert "Cells without a finite number: 2." in figure.alt
    assert "largest value, 0.25" in figure.alt
    assert figure.html().count("<path") == 1  # the crosses
    assert "<path" not in plots.heatmap(MATRIX).html()
    assert {"NaN", "−∞"} <= set(shown(plots.heatmap([[1, nan], [-inf, 0]], annotate=True)))
    assert "Cells without a finite number: 4." in plots.heatmap(np.full((2, 2), nan)).alt
    assert not recwarn.list


def test_a_heatmap_of_zeros_has_a_scale():
    assert {"0", "1"} <= set(shown(plots.heatmap(np.zeros((2, 2)), rows=["a", "b"])))
    assert {"0", "−3"} <= set(shown(plots.heatmap(np.full((2, 2), -3.0), rows=["a", "b"])))


def test_a_curve_has_a_gap_where_there_is_no_number():
    figure = plots.curves([1, 2, 3, 4], {"a": [1, float("inf"), float("nan"), 4]})
    assert "a: starts at 1, ends at 4. Values that leave a gap: 2." in figure.alt
    figure = plots.curves([1, 2, 3], {"a": [0.0, 1.0, 10.0]}, log_y=True)
    assert "a: starts at 1, ends at 10. Values that leave a gap: 1." in figure.alt


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plots.heatmap([[]]), "values: got .*, expected at least one cell"),
        (lambda: plots.heatmap([]), "values: got shape"),
        (lambda: plots.heatmap({}), "values: got no matrix"),
        (lambda: plots.heatmap([[1, 2], [3]]), "values: got rows of different lengths"),
        (lambda: plots.heatmap(["12", "34"]), "values: got .*, expected numbers"),
        (
            lambda: plots.heatmap([np.ones((2, 2)), np.ones((2, 3))]),
            "values: got matrices of shapes|values: got rows",
        ),
        (lambda: plots.heatmap(MATRIX, limits=(1, 0)), "limits: got 1 to 0"),
        (lambda: plots.curves([], {"a": []}), "x: got no numbers"),
        (lambda: plots.curves([1, 2], {}), "series: got none"),
        (lambda: plots.curves([1, float("nan")], {"a": [1, 2]}), "x: got NaN"),
        (lambda: plots.curves([0, 1], {"a": [1, 2]}, log_x=True), "x: got 0, expected positive"),
        (lambda: plots.curves([1], {"a": [float("nan")]}), r"series\['a'\]: got none that can be"),
        (
            lambda: plots.curves([1], {"a": ([1], [1])}),
            r"series\['a'\]: got 2 rows, expected \(middle",
        ),
        (lambda: plots.curves([1], {"a": [1]}, reference=float("inf")), "reference: got inf"),
        (lambda: plots.curves([1], {"a": [1]}, emphasis=["b"]), "emphasis: got"),
        (lambda: plots.bars([]), "values: got no numbers"),
        (lambda: plots.bars({}), "values: got no numbers"),
        (lambda: plots.bars([1, float("nan")]), "values: got NaN, expected finite"),
        (
            lambda: plots.bars([1, 2], spread=[[0, 2]]),
            r"spread: got shape \(1, 2\), expected \(2, 2\)",
        ),
        (lambda: plots.bars([1, 2], spread=[0, 2]), "spread: got shape"),
        (lambda: plots.bars([1], spread=[[2, 0]]), "spread: got a low that is not below its high"),
        (lambda: plots.bars([1], spread=[[0, float("inf")]]), "spread: got an infinite number"),
        (
            lambda: plots.bars({n: [1] for n in "abcdef"}),
            "values: got 6 series, expected at most 5",
        ),
        (lambda: plots.bars({"a": 1, "b": 2}, spread={"a": (0, 2)}), "spread: got"),
        (lambda: plots.bars({"a": [1], "b": [2]}, spread={"a": [[0, 2]]}), "spread: got"),
        (lambda: plots.shaded_words([], []), "words: got none"),
        (lambda: plots.shaded_words(["a", "b"], [float("nan"), 1]), "weights: got nan"),
    ],
)
def test_what_cannot_be_drawn_is_named(draw, message):
    with pytest.raises((ValueError, TypeError), match=message):
        draw()


def looks(figure, tag="path"):
    """How each path of a drawing looks, apart from the ink's."""
    html = figure.html()
    svg = ElementTree.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])
    return [{k: v for k, v in e.attrib.items() if k != "d"} for e in svg.iter(tag)]


@pytest.mark.parametrize("n", [50, 5])
def test_six_lines_differ_and_at_most_five_are_in_colour(n):
    lines = {f"line {i}": np.arange(n) * i for i in range(6)}
    figure = plots.curves(np.arange(n), lines)
    drawn = [line for line in figure.figure.axes[0].get_lines() if len(line.get_xdata()) == n]
    seen = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in drawn}
    assert len(seen) == 6
    colors = [line.get_color() for line in drawn]
    assert sorted(colors[:5]) == sorted(plots.COLORS)
    assert colors[5] == drawing.INK
    chosen = plots.curves(np.arange(n), lines, emphasis=["line 5"])
    colors = [line.get_color() for line in chosen.figure.axes[0].get_lines()[:6]]
    assert colors == [drawing.INK] * 5 + [plots.COLORS[0]]


def test_at_most_five_bars_are_in_colour():
    values = [0.1, 0.5, 0.4, -0.3, 0.2, 0.05, 0.6]
    labels = list("abcdefg")

    def blue(figure):
        bars = figure.figure.axes[0].patches
        return [
            label for label, bar in zip(labels, bars, strict=True) if bar.get_facecolor()[2] > 0.5
        ]

    assert blue(plots.bars(values, labels)) == ["b", "c", "d", "e", "g"]
    assert blue(plots.bars(values, labels, emphasis=["a"])) == ["a"]
    with pytest.raises(ValueError, match=r"emphasis: got .*, expected at most 5"):
        plots.bars(values, labels, emphasis=labels[:6])


def test_figures_with_one_text_alternative_share_no_ids():
    def clipped(height):
        figure, axis = plots.new_figure()
        axis.plot([0, 1], [0, height])
        axis.set_ylim(0, 1)
        return plots.picture(figure, "the same").html()

    first, second = (set(re.findall(r'\bid="([^"]+)"', clipped(height))) for height in (20, 30))
    assert first
    assert not first & second
    for html in (clipped(20), clipped(30)):
        assert set(re.findall(r"url\(#([^)]+)\)", html)) == set(re.findall(r'\bid="([^"]+)"', html))


def test_figures_are_light():
    """A text an element, and few paths beside: no groups, no definitions, nothing drawn twice."""
    for figure in every_figure(["a", "b", "c"]):
        html = figure.html()
        assert not re.search("<(g|defs|use|style|clipPath)", html)
        assert len(re.findall(r"<[a-z]", html)) - html.count("<text") <= 14
        assert len(html) < 6000


def test_what_a_light_drawing_keeps():
    figure, axis = plots.new_figure()
    axis.plot([0, 1], [0, 1], "o--", color="#123456")
    axis.set_title("bold", fontweight="bold", fontsize=20)
    axis.set_ylabel("turned")
    axis.bar([0], [1], hatch="//")
    html = plots.picture(figure, "x").html()
    assert 'font-weight="' in html
    assert 'font-size="20"' in html
    assert "rotate(-90 " in html
    assert "#123456" in html
    assert "<pattern" in html


def test_percentages_and_numbers_below_zero_have_a_true_minus():
    assert numbers.percent(-0.021) == "−2.1\u00a0%"
    assert numbers.percent(-0.0001, 0) == "0\u00a0%"
    assert numbers.percent(1e-6) == "0.0001\u00a0%"
    assert numbers.decimals(-0.001) == "0.00"
    assert numbers.decimals(-1.5) == "−1.50"
    assert "−0.20" in shown(plots.heatmap([[-0.2]], annotate=True))


@pytest.mark.parametrize(
    ("value", "written"),
    [(1e-8, "10⁻⁸"), (-1e6, "−10⁶"), (2.5e-8, "2.5\u00a0×\u00a010⁻⁸"), (1e4, "10,000")],
)
def test_a_power_of_ten_is_written_without_a_factor(value, written):
    assert numbers.number(value) == written


def test_a_legend_hides_no_line():
    lines = {f"line {i}": [i, 10, i] for i in range(5)}
    figure = plots.curves([1, 2, 3], lines, title="T", x="x", y="y").figure
    figure.draw_without_rendering()
    (axis,), (legend,) = figure.axes, figure.legends
    assert not axis.get_tightbbox().overlaps(legend.get_window_extent())
    assert legend.get_window_extent().y0 >= 0


def test_the_line_of_comparison_is_named_in_the_legend_where_there_is_one():
    def legend(picture):
        return [text.get_text() for each in picture.figure.legends for text in each.get_texts()]

    both = {"ours": [1, 2], "theirs": [2, 1]}
    assert legend(plots.curves([1, 2], both, reference=1, y="loss")) == ["ours", "theirs", ""]
