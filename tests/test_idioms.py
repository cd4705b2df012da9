"""What counts as an idiom, and as saying what it is."""

import pytest
from idioms import idioms, introduced


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("for i in range(3):\n    total = total + len(x)", set()),
        ("np.exp(x) @ y", {"exp", "@"}),
        ("x.cumsum(dim=0)", {"cumsum", "dim="}),
        ("corpus.answers(kind=1)", set()),
        ("[a for a, b in pairs]", {"list comprehension", "unpacking"}),
        ("x[:, 0]", {"slice", "a place in several axes, x[0, 1]"}),
        ("x[0::2]", {"slice with a step"}),
        ("0 < x < 1", {"chained comparison"}),
        ("def f(x, y=1):\n    return zip(x, y)", {"default value", "zip"}),
    ],
)
def test_idioms_are_found(code, found):
    assert idioms(code) == found


def test_a_word_in_backticks_says_what_it_is():
    prose = "`x.cumsum(dim=0)` adds up, `0::2` takes every second, `with torch.no_grad():` too"
    assert {"cumsum", "dim=", "slice with a step", "with", "no_grad"} <= introduced(prose)
    assert "flip" not in introduced("flip turns it round; `roll` moves on")
