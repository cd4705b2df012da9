"""How gradient and signal go through a stack of layers: with residual and norm, and without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import still
from ..base import LINE, WIDE, Explorable, array, lines, one_of

NORMS = ("none", "pre", "post")


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
        if norm not in NORMS:
            raise ValueError(f"norm: got {norm!r}, expected one of {', '.join(NORMS)}")
        depth = depths[-1] if depth is None else one_of("depth", depth, depths, f"one of {known}")
        super().__init__(
            depth=depth, residual=bool(residual), norm=norm, depths=depths, measured=measured
        )

    def room(self, columns: int) -> float:
        summary = max(lines(self.words["stays"], columns - 2), 3) * LINE
        return 366 if columns == WIDE else 620 + summary

    def still(self) -> str:
        state, words = self.state, self.words
        rows, index = [], state["depths"].index(state["depth"])
        ways = [(words[on], words[norm]) for on in ("without", "with") for norm in NORMS]
        for way, runs in zip(ways, state["measured"], strict=True):
            gradient, signal = runs[index]
            rows.append([", ".join(way), _power(gradient[0] - gradient[-1]), _power(signal[-1])])
        title = words["table"].format(depth=state["depth"])
        return still.table(title, [words["way"], words["reaches"], words["differ"]], rows)


def _power(logarithm: float) -> str:
    """10 to this power, as ``2.5e-7``."""
    exponent = int(np.floor(logarithm))
    return f"{10 ** (logarithm - exponent):.1f}e{exponent}"


def _logarithms(way: tuple[bool, str], rows: Sequence[Any], depth: int) -> list[Any]:
    """The base-10 logarithms of two rows, which a page holds in fewer digits."""
    made = np.array(array(f"runs[{way}][{depth}]", np.log10(_positive(way, rows)), 2, depth + 1))
    return np.round(made, 4).tolist()


def _positive(way: tuple[bool, str], rows: Sequence[Any]) -> np.ndarray:
    values = np.asarray(rows, dtype=float)
    if not (values > 0).all():
        raise ValueError(f"runs: got a number that is not positive for {way}")
    return values
