"""Interactive pictures that run wherever the page is read, with no kernel behind it.

Each is a folder: ``weights_explorer/explorable.py`` holds the class ``WeightsExplorer``, which is
imported from here when it is first asked for.
"""

from __future__ import annotations

import re
from importlib import import_module
from importlib.resources import files
from typing import Any


def names() -> list[str]:
    """The folders of all explorables."""
    return sorted(folder.name for folder in files(__name__).iterdir() if _is_one(folder))


def __getattr__(name: str) -> Any:
    folder = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    if name[:1].isupper() and _is_one(files(__name__) / folder):
        return getattr(import_module(f"{__name__}.{folder}.explorable"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _is_one(folder: Any) -> bool:
    return (folder / "explorable.py").is_file()
