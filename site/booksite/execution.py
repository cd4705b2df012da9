"""Executes each notebook once, for the tests and the site alike, when what it shows can change.

The executed copy is kept under ``_build/executed/<edition>/`` beside the record of its run, which
says what the run depended on (:mod:`booksite.records`). It stays good until the notebook's code
cells, one of these files or words, ``requirements.txt`` or Python change. Prose is not among them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import records
from .book import EDITIONS, SITE, Book, BookError, read_notebook, write_notebook, write_text

CELL_SECONDS = 600  # how long a single cell may take
# Settings of the reader's that would change what notebooks show, or stop them.
_FOREIGN = ("PYTHON", "PYTEST_", "IPYTHON", "JUPYTER", "MPL", "MATPLOTLIB", "XDG_", "HF_")


@dataclass(frozen=True)
class Job:
    """A notebook that is to be executed."""

    edition: str
    page: str
    code: str  # the digest of its code cells
    seconds: float  # how long it took last time, 0 if never

    @property
    def name(self) -> str:
        return f"{self.edition}/{self.page}"


def execute(
    book: Book, editions: Iterable[str] = EDITIONS, pages: Iterable[str] | None = None
) -> None:
    """Execute the notebooks that are out of date and keep what they show.

    Raises:
        BookError: a notebook failed; where and why has been printed. The others are kept.
    """
    editions, pages = tuple(editions), tuple(pages or book.notebooks())
    total = len(editions) * len(pages)
    if not stale(book, editions, pages):
        print(f"Notebooks: all {total} are up to date.", flush=True)
        return
    with book.lock("execute"):
        jobs = stale(book, editions, pages)  # another build may have executed some meanwhile
        if jobs:
            workers = min(len(jobs), _cores())
            print(f"Notebooks: executing {len(jobs)} of {total}, {workers} at a time.", flush=True)
            _run(book, jobs, workers)


def stale(book: Book, editions: Iterable[str], pages: Iterable[str]) -> list[Job]:
    """The notebooks whose executed copy is missing or out of date, the slowest first."""
    sources = records.Sources(book)
    jobs = []
    for edition in editions:
        for page in pages:
            record = records.read(book, edition, page)
            code = _code(book.notebook(edition, page))
            if not _is_current(sources, edition, page, record, code):
                jobs.append(Job(edition, page, code, record.get("seconds", 0.0)))
    return sorted(jobs, key=lambda job: -job.seconds)


def executed_notebook(book: Book, edition: str, page: str) -> dict[str, Any]:
    """The notebook as it is written now, with the outputs of its execution.

    Raises:
        BookError: there is no execution of this very code.
    """
    path = book.executed(edition, page)
    notebook, record = book.notebook(edition, page), records.read(book, edition, page)
    if not _is_current(records.Sources(book), edition, page, record, _code(notebook)):
        raise BookError(f"{book.shown(path)} is out of date: run `make site`")
    outputs = {cell["id"]: cell.get("outputs", []) for cell in read_notebook(path)["cells"]}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = outputs[cell["id"]]
    return notebook


def _is_current(
    sources: records.Sources, edition: str, page: str, record: records.Record, code: str
) -> bool:
    return sources.book.executed(edition, page).exists() and sources.unchanged(record, code)


def _code(notebook: dict[str, Any]) -> str:
    """The digest of the notebook's code cells."""
    cells = [(c["id"], c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]
    return records.digest_of(cells)


def _cores() -> int:
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(available or 1, 8)  # each kernel takes about half a gigabyte of memory


def _run(book: Book, jobs: list[Job], workers: int) -> None:
    """Execute copies of the notebooks with nbmake; :mod:`booksite.nbrun` reports and keeps them."""
    with tempfile.TemporaryDirectory(prefix="book-") as folder:
        staging = Path(folder)
        sources = records.Sources(book)
        plan = {
            "root": str(book.root),
            "files": sources.snapshot(),
            "runs": {job.name: sources.run(job.code) for job in jobs},
        }
        write_text(staging / "plan.json", json.dumps(plan))
        for job in jobs:
            notebook = book.notebook(job.edition, job.page)
            write_notebook(staging / f"{job.name}.ipynb", notebook)
        write_text(staging / "pytest.ini", "[pytest]\n")  # the repository's own is for its tests
        command = [
            *(sys.executable, "-m", "pytest", *(f"{job.name}.ipynb" for job in jobs)),
            *("-c", "pytest.ini", "--rootdir", folder, "-p", "no:cacheprovider"),
            *("-p", "booksite.nbrun", "--color=no"),
            *("--nbmake", "--overwrite", f"--nbmake-timeout={CELL_SECONDS}"),
            f"--nbmake-kernel={_kernel(staging)}",
            *("-n", str(workers), "--dist", "worksteal"),
        ]
        with (staging / "log").open("w+") as log:
            run = subprocess.run(
                command,
                cwd=folder,
                env=_environment(book, staging),
                stdout=log,
                stderr=1,  # the plugin's progress goes on to our own output
                check=False,
            )
            log.seek(0)
            unexpected = "" if (staging / "failed").exists() else log.read()
        if run.returncode:
            kept = "Notebooks that ran through are kept and will not run again."
            raise BookError(f"{unexpected}The build stops here. {kept}")


def _kernel(staging: Path) -> str:
    """Describe a kernel of this very Python, whatever kernels the machine has; its name."""
    name = "python3"
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    described = {"argv": command, "display_name": "Python 3", "language": "python"}
    write_text(staging / "jupyter" / "kernels" / name / "kernel.json", json.dumps(described))
    return name


def _environment(book: Book, staging: Path) -> dict[str, str]:
    """The machine's environment without the reader's own settings.

    Matplotlib keeps its list of fonts from one run to the next, as making it takes seconds.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    writing = {n: v for n, v in os.environ.items() if n == "PYTHONDONTWRITEBYTECODE"}
    path = [SITE / "booksite" / "observer", book.root, SITE]
    return (
        kept
        | writing
        | {
            # The same numbers on every machine: one thread, one order of sets.
            "OMP_NUM_THREADS": "1",
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "BOOK_PACKAGE": str(book.library),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "MPLCONFIGDIR": str(book.output / "matplotlib"),
            "HF_HUB_OFFLINE": "1",
            "HOME": str(staging),
            "IPYTHONDIR": str(staging / "ipython"),
            "JUPYTER_PATH": str(staging / "jupyter"),
            "JUPYTER_CONFIG_DIR": str(staging / "jupyter"),
            "JUPYTER_DATA_DIR": str(staging / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(staging / "jupyter"),
        }
    )
