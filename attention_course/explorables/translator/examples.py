"""Translators for the tests, and what torch computes for their states."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import torch
from safetensors.torch import save

from attention_course.corpora import translation
from attention_course.transformer import Transformer, attention_weights

from .explorable import Translator, model_of

MOVED = {"count": 2, "at": 3, "off": ["cross.1.0"]}
SIZES = {"d_model": 16, "num_heads": 4, "num_layers": 2, "d_ff": 24, "norm": "pre"}


def file_of(source: int, target: int, seed: int = 0, **other: Any) -> bytes:
    """The file of a random model with vocabularies of these sizes, sure of what it says."""
    sizes = {**SIZES, **other}
    norm = sizes["norm"]
    numbers = [sizes[name] for name in ("d_model", "num_heads", "num_layers", "d_ff")]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Transformer(source, target, *numbers, norm=norm)
        for parameter in model.parameters():
            parameter.data += 0.3 * torch.randn_like(parameter)
    tensors = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    return save(tensors, {name: str(value) for name, value in sizes.items()})


def shown() -> dict[str, Translator]:
    short = Translator.of(translation())
    return {"short": short, "long": _made(sentences=short.state["sentences"][::-1])}


@torch.no_grad()
def _computed(state: dict[str, Any]) -> dict[str, Any]:
    """With the columns of the output projections of heads that are off set to 0."""
    file = base64.b64decode(state["file"])
    model_of.cache_clear()
    model = model_of(file)
    for name in state["off"]:
        kind, layer, head = name.split(".")
        part = model.encoder if kind == "encoder" else model.decoder
        own = part[int(layer)].cross_attention if kind == "cross" else part[int(layer)].attention
        width = own.d_model // own.num_heads
        own.output.weight[:, int(head) * width : (int(head) + 1) * width] = 0
    with attention_weights(model) as weights:
        logits = model(torch.tensor([state["source"]]), torch.tensor([state["target"]]))[0]
    model_of.cache_clear()
    layers = range(len(model.encoder))
    return {
        "logits": logits,
        "encoder": torch.stack([weights[f"encoder.{i}.attention"][0] for i in layers]),
        "decoder": torch.stack([weights[f"decoder.{i}.attention"][0] for i in layers]),
        "cross": torch.stack([weights[f"decoder.{i}.cross_attention"][0] for i in layers]),
    }


def computed() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    cases = [
        ({}, [1, 2, 3], [1, 4], []),
        ({}, [5], [1], ["encoder.0.1"]),
        ({"norm": "post"}, [3, 1, 2, 6, 6], [1, 2, 3, 4], ["decoder.1.0", "cross.0.3"]),
        ({"num_layers": 3, "num_heads": 2}, [4, 4, 1], [1, 2, 2], ["cross.2.1"]),
        ({"d_model": 64, "d_ff": 128}, list(range(1, 31)), list(range(1, 31)), ["cross.0.0"]),
        ({"d_model": 64, "d_ff": 128}, [7, 8, 9], [1, 5, 6], [f"cross.0.{h}" for h in range(4)]),
    ]
    for seed, (sizes, source, target, off) in enumerate(cases):
        file = base64.b64encode(file_of(33, 35, seed, **sizes)).decode()
        state = {"file": file, "source": source, "target": target, "off": off}
        yield state, _computed(state)


def _made(**other: Any) -> Translator:
    corpus = translation()
    pair = corpus.held_out[0]
    start = {
        "source_words": corpus.source_vocabulary.words,
        "target_words": corpus.target_vocabulary.words,
        "sentences": [{"source": pair.source, "target": pair.target}],
        "start": corpus.start,
        "end": corpus.end,
    }
    return Translator(**{**start, **other})


def _with(**other: Any) -> Translator:
    pair = translation().held_out[0]
    return _made(sentences=[{"source": pair.source, "target": pair.target, **other}])


REFUSED = [
    (lambda: _made(source_words=["", "a"]), ValueError, "source_words: got 2 words, expected the"),
    (lambda: _made(target_words=[""]), ValueError, "target_words: got 1 words, expected the"),
    (lambda: _made(start=0), ValueError, "start: got 0, expected an id from 1 to"),
    (lambda: _made(end=10**6), ValueError, "end: got 1000000, expected an id from 1 to"),
    (lambda: _made(sentences=[]), ValueError, "sentences: got none, expected at least one"),
    (lambda: _with(source=[]), ValueError, "sentences: got one of 0 words, expected 1 to 40"),
    (lambda: _with(source=["☃"]), ValueError, "sentences: got '☃', expected a word of source"),
    (lambda: _with(target=["☃"]), ValueError, "sentences: got '☃', expected a word of target"),
    (
        lambda: _with(alignment=[[99, 0]]),
        ValueError,
        r"sentences: got the alignment \(99, 0\), expected a target place below",
    ),
]
