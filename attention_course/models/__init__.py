"""The trained models that the book ships: small, in half precision, each with a card beside it.

A card is a JSON file that says how the model was made, by which command, on what, and how it does.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from ..corpora import Vocabulary
from ..corpora.byte_pairs import BytePairs
from ..transformer import LanguageModel, Transformer


def path(name: str) -> Path:
    """The file with a model's numbers, ``<name>.safetensors``."""
    return Path(str(resources.files(__package__) / f"{name}.safetensors"))


def card(name: str) -> dict[str, Any]:
    """What a model's card says.

    Raises:
        FileNotFoundError: the book has no model of that name.
    """
    return json.loads(path(name).with_suffix(".json").read_text(encoding="utf-8"))


def halve(model: nn.Module) -> None:
    """Round a model's numbers to half precision, so that what is measured is what is shipped."""
    with torch.no_grad():
        for value in model.state_dict().values():
            value.copy_(value.half())


def save(name: str, model: nn.Module, about: dict[str, Any], **sizes: Any) -> None:
    """Write a model in half precision, and its card.

    Args:
        name: of the files.
        model: see :func:`halve`.
        about: the card.
        sizes: what the model must be made with; they go into the file as text, too.
    """
    halves = {key: value.half().contiguous() for key, value in model.state_dict().items()}
    save_file(halves, path(name), {key: str(value) for key, value in sizes.items()})
    lines = (
        f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        for key, value in {**about, "sizes": sizes}.items()
    )
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    path(name).with_suffix(".json").write_text(text, encoding="utf-8")


def load(name: str, model: nn.Module) -> nn.Module:
    """Put a shipped model's numbers into ``model``, which is made with the card's sizes.

    Raises:
        FileNotFoundError: the book has no model of that name.
        RuntimeError: ``model`` has other parts.
    """
    with safe_open(path(name), "pt") as file:
        model.load_state_dict({key: file.get_tensor(key).float() for key in file.keys()})  # noqa: SIM118
    return model.eval()


def translator() -> tuple[Transformer, Vocabulary, Vocabulary]:
    """The translator of lesson 4-2, and the words that it knows, Chinese and English."""
    about = card("translator")
    source, target = (Vocabulary(about[f"{side} words"]) for side in ("source", "target"))
    with _undrawn():
        model = Transformer(len(source), len(target), **about["sizes"])
    return load("translator", model), source, target


def python_writer() -> tuple[LanguageModel, BytePairs]:
    """The language model of lesson 4-4, which writes Python, and its tokens."""
    about = card("python_source")
    with _undrawn():
        model = LanguageModel(**about["sizes"], pad_id=None)
    return load("python_source", model), BytePairs(about["merges"])


def _undrawn() -> AbstractContextManager[None]:
    """A model made inside leaves torch's random numbers where they were: its own are not kept."""
    return torch.random.fork_rng(devices=[])
