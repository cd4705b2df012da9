"""The two editions side by side: what must agree, and the tool that makes code agree.

Both editions of a notebook have the same cells in the same order with the same ids. Code cells are
the same to the byte, except the setup cell, which names the language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any

from .book import EDITIONS, SOURCE, Book, BookError, read_notebook, write_notebook

SETUP = "setup"
_LANGUAGE = re.compile(r'^LANGUAGE = "(\w*)"$', re.MULTILINE)


def check(
    book: Book, editions: Iterable[str] = EDITIONS, pages: Iterable[str] | None = None
) -> None:
    """Make sure that the notebooks can be executed and built.

    Raises:
        BookError: names each file and cell that is wrong, and how to mend it.
    """
    problems = list(_problems(book, tuple(editions), tuple(pages or book.pages())))
    if problems:
        raise BookError("\n".join(problems))


def _problems(book: Book, editions: tuple[str, ...], pages: tuple[str, ...]) -> Iterator[str]:
    listed = set(book.pages())
    for edition in editions:
        for path in sorted((book.root / "chapters" / edition).glob("*.ipynb")):
            if path.stem not in listed:
                yield f"{book.shown(path)} is not in _toc.yml: add a line for it, or move it away"
    for page in pages:
        notebooks = {}
        for edition in editions:
            path = book.path(edition, page)
            if not path.exists():
                yield f"{book.shown(path)} is missing: _toc.yml lists this page"
                continue
            if path.suffix == ".ipynb":
                notebooks[edition] = read_notebook(path)
                yield from _notebook_problems(book.shown(path), edition, notebooks[edition])
        if len(notebooks) > 1:
            for edition in notebooks.keys() - {SOURCE}:
                source, other = (book.shown(book.path(e, page)) for e in (SOURCE, edition))
                yield from differences(notebooks[SOURCE], notebooks[edition], source, other)


def _notebook_problems(name: str, edition: str, notebook: dict[str, Any]) -> Iterator[str]:
    seen: set[str] = set()
    for number, cell in enumerate(notebook["cells"], 1):
        here = f"{name}: cell {number} ({cell['id']})"
        if cell["id"] in seen:
            yield f"{here} has the id of an earlier cell: give it its own"
        seen.add(cell["id"])
        if cell.get("outputs"):
            mend = f"run `.venv/bin/nbstripout --keep-id {name}`"
            yield f"{here} was saved with outputs: {mend}"
        if cell["id"] == SETUP and _LANGUAGE.findall(cell["source"]) != [edition]:
            yield f'{here} must have the line LANGUAGE = "{edition}": run `make sync`'


def differences(
    source: dict[str, Any], other: dict[str, Any], source_name: str, other_name: str
) -> Iterator[str]:
    """What keeps two editions of a notebook from having the same cells, one sentence each."""
    cells = {
        name: {cell["id"]: (number, cell) for number, cell in enumerate(notebook["cells"], 1)}
        for name, notebook in ((source_name, source), (other_name, other))
    }
    common = [key for key in cells[source_name] if key in cells[other_name]]
    for here, there in ((source_name, other_name), (other_name, source_name)):
        for key, (number, cell) in cells[here].items():
            if key not in cells[there]:
                mend = "write it there"
                if cell["cell_type"] == "code" and here == source_name:
                    mend = "run `make sync`"
                elif here == other_name:
                    mend = "write it there, or delete it here"
                yield f"{there} has no cell {key}, which is cell {number} of {here}: {mend}"
    if common != [key for key in cells[other_name] if key in cells[source_name]]:
        swapped = next(
            key
            for key, moved in zip(
                common, (k for k in cells[other_name] if k in cells[source_name]), strict=True
            )
            if key != moved
        )
        number = cells[other_name][swapped][0]
        yield (
            f"{other_name}: cell {number} ({swapped}) stands elsewhere than in {source_name}:"
            " put it in the same place"
        )
    for key in common:
        (_, ours), (number, theirs) = cells[source_name][key], cells[other_name][key]
        here = f"{other_name}: cell {number} ({key})"
        if ours["cell_type"] != theirs["cell_type"]:
            yield f"{here} is {theirs['cell_type']}, in {source_name} it is {ours['cell_type']}"
        elif ours["cell_type"] == "code" and _same_for_all(ours) != _same_for_all(theirs):
            yield f"{here} has other code than in {source_name}: run `make sync`"


def sync(book: Book) -> list[str]:
    """Copy the code cells of the source edition to the others, by cell id.

    Returns:
        What was done and what only a person can do, one sentence each.
    """
    said = []
    for page in book.notebooks():
        source = read_notebook(book.path(SOURCE, page))
        for edition in EDITIONS:
            path = book.path(edition, page)
            if edition == SOURCE:
                continue
            if not path.exists():
                said.append(f"{book.shown(path)} is missing: write it")
                continue
            other = read_notebook(path)
            copied = _copy_code(source, other, edition)
            if copied:
                write_notebook(path, other)
                said.append(f"{book.shown(path)}: copied {', '.join(copied)}")
            source_name = book.shown(book.path(SOURCE, page))
            said += differences(source, other, source_name, book.shown(path))
    return said


def _copy_code(source: dict[str, Any], other: dict[str, Any], edition: str) -> list[str]:
    """Bring the code cells of ``other`` up to those of ``source``; the ids of what changed."""
    copied = []
    place = 0  # where in `other` the next cell of `source` belongs
    for cell in source["cells"]:
        index = next((i for i, c in enumerate(other["cells"]) if c["id"] == cell["id"]), None)
        if cell["cell_type"] == "code":
            wanted = deepcopy(cell)
            if cell["id"] == SETUP:
                wanted["source"] = _LANGUAGE.sub(f'LANGUAGE = "{edition}"', cell["source"])
            if index is None:
                index = place
                other["cells"].insert(index, wanted)
                copied.append(cell["id"])
            elif other["cells"][index] != wanted:
                other["cells"][index] = wanted
                copied.append(cell["id"])
        if index is not None:
            place = index + 1
    return copied


def _same_for_all(cell: dict[str, Any]) -> str:
    """A code cell's source without what may differ between editions."""
    return _LANGUAGE.sub("", cell["source"]) if cell["id"] == SETUP else cell["source"]
