"""What every figure, card and explorable has in common: HTML that stands on its own.

A notebook's output must look right on the static site, in Jupyter, in VS Code and in Colab (where
each output is a page of its own), with no kernel and no request to another host. So each display
carries its style with it and takes its colours from the page's own ink.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from typing import Any

from . import palette


@cache
def style() -> str:
    """The course's style sheet as a ``<style>`` element."""
    css = resources.files(__package__) / "display" / "display.css"
    return f'<style class="ac-style">{palette.css()}{css.read_text(encoding="utf-8")}</style>'


def escape(text: object) -> str:
    """``text`` made safe to stand in HTML, inside an element or a quoted attribute."""
    return html.escape(str(text), quote=True)


def code_spans(text: str) -> str:
    """``text`` as HTML: escaped, with `code`, *emphasis* and **strong emphasis** shown as such."""
    return "".join(
        f"<code>{part}</code>" if i % 2 else _STARS.sub(_emphasis, part)
        for i, part in enumerate(escape(text).split("`"))
    )


def without_marks(text: str) -> str:
    """``text`` where no markup can be shown: the stars of emphasis are gone."""
    return "`".join(
        part if i % 2 else _STARS.sub(r"\2", part) for i, part in enumerate(text.split("`"))
    )


# A multiplication sign has a space, a letter or a digit on both sides; a star of emphasis has not.
_STARS = re.compile(r"(?<![A-Za-z0-9*])(\*\*?)(?=[^\s*])(.+?)(?<=[^\s*])\1(?![A-Za-z0-9*])")


def _emphasis(found: re.Match[str]) -> str:
    name = "strong" if found[1] == "**" else "em"
    return f"<{name}>{found[2]}</{name}>"


def element(name: str, *children: str, **attributes: object) -> str:
    """An HTML or SVG element. ``class_`` and ``stroke_width`` become ``class``, ``stroke-width``.

    The children are HTML already; the attributes are escaped here.
    """
    named = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_short(value))}"'
        for key, value in attributes.items()
    )
    return f"<{name}{named}>{''.join(children)}</{name}>"


def table(
    caption: str, head: Iterable[str], rows: Iterable[Sequence[str]], **attributes: object
) -> str:
    """A table of texts whose first column names the rows."""
    titles = "".join(element("th", escape(title), scope="col") for title in head)
    lines = "".join(
        element(
            "tr",
            element("th", escape(first), scope="row"),
            *(element("td", escape(cell)) for cell in rest),
        )
        for first, *rest in rows
    )
    return element(
        "table",
        element("caption", escape(caption)),
        element("thead", element("tr", titles)),
        element("tbody", lines),
        **attributes,
    )


def _short(value: object) -> object:
    return f"{value:.4g}" if isinstance(value, float) else value


def script_json(value: Any) -> str:
    """``value`` as JSON that can stand inside a ``<script>`` element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in ("<", "\u2028", "\u2029"):
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


class Display:
    """Something a notebook shows: subclasses give ``html()`` and ``text()``."""

    def html(self) -> str:
        """The inside of the display, without the style sheet."""
        raise NotImplementedError

    def text(self) -> str:
        """What is said where HTML cannot be shown."""
        raise NotImplementedError

    def data(self) -> dict[str, Any]:
        """Further representations by MIME type, for programs that read the notebook."""
        return {}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return {
            "text/html": style() + self.html(),
            "text/plain": self.text(),
            **self.data(),
        }
