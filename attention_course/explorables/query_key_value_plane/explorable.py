"""One query and some keys as arrows in the plane, and the values they mix."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from attention_course import palette

from .. import still
from ..base import LINE, WIDE, Explorable, array, lines, token_list


class QueryKeyValuePlane(Explorable):
    """Drag the query and the keys; see dot products, weights and the output follow.

    ``weights = softmax(keys @ query / √2)``, without the division when ``scale`` is false, and
    ``output = weights @ values``. All live in the plane, so that every number can be seen.

    Args:
        tokens: the names of the keys, up to 8.
        query: ``(2,)``.
        keys: ``(n, 2)``.
        values: ``(n, 2)``.
        scale: whether the dot products are divided by √2 at the start.

    Raises:
        ValueError: shapes that do not fit, numbers that are not finite, too many tokens.
        TypeError: tokens that are not strings, numbers that are none.
    """

    module = "query_key_value_plane"

    def __init__(
        self, tokens: Sequence[str], query: Any, keys: Any, values: Any, scale: bool = True
    ) -> None:
        tokens = token_list(tokens, 8)
        super().__init__(
            tokens=tokens,
            query=array("query", query, 2),
            key=array("keys", keys, len(tokens), 2),
            value=array("values", values, len(tokens), 2),
            scale=bool(scale),
        )

    def room(self, columns: int) -> float:
        planes = 570 if columns == WIDE else 985
        summary = max(lines(self.words["most"], columns - 2), 2 if columns == WIDE else 3)
        return planes + 25.5 * len(self.state["tokens"]) + summary * LINE

    def still(self) -> str:
        import torch  # only to write the page; the page itself computes without it

        from attention_course.attention import scaled_dot_product_attention

        state, words = self.state, self.words
        query, keys, values = (
            torch.tensor(state[name], dtype=torch.float64) for name in ("query", "key", "value")
        )
        output, weights = scaled_dot_product_attention(
            query[None], keys, values, scale=None if state["scale"] else 1.0
        )
        weights, output = weights[0].tolist(), output[0].tolist()
        products = (keys @ query).tolist()
        logits = [p / math.sqrt(2) if state["scale"] else p for p in products]
        rows = [[words["query"], _pair(state["query"]), "", "", "", ""]]
        for i, token in enumerate(state["tokens"]):
            numbers = (still.number(x[i], 4) for x in (products, logits, weights))
            rows.append([token, _pair(state["key"][i]), *numbers, _pair(state["value"][i])])
        rows.append([words["output"], "", "", "", "", _pair(output, 4)])
        head = [
            words["token"],
            words["key"],
            "q·k",
            words["logit"],
            words["weight"],
            words["value"],
        ]
        picture = still.svg(
            _SIDE * 2 + 40,
            _SIDE,
            f"{words['keys_plane']}; {words['values_plane']}",
            *self._arrows(weights),
            *self._mixture(weights, output),
        )
        return picture + still.table(words["table"], head, rows)

    def _arrows(self, weights: list[float]) -> list[str]:
        state = self.state
        at = _placed([state["query"], *state["key"]], 0)
        shapes = []
        keys = zip(state["tokens"], state["key"], weights, strict=True)
        for name, point, weight in keys:
            shapes += _arrow(name, at(point), 1.5 + 7 * weight, palette.BLUE)
        return [*shapes, *_arrow(self.words["query"], at(state["query"]), 3, palette.ORANGE)]

    def _mixture(self, weights: list[float], output: list[float]) -> list[str]:
        state = self.state
        at = _placed(state["value"], _SIDE + 40)
        shapes = []
        for name, point, weight in zip(state["tokens"], state["value"], weights, strict=True):
            x, y = at(point)
            radius = max(3.0, 20 * math.sqrt(weight))
            shapes.append(still.element("circle", cx=x, cy=y, r=radius, fill=palette.PURPLE))
            shapes.append(still.text(x, y - radius - 5, name, text_anchor="middle"))
        x, y = at(output)
        shapes.append(still.element("circle", cx=x, cy=y, r=8, fill=palette.GREEN))
        below = output[1] > 0  # values are named above; near the upper ones there is room below
        return [
            *shapes,
            still.text(x, y + (24 if below else -13), self.words["output"], text_anchor="middle"),
        ]


_SIDE = 300


def _placed(points: list[list[float]], left: int) -> Callable[[list[float]], tuple[float, float]]:
    """From the plane to a square of the drawing that holds all the points."""
    far = 1.3 * max(max(abs(x) for x in point) for point in points) or 1.0
    unit = _SIDE / 2 / far
    return lambda point: (left + _SIDE / 2 + unit * point[0], _SIDE / 2 - unit * point[1])


def _arrow(name: str, tip: tuple[float, float], width: float, colour: str) -> list[str]:
    x, y = tip
    return [
        still.element(
            "line",
            x1=_SIDE / 2,
            y1=_SIDE / 2,
            x2=x,
            y2=y,
            stroke=colour,
            stroke_width=width,
            stroke_linecap="round",
        ),
        still.text(x, y - 8, name, text_anchor="middle"),
    ]


def _pair(point: list[float], digits: int = 2) -> str:
    return f"({still.number(point[0], digits)}, {still.number(point[1], digits)})"
