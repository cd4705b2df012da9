"""A prediction for the tests; it computes nothing."""

from __future__ import annotations

from .explorable import Prediction

MOVED = {"guess": 1}


def shown() -> dict[str, Prediction]:
    return {"three options": Prediction("prediction.example")}


def computed() -> list[None]:
    return []


REFUSED = [(lambda: Prediction("prediction.nothing"), KeyError, "prediction.nothing")]
