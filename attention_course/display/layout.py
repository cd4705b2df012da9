"""Where the boxes and arrows of a diagram go: layers from top to bottom, as narrow as they can be.

The way of Sugiyama, Tagawa and Toda (1981): every box gets a layer below those that it depends on,
an arrow over several layers gets a bend in each of them, the order within a layer is chosen for few
crossings, and each box moves as near to its neighbours as its order allows.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Name = Hashable
Arrow = tuple[Name, Name]


@dataclass
class Place:
    """Where a box is: its centre from the left, its top, its size, all in pixels.

    A place of a weight below 1 moves, rather than moving others.
    """

    width: float
    height: float
    weight: float = 1.0
    x: float = 0.0
    top: float = 0.0

    @property
    def bottom(self) -> float:
        return self.top + self.height


def layers(names: Iterable[Name], arrows: Sequence[Arrow]) -> dict[Name, int]:
    """The layer of each name: below all that lead to it, and no arrow longer than it must be.

    Raises:
        ValueError: the arrows run in a circle.
    """
    names = list(names)
    before = {name: [a for a, b in arrows if b == name] for name in names}
    layer: dict[Name, int] = {}
    while len(layer) < len(names):
        ready = [n for n in names if n not in layer and all(a in layer for a in before[n])]
        if not ready:
            left = ", ".join(str(n) for n in names if n not in layer)
            raise ValueError(f"arrows: got a circle among {left}, expected one direction")
        for name in ready:
            layer[name] = max((layer[a] + 1 for a in before[name]), default=0)
    # What leads to one place alone moves down to it, together with all that leads there.
    for name in sorted(names, key=layer.__getitem__, reverse=True):
        group = _ancestors(name, before)
        slack = [layer[b] - layer[a] - 1 for a, b in arrows if a in group and b not in group]
        for each in group if slack else ():
            layer[each] += min(slack)
    top = min(layer.values())
    return {name: layer[name] - top for name in names}


def _ancestors(name: Name, before: Mapping[Name, Sequence[Name]]) -> set[Name]:
    found, waiting = {name}, [name]
    while waiting:
        new = [a for a in before[waiting.pop()] if a not in found]
        found.update(new)
        waiting += new
    return found


def with_bends(
    layer: dict[Name, int], arrows: Sequence[Arrow]
) -> tuple[dict[Name, int], list[list[Name]]]:
    """Layers with a bend wherever an arrow passes through one; and the way of each arrow."""
    layer, ways = dict(layer), []
    for i, (start, end) in enumerate(arrows):
        bends: list[Name] = [("bend", i, at) for at in range(layer[start] + 1, layer[end])]
        layer.update({bend: bend[2] for bend in bends})
        ways.append([start, *bends, end])
    return layer, ways


def ordered(layer: Mapping[Name, int], links: Sequence[Arrow]) -> list[list[Name]]:
    """The names in each layer from left to right, so that few links cross."""
    rows: list[list[Name]] = [[] for _ in range(max(layer.values()) + 1)]
    for name in _followed(layer, links):
        rows[layer[name]].append(name)
    best, fewest = rows, _crossings(rows, links)
    for turn in range(8):
        down = turn % 2 == 0
        rows = _swept(rows, links, down)
        crossings = _crossings(rows, links)
        if crossings < fewest:
            best, fewest = rows, crossings
    return best


def _followed(names: Iterable[Name], links: Sequence[Arrow]) -> list[Name]:
    """The names in the order in which one meets them who follows every link to its end."""
    found: dict[Name, None] = {}
    waiting = [name for name in names if all(name != b for _, b in links)][::-1]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = None
            waiting += [b for a, b in reversed(links) if a == name]
    return list(found)


def _swept(rows: list[list[Name]], links: Sequence[Arrow], down: bool) -> list[list[Name]]:
    """Every row in the order of the mean place of its neighbours in the row before."""
    place = {name: (i + 0.5) / len(row) for row in rows for i, name in enumerate(row)}
    swept = list(rows)
    for at in range(len(rows)) if down else range(len(rows) - 1, -1, -1):
        wanted = {}
        for name in rows[at]:
            near = [a if down else b for a, b in links if (b if down else a) == name]
            wanted[name] = sum(map(place.__getitem__, near)) / len(near) if near else place[name]
        swept[at] = sorted(rows[at], key=wanted.__getitem__)
        place.update({name: (i + 0.5) / len(swept[at]) for i, name in enumerate(swept[at])})
    return swept


def _crossings(rows: list[list[Name]], links: Sequence[Arrow]) -> int:
    place = {name: (at, i) for at, row in enumerate(rows) for i, name in enumerate(row)}
    spans = [(*place[a], place[b][1]) for a, b in links]
    return sum(
        first[0] == second[0] and (first[1] - second[1]) * (first[2] - second[2]) < 0
        for i, first in enumerate(spans)
        for second in spans[:i]
    )


def with_sides(rows: list[list[Name]], sides: Mapping[Name, Name]) -> list[list[Name]]:
    """The rows with each side box next to the box that it leads to, on the outer side."""
    rows = [list(row) for row in rows]
    for side, end in sides.items():
        row = next(row for row in rows if end in row)
        at = row.index(end)
        row.insert(at if 2 * at < len(row) else at + 1, side)
    return rows


def placed(
    rows: list[list[Name]],
    links: Sequence[Arrow],
    places: dict[Name, Place],
    gap: float,
    width: float,
) -> None:
    """Set ``x`` of every place: near its neighbours, in its row's order, ``gap`` apart.

    All is within ``width``, unless a row alone takes more.
    """
    taken = [sum(places[name].width + gap for name in row) - gap for row in rows]
    width = max(width, *taken)
    for row in rows:
        _set(row, [width / 2] * len(row), places, gap, width)
    near: dict[Name, list[Name]] = {name: [] for name in places}
    for a, b in links:
        near[a].append(b)
        if places[a].weight == 1.0:
            near[b].append(a)
    for turn in range(24):
        for row in rows if turn % 2 else reversed(rows):
            wanted = [
                sum(places[n].x for n in near[name]) / len(near[name])
                if near[name]
                else places[name].x
                for name in row
            ]
            _set(row, wanted, places, gap, width)
    left = min(place.x - place.width / 2 for place in places.values())
    for place in places.values():
        place.x -= left


def _set(
    row: list[Name],
    wanted: list[float],
    places: dict[Name, Place],
    gap: float,
    width: float,
) -> None:
    """As near to what is wanted as order, gap and width allow: the least squares of such places."""
    offsets = [0.0]
    for a, b in pairwise(row):
        offsets.append(offsets[-1] + (places[a].width + places[b].width) / 2 + gap)
    blocks: list[tuple[float, float, int]] = []  # what moves as one: its mean, weight and count
    for name, want, offset in zip(row, wanted, offsets, strict=True):
        mean, weight, count = want - offset, places[name].weight, 1
        while blocks and blocks[-1][0] > mean:
            before, heavy, many = blocks.pop()
            mean = (before * heavy + mean * weight) / (heavy + weight)
            weight, count = weight + heavy, count + many
        blocks.append((mean, weight, count))
    shifts = [mean for mean, _, count in blocks for _ in range(count)]
    first, last = places[row[0]].width / 2, width - offsets[-1] - places[row[-1]].width / 2
    for name, shift, offset in zip(row, shifts, offsets, strict=True):
        places[name].x = min(max(shift, first), last) + offset
