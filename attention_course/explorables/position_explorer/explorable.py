"""The sine and cosine encoding of positions, and how alike two positions are."""

from __future__ import annotations

import math

from .. import still
from ..base import LINE, WIDE, Explorable, between, lines, one_of


class PositionExplorer(Explorable):
    """Move the position, the number of dimensions and the base; see the encoding and likeness.

    Dimension ``2i`` is ``sin(position / base^(2i / d_model))`` and ``2i + 1`` the cosine of the
    same. The curve is the cosine similarity of the chosen position with every other.

    Args:
        length: how many positions, 2 to 256.
        d_model: how many dimensions, an even number from 2 to 128.
        base: from 10 to 100000; the paper's is 10000.
        position: the chosen one, from 0 to ``length - 1``.

    Raises:
        ValueError: a number outside these.
    """

    module = "position_explorer"

    def __init__(
        self, length: int = 64, d_model: int = 32, base: float = 10_000.0, position: int = 20
    ) -> None:
        length = one_of("length", length, range(2, 257), "a whole number from 2 to 256")
        d_model = one_of("d_model", d_model, range(2, 129, 2), "an even number from 2 to 128")
        until = f"a whole number from 0 to {length - 1}"
        super().__init__(
            length=length,
            d_model=d_model,
            base=between("base", base, 10, 100_000),
            position=one_of("position", position, range(length), until),
            pair=min(3, d_model // 2 - 1),
        )

    def room(self, columns: int) -> float:
        titles = [self.words[name] for name in ("map_title", "wave_title", "similarity_title")]
        captions = 18 * sum(lines(title, 1.1 * columns) for title in titles)
        summary = max(lines(self.words["most"], columns - 2), 2 if columns == WIDE else 3) * LINE
        return captions + summary + (582 if columns == WIDE else 640)

    def still(self) -> str:
        from attention_course.positions import sinusoidal_encoding  # brings torch

        state, words = self.state, self.words
        encoding = sinusoidal_encoding(state["length"], state["d_model"], state["base"]).numpy()
        chosen = encoding[state["position"]]
        similarity = encoding @ chosen / (state["d_model"] / 2)
        waves = (
            2 * math.pi * state["base"] ** (2 * i / state["d_model"])
            for i in range(state["d_model"] // 2)
        )
        head = [words["pair"], words["wavelength"], "sin", "cos"]
        pairs = [
            [
                str(i),
                still.number(wave, 1 if wave < 100 else 0),
                still.number(sine, 4),
                still.number(cosine, 4),
            ]
            for i, (wave, sine, cosine) in enumerate(
                zip(waves, chosen[::2], chosen[1::2], strict=True)
            )
        ]
        likeness = [[str(i), still.number(value, 4)] for i, value in enumerate(similarity)]
        return (
            still.pixels(encoding.T, words["map_title"])
            + still.table(words["encoding_table"], head, pairs)
            + still.table(
                words["similarity_table"], [words["position"], words["similarity"]], likeness
            )
        )
