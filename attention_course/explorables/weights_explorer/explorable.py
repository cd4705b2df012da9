"""Scores and temperature to softmax weights to a mixture of the values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import still
from ..base import WIDE, Explorable, array, between, one_of, rows, token_list

_FEW = 10  # up to so many tokens have a slider each, as in the module


class WeightsExplorer(Explorable):
    """Move each token's score and the temperature; see the weights and the mixture follow.

    ``weights = softmax(scores / temperature)`` and ``mixture = weights @ values``.

    Args:
        tokens: the names of the tokens, up to 64.
        scores: one number for each token.
        values: ``(n, d_v)``, one row for each token, ``d_v`` up to 16.
        temperature: from 0.1 to 10; a low one sharpens, a high one evens out.

    Raises:
        ValueError: shapes that do not fit, numbers that are not finite, too many tokens.
        TypeError: tokens that are not strings, numbers that are none.
    """

    module = "weights_explorer"

    def __init__(
        self, tokens: Sequence[str], scores: Any, values: Any, temperature: float = 1.0
    ) -> None:
        tokens = token_list(tokens, 64)
        values = array("values", values, len(tokens), None)
        one_of("d_v, the width of values", len(values[0]), range(1, 17), "1 to 16")
        super().__init__(
            tokens=tokens,
            scores=array("scores", scores, len(tokens)),
            values=values,
            temperature=between("temperature", temperature, 0.1, 10),
        )

    def room(self, columns: int) -> float:
        n, wide = len(self.state["tokens"]), columns == WIDE
        buttons = rows([self.words[name] for name in ("equal", "one", "reset")], columns)
        controls = 0 if wide else 48 * buttons
        if n > _FEW:
            return controls + (558 if wide else 599)
        return controls + (214 + 40 * n if wide else 258 + 75.6 * n)

    def still(self) -> str:
        state, words = self.state, self.words
        logits = np.array(state["scores"]) / state["temperature"]
        powers = np.exp(logits - logits.max())
        weights = powers / powers.sum()
        rows = [
            [
                token,
                still.number(score),
                still.number(weight, 4),
                *(still.number(v, 3) for v in value),
            ]
            for token, score, weight, value in zip(
                state["tokens"], state["scores"], weights, state["values"], strict=True
            )
        ]
        mixture = weights @ np.array(state["values"])
        rows.append([words["mixture"], "", "1.0000", *map(_cell, mixture)])
        columns = [f"{words['value']} {i + 1}" for i in range(len(mixture))]
        head = [words["token"], words["score"], words["weight"], *columns]
        return still.bars(state["tokens"], weights, words["weight"]) + still.table(
            words["table"], head, rows
        )


def _cell(value: float) -> str:
    return still.number(value, 3)
