"""The map of the book: one drawing of the whole Transformer, in which every lesson has a part.

:func:`here` shows it with the part of one lesson lit. Each part is a ``<span data-part="<page>">``,
where the page is named as its notebook is: ``2-2-scaled-dot-product``. The site makes it a link to
``<page>.html`` where that page is written, and keeps its ``aria-current``. So an executed page does
not depend on which other lessons there are.

Elsewhere the parts are links where the library was installed from the book's own site: pip writes
down from where (PEP 610), and the pages stand beside the wheel, in a folder for each edition.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
from functools import cache
from importlib import resources

from . import language
from .language import words
from .markup import Display, element, escape

# Each part of the drawing, and the page that builds it.
PARTS = {
    "prerequisites": "0-prerequisites",
    "learning": "0-2-learning",
    "why": "1-why-transformers",
    "average": "2-1-human-attention",
    "dot_product": "2-2-scaled-dot-product",
    "encoder": "3-1-encoder-decoder",
    "decoder": "3-1-encoder-decoder",
    "masked": "3-1-encoder-decoder",
    "cross": "3-1-encoder-decoder",
    "positions": "3-2-positional-encoding",
    "heads": "3-3-multi-head",
    "norm": "3-4-residual-and-norm",
    "feed_forward": "3-4-residual-and-norm",
    "layer": "4-1-self-attention-layer",
    "embedding": "4-1-self-attention-layer",
    "output": "4-1-self-attention-layer",
    "translator": "4-2-train-a-translator",
    "techniques": "4-3-training-techniques",
    "gpt": "4-4-gpt-from-scratch",
    "scaling": "4-5-scaling-out",
    "longformer": "5-1-longformer",
    "reformer": "5-2-reformer",
    "clip": "5-3-clip",
    "cost": "5-4-quadratic-cost",
    "interpretability": "5-5-interpretability",
    "bias": "5-6-bias",
    "bert": "6-1-bert",
    "bertviz": "6-2-bertviz",
    "distillation": "6-3-distillation",
    "quantization": "6-4-quantization",
    "kaggle": "6-5-kaggle",
}
# The two stacks from top to bottom; what has no page is a plain label.
ENCODER = (
    *("encoder", "source", "embedding", "positions"),
    *("heads", "norm", "feed_forward", "norm", "states"),
)
DECODER = (
    *("decoder", "target", "embedding", "positions"),
    *("masked", "norm", "cross", "norm", "feed_forward", "norm", "output"),
)
# Round about the stacks: first what they rest on, then what is done with them.
GROUPS = {
    "start": ("prerequisites", "learning", "why"),
    "inside": ("average", "dot_product", "layer"),
    "training": ("translator", "techniques", "scaling"),
    "relatives": ("gpt", "bert", "longformer", "reformer", "clip", "kaggle"),
    "examined": ("cost", "interpretability", "bertviz", "bias"),
    "smaller": ("distillation", "quantization"),
}


class Map(Display):
    """The drawing with one lesson's parts lit.

    Attributes:
        lit: the parts that are lit.
    """

    def __init__(self, page: str, lit: list[str]) -> None:
        self.lit, self._page, self._words = lit, page, words("display.overview")

    def html(self) -> str:
        stacks = element(
            "div",
            *(element("ul", *map(self._item, stack), role="list") for stack in (ENCODER, DECODER)),
            # The blocks that are repeated, and the way from the encoder to cross-attention.
            *(element("i", class_=f"ac-{name}", aria_hidden="true") for name in _LINES),
            class_="ac-stacks",
        )
        groups = element("ul", *(self._group(*group) for group in GROUPS.items()), role="list")
        return element(
            "nav",
            element("p", escape(self.text())),
            stacks,
            groups,
            class_="ac ac-map",
            aria_label=self._words["map"],
        )

    def text(self) -> str:
        names = self._words["join"].join(self._words["part"][part] for part in self.lit)
        return self._words["here"].format(parts=names)

    def _group(self, name: str, parts: tuple[str, ...]) -> str:
        items = element("ul", *map(self._item, parts), role="list")
        return element("li", element("b", escape(self._words["group"][name])), items)

    def _item(self, part: str) -> str:
        return element("li", self._part(part), class_=f"ac-part-{_KINDS.get(part, 'other')}")

    def _part(self, part: str) -> str:
        words, page = escape(self._words["part"][part]), PARTS.get(part)
        current = {"aria_current": "true"} if part in self.lit else {}
        site = address()
        if page is None:
            return words
        if site and page != self._page and is_written(page):
            return element("a", words, href=f"{site}/{language.current()}/{page}.html", **current)
        return element("span", words, data_part=page, **current)


# What stands in the stacks as more than a box of the ordinary kind.
_KINDS = {
    **{"encoder": "head", "decoder": "head", "norm": "norm"},
    **{"source": "label", "target": "label", "states": "label"},
}
_LINES = ("encoder", "decoder", "memory")


def here(page: str) -> Map:
    """The map with the part of a page lit; of a lab, the part of its lesson.

    Args:
        page: the page's name, such as ``"2-2-scaled-dot-product"`` or ``"2-2-lab-roles"``.

    Raises:
        ValueError: no part of the map belongs to the page.
    """
    lit = [part for part, lesson in PARTS.items() if _number(lesson) == _number(page)]
    if not lit:
        known = ", ".join(dict.fromkeys(PARTS.values()))
        raise ValueError(f"page: got {page!r}, expected one of {known}, or one of their labs")
    return Map(page, lit)


def _number(page: str) -> str:
    """The number of a page's lesson: ``"2-2"`` of ``"2-2-lab-roles"``."""
    found = re.match(r"\d+(-\d+)?(?=-)", page)
    return found[0] if found else ""


def is_written(page: str) -> bool:
    """Whether the package has the lesson of a page: a folder of its name, less the number."""
    folder = page.removeprefix(f"{_number(page)}-").replace("-", "_")
    return resources.files(__package__).joinpath("lessons", folder).is_dir()


@cache
def address() -> str:
    """Where the book's site is, if the library was installed from it; else nothing."""
    try:
        written = importlib.metadata.distribution("attention-course").read_text("direct_url.json")
        url = json.loads(written or "{}").get("url", "")
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return ""
    return url.rpartition("/")[0] if url.startswith(("https://", "http://")) else ""
