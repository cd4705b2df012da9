"""Interactive pictures that run wherever the page is read, with no kernel behind it.

Each is a folder: ``weights_explorer/explorable.py`` holds the class ``WeightsExplorer``, which is
imported from here when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from importlib.resources import files
from types import ModuleType
from typing import Any


def names() -> list[str]:
    """The folders of all explorables."""
    folders = files(__name__).iterdir()
    return sorted(folder.name for folder in folders if (folder / "explorable.py").is_file())


def class_name(name: str) -> str:
    """The class in a folder: ``WeightsExplorer`` for ``weights_explorer``."""
    return name.title().replace("_", "")


def examples(name: str) -> ModuleType:
    """What an explorable brings for the tests, its ``examples.py``.

    ``shown()`` gives explorables by a name for each, in the language in use, the first of them
    small; ``MOVED`` is a change of the first one's state as a reader would make it; ``computed()``
    gives states, each with what the library computes for it, under the names of what the module's
    ``compute`` returns; ``REFUSED`` has calls that raise, with the error and its message.
    """
    return import_module(f"{__name__}.{name}.examples")


def __getattr__(attribute: str) -> Any:
    for name in names():
        if class_name(name) == attribute:
            return getattr(import_module(f"{__name__}.{name}.explorable"), attribute)
    raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
