"""A pytest plugin for :mod:`booksite.execution`: says which notebook runs, keeps what it showed.

The process that hands out the notebooks prints and keeps; the workers only execute. After a failure
no further notebook is started; those already running finish and are kept.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbmake.pytest_items import NotebookFailedException

from .book import Book, read_notebook, write_notebook

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Reporter(Path(config.rootpath)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if (item.config.rootpath / "failed").exists():
        pytest.skip("another notebook failed")


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
        return {
            "cell": error.failing_cell_index,
            "problem": error.summary,
            "trace": error.trace,
        }
    # The kernel died, or was never there: only the frames of what executes cells know where.
    frames = [entry.frame.f_locals for entry in raised.traceback]
    cell = next((f["cell_index"] for f in reversed(frames) if "cell_index" in f), None)
    return {"cell": cell, "problem": f"{raised.typename}: {raised.value}", "trace": ""}


class _Reporter:
    def __init__(self, staging: Path) -> None:
        plan = json.loads((staging / "plan.json").read_text(encoding="utf-8"))
        self.staging = staging
        self.book = Book(Path(plan["root"]))
        self.keys: dict[str, str] = plan["keys"]

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if not (self.staging / "failed").exists():
            _say(f"  running   {_name(nodeid)}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call":
            return
        name = _name(report.nodeid)
        staged = self.staging / f"{name}.ipynb"
        if report.passed:
            self._keep(name, staged, report.duration)
            _say(f"  done      {name}  {report.duration:.0f} s")
        elif report.failed:
            (self.staging / "failed").touch()
            _say(f"  FAILED    {name}  after {report.duration:.0f} s\n")
            failure = dict(report.user_properties)["failure"]
            _say(described(f"chapters/{name}.ipynb", read_notebook(staged), failure))

    def _keep(self, name: str, staged: Path, seconds: float) -> None:
        notebook = read_notebook(staged)
        notebook["metadata"].pop("widgets", None)
        notebook["metadata"]["booksite"] = {"key": self.keys[name], "seconds": round(seconds, 1)}
        for cell in notebook["cells"]:
            cell["metadata"].pop("execution", None)
            if cell["cell_type"] == "code":
                cell["execution_count"] = None
            for output in cell.get("outputs", ()):
                if "execution_count" in output:
                    output["execution_count"] = None
        edition, page = name.split("/")
        write_notebook(self.book.executed(edition, page), notebook)


def described(name: str, notebook: dict[str, Any], failure: dict[str, Any]) -> str:
    """A failure in words: file, number and id of the cell, the problem, the traceback."""
    where, cells = name, notebook["cells"]
    if failure["cell"] is not None:
        where += f", cell {failure['cell'] + 1} of {len(cells)} ({cells[failure['cell']]['id']})"
    trace = _ANSI.sub("", failure["trace"]).rstrip().splitlines()
    problem = _ANSI.sub("", failure["problem"]) or trace[-1].strip()
    lines = [f"{where}: {problem}", *(f"    {line}".rstrip() for line in trace)]
    return "\n".join(lines) + "\n"


def _say(text: str) -> None:
    """Speak past pytest's own report, which is shown only when something unexpected happened."""
    print(text, file=sys.stderr, flush=True)


def _name(nodeid: str) -> str:
    """The name of a notebook, ``<edition>/<page>``, from pytest's."""
    return nodeid.split("::")[0].removesuffix(".ipynb")
