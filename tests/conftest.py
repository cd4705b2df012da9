"""What all tests share."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples on every machine, and no failure because a machine is slow.
settings.register_profile("book", derandomize=True, deadline=None)
settings.load_profile("book")

REPORT = Path(__file__).parents[1] / "_build" / "reports" / "tests.json"


class Times:
    """How many seconds each file of tests took, for the page of run times."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid.split("::")[0]] += report.duration

    def pytest_sessionfinish(self) -> None:
        REPORT.parent.mkdir(parents=True, exist_ok=True)
        earlier = json.loads(REPORT.read_text()) if REPORT.exists() else {}
        kept = {file: seconds for file, seconds in earlier.items() if Path(file).exists()}
        times = kept | {file: round(seconds, 1) for file, seconds in self.seconds.items()}
        REPORT.write_text(json.dumps(dict(sorted(times.items())), indent=1))


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the process that hands out the tests hears of all
        config.pluginmanager.register(Times())
