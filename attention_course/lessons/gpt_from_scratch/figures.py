"""What lesson 4-4 shows that nobody else shows: its table."""

from __future__ import annotations

from collections.abc import Mapping

from ...language import words
from ...numbers import decimals
from ...tables import Table


def rivals(found: Mapping[str, float]) -> Table:
    """Who guesses, what each has read and may remember, and bits per byte; the best first."""
    said = words("gpt_from_scratch.rivals")
    lines = [
        [*(said[part][name] for part in ("who", "read", "remembers")), decimals(found[name], 2)]
        for name in sorted(found, key=found.__getitem__)
    ]
    return Table(said["title"], said["head"], lines)
