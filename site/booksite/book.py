"""The book as files: where everything is, which pages there are and in which order."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from . import faults

EDITIONS = ("en", "zh")
SOURCE = "en"  # the edition whose code cells are the original
LANGUAGE_TAGS = {"en": "en", "zh": "zh-CN"}
LANGUAGE_NAMES = {"en": "English", "zh": "中文"}
FOLDER = f"chapters/{SOURCE}/"  # where _toc.yml finds its pages
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
        """Jupyter Book's settings: ``_config.yml`` with what the edition's own file changes."""
        config = _read_yaml(self.root / "_config.yml", "_config.yml")
        try:
            config["sphinx"]["config"]["book_repository"]
        except (KeyError, TypeError):
            raise BookError("_config.yml has no entry sphinx: config: book_repository:") from None
        return _merged(config, settings(edition).get("config", {}))

    def toc(self) -> dict[str, Any]:
        """The table of contents as written, with the English edition's files.

        Raises:
            BookError: it is missing or badly written; the message names each line concerned.
        """
        contents = _read_yaml(self.root / "_toc.yml", "_toc.yml")
        _refuse("_toc.yml", faults.of_contents(contents, FOLDER))
        return contents

    def pages(self) -> list[str]:
        """The pages' names in reading order; both editions have the same."""
        return [name.removeprefix(FOLDER) for name in _files(self.toc())]

    def path(self, edition: str, page: str) -> Path:
        """The page's source in an edition: a notebook, or Markdown where there is no notebook."""
        markdown = self.root / "chapters" / edition / f"{page}.md"
        return markdown if markdown.exists() else markdown.with_suffix(".ipynb")

    def notebook(self, edition: str, page: str) -> dict[str, Any]:
        """The page's notebook as it is written.

        Raises:
            BookError: it is missing or badly saved.
        """
        path = self.path(edition, page)
        return read_notebook(path, self.shown(path))

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


def settings(edition: str) -> dict[str, Any]:
    """What an edition has of its own beside its pages: ``site/<edition>.yml``.

    The edition whose code cells are the original needs none.
    """
    return {} if edition == SOURCE else _read_yaml(SITE / f"{edition}.yml", f"site/{edition}.yml")


def edition_toc(book: Book, edition: str) -> dict[str, Any]:
    """The table of contents of an edition, from the point of view of its own folder."""
    captions = settings(edition).get("captions", {})

    def turned(entry: Any) -> Any:
        if isinstance(entry, list):
            return [turned(item) for item in entry]
        if not isinstance(entry, dict):
            return entry
        result = {key: turned(value) for key, value in entry.items()}
        for key in ("root", "file"):
            if key in result:
                result[key] = result[key].removeprefix(FOLDER)
        if "caption" in result and edition != SOURCE:
            if result["caption"] not in captions:
                raise BookError(
                    f"site/{edition}.yml: captions lacks {result['caption']!r} of _toc.yml"
                )
            result["caption"] = captions[result["caption"]]
        return result

    return turned(book.toc())


def read_notebook(path: Path, name: str | None = None) -> dict[str, Any]:
    """A notebook as JSON, each cell's source as one string.

    Args:
        path: of the file.
        name: what messages call it, if not ``path``.

    Raises:
        BookError: the file is missing or badly saved; the message names each cell concerned.
    """
    name = name or str(path)
    text, twice = read_text(path, name), []

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            keys = [key for key, _ in pairs]
            twice.append((next(key for key in keys if keys.count(key) > 1), made))
        return made

    try:
        notebook = json.loads(text, object_pairs_hook=object_of)
    except ValueError as error:
        raise BookError(f"{name} is not a notebook: {error}") from None
    _refuse(name, faults.of_notebook(notebook, twice))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def read_text(path: Path, name: str) -> str:
    """A text file.

    Raises:
        BookError: it is missing or badly saved.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise BookError(f"{name} is missing") from None
    _refuse(name, faults.of_text(content))
    return content.decode("utf-8")


def _refuse(name: str, found: Iterable[str]) -> None:
    sentences = [f"{name}: {fault}" for fault in found]
    if sentences:
        raise BookError("\n".join(sentences))


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8", newline="\n")
    unfinished.replace(path)


def write_notebook(path: Path, notebook: dict[str, Any]) -> None:
    """Write a notebook as Jupyter does: one line of source a line of the file."""
    notebook = deepcopy(notebook)
    for cell in notebook["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    write_text(path, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # the fast one where there is one
    """YAML as usual; but a key that stands twice is refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        made = super().construct_mapping(node, deep)
        if len(made) < len(node.value):
            raise yaml.constructor.ConstructorError(
                None, None, "a key stands twice here", node.start_mark
            )
        return made


def _read_yaml(path: Path, name: str) -> dict[str, Any]:
    if not path.exists():
        raise BookError(f"{name} is missing: is this the book's folder?")
    text = read_text(path, name)
    try:
        found = yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise BookError(f"{name}{where}: {error.problem}") from None
    except yaml.YAMLError as error:
        raise BookError(f"{name}: {error}") from None
    if not isinstance(found, dict):
        raise BookError(f"{name}: expected names with values, such as `title: Transformers`")
    return found


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
