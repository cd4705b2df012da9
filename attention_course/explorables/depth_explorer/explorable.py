"""How gradient and signal go through a stack of layers: with residual and norm, and without."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from attention_course.markup import element
from attention_course.palette import BLUE

from .. import still
from ..base import LINE, WIDE, Explorable, array, lines, one_named, one_of

NORMS = ("none", "pre", "post")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class DepthExplorer(Explorable):
    """Choose depth, residual and norm; see, layer by layer, what is left of gradient and signal.

    Args:
        runs: what was measured: for each ``(residual, norm)``, with ``norm`` ``"none"``, ``"pre"``
            or ``"post"``, a table from the number of layers to a pair of rows of ``layers + 1``
            positive numbers, from the input to the output: the norm of the gradient, and the share
            of the vectors in which the places differ. The same depths for all.
        depth: the number of layers at the start; the deepest that was measured by default.
        residual: whether the residual is on at the start.
        norm: the norm at the start.

    Raises:
        TypeError: something is not a number.
        ValueError: a way without a run, other depths in some of them, rows of another length, a
            number that is not positive, a start that was not measured.
    """

    module = "depth_explorer"

    def __init__(
        self,
        runs: Mapping[tuple[bool, str], Mapping[int, Sequence[Any]]],
        depth: int | None = None,
        residual: bool = False,
        norm: str = "none",
    ) -> None:
        wanted = [(on, each) for on in (False, True) for each in NORMS]
        if missing := [way for way in wanted if way not in runs]:
            raise ValueError(f"runs: got none for {missing[0]}")
        depths = sorted(runs[wanted[0]])
        known = ", ".join(map(str, depths))
        measured = []
        for way in wanted:
            if sorted(runs[way]) != depths:
                raise ValueError(
                    f"runs: got depths {sorted(runs[way])} for {way}, expected {known}"
                )
            measured.append([_logarithms(way, runs[way][each], each) for each in depths])
        depth = depths[-1] if depth is None else one_of("depth", depth, depths, f"one of {known}")
        super().__init__(
            depth=depth,
            residual=bool(residual),
            norm=one_named("norm", norm, NORMS),
            depths=depths,
            measured=measured,
        )

    def room(self, columns: int) -> float:
        summary = max(lines(self.words["stays"], columns - 2), 3) * LINE
        return 408 if columns == WIDE else 612 + summary

    def still(self) -> str:
        state, words = self.state, self.words
        index = state["depths"].index(state["depth"])
        ways = [(words[on], words[norm]) for on in ("without", "with") for norm in NORMS]
        rows, curves = [], []
        for way, runs in zip(ways, state["measured"], strict=True):
            gradient, signal = runs[index]
            reaches = gradient[0] - gradient[-1]
            rows.append([", ".join(way), _power(reaches), _power(signal[-1])])
            curves.append(gradient)
        head = [words["way"], words["reaches"], words["differ"]]
        chosen = 3 * state["residual"] + NORMS.index(state["norm"])
        return _drawing(curves, chosen, words["gradient_chart"]) + still.table(
            words["table"], head, rows
        )


def _drawing(curves: Sequence[Sequence[float]], chosen: int, alt: str) -> str:
    """The gradient through the layers, from 10⁻²⁰ at the bottom to 10¹⁰, the chosen way thicker."""
    shapes = []
    for way, curve in enumerate(curves):
        points = " ".join(
            f"{340 * layer / (len(curve) - 1):.1f},{5 * (11 - max(-20.0, min(10.0, value))):.1f}"
            for layer, value in enumerate(curve)
        )
        colour, width = (BLUE, 3.5) if way == chosen else ("gray", 1)
        shapes.append(
            element("polyline", points=points, fill="none", stroke=colour, stroke_width=width)
        )
    return still.svg(340, 160, alt, *shapes)


def _power(logarithm: float) -> str:
    """10 to this power: "0.31", "2.4 × 10⁻⁷"."""
    if -2 <= logarithm < 3:
        return still.number(10**logarithm, 2 if logarithm < 1 else 0)
    exponent = math.floor(logarithm)
    digits = f"{10 ** (logarithm - exponent):.1f}"
    if digits == "10.0":
        digits, exponent = "1.0", exponent + 1
    return f"{digits}\u00a0×\u00a010{str(exponent).translate(_RAISED)}"


def _logarithms(way: tuple[bool, str], rows: Sequence[Any], depth: int) -> list[Any]:
    """The base-10 logarithms of two rows, which a page holds in fewer digits."""
    made = np.array(array(f"runs[{way}][{depth}]", np.log10(_positive(way, rows)), 2, depth + 1))
    return np.round(made, 4).tolist()


def _positive(way: tuple[bool, str], rows: Sequence[Any]) -> np.ndarray:
    values = np.asarray(rows, dtype=float)
    if not (values > 0).all():
        raise ValueError(f"runs: got a number that is not positive for {way}")
    return values
