"""The book's figures: matplotlib drawings that the browser sets in the reader's language and theme.

A figure becomes inline SVG with live text: the ink is the page's own (``currentColor``), so one
drawing serves light and dark pages, and glyphs come from the reader's fonts. Each figure has a text
alternative; where the caller gives none it is written from the numbers.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from . import _metrics_font
from .language import word
from .markup import Display, escape

BLUE, ORANGE, GREEN, PURPLE = COLORS = ["#3b82c4", "#d9731a", "#2e9e6b", "#9a6dd7"]
_DASHES = ["-", "--", "-.", ":"]  # so that lines differ without colour too
_MARKERS = ["o", "s", "^", "D"]
WIDTH = 6.2  # inches: fills a column of text, and can still be read on a phone
_INK = "#010203"  # drawn as this, shown as currentColor
_UNDER_TEXT = 0.45  # how opaque a colour may be where ink, light or dark, stands on it


def _style() -> dict[str, Any]:
    return {
        "svg.fonttype": "none",
        "font.family": ["DejaVu Sans", _metrics_font.register()],
        "font.size": 11.5,
        "axes.titlesize": 12.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.unicode_minus": True,
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "axes.edgecolor": _INK,
        "axes.facecolor": "none",
        "figure.facecolor": "none",
        "xtick.color": _INK,
        "ytick.color": _INK,
        "legend.frameon": False,
        "lines.linewidth": 2,
        "grid.color": _INK,
        "grid.alpha": 0.12,
        "axes.linewidth": 0.8,
    }


class Picture(Display):
    """A finished figure.

    Attributes:
        figure: the matplotlib figure.
        alt: what the figure shows, in words.
    """

    def __init__(self, figure: Figure, alt: str) -> None:
        if not alt:
            raise ValueError("alt: got an empty text, expected what the figure shows, in words")
        self.figure, self.alt = figure, alt
        with matplotlib.rc_context(_style()):
            self._svg = self._draw()

    def _draw(self) -> str:
        salt = hashlib.sha256(self.alt.encode()).hexdigest()[:8]
        buffer = io.StringIO()
        with matplotlib.rc_context({"svg.hashsalt": salt}):
            self.figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        svg = buffer.getvalue()
        svg = svg[svg.index("<svg") :]
        svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
        svg = svg.replace(_INK, "currentColor")
        svg = re.sub(r"font: ?([\d.]+px) [^;\"]*", r"font-size: \1", svg)
        svg = re.sub(r"font-family: [^;\"]*;? ?", "", svg)
        svg = re.sub(r"\s*\n\s*", "\n", svg)
        svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>p{salt}-", svg)
        return svg.replace("<svg ", '<svg aria-hidden="true" ', 1)

    def html(self) -> str:
        label = escape(self.alt)
        return f'<div class="ac ac-picture" role="img" aria-label="{label}">{self._svg}</div>'

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
    with matplotlib.rc_context(_style()):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(rows, columns, **options)


def picture(figure: Figure, alt: str) -> Picture:
    """Show a figure that was made with :func:`new_figure`; ``alt`` says in words what it shows."""
    return Picture(figure, alt)


def number(value: float) -> str:
    """A number as short as it can be read: 3 significant digits, no needless zeros."""
    value = float(value)
    if not np.isfinite(value):
        return f"{value:g}"
    if value == round(value) and abs(value) < 1e5:
        return f"{value:,.0f}".replace("-", "−")
    if 1e-3 <= abs(value) < 1e5:
        return f"{float(f'{value:.3g}'):,.10g}".replace("-", "−")
    mantissa, exponent = f"{value:.2e}".split("e")
    digits = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa.rstrip('0').rstrip('.')} × 10{digits}".replace("-", "−")


def _as_array(name: str, values: Any, dimensions: int) -> np.ndarray:
    detached = values.detach().cpu().numpy() if hasattr(values, "detach") else values
    array = np.asarray(detached, dtype=float)
    if array.ndim != dimensions:
        raise ValueError(
            f"{name}: got shape {array.shape}, expected {dimensions} "
            f"dimension{'s' if dimensions > 1 else ''}"
        )
    return array


def heatmap(
    values: Any,
    *,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    x: str = "",
    y: str = "",
    title: str = "",
    titles: Sequence[str] | None = None,
    annotate: bool = False,
    limits: tuple[float, float] | None = None,
    alt: str | None = None,
) -> Picture:
    """Matrices as coloured cells: blue for positive numbers, orange for negative ones.

    Args:
        values: one matrix ``(n_rows, n_columns)``, or a list of matrices drawn side by side on one
            colour scale.
        rows, columns: a label for each row and column.
        x, y: what the columns and rows are.
        title: over the whole figure; ``titles``: over each panel.
        annotate: write each number into its cell.
        limits: the numbers at the ends of the scale; by default those of the data, 0 included.
        alt: text alternative; by default written from the numbers.
    """
    several = isinstance(values, (list, tuple)) and np.ndim(values[0]) == 2
    panels = list(values) if several else [values]
    matrices = [_as_array("values", panel, 2) for panel in panels]
    n_rows, n_columns = matrices[0].shape
    for name, labels, size in (("rows", rows, n_rows), ("columns", columns, n_columns)):
        if labels is not None and len(labels) != size:
            raise ValueError(f"{name}: got {len(labels)} labels, expected {size}")
    if titles is not None and len(titles) != len(matrices):
        raise ValueError(f"titles: got {len(titles)}, expected one a panel, {len(matrices)}")
    low = min(0.0, *(m.min() for m in matrices)) if limits is None else limits[0]
    high = max(0.0, *(m.max() for m in matrices)) if limits is None else limits[1]

    many = max(n_rows, n_columns) > 24  # too many cells to keep them square
    cell = min(0.56, 5.0 / (n_columns * len(matrices)), 4.6 / n_rows)  # inches
    label_width = max((_width(label) for label in columns or [""]), default=0) * 0.085
    turned = columns is not None and label_width > cell
    width = n_columns * cell * len(matrices) + 0.9 + 0.09 * max(map(_width, rows or [""]))
    height = n_rows * cell + 0.5 + 0.25 * bool(x) + 0.3 * bool(title) + 0.3 * bool(titles)
    height += 0.7 * label_width if turned else 0
    figure, axes = new_figure(
        *((WIDTH, 3.8) if many else (min(width, WIDTH), height)),
        columns=len(matrices),
        squeeze=False,
    )
    with matplotlib.rc_context(_style()):
        for i, (axis, matrix) in enumerate(zip(axes[0], matrices, strict=True)):
            axis.imshow(
                _cell_colors(matrix, low, high, _UNDER_TEXT if annotate else 0.95),
                aspect="auto" if many else "equal",
                interpolation="nearest",
            )
            _cell_ticks(axis, rows if i == 0 else None, columns, turned, keep_rows=i == 0)
            axis.set_xlabel(x)
            if i == 0:
                axis.set_ylabel(y)
            if titles is not None:
                axis.set_title(titles[i])
            if annotate:
                for (r, c), value in np.ndenumerate(matrix):
                    axis.text(c, r, f"{value:.2f}".replace("-", "−"), ha="center", va="center")
        if not annotate:
            _scale(figure, axes[0], low, high)
        if title:
            figure.suptitle(title)
    return Picture(figure, alt or _heatmap_alt(title or y, matrices, rows, columns, titles))


def _width(label: str) -> float:
    """How wide a label is, in Latin letters."""
    return sum(2.0 if ord(c) > 0x2E80 else 1.0 for c in label)


def _cell_colors(matrix: np.ndarray, low: float, high: float, most: float = 0.95) -> np.ndarray:
    """Blue (positive) or orange (negative), the more opaque the larger: ``(rows, columns, 4)``."""
    largest = max(abs(low), abs(high)) or 1.0
    colors = np.empty((*matrix.shape, 4))
    for mask, color in ((matrix >= 0, BLUE), (matrix < 0, ORANGE)):
        colors[mask, :3] = matplotlib.colors.to_rgb(color)
    colors[..., 3] = 0.03 + (most - 0.03) * np.clip(np.abs(matrix) / largest, 0, 1)
    return colors


def _cell_ticks(
    axis: Axes,
    rows: Sequence[str] | None,
    columns: Sequence[str] | None,
    turned: bool,
    keep_rows: bool,
) -> None:
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    if columns is not None:
        options = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if turned else {}
        axis.set_xticks(range(len(columns)), columns, **options)
    if rows is not None:
        axis.set_yticks(range(len(rows)), rows)
    elif not keep_rows:
        axis.set_yticks([])


def _scale(figure: Figure, axes: Any, low: float, high: float) -> None:
    """A colour scale at the right."""
    steps = np.linspace(high, low, 64)[:, None]  # (64, 1)
    bar = figure.colorbar(
        matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(low, high)),
        ax=list(axes),
        fraction=0.04,
        pad=0.02,
        aspect=18,
    )
    bar.ax.clear()
    bar.ax.imshow(_cell_colors(steps, low, high), aspect="auto", extent=(0, 1, low, high))
    bar.ax.set_xticks([])
    bar.ax.yaxis.tick_right()
    bar.ax.set_yticks([low, high] if low == 0 or high == 0 else [low, 0, high])
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))
    bar.ax.tick_params(length=0)
    bar.ax.spines[:].set_visible(False)


def _heatmap_alt(
    title: str,
    matrices: Sequence[np.ndarray],
    rows: Sequence[str] | None,
    columns: Sequence[str] | None,
    titles: Sequence[str] | None,
) -> str:
    said = []
    for i, matrix in enumerate(matrices):
        r, c = np.unravel_index(np.argmax(matrix), matrix.shape)
        said.append(
            word(
                "display.alt.heatmap",
                title=titles[i] if titles else title,
                rows=matrix.shape[0],
                columns=matrix.shape[1],
                row=rows[r] if rows else r + 1,
                column=columns[c] if columns else c + 1,
                value=number(matrix[r, c]),
            )
        )
    return " ".join(said)


def _plain_log_ticks(axis: Any, values: np.ndarray) -> None:
    """Ticks that are written as numbers, not as typeset powers."""
    axis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))
    axis.set_minor_formatter(NullFormatter())
    if len(values) <= (10 if np.all(values == np.round(values)) else 6):
        axis.set_ticks(list(values), labels=[number(v) for v in values])
        axis.set_ticks([], minor=True)


def curves(
    x: Any,
    series: Mapping[str, Any],
    *,
    x_label: str = "",
    y_label: str = "",
    title: str = "",
    log_x: bool = False,
    log_y: bool = False,
    reference: float | None = None,
    reference_label: str = "",
    alt: str | None = None,
) -> Picture:
    """One line for each series.

    Args:
        x: ``(n,)``.
        series: label → ``(n,)``, or label → ``(middle, low, high)`` of ``(n,)`` each, which shades
            the band between low and high.
        reference: draws a level line, named ``reference_label`` (chance, say).
    """
    x = _as_array("x", x, 1)
    figure, axis = new_figure()
    said = []
    with matplotlib.rc_context(_style()):
        for i, (label, line) in enumerate(series.items()):
            band = None
            if isinstance(line, tuple):
                line, *band = line
            line = _as_array(f"series[{label!r}]", line, 1)
            if line.shape != x.shape:
                raise ValueError(
                    f"series[{label!r}]: got {len(line)} numbers, expected {len(x)}, as many as x"
                )
            color = COLORS[i % len(COLORS)]
            few = len(x) <= 24
            axis.plot(
                x,
                line,
                _DASHES[i % 4],
                color=color,
                label=label,
                marker=_MARKERS[i % 4] if few else None,
                markersize=4.5,
            )
            if band is not None:
                low, high = (_as_array(f"series[{label!r}]", b, 1) for b in band)
                axis.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0)
            said.append(
                word(
                    "display.alt.curve",
                    label=label,
                    start=number(line[0]),
                    end=number(line[-1]),
                )
            )
        if reference is not None:
            axis.axhline(reference, color=_INK, alpha=0.55, linewidth=1, linestyle=(0, (2, 3)))
            axis.text(
                0.995, reference, reference_label, ha="right", va="bottom", alpha=0.8,
                transform=axis.get_yaxis_transform(),
            )  # fmt: skip
        if log_x:
            axis.set_xscale("log")
            _plain_log_ticks(axis.xaxis, x)
        if log_y:
            axis.set_yscale("log")
            _plain_log_ticks(axis.yaxis, np.arange(0.0, 11.5))
        axis.grid(True)
        axis.set(xlabel=x_label, ylabel=y_label, title=title)
        if len(series) > 1 or next(iter(series)):
            axis.legend()
    heading = title or word("display.alt.against", y=y_label, x=x_label)
    span = word("display.alt.span", start=number(x[0]), end=number(x[-1]))
    return Picture(figure, alt or " ".join([f"{heading} {span}", *said]))


def bars(
    labels: Sequence[str],
    values: Any,
    *,
    spread: Any = None,
    reference: float | None = None,
    reference_label: str = "",
    x_label: str = "",
    y_label: str = "",
    title: str = "",
    limits: tuple[float, float] | None = None,
    alt: str | None = None,
) -> Picture:
    """Bars that grow to the right, one group for each label.

    Args:
        labels: a name for each group.
        values: ``(n,)``, or series label → ``(n,)`` for several bars a group.
        spread: like ``values``, with ``(low, high)`` at each place: ``(n, 2)``.
        reference: draws a line across, named ``reference_label``.
        x_label: what the length means; ``y_label``: what the groups are.
    """
    grouped = values if isinstance(values, Mapping) else {"": values}
    spreads = spread if isinstance(spread, Mapping) else {"": spread}
    n, groups = len(labels), len(grouped)
    figure, axis = new_figure(WIDTH, 1.1 + n * max(0.38, 0.26 * groups + 0.14))
    said = []
    with matplotlib.rc_context(_style()):
        thickness = 0.74 / groups
        for i, (name, row) in enumerate(grouped.items()):
            row = _as_array("values", row, 1)
            if len(row) != n:
                raise ValueError(f"values: got {len(row)} numbers, expected {n}, one a label")
            places = np.arange(n) + (i - (groups - 1) / 2) * thickness
            axis.barh(
                places, row, thickness * 0.92, color=COLORS[i % 4], alpha=0.85, label=name or None
            )
            ends = row
            if spreads.get(name) is not None:
                band = _as_array("spread", spreads[name], 2)  # (n, 2)
                lengths = np.stack([row - band[:, 0], band[:, 1] - row]).clip(0)
                axis.errorbar(row, places, xerr=lengths, fmt="none", ecolor=_INK, capsize=3)
                ends = np.where(row < 0, np.minimum(row, band[:, 0]), np.maximum(row, band[:, 1]))
            for place, value, end in zip(places, row, ends, strict=True):
                side = -1 if value < 0 else 1
                axis.annotate(
                    number(value),
                    (end, place),
                    (5 * side, 0),
                    textcoords="offset points",
                    ha="right" if value < 0 else "left",
                    va="center",
                )
            said.extend(
                word("display.alt.bar", label=f"{label} {name}".strip(), value=number(value))
                for label, value in zip(labels, row, strict=True)
            )
        if reference is not None:
            axis.axvline(reference, color=_INK, alpha=0.55, linewidth=1, linestyle=(0, (2, 3)))
            axis.annotate(
                reference_label, (reference, 1), (4, 2), xycoords=("data", "axes fraction"),
                textcoords="offset points", va="bottom", alpha=0.8,
            )  # fmt: skip
        axis.set_yticks(range(n), labels)
        axis.invert_yaxis()
        axis.tick_params(axis="y", length=0)
        axis.margins(x=0.12)
        if limits is not None:
            axis.set_xlim(limits)
        axis.set(xlabel=x_label, ylabel=y_label)
        axis.set_title(title, pad=18 if reference is not None else 8)
        if groups > 1:
            axis.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return Picture(figure, alt or " ".join([f"{title or x_label}:", *said]))


class ShadedWords(Display):
    """A sentence as text, each word on a ground as blue as its weight.

    Attributes:
        alt: the words and their weights, in words.
    """

    def __init__(self, words: Sequence[str], weights: np.ndarray) -> None:
        self._words, self._weights = list(words), weights
        said = word("display.card.join").join(
            word("display.alt.weight", word=each, weight=self._percent(weight))
            for each, weight in zip(words, weights, strict=True)
            if self._percent(weight)
        )
        self.alt = word("display.alt.weights", sentence=" ".join(words), weights=said)

    @staticmethod
    def _percent(weight: float) -> str:
        """The weight, or nothing where it would read as 0 %."""
        return word("display.card.percent", value=f"{100 * weight:.0f}") if weight >= 0.005 else ""

    def html(self) -> str:
        spans = "".join(
            f'<span style="--ground:{100 * _UNDER_TEXT * weight:.0f}%">{escape(each)}'
            f"<small>{self._percent(weight)}</small></span>"
            for each, weight in zip(self._words, self._weights, strict=True)
        )
        return f'<div class="ac ac-words" role="img" aria-label="{escape(self.alt)}">{spans}</div>'

    def text(self) -> str:
        return self.alt


def shaded_words(words: Sequence[str], weights: Any) -> ShadedWords:
    """A sentence with a weight for each word, written as text that wraps on a narrow page.

    Args:
        words: the sentence.
        weights: ``(n,)``, from 0 to 1.

    Raises:
        ValueError: not one weight for each word, or a weight outside 0 to 1.
    """
    weights = _as_array("weights", weights, 1)
    if len(weights) != len(words):
        raise ValueError(f"weights: got {len(weights)} numbers, expected {len(words)}, one a word")
    if weights.min() < -1e-6 or weights.max() > 1 + 1e-6:
        raise ValueError(
            f"weights: got {weights.min():g} to {weights.max():g}, expected numbers from 0 to 1"
        )
    return ShadedWords(words, weights.clip(0, 1))
