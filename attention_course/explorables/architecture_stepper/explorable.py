"""One pass through an encoder–decoder, part by part, with the shapes that a real model had."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from attention_course.diagram import data_flow
from attention_course.language import words

from .. import still
from ..base import WIDE, Explorable

Shape = Sequence[int]

# What happens once, what happens in every layer, what happens once after the last.
SIDES = {
    "encoder": (("source", "embedding", "positions"), ("heads", "feed_forward"), ("states",)),
    "decoder": (
        ("target", "embedding", "positions"),
        ("masked", "cross", "feed_forward"),
        ("linear", "output"),
    ),
}
# How many arrays flow into a part; into any other flows one.
INPUTS = {"source": 0, "target": 0, "positions": 2, "heads": 3, "masked": 3, "cross": 3}


class ArchitectureStepper(Explorable):
    """Step through a pass: which part is at work, what flows in, what comes out, in what shape.

    The parts have the names that they have on the map (:mod:`attention_course.overview`), whose
    last box is two parts here: ``linear`` and ``output``. Residuals and norms are left out, as no
    shape changes there.

    Args:
        stages: what a model did, in its order, as ``(part, inputs, output)`` with the shape of each
            array that flowed in and of what came out, batch first: ``source``, ``embedding``,
            ``positions``, for each layer ``heads`` and ``feed_forward``, ``states``; then
            ``target``, ``embedding``, ``positions``, for each layer ``masked``, ``cross`` and
            ``feed_forward``, ``linear``, ``output``. Nothing flows into ``source`` and ``target``,
            where the tokens come from; into ``positions`` the words' vectors and the encoding, into
            an attention query, key and value, into any other part one array.
        source: the words of one source sentence, as many as a row has tokens.
        target: the words of one target sentence so far, likewise.

    Raises:
        TypeError: a shape that is not a sequence of whole numbers, words that are not strings.
        ValueError: a part is missing or out of order, too many or too few arrays flow in, the words
            are not as many as the tokens, two axes have the same size (a shape would not say which
            is which), a size belongs to no axis.
    """

    module = "architecture_stepper"

    def __init__(
        self,
        stages: Sequence[tuple[str, Sequence[Shape], Shape]],
        source: Sequence[str],
        target: Sequence[str],
    ) -> None:
        parts = [part for part, _, _ in stages]
        layers = max(1, parts.count("heads"))
        made = _pass(layers)
        for i, (part, stage) in enumerate(zip_longest(parts, (stage["part"] for stage in made))):
            if part != stage:
                raise ValueError(f"stages: got {part!r} at place {i}, expected {stage!r}")
        for stage, (part, inputs, output) in zip(made, stages, strict=True):
            if len(inputs) != INPUTS.get(part, 1):
                raise ValueError(
                    f"stages: got {len(inputs)} inputs of {part!r}, expected {INPUTS.get(part, 1)}"
                )
            stage["inputs"] = [_shape(part, shape) for shape in inputs]
            stage["output"] = _shape(part, output)
        axes = _axes(made)
        sentences = {
            "source": _sentence("source", source, axes["n_source"]),
            "target": _sentence("target", target, axes["n_target"]),
        }
        names = words("display.overview.part")
        super().__init__(
            stages=made,
            layers=layers,
            axes=axes,
            sentences=sentences,
            names={part: names[part] for part in (*SIDES, *dict.fromkeys(parts)) if part in names},
            step=0,
        )

    def room(self, columns: int) -> float:
        return 479 if columns == WIDE else 887

    def still(self) -> str:
        state, words = self.state, self.words
        names = {**state["names"], "linear": words["linear_name"]}
        rows = [
            [
                str(i + 1),
                names[stage["part"]],
                words["join"].join(map(_product, stage["inputs"])),
                _product(stage["output"]),
            ]
            for i, stage in enumerate(state["stages"])
        ]
        head = [words["step"], words["part"], words["flows_in"], words["flows_out"]]
        return self._flow(names) + still.table(words["table"], head, rows)

    def _flow(self, names: dict[str, str]) -> str:
        """The parts with the shapes that come out of them, and what flows where."""
        stages = self.state["stages"]
        places = [(stage["side"], stage["part"]) for stage in stages]
        first = [i for i, stage in enumerate(stages) if stage["layer"] in (None, 1)]
        arrows = [
            (places[origin], places[i])
            for i in first
            for origin in dict.fromkeys(stages[i]["origins"])
            if origin is not None
        ]
        return data_flow(
            {places[i]: _product(stages[i]["output"]) for i in first},
            arrows,
            title=self.words["flow"],
            boxes={places[i]: names[stages[i]["part"]] for i in first},
        ).html()


def _pass(layers: int) -> list[dict[str, Any]]:
    """The stages of a pass through so many layers, with the side, the layer and the origins.

    An origin is the place of an earlier stage, or None for what no part makes.
    """
    made: list[dict[str, Any]] = []
    for side, (before, inside, after) in SIDES.items():
        groups = [(None, before), *((i + 1, inside) for i in range(layers)), (None, after)]
        for layer, part in ((layer, part) for layer, parts in groups for part in parts):
            origins = [len(made) - 1] * INPUTS.get(part, 1)
            if part == "positions":
                origins[1] = None
            elif part == "cross":
                origins[1:] = [_place(made, "states")] * 2
            made.append({"part": part, "side": side, "layer": layer, "origins": origins})
    return made


def _place(stages: Sequence[dict[str, Any]], part: str) -> int:
    return [stage["part"] for stage in stages].index(part)


def _shape(part: str, shape: Shape) -> list[int]:
    sizes = list(shape) if isinstance(shape, Sequence) and not isinstance(shape, str) else [shape]
    if not sizes or any(type(size) is not int or size < 1 for size in sizes):
        raise TypeError(f"stages: got {shape!r} at {part!r}, expected a shape of whole numbers")
    return sizes


def _axes(stages: Sequence[dict[str, Any]]) -> dict[str, int]:
    """The sizes of the axes, read from the shapes; no two are the same, and there are no others."""
    outputs = {stage["part"]: stage["output"] for stage in stages}
    axes = {
        "batch": outputs["source"][0],
        "n_source": outputs["source"][-1],
        "n_target": outputs["target"][-1],
        "d_model": outputs["embedding"][-1],
        "vocabulary": outputs["linear"][-1],
    }
    if len(set(axes.values())) < len(axes):
        raise ValueError(f"stages: got the sizes {axes}, expected five that differ")
    for stage in stages:
        for size in (size for shape in (*stage["inputs"], stage["output"]) for size in shape):
            if size not in axes.values():
                raise ValueError(
                    f"stages: got the size {size} at {stage['part']!r}, expected one of {axes}"
                )
    return axes


def _sentence(name: str, sentence: Sequence[str], n: int) -> list[str]:
    if isinstance(sentence, str) or not all(isinstance(word, str) for word in sentence):
        raise TypeError(f"{name}: got {sentence!r}, expected a sequence of strings")
    if len(sentence) != n:
        raise ValueError(f"{name}: got {len(sentence)} words, expected {n}, one for each token")
    return list(sentence)


def _product(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape))
