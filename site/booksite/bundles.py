"""One style sheet and one script for all pages of an edition, in place of a dozen of each.

Both are named by the hash of what is in them. What only some pages ask for stays a file of its own.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import styles

_IMPORT = re.compile(r'@import\s*"([^"]+)";')


@dataclass(frozen=True)
class _Kind:
    """Style sheets or scripts: how pages ask for one, and how for the one in place of many."""

    asked: re.Pattern[str]
    tag: str

    def common(self, pages: Mapping[Path, str]) -> list[Path]:
        """The files that every page asks for, in their order."""
        each = [
            [_file(path, name) for name in self.asked.findall(page)] for path, page in pages.items()
        ]
        times = Counter(file for files in each for file in set(files))
        return [file for file in each[0] if times[file] == len(pages)]

    def replace(self, many: list[Path], one: Path, path: Path, page: str) -> str:
        """A page that asks for ``one`` where it asked for the first of ``many``."""
        tags = [self.tag.format(os.path.relpath(one, path.parent))]

        def replaced(match: re.Match[str]) -> str:
            if _file(path, match[1]) not in many:
                return match[0]
            return tags.pop() if tags else ""

        return self.asked.sub(replaced, page)


_STYLES = _Kind(
    re.compile(r'[ \t]*<link\b(?=[^>]*\brel="stylesheet")[^>]*\bhref="([^"?]+)[^>]*>\n?'),
    '    <link rel="stylesheet" href="{}">\n',
)
_SCRIPTS = _Kind(
    re.compile(r'[ \t]*<script defer\b[^>]*\bsrc="([^"?]+)[^>]*></script>\n?'),
    '    <script defer src="{}"></script>\n',
)


# Pictures and fonts that the theme names and the site does not bring.
_PICTURE = re.compile(
    r"background(?:-image)?: *url\((?![\"']?data:)[^)]*\)[^;}]*;?"
    r"|@font-face *\{[^}]*Font Awesome[^}]*\}"
)


def bundle(output: Path) -> None:
    """Put what all pages load into one file of each kind, and drop the styles that none uses."""
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(output.rglob("*.html"))}
    sheets, scripts = _STYLES.common(pages), _SCRIPTS.common(pages)
    others = [path for path in output.glob("_static/**/*.css") if path not in sheets]
    code_files = output.glob("_static/**/*.js")
    used = styles.Used.of(pages.values(), map(_text, code_files), map(_text, others))
    sheet = styles.purged("\n".join(map(_with_imports, sheets)), used)
    sheet = _PICTURE.sub("", sheet)
    script = "\n".join(f"{_text(path)};" for path in scripts)
    style, code = _write(output, "book.css", sheet), _write(output, "book.js", script)
    for path, page in pages.items():
        page = _STYLES.replace(sheets, style, path, page)
        path.write_text(_SCRIPTS.replace(scripts, code, path, page), encoding="utf-8")
    for path in [*sheets, *scripts]:
        path.unlink()


def _file(page: Path, name: str) -> Path:
    return Path(os.path.normpath(page.parent / name))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _with_imports(path: Path) -> str:
    return _IMPORT.sub(lambda match: _text(_file(path, match[1])), _text(path))


def _write(output: Path, name: str, text: str) -> Path:
    stem, _, ending = name.partition(".")
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    path = output / "_static" / f"{stem}-{digest}.{ending}"
    path.write_text(text, encoding="utf-8")
    return path
