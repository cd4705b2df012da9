"""Text that every reader has: the source of the Python standard library that runs.

Whole files are learned from or held out. Which is decided by a hash of a file's name alone, so
that a file keeps its side in every version of Python and on every machine.
"""

from __future__ import annotations

import hashlib
import platform
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .. import checks

# Left out: what others installed, tests, tables of numbers, what a version or a distribution may
# lack, and what was written by the machine's own build.
LEFT_OUT = {
    *("site-packages", "dist-packages", "test", "tests", "idle_test", "encodings", "pydoc_data"),
    *("lib2to3", "distutils", "idlelib", "tkinter", "turtledemo", "ensurepip", "__phello__"),
}
HELD_OUT = 0.1  # the share of the files that is held out
SHORTEST = 60  # a paragraph of fewer bytes may be in two files by chance


@dataclass(frozen=True)
class PythonSource:
    """Text to learn from and text to test on, as bytes.

    Attributes:
        train, held_out: the files of each side, one after the other; no paragraph of
            ``SHORTEST`` bytes or more is in two of them.
        train_files, held_out_files: their names below the library's folder.
        version: of the Python whose library it is, such as ``"3.13.1"``.
    """

    train: bytes
    held_out: bytes
    train_files: tuple[str, ...]
    held_out_files: tuple[str, ...]
    version: str


def python_source(
    train_bytes: int = 2_000_000, held_out_bytes: int = 100_000, folder: str | Path | None = None
) -> PythonSource:
    """The source of the standard library, as much of it as is asked for.

    Args:
        train_bytes, held_out_bytes: stop taking files when there is so much text, and cut the last
            one; less if there are no more files.
        folder: where the library lies; by default that of the Python that runs.

    Raises:
        FileNotFoundError: there is no source in the folder, or too little to hold some out. A
            Python may be built with its library in a zip file or compiled only.
        TypeError, ValueError: a size is not a whole number of at least 1.
    """
    train_bytes = checks.size("train_bytes", train_bytes)
    held_out_bytes = checks.size("held_out_bytes", held_out_bytes)
    folder = Path(sysconfig.get_path("stdlib") if folder is None else folder)
    names = sorted(_names(folder), key=_place)
    seen: set[bytes] = set()
    sides = []
    for held_out, most in ((False, train_bytes), (True, held_out_bytes)):
        side = [name for name in names if (_place(name) < HELD_OUT) == held_out]
        sides.append(_text(folder, side, most, seen))
    (train, train_files), (test, test_files) = sides
    if not train or not test:
        raise FileNotFoundError(
            f"folder: got {str(folder)!r} with {len(names)} files of source, expected the source "
            "of Python's standard library (a Python may carry it zipped, or compiled only)"
        )
    return PythonSource(train, test, train_files, test_files, platform.python_version())


def _names(folder: Path) -> Iterable[str]:
    for path in folder.rglob("*.py"):
        name = path.relative_to(folder)
        built = name.name.startswith("_sysconfigdata") or name.parts[0].startswith("config-")
        if not built and not LEFT_OUT.intersection(name.parts):
            yield name.as_posix()


def _place(name: str) -> float:
    """A number from 0 to 1 that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64


def _text(
    folder: Path, names: Iterable[str], most: int, seen: set[bytes]
) -> tuple[bytes, tuple[str, ...]]:
    """Text of the files, up to ``most`` bytes, and which were used; no paragraph ``seen``."""
    taken: list[bytes] = []
    used: list[str] = []
    size = 0
    for name in names:
        if size >= most:
            break
        text = (folder / name).read_bytes().replace(b"\r\n", b"\n")
        kept = []
        for paragraph in text.split(b"\n\n"):
            told = paragraph.strip()
            if len(told) >= SHORTEST and told in seen:
                continue
            seen.add(told)
            kept.append(paragraph)
        whole = b"\n\n".join(kept)[: most - size]
        if whole.strip():
            taken.append(whole)
            used.append(name)
            size += len(whole)
    return b"".join(taken), tuple(used)
