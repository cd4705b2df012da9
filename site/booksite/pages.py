"""The last touches to each HTML page, after Sphinx has written it.

Text in, text out: icons become pictures in the page instead of a megabyte of script, what the book
does not use goes, code has an element only where it has a colour, and a Content-Security-Policy
admits the site's own files as scripts and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

# Drawn for the book: 24 units square, stroked in the colour of the text.
ICONS = {
    "angle-left": "M15 5l-7 7 7 7",
    "angle-right": "M9 5l7 7-7 7",
    "arrow-up": "M12 20V4M5 11l7-7 7 7",
    "bars": "M4 6h16M4 12h16M4 18h16",
    "chevron-down": "M5 9l7 7 7-7",
    "chevron-right": "M9 5l7 7-7 7",
    "circle-half-stroke": "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18zM12 3v18M12 7l6 0M12 12h9M12 17h6",
    "download": "M12 4v11M6.5 10l5.5 5.5 5.5-5.5M4 20h16",
    "list": "M9 6h11M9 12h11M9 18h11M4 6h1M4 12h1M4 18h1",
    "magnifying-glass": "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13zM15.5 15.5L20.5 20.5",
    "moon": "M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z",
    "outdent": "M9 6h11M9 12h11M9 18h11M4 6h1M4 12h1M4 18h1",
    "sun": "M12 8a4 4 0 1 0 0 8a4 4 0 1 0 0-8zM12 2v2.5M12 19.5V22M2 12h2.5M19.5 12H22"
    "M5 5l1.7 1.7M17.3 17.3L19 19M5 19l1.7-1.7M17.3 6.7L19 5",
}

POLICY = (
    ("default-src", "'self'"),
    ("script-src", "'self'"),
    ("img-src", "'self' data:"),
    ("style-src", "'self' 'unsafe-inline'"),  # figures and mathematics set style attributes
    ("object-src", "'none'"),
    ("base-uri", "'none'"),
    ("form-action", "'self'"),
)

_ICON = re.compile(r'<(i|span) class="([^"]*\bfa-[^"]*)"([^>]*)>\s*</\1>')
_UNUSED = re.compile(
    r"[ \t]*(?:"
    r"<script\b[^>]*(?:fontawesome|mathjax|book-theme|clipboard|copybutton)[^>]*>\s*</script>"
    r"|<link\b[^>]*copybutton[^>]*>"
    r"|<link\b[^>]*fontawesome[^>]*>"
    r"|<meta name=\"docsearch:[^>]*>"
    r"|<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" ?/>"  # said already
    r")\n?",
    re.IGNORECASE,
)
_KATEX = re.compile(r"[ \t]*<link\b[^>]*katex[^>]*>\n?")
# What readers' software would stumble over in what themes and docutils write.
_CORRECTIONS = (
    ('<summary aria-label="Toggle hidden content">', "<summary>"),  # it has words of its own
    (' role="doc-biblioentry"', ' role="listitem"'),
    (' class="tex2jax_ignore mathjax_ignore"', ""),  # there is no such script to be told
    (' data-bs-placement="bottom" data-bs-toggle="tooltip"', ""),  # nor such one to ask
    (" data-bs-title=", " title="),
    (
        '<div id="pst-primary-sidebar"',
        '<div id="pst-primary-sidebar" role="complementary" aria-label="Sidebar"',
    ),
)
_PART = re.compile(r'<span([^>]*) data-part="([^"]*)"([^>]*)>(.*?)</span>', re.DOTALL)
_LABEL = re.compile(r'\b(title|aria-label)="([^"]*)"')
_STYLE = re.compile(r'<style class="ac-style">.*?</style>', re.DOTALL)
_INLINE = re.compile(r"[ \t]*<script>[^<]*</script>\n?")
_CODE = re.compile(r'(?<=<div class="highlight">)<pre>.*?</pre>', re.DOTALL)
_TOKEN = re.compile(r'<span class="(\w+)">([^<]*)</span>')
_LITERAL = re.compile(r'<span class="pre">([^<]*)</span>')
# Keywords, strings, numbers (and what is built in), comments, definitions: the first letters of
# Pygments' names for them. What follows in the page's text is as plain as the rest.
_COLOURED = {
    **{"k": "k", "ow": "k", "s": "s", "m": "m", "il": "m", "nb": "m", "bp": "m", "nd": "m"},
    **{"vm": "m", "c": "c", "nf": "f", "nc": "f", "fm": "f", "ne": "f"},
}
_DOCTOOLS, _TRANSLATIONS = (
    re.compile(rf"[ \t]*<script\b[^>]*/{name}\.js[^>]*></script>\n?")
    for name in ("doctools", "translations")
)
_DEFERRABLE = re.compile(
    r"<script (?![^>]*\b(?:defer|async|type)\b)(?![^>]*/mode\.js)([^>]*\bsrc=)"  # mode.js: at once
)


class UnknownIcon(Exception):
    """A template asks for an icon that has not been drawn."""


def finished(page: str, words: Mapping[str, str], book: Collection[str] = ()) -> str:
    """A page as the site serves it.

    Args:
        page: the page as Sphinx wrote it.
        book: the names of the book's pages, to which parts of the map of the Transformer lead.
        words: the reader's words for labels that the theme's templates have in English only.

    Raises:
        UnknownIcon: the page asks for an icon that is not in :data:`ICONS`.
    """
    page = _UNUSED.sub("", page)
    page = _PART.sub(lambda m: _led(m) if m[2] in book else m[0], page)
    if 'class="katex' not in page:
        page = _KATEX.sub("", page)
    for theirs, ours in _CORRECTIONS:
        page = page.replace(theirs, ours)
    page = _LABEL.sub(lambda m: f'{m[1]}="{words.get(m[2], m[2])}"', page)
    page = _ICON.sub(_drawn, page)
    page = _STYLE.sub("", page)  # a file has them all
    page = _CODE.sub(_with_fewer_elements, _LITERAL.sub(r"\1", page))
    page = _INLINE.sub("", page)  # tells the theme the page's name, which nothing asks for
    head, end, body = page.partition("</head>")
    # Deferred scripts have the page before them and speak at once, so the translations come first.
    translations = "".join(_TRANSLATIONS.findall(head))
    head = _DOCTOOLS.sub(lambda m: m[0] + translations, _TRANSLATIONS.sub("", head))
    page = _DEFERRABLE.sub(r"<script defer \1", head) + end + body
    return with_security_policy(page)


def with_security_policy(page: str) -> str:
    """The page with a policy that lets the site's own files run and nothing that stands in it."""
    policy = "; ".join(f"{name} {value}" for name, value in POLICY)
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return re.sub(r"<meta charset=[^>]*>", lambda m: f"{m[0]}\n    {meta}", page, count=1)


def _with_fewer_elements(code: re.Match[str]) -> str:
    """Highlighted code, an element for each run of one colour and none where there is none."""
    between, *rest = _TOKEN.split(code[0].replace("<span></span>", ""))
    runs = [("", between)]
    for name, text, between in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        colour = _COLOURED.get(name, _COLOURED.get(name[0], ""))
        if runs[-1][0] == "" and not runs[-1][1].strip() and runs[-2:-1] and runs[-2][0] == colour:
            text = runs.pop()[1] + text
        if runs[-1][0] == colour:
            text = runs.pop()[1] + text
        runs += [(colour, text), ("", between)] if between else [(colour, text)]
    return "".join(f'<span class="{c}">{text}</span>' if c else text for c, text in runs)


def _led(part: re.Match[str]) -> str:
    return f'<a href="{part[2]}.html"{part[1]}{part[3]}>{part[4]}</a>'


def _drawn(match: re.Match[str]) -> str:
    classes = match[2].split()
    name = next(
        (c.removeprefix("fa-") for c in classes if c.removeprefix("fa-") in ICONS),
        None,
    )
    if name is None:
        raise UnknownIcon(f"there is no drawing for the icon {match[2]!r}")
    kept = " ".join(["icon", *(c for c in classes if not c.startswith("fa"))])
    return (
        f'<svg class="{kept}"{match[3]} viewBox="0 0 24 24" aria-hidden="true">'
        f'<path d="{ICONS[name]}"/></svg>'
    )
