"""The book's figures, in the reader's language and the page's own ink.

A figure's words are all at one key, which is given as ``key``: ``title``, the axes' names ``x`` and
``y``, ``reference`` (the name of the line of comparison), ``alt`` (the text alternative; written
from the numbers where it is missing), and tables that name what the code calls ``{"city": …}``:
``series``, ``bars``, ``titles``, ``rows``, ``columns``. ``values={…}`` fills their placeholders. A
word can also be given outright, under the same name: ``title="…"``. All words are shown as they
are, dollar signs and underscores included.

At most five lines or bars are in colour, so that a figure says one thing; the rest is grey. Which
five: those that ``emphasis`` names, else the first lines, the longest bars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgb, to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from .captions import Caption
from .diagram import data_flow
from .drawing import INK, WIDTH, Picture, new_figure, picture, settings
from .language import word
from .markup import Display, escape
from .numbers import as_array, as_number, decimals, number, percent
from .palette import BLUE, COLORS, GREEN, ORANGE, PURPLE

__all__ = [
    "BLUE",
    "COLORS",
    "GREEN",
    "ORANGE",
    "PURPLE",
    "Picture",
    "bars",
    "curves",
    "data_flow",
    "heatmap",
    "new_figure",
    "number",
    "picture",
    "shaded_words",
]

MOST = len(COLORS)  # so many lines or bars are in colour
_GREY = 0.45  # how strong the ink of the others is
_DASHES = ["-", "--", "-.", ":"]  # so that lines differ without colour too:
_MARKERS = ["o", "s", "^", "D", "v"]  # 20 looks
_REFERENCE = {"color": INK, "alpha": 0.55, "linewidth": 1, "linestyle": (0, (2, 3))}
_UNDER_TEXT = 0.45  # how opaque a colour may be where ink, light or dark, stands on it


def heatmap(
    values: Any,
    /,
    *,
    key: str | None = None,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    annotate: bool = False,
    limits: tuple[float, float] | None = None,
    **said: Any,
) -> Picture:
    """Matrices as coloured cells: blue for positive numbers, orange for negative ones.

    A cell that holds no finite number is crossed out; it has no part in the scale.

    Args:
        values: one matrix ``(n_rows, n_columns)``, or several drawn side by side on one colour
            scale: a list, or name → matrix, named in the key's table ``titles``.
        key: where the figure's words are.
        rows, columns: a label for each row and column.
        annotate: write each number into its cell.
        limits: the numbers at the ends of the scale; by default those of the data, 0 included.
        said: words given outright.

    Raises:
        ValueError: nothing to draw, matrices of different shapes, or not one label for each row,
            column or panel.
    """
    caption = Caption(key, said)
    panels = _panels(values)
    matrices = list(panels.values())
    n_rows, n_columns = matrices[0].shape
    rows = _labels("rows", caption.names("rows", rows), n_rows)
    columns = _labels("columns", caption.names("columns", columns), n_columns)
    named = list(panels) if isinstance(values, Mapping) else None
    titles = _labels("titles", caption.names("titles", named), len(matrices))
    low, high = _range(matrices) if limits is None else _pair("limits", limits)

    title, x, y = (caption.text(name) for name in ("title", "x", "y"))
    square = max(n_rows, n_columns) <= 24  # more cells would be too small
    width, height, turned = _size(matrices, rows, columns)
    height += 0.25 * bool(x) + 0.3 * bool(title) + 0.3 * bool(titles)
    size = (width, height) if square else (WIDTH, 3.8)
    figure, axes = new_figure(*size, columns=len(matrices), squeeze=False)
    with settings():
        colors = _colors(low, high, _UNDER_TEXT if annotate else 0.95)
        for i, (axis, matrix) in enumerate(zip(axes[0], matrices, strict=True)):
            image = axis.imshow(
                np.ma.masked_invalid(matrix),
                colors,
                vmin=low,
                vmax=high,
                aspect="equal" if square else "auto",
                interpolation="none",
            )
            _cell_ticks(axis, rows if i == 0 else None, columns, turned, keep_rows=i == 0)
            axis.set(xlabel=x, ylabel="" if i else y, title=titles[i] if titles else "")
            _cross_out(axis, matrix, annotate)
            for (r, c), value in np.ndenumerate(matrix) if annotate else ():
                axis.text(c, r, decimals(value), ha="center", va="center")
        if not annotate:
            _scale(figure, axes[0], image, low, high)
        if title:
            figure.suptitle(title)
    alt = caption.text("alt") or _heatmap_alt(title or y, matrices, rows, columns, titles)
    return Picture(figure, alt)


def _size(
    matrices: Sequence[np.ndarray], rows: Sequence[str] | None, columns: Sequence[str] | None
) -> tuple[float, float, bool]:
    """Width and height of cells and labels in inches; whether the columns' labels are turned."""
    n_rows, n_columns = matrices[0].shape
    cell = min(0.56, 4.1 / (n_columns * len(matrices)), 4.6 / n_rows)
    label = 0.085 * max(map(_width, columns or [""]))
    turned = label > cell
    width = n_columns * cell * len(matrices) + 0.9 + 0.09 * max(map(_width, rows or [""]))
    return min(width, WIDTH), n_rows * cell + 0.5 + 0.7 * label * turned, turned


def _panels(values: Any) -> dict[Any, np.ndarray]:
    """Name → matrix: the matrices to draw side by side, all of one shape."""
    if isinstance(values, Mapping):
        panels = dict(values)
    elif isinstance(values, (list, tuple)) and as_array("values", values[:1]).ndim == 3:
        panels = dict(enumerate(values))
    else:
        panels = {0: values}
    matrices = {name: as_array("values", panel, 2) for name, panel in panels.items()}
    shapes = {matrix.shape for matrix in matrices.values()}
    if len(shapes) > 1:
        listed = ", ".join(map(str, sorted(shapes)))
        raise ValueError(f"values: got matrices of shapes {listed}, expected one shape")
    if not shapes or 0 in next(iter(shapes)):
        raise ValueError(f"values: got {shapes or 'no matrix'}, expected at least one cell")
    return matrices


def _labels(name: str, labels: list[str] | None, size: int) -> list[str] | None:
    if labels is not None and len(labels) != size:
        raise ValueError(f"{name}: got {len(labels)} labels, expected {size}")
    return labels


def _pair(name: str, pair: Any) -> tuple[float, float]:
    """Two finite numbers, the smaller first."""
    low, high = (as_number(name, value) for value in pair)
    if not low < high:
        raise ValueError(f"{name}: got {low:g} to {high:g}, expected the smaller number first")
    return low, high


def _range(matrices: Sequence[np.ndarray]) -> tuple[float, float]:
    """The ends of the scale: smallest and largest finite number, 0 included."""
    finite = np.concatenate([matrix[np.isfinite(matrix)] for matrix in matrices])
    low, high = min(0.0, finite.min(initial=0.0)), max(0.0, finite.max(initial=0.0))
    return low, high if low < high else 1.0


def _width(label: str) -> float:
    """How wide a label is, in Latin letters."""
    return sum(2.0 if ord(c) > 0x2E80 else 1.0 for c in label)


def _colors(low: float, high: float, most: float) -> ListedColormap:
    """From ``low`` to ``high``: blue above 0, orange below, the more opaque the larger."""
    steps = np.linspace(low, high, 256)
    colors = np.empty((256, 4))
    for mask, color in ((steps >= 0, BLUE), (steps < 0, ORANGE)):
        colors[mask, :3] = to_rgb(color)
    colors[:, 3] = 0.03 + (most - 0.03) * np.abs(steps) / np.abs(steps).max()
    return ListedColormap(colors)


def _cross_out(axis: Axes, matrix: np.ndarray, annotated: bool) -> None:
    """A cross in each cell without a finite number, unless the cell says it in words."""
    rows, columns = np.nonzero(~np.isfinite(matrix))
    if len(rows) and not annotated:
        width = axis.get_window_extent().width / matrix.shape[1]
        axis.plot(columns, rows, "x", color=INK, alpha=_GREY, markersize=min(9.0, 0.5 * width))


def _cell_ticks(
    axis: Axes,
    rows: Sequence[str] | None,
    columns: Sequence[str] | None,
    turned: bool,
    keep_rows: bool,
) -> None:
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    for each in (axis.xaxis, axis.yaxis):
        each.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
    if columns is not None:
        options = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if turned else {}
        axis.set_xticks(range(len(columns)), columns, **options)
    if rows is not None:
        axis.set_yticks(range(len(rows)), rows)
    elif not keep_rows:
        axis.set_yticks([])


def _scale(figure: Figure, axes: Any, image: Any, low: float, high: float) -> None:
    """A colour scale at the right."""
    ticks = [low, high] if low * high == 0 else [low, 0, high]
    bar = figure.colorbar(
        image,
        ax=list(axes),
        fraction=0.04,
        pad=0.02,
        aspect=18,
        ticks=ticks,
        format=FuncFormatter(lambda value, _: number(value)),
    )
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0)


def _heatmap_alt(
    title: str,
    matrices: Sequence[np.ndarray],
    rows: Sequence[str] | None,
    columns: Sequence[str] | None,
    titles: Sequence[str] | None,
) -> str:
    said = []
    for i, matrix in enumerate(matrices):
        name, size = (
            titles[i] if titles else title,
            {"rows": len(matrix), "columns": matrix[0].size},
        )
        lacking = int(np.sum(~np.isfinite(matrix)))
        if lacking < matrix.size:
            r, c = np.unravel_index(
                np.argmax(np.where(np.isfinite(matrix), matrix, -np.inf)), matrix.shape
            )
            said.append(
                word(
                    "display.alt.heatmap",
                    title=name,
                    row=rows[r] if rows else r + 1,
                    column=columns[c] if columns else c + 1,
                    value=number(matrix[r, c]),
                    **size,
                )
            )
        else:
            said.append(word("display.alt.heatmap_empty", title=name, **size))
        if lacking:
            said.append(word("display.alt.not_finite", count=lacking))
    return " ".join(said)


def curves(
    x: Any,
    series: Mapping[Any, Any],
    /,
    *,
    key: str | None = None,
    log_x: bool = False,
    log_y: bool = False,
    reference: float | None = None,
    emphasis: Sequence[Any] | None = None,
    **said: Any,
) -> Picture:
    """One line for each series; a gap where a number is not finite or a logarithm has no place.

    Args:
        x: ``(n,)``.
        series: name → ``(n,)``, or name → ``(middle, low, high)`` of ``(n,)`` each, which shades
            the band between low and high. The key's table ``series`` has the names for readers.
        key: where the figure's words are.
        reference: draws a level line (chance, say), named by the key's ``reference``: in the legend
            where there is one.
        emphasis: the names of the lines in colour, five at most.
        said: words given outright.

    Raises:
        ValueError: no numbers, not one for each place of x, or a series without a finite number.
    """
    caption = Caption(key, said)
    x = _places("x", x, log_x)
    if not series:
        raise ValueError("series: got none, expected at least one")
    lines = {name: _line(f"series[{name!r}]", line, x, log_y) for name, line in series.items()}
    names = caption.names("series", list(lines))
    colored = _emphasised(list(lines), emphasis, list(lines)[:MOST])
    figure, axis = new_figure()
    texts, handles = [], []
    with settings():
        for i, (name, shown) in enumerate(zip(lines, names, strict=True)):
            line, *band = lines[name]
            color = COLORS[colored.index(name)] if name in colored else INK
            handles += axis.plot(
                x,
                line,
                _DASHES[i % len(_DASHES)],
                color=color,
                alpha=None if name in colored else _GREY,
                marker=_MARKERS[i % len(_MARKERS)] if len(x) <= 24 or len(lines) > 4 else None,
                markevery=max(1, len(x) // 12),
                markersize=4.5,
                zorder=2 + (name in colored),
            )
            if band:
                axis.fill_between(x, *band, color=color, alpha=0.18, linewidth=0)
            texts += _curve_alt(shown, line)
        if log_x:
            axis.set_xscale("log")
            _plain_log_ticks(axis.xaxis, x)
        if log_y:
            axis.set_yscale("log")
            _plain_log_ticks(axis.yaxis, np.arange(0.0, 11.5))
        named = len(names) > 1 or bool(names[0])
        if reference is not None:
            level, name = as_number("reference", reference), caption.text("reference")
            straight = axis.axhline(level, **_REFERENCE)
            if named:
                handles, names = [*handles, straight], [*names, name]
            else:
                axis.text(
                    0.995, level, name, ha="right", va="bottom", alpha=0.8,
                    transform=axis.get_yaxis_transform(),
                )  # fmt: skip
        axis.grid(True)
        x_label, y_label, title = (caption.text(name) for name in ("x", "y", "title"))
        axis.set(xlabel=x_label, ylabel=y_label, title=title)
        if named:
            figure.set_figheight(figure.get_figheight() + 0.22 * _legend(figure, handles, names))
    heading = title or word("display.alt.against", y=y_label, x=x_label)
    span = word("display.alt.span", start=number(x[0]), end=number(x[-1]))
    return Picture(figure, caption.text("alt") or " ".join([f"{heading} {span}", *texts]))


def _places(name: str, values: Any, logarithmic: bool) -> np.ndarray:
    """Where on the axis the points are: at least one, all finite, on a logarithmic axis above 0."""
    places = as_array(name, values, 1)
    expected = "positive numbers, as the axis is logarithmic" if logarithmic else "finite numbers"
    wrong = ~np.isfinite(places) | (logarithmic & (places <= 0))
    if not len(places):
        raise ValueError(f"{name}: got no numbers, expected at least one")
    if wrong.any():
        raise ValueError(f"{name}: got {number(places[wrong][0])}, expected {expected}")
    return places


def _line(name: str, line: Any, x: np.ndarray, logarithmic: bool) -> list[np.ndarray]:
    """The numbers of a series, and those of its band; NaN where nothing can be drawn."""
    rows = [as_array(name, row, 1) for row in (line if isinstance(line, tuple) else (line,))]
    for row in rows:
        if row.shape != x.shape:
            raise ValueError(f"{name}: got {len(row)} numbers, expected {len(x)}, as many as x")
    if len(rows) not in (1, 3):
        raise ValueError(f"{name}: got {len(rows)} rows, expected (middle, low, high)")
    rows = [
        np.where(np.isfinite(row) & ((row > 0) | (not logarithmic)), row, np.nan) for row in rows
    ]
    if np.isnan(rows[0]).all():
        expected = "at least one positive number" if logarithmic else "at least one finite number"
        raise ValueError(f"{name}: got none that can be drawn, expected {expected}")
    return rows


def _emphasised(names: list[Any], emphasis: Sequence[Any] | None, default: list[Any]) -> list[Any]:
    """The names to draw in colour, five at most."""
    if emphasis is None:
        return default
    unknown = [name for name in emphasis if name not in names]
    if unknown or len(emphasis) > MOST:
        raise ValueError(f"emphasis: got {list(emphasis)}, expected at most {MOST} of {names}")
    return list(emphasis)


def _curve_alt(name: str, line: np.ndarray) -> list[str]:
    drawn = line[~np.isnan(line)]
    start, end = number(drawn[0]), number(drawn[-1])
    if name:
        said = [word("display.alt.curve", label=name, start=start, end=end)]
    else:
        said = [word("display.alt.curve_alone", start=start, end=end)]
    if len(drawn) < len(line):
        said.append(word("display.alt.gap", count=len(line) - len(drawn)))
    return said


def _plain_log_ticks(axis: Any, values: np.ndarray) -> None:
    """Ticks that are written as numbers, not as typeset powers."""
    axis.set_major_formatter(FuncFormatter(lambda v, _: number(v)))
    axis.set_minor_formatter(NullFormatter())
    if len(values) <= (10 if np.all(values == np.round(values)) else 6):
        axis.set_ticks(list(values), labels=[number(v) for v in values])
        axis.set_ticks([], minor=True)


def _legend(figure: Figure, handles: Sequence[Any], names: Sequence[str]) -> int:
    """A legend below the axes, where it hides nothing; returns how many lines it has.

    matplotlib leaves out names with an underscore, so they are set afterwards.
    """
    columns = next(n for n in range(len(names), 0, -1) if n == 1 or _legend_width(names, n) < WIDTH)
    legend = figure.legend(handles, ["·"] * len(handles), loc="outside lower center", ncols=columns)
    for shown, name in zip(legend.get_texts(), names, strict=True):
        shown.set_text(name)
    return -(-len(names) // columns)


def _legend_width(names: Sequence[str], columns: int) -> float:
    """In inches; matplotlib fills a legend column by column, as evenly as it can."""
    filled = np.array_split(np.array([_width(name) for name in names]), columns)
    return sum(0.78 + 0.081 * widths.max() for widths in filled) - 0.32


def bars(
    values: Any,
    /,
    labels: Any = None,
    *,
    key: str | None = None,
    spread: Any = None,
    reference: float | None = None,
    limits: tuple[float, float] | None = None,
    emphasis: Sequence[Any] | None = None,
    **said: Any,
) -> Picture:
    """Bars that grow to the right, with the number at the end of each.

    Args:
        values: ``(n,)``; or name → number, a bar each; or, for several bars in each of ``n``
            groups, name → ``(n,)`` or name → (name → number). The key's table ``bars`` names single
            bars and groups for readers, ``series`` the bars of a group.
        labels: a name for each number of ``(n,)``. ``bars(labels, values)`` is understood too.
        key: where the figure's words are.
        spread: like ``values``, with ``(low, high)`` for each number.
        reference: draws a line across, named by the key's ``reference``.
        limits: the ends of the axis.
        emphasis: the labels of the bars in colour, five at most, where a group has one bar.
        said: words given outright; ``x`` is what the length means, ``y`` what the bars are.

    Raises:
        ValueError: no numbers, one that is not finite, or not one for each label.
    """
    if isinstance(values, (list, tuple)) and any(isinstance(value, str) for value in values):
        values, labels = labels, values
    caption = Caption(key, said)
    groups, series = _series("values", values, 0)
    groups = groups if labels is None else list(labels)
    n = len(next(iter(series.values()))) if groups is None else len(groups)
    bands = {} if spread is None else _bands(spread, groups, list(series))
    _check_bars(series, bands, n)
    names = caption.names("bars", groups) or [""] * n
    shown = caption.names("series", list(series)) if len(series) > 1 else [""]
    colors = _bar_colors(list(series.values()), groups, emphasis)

    figure, axis = new_figure(WIDTH, 1.1 + n * max(0.38, 0.26 * len(series) + 0.14))
    thickness = 0.74 / len(series)
    title, x = caption.text("title"), caption.text("x")
    with settings():
        handles = [
            _draw_bars(
                axis,
                np.arange(n) + (i - (len(series) - 1) / 2) * thickness,
                row,
                bands.get(name),
                color=colors[i],
                height=thickness * 0.92,
            )
            for i, (name, row) in enumerate(series.items())
        ]
        if reference is not None:
            level = as_number("reference", reference)
            axis.axvline(level, **_REFERENCE)
            axis.annotate(
                caption.text("reference"), (level, 1), (4, 2), xycoords=("data", "axes fraction"),
                textcoords="offset points", va="bottom", alpha=0.8,
            )  # fmt: skip
        axis.set_yticks(range(n), names)
        axis.invert_yaxis()
        axis.tick_params(axis="y", length=0)
        axis.margins(x=0.16)
        if limits is not None:
            axis.set_xlim(_pair("limits", limits))
        axis.set(xlabel=x, ylabel=caption.text("y"))
        axis.set_title(title, pad=22 if reference is not None else 8)
        if len(series) > 1:
            _legend(figure, handles, shown)
    texts = [
        word("display.alt.bar", label=f"{label} {each}".strip(), value=number(value))
        for each, row in zip(shown, series.values(), strict=True)
        for label, value in zip(names, row, strict=True)
    ]
    return Picture(figure, caption.text("alt") or " ".join([f"{title or x}:", *texts]))


def _series(name: str, values: Any, inner: int) -> tuple[list[Any] | None, dict[Any, np.ndarray]]:
    """The groups' names, if there are any; series → numbers, each with ``inner`` axes of its own.

    A single series has the name ``""``.
    """
    if not isinstance(values, Mapping):
        return None, {"": as_array(name, values, 1 + inner)}
    rows = list(values.values())
    if not rows:
        raise ValueError(f"{name}: got no numbers, expected at least one")
    if all(isinstance(row, Mapping) for row in rows):
        groups = list(rows[0])
        ordered = {each: _in_order(name, row, groups) for each, row in values.items()}
        return groups, {each: as_array(name, row, 1 + inner) for each, row in ordered.items()}
    arrays = {each: as_array(f"{name}[{each!r}]", row) for each, row in values.items()}
    if all(array.ndim == inner for array in arrays.values()):
        return list(arrays), {"": as_array(name, list(arrays.values()))}
    return None, {
        each: as_array(f"{name}[{each!r}]", row, 1 + inner) for each, row in arrays.items()
    }


def _in_order(name: str, row: Mapping[Any, Any], names: list[Any]) -> list[Any]:
    """The entries of ``row`` in the order of ``names``, all of which it must have."""
    if set(row) != set(names):
        raise ValueError(f"{name}: got {list(row)}, expected {names}")
    return [row[each] for each in names]


def _bands(spread: Any, groups: list[Any] | None, series: list[Any]) -> dict[Any, np.ndarray]:
    """Series → ``(low, high)`` for each of its numbers, in the order of the numbers."""
    own, bands = _series("spread", spread, 1)
    if own is not None and groups is not None:
        bands = {
            each: np.array(_in_order("spread", dict(zip(own, band, strict=True)), groups))
            for each, band in bands.items()
        }
    return dict(zip(series, _in_order("spread", bands, series), strict=True))


def _check_bars(series: Mapping[Any, np.ndarray], bands: Mapping[Any, np.ndarray], n: int) -> None:
    """One finite number a label in every series, and in a band a low that is below its high."""
    if len(series) > MOST:
        raise ValueError(f"values: got {len(series)} series, expected at most {MOST}")
    for name, row in series.items():
        about = f"values[{name!r}]" if len(series) > 1 else "values"
        if not row.size:
            raise ValueError(f"{about}: got no numbers, expected at least one")
        if len(row) != n:
            raise ValueError(f"{about}: got {len(row)} numbers, expected {n}, one a label")
        if not np.isfinite(row).all():
            wrong = number(row[~np.isfinite(row)][0])
            raise ValueError(f"{about}: got {wrong}, expected finite numbers")
    for band in bands.values():
        if band.shape != (n, 2):
            raise ValueError(f"spread: got shape {band.shape}, expected ({n}, 2), (low, high) each")
        if not (band[:, 0] <= band[:, 1]).all():
            raise ValueError("spread: got a low that is not below its high, expected (low, high)")
        if not np.isfinite(band).all():
            raise ValueError("spread: got an infinite number, expected finite numbers")


def _bar_colors(
    rows: list[np.ndarray], groups: list[Any] | None, emphasis: Sequence[Any] | None
) -> list[Any]:
    """The colour of each series; where there is one, of each bar."""
    if len(rows) > 1:
        return [to_rgba(color, 0.85) for color in COLORS]
    (row,) = rows
    names = list(range(len(row))) if groups is None else groups
    if emphasis is None:
        colored = set(np.argsort(-np.abs(row), kind="stable")[:MOST])
    else:
        chosen = _emphasised(names, emphasis, [])
        colored = {i for i, name in enumerate(names) if name in chosen}
    return [[to_rgba(BLUE, 0.85) if i in colored else to_rgba(INK, 0.3) for i in range(len(row))]]


def _draw_bars(
    axis: Axes, places: np.ndarray, row: np.ndarray, band: np.ndarray | None, **look: Any
) -> Any:
    """Bars with their spread, and the number at the end of each; returns what a legend shows."""
    drawn = axis.barh(places, row, **look)
    ends = row
    if band is not None:
        low, high = band.T
        lengths = np.stack([row - low, high - row]).clip(0)
        axis.errorbar(row, places, xerr=lengths, fmt="none", ecolor=INK, capsize=3)
        ends = np.where(row < 0, np.minimum(row, low), np.maximum(row, high))
    for place, value, end in zip(places, row, ends, strict=True):
        axis.annotate(
            number(value),
            (end, place),
            (-5 if value < 0 else 5, 0),
            textcoords="offset points",
            ha="right" if value < 0 else "left",
            va="center",
        )
    return drawn


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
        return percent(weight, 0) if weight >= 0.005 else ""

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
        ValueError: no words, not one weight for each, or a weight outside 0 to 1.
    """
    weights = as_array("weights", weights, 1)
    if len(weights) != len(words):
        raise ValueError(f"weights: got {len(weights)} numbers, expected {len(words)}, one a word")
    if not len(words):
        raise ValueError("words: got none, expected at least one")
    if not ((weights >= -1e-6) & (weights <= 1 + 1e-6)).all():
        raise ValueError(
            f"weights: got {weights.min():g} to {weights.max():g}, expected numbers from 0 to 1"
        )
    return ShadedWords(words, weights.clip(0, 1))
