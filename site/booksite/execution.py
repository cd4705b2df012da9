"""Executes each notebook once, for the tests and the site alike, when what it shows can change.

What a notebook shows depends on its code cells, on the library modules that they import (those that
these import, and so on), on the data files of the package that they name, on ``requirements.txt``
and on Python. The digest of all that is the notebook's *key*; prose is not in it. The executed copy
is kept under ``_build/executed/<edition>/`` with its key, and stays good until the key changes.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from .book import EDITIONS, SITE, Book, BookError, read_notebook, write_notebook, write_text
from .editions import SETUP

CELL_SECONDS = 600  # how long a single cell may take
_FORMAT = 1  # raise it when the way notebooks are executed changes what they show
_LEDGER = "application/vnd.attention-course.claim+json"
_DYNAMIC = {"import_module", "__import__"}  # imports that cannot be read off the source


@dataclass(frozen=True)
class Job:
    """A notebook that is to be executed."""

    edition: str
    page: str
    key: str
    seconds: float  # how long it took last time, 0 if never


def execute(
    book: Book, editions: Iterable[str] = EDITIONS, pages: Iterable[str] | None = None
) -> None:
    """Execute the notebooks whose key changed and keep what they show.

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
        workers = min(len(jobs), _cores())
        print(f"Notebooks: executing {len(jobs)} of {total}, {workers} at a time.", flush=True)
        _run(book, jobs, workers)


def stale(book: Book, editions: Iterable[str], pages: Iterable[str]) -> list[Job]:
    """The notebooks whose executed copy is missing or out of date, the slowest first."""
    jobs = []
    for edition in editions:
        for page in pages:
            record = _record(book.executed(edition, page))
            wanted = key(book, edition, page)
            if record.get("key") != wanted:
                jobs.append(Job(edition, page, wanted, record.get("seconds", 0.0)))
    return sorted(jobs, key=lambda job: -job.seconds)


def executed_text(book: Book, edition: str, page: str) -> str:
    """The notebook as it is written now, with the outputs of its execution.

    Raises:
        BookError: there is no execution of this very code.
    """
    path = book.executed(edition, page)
    if _record(path).get("key") != key(book, edition, page):
        raise BookError(f"{book.shown(path)} is out of date: run `make site`")
    outputs = {cell["id"]: cell.get("outputs", []) for cell in read_notebook(path)["cells"]}
    notebook = read_notebook(book.path(edition, page))
    for cell in notebook["cells"]:
        if cell["id"] == SETUP:
            cell["metadata"].setdefault("tags", ["hide-input"])  # it has nothing to say to readers
        if cell["cell_type"] == "code":
            cell["outputs"] = outputs[cell["id"]]
            for output in cell["outputs"]:
                output.get("data", {}).pop(_LEDGER, None)  # for the ledger, not for readers
    return json.dumps(notebook, ensure_ascii=False)


def key(book: Book, edition: str, page: str) -> str:
    """The digest of everything that what the notebook shows depends on."""
    cells = code_cells(read_notebook(book.path(edition, page)))
    requirements = book.root / "requirements.txt"
    parts = [
        _FORMAT,
        sys.version_info[:2],
        requirements.read_text(encoding="utf-8") if requirements.exists() else "",
        cells,
        [(book.shown(path), _digest(path)) for path in dependencies(book, edition, cells)],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def code_cells(notebook: dict[str, Any]) -> list[tuple[str, str]]:
    """Id and source of each code cell."""
    return [(c["id"], c["source"]) for c in notebook["cells"] if c["cell_type"] == "code"]


def dependencies(book: Book, edition: str, cells: Iterable[tuple[str, str]]) -> list[Path]:
    """The library's files that the cells depend on.

    Modules: those that the cells import, and what these import. A module that imports by a name
    known only when it runs stands for the whole package.

    Data files: those whose name, without its ending, is a word of a counted file. So ``kit.js``
    belongs to the module that reads ``"kit.js"``, and the file of words ``human_attention.toml`` to
    the notebook that says ``"human_attention.axis.city"``. Words of another edition never count.
    """
    if not book.library.is_dir():
        return []
    python = TransformerManager().transform_cell("\n\n".join(source for _, source in cells))
    modules = _imported(book.library, python)
    texts = [python, *(path.read_text(encoding="utf-8") for path in modules)]
    data = {
        path
        for path in book.library.rglob("*")
        if path.is_file()
        and path.suffix not in (".py", ".pyc")
        and not _of_another_edition(path.relative_to(book.library), edition)
    }
    counted: set[Path] = set()
    while True:
        said = {word for text in texts for word in _words(text)}
        found = {path for path in data - counted if path.stem in said}
        if not found:
            return sorted({*modules, *counted})
        counted |= found
        # Scripts and styles name one another; what prose in a file of words says names no file.
        texts = [p.read_text(encoding="utf-8") for p in found if p.suffix in (".js", ".css")]


def _of_another_edition(path: Path, edition: str) -> bool:
    return path.parts[0] == "words" and path.parts[1] != edition


@cache
def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


def _imported(library: Path, python: str) -> set[Path]:
    """The package's modules that some Python text imports, directly or through one another."""
    found: set[Path] = set()
    waiting = [(python, library.name)]
    while waiting:
        text, package = waiting.pop()
        for name in _imports(text, package):
            if name == "*":
                new = set(library.rglob("*.py")) - found
            else:
                new = set(_files_of(library, name)) - found
            found |= new
            for path in new:
                inside = ".".join(path.relative_to(library.parent).parent.parts)
                waiting.append((path.read_text(encoding="utf-8"), inside))
    return found


def _files_of(library: Path, name: str) -> Iterator[Path]:
    """The files that Python runs to import a dotted name: packages on the way, and the module."""
    first, *rest = name.split(".")
    if first != library.name:
        return
    path = library
    yield path / "__init__.py"
    for part in rest:
        path /= part
        if (path / "__init__.py").exists():
            yield path / "__init__.py"
        elif path.with_suffix(".py").exists():
            yield path.with_suffix(".py")
        else:
            return  # a name inside the module


def _imports(text: str, package: str) -> Iterator[str]:
    """Every dotted name that some Python text of a package imports; ``*`` when it may be any."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return  # executing it says so, with the line
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                parents = parents[: len(parents) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, (ast.Name, ast.Attribute)):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name in _DYNAMIC:
                yield "*"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _record(path: Path) -> dict[str, Any]:
    """Key and duration kept with an executed notebook; empty when there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["metadata"]["booksite"]
    except (OSError, ValueError, KeyError):
        return {}


def _cores() -> int:
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(available or 1, 8)  # each kernel takes about half a gigabyte of memory


def _run(book: Book, jobs: list[Job], workers: int) -> None:
    """Execute copies of the notebooks with nbmake; :mod:`booksite.nbrun` reports and keeps them."""
    if not jobs:
        return
    with tempfile.TemporaryDirectory(prefix="book-") as folder:
        staging = Path(folder)
        names = []
        for job in jobs:
            names.append(f"{job.edition}/{job.page}.ipynb")
            notebook = read_notebook(book.path(job.edition, job.page))
            write_notebook(staging / names[-1], notebook)
        plan = {"root": str(book.root), "keys": {f"{j.edition}/{j.page}": j.key for j in jobs}}
        write_text(staging / "plan.json", json.dumps(plan))
        write_text(staging / "pytest.ini", "[pytest]\n")  # the repository's own is for its tests
        command = [
            *(sys.executable, "-m", "pytest", *names),
            *("-c", "pytest.ini", "--rootdir", folder, "-p", "no:cacheprovider"),
            *("-p", "booksite.nbrun", "--color=no"),
            *("--nbmake", "--overwrite", f"--nbmake-timeout={CELL_SECONDS}"),
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


def _environment(book: Book, staging: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return kept | {
        # The same numbers on every machine: one thread, one order of sets.
        "OMP_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": os.pathsep.join([str(book.root), str(SITE)]),
        "IPYTHONDIR": str(staging / "ipython"),  # not the reader's own profile
    }
