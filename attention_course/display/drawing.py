"""How a matplotlib figure becomes part of a page.

A figure becomes inline SVG with live text: the ink is the page's own (``currentColor``), so one
drawing serves light and dark pages, and glyphs come from the reader's fonts. Each figure has a text
alternative. A figure carries all its settings with it, so that a reader's own matplotlib settings
neither stop nor change it, and text is shown as it is written, dollar signs included.
"""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from typing import Any

import matplotlib.style
from matplotlib.figure import Figure

from . import _metrics_font
from .markup import Display, escape
from .svg import lightened

WIDTH = 5.0  # inches: wide enough for a column of text, narrow enough to be read on a phone
INK = "#010203"  # drawn as this, shown as currentColor


def settings() -> AbstractContextManager[None]:
    """matplotlib's defaults with the book's look on them, whatever the reader has set."""
    look = {
        "svg.fonttype": "none",
        "text.parse_math": False,
        "font.family": ["DejaVu Sans", _metrics_font.register()],
        "font.size": 11.5,
        "axes.titlesize": 12.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": INK,
        "axes.facecolor": "none",
        "figure.facecolor": "none",
        "xtick.color": INK,
        "ytick.color": INK,
        "legend.frameon": False,
        "lines.linewidth": 2,
        "grid.color": INK,
        "grid.alpha": 0.12,
        "axes.linewidth": 0.8,
    }
    return matplotlib.style.context(["default", look])


class Picture(Display):
    """A figure as a page shows it. It is drawn when it is shown, so it can be added to before.

    Attributes:
        figure: the matplotlib figure.
        alt: what the figure shows, in words.
    """

    def __init__(self, figure: Figure, alt: str) -> None:
        if not alt:
            raise ValueError("alt: got an empty text, expected what the figure shows, in words")
        self.figure, self.alt = figure, alt

    def _svg(self) -> str:
        buffer = io.StringIO()
        with settings(), matplotlib.rc_context({"svg.hashsalt": "attention-course"}):
            self.figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        return lightened(buffer.getvalue(), INK)

    def html(self) -> str:
        label = escape(self.alt)
        return f'<div class="ac ac-picture" role="img" aria-label="{label}">{self._svg()}</div>'

    def text(self) -> str:
        return self.alt


def new_figure(
    width: float = WIDTH, height: float = 3.2, columns: int = 1, rows: int = 1, **options: Any
) -> tuple[Figure, Any]:
    """A figure in the book's style and its axes, as ``Figure.subplots`` gives them.

    Args:
        width, height: inches; a column of text is :data:`WIDTH` wide.
        columns, rows: the grid of axes.
        options: passed on to ``Figure.subplots``.
    """
    with settings():
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(rows, columns, **options)


def picture(figure: Figure, alt: str) -> Picture:
    """Show a figure that was made with :func:`new_figure`; ``alt`` says in words what it shows."""
    return Picture(figure, alt)
