"""A stand-in for Colab: its packages in ``.venv-colab``, and runtimes without the course's library.

A runtime is a folder of its own on top of ``.venv-colab``. Whatever a notebook installs goes into
that folder, and pip, Python and Jupyter's kernel see both.
"""

import json
import os
import subprocess
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import nbformat

from booksite import wheel

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted(ROOT.glob("chapters/*/*.ipynb"))


def chosen():
    """The notebooks to run: each in one edition, with ``EDITIONS=all`` in both.

    Neighbours take turns, and the turns change with the state of the library.
    """
    if os.environ.get("EDITIONS") == "all":
        return NOTEBOOKS
    editions = sorted({path.parent.name for path in NOTEBOOKS})
    pages = sorted({path.stem for path in NOTEBOOKS})
    first = zlib.crc32(wheel.name().encode())
    turn = {page: editions[(first + i) % len(editions)] for i, page in enumerate(pages)}
    return [path for path in NOTEBOOKS if turn[path.stem] == path.parent.name]


def themes(name):
    """The themes in which a notebook's outputs are looked at: both, or one by turns."""
    both = ["light", "dark"]
    if os.environ.get("EDITIONS") == "all":
        return both
    return [both[zlib.crc32(f"{name} {wheel.name()}".encode()) % 2]]


PYTHON = ROOT / ".venv-colab/bin/python"

# What anywidget asks of Colab when it shows a widget.
_OUTPUT_MODULE = """
    class _widgets:
        _installed_url = None

    def enable_custom_widget_manager():
        pass
"""
_LIST_FONTS = """
    from pathlib import Path
    import matplotlib
    from matplotlib import font_manager

    find = font_manager.findSystemFonts
    font_manager.findSystemFonts = lambda paths=(), **kind: find(paths, **kind) if paths else []
    manager = font_manager.FontManager()
    name = f"fontlist-v{manager.__version__}.json"
    font_manager.json_dump(manager, Path(matplotlib.get_cachedir(), name))
"""


def list_fonts(folder):
    """Write matplotlib's list of fonts with its own only: Colab has none that knows Chinese."""
    environment = os.environ | {"MPLCONFIGDIR": str(folder)}
    subprocess.run([PYTHON, "-c", dedent(_LIST_FONTS)], env=environment, check=True)
    (written,) = folder.glob("fontlist-*.json")
    assert {"DejaVu Sans"} <= {font["name"] for font in json.loads(written.read_text())["ttflist"]}


class Runtime:
    """A fresh Python with Colab's packages, as Colab gives to each notebook."""

    def __init__(self, folder, fonts):
        self.folder, self.python = folder, folder / "bin/python"
        subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder], check=True)
        (own,) = folder.glob("lib/python*/site-packages")
        (shared,) = PYTHON.parents[1].glob("lib/python*/site-packages")
        (own / "google/colab").mkdir(parents=True)
        (own / "google/colab/__init__.py").touch()
        (own / "google/colab/output.py").write_text(dedent(_OUTPUT_MODULE))
        (own / "colab.pth").write_text(f"{shared}\nimport google.colab.output\n")
        self.environment = {
            "HF_HUB_OFFLINE": "1",
            "IPYTHONDIR": str(folder / "ipython"),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "MPLCONFIGDIR": str(fonts),
            "OMP_NUM_THREADS": "1",
            "PYTHONNOUSERSITE": "1",
            "PYTHONPATH": "",
        }
        kernel = {
            "argv": [str(self.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "Colab",
            "language": "python",
            "env": self.environment,
        }
        (folder / "kernels/colab").mkdir(parents=True)
        (folder / "kernels/colab/kernel.json").write_text(json.dumps(kernel))

    def packages(self):
        """What pip says is installed."""
        command = [self.python, "-m", "pip", "freeze", "--all"]
        environment = os.environ | self.environment
        listed = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
        return frozenset(listed.stdout.decode().splitlines())

    def execute(self, notebook):
        """Run a notebook from top to bottom; a cell that raises has its error as its output."""
        path = self.folder / "notebook.ipynb"
        nbformat.write(notebook, path)
        command = [sys.executable, "-m", "jupyter", "execute", "--inplace", path]
        ran = subprocess.run(
            [*command, "--kernel_name=colab", "--timeout=600", "--allow-errors"],
            env=os.environ | {"JUPYTER_PATH": str(self.folder)},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr
        return nbformat.read(path, as_version=4)


@dataclass
class Executed:
    """A notebook that ran, and what was installed before and after."""

    name: str
    notebook: nbformat.NotebookNode
    before: frozenset
    after: frozenset

    def outputs(self):
        """The outputs of each cell that has any, by the cell's id."""
        return {cell.id: cell.outputs for cell in self.notebook.cells if cell.get("outputs")}


def name(path):
    """A notebook's name, ``<edition>/<page>``."""
    return f"{path.parent.name}/{path.stem}"


def only_setup(path):
    """A notebook cut down to its setup cell."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.id == "setup"]
    return notebook
