"""The words of a figure, all at one key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .language import words
from .numbers import number

# What a figure's table may hold. The last row names things by the names that the code gives them.
TEXTS = ("title", "x", "y", "reference", "alt")
NAMES = ("titles", "series", "bars", "rows", "columns", "boxes", "arrows")


class Caption:
    """The words at a figure's key, with the words given outright in their place.

    Args:
        key: the figure's table, such as ``"human_attention.figure.shares"``, or None.
        said: words given outright, by the names that the table has; ``values`` fills placeholders.

    Raises:
        KeyError: there is no such table.
        TypeError: a word of another name than :data:`TEXTS` and :data:`NAMES`.
    """

    def __init__(self, key: str | None, said: Mapping[str, Any]) -> None:
        table = {} if key is None else words(key)
        if not isinstance(table, dict):
            raise TypeError(f"key: got {key!r}, which is no table, expected a figure's table")
        given = {name: value for name, value in said.items() if name != "values"}
        for name in (*table, *given):
            if name not in TEXTS + NAMES:
                where = "" if name in given else f" in {key}"
                raise TypeError(f"{name}{where}: expected one of {', '.join(TEXTS + NAMES)}")
        values = {
            name: number(value) if isinstance(value, float) else value
            for name, value in (said.get("values") or {}).items()
        }
        self._key, self._table = key, _filled({**table, **given}, values)

    def text(self, name: str) -> str:
        """The words of that name; nothing where there are none."""
        return self._table.get(name, "")

    def names(self, table: str, names: Sequence[Any] | None) -> list[str] | None:
        """What readers see for ``names``: looked up in ``table``; as they are where there is none.

        Where the table is a list, it holds the names themselves, for ``names`` that are None.

        Raises:
            KeyError: the table lacks a name.
        """
        known = self._table.get(table)
        if names is None:
            return known if isinstance(known, list) else None
        if not isinstance(known, dict):
            return [name if isinstance(name, str) else number(name) for name in names]
        return [self._name(table, known, name) for name in names]

    def _name(self, table: str, known: Mapping[str, str], name: Any) -> str:
        if name not in known and isinstance(name, str):
            raise KeyError(f"{self._key}.{table} has no {name!r}, only {', '.join(known)}")
        return known.get(name) or number(name)


def _filled(entry: Any, values: Mapping[str, object]) -> Any:
    if isinstance(entry, str):
        return entry.format(**values) if values else entry
    if isinstance(entry, dict):
        return {name: _filled(inner, values) for name, inner in entry.items()}
    return [_filled(inner, values) for inner in entry]
