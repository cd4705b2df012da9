"""Where this copy of the book is published: one value, ``owner/name``, empty until it is.

It stands in ``_config.yml`` as ``book_repository``. A fork's own GitHub Actions run says its own
repository in ``GITHUB_REPOSITORY``, which wins, so a fork needs to change nothing.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from .book import EDITIONS, Book, BookError, read_notebook, write_notebook
from .editions import SETUP

COLAB_BRANCH = "colab"  # the publishing workflow pushes the stamped notebooks here
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
    path = f"github/{repository}/blob/{COLAB_BRANCH}/chapters/{edition}/{page}.ipynb"
    return f"https://colab.research.google.com/{path}"


def stamp(book: Book, repository: str, commit: str, target: Path) -> list[Path]:
    """Write copies of all notebooks whose setup cell installs the library from ``commit``.

    Returns:
        The files written, under ``target/chapters/``.
    """
    if not _REPOSITORY.fullmatch(repository):
        raise BookError(f"repository: got {repository!r}, expected owner/name")
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise BookError(f"commit: got {commit!r}, expected the 40 hexadecimal digits of a commit")
    library = f"git+https://github.com/{repository}@{commit}"
    written = []
    for edition in EDITIONS:
        for page in book.notebooks():
            source = book.path(edition, page)
            notebook = read_notebook(source)
            setup = next((cell for cell in notebook["cells"] if cell["id"] == SETUP), None)
            if setup is not None:  # a page that needs no library has no setup cell
                setup["source"] = _fill_in(setup["source"], library, book.shown(source))
            written.append(target / source.relative_to(book.root))
            write_notebook(written[-1], notebook)
    return written


def _fill_in(setup: str, library: str, name: str) -> str:
    line = f'LIBRARY = "{library}"'
    changed, times = re.subn(r'^LIBRARY = ""', lambda _: line, setup, flags=re.MULTILINE)
    if times != 1:
        raise BookError(f'{name}: the setup cell has no line LIBRARY = "" to fill in')
    return changed
