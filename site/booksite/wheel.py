"""The library as the site carries it: a wheel beside the pages, which their setup cells install."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .book import SITE, BookError, write_text

_ROOT = SITE.parent
_LIBRARY = _ROOT / "attention_course"
_VERSION = re.compile(r'^__version__ = "([^"+]+)"$', re.MULTILINE)
_SOURCES = ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT")


def name() -> str:
    """The wheel's file name; its version says which state of the library it is."""
    return f"attention_course-{_version()}-py3-none-any.whl"


def build(folder: Path) -> Path:
    """Put the library's wheel into ``folder`` and take older ones away.

    Raises:
        BookError: it could not be built.
    """
    target = folder / name()
    for old in folder.glob("*.whl"):
        if old != target:
            old.unlink()
    if target.exists():
        return target
    with tempfile.TemporaryDirectory(prefix="wheel-") as place:
        copy, made = Path(place) / "library", Path(place) / "made"
        shutil.copytree(_LIBRARY, copy / _LIBRARY.name, ignore=_made_by_python)
        for source in _SOURCES:
            shutil.copy(_ROOT / source, copy)
        module = copy / _LIBRARY.name / "__init__.py"
        text = module.read_text(encoding="utf-8")
        write_text(module, _VERSION.sub(f'__version__ = "{_version()}"', text))
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", made]
        run = subprocess.run(command, cwd=copy, capture_output=True, text=True)
        if run.returncode:
            raise BookError(f"The library's wheel could not be built:\n{run.stderr.strip()}")
        (wheel,) = made.glob("*.whl")
        shutil.move(wheel, target)
    return target


def _version() -> str:
    """The library's version with a digest of its files: another state, another version."""
    digest = hashlib.sha256()
    files = [_ROOT / "pyproject.toml", *_LIBRARY.rglob("*")]
    for path in sorted(path for path in files if path.is_file() and path.suffix != ".pyc"):
        digest.update(f"{path.relative_to(_ROOT)}\0".encode() + path.read_bytes() + b"\0")
    found = _VERSION.search((_LIBRARY / "__init__.py").read_text(encoding="utf-8"))
    return f"{found[1]}+{digest.hexdigest()[:10]}"


def _made_by_python(_: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__" or name.endswith(".pyc")]
