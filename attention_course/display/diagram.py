"""Data-flow diagrams: boxes with the shapes of real arrays, and arrows between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from . import layout
from .captions import Caption
from .language import word
from .layout import Name, Place
from .markup import Display, element, escape
from .numbers import number

PHONE = 288  # pixels: as wide as a phone's column of text; no layer is wider if its words allow it
_SIZE = 14  # of the letters, in pixels
_LINE = 18
_GAP, _FALL, _PAD = 16, 30, 14  # pixels between boxes, between layers, beside a box's words
_HEAD = 7  # length of an arrow's head
_THIN = "\u202f"  # a narrow space, at which no line breaks
_NARROW = f" {_THIN}.,:;'|!ijlI()[]"


class Diagram(Display):
    """Boxes and arrows, as live text in the page's own ink.

    Attributes:
        alt: the boxes, their shapes and what leads to what, in words.
    """

    def __init__(self, title: str, drawing: str, alt: str) -> None:
        self.title, self.drawing, self.alt = title, drawing, alt

    def html(self) -> str:
        title = f"<p>{escape(self.title)}</p>" if self.title else ""
        named = f'role="img" aria-label="{escape(self.alt)}"'
        return f'<div class="ac ac-diagram" {named}>{title}{self.drawing}</div>'

    def text(self) -> str:
        return self.alt


def data_flow(
    boxes: Mapping[str, Any],
    arrows: Sequence[tuple[str, ...]],
    /,
    *,
    key: str | None = None,
    optional: Sequence[str] = (),
    **said: Any,
) -> Diagram:
    """How data flow: a box for each array, with its shape, and arrows from top to bottom.

    Args:
        boxes: name → array or tensor, whose shape is written below the name; or a text to write
            there; or None for a step that has no shape of its own. The key's table ``boxes`` has
            the names for readers.
        arrows: ``(from, to)``, or ``(from, to, name)`` with a name in the key's table ``arrows``.
        key: where the diagram's words are.
        optional: boxes that may be left out (a mask, say); they and their arrows are dashed, and
            one that nothing leads to stands beside the box that it leads to.
        said: words given outright.

    Raises:
        ValueError: no box, an arrow from or to no box, or arrows that run in a circle.
    """
    caption = Caption(key, said)
    if not boxes:
        raise ValueError("boxes: got none, expected at least one")
    for name in [*optional, *(end for arrow in arrows for end in arrow[:2])]:
        if name not in boxes:
            raise ValueError(f"arrows: got {name!r}, expected one of {', '.join(boxes)}")
    names = dict(zip(boxes, caption.names("boxes", list(boxes)), strict=True))
    shapes = {name: _shape(value) for name, value in boxes.items()}
    labels = caption.names("arrows", [arrow[2] for arrow in arrows if len(arrow) > 2])
    title = caption.text("title")
    alt = caption.text("alt") or _alt(title, names, shapes, arrows, labels, optional)
    return Diagram(title, _drawing(names, shapes, arrows, labels, set(optional)), alt)


def _shape(value: Any) -> str:
    """What is written below a box's name: the shape of an array, the value of a number."""
    if value is None or isinstance(value, str):
        return value or ""
    shape = tuple(value.shape) if hasattr(value, "shape") else ()
    return f"{_THIN}×{_THIN}".join(map(str, shape)) if shape else number(value)


def _alt(
    title: str,
    names: Mapping[str, str],
    shapes: Mapping[str, str],
    arrows: Sequence[tuple[str, ...]],
    labels: Sequence[str],
    optional: Sequence[str],
) -> str:
    """The boxes with their shapes, then what leads to what."""
    join, named = word("display.alt.and"), iter(labels)
    boxes = []
    for name, shape in shapes.items():
        more = join.join(filter(None, [shape, name in optional and word("display.alt.optional")]))
        boxes.append(
            word("display.alt.detail", name=names[name], more=more) if more else names[name]
        )
    ends: dict[str, list[str]] = {}
    for start, end, *name in arrows:
        more = {"name": names[end], "more": next(named)} if name else {}
        ends.setdefault(start, []).append(
            word("display.alt.detail", **more) if more else names[end]
        )
    leads = word("display.card.join").join(
        word("display.alt.leads", start=names[start], ends=join.join(told))
        for start, told in ends.items()
    )
    return word("display.alt.flow", title=title, boxes=join.join(boxes), arrows=leads)


def _drawing(
    names: Mapping[str, str],
    shapes: Mapping[str, str],
    arrows: Sequence[tuple[str, ...]],
    labels: Sequence[str],
    optional: set[str],
) -> str:
    """The diagram as SVG."""
    texts: dict[Name, list[str]] = {name: [names[name], shapes[name]] for name in names}
    starts, ends = [arrow[0] for arrow in arrows], [arrow[1] for arrow in arrows]
    sides: dict[Name, Name] = {
        start: end
        for start, end, *label in arrows
        if start in optional and not label and starts.count(start) == 1 and start not in ends
    }
    links, dashed = [], []
    named = iter(labels)
    for i, (start, end, *label) in enumerate(arrows):
        stops: list[Name] = [start, end]
        if label:  # the arrow's words stand on it, as if they were a box
            texts["label", i] = [next(named)]
            stops.insert(1, ("label", i))
        if start not in sides:
            links += pairwise(stops)
            dashed += [start in optional] * (len(stops) - 1)
    layer = layout.layers([name for name in texts if name not in sides], links)
    layer, ways = layout.with_bends(layer, links)
    steps = [step for way in ways for step in pairwise(way)]
    rows = layout.with_sides(layout.ordered(layer, steps), sides)
    steps += sides.items()
    places, lines = {}, {}
    for row in rows:
        solid = [name for name in row if name in texts]
        room = max(64.0, (PHONE - 2 - _GAP * (len(row) - 1)) / max(1, len(solid)))
        for name in row:
            lines[name] = _wrapped(texts[name], room - _PAD) if name in texts else []
            wide = max((_width(line) for line in lines[name]), default=0.0)
            boxed = name in names
            places[name] = Place(
                width=max(46.0, wide + _PAD) if boxed else wide + 8 * bool(wide),
                height=len(lines[name]) * _LINE + 12 * boxed,
                weight=0.01 if name in sides else 1.0,
            )
    layout.placed(rows, steps, places, _GAP, PHONE - 2)
    top = 1.0
    for row in rows:
        height = max(places[name].height for name in row)
        for name in row:
            places[name].top = top + (height - places[name].height) / 2
        top += height + _FALL
    width = max(place.x + place.width / 2 for place in places.values()) + 2
    drawn = [
        *_arrows(ways, dashed, places, set(names), sides),
        *(_box(places[name], name in optional, name in shapes and shapes[name]) for name in names),
        *(_words(places[name], lines[name], bool(shapes.get(name))) for name in texts),
    ]
    return element(
        "svg",
        *drawn,
        viewBox=f"-1 0 {width:.0f} {top - _FALL + 1:.0f}",
        width=round(width),
        aria_hidden="true",
    )


def _arrows(
    ways: Sequence[Sequence[Name]],
    dashed: Sequence[bool],
    places: Mapping[Name, Place],
    boxes: set[Name],
    sides: Mapping[Name, Name],
) -> list[str]:
    """All arrows of a kind as one path, all heads as another."""
    shafts, heads = {False: [], True: []}, []
    arrivals: dict[Name, list[int]] = {}
    for i, way in enumerate(ways):
        arrivals.setdefault(way[-1], []).append(i)
    for i, (way, dash) in enumerate(zip(ways, dashed, strict=True)):
        start, end = places[way[0]], places[way[-1]]
        among = sorted(arrivals[way[-1]], key=lambda j: places[ways[j][-2]].x)
        spread = end.width * 0.5 * ((among.index(i) + 0.5) / len(among) - 0.5)
        headed = way[-1] in boxes
        x, y = start.x, start.bottom
        drawn = [f"M{x:.0f} {y:.0f}"]
        for name in way[1:]:
            last = name == way[-1]
            to_x = places[name].x + spread * last
            to_y = places[name].top - _HEAD * (last and headed)
            fall = (to_y - y) / 2
            if round(to_x) == round(x):
                drawn.append(f"V{to_y:.0f}")
            else:
                drawn.append(
                    f"C{x:.0f} {y + fall:.0f} {to_x:.0f} {to_y - fall:.0f} {to_x:.0f} {to_y:.0f}"
                )
            x, y = to_x, to_y
        shafts[dash].append("".join(drawn))
        if headed:
            heads.append(f"M{x:.0f} {y + _HEAD:.0f}l-4 -{_HEAD}h8z")
    for side, name in sides.items():
        start, end = places[side], places[name]
        to = 1 if start.x < end.x else -1
        x, y = end.x - to * end.width / 2, end.top + end.height / 2
        shafts[True].append(f"M{start.x + to * start.width / 2:.0f} {y:.0f}H{x - to * _HEAD:.0f}")
        heads.append(f"M{x:.0f} {y:.0f}l{-to * _HEAD} -4v8z")
    made = [
        element(
            "path", d="".join(paths), fill="none", stroke="currentColor", stroke_opacity=0.6,
            stroke_width=1.5, **({"stroke_dasharray": "4 3"} if dash else {}),
        )
        for dash, paths in shafts.items()
        if paths
    ]  # fmt: skip
    return [*made, element("path", d="".join(heads), fill="currentColor", fill_opacity=0.75)]


def _box(place: Place, optional: bool, filled: Any) -> str:
    return element(
        "rect",
        x=place.x - place.width / 2,
        y=place.top,
        width=place.width,
        height=place.height,
        rx=6 if filled else place.height / 2,
        class_="ac-array" if filled else "ac-step",
        **({"stroke_dasharray": "4 3"} if optional else {}),
    )


def _words(place: Place, lines: Sequence[str], shaped: bool) -> str:
    """The words in a box or on an arrow; the last line of a box is its shape."""
    top = place.top + (place.height - len(lines) * _LINE) / 2 + 0.72 * _LINE
    return element(
        "text",
        *(
            element(
                "tspan",
                escape(line),
                x=place.x,
                y=top + i * _LINE,
                **({"class_": "ac-shape"} if shaped and i == len(lines) - 1 else {}),
            )
            for i, line in enumerate(lines)
        ),
    )


def _width(text: str) -> float:
    """About how many pixels a line takes, in whatever font the reader has."""
    return sum(0.25 if c in _NARROW else 1.0 if ord(c) > 0x2E80 else 0.58 for c in text) * _SIZE


def _wrapped(texts: Sequence[str], room: float) -> list[str]:
    """The texts in lines of at most ``room`` pixels, as far as their words are that short."""
    lines = []
    for text in filter(None, texts):
        line = ""
        for part in _parts(text):
            if line and _width((line + part).rstrip()) > room:
                lines.append(line.strip())
                line = ""
            line += part
        lines.append(line.strip())
    return lines


def _parts(text: str) -> list[str]:
    """Where a text may be broken: after a space, and after each Chinese character."""
    parts = [""]
    for character in text:
        parts[-1] += character
        if character == " " or ord(character) > 0x2E80:
            parts.append("")
    return [part for part in parts if part]
