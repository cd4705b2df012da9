"""Steppers for the tests, with the shapes of passes through the library's model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from attention_course.lessons.encoder_decoder.experiments import stages
from attention_course.transformer import Transformer

from .explorable import ArchitectureStepper

MOVED = {"step": 3}
SOURCE = ["我", "喜欢", "小", "猫", "<pad>"]
TARGET = ["<start>", "I", "like", "small"]


def _stepper(layers: int, batch: int = 2) -> ArchitectureStepper:
    model = Transformer(12, 30, d_model=16, num_heads=4, num_layers=layers, d_ff=32)
    source, target = (torch.ones(batch, len(each), dtype=torch.long) for each in (SOURCE, TARGET))
    return ArchitectureStepper(stages(model, source, target), SOURCE, TARGET)


def shown() -> dict[str, ArchitectureStepper]:
    return {"1 layer": _stepper(1), "2 layers": _stepper(2, batch=3)}


def computed() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    return iter(())  # nothing is computed: the shapes are the model's own


def _made(place: int | None = None, stage: Any = None, **other: Any) -> ArchitectureStepper:
    """A stepper with something else at one place of its stages."""
    b, s, t, d, v = 2, 5, 4, 16, 30
    made = [
        ("source", [], (b, s)),
        ("embedding", [(b, s)], (b, s, d)),
        ("positions", [(b, s, d), (s, d)], (b, s, d)),
        ("heads", [(b, s, d)] * 3, (b, s, d)),
        ("feed_forward", [(b, s, d)], (b, s, d)),
        ("states", [(b, s, d)], (b, s, d)),
        ("target", [], (b, t)),
        ("embedding", [(b, t)], (b, t, d)),
        ("positions", [(b, t, d), (t, d)], (b, t, d)),
        ("masked", [(b, t, d)] * 3, (b, t, d)),
        ("cross", [(b, t, d), (b, s, d), (b, s, d)], (b, t, d)),
        ("feed_forward", [(b, t, d)], (b, t, d)),
        ("linear", [(b, t, d)], (b, t, v)),
        ("output", [(b, t, v)], (b, t, v)),
    ]
    if place is not None:
        made[place : place + 1] = [stage] if stage else []
    return ArchitectureStepper(**{"stages": made, "source": SOURCE, "target": TARGET, **other})


REFUSED = [
    (lambda: _made(5), ValueError, "stages: got 'target' at place 5, expected 'states'"),
    (lambda: _made(13), ValueError, "stages: got None at place 13, expected 'output'"),
    (lambda: _made(3), ValueError, "stages: got 'feed_forward' at place 3, expected 'heads'"),
    (lambda: _made(3, ("heads", [(2, 5, 16)], (2, 5, 16))), ValueError, "got 1 inputs of 'heads'"),
    (lambda: _made(5, ("states", [(2, 5, 16)], (2, 5, 17))), ValueError, "got the size 17 at 'st"),
    (lambda: _made(0, ("source", [], (4, 5))), ValueError, "'batch': 4.*expected five that differ"),
    (lambda: _made(0, ("source", [], "25")), TypeError, "stages: got '25' at 'source', expected a"),
    (lambda: _made(0, ("source", [], ())), TypeError, r"stages: got \(\) at 'source'"),
    (lambda: _made(source=["a"]), ValueError, "source: got 1 words, expected 5"),
    (lambda: _made(target="abcd"), TypeError, "target: got 'abcd', expected a sequence of"),
]
