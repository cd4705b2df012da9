"""What the page computes is what the library computes, to 1e-5, on the code the reader runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from playwright.sync_api import Page

from attention_course import explorables
from attention_course.explorables.base import module_source

COMPUTE = """
async ([source, states]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { compute } = await import(url);
  return states.map(compute);
}
"""


def close(found: Any, expected: Any) -> None:
    if isinstance(expected, Mapping):
        for key, value in expected.items():
            close(found[key], value)
        return
    found, expected = (torch.as_tensor(each, dtype=torch.float64) for each in (found, expected))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", explorables.names())
def test_the_page_computes_what_the_library_computes(page: Page, name: str) -> None:
    cases = list(explorables.examples(name).computed())
    if not cases:
        assert "compute" not in module_source(name)
        return
    page.route("http://book.localhost/", lambda route: route.fulfill(body="<!doctype html>"))
    page.goto("http://book.localhost/")
    states, expected = zip(*cases, strict=True)
    found = page.evaluate(COMPUTE, [module_source(name), list(states)])
    for here, there in zip(found, expected, strict=True):
        close(here, there)
