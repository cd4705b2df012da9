"""Makes the skeleton of a lesson or a lab: notebooks in all editions, the lesson's folder, its line
in the contents.

The skeleton, in ``site/skeleton``, has every part of a page and runs. What is to be written says
TODO, which a test of the pages' content finds.
"""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path
from typing import Any

from .book import (
    EDITIONS,
    FOLDER,
    SITE,
    SOURCE,
    Book,
    BookError,
    read_text,
    settings,
    write_notebook,
    write_text,
)
from .tidy import KERNEL, SETUP, in_language

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_NUMBER = re.compile(r"(\d+)(?:-\d+)?(-lab(?:-[a-z0-9]+)*)?")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_SKELETON = SITE / "skeleton"
_TRIAL = "@page.trial@"  # stands in the paragraph that says which claim is on trial
_BLANK = re.compile(r"@([\w.]+)@")


def new(book: Book, number: str, name: str, claim: str) -> list[Path]:
    """Write a new page's files.

    Args:
        book: the book that it is for.
        number: the page's number in the article, ``"5-1"``; of a lab, ``"5-1-lab"`` or
            ``"5-1-lab-roles"``.
        name: the lesson's name, ``"longformer"``: of the notebook, and of the lesson's folder.
        claim: the claim on trial, ``"C17"``; a page of chapter 0 has none.

    Returns:
        The files that were written or changed.

    Raises:
        BookError: the page cannot be called so, or is there already.
    """
    found = _NUMBER.fullmatch(number)
    if not found:
        raise BookError(f"number: got {number!r}, expected one like 5-1, 5-1-lab or 5-1-lab-roles")
    folder = name.replace("-", "_")
    if not _NAME.fullmatch(name) or keyword.iskeyword(folder):
        raise BookError(f"name: got {name!r}, expected one like scaled-dot-product")
    page = number if found[2] else f"{number}-{name}"
    if page in book.pages():
        raise BookError(f"{page} is in _toc.yml already")
    contents = _with_page(book, page, found[1])
    blanks = {
        "folder": folder,
        "page": page,
        "claim": claim,
        "number": number,
        "heading": number.split("-lab")[0].replace("-", "."),
    }
    lesson = book.library / "lessons" / folder
    if found[2]:
        if not lesson.is_dir():
            raise BookError(f"{book.shown(lesson)} is missing: make the lesson first")
        files = {}
    else:
        files = _lesson(book, lesson, blanks)
    for path in [*files, *(book.path(edition, page) for edition in EDITIONS)]:
        if path.exists():
            raise BookError(f"{book.shown(path)} is there already")
    kind = "lab" if found[2] else "lesson"
    notebooks = {
        book.path(edition, page): _notebook(book, edition, kind, blanks) for edition in EDITIONS
    }
    for path, text in files.items():
        write_text(path, text)
    for path, notebook in notebooks.items():
        write_notebook(path, notebook)
    write_text(book.root / "_toc.yml", contents)
    return [*notebooks, *files, book.root / "_toc.yml"]


def _lesson(book: Book, lesson: Path, blanks: dict[str, str]) -> dict[Path, str]:
    """The files of a lesson's folder."""
    for taken in (book.library, book.library / "explorables", book.library / "lessons"):
        if (taken / lesson.name).exists():
            raise BookError(
                f"name: {book.shown(taken / lesson.name)} is there already: words are found by the"
                " name of their folder, so it must be another one"
            )
    return {
        lesson / path.name: _filled(path.read_text(encoding="utf-8"), blanks)
        for path in sorted((_SKELETON / "lesson").iterdir())
        if path.is_file()
    }


def _notebook(book: Book, edition: str, kind: str, blanks: dict[str, str]) -> dict[str, Any]:
    words = _toml(book.library / "display" / f"{edition}.toml")["page"]
    blanks = blanks | {f"page.{key}": value for key, value in words.items() if key != "part"}
    blanks |= {f"part.{key}": value for key, value in words["part"].items()}
    cells = []
    for cell in _toml(_SKELETON / f"{kind}.toml")["cell"]:
        prose = cell.get(edition)
        if re.match(r"0(-|$)", blanks["number"]):  # it comes before the article and its claims
            if cell["id"].startswith(("measure", "record")):
                continue
            prose = prose and "\n\n".join(p for p in prose.split("\n\n") if _TRIAL not in p)
        is_code = "code" in cell or cell["id"] == SETUP
        if not is_code and prose is None:
            raise BookError(
                f"site/skeleton/{kind}.toml: the cell {cell['id']} has no prose in {edition}"
            )
        source = _filled(cell.get("code", "") if is_code else prose, blanks).strip("\n")
        if cell["id"] == SETUP:
            source = in_language(_setup(book), edition)
        cells.append(
            {
                "cell_type": "code" if is_code else "markdown",
                "id": cell["id"],
                "metadata": {"tags": cell["tags"]} if "tags" in cell else {},
                "source": source,
                **({"execution_count": None, "outputs": []} if is_code else {}),
            }
        )
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _setup(book: Book) -> str:
    """The setup cell of the book's other notebooks."""
    for page in book.notebooks():
        for cell in book.notebook(SOURCE, page)["cells"]:
            if cell["id"] == SETUP:
                return cell["source"]
    raise BookError(f"no notebook of {FOLDER} has a cell {SETUP} to copy")


def _with_page(book: Book, page: str, chapter: str) -> str:
    """The contents' text with a line for the page, in its place of the part of its chapter."""
    lines = read_text(book.root / "_toc.yml", "_toc.yml").splitlines()
    line = f"      - file: {FOLDER}{page}"
    part = [f"  - caption: {_caption(chapter)}", "    chapters:", line]
    here = ""  # the chapter of the part that a line is in
    for index, text in enumerate(lines):
        if caption := re.match(r"\s*- caption: *[\"']?(\d*)", text):
            if here == chapter:
                return _joined(lines, index, [line])
            here = caption[1]
            if not here or int(here) > int(chapter):
                return _joined(lines, index, part)
        elif here == chapter and (file := re.match(rf"(\s*)- file: {FOLDER}(\S+)", text)):
            line = f"{file[1]}- file: {FOLDER}{page}"
            if _order(file[2]) > _order(page):
                return _joined(lines, index, [line])
    return _joined(lines, len(lines), [line] if here == chapter else part)


def _joined(lines: list[str], index: int, new: list[str]) -> str:
    return "\n".join([*lines[:index], *new, *lines[index:]]) + "\n"


def _order(page: str) -> tuple[list[int], bool, str]:
    """Lessons by number, each before its labs."""
    number, name = re.fullmatch(r"((?:\d+-)*)(.*)", page).groups()
    return [int(part) for part in re.findall(r"\d+", number)], name.split("-")[0] == "lab", name


def _caption(chapter: str) -> str:
    """The name of the part of a chapter: the editions translate it."""
    for edition in EDITIONS:
        for caption in settings(edition).get("captions", {}):
            if caption.split()[0] == chapter:
                return caption
    raise BookError(f"site/zh.yml: captions has no part {chapter}, expected one like '{chapter} …'")


def _filled(text: str, blanks: dict[str, str]) -> str:
    return _BLANK.sub(lambda blank: blanks[blank[1]], text)


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))
