"""The library with Colab's versions: its own tests, real widgets, and the progress bar."""

import os
import re
import subprocess
from textwrap import dedent

import nbformat
import pytest
from colab import NOTEBOOKS, PYTHON, ROOT, name, only_setup

from attention_course import explorables

WIDGETS = """
    from IPython.display import display
    from attention_course import explorables

    for name in explorables.names():
        examples = explorables.examples(name)
        explorable = next(iter(examples.shown().values()))
        widget = explorable.widget()
        display(widget)
        assert {name: getattr(widget, name) for name in explorable.state} == explorable.state
        widget.set_state(examples.MOVED)  # as when the reader moves it
        assert {name: getattr(widget, name) for name in examples.MOVED} == examples.MOVED
"""
TRAINING = """
    import torch
    from attention_course.training import train

    torch.manual_seed(0)
    line = torch.nn.Linear(1, 1)
    train(line, lambda step: torch.ones(1), lambda model, x: model(x).square().mean(), steps=40)
"""


@pytest.fixture(scope="module")
def ran(runtime, published):
    """A notebook of our own in a fresh runtime: widgets, then training."""
    notebook = only_setup(published / f"{name(NOTEBOOKS[0])}.ipynb")
    for source in (WIDGETS, TRAINING):
        notebook.cells.append(nbformat.v4.new_code_cell(dedent(source).strip()))
    ran = runtime().execute(notebook)
    for cell in ran.cells:
        assert not [output.evalue for output in cell.outputs if output.output_type == "error"]
    return ran


def test_the_librarys_own_tests_pass():
    """All but those of the machinery that builds the site, which does not run in Colab."""
    files = [path for path in ROOT.glob("tests/test_*.py") if "booksite" not in path.read_text()]
    old = ["-W", "default::DeprecationWarning"]  # what Colab's older packages use is not ours
    ran = subprocess.run(
        [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", *old, *files],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout


def test_every_explorable_is_a_widget_too(ran):
    state = ran.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    modules = [model for model in state if model["model_module"] == "anywidget"]
    assert len(modules) == len(explorables.names())
    assert all("render" in model["state"]["_esm"] for model in modules)


def test_the_progress_bar_is_redrawn_in_place(ran):
    bar, curve = ran.cells[2].outputs
    assert re.search(r'<progress max="40" value="40"', bar.data["text/html"])
    assert "<svg" in curve.data["text/html"]
