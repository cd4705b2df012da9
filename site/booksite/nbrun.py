"""A pytest plugin for :mod:`booksite.execution`: says which notebook runs, keeps what it showed.

The process that hands out the notebooks prints and keeps; the workers only execute. After a failure
no further notebook is started; those already running finish and are kept.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from nbclient import NotebookClient
from nbmake.pytest_items import NotebookFailedException

from . import records
from .book import Book, read_notebook, write_notebook

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Reporter(Path(config.rootpath)))
    _talk_through_files(config.rootpath / str(os.getpid()))


def _talk_through_files(name: Path) -> None:
    """Give kernels sockets with names of their own: for free TCP ports they race, and die of it."""
    create = NotebookClient.create_kernel_manager

    def create_kernel_manager(self: NotebookClient) -> Any:
        manager = create(self)
        manager.transport, manager.ip = "ipc", str(name)
        return manager

    NotebookClient.create_kernel_manager = create_kernel_manager


def pytest_runtest_setup(item: pytest.Item) -> None:
    if (item.config.rootpath / "failed").exists():
        pytest.skip("another notebook failed")
    # The kernel that this process starts next writes down there what it reads.
    os.environ["BOOK_RECORD"] = str(_log(item.config.rootpath, _name(item.nodeid)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if report.failed and call.excinfo:
        report.user_properties.append(("failure", _failure(call.excinfo)))
    return report


def _failure(raised: pytest.ExceptionInfo[BaseException]) -> dict[str, Any]:
    """Where and why a notebook stopped: the cell's index, the problem in a line, the traceback."""
    if isinstance(raised.value, NotebookFailedException):
        error = raised.value.args[0].error
        return _plain(error.failing_cell_index, error.summary, error.trace)
    # The kernel died, or was never there: only the frames of what executes cells know where.
    frames = [entry.frame.f_locals for entry in raised.traceback]
    cell = next((f["cell_index"] for f in reversed(frames) if "cell_index" in f), None)
    return _plain(cell, f"{raised.typename}: {raised.value}", "")


def _plain(cell: int | None, problem: str, trace: str) -> dict[str, Any]:
    trace = _ANSI.sub("", trace).rstrip()
    problem = _ANSI.sub("", problem) or trace.splitlines()[-1].strip()
    return {"cell": cell, "problem": problem, "trace": trace}


class _Reporter:
    def __init__(self, staging: Path) -> None:
        plan = json.loads((staging / "plan.json").read_text(encoding="utf-8"))
        self.staging = staging
        self.book = Book(Path(plan["root"]))
        self.files: dict[str, str | None] = plan["files"]
        self.runs: dict[str, list[Any]] = plan["runs"]

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if not (self.staging / "failed").exists():
            _say(f"  running   {_name(nodeid)}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" or report.skipped:
            return
        name = _name(report.nodeid)
        notebook = read_notebook(self.staging / f"{name}.ipynb")
        failure = dict(report.user_properties).get("failure")
        self._record(name, notebook, report.duration, failure)
        if report.passed:
            edition, page = name.split("/")
            write_notebook(self.book.executed(edition, page), _without_traces(notebook))
            _say(f"  done      {name}  {report.duration:.0f} s")
        else:
            (self.staging / "failed").touch()
            _say(f"  FAILED    {name}  after {report.duration:.0f} s\n")
            _say(described(f"chapters/{name}.ipynb", notebook, failure))

    def _record(
        self, name: str, notebook: dict[str, Any], seconds: float, failure: dict[str, Any] | None
    ) -> None:
        now = records.Sources(self.book)
        record = {
            "run": self.runs[name],
            "seconds": round(seconds, 1),
            "cells": _seconds(notebook),
            "failure": failure,
            **records.dependencies(_log(self.staging, name), self.files, now),
        }
        records.write(self.book, *name.split("/"), record)


def _seconds(notebook: dict[str, Any]) -> dict[str, float]:
    """How long each cell took that ran to its end, by its id."""
    found = {}
    for cell in notebook["cells"]:
        times = cell["metadata"].get("execution", {})
        if "shell.execute_reply" in times:
            start, end = (
                datetime.fromisoformat(times[event].replace("Z", "+00:00"))
                for event in ("iopub.status.busy", "shell.execute_reply")
            )
            found[cell["id"]] = round((end - start).total_seconds(), 2)
    return found


def _without_traces(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook without what is different in each run that shows the same."""
    notebook["metadata"].pop("widgets", None)
    for cell in notebook["cells"]:
        cell["metadata"].pop("execution", None)
        if cell["cell_type"] == "code":
            cell["execution_count"] = None
        for output in cell.get("outputs", ()):
            if "execution_count" in output:
                output["execution_count"] = None
    return notebook


def described(name: str, notebook: dict[str, Any], failure: dict[str, Any]) -> str:
    """A failure in words: file, number and id of the cell, the problem, the traceback."""
    where, cells = name, notebook["cells"]
    if failure["cell"] is not None:
        where += f", cell {failure['cell'] + 1} of {len(cells)} ({cells[failure['cell']]['id']})"
    lines = [f"{where}: {failure['problem']}"]
    lines += [f"    {line}".rstrip() for line in failure["trace"].splitlines()]
    return "\n".join(lines) + "\n"


def _say(text: str) -> None:
    """Speak past pytest's own report, which is shown only when something unexpected happened."""
    print(text, file=sys.stderr, flush=True)


def _name(nodeid: str) -> str:
    """The name of a notebook, ``<edition>/<page>``, from pytest's."""
    return nodeid.split("::")[0].removesuffix(".ipynb")


def _log(staging: Path, name: str) -> Path:
    """Where a notebook's run writes down what it reads."""
    return staging / f"{name}.log"
