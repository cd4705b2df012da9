"""What stands in words is shown as it is meant: code, emphasis, colours that can be seen."""

import pytest

from attention_course import markup, palette


@pytest.mark.parametrize(
    ("text", "html", "plain"),
    [
        ("True means *may*.", "True means <em>may</em>.", "True means may."),
        (
            "这里*可以*看，**一定**要看",
            "这里<em>可以</em>看，<strong>一定</strong>要看",
            "这里可以看，一定要看",
        ),
        ("`a * b * c` is 2*3*4", "<code>a * b * c</code> is 2*3*4", "`a * b * c` is 2*3*4"),
        ("a * b * c", "a * b * c", "a * b * c"),
        ("`*args` and *more*", "<code>*args</code> and <em>more</em>", "`*args` and more"),
        ("*<b>*", "<em>&lt;b&gt;</em>", "<b>"),
        ("one * only", "one * only", "one * only"),
    ],
)
def test_stars_are_emphasis_and_backticks_code(text, html, plain):
    assert markup.code_spans(text) == html
    assert markup.without_marks(text) == plain


def test_an_element_escapes_its_attributes():
    made = markup.element("i", "<b></b>", class_="a", stroke_width=1.23456, viewBox='"')
    assert made == '<i class="a" stroke-width="1.235" viewBox="&quot;"><b></b></i>'


def luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("page", ["#ffffff", "#14181e"])
@pytest.mark.parametrize("color", palette.COLORS)
def test_colours_stand_out_from_a_light_and_a_dark_page(color, page):
    """WCAG 2.2, success criterion 1.4.11: graphical objects, 3 to 1."""
    low, high = sorted([luminance(color), luminance(page)])
    assert (high + 0.05) / (low + 0.05) >= 3


def test_the_style_sheet_knows_every_colour():
    for color in palette.COLORS:
        assert f":{color}" in markup.style()
