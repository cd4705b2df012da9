"""Each notebook, as it is published, runs once in a fresh stand-in for Colab."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from booksite.book import Book
from booksite.identity import stamp
from browser import chromium  # noqa: F401
from colab import NOTEBOOKS, PYTHON, ROOT, Executed, Runtime, list_fonts, name


def pytest_collection_modifyitems(items):
    """What looks at the notebooks comes last: they run while the other tests do."""
    items.sort(key=lambda item: "executed" in item.fixturenames)


@pytest.fixture(scope="session")
def runtime(tmp_path_factory):
    """Makes a fresh runtime."""
    if not PYTHON.exists():
        pytest.exit("There is no .venv-colab with Colab's packages: run `make test-colab`.", 2)
    fonts = tmp_path_factory.mktemp("fonts")
    list_fonts(fonts)
    return lambda: Runtime(tmp_path_factory.mktemp("runtime"), fonts)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The library as pip builds it from the repository."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT]
    subprocess.run(command, check=True)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def published(tmp_path_factory, wheel):
    """The notebooks as they are published, with the wheel as where the library comes from."""
    folder, commit = tmp_path_factory.mktemp("published"), "0" * 40
    address = f"git+https://github.com/owner/name@{commit}"
    for path in stamp(Book(ROOT), "owner/name", commit, folder):
        text = path.read_text()
        assert text.count(address) == 1
        path.write_text(text.replace(address, str(wheel)))
    return folder / "chapters"


@pytest.fixture(scope="session", autouse=True)
def executions(request, runtime, published):
    """The notebooks that the chosen tests look at, at work on all cores."""

    def execute(path):
        here = runtime()
        before = here.packages()
        notebook = nbformat.read(published / f"{name(path)}.ipynb", as_version=4)
        return Executed(name(path), here.execute(notebook), before, here.packages())

    tests = [item for item in request.session.items if "executed" in item.fixturenames]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        paths = dict.fromkeys(test.callspec.params["executed"] for test in tests)
        yield {path: pool.submit(execute, path) for path in paths}
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="session", params=NOTEBOOKS, ids=name)
def executed(request, executions):
    """A notebook after "Run all"."""
    return executions[request.param].result()
