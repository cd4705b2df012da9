"""The reader's language, and every word that code shows.

Words live in ``words/<language>/<file>.toml``. A key such as ``"common.check.right"`` names the
file, then the tables inside it. Both languages have the same keys with the same placeholders.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import resources
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LANGUAGES = ("en", "zh")
_current = "en"


def use(language: str) -> None:
    """Show everything from now on in ``language``, ``"en"`` or ``"zh"``.

    Raises:
        ValueError: ``language`` is not one of the book's languages.
    """
    global _current
    if language not in LANGUAGES:
        raise ValueError(f"language: got {language!r}, expected one of {', '.join(LANGUAGES)}")
    _current = language


def current() -> str:
    """The language in use."""
    return _current


def read_toml(*path: str) -> dict[str, Any]:
    """A TOML file of the package, named by the parts of its path."""
    return tomllib.loads(resources.files(__package__).joinpath(*path).read_text(encoding="utf-8"))


@cache
def _words_file(language: str, name: str) -> dict[str, Any]:
    try:
        return read_toml("words", language, f"{name}.toml")
    except FileNotFoundError:
        raise KeyError(f"there is no file of words words/{language}/{name}.toml") from None


def words(key: str, language: str | None = None) -> Any:
    """The entry at ``key``: a string, or a whole table or list of them.

    Raises:
        KeyError: there is no such entry; the message names the key and the file.
    """
    language = language or _current
    name, *path = key.split(".")
    entry: Any = _words_file(language, name)
    for part in path:
        if not isinstance(entry, dict) or part not in entry:
            raise KeyError(f"{key!r} is not in words/{language}/{name}.toml")
        entry = entry[part]
    return entry


def word(key: str, **values: object) -> str:
    """The words at ``key`` with each ``{placeholder}`` filled from ``values``.

    Raises:
        KeyError: there is no such entry, or a placeholder has no value.
        TypeError: the entry is a table or a list, not words.
    """
    entry = words(key)
    if not isinstance(entry, str):
        raise TypeError(f"{key!r} is a {type(entry).__name__}, expected words")
    return entry.format(**values) if values else entry
