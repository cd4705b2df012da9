"""What can be wrong with a file that was saved badly, a sentence for each fault.

The sentences lack the file's name, which whoever reads the file puts before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Parsed = Any  # what JSON or YAML hold
Twice = list[tuple[str, dict[str, Any]]]  # a key, and the object that has it twice

_CONFLICT = re.compile(r"^(<<<<<<< |>>>>>>> )", re.MULTILINE)
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_PAGE = re.compile(r"[\w-]+(\.[\w-]+)*")
_ENDINGS = (".ipynb", ".md")
_KINDS = ("markdown", "code", "raw")
_ENTRIES = {
    "contents": ("format", "root", "parts", "chapters"),
    "part": ("caption", "chapters"),
    "page": ("file", "sections"),
}


def of_text(content: bytes) -> Iterator[str]:
    """Faults of any text file."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        yield f"line {line} is not UTF-8: save the file in that encoding"
        return
    if text.startswith("\ufeff"):
        yield "begins with a byte order mark: save it as UTF-8 without one"
    if conflict := _CONFLICT.search(text):
        line = text.count("\n", 0, conflict.start()) + 1
        yield f"line {line} has the mark of an unfinished merge: choose one side and take it out"


def of_notebook(notebook: Parsed, twice: Twice) -> Iterator[str]:
    """What keeps a JSON file from being a notebook of format 4.5."""
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        yield "is not a notebook: it has no list of cells"
        return
    version = (notebook.get("nbformat"), notebook.get("nbformat_minor"))
    if not all(isinstance(number, int) for number in version) or not (4, 5) <= version < (5, 0):
        found = ".".join(map(str, version))
        yield f"has format {found}, expected 4.5, whose cells have ids: save it with Jupyter again"
    if not isinstance(notebook.get("metadata"), dict):
        yield "has no metadata: save it with Jupyter again"
    inside: list[dict[str, Any]] = []
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict):
            yield f"cell {number} is {_kind(cell)}, expected an object"
            continue
        inside += [cell, *(value for value in cell.values() if isinstance(value, dict))]
        named = f" ({cell['id']})" if isinstance(cell.get("id"), str) else ""
        for fault in _of_cell(cell, twice):
            yield f"cell {number}{named} {fault}"
    for key, owner in twice:
        if not any(owner is each for each in inside):
            yield f"has the entry {key!r} twice in one object: take one out"


def _of_cell(cell: dict[str, Any], twice: Twice) -> Iterator[str]:
    name, source, metadata = cell.get("id"), cell.get("source"), cell.get("metadata")
    if "id" not in cell:
        yield "has no id: give it one, the same in each edition"
    elif not isinstance(name, str) or not _ID.fullmatch(name):
        yield f"has the id {name!r}, expected letters, digits, - and _"
    if cell.get("cell_type") not in _KINDS:
        yield f"has the cell_type {cell.get('cell_type')!r}, expected {', '.join(_KINDS)}"
    if "source" not in cell:
        yield "has no source"
    elif not isinstance(source, str) and not _are(str, source):
        yield f"has {_kind(source)} as its source, expected lines of text"
    if not isinstance(metadata, dict):
        yield f"has {_kind(metadata)} as its metadata, expected an object"
    elif not _are(str, metadata.get("tags", [])):
        yield "has tags that are no list of words"
    if not _are(dict, cell.get("outputs", [])):
        yield "has outputs that are no list of objects"
    for key, owner in twice:
        if owner is cell or any(owner is value for value in cell.values()):
            yield f"has the entry {key!r} twice: take one out"


def of_contents(contents: Parsed, folder: str) -> Iterator[str]:
    """What is wrong with a table of contents whose pages are in ``folder``."""
    if not isinstance(contents, dict):
        yield f"is {_kind(contents)}, expected format, root and parts"
        return
    if contents.get("format") != "jb-book":
        yield f"has the format {contents.get('format')!r}, expected jb-book"
    yield from _of_entry("contents", contents)
    if "root" not in contents:
        yield f"has no root, expected {folder}<page>"
    elif fault := _of_page(contents["root"], folder):
        yield fault
    seen = {contents.get("root")}
    for entry in _list(contents, "parts"):
        yield from _of_entry("part", entry)
        for page in _list(entry, "chapters"):
            yield from _of_pages(page, folder, seen)
    for page in _list(contents, "chapters"):
        yield from _of_pages(page, folder, seen)


def _of_pages(entry: Parsed, folder: str, seen: set[Any]) -> Iterator[str]:
    """Faults of a page's entry and of those below it; ``seen`` are the pages before."""
    yield from _of_entry("page", entry)
    if not isinstance(entry, dict):
        return
    file = entry.get("file")
    if "file" not in entry:
        yield f"has a page without its file, expected {folder}<page>"
    elif fault := _of_page(file, folder):
        yield fault
    elif file in seen:
        yield f"lists {file} twice: take one line out"
    if isinstance(file, str):
        seen.add(file)
    for page in _list(entry, "sections"):
        yield from _of_pages(page, folder, seen)


def _of_entry(kind: str, entry: Parsed) -> Iterator[str]:
    known = _ENTRIES[kind]
    if not isinstance(entry, dict):
        yield f"has {_kind(entry)} for a {kind}, expected {' and '.join(known)}"
        return
    for key, value in entry.items():
        if key not in known:
            where = f" at {entry['file']}" if "file" in entry else ""
            yield f"has the entry {key!r}{where}, expected one of {', '.join(known)}"
        elif key in ("parts", "chapters", "sections") and not isinstance(value, list):
            yield f"has {_kind(value)} as {key}, expected a list of lines that begin with -"
        elif key == "caption" and not isinstance(value, str):
            yield f"has {_kind(value)} as a caption, expected words"


def _of_page(file: Parsed, folder: str) -> str | None:
    page = file.removeprefix(folder) if isinstance(file, str) else ""
    if page == file or not page:
        return f"got the file {file!r}, expected {folder}<page>"
    for ending in _ENDINGS:
        if page.endswith(ending):
            return f"got the file {file!r}, expected it without its ending {ending}"
    if not _PAGE.fullmatch(page):
        return f"got the page {page!r}, expected a name: pages have no folders below {folder}"
    return None


def _list(entry: Parsed, key: str) -> list[Any]:
    found = entry.get(key) if isinstance(entry, dict) else None
    return found if isinstance(found, list) else []


def _are(kind: type, values: Parsed) -> bool:
    return isinstance(values, list) and all(isinstance(value, kind) for value in values)


def _kind(value: Parsed) -> str:
    kinds = {dict: "an object", list: "a list", str: "text", bool: "a truth value"}
    return "nothing" if value is None else kinds.get(type(value), "a number")
