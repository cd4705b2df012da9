"""What the page computes is what the library computes, to 1e-5, on the code the reader runs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

from attention_course.attention import scaled_dot_product_attention
from attention_course.explorables import ScaleExplorer
from attention_course.explorables.base import module_source
from attention_course.positions import sinusoidal_encoding

COMPUTE = """
async ([source, states]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { compute } = await import(url);
  return states.map(compute);
}
"""


def compute(page: Page, module: str, states: list[dict[str, Any]]) -> list[dict[str, Any]]:
    page.route("http://book.localhost/", lambda route: route.fulfill(body="<!doctype html>"))
    page.goto("http://book.localhost/")
    return page.evaluate(COMPUTE, [module_source(module), states])


def close(found: Any, expected: Any) -> None:
    found, expected = (torch.as_tensor(each, dtype=torch.float64) for each in (found, expected))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def attend(
    query: Any, key: Any, value: Any, scale: float | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """The library's output and weights of one query, in double precision."""
    tensors = (torch.tensor(each, dtype=torch.float64) for each in ([query], key, value))
    output, weights = scaled_dot_product_attention(*tensors, scale=scale)
    return output[0], weights[0]


def test_weights_and_mixture(page: Page) -> None:
    generator = np.random.default_rng(0)
    states = []
    for n, width, spread in [(1, 1, 1), (6, 4, 2), (16, 8, 5), (64, 16, 1), (64, 3, 40)] * 20:
        states.append(
            {
                "scores": (spread * generator.standard_normal(n)).tolist(),
                "values": generator.standard_normal((n, width)).tolist(),
                "temperature": float(generator.uniform(0.1, 10)),
            }
        )
    huge = {"scores": [1e4, 1e4, -1e4], "values": [[1.0], [2.0], [3.0]], "temperature": 0.1}
    states.append(huge)
    for state, found in zip(states, compute(page, "weights_explorer", states), strict=True):
        scores = [[score] for score in state["scores"]]
        output, weights = attend([1.0], scores, state["values"], 1 / state["temperature"])
        close(found["weights"], weights)
        close(found["mixture"], output)


def test_query_key_value_plane(page: Page) -> None:
    generator = np.random.default_rng(1)
    states = []
    for case in range(200):
        n = int(generator.integers(1, 9))
        states.append(
            {
                "query": (3 * generator.standard_normal(2)).tolist(),
                "key": (3 * generator.standard_normal((n, 2))).tolist(),
                "value": generator.standard_normal((n, 2)).tolist(),
                "scale": case % 2 == 0,
            }
        )
    for state, found in zip(states, compute(page, "query_key_value_plane", states), strict=True):
        scale = None if state["scale"] else 1.0
        output, weights = attend(state["query"], state["key"], state["value"], scale)
        close(found["products"], np.array(state["key"]) @ np.array(state["query"]))
        close(found["weights"], weights)
        close(found["output"], output)


@pytest.mark.parametrize("scale", [True, False])
def test_scale(page: Page, scale: bool) -> None:
    explorer = ScaleExplorer(seed=3)
    dims = explorer.state["dims"]
    states = [{**explorer.state, "d": d, "scale": scale, "row": 5} for d in dims]
    found = compute(page, "scale_explorer", states)
    for index, d in enumerate(dims):
        products = torch.tensor(explorer.state["products"][index], dtype=torch.float64)
        logits = products / math.sqrt(d) if scale else products
        ones = torch.ones(*products.shape[:-1], 1, 1, dtype=torch.float64)
        factor = 1 / math.sqrt(d) if scale else 1.0
        _, weights = scaled_dot_product_attention(
            ones, products[..., None], products[..., None], scale=factor
        )
        weights = weights.squeeze(-2)
        norms = torch.stack(
            [
                torch.autograd.functional.jacobian(lambda x: x.softmax(-1), row).norm()
                for row in logits
            ]
        )
        page_says = found[index]
        close(page_says["logits"], logits)
        close(page_says["row"]["weights"], weights[5])
        close(page_says["row"]["gradient"], norms[5])
        close(page_says["spread"], logits.std(correction=0))
        close(page_says["largest"], weights.amax(-1).mean())
        close(page_says["entropy"], torch.special.entr(weights).sum(-1).mean())
        close(page_says["gradient"], norms.mean())
        close(page_says["scaled" if scale else "unscaled"][index]["gradient"], norms.mean())


def test_positions(page: Page) -> None:
    states = [
        {"length": length, "d_model": d_model, "base": base, "position": length // 3}
        for length in (2, 64, 256)
        for d_model in (2, 6, 32, 128)
        for base in (10, 370.0, 10_000, 100_000)
    ]
    for state, found in zip(states, compute(page, "position_explorer", states), strict=True):
        encoding = sinusoidal_encoding(state["length"], state["d_model"], state["base"])
        close(found["encoding"], encoding)
        chosen = encoding[state["position"]]
        close(found["similarity"], torch.cosine_similarity(encoding, chosen[None]))


def test_quiz_counts_the_right_answers(page: Page) -> None:
    items = [{"options": [{"right": i == right} for i in range(3)]} for right in (0, 2, 1)]
    states = [{"items": items, "answers": a} for a in ([-1, -1, -1], [0, 2, 2], [0, 2, 1])]
    assert [each["count"] for each in compute(page, "quiz", states)] == [0, 2, 3]
