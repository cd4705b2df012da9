"""What each run of a notebook depended on, how long it took, and where it failed.

The record of a run is ``_build/executed/<edition>/<page>.json``, beside the executed notebook. The
run itself says which files of the package it opened and which keys of words it read
(:mod:`booksite.observer.sitecustomize`); here these are compared with the files as they are now.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any

from .book import EDITIONS, Book, write_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_FORMAT = 2  # raise it when the way notebooks are executed changes what they show
_ENTRIES = {"run", "seconds", "cells", "failure", "files", "words"}
_CHANGED = "changed while the notebook ran"  # in place of a digest: no file has it

Record = dict[str, Any]


class Sources:
    """What runs depend on, as it is now. Each file is read once at most."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._digests: dict[str, str | None] = {}
        self._words: dict[str, dict[str, Any]] = {}
        requirements = book.root / "requirements.txt"
        self._machine = [
            _FORMAT,
            list(sys.version_info[:2]),
            _digest(requirements.read_bytes()) if requirements.exists() else None,
        ]

    def snapshot(self) -> dict[str, str | None]:
        """The digests of all files of the package."""
        library = self.book.library
        names = (path.relative_to(library).as_posix() for path in library.rglob("*"))
        return {name: self.digest(name) for name in names if not name.endswith(".pyc")}

    def digest(self, name: str) -> str | None:
        """The digest of a file of the package; ``None`` where there is no such file."""
        if name not in self._digests:
            path = self.book.library / name
            self._digests[name] = _digest(path.read_bytes()) if path.is_file() else None
        return self._digests[name]

    def value(self, name: str, key: str) -> str | None:
        """The digest of the entry at ``key`` in a file of words; ``None`` where there is none."""
        if name not in self._words:
            try:
                text = (self.book.library / name).read_text(encoding="utf-8")
                self._words[name] = tomllib.loads(text)
            except (OSError, ValueError):
                self._words[name] = {}
        entry: Any = self._words[name]
        for part in key.split(".") if key else ():
            if not isinstance(entry, dict) or part not in entry:
                return None
            entry = entry[part]
        return digest_of(entry)

    def run(self, code: str) -> list[Any]:
        """What a run of these code cells (their digest) stands on beside the package."""
        return [*self._machine, code]

    def unchanged(self, record: Record, code: str) -> bool:
        """Whether the run that the record tells of would show the same again."""
        return (
            record.get("run") == self.run(code)
            and record["failure"] is None
            and all(self.digest(name) == digest for name, digest in record["files"].items())
            and all(self._same_words(name, words) for name, words in record["words"].items())
        )

    def _same_words(self, name: str, words: dict[str, Any]) -> bool:
        return self.digest(name) == words["digest"] or all(
            self.value(name, key) == digest for key, digest in words["keys"].items()
        )


def read(book: Book, edition: str, page: str) -> Record:
    """The record of a notebook's last run; empty when there is none."""
    try:
        found = json.loads(book.record(edition, page).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.keys() == _ENTRIES else {}


def write(book: Book, edition: str, page: str, record: Record) -> None:
    """Keep the record of a notebook's last run."""
    write_text(book.record(edition, page), json.dumps(record, ensure_ascii=False, indent=1) + "\n")


def dependencies(log: Path, before: dict[str, str | None], now: Sources) -> Record:
    """The ``files`` and ``words`` of a record, from what the run noted in ``log``.

    Args:
        log: one line of JSON each, ``["file", name]`` or ``["words", file, key]``.
        before: the package's digests before the run, so that a change meanwhile makes it stale.
        now: the package after the run.
    """
    files: dict[str, str | None] = {}
    words: dict[str, dict[str, Any]] = {}
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else ():
        kind, name, *key = json.loads(line)
        if kind == "words":
            kept = words.setdefault(name, {"digest": before.get(name), "keys": {}})
            same = now.digest(name) == kept["digest"]
            kept["keys"][key[0]] = now.value(name, key[0]) if same else _CHANGED
        elif not _holds_words(name):
            name = source_from_cache(name) if name.endswith(".pyc") else name
            files[name] = before.get(name)
    return {"files": dict(sorted(files.items())), "words": dict(sorted(words.items()))}


def times(book: Book, editions: Iterable[str] = EDITIONS) -> list[dict[str, Any]]:
    """How long each notebook took when it last ran, the slowest first.

    Returns:
        ``edition``, ``page``, ``seconds`` and ``cells`` (seconds by the cell's id) of each.
    """
    found = [
        {"edition": edition, "page": page, "seconds": record["seconds"], "cells": record["cells"]}
        for edition in editions
        for page in book.notebooks()
        if (record := read(book, edition, page))
    ]
    return sorted(found, key=lambda run: -run["seconds"])


def digest_of(value: Any) -> str:
    """The digest of something that JSON can hold (dates as text)."""
    return _digest(json.dumps(value, sort_keys=True, default=str).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _holds_words(name: str) -> bool:
    """Whether a file of the package holds words: its keys are noted one by one."""
    return name.rsplit("/", 1)[-1] in {f"{edition}.toml" for edition in EDITIONS}
