"""Explorables on the site: a light element each, and files that all pages share and browsers keep.

A file is named by the hash of what is in it, so that it never changes under its name.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attention_course import explorables
from attention_course.explorables.base import (
    MIME,
    asset_bytes,
    boot,
    element,
    module_source,
    sent,
    source,
)
from attention_course.markup import script_json

from .book import SITE

FOLDER = "explorables"  # below the pages' static files


@dataclass(frozen=True)
class Files:
    """The names of an explorable's files."""

    module: str
    style: str
    assets: Mapping[str, str]


@dataclass(frozen=True)
class Published:
    """All files of the explorables: the script that starts them, and each one's own."""

    start: str
    each: Mapping[str, Files]


def publish(folder: Path) -> Published:
    """Write the files that every explorable needs into an empty ``folder``."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    kit = _write(folder, "kit.js", sent(source("kit.js")))
    each = {}
    for name in explorables.names():
        made = getattr(explorables, explorables.class_name(name))
        each[name] = Files(
            module=_write(folder, f"{name}.js", module_source(name, kit=f"./{kit}")),
            style=_write(folder, f"{name}.css", source(name, "style.css")),
            assets={
                key: _write(folder, Path(path).name, asset_bytes(path))
                for key, path in made.assets.items()
            },
        )
    script = (SITE / "scripts" / "start.js").read_text(encoding="utf-8")
    return Published(_write(folder, "start.js", sent(f"const boot = {boot()};\n{script}")), each)


def lighten(output: dict[str, Any], published: Published) -> None:
    """Where a notebook's output is an explorable, put the site's element in its place."""
    shown = output.get("data", {}).pop(MIME, None)
    if shown is None:
        return
    files, state = published.each[shown["name"]], shown["state"]
    if files.assets:
        state = {**state, "assets": dict(files.assets)}
    output["data"]["text/html"] = element(
        shown,
        f'<script type="application/json">{script_json(state)}</script>',
        data_module=files.module,
        data_style=files.style,
    )


def _write(folder: Path, name: str, content: str | bytes) -> str:
    """Write a file under its name with its hash; returns that."""
    held = content.encode() if isinstance(content, str) else content
    stem, _, ending = name.partition(".")
    named = f"{stem}-{hashlib.sha256(held).hexdigest()[:10]}.{ending}"
    (folder / named).write_bytes(held)
    return named
