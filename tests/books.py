"""Small books in temporary folders, for the tests of what builds the site."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import yaml

from booksite.book import Book

ROOT = Path(__file__).parents[1]
SETUP = 'LANGUAGE = "{edition}"\nLIBRARY = ""  # filled in when the book is published'


def code(name: str, source: str, **more: Any) -> dict[str, Any]:
    """A code cell."""
    cell = {"cell_type": "code", "id": name, "metadata": {}, "source": textwrap.dedent(source)}
    return cell | {"execution_count": None, "outputs": []} | more


def text(name: str, source: str) -> dict[str, Any]:
    """A cell of prose."""
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source}


def write(book: Book, edition: str, page: str, cells: list[dict[str, Any]]) -> Path:
    """Write a notebook page and its setup cell."""
    setup = code("setup", SETUP.format(edition=edition))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    path = book.root / "chapters" / edition / f"{page}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = {
        "cells": [*cells[:1], setup, *cells[1:]],
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(notebook))
    return path


def change(path: Path, name: str, **values: Any) -> None:
    """Change a cell of a notebook; ``None`` for its source takes it out."""
    notebook = json.loads(path.read_text())
    cell = next(cell for cell in notebook["cells"] if cell["id"] == name)
    if values.get("source", "") is None:
        notebook["cells"].remove(cell)
    cell.update(values)
    path.write_text(json.dumps(notebook))


def small_book(root: Path, *pages: str) -> Book:
    """A book of the given pages with this book's settings; the first page is its root."""
    config = (ROOT / "_config.yml").read_text()
    (root / "_config.yml").write_text(config)
    (root / "requirements.txt").write_text("")
    entries = [{"file": f"chapters/en/{page}"} for page in pages[1:]]
    parts = [{"caption": "Reference", "chapters": entries}] if entries else []
    toc = {"format": "jb-book", "root": f"chapters/en/{pages[0]}", "parts": parts}
    (root / "_toc.yml").write_text(yaml.safe_dump(toc))
    for edition in ("en", "zh"):
        (root / "chapters" / edition).mkdir(parents=True)
    (root / "chapters" / "references.bib").write_text("")
    return Book(root)
