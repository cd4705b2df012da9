"""The still pictures and tables that stand in for an explorable where scripts do not run."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from attention_course import markup
from attention_course.markup import code_spans, element, escape
from attention_course.numbers import decimals as number
from attention_course.palette import BLUE, ORANGE


def svg(width: int, height: int, alt: str, *shapes: str) -> str:
    """A drawing with a text alternative, at most as wide as the page allows."""
    return element(
        "svg",
        *shapes,
        class_="ac-drawing",
        viewBox=f"0 0 {width} {height}",
        width=width,
        role="img",
        aria_label=alt,
    )


def text(x: float, y: float, content: str, **attributes: object) -> str:
    """A line of text in a drawing."""
    return element("text", escape(content), x=x, y=y, **attributes)


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose first column names the rows."""
    return element("div", markup.table(caption, head, rows, class_="ac-table"), class_="ac-scroll")


def bars(labels: Sequence[str], values: Sequence[float], alt: str) -> str:
    """One bar for each label, from the left, with its share of one as a percentage."""
    shapes = []
    for row, (label, value) in enumerate(zip(labels, values, strict=True)):
        y, long = 24 * row, max(1.0, 240 * float(value))
        shapes += [
            text(96, y + 17, label, text_anchor="end"),
            element("rect", x=104, y=y + 5, width=long, height=14, rx=3, fill=BLUE),
            text(112 + long, y + 17, f"{number(100 * value, 1)}%"),
        ]
    return svg(420, 24 * len(labels) + 4, alt, *shapes)


def pixels(values: Any, alt: str) -> str:
    """A matrix of numbers from −1 to 1 as a picture: blue above zero, orange below, clear at zero.

    The colours carry their own transparency, so that the picture suits a light and a dark page.
    """
    values = np.asarray(values, dtype=float)
    rgba = np.empty((*values.shape, 4), dtype=np.uint8)
    for sign, colour in ((values >= 0, BLUE), (values < 0, ORANGE)):
        rgba[sign, :3] = list(bytes.fromhex(colour[1:]))
    rgba[..., 3] = np.round(235 * np.abs(values))
    png = io.BytesIO()
    Image.fromarray(rgba).save(png, "PNG", optimize=True)
    source = f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
    return f'<img class="ac-pixels" src="{source}" alt="{escape(alt)}">'


def options(texts: Iterable[str]) -> str:
    """A list of answers to choose from; what stands in backticks is code."""
    return element("ul", *(element("li", code_spans(text)) for text in texts))
