"""The notebooks, as they are published, each run once in a fresh stand-in for Colab."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from browser import chromium  # noqa: F401
from colab import PYTHON, ROOT, Executed, Runtime, chosen, list_fonts, name

from booksite import wheel
from booksite.book import Book
from booksite.identity import stamp
from booksite.serve import server


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
def published(tmp_path_factory):
    """The notebooks as they are published; their site is served here."""
    folder = tmp_path_factory.mktemp("published")
    wheel.build(folder)
    with server(folder, 0) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        for path in stamp(Book(ROOT), "owner/name", folder):
            here = f"http://127.0.0.1:{site.server_port}"
            path.write_text(path.read_text().replace("https://owner.github.io/name", here))
        yield folder / "chapters"
        site.shutdown()


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


@pytest.fixture(scope="session", params=chosen(), ids=name)
def executed(request, executions):
    """A notebook after "Run all"."""
    return executions[request.param].result()
