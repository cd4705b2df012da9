"""matplotlib's SVG, made light: a browser has to lay out every element on a page.

matplotlib wraps each line and word in groups, and draws ticks and markers as references. Here the
groups go, references become what they stand for, paths of one look become one path, what lies
within the axes is not clipped to them, and coordinates keep a tenth of a pixel. Text stays text.
"""

from __future__ import annotations

import hashlib
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
_SLACK = 6  # pixels that a marker or a thick line may stand out of the axes
_SIZE = "11.5"


def lightened(svg: str, ink: str) -> str:
    """The same drawing with fewer elements, in the page's ink where it was drawn in ``ink``."""
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg).replace("xlink:", "")
    root = ElementTree.fromstring(svg.replace(ink, "currentColor"))
    known = {element.get("id"): element for element in root.iter() if element.get("id")}
    drawing = _Drawing(known)
    drawing.add(root)
    made = Element(
        "svg",
        {
            **{"width": root.get("width", ""), "viewBox": root.get("viewBox", "")},
            **{"font-size": _SIZE, "fill": "currentColor", "stroke-linejoin": "round"},
            "aria-hidden": "true",
        },
    )
    made.extend(drawing.definitions())
    made.extend(drawing.elements)
    text = ElementTree.tostring(made, encoding="unicode")
    own = hashlib.sha256(text.encode()).hexdigest()[:8]  # no other figure has the same ids
    return re.sub(r'(\bid="|url\(#)', rf"\g<1>p{own}-", text)


@dataclass
class _Drawing:
    """The elements of a drawing, one after the other."""

    known: dict[str, Element]
    elements: list[Element] = field(default_factory=list)
    looks: dict[tuple, Element] = field(default_factory=dict)  # the path of each look

    def add(self, element: Element, clip: str = "") -> None:
        clip = element.get("clip-path", clip)
        if element.tag in ("svg", "g"):
            for child in element:
                self.add(child, clip)
        elif element.tag == "path":
            self._path(element.get("d", ""), _style(element), clip)
        elif element.tag == "use":
            source = self.known[element.get("href", "").lstrip("#")]
            moved = _moved(source.get("d", ""), *(float(element.get(at, 0)) for at in "xy"))
            self._path(moved, {**_style(element), **_style(source)}, clip)
        elif element.tag == "text":
            self.elements.append(_text(element))
        elif element.tag != "defs":
            for name in ("id", "clip-path"):
                element.attrib.pop(name, None)
            element.tail = ""
            self.elements.append(element)

    def _path(self, d: str, style: dict[str, str], clip: str) -> None:
        if style.get("fill") == "none" and style.get("stroke", "none") == "none":
            return
        if clip and not self._leaves(d, clip):
            clip = ""
        look = {**style, "clip-path": clip} if clip else style
        data = _NUMBER.sub(lambda n: f"{float(n[0]):.1f}".removesuffix(".0"), d)
        data = re.sub(r"\s*([A-Za-z])\s*", r"\1", " ".join(data.split()))
        path = self.looks.get(tuple(sorted(look.items())))
        if path is None:
            path = Element("path", {"d": "", **look})
            self.looks[tuple(sorted(look.items()))] = path
            self.elements.append(path)
        path.set("d", path.get("d", "") + data)

    def _leaves(self, d: str, clip: str) -> bool:
        """Whether a path goes beyond what it is clipped to."""
        (box,) = self.known[clip[len("url(#") : -1]]
        if box.tag != "rect":
            return True
        numbers = [float(n) for n in _NUMBER.findall(d)]
        for places, start, length in ((numbers[::2], "x", "width"), (numbers[1::2], "y", "height")):
            low = float(box.get(start, 0))
            high = low + float(box.get(length, 0))
            if places and (min(places) < low - _SLACK or max(places) > high + _SLACK):
                return True
        return False

    def definitions(self) -> Iterator[Element]:
        """What the elements still refer to."""
        written = "".join(value for element in self.elements for value in element.attrib.values())
        used = [self.known[name] for name in dict.fromkeys(re.findall(r"url\(#([^)]*)\)", written))]
        if used:
            definitions = Element("defs")
            definitions.extend(used)
            yield definitions


def _style(element: Element) -> dict[str, str]:
    """The declarations of ``style`` as attributes, less what the whole drawing says already."""
    declared = dict(
        (part.strip() for part in each.split(":", 1))
        for each in element.get("style", "").split(";")
        if ":" in each
    )
    ours = {"stroke-linejoin": "round", "stroke-linecap": "butt", "fill": "currentColor"}
    return {name: value for name, value in declared.items() if ours.get(name) != value}


def _moved(d: str, x: float, y: float) -> str:
    """Path data, all of whose coordinates are absolute, moved by ``(x, y)``."""
    by = iter([x, y] * len(_NUMBER.findall(d)))
    return _NUMBER.sub(lambda number: f"{float(number[0]) + next(by):.2f}", d)


def _text(element: Element) -> Element:
    style = _style(element)
    font = style.pop("font", "")
    style.pop("font-family", None)
    size = re.search(r"([\d.]+)px", style.pop("font-size", font))
    if size and size[1] != _SIZE:
        style["font-size"] = size[1]
    weight = re.search(r"\b(bold|[5-9]00)\b", font)
    if weight:
        style["font-weight"] = weight[1]
    if style.get("text-anchor") == "start":
        del style["text-anchor"]
    turn = element.get("transform", "")
    if not turn.startswith("rotate(-0 "):
        style["transform"] = turn
    made = Element("text", {**{at: f"{float(element.get(at)):.1f}" for at in "xy"}, **style})
    made.text = "".join(element.itertext())
    return made
