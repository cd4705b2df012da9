"""The Sphinx extension: executed notebooks in place of the written ones, and what each page needs.

It does the same for ``make site`` and for a bare ``jupyter-book build .``, which builds the English
edition alone.
"""

from __future__ import annotations

import gettext
import json
import os
import posixpath
import re
import shutil
from html import escape
from pathlib import Path
from typing import Any

import jieba
from docutils import nodes
from sphinx import locale
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

from attention_course import claims, markup
from attention_course.explorables.base import source

from . import (
    assets,
    bundles,
    editions,
    execution,
    explorables,
    identity,
    mathematics,
    pages,
    search,
    tables,
    terms,
    tidy,
)
from .book import (
    EDITIONS,
    LANGUAGE_NAMES,
    LANGUAGE_TAGS,
    SITE,
    SOURCE,
    Book,
    BookError,
    settings,
    write_notebook,
)

FOLDED = {"plot", "record"}  # tags of cells whose code says nothing to those who learn
_LOGGER = logging.getLogger(__name__)
_DESCRIPTION_LENGTH = 160  # characters, where an edition does not say otherwise
# What themes bring along that no page asks for.
_PRUNED = (
    "**/*.map",
    "_static/*.html",
    "_static/*.png",
    "_static/copy*",
    "_static/clipboard*",
    "_static/images",
    "_static/locales",
    "_static/scripts",
    "_static/vendor",
)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_config_value("book_root", "", "env", str)
    app.add_config_value("book_edition", SOURCE, "env", str)
    app.add_config_value("book_both_editions", False, "env", bool)
    app.add_config_value("book_repository", "", "env", str)
    app.add_config_value("comments_config", {}, "html", dict)  # Jupyter Book always sets it
    app.add_directive("claims-ledger", tables.ClaimsLedger)
    app.add_directive("glossary-table", tables.GlossaryTable)
    app.add_directive("run-times", tables.RunTimes)
    app.add_search_language(search.Chinese)
    mathematics.setup(app)
    terms.setup(app)
    app.connect("config-inited", _settle)
    app.connect("builder-inited", _prepare)
    app.connect("env-get-outdated", _everything)
    app.connect("source-read", _with_outputs)
    app.connect("html-page-context", _page, priority=100)  # before the theme fills its templates
    app.connect("build-finished", _finish, priority=900)  # when every file is in its place
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _settle(app: Sphinx, config: Config) -> None:
    """Fill in the settings that depend on where the sources are and what the machine brings."""
    config.book_root = config.book_root or str(app.srcdir)
    book = Book(Path(config.book_root))
    references = book.root / "chapters" / "references.bib"
    config.bibtex_bibfiles = [os.path.relpath(references, app.srcdir)]
    config.templates_path.insert(0, str(SITE / "templates"))
    _made(app).mkdir(parents=True, exist_ok=True)
    config.html_static_path += [str(SITE / "static"), str(_made(app))]
    config.html_favicon = str(SITE / "static" / "favicon.svg")
    jieba.setLogLevel("WARNING")
    try:
        config.book_repository = identity.repository(config.book_repository)
    except BookError as error:
        raise ExtensionError(str(error)) from None


def _prepare(app: Sphinx) -> None:
    book, edition = _book(app), app.config.book_edition
    try:
        assets.install()
        editions.check(book, [edition])
        execution.execute(book, [edition])
    except BookError as error:
        raise ExtensionError(str(error)) from None
    assets.copy_katex(_made(app) / "katex")
    # What each output carries with it in a notebook is a file on the site.
    displays = re.sub(r"</?style[^>]*>", "", markup.style()) + source("explorables.css")
    (_made(app) / "displays.css").write_text(displays, encoding="utf-8")
    app.config.explorables = explorables.publish(_made(app) / explorables.FOLDER)
    _translate(app, settings(edition).get("chrome", {}))


def _translate(app: Sphinx, words: dict[str, str]) -> None:
    """Give the theme's words that nobody has translated, or not well, in the page's language."""
    for catalog in ("sphinx", "booktheme"):
        place = ("general", catalog)
        locale.translators[place] = _Words(words, locale.translators[place])
    app.builder.templates.environment.install_gettext_translations(
        locale.translators["general", "sphinx"]
    )


class _Words(gettext.NullTranslations):
    """Translations from a table, and from elsewhere where the table has none."""

    def __init__(self, words: dict[str, str], others: gettext.NullTranslations) -> None:
        super().__init__()
        self.words, self.others = words, others

    def gettext(self, message: str) -> str:
        return self.words.get(message) or self.others.gettext(message)

    def ngettext(self, one: str, many: str, number: int) -> str:
        return self.words.get(one) or self.others.ngettext(one, many, number)


def _everything(app: Sphinx, env: BuildEnvironment, *_: object) -> list[str]:
    """Read every page again: outputs and sidebars change without their page's source changing."""
    return sorted(env.found_docs)


def _with_outputs(app: Sphinx, docname: str, source: list[str]) -> None:
    page = posixpath.basename(docname)
    if page in _book(app).notebooks():
        notebook = execution.executed_notebook(_book(app), app.config.book_edition, page)
        for cell in notebook["cells"]:
            _fold(cell)
            for output in cell.get("outputs", ()):
                output.get("data", {}).pop(claims.MIME, None)  # for the ledger, not for readers
                explorables.lighten(output, app.config.explorables)
        source[0] = json.dumps(notebook, ensure_ascii=False)


def _fold(cell: dict[str, Any]) -> None:
    """Fold the code of a cell that only plots or records; what it shows stays open.

    The setup cell is left out: a page of the site has nothing to install.
    """
    tags = cell["metadata"].get("tags", [])
    if cell["id"] == tidy.SETUP:
        cell["metadata"]["tags"] = [*tags, "remove-cell"]
    elif FOLDED & set(tags) and not any(tag.startswith("remove-") for tag in tags):
        cell["metadata"]["tags"] = [*tags, "hide-input"]


def _page(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Add the page's links to other editions, to where it runs, to its file; its description."""
    book, config = _book(app), app.config
    edition, own = config.book_edition, settings(config.book_edition)
    page = posixpath.basename(pagename)
    listed = page in book.pages()
    links: dict[str, Any] = {"notebook": listed and page in book.notebooks()}
    if config.book_both_editions:
        links["others"] = [
            {
                "url": f"../{other}/{page}.html",
                "tag": LANGUAGE_TAGS[other],
                "name": LANGUAGE_NAMES[other],
                "edition": other,
            }
            for other in EDITIONS
            if other != edition
        ]
    if links["notebook"] and config.book_repository:
        links["colab"] = identity.colab_address(config.book_repository, edition, page)
        links["kaggle"] = identity.kaggle_address(config.book_repository, edition, page)
    context["book"] = links
    context["language"] = LANGUAGE_TAGS[edition]

    if pagename == "search" and "search_script" in own:
        app.add_js_file(own["search_script"], priority=100)  # before Sphinx's own

    if "data-module=" in context.get("body", ""):
        start = f"{explorables.FOLDER}/{app.config.explorables.start}"
        app.add_js_file(start, type="module")

    tags = []
    if doctree:
        description = _description(doctree, own.get("description_length", _DESCRIPTION_LENGTH))
    else:  # the page of the search, which Sphinx makes
        search = app.config.html_theme_options["search_bar_text"]
        description = f"{search} · {app.config.html_title}"
    if description:
        tags.append(f'<meta name="description" content="{escape(description)}">')
    if config.book_repository and listed and config.book_both_editions:
        site = identity.site_address(config.book_repository)
        tags.append(f'<link rel="canonical" href="{site}/{edition}/{page}.html">')
        tags += [
            f'<link rel="alternate" hreflang="{tag}" href="{site}/{name}/{page}.html">'
            for name, tag in LANGUAGE_TAGS.items()
        ]
    context["metatags"] = "\n".join([context.get("metatags", ""), *tags])


def _description(doctree: nodes.document, length: int) -> str:
    """The page's first paragraph, cut at the end of a word where it is long."""
    paragraph = next(iter(doctree.findall(nodes.paragraph)), None)
    text = " ".join(paragraph.astext().split()) if paragraph else ""
    if len(text) <= length:
        return text
    cut = text[:length]
    return (cut.rsplit(" ", 1)[0] if cut.count(" ") > 5 else cut).rstrip(",;:，；：、") + "…"


def _finish(app: Sphinx, problem: Exception | None) -> None:
    if problem or app.builder.format != "html":
        return
    output = Path(app.outdir)
    _with_downloads(app, output / "_sources")
    _without_eval(output / "_static" / "doctools.js")
    words = settings(app.config.book_edition).get("chrome", {})
    for pattern in _PRUNED:
        for path in output.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    book_pages = _book(app).pages()
    for path in output.rglob("*.html"):
        try:
            page = pages.finished(path.read_text(encoding="utf-8"), words, book_pages)
            path.write_text(page, encoding="utf-8")
        except pages.UnknownIcon as error:
            _LOGGER.warning("%s: %s", path.name, error)
    bundles.bundle(output)


def _with_downloads(app: Sphinx, folder: Path) -> None:
    """Let a downloaded notebook find the library wherever it is opened."""
    book, repository = _book(app), app.config.book_repository
    if repository and app.config.book_both_editions:
        for page in book.notebooks():
            notebook = identity.stamped(book, repository, app.config.book_edition, page)
            write_notebook(folder / f"{page}.ipynb", notebook)


def _without_eval(script: Path) -> None:
    """Sphinx turns a catalog's plural rule into code in the browser, which the policy forbids.

    English brings no catalog, and Chinese has one form for all numbers.
    """
    text = script.read_text(encoding="utf-8")
    text, times = re.subn(r"(PLURAL_EXPR = )new Function\([^)]*\)`\s*\)", r"\1() => 0", text)
    if times != 1:
        _LOGGER.warning("doctools.js has no plural rule where this extension looks for it")
    script.write_text(text, encoding="utf-8")


def _book(app: Sphinx) -> Book:
    return Book(Path(app.config.book_root))


def _made(app: Sphinx) -> Path:
    """Where static files that this build makes are put for Sphinx to copy."""
    return Path(app.doctreedir).parent / "made"
