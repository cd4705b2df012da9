"""What lesson 4-1 shows that nobody else shows: its tables."""

from __future__ import annotations

from collections.abc import Mapping

from ...language import words
from ...numbers import decimals, number
from ...tables import Table
from .experiments import Part


def parts(found: Mapping[str, Part]) -> Table:
    """The parts of a Transformer: what comes out, how many there are, their parameters."""
    said = words("self_attention_layer.parts")
    lines = [
        [
            shown,
            _unbroken(" × ".join(map(str, found[name].shape))),
            str(found[name].count),
            decimals(found[name].parameters, 0, ","),
        ]
        for name, shown in said["names"].items()
    ]
    total = sum(part.parameters for part in found.values())
    lines.append([said["total"], "", "", decimals(total, 0, ",")])
    return Table(said["title"], said["head"], lines)


def ladder(rungs: Mapping[str, tuple[float, float]]) -> Table:
    """For each rung, how far ours and theirs are apart, and how far with one mistake in them."""
    said = words("self_attention_layer.ladder")
    lines = [
        [
            shown,
            _unbroken(number(rungs[name][0])),
            said["mistakes"][name],
            _unbroken(number(rungs[name][1])),
        ]
        for name, shown in said["rungs"].items()
    ]
    return Table(said["title"], said["head"], lines)


def _unbroken(text: str) -> str:
    """The text with spaces at which no line breaks."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")
