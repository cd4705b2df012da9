"""The reader's language, and every word that code shows.

Words live beside what says them, in ``<language>.toml`` of its folder: a lesson, an explorable, or
one of the package's own. A key such as ``"human_attention.figure.shares"`` names the folder, then
the tables inside the file. Both languages have the same keys with the same placeholders.
"""

from __future__ import annotations

import sys
from copy import deepcopy
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
def words_file(name: str, language: str) -> tuple[str, ...]:
    """Where in the package the words of the folder ``name`` are, as the parts of a path.

    Raises:
        KeyError: no folder of that name has words.
    """
    for place in ((name,), ("lessons", name), ("explorables", name)):
        path = (*place, f"{language}.toml")
        if name.isidentifier() and resources.files(__package__).joinpath(*path).is_file():
            return path
    raise KeyError(f"there is no folder {name!r} with words, {language}.toml")


@cache
def _words_of(name: str, language: str) -> dict[str, Any]:
    return read_toml(*words_file(name, language))


def words(key: str, language: str | None = None) -> Any:
    """The entry at ``key``: a string, or a copy of a whole table or list of them.

    Whoever records what a run depends on hears of it by an audit event ``attention_course.words``
    with the file and the key inside it.

    Raises:
        KeyError: there is no such entry; the message names the key and the file.
    """
    language = language or _current
    entry = find(key, language)
    name, _, inside = key.partition(".")
    sys.audit("attention_course.words", "/".join(words_file(name, language)), inside)
    return deepcopy(entry)


def find(key: str, language: str) -> Any:
    """The entry at ``key`` itself, without a note that it was read."""
    name, *path = key.split(".")
    entry: Any = _words_of(name, language)
    for part in path:
        if not isinstance(entry, dict) or part not in entry:
            raise KeyError(f"{key!r} is not in {'/'.join(words_file(name, language))}")
        entry = entry[part]
    return entry


def in_lessons(path: str) -> str:
    """The key of the one lesson that has an entry at ``path``, such as ``"claim.C6.slope"``.

    Raises:
        KeyError: no lesson has one, or more than one.
    """
    keys = [f"{lesson}.{path}" for lesson in _lessons(_current)]
    found = [key for key in keys if _has(key, _current)]
    if len(found) != 1:
        where = f"more than one, {', '.join(found)}" if found else "none"
        raise KeyError(f"{path!r}: got {where}, expected it in one lesson's {_current}.toml")
    return found[0]


@cache
def _lessons(language: str) -> list[str]:
    """The lessons that have words."""
    folders = resources.files(__package__).joinpath("lessons").iterdir()
    return sorted(f.name for f in folders if f.joinpath(f"{language}.toml").is_file())


def _has(key: str, language: str) -> bool:
    try:
        find(key, language)
    except KeyError:
        return False
    return True


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
