"""Where the time went, kept as reports.

Seconds of each notebook and of each file of tests, and what ``make benchmarks`` printed.
"""

from __future__ import annotations

import json
from pathlib import Path

from . import records
from .book import Book, write_text


def path(book: Book, name: str) -> Path:
    """Where a report is kept: ``notebooks`` or ``tests``."""
    return book.output / "reports" / f"{name}.json"


def tests(book: Book) -> dict[str, float]:
    """Seconds by file of tests, as the last runs wrote them (``tests/conftest.py``)."""
    file = path(book, "tests")
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def benchmarks(book: Book) -> list[Path]:
    """What each of the benchmarks printed, a file each."""
    return sorted((book.output / "reports" / "benchmarks").glob("*.txt"))


def write(book: Book) -> str:
    """Write the report of the notebooks, and say both reports as a table."""
    runs = records.times(book)
    write_text(path(book, "notebooks"), json.dumps(runs, indent=1))
    lines = []
    for title, times in (
        ("Notebooks", {f"{run['edition']}/{run['page']}": run["seconds"] for run in runs}),
        ("Tests", tests(book)),
    ):
        slowest = sorted(times.items(), key=lambda item: -item[1])
        lines += [f"{sum(times.values()):8.1f} s  {title}"]
        lines += [f"{seconds:8.1f} s    {name}" for name, seconds in slowest]
    return "\n".join(lines)
