"""Where this copy of the book is published: one value, ``owner/name``, empty until it is.

It stands in ``_config.yml`` as ``book_repository``. A fork's own GitHub Actions run says its own
repository in ``GITHUB_REPOSITORY``, which wins, so a fork needs to change nothing.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from . import wheel
from .book import EDITIONS, Book, BookError, write_notebook
from .tidy import SETUP

BRANCH = "notebooks"  # the publishing workflow pushes the stamped notebooks here
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def repository(configured: str) -> str:
    """The repository this copy is published from, or ``""``.

    Raises:
        BookError: the value is not of the form ``owner/name``.
    """
    value = os.environ.get("GITHUB_REPOSITORY") or configured or ""
    if value and not _REPOSITORY.fullmatch(value):
        raise BookError(f"book_repository: got {value!r}, expected owner/name or nothing")
    return value


def site_address(repository: str) -> str:
    """The address of the published site, without a slash at its end."""
    owner, name = repository.split("/")
    host = f"{owner.lower()}.github.io"
    return f"https://{host}" if name.lower() == host else f"https://{host}/{name}"


def colab_address(repository: str, edition: str, page: str) -> str:
    """The address that opens a notebook in Colab."""
    return f"https://colab.research.google.com/github/{_notebook(repository, edition, page)}"


def kaggle_address(repository: str, edition: str, page: str) -> str:
    """The address that opens a notebook in Kaggle."""
    notebook = f"https://github.com/{_notebook(repository, edition, page)}"
    return f"https://www.kaggle.com/kernels/welcome?src={notebook}"


def _notebook(repository: str, edition: str, page: str) -> str:
    return f"{repository}/blob/{BRANCH}/chapters/{edition}/{page}.ipynb"


def stamped(book: Book, repository: str, edition: str, page: str) -> dict[str, Any]:
    """A notebook as it is published: its setup cell installs the library from the book's site."""
    notebook = book.notebook(edition, page)
    setup = next((cell for cell in notebook["cells"] if cell["id"] == SETUP), None)
    if setup is not None:  # a page that needs no library has no setup cell
        line = f'LIBRARY = "{site_address(repository)}/{wheel.name()}"'
        setup["source"], times = re.subn(
            r'^LIBRARY = ""', lambda _: line, setup["source"], flags=re.MULTILINE
        )
        if times != 1:
            shown = book.shown(book.path(edition, page))
            raise BookError(f'{shown}: the setup cell has no line LIBRARY = "" to fill in')
    return notebook


def stamp(book: Book, repository: str, target: Path) -> list[Path]:
    """Write all notebooks as they are published.

    Returns:
        The files written, under ``target/chapters/``.
    """
    if not _REPOSITORY.fullmatch(repository):
        raise BookError(f"repository: got {repository!r}, expected owner/name")
    written = []
    for edition in EDITIONS:
        for page in book.notebooks():
            written.append(target / book.path(edition, page).relative_to(book.root))
            write_notebook(written[-1], stamped(book, repository, edition, page))
    return written
