"""The first mention of a term on a page leads to the glossary and says what the term means.

The meaning shows when the reader points at the word or reaches it with the keyboard.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from attention_course import language

from .book import Book

_LINKS = (nodes.reference, addnodes.pending_xref)  # a link to another page is still pending here
_NOT_IN = (*_LINKS, nodes.literal, nodes.math, nodes.title, nodes.rubric)
_IDEOGRAPH = re.compile(r"[\u3400-\u9fff]")
_GLOSSARY = "glossary"


class mention(nodes.Inline, nodes.TextElement):
    """A word of the prose that stands in the glossary, with its ``name`` and ``meaning`` there."""


def setup(app: Sphinx) -> None:
    """Register with Sphinx."""
    app.add_node(mention, html=(_start, _end))
    app.connect("doctree-read", _mark)


def pattern(name: str, edition: str) -> re.Pattern[str]:
    """What finds a term of the terminology in the prose of an edition."""
    word = language.read_toml("terminology.toml")[name][edition]
    if _IDEOGRAPH.search(word):
        return re.compile(re.escape(word))
    return re.compile(rf"(?<![A-Za-z-]){re.escape(word)}(?:e?s)?(?![A-Za-z-])", re.IGNORECASE)


def first_mentions(
    texts: list[nodes.Text], edition: str
) -> Iterator[tuple[nodes.Text, re.Match[str], str]]:
    """The first place of each term; what belongs to a longer term is none of a shorter one's.

    A term whose word has an everyday meaning too counts only where it is emphasised.
    """
    terms = language.read_toml("terminology.toml")
    taken: dict[int, list[tuple[int, int]]] = {}
    for name in sorted(terms, key=lambda name: -len(terms[name][edition])):
        find = pattern(name, edition)
        first = None
        for place, text in enumerate(texts):
            counts = not terms[name].get("everyday") or isinstance(
                text.parent, (nodes.strong, nodes.emphasis)
            )
            spans = taken.setdefault(place, [])
            for match in find.finditer(text.astext()):
                if any(a < match.end() and match.start() < b for a, b in spans):
                    continue
                spans.append(match.span())
                if counts and first is None:
                    first = text, match, name
        if first:
            yield first


def _mark(app: Sphinx, doctree: nodes.document) -> None:
    book, edition = Book(Path(app.config.book_root)), app.config.book_edition
    if _GLOSSARY not in book.pages() or posixpath.basename(app.env.docname) not in book.notebooks():
        return
    mark(doctree, edition)


def mark(page: nodes.Element, edition: str) -> None:
    """Put the first mention of each term into a :class:`mention`; what is said stays the same."""
    texts = [text for text in page.findall(nodes.Text) if not _within(text, _NOT_IN)]
    terms = language.read_toml("terminology.toml")
    marks: dict[int, list[tuple[int, int, str]]] = {}  # texts that say the same are equal
    for text, found, name in first_mentions(texts, edition):
        marks.setdefault(id(text), []).append((*found.span(), name))
    for text in texts:
        if not (places := marks.get(id(text))):
            continue
        said, parts, end = text.astext(), [], 0
        for start, stop, name in sorted(places):
            meaning = terms[name][f"meaning_{edition}"]
            marked = mention("", said[start:stop], name=name, meaning=meaning)
            parts += [nodes.Text(said[end:start]), marked]
            end = stop
        text.parent.replace(text, [*parts, nodes.Text(said[end:])])


def _within(node: nodes.Node, kinds: tuple[type[nodes.Node], ...]) -> bool:
    while node := node.parent:
        if isinstance(node, (*kinds, nodes.raw)) or "cell_output" in _classes(node):
            return True
    return False


def _classes(node: nodes.Node) -> list[str]:
    return node.get("classes", []) if isinstance(node, nodes.Element) else []


def _start(translator: Any, node: mention) -> None:
    translator.body.append(
        translator.starttag(
            node,
            "a",
            "",
            CLASS="book-term",
            href=f"{_GLOSSARY}.html#term-{node['name']}",
            **{"data-meaning": node["meaning"]},
        )
    )


def _end(translator: Any, node: mention) -> None:
    translator.body.append("</a>")
