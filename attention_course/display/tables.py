"""A table of texts, as a display of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .markup import Display, escape, table


class Table(Display):
    """A table with a title, whose first column names the rows.

    Args:
        title, head: its title, and what stands over its columns.
        lines: a row each, its name first.
    """

    def __init__(self, title: str, head: Iterable[str], lines: Iterable[Sequence[str]]) -> None:
        self.title, self.head, self.lines = title, list(head), [list(line) for line in lines]

    def html(self) -> str:
        shown = table(self.title, self.head, self.lines, class_="ac-columns")
        label = escape(self.title)
        around = f'tabindex="0" role="group" aria-label="{label}"'
        return f'<div class="ac" style="overflow-x:auto" {around}>{shown}</div>'

    def text(self) -> str:
        return "\n".join("  ".join(line) for line in [self.head, *self.lines])
