"""What lesson 3-2 and its lab draw that nobody else draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...plots import COLORS, Picture, curves, new_figure, picture
from ...language import words
from .experiments import TRAINED


def clocks(speeds: np.ndarray, positions: Sequence[int], *, key: str) -> Picture:
    """A clock face for each hand (a row) at each position (a column).

    Args:
        speeds: ``(hands,)``, radians a position, clockwise from the top.
        positions: which to draw.
        key: where the figure's words are: ``title``, ``x``, ``y`` and ``alt``.
    """
    table, around = words(key), np.linspace(0, 2 * np.pi, 50)
    figure, axis = new_figure(height=0.5 + 0.6 * len(speeds))
    for column, position in enumerate(positions):
        for row, angle in enumerate(position * speeds):
            x, y = 2.4 * column, -2.4 * row
            axis.plot(x + np.sin(around), y + np.cos(around), color="gray", lw=0.8)
            axis.plot([x, x + np.sin(angle)], [y, y + np.cos(angle)], color=COLORS[0])
    axis.set_xticks(2.4 * np.arange(len(positions)), positions)
    axis.set_yticks(-2.4 * np.arange(len(speeds)), range(len(speeds)))
    axis.set(aspect="equal", title=table["title"], xlabel=table["x"], ylabel=table["y"])
    return picture(figure, table["alt"])


def by_position(shares: Mapping[str, np.ndarray], *, key: str, chance: float) -> Picture:
    """Accuracy over positions, with a band over the runs and a line where training ended.

    Args:
        shares: name → ``(runs, positions)``; positions without an answer (NaN) come first.
        key: where the figure's words are.
        chance: the accuracy of guessing.
    """
    first = int(np.isnan(next(iter(shares.values()))[0]).sum())
    lines = {
        name: (runs.mean(axis=0)[first:], runs.min(axis=0)[first:], runs.max(axis=0)[first:])
        for name, runs in shares.items()
    }
    length = next(iter(shares.values())).shape[1]
    drawn = curves(np.arange(first, length), lines, reference=chance, key=key)
    drawn.figure.axes[0].axvline(TRAINED - 0.5, color="gray", linewidth=1)
    return picture(drawn.figure, drawn.alt)
