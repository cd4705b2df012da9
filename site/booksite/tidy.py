"""Notebooks in the order in which the book stores them, and what programs leave in them.

:func:`tidy` mends a notebook and says what it mended. ``check`` shows these sentences, ``sync``
writes the mended notebook: so what ``check`` accepts ``sync`` does not change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

SETUP = "setup"  # the id of the code cell that names the language
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_LANGUAGE_INFO = {"name": "python"}
_LANGUAGE = re.compile(r'^LANGUAGE = "(\w*)"$', re.MULTILINE)
_ENTRIES = ("cell_type", "id", "metadata", "source")
_OF_CODE = {"execution_count": None, "outputs": []}
_CELL_METADATA = ("tags",)


def tidy(notebook: dict[str, Any], edition: str) -> Iterator[str]:
    """Mend a notebook of an edition in place; a sentence for each thing that is mended."""
    yield from _tidy_metadata(notebook["metadata"])
    for number, cell in enumerate(notebook["cells"], 1):
        for what in _tidy_cell(cell):
            yield f"cell {number} ({cell['id']}) {what}"
        if cell["id"] == SETUP and cell["source"] != in_language(cell["source"], edition):
            cell["source"] = in_language(cell["source"], edition)
            yield f'cell {number} ({SETUP}) lacks the line LANGUAGE = "{edition}"'


def in_language(setup: str, edition: str) -> str:
    """A setup cell's source with the language of an edition."""
    return _LANGUAGE.sub(f'LANGUAGE = "{edition}"', setup)


def names_language(setup: str) -> bool:
    """Whether a setup cell's source has one line that names the language."""
    return len(_LANGUAGE.findall(setup)) == 1


def _tidy_metadata(metadata: dict[str, Any]) -> Iterator[str]:
    kernel = metadata.get("kernelspec")
    if kernel != KERNEL:
        metadata["kernelspec"] = KERNEL
        name = kernel.get("name") if isinstance(kernel, dict) else None
        title = kernel.get("display_name") if isinstance(kernel, dict) else None
        yield f"names the kernel {name} ({title}), expected python3 (Python 3), which all have"
    if metadata.get("language_info", _LANGUAGE_INFO) != _LANGUAGE_INFO:
        metadata["language_info"] = _LANGUAGE_INFO
        yield "says which Python it was saved with"
    yield from _taken_out(metadata, ("kernelspec", "language_info"))


def _tidy_cell(cell: dict[str, Any]) -> Iterator[str]:
    if "\r" in cell["source"]:
        cell["source"] = re.sub(r"\r\n?", "\n", cell["source"])
        yield "has carriage returns at its lines' ends"
    yield from _taken_out(cell["metadata"], _CELL_METADATA)
    if cell["cell_type"] == "code":
        if cell.get("outputs"):
            yield "was saved with outputs"
        elif cell.get("execution_count") is not None:
            yield "was saved with the count of its executions"
        elif _OF_CODE.keys() - cell.keys():
            yield "lacks its empty outputs"
        cell |= {name: list(v) if v is not None else v for name, v in _OF_CODE.items()}
    attachments = ("attachments",) if cell["cell_type"] != "code" else tuple(_OF_CODE)
    yield from _taken_out(cell, (*_ENTRIES, *attachments))


def _taken_out(entries: dict[str, Any], known: tuple[str, ...]) -> Iterator[str]:
    foreign = [name for name in entries if name not in known]
    for name in foreign:
        del entries[name]
    if foreign:
        yield f"has what another program left: {', '.join(foreign)}"
