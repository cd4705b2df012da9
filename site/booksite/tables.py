"""Directives of the pages that only the site has: claims ledger, glossary, run times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.locale import _
from sphinx.util.docutils import SphinxDirective

from attention_course import claims, language
from attention_course.markup import without_marks

from . import records, reports
from .book import EDITIONS, LANGUAGE_NAMES, LANGUAGE_TAGS, Book, read_notebook

Cell = list[nodes.Node]


class _Made(SphinxDirective):
    """Something in the reader's language that is made from what the book already holds."""

    def run(self) -> list[nodes.Node]:
        language.use(self.config.book_edition)
        return self.made(Book(Path(self.config.book_root)), self.config.book_edition)

    def made(self, book: Book, edition: str) -> list[nodes.Node]:
        raise NotImplementedError

    def _link(self, page: str) -> addnodes.pending_xref:
        """A link to a page of this edition, under the page's own title."""
        return addnodes.pending_xref(
            "",
            nodes.inline("", page, classes=["std", "std-doc"]),
            refdomain="std",
            reftype="doc",
            reftarget=page,
            refdoc=self.env.docname,
            refexplicit=False,
            refwarn=True,
        )


class ClaimsLedger(_Made):
    """Each claim that the executed notebooks measured, with values and verdict; then the others."""

    def made(self, book: Book, edition: str) -> list[nodes.Node]:
        entries: dict[str, list[tuple[str, dict[str, Any]]]] = {}
        for page in book.notebooks():
            path = book.executed(edition, page)
            self.env.note_dependency(str(path))
            for entry in claims.collect(read_notebook(path)):
                entries.setdefault(entry["claim"], []).append((page, entry))
        known = language.words("display.claim")
        made: list[nodes.Node] = []
        if entries:
            rows = [
                row for n in known if n in entries for row in self._rows(n, known[n], entries[n])
            ]
            heads = [_("Claim"), _("Verdict"), _("Chapter")]
            made.append(table("claims", heads, rows, [34, 46, 20]))
        waiting = [_claim(name, known[name]) for name in known if name not in entries]
        if waiting:
            made.append(nodes.rubric("", _("Not yet measured")))
            items = [[nodes.paragraph("", "", *claim)] for claim in waiting]
            made.append(_bullets("claims-waiting", items))
        return made

    def _rows(
        self, name: str, words: str, found: list[tuple[str, dict[str, Any]]]
    ) -> Iterator[list[Cell]]:
        """Two rows: the claim with its verdict, and below it, all across, what was measured."""
        settled = [entry for _page, entry in found if entry["verdict"]]
        verdicts = dict.fromkeys(
            (entry["verdict_text"], without_marks(entry["condition"])) for entry in settled
        )
        pages = dict.fromkeys(page for page, _entry in found)
        space = language.words("corpora.joiner")
        yield [
            [nodes.paragraph("", "", *_claim(name, words))],
            [
                nodes.paragraph(
                    "", "", nodes.strong("", verdict), nodes.Text(space + without_marks(condition))
                )
                for verdict, condition in verdicts
            ],
            [nodes.paragraph("", "", self._link(page)) for page in pages],
        ]
        yield [[_bullets("claims-measured", [_measured(entry) for _page, entry in found])]]


class GlossaryTable(_Made):
    """Every term: the other language's word, what it means, its other names, where it comes up."""

    def made(self, book: Book, edition: str) -> list[nodes.Node]:
        self.env.note_dependency(str(book.library / "terminology.toml"))
        others = [other for other in EDITIONS if other != edition]
        terms = language.read_toml("terminology.toml")
        rows: list[list[Cell]] = []
        for name in sorted(terms, key=lambda name: _order(terms[name][edition])):
            term = terms[name]
            anchor = nodes.paragraph("", "", nodes.strong("", term[edition]), ids=[f"term-{name}"])
            meaning = [_plain(term[f"meaning_{edition}"])]
            if names := term.get(f"also_{edition}"):
                also = _("Also called: %s") % language.word("explorables.join").join(names)
                meaning.append(nodes.paragraph("", also, classes=["book-also"]))
            if term["lesson"] in book.pages():
                meaning.append(nodes.paragraph("", "", self._link(term["lesson"])))
            rows.append([[anchor], *(_said(term, edition, other) for other in others), meaning])
        names = [LANGUAGE_NAMES[other] for other in others]
        widths = [24, *[22] * len(others), 76 - 22 * len(others)]
        return [table("glossary", [_("Term"), *names, _("Meaning")], rows, widths)]


class RunTimes(_Made):
    """Seconds of each notebook and file of tests, the slowest first; what the benchmarks print."""

    def made(self, book: Book, edition: str) -> list[nodes.Node]:
        ran = {entry["page"]: entry["seconds"] for entry in records.times(book, [edition])}
        notebooks = [([self._linked(page)], ran[page]) for page in ran]
        tests = reports.tests(book)
        self.env.note_dependency(str(reports.path(book, "tests")))
        files = [
            ([nodes.paragraph("", "", nodes.literal("", name))], tests[name]) for name in tests
        ]
        made = [_seconds(_("Notebook"), notebooks)]
        made.append(_seconds(_("Tests"), files) if files else _plain(_("Not yet measured")))
        for path in reports.benchmarks(book):
            self.env.note_dependency(str(path))
            printed = path.read_text(encoding="utf-8")
            made.append(nodes.rubric("", "", nodes.literal("", f"benchmarks/{path.stem}.py")))
            made.append(nodes.literal_block(printed, printed, language="none"))
        return made

    def _linked(self, page: str) -> nodes.paragraph:
        return nodes.paragraph("", "", self._link(page))


def _seconds(what: str, times: list[tuple[Cell, float]]) -> nodes.table:
    rows = [[cell, [_plain(f"{taken:.1f}")]] for cell, taken in sorted(times, key=lambda t: -t[1])]
    total = nodes.paragraph("", "", nodes.strong("", _("Total")))
    rows.append([[total], [_plain(f"{sum(taken for _cell, taken in times):.0f}")]])
    return table("times", [what, _("Seconds")], rows, [76, 24])


def table(name: str, heads: list[str], rows: list[list[Cell]], widths: list[int]) -> nodes.table:
    """A table of ``rows`` of cells under ``heads``; ``name`` is its class for the style sheet.

    Where a row has fewer cells than the table has columns, its last cell takes the rest.
    """
    columns = (nodes.colspec(colwidth=width) for width in widths)
    head = nodes.row("", *(nodes.entry("", _plain(text)) for text in heads))
    body = (nodes.row("", *_entries(row, len(heads))) for row in rows)
    group = nodes.tgroup(
        "", *columns, nodes.thead("", head), nodes.tbody("", *body), cols=len(heads)
    )
    return nodes.table("", group, classes=[f"book-{name}", "colwidths-given"])


def _plain(text: str) -> nodes.paragraph:
    return nodes.paragraph("", text)


def _foreign(text: str, edition: str) -> nodes.paragraph:
    """Words of the other edition's language; docutils makes the class an attribute ``lang``."""
    marked = nodes.inline("", text, classes=[f"language-{LANGUAGE_TAGS[edition]}"])
    return nodes.paragraph("", "", marked)


def _said(term: dict[str, Any], edition: str, other: str) -> Cell:
    """A term in the other edition's language; nothing where it is the same word."""
    return [_foreign(term[other], other)] if term[other] != term[edition] else []


def _claim(name: str, words: str) -> Cell:
    return [nodes.strong("", name), nodes.Text(f" {words}")]


def _measured(entry: dict[str, Any]) -> Cell:
    """The value first, then what it is the value of."""
    beside = [nodes.Text(f" {entry['beside']}")] if entry["beside"] else []
    value = nodes.paragraph("", "", nodes.strong("", entry["text"]), *beside)
    return [value, *([_plain(without_marks(entry["measure"]))] if entry["measure"] else [])]


def _entries(row: list[Cell], columns: int) -> Iterator[nodes.entry]:
    """A row's cells; the last one takes the columns that are left."""
    for number, cell in enumerate(row, 1):
        left = columns - number if number == len(row) else 0
        yield nodes.entry("", *cell, **({"morecols": left} if left else {}))


def _bullets(name: str, items: Iterable[Cell]) -> nodes.bullet_list:
    made = (nodes.list_item("", *item) for item in items)
    return nodes.bullet_list("", *made, classes=[f"book-{name}"])


def _order(term: str) -> bytes:
    """Sorts Latin letters without regard to case, and Chinese ones by sound, as GB 18030 does.

    It knows one sound of each: 校 in 校准 is jiào, as 叫 is.
    """
    return term.casefold().replace("校准", "叫准").encode("gb18030")
