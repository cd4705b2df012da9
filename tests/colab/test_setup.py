"""The setup cell: what it installs in Colab, and that it does nothing slow anywhere else."""

import re
import subprocess
import sys
from textwrap import dedent

import pytest
from colab import NOTEBOOKS, name, only_setup

PLAIN = """
    import sys
    from IPython.core.interactiveshell import InteractiveShell
    import attention_course

    def refuse(command):
        raise AssertionError(f"the setup cell ran {command}")

    shell = InteractiveShell.instance()
    shell.system = refuse
    shell.run_cell(sys.argv[1]).raise_error()
    print(*sys.modules)
"""


def test_it_installs_the_library_and_replaces_nothing(executed):
    assert executed.before - executed.after == set()
    (new,) = executed.after - executed.before
    assert new.startswith("attention-course")


@pytest.mark.parametrize("path", {path.parent: path for path in NOTEBOOKS}.values(), ids=name)
def test_the_setup_cell_runs_in_each_edition(runtime, published, path):
    ran = runtime().execute(only_setup(published / f"{name(path)}.ipynb"))
    assert not ran.cells[0].outputs


def test_without_a_source_for_the_library_it_says_what_to_do(runtime):
    ran = runtime().execute(only_setup(NOTEBOOKS[0]))
    (error,) = ran.cells[0].outputs
    assert error.ename == "ModuleNotFoundError"
    assert "attention_course is missing: run `pip install .`" in error.evalue


def test_an_older_library_is_replaced_and_a_site_out_of_reach_is_named(runtime, published):
    here, setup = runtime(), only_setup(published / f"{name(NOTEBOOKS[0])}.ipynb")
    cell = setup.cells[0]
    assert not here.execute(setup).cells[0].outputs
    cell.source = re.sub(r"(-[^-]+)(-py3-none-any)", r"\1.newer\2", cell.source)
    said = str(here.execute(setup).cells[0].outputs)
    assert "404" in said
    lost = runtime().execute(setup).cells[0].outputs[-1]
    assert lost.ename == "ModuleNotFoundError"
    assert "see the lines above" in lost.evalue


def test_where_the_library_is_there_it_installs_and_imports_nothing_large():
    (cell,) = only_setup(NOTEBOOKS[0]).cells
    command = [sys.executable, "-c", dedent(PLAIN), cell.source]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    assert not {"torch", "numpy", "matplotlib"} & set(ran.stdout.split())
