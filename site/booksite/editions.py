"""The editions side by side: what must agree, and the tool that makes code agree.

All editions of a notebook have the same cells in the same order with the same ids. Code cells are
the same to the byte, tags included, except the setup cell, which names the language.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .book import (
    EDITIONS,
    SOURCE,
    Book,
    BookError,
    edition_toc,
    read_notebook,
    read_text,
    write_notebook,
)
from .tidy import SETUP, in_language, names_language, tidy

TAGS = (
    "plot",
    "record",
    *(f"{how}-{what}" for how in ("hide", "remove") for what in ("cell", "input", "output")),
)


@dataclass
class _Findings:
    """What is wrong with the book's pages."""

    mended: dict[Path, dict[str, Any]] = field(default_factory=dict)  # notebooks, put in order
    for_sync: list[str] = field(default_factory=list)  # what was wrong with these
    for_people: list[str] = field(default_factory=list)


def check(
    book: Book, editions: Iterable[str] = EDITIONS, pages: Iterable[str] | None = None
) -> None:
    """Make sure that the notebooks can be executed and built.

    Raises:
        BookError: names each file and cell that is wrong, and how to mend it.
    """
    found = _look_through(book, tuple(editions), tuple(pages or book.pages()))
    problems = [f"{problem}: run `make sync`" for problem in found.for_sync] + found.for_people
    if problems:
        raise BookError("\n".join(problems))


def sync(book: Book) -> list[str]:
    """Put all notebooks in order and copy the code cells of the source edition to the others.

    Returns:
        What was mended and what only a person can mend, one sentence each.
    """
    found = _look_through(book, EDITIONS, tuple(book.pages()))
    for path, notebook in found.mended.items():
        write_notebook(path, notebook)
    return [f"Mended: {problem}" for problem in found.for_sync] + found.for_people


def _look_through(book: Book, editions: tuple[str, ...], pages: tuple[str, ...]) -> _Findings:
    found = _Findings()
    found.for_people += _strays(book, editions)
    for edition in editions:
        book.config(edition), edition_toc(book, edition)  # raise where they are badly written
    for page in pages:
        notebooks = {}
        for edition in editions:
            try:
                notebook = _read(book, edition, page)
            except BookError as error:
                found.for_people += str(error).splitlines()
                continue
            if notebook is not None:
                notebooks[edition] = notebook
        _look_through_page(book, page, notebooks, found)
    return found


def _strays(book: Book, editions: tuple[str, ...]) -> Iterator[str]:
    """Pages that the contents do not list."""
    listed = set(book.pages())
    for edition in editions:
        folder = book.root / "chapters" / edition
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if path.suffix not in (".ipynb", ".md") or inside.parts[0].startswith("."):
                continue
            if len(inside.parts) > 1 or path.stem not in listed:
                yield f"{book.shown(path)} is not in _toc.yml: add a line for it, or move it away"
            elif path.suffix == ".ipynb" and path.with_suffix(".md").exists():
                name = book.shown(path)
                yield f"{name} stands beside a page of the same name, {path.stem}.md: keep one"


def _read(book: Book, edition: str, page: str) -> dict[str, Any] | None:
    """The page's notebook; ``None`` where the page is Markdown.

    Raises:
        BookError: it is missing, badly saved, or another kind than in the source edition.
    """
    path, source = book.path(edition, page), book.path(SOURCE, page)
    name = book.shown(path)
    if not path.exists():
        raise BookError(f"{name} is missing: _toc.yml lists this page")
    if source.exists() and path.suffix != source.suffix:
        raise BookError(f"{name} is of another kind than {book.shown(source)}")
    if path.suffix == ".md":
        read_text(path, name)
        return None
    notebook = read_notebook(path, name)
    faults = list(_faults(notebook))
    if faults:
        raise BookError("\n".join(f"{name}: {fault}" for fault in faults))
    return notebook


def _faults(notebook: dict[str, Any]) -> Iterator[str]:
    """What a person has to mend in a notebook, whatever the other editions say."""
    seen: set[str] = set()
    for number, cell in enumerate(notebook["cells"], 1):
        here = f"cell {number} ({cell['id']})"
        if cell["id"] in seen:
            yield f"{here} has the id of an earlier cell: give it its own"
        seen.add(cell["id"])
        if cell["id"] == SETUP and not names_language(cell["source"].replace("\r", "")):
            yield f'{here} must have one line LANGUAGE = "…"'
        for tag in cell["metadata"].get("tags", ()):
            if tag not in TAGS:
                yield f"{here} has the tag {tag!r}, expected one of {', '.join(TAGS)}"


def _look_through_page(
    book: Book, page: str, notebooks: dict[str, dict[str, Any]], found: _Findings
) -> None:
    """Mend the page's notebooks, and note what was wrong with them."""
    for edition, notebook in notebooks.items():
        path = book.path(edition, page)
        name, wrong = book.shown(path), [*tidy(notebook, edition)]
        if edition != SOURCE and SOURCE in notebooks:
            source_name = book.shown(book.path(SOURCE, page))
            wrong += _copy_code(notebooks[SOURCE], notebook, edition, source_name)
            found.for_people += differences(notebooks[SOURCE], notebook, source_name, name)
        if wrong:
            found.mended[path] = notebook
            found.for_sync += [f"{name}: {what}" for what in wrong]


def _copy_code(
    source: dict[str, Any], other: dict[str, Any], edition: str, source_name: str
) -> Iterator[str]:
    """Bring the code cells of ``other`` up to those of ``source``; a sentence for each."""
    place = 0  # where in `other` the next cell of `source` belongs
    for number, cell in enumerate(source["cells"], 1):
        index = next((i for i, c in enumerate(other["cells"]) if c["id"] == cell["id"]), None)
        if cell["cell_type"] == "code":
            wanted = deepcopy(cell)
            if cell["id"] == SETUP:
                wanted["source"] = in_language(cell["source"], edition)
            if index is None:
                index = place
                other["cells"].insert(index, wanted)
                yield f"has no cell {cell['id']}, which is cell {number} of {source_name}"
            elif (there := other["cells"][index]) != wanted and there["cell_type"] == "code":
                what = "other code" if there["source"] != wanted["source"] else "other tags"
                other["cells"][index] = wanted
                yield f"cell {index + 1} ({cell['id']}) has {what} than in {source_name}"
        if index is not None:
            place = index + 1


def differences(
    source: dict[str, Any], other: dict[str, Any], source_name: str, other_name: str
) -> Iterator[str]:
    """What keeps two editions of a notebook from having the same cells, one sentence each.

    Code is not compared: it is copied.
    """
    cells = {
        name: {cell["id"]: (number, cell) for number, cell in enumerate(notebook["cells"], 1)}
        for name, notebook in ((source_name, source), (other_name, other))
    }
    for here, there in ((source_name, other_name), (other_name, source_name)):
        for key, (number, _) in cells[here].items():
            if key not in cells[there]:
                mend = "write it there" if here == source_name else "write it there, or delete it"
                yield f"{there} has no cell {key}, which is cell {number} of {here}: {mend}"
    common = [key for key in cells[source_name] if key in cells[other_name]]
    moved = [key for key in cells[other_name] if key in cells[source_name]]
    swapped = next((a for a, b in zip(common, moved, strict=True) if a != b), None)
    if swapped is not None:
        yield (
            f"{other_name}: cell {cells[other_name][swapped][0]} ({swapped}) stands elsewhere than"
            f" in {source_name}: put it in the same place"
        )
    for key in common:
        (_, ours), (number, theirs) = cells[source_name][key], cells[other_name][key]
        here = f"{other_name}: cell {number} ({key})"
        if ours["cell_type"] != theirs["cell_type"]:
            yield f"{here} is {theirs['cell_type']}, in {source_name} it is {ours['cell_type']}"
