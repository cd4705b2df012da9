"""Head pickers for the tests, and what the library computes for their states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from attention_course.attention import MultiHeadAttention

from .explorable import HeadPicker

MOVED = {"token": 2, "head": 1}
WORDS = ("cat", "lion", "hen", "duck", "bee", "ant", "cow", "pig")


def _layer(n: int, heads: int, questions: int, names: int, seed: int) -> dict[str, Any]:
    """A random layer with a linear read-out, and a sequence."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        attention = MultiHeadAttention(4 * heads, heads, bias=False)
        read_out = nn.Linear(4 * heads, questions * names, bias=False)
        x = 3 * torch.randn(1, n, 4 * heads)
    return {"attention": attention, "read_out": read_out, "x": x, "shape": (n, questions, names)}


@torch.no_grad()
def _scores(layer: dict[str, Any], on: list[int]) -> Tensor:
    """The scores with some heads' columns of the output projection set to zero."""
    attention = layer["attention"]
    before = attention.output.weight.clone()
    attention.output.weight *= torch.tensor(on).repeat_interleave(4)
    scores = layer["read_out"](attention(layer["x"])[0])[0].reshape(layer["shape"])
    attention.output.weight.copy_(before)
    return scores


@torch.no_grad()
def _state(layer: dict[str, Any], places: Tensor) -> dict[str, Any]:
    heads = layer["attention"].num_heads
    each = [_scores(layer, [int(h == k) for k in range(heads)]) for h in range(heads)]
    _, weights = layer["attention"](layer["x"], need_weights=True)
    return {"weights": weights[0], "scores": torch.stack(each), "places": places}


def _picker(heads: int, n: int) -> HeadPicker:
    places = (torch.arange(n)[:, None] + torch.tensor([-1, 1])) % n
    state = _state(_layer(n, heads, 2, len(WORDS), seed=heads), places)
    return HeadPicker(
        WORDS[:n], state["weights"], state["scores"], WORDS, ["left", "right"], places
    )


def shown() -> dict[str, HeadPicker]:
    return {"2 heads": _picker(2, 4), "4 heads": _picker(4, 8), "8 heads": _picker(8, 8)}


def computed() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for seed, (n, heads, questions, names) in enumerate(
        [(4, 1, 1, 5), (8, 2, 2, 16), (8, 4, 3, 8), (16, 8, 2, 20)]
    ):
        layer = _layer(n, heads, questions, names, seed)
        generator = torch.Generator().manual_seed(seed)
        places = torch.randint(n, (n, questions), generator=generator)
        state = _state(layer, places)
        shares = state["weights"].gather(-1, places.expand(heads, n, questions)).mean(dim=1)
        for off in range(heads):
            on = [int(h != off) for h in range(heads)]
            listed = {name: value.tolist() for name, value in state.items()}
            yield {**listed, "on": on}, {"totals": _scores(layer, on), "shares": shares}


def _made(**other: Any) -> HeadPicker:
    start = {
        "tokens": ["a", "b"],
        "weights": [[[1, 0], [0, 1]]],
        "scores": [[[[1, 0]], [[0, 1]]]],
        "names": ["a", "b"],
        "questions": ["left"],
        "places": [[1], [0]],
    }
    return HeadPicker(**{**start, **other})


REFUSED = [
    (lambda: _made(tokens=["a", "c"]), ValueError, "names: got no 'c'"),
    (lambda: _made(weights=[[1, 0]]), ValueError, r"weights: got shape .*expected \(any, 2, 2\)"),
    (lambda: _made(scores=[[[1, 0]]]), ValueError, r"scores: got shape .*expected \(1, 2, 1, 2\)"),
    (lambda: _made(places=[[1, 0]]), ValueError, r"places: got shape \(1, 2\), expected \(2, 1\)"),
    (lambda: _made(places=[[1], [2]]), ValueError, r"places: got 2.*from 0 to 1"),
    (lambda: _made(weights=[[[1, 0], [0, 1]]] * 9), ValueError, "heads: got 9, expected 1 to 8"),
    (lambda: _made(tokens="ab"), TypeError, "tokens: got 'ab'"),
]
