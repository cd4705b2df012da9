"""What a book of many notebooks costs: executing, building, visiting its pages, asking for changes.

``python benchmarks/house.py [--notebooks 60]`` copies the book into a temporary folder, adds copies
of its lessons and labs until both editions together have that many notebooks, and prints how long
each step takes there: in seconds, and as a share of the 45 minutes that everything may take.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
ALL = 45 * 60  # seconds that the whole of .ci/run may take
STEPS = {
    "execute": ["-m", "booksite", "execute"],
    "build": ["-m", "booksite", "build"],
    "ask for changes": ["-m", "booksite", "execute"],
    "visit every page": ["-m", "pytest", "-q", "-n", "auto", "tests/site/test_pages.py"],
}


def copied(target: Path, notebooks: int) -> None:
    """The book with its lessons repeated, in ``target``."""
    away = shutil.ignore_patterns(".git", "_build", ".venv*", "node_modules", "__pycache__")
    shutil.copytree(ROOT, target, ignore=away)
    (target / "site" / "node_modules").symlink_to(ROOT / "site" / "node_modules")
    toc = yaml.safe_load((target / "_toc.yml").read_text(encoding="utf-8"))
    english = target / "chapters" / "en"
    lessons = sorted(english.glob("[0-9]*.ipynb"))
    chapters = toc["parts"][0]["chapters"]
    for number, source in enumerate(cycle(lessons), 1):
        if 2 * len(list(english.glob("*.ipynb"))) >= notebooks:
            break
        name = f"{source.stem}-copy-{number}.ipynb"
        for edition in ("en", "zh"):
            folder = target / "chapters" / edition
            shutil.copy(folder / source.name, folder / name)
        chapters.append({"file": f"chapters/en/{Path(name).stem}"})
    (target / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notebooks", type=int, default=60)
    wanted = parser.parse_args().notebooks
    with tempfile.TemporaryDirectory(prefix="house-") as folder:
        book = Path(folder) / "book"
        copied(book, wanted)
        count = len(list(book.glob("chapters/*/*.ipynb")))
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(book), str(book / "site")]),
            "OMP_NUM_THREADS": "1",
        }
        print(f"{count} notebooks on {os.cpu_count()} cores")
        for step, command in STEPS.items():
            start = time.perf_counter()
            run = subprocess.run(
                [sys.executable, *command],
                cwd=book,
                env=environment,
                capture_output=True,
                text=True,
            )
            taken = time.perf_counter() - start
            print(f"{step:18} {taken:7.1f} s  {taken / count:5.1f} s each  {taken / ALL:6.1%}")
            if run.returncode:
                print(run.stdout[-3000:], run.stderr[-3000:], sep="\n")


if __name__ == "__main__":
    main()
