"""A small attention with a mask, applied rightly or in one of the ways in which it goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import still
from ..base import LINE, WIDE, Explorable, array, lines, one_of, rows, token_list

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
            mask=_known("mask", mask, MASKS),
            way=_known("way", way, WAYS),
        )


def _known(name: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise ValueError(f"{name}: got {value!r}, expected one of {', '.join(known)}")
    return value
