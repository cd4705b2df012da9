"""The book as files: where everything is, which pages there are and in which order."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

EDITIONS = ("en", "zh")
SOURCE = "en"  # the edition whose code cells are the original
LANGUAGE_TAGS = {"en": "en", "zh": "zh-CN"}
LANGUAGE_NAMES = {"en": "English", "zh": "中文"}
SITE = Path(__file__).parents[1]  # this machinery, its styles and its browser assets


class BookError(Exception):
    """Something the person at the keyboard can mend: shown as its message, without a traceback."""


@dataclass(frozen=True)
class Book:
    """A book in a folder: ``_config.yml``, ``_toc.yml``, ``chapters/<edition>/``."""

    root: Path

    @property
    def output(self) -> Path:
        """Where everything that is made goes."""
        return self.root / "_build"

    @property
    def library(self) -> Path:
        """The library's package."""
        return self.root / "attention_course"

    def config(self, edition: str = SOURCE) -> dict[str, Any]:
        """Jupyter Book's settings: ``_config.yml``, for Chinese with what ``zh.yml`` changes."""
        config = _read_yaml(self.root / "_config.yml")
        return config if edition == SOURCE else _merged(config, chinese()["config"])

    def toc(self) -> dict[str, Any]:
        """The table of contents as written, with the English edition's files."""
        return _read_yaml(self.root / "_toc.yml")

    def pages(self) -> list[str]:
        """The pages' names in reading order; both editions have the same."""
        prefix = f"chapters/{SOURCE}/"
        names = list(_files(self.toc()))
        for name in names:
            if not name.startswith(prefix):
                raise BookError(f"_toc.yml: got the file {name!r}, expected {prefix}<page>")
        return [name.removeprefix(prefix).removesuffix(".ipynb") for name in names]

    def path(self, edition: str, page: str) -> Path:
        """The page's source in an edition: a notebook, or Markdown where there is no notebook."""
        markdown = self.root / "chapters" / edition / f"{page}.md"
        return markdown if markdown.exists() else markdown.with_suffix(".ipynb")

    def notebooks(self) -> list[str]:
        """The pages that are notebooks, in reading order."""
        return [page for page in self.pages() if self.path(SOURCE, page).suffix == ".ipynb"]

    def executed(self, edition: str, page: str) -> Path:
        """Where the executed copy of a notebook is kept."""
        return self.output / "executed" / edition / f"{page}.ipynb"

    def record(self, edition: str, page: str) -> Path:
        """Where the record of a notebook's run is kept."""
        return self.executed(edition, page).with_suffix(".json")

    def shown(self, path: Path) -> str:
        """A path as people read it: from the book's folder."""
        inside = path.is_relative_to(self.root)
        return path.relative_to(self.root).as_posix() if inside else str(path)

    @contextmanager
    def lock(self, work: str) -> Iterator[None]:
        """Only one build does this work in this folder at a time; the next one waits."""
        self.output.mkdir(exist_ok=True)
        with (self.output / f"{work}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"Another build is at work here ({work}): waiting for it.", flush=True)
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


def chinese() -> dict[str, Any]:
    """What is Chinese about the Chinese edition, beside its pages: ``site/zh.yml``."""
    return _read_yaml(SITE / "zh.yml")


def edition_toc(book: Book, edition: str) -> dict[str, Any]:
    """The table of contents of an edition, from the point of view of its own folder."""
    captions = chinese()["captions"] if edition != SOURCE else None

    def turned(entry: Any) -> Any:
        if isinstance(entry, list):
            return [turned(item) for item in entry]
        if not isinstance(entry, dict):
            return entry
        result = {key: turned(value) for key, value in entry.items()}
        for key in ("root", "file"):
            if key in result:
                result[key] = result[key].removeprefix(f"chapters/{SOURCE}/")
        if captions is not None and "caption" in result:
            if result["caption"] not in captions:
                raise BookError(f"site/zh.yml: captions has no Chinese for {result['caption']!r}")
            result["caption"] = captions[result["caption"]]
        return result

    return turned(book.toc())


def read_notebook(path: Path) -> dict[str, Any]:
    """A notebook as JSON, each cell's source as one string.

    Raises:
        BookError: the file is missing or is no notebook of format 4.5.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BookError(f"{path} is missing") from None
    except ValueError as error:
        raise BookError(f"{path} is not a notebook: {error}") from None
    if (notebook.get("nbformat"), notebook.get("nbformat_minor", 0)) < (4, 5):
        raise BookError(f"{path}: expected a notebook of format 4.5, whose cells have ids")
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def write_notebook(path: Path, notebook: dict[str, Any]) -> None:
    """Write a notebook as Jupyter does: one line of source a line of the file."""
    notebook = deepcopy(notebook)
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    write_text(path, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BookError(f"{path} is missing: is this the book's folder?") from None


def _merged(base: Any, changes: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(changes, dict)):
        return changes
    return base | {key: _merged(base.get(key), value) for key, value in changes.items()}


def _files(entry: Any) -> Iterator[str]:
    if isinstance(entry, list):
        for item in entry:
            yield from _files(item)
    elif isinstance(entry, dict):
        yield from (entry[key] for key in ("root", "file") if key in entry)
        for value in entry.values():
            if isinstance(value, (dict, list)):
                yield from _files(value)
