"""What lesson 1 shows that nobody else shows."""

from __future__ import annotations

from collections.abc import Sequence

from ...language import words
from ...markup import Display, element, escape
from ...numbers import decimals
from .experiments import LAYERS, Costs, costs


class CostTable(Display):
    """What a layer of each kind costs, for sentences of several lengths: one row for each.

    Args:
        lengths: of sentences, in words.

    Attributes:
        rows: layer → length → costs.
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        self.rows: dict[str, dict[int, Costs]] = {
            name: {n: costs(name, n) for n in lengths} for name in LAYERS
        }
        self.words = words("why_transformers.costs")

    def _lines(self) -> list[list[str]]:
        return [
            [self.words["layers"][name], str(n), *(decimals(cost, 0, ",") for cost in measured)]
            for name, by_length in self.rows.items()
            for n, measured in by_length.items()
        ]

    def html(self) -> str:
        head = "".join(element("th", escape(text), scope="col") for text in self.words["head"])
        body = "".join(
            element(
                "tr",
                element("th", escape(first), scope="row"),
                *(element("td", escape(text)) for text in rest),
            )
            for first, *rest in self._lines()
        )
        table = element(
            "table",
            element("caption", escape(self.words["title"])),
            element("thead", element("tr", head)),
            element("tbody", body),
        )
        label = escape(self.words["title"])
        around = f'tabindex="0" role="group" aria-label="{label}"'
        return f'<div class="ac" style="overflow-x:auto" {around}>{table}</div>'

    def text(self) -> str:
        return "\n".join("  ".join(line) for line in [self.words["head"], *self._lines()])
