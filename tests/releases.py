"""The oldest or the newest releases that the library admits, as requirements for pip.

``python tests/releases.py oldest`` prints each dependency of ``pyproject.toml`` at its lower bound,
``newest`` leaves it open.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def requirements(which: str) -> list[str]:
    """The dependencies, ``"oldest"`` at their lower bounds or ``"newest"``.

    Raises:
        ValueError: another word, or a dependency without a lower bound.
    """
    if which not in ("oldest", "newest"):
        raise ValueError(f"which: got {which!r}, expected 'oldest' or 'newest'")
    listed = re.search(r"^dependencies = \[\n(.*?)^\]", PYPROJECT.read_text(), re.M | re.S)
    found = []
    for line in re.findall(r'^\s*"([^"]+)"', listed[1], re.M):
        name, version, marker = re.fullmatch(r"([\w-]+)>=([\d.]+)((?:;.*)?)", line).groups()
        found.append(f"{name}=={version}.*{marker}" if which == "oldest" else f"{name}{marker}")
    return found


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1])))
