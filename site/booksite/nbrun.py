"""A pytest plugin for :mod:`booksite.execution`: says which notebook runs, keeps what it showed.

The process that hands out the notebooks prints and keeps; the workers only execute. After a failure
no further notebook is started; those already running finish and are kept.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from .book import Book, read_notebook, write_notebook

_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Reporter(Path(config.rootpath)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if (item.config.rootpath / "failed").exists():
        pytest.skip("another notebook failed")


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
            _say(describe_failure(f"chapters/{name}.ipynb", staged, report.longreprtext))

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


def describe_failure(name: str, staged: Path, report: str) -> str:
    """Where and why a notebook stopped: file, cell, error and traceback.

    Args:
        name: the file as people know it.
        staged: the copy that was executed.
        report: what pytest has to say, for when the notebook itself holds no error.
    """
    cells = read_notebook(staged)["cells"]
    for number, cell in enumerate(cells, 1):
        error = next((o for o in cell.get("outputs", ()) if o["output_type"] == "error"), None)
        if error:
            return _described(name, number, cells, f"{error['ename']}: {error['evalue']}", error)
    for number, cell in enumerate(cells, 1):
        timing: dict[str, Any] = cell["metadata"].get("execution", {})
        if timing and "shell.execute_reply" not in timing:
            return _described(name, number, cells, _ANSI.sub("", report).strip().splitlines()[0])
    return f"{name}: {_ANSI.sub('', report)}"


def _described(
    name: str,
    number: int,
    cells: list[dict[str, Any]],
    problem: str,
    error: dict[str, Any] | None = None,
) -> str:
    lines = [f"{name}, cell {number} of {len(cells)} ({cells[number - 1]['id']}): {problem}", ""]
    if error:
        traceback = _ANSI.sub("", "\n".join(error["traceback"]))
        lines += [f"    {line}".rstrip() for line in traceback.splitlines()]
    return "\n".join(lines) + "\n"


def _say(text: str) -> None:
    """Speak past pytest's own report, which is shown only when something unexpected happened."""
    print(text, file=sys.stderr, flush=True)


def _name(nodeid: str) -> str:
    """The name of a notebook, ``<edition>/<page>``, from pytest's."""
    return nodeid.split("::")[0].removesuffix(".ipynb")
