"""What lesson 3-2 and its lab draw that nobody else draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...captions import Caption
from ...drawing import Picture, new_figure, settings
from ...plots import COLORS, bars, curves
from .experiments import TRAINED


def clocks(angles: np.ndarray, positions: Sequence[int], *, key: str) -> Picture:
    """A clock face for each hand (a row) at some of the positions (a column each).

    Args:
        angles: ``(positions, hands)``, in radians, clockwise from the top.
        positions: which rows of ``angles`` to draw.
        key: where the figure's words are.
    """
    hands = angles.shape[1]
    caption, around = Caption(key, {}), np.linspace(0, 2 * np.pi, 50)
    figure, axis = new_figure(height=0.5 + 0.6 * hands)
    with settings():
        for column, position in enumerate(positions):
            for row, angle in enumerate(angles[position]):
                x, y = 2.4 * column, -2.4 * row
                axis.plot(x + np.sin(around), y + np.cos(around), color="gray", lw=0.8)
                axis.plot([x, x + np.sin(angle)], [y, y + np.cos(angle)], color=COLORS[0])
        axis.set_xticks(2.4 * np.arange(len(positions)), positions)
        axis.set_yticks(-2.4 * np.arange(hands), range(hands))
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        axis.set(aspect="equal", **{f"{xy}label": caption.text(xy) for xy in "xy"})
        axis.set_title(caption.text("title"))
    return Picture(figure, caption.text("alt"))


def runs(shares: Mapping[str, Sequence[float]], *, key: str, reference: float) -> Picture:
    """A bar for the mean of several runs, with a whisker from the worst to the best.

    Args:
        shares: name → one share for each run.
        key: where the figure's words are.
        reference: where the line of comparison stands.
    """
    return bars(
        {name: float(np.mean(each)) for name, each in shares.items()},
        spread={name: (min(each), max(each)) for name, each in shares.items()},
        reference=reference,
        limits=(0, 1.12),
        key=key,
    )


def by_position(shares: Mapping[str, np.ndarray], *, key: str, **options: Any) -> Picture:
    """Accuracy over positions: the mean of the runs in a band from worst to best.

    A level line ends where training ended.

    Args:
        shares: name → ``(runs, positions)``; positions without an answer (NaN) come first.
        key: where the figure's words are.
        options: passed on to :func:`attention_course.plots.curves`.
    """
    first = int(np.isnan(next(iter(shares.values()))[0]).sum())
    lines = {
        name: tuple(summary(each, axis=0)[first:] for summary in (np.mean, np.min, np.max))
        for name, each in shares.items()
    }
    length = next(iter(shares.values())).shape[1]
    drawn = curves(np.arange(first, length), lines, key=key, **options)
    with settings():
        drawn.figure.axes[0].axvline(TRAINED - 0.5, color="gray", linewidth=1)
    return drawn
