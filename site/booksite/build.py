"""Builds the site: both editions, side by side, and the page that leads to them."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from . import assets, editions, execution, identity, pages, reports, wheel
from .book import EDITIONS, SITE, Book, BookError, edition_toc, write_text


def build(book: Book) -> None:
    """Check, execute and build both editions into ``_build/html``.

    Raises:
        BookError: something has to be mended first; the site of the last build is left as it was.
    """
    editions.check(book)
    assets.install()
    execution.execute(book)
    stale = _stale(book)
    if stale:
        with book.lock("site"):
            _build_editions(book, _stale(book))  # another build may have built some meanwhile
    _finish(book)
    what = "built" if stale else "up to date"
    print(f"Site: {what}, in {book.shown(book.output / 'html')}/", flush=True)


def _stale(book: Book) -> list[str]:
    return [edition for edition in EDITIONS if not _is_current(book, edition)]


def _build_editions(book: Book, stale: list[str]) -> None:
    print(f"Pages: building {' and '.join(stale)}.", flush=True)
    with ThreadPoolExecutor(len(EDITIONS)) as pool:
        failures = [f for f in pool.map(lambda e: _build_edition(book, e), stale) if f]
    if failures:
        raise BookError("\n\n".join(failures))


def _is_current(book: Book, edition: str) -> bool:
    stamp = _work(book, edition) / "digest"
    page = book.output / "html" / edition / "index.html"
    return page.exists() and stamp.exists() and stamp.read_text() == _digest(book, edition)


def _build_edition(book: Book, edition: str) -> str | None:
    """Build an edition's pages and put them in their place; what went wrong, if anything did."""
    started, digest = time.monotonic(), _digest(book, edition)
    work = _work(book, edition)
    shutil.rmtree(work, ignore_errors=True)
    write_text(work / "config.yml", yaml.safe_dump(_config(book, edition), allow_unicode=True))
    write_text(work / "toc.yml", yaml.safe_dump(edition_toc(book, edition), allow_unicode=True))
    command = [
        *(sys.executable, "-c", "from jupyter_book.cli.main import main; main()"),
        *("build", book.root / "chapters" / edition, "--path-output", work),
        *("--config", work / "config.yml", "--toc", work / "toc.yml"),
        *("-W", "-n", "--keep-going", "-q"),
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(book.root), str(SITE)])}
    run = subprocess.run(
        list(map(str, command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    if run.returncode:
        return f"The {edition} edition could not be built:\n{_complaints(run.stdout)}"
    target, old = book.output / "html" / edition, work / "old"
    target.parent.mkdir(exist_ok=True)
    if target.exists():
        target.rename(old)
    (work / "_build" / "html").rename(target)
    shutil.rmtree(old, ignore_errors=True)
    write_text(work / "digest", digest)
    seconds = time.monotonic() - started
    done = f"  done      {edition}  {len(book.pages())} pages, {seconds:.0f} s\n"
    print(done, end="", flush=True)  # in one piece: the other edition speaks too
    return None


def _complaints(log: str) -> str:
    """The part of a failed build's log to read: its warnings, or all of it where it broke down."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", log).strip()
    # MyST-NB counts 10,000 lines to a cell.
    lines = re.sub(r"\.ipynb:(\d+)(\d{4})\b", r".ipynb: cell \1, line \2", plain).splitlines()
    said = [line for line in lines if re.search(r"\b(WARNING|ERROR|CRITICAL):", line)]
    broke_down = any(re.search(r"\b(?i:exception|error) (occurred|\()", line) for line in lines)
    return "\n".join(said if said and not broke_down else lines)


def _config(book: Book, edition: str) -> dict[str, object]:
    """Jupyter Book's settings for one edition built from its own folder."""
    config = book.config(edition)
    config["sphinx"]["local_extensions"] = {"booksite.extension": str(SITE)}
    config["sphinx"]["config"] |= {
        "book_root": str(book.root),
        "book_edition": edition,
        "book_both_editions": True,
    }
    return config


def _digest(book: Book, edition: str) -> str:
    """Digest of everything that an edition's pages are made from."""
    chapters = book.root / "chapters"
    files = [
        book.root / "_config.yml",
        book.root / "_toc.yml",
        book.root / "requirements.txt",
        chapters / "references.bib",
        reports.path(book, "tests"),
        *reports.benchmarks(book),
        *(book.path(edition, page) for page in book.pages()),
        *(book.executed(edition, page) for page in book.notebooks()),
        *_below(SITE, without=(assets.MODULES,)),
        *(path for path in _below(book.library) if path.suffix != ".py"),
    ]
    repository = identity.repository(book.config()["sphinx"]["config"]["book_repository"])
    digests = [
        (str(path), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in files
        if path.is_file()
    ]
    return hashlib.sha256(json.dumps([repository, digests]).encode()).hexdigest()


def _below(folder: Path, without: Iterable[Path] = ()) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix != ".pyc" and not any(path.is_relative_to(other) for other in without)
    )


def _work(book: Book, edition: str) -> Path:
    return book.output / "editions" / edition


def _finish(book: Book) -> None:
    """Add the front door and the library's wheel; clear away what is no part of the site."""
    html = book.output / "html"
    root = (SITE / "root.html").read_text(encoding="utf-8")
    door, page = html / "index.html", pages.with_security_policy(root)
    if not door.exists() or door.read_text(encoding="utf-8") != page:
        write_text(door, page)
    ours = {*EDITIONS, door.name, wheel.build(html).name}
    for path in html.iterdir():
        if path.name not in ours:  # left by `jupyter-book build .`
            shutil.rmtree(path) if path.is_dir() else path.unlink()
