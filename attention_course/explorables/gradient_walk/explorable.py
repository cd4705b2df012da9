"""One weight, one loss curve, and the steps of gradient descent down it."""

from __future__ import annotations

from typing import Any

import numpy as np

from attention_course.palette import BLUE, ORANGE

from .. import still
from ..base import LINE, WIDE, Explorable, array, between, lines, one_of, rows

MOST = 20  # steps that can be shown
_PRESETS = ("small", "right", "large", "larger")


class GradientWalk(Explorable):
    """Set the learning rate and the number of steps; see where gradient descent goes.

    The model is ``w * x``, the loss the mean of ``(w * x - y)**2``, and each step is
    ``w -= learning_rate * slope`` with the loss's slope at ``w``.

    Args:
        x, y: the examples, ``(n,)`` each; some ``x`` is not 0.
        start: where the walk begins.
        learning_rate: as a share of the slope, from 0.01 to 1.
        steps: from 0 to 20.

    Raises:
        ValueError: shapes that do not fit, numbers that are not finite or outside these.
        TypeError: what should be a number is none.
    """

    module = "gradient_walk"

    def __init__(
        self, x: Any, y: Any, start: float = 0.0, learning_rate: float = 0.1, steps: int = 1
    ) -> None:
        x = array("x", x, None)
        if not any(x):
            raise ValueError("x: got zeros only, expected a number that is not 0")
        super().__init__(
            x=x,
            y=array("y", y, len(x)),
            start=between("start", start, -1000, 1000),
            learning_rate=between("learning_rate", learning_rate, 0.01, 1),
            steps=one_of("steps", steps, range(MOST + 1), f"a whole number from 0 to {MOST}"),
        )

    def room(self, columns: int) -> float:
        summary = 3 if columns != WIDE else 2
        summary = max(summary, lines(self.words["lands"], columns - 2))
        buttons = rows([self.words[name] for name in _PRESETS], columns)
        return summary * LINE + 48 * buttons + (458 if columns == WIDE else 400)

    def walk(self) -> list[tuple[float, float, float]]:
        """Weight, slope and loss before the first step and after each."""
        state = self.state
        x, y, weight = np.array(state["x"]), np.array(state["y"]), state["start"]
        places = []
        for _ in range(state["steps"] + 1):
            miss = weight * x - y
            slope = np.mean(2 * x * miss)
            places.append((float(weight), float(slope), float(np.mean(miss**2))))
            weight = weight - state["learning_rate"] * slope
        return places

    def still(self) -> str:
        words, places = self.words, self.walk()
        table = [
            [str(step), *(still.number(value, 3) for value in place)]
            for step, place in enumerate(places)
        ]
        head = [words["step"], words["weight"], words["slope"], words["loss"]]
        return self._picture(places) + still.table(words["table"], head, table)

    def _picture(self, places: list[tuple[float, float, float]]) -> str:
        """The curve and the walk on it, as far as it stays near the bottom."""
        x, y = np.array(self.state["x"]), np.array(self.state["y"])
        bottom, bend = x @ y / (x @ x), np.mean(x**2)
        lowest, reach = np.mean((bottom * x - y) ** 2), 1.5 * max(1.0, abs(places[0][0] - bottom))

        def point(weight: float) -> str:
            across = 240 + 230 * (weight - bottom) / reach
            up = bend * (weight - bottom) ** 2 / (bend * reach**2)
            return f"{across:.1f} {200 - 180 * up:.1f}"

        near = [weight for weight, _, _ in places if abs(weight - bottom) <= reach]
        curve = "L".join(point(weight) for weight in bottom + reach * np.linspace(-1, 1, 41))
        steps = "L".join(map(point, near))
        label = f"{self.words['loss']} {still.number(float(lowest))}"
        return still.svg(
            480,
            230,
            self.words["chart"],
            f'<path d="M{curve}" fill="none" stroke="{BLUE}" stroke-width="2"/>',
            f'<path d="M{steps}" fill="none" stroke="{ORANGE}" stroke-width="2"/>',
            still.text(240, 222, label, text_anchor="middle"),
        )
