"""A small attention with a mask, applied rightly or in one of the ways in which it goes wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attention_course.markup import element, escape
from attention_course.palette import BLUE

from .. import still
from ..base import LINE, WIDE, Explorable, array, lines, one_named, one_of, rows, token_list

if TYPE_CHECKING:
    from torch import Tensor

MASKS = ("none", "causal", "padding", "both", "empty")
WAYS = ("right", "inverted", "axis", "after", "renormalised", "finite")


class MaskDebugger(Explorable):
    """Choose a mask and the way it is applied; see the weights, the row sums, and what leaks.

    ``weights = softmax(query @ key.T / √d)`` over what the mask allows, ``output = weights @
    value``. A row leaks when its output moves while the key and the value of a word that it may not
    see are turned into their opposites. A row without keys has weights of zero, as in the library.

    Args:
        tokens: a word for each row and each column, 2 to 6.
        query, key: ``(n, d)``.
        value: ``(n, d_v)``.
        padding: at which places the padding stands: one at least, not all.
        mask: the mask at the start: ``"none"``, ``"causal"``, ``"padding"``, ``"both"``, or
            ``"empty"``, with which padding may see nothing, besides both.
        way: how it is applied at the start: ``"right"``; ``"inverted"``, True hides; ``"axis"``,
            rows and columns exchanged; ``"after"`` the softmax; ``"renormalised"`` after that; or
            ``"finite"``, with −10⁹ in place of −∞.

    Raises:
        TypeError: tokens that are not strings, numbers that are none.
        ValueError: shapes that do not fit, numbers that are not finite, too few or too many tokens,
            no padding or nothing else, an unknown mask or way.
    """

    module = "mask_debugger"

    def __init__(
        self,
        tokens: Sequence[str],
        query: Any,
        key: Any,
        value: Any,
        padding: Sequence[int],
        mask: str = "causal",
        way: str = "right",
    ) -> None:
        tokens = token_list(tokens, 6)
        n = len(tokens)
        query = array("query", query, n, None)
        places = {one_of("padding", int(i), range(n), f"places from 0 to {n - 1}") for i in padding}
        if not 1 <= len(places) < n:
            raise ValueError(f"padding: got {len(places)} places, expected 1 to {n - 1}")
        super().__init__(
            tokens=tokens,
            query=query,
            key=array("key", key, n, len(query[0])),
            value=array("value", value, n, None),
            padding=[int(i in places) for i in range(n)],
            mask=one_named("mask", mask, MASKS),
            way=one_named("way", way, WAYS),
        )

    def room(self, columns: int) -> float:
        words, wide = self.words, columns == WIDE
        beside = columns - 11 if wide else columns + 6  # the names of the two rows of buttons
        buttons = sum(rows([words[name] for name in names], beside) for names in (MASKS, WAYS))
        legend = rows([words[name] for name in ("hidden", "leak", "starved")], columns)
        said = max(3, lines(words[f"{self.state['way']}_says"], columns - 2))
        below = 48 * buttons + 36 * len(self.state["tokens"]) + 25 * legend + said * LINE
        return below + (150 if wide else 237)

    def still(self) -> str:
        words, tokens = self.words, self.state["tokens"]
        shown = words["shown"].format(**{name: words[self.state[name]] for name in ("mask", "way")})
        weights, sums, output, moves = (each.tolist() for each in measured(self.state).values())
        outputs = [words["number"].format(i=i + 1) for i in range(len(output[0]))]
        return (
            element("p", escape(shown))
            + _heatmap(tokens, weights, words["picture"])
            + still.table(
                words["weights_table"],
                [words["row"], *tokens, words["sum"]],
                _lines(tokens, weights, sums),
            )
            + still.table(
                words["output_table"],
                [words["row"], *outputs, words["moves"]],
                _lines(tokens, output, moves),
            )
        )


def measured(state: Mapping[str, Any]) -> dict[str, Any]:
    """What the library makes of a state: weights, their sums, outputs, and how far these move."""
    import torch  # only to write the page; the page itself computes without it

    vectors = [torch.tensor(state[name], dtype=torch.float64) for name in ("query", "key", "value")]
    query, key, value = vectors
    may = _may_attend(state)
    output, weights = _attend(query, key, value, may, state["way"])
    moves = torch.zeros(len(key), dtype=torch.float64)
    for place in range(len(key)):
        sign = torch.ones_like(key[:, :1])
        sign[place] = -1
        other, _ = _attend(query, sign * key, sign * value, may, state["way"])
        moved = (other - output).abs().amax(-1)  # (n)
        moves = moves.maximum(moved.where(~may[:, place], 0.0))
    return {"weights": weights, "sums": weights.sum(-1), "output": output, "moves": moves}


def _may_attend(state: Mapping[str, Any]) -> Tensor:
    """Who may see whom, (n, n)."""
    import torch

    from attention_course.attention import causal_mask, padding_mask

    padding, mask = torch.tensor([state["padding"]]), state["mask"]
    words = padding_mask(padding, 1)[0]  # (1, n), True where there is a word
    may = torch.ones(words.size(-1), words.size(-1), dtype=torch.bool)
    if mask not in ("none", "padding"):
        may &= causal_mask(len(may))
    if mask not in ("none", "causal"):
        may &= words
    return may & words.mT if mask == "empty" else may


def _attend(
    query: Tensor, key: Tensor, value: Tensor, may: Tensor, way: str
) -> tuple[Tensor, Tensor]:
    """Output and weights, with the mask applied in one of the ways."""
    from attention_course.attention import scaled_dot_product_attention

    masks = {"right": may, "inverted": ~may, "axis": may.mT, "renormalised": may}
    if way in masks:
        return scaled_dot_product_attention(query, key, value, masks[way])
    if way == "after":
        weights = scaled_dot_product_attention(query, key, value)[1] * may
    else:
        scores = query @ key.mT / query.size(-1) ** 0.5
        weights = scores.masked_fill(~may, -1e9).softmax(-1)
    return weights @ value, weights


def _heatmap(tokens: Sequence[str], weights: Sequence[Sequence[float]], alt: str) -> str:
    """The weights as cells of 56 by 34 pixels, a row for each query."""
    shapes = []
    for i, (token, row) in enumerate(zip(tokens, weights, strict=True)):
        y = 24 + 34 * i
        shapes.append(still.text(108 + 56 * i, 16, token, text_anchor="middle"))
        shapes.append(still.text(72, y + 21, token, text_anchor="end"))
        for j, weight in enumerate(row):
            cell = {"x": 81 + 56 * j, "y": y, "width": 54, "height": 32, "rx": 4}
            shapes.append(element("rect", **cell, fill=BLUE, fill_opacity=0.45 * weight))
            shapes.append(
                still.text(108 + 56 * j, y + 21, still.number(weight), text_anchor="middle")
            )
    return still.svg(80 + 56 * len(tokens), 24 + 34 * len(tokens), alt, *shapes)


def _lines(
    tokens: Sequence[str], values: Sequence[Sequence[float]], last: Sequence[float]
) -> list[list[str]]:
    return [
        [token, *(still.number(x, 4) for x in (*row, end))]
        for token, row, end in zip(tokens, values, last, strict=True)
    ]
