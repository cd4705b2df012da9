"""One style sheet for all pages, without the rules that none of them uses.

The theme's styles come with those of a whole framework. A rule stays when some page or script has
every class, id and element that its selector asks for; what stands in ``:not()``, ``:is()`` and
their like is taken to be there. A custom property stays when something refers to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_TOKEN = re.compile(r"[{};]|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|url\([^\"')]*\)")
_GROUP = re.compile(r"@(?:media|supports|layer|container)\b")
_WORD = re.compile(r"[\w-]+")
_ARGUMENTS = re.compile(r":[\w-]+\([^()]*\)|\[[^\]]*\]")
_SIMPLE = re.compile(r"([.#]?)((?:[\w-]|\\.|[^\x00-\x7f])+)|::?[\w-]+")
_REFERENCE = re.compile(r"var\(\s*(--[\w-]+)")


@dataclass(frozen=True)
class Used:
    """What pages and scripts have that a selector can ask for."""

    words: frozenset[str]  # classes and ids
    tags: frozenset[str]
    text: str  # for custom properties: what pages, scripts and other style sheets say of them

    @classmethod
    def of(cls, pages: Iterable[str], scripts: Iterable[str], others: Iterable[str] = ()) -> Used:
        """All that some pages have, and every word of some scripts, which may add any of them.

        ``others`` are style sheets that stay as they are, and need custom properties.
        """
        words, tags, said = set(), {"html", "body"}, [*others]
        for page in pages:
            named = re.findall(r'\b(?:class|id)="([^"]*)"', page)
            words.update(*map(str.split, named))
            tags.update(re.findall(r"<([a-z][\w-]*)", page))
            said += re.findall(r'\bstyle="([^"]*)"', page)
        for script in scripts:
            words.update(_WORD.findall(script))
            said.append(script)
        return cls(frozenset(words), frozenset(tags | words), "\n".join(said))

    def by(self, selector: str) -> bool:
        """Whether something can match ``selector``."""
        while (plain := _ARGUMENTS.sub("", selector)) != selector:
            selector = plain
        for kind, name in _SIMPLE.findall(selector):
            name = name.replace("\\", "")
            if name and name not in (self.words if kind else self.tags):
                return name.startswith("ac-")  # the course's own: scripts make these as they run
        return True


def purged(css: str, used: Used) -> str:
    """The style sheet without what ``used`` has no use for."""
    kept = "".join(_kept(_COMMENT.sub("", css), used))
    while True:
        referred = set(_REFERENCE.findall(kept)) | set(re.findall(r"--[\w-]+", used.text))
        fewer = re.sub(
            r"(?<=[{;])\s*(--[\w-]+):(?:[^;{}\"']|\"[^\"]*\"|'[^']*')*;?(?=[^{}]*\})",
            lambda m, known=referred: m[0] if m[1] in known else "",
            kept,
        )
        if fewer == kept:
            return re.sub(r"[^{};]+\{\s*\}", "", kept)
        kept = fewer


def _kept(css: str, used: Used) -> Iterator[str]:
    for head, body in _blocks(css):
        if body is None or (head.startswith("@") and not _GROUP.match(head)):
            yield f"{head};" if body is None else f"{head}{{{body}}}"
        elif head.startswith("@"):
            inside = "".join(_kept(body, used))
            if inside:
                yield f"{head}{{{inside}}}"
        else:
            selectors = [s for s in _split(head) if used.by(s)]
            if selectors:
                yield f"{','.join(selectors)}{{{_slim(body)}}}"


def _blocks(css: str) -> Iterator[tuple[str, str | None]]:
    """Each rule's head with what stands in its braces, ``None`` where it has none."""
    start, depth, head = 0, 0, ""
    for token in _TOKEN.finditer(css):
        if token[0] == "{":
            if not depth:
                head, start = css[start : token.start()].strip(), token.end()
            depth += 1
        elif token[0] == "}":
            depth -= 1
            if not depth:
                yield _slim(head), css[start : token.start()]
                start = token.end()
        elif token[0] == ";" and not depth:
            if css[start : token.start()].strip():
                yield css[start : token.start()].strip(), None
            start = token.end()


def _split(selectors: str) -> list[str]:
    """A list of selectors, split at the commas that stand in no brackets."""
    return [part.strip() for part in re.split(r",(?![^(]*\))(?![^\[]*\])", selectors)]


def _slim(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ", text).strip()
