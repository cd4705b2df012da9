"""What every explorable stands on: state in Python, one ES module, HTML that needs no kernel.

A module ``name.js`` holds ``render({model, el})``, the front-end contract of anywidget, and is put
together with ``kit.js``. Shown in a notebook or on the site, it runs from the page itself with the
state that Python wrote into it; ``widget()`` gives the same module as a real anywidget, whose state
Python can read back. Where scripts do not run, the reader sees a picture and a table of numbers.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from importlib import resources
from typing import Any, ClassVar

import numpy as np

from attention_course.language import current, words
from attention_course.markup import Display, escape, script_json, style

_KIT_IMPORT = re.compile(r'^import \{[^}]*\} from "\.\./kit\.js";\n', re.MULTILINE)
_NOT_SENT = re.compile(r"^[ ]+|^[ ]*//.*\n|^\n", re.MULTILINE)


@cache
def _file(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def module_source(name: str) -> str:
    """The ES module ``name`` with the kit before it, without comments and indentation.

    The modules hold no template text that spans lines, so both can go.
    """
    kit, module = _file("kit.js"), _KIT_IMPORT.sub("", _file(f"{name}/module.js"))
    return _NOT_SENT.sub("", f"{kit}\n{module}")


def stylesheet() -> str:
    """The explorables' own rules, which stand on those of ``display.css``."""
    return _file("explorables.css")


def array(name: str, values: Any, *shape: int | None) -> list[Any]:
    """``values`` as nested lists of finite numbers, rounded to eight digits, of a given shape.

    Args:
        name: of the argument, for the error.
        values: nested lists, an array or a tensor.
        shape: ``None`` where any size of at least 1 will do.

    Raises:
        TypeError: these are not numbers.
        ValueError: another shape, or a number that is infinite or NaN.
    """
    expected = f"({', '.join('any' if size is None else str(size) for size in shape)})"
    listed = values.tolist() if hasattr(values, "tolist") else values
    try:
        found = np.array(listed, dtype=float)
    except (TypeError, ValueError):
        message = f"{name}: got {values!r}, expected numbers of shape {expected}"
        raise TypeError(message) from None
    sizes = zip(found.shape, shape, strict=False)
    if found.ndim != len(shape) or any(got == 0 or want not in (None, got) for got, want in sizes):
        raise ValueError(f"{name}: got shape {found.shape}, expected {expected}")
    if not np.isfinite(found).all():
        raise ValueError(f"{name}: got an infinite number or NaN, expected finite numbers")
    return _rounded(found.tolist())


def _rounded(values: Any) -> Any:
    if isinstance(values, list):
        return [_rounded(value) for value in values]
    return float(f"{values:.8g}")


def between(name: str, value: float, low: float, high: float) -> float:
    """``value`` as a float from ``low`` to ``high``.

    Raises:
        TypeError: it is not a number.
        ValueError: it lies outside; the message names the argument and both ends.
    """
    if not isinstance(value, (int, float, np.number)):
        raise TypeError(f"{name}: got {value!r}, expected a number")
    if not low <= value <= high:
        raise ValueError(f"{name}: got {value}, expected a number from {low} to {high}")
    return float(value)


def one_of(name: str, value: int, choices: range | Sequence[int], expected: str) -> int:
    """``value`` as an int, when it is one of ``choices``; ``expected`` says in words which.

    Raises:
        ValueError: it is not.
    """
    if isinstance(value, bool) or value not in choices:
        raise ValueError(f"{name}: got {value!r}, expected {expected}")
    return int(value)


def token_list(tokens: Sequence[str], most: int) -> list[str]:
    """``tokens`` as a list of strings, one to ``most`` of them.

    Raises:
        TypeError: they are not strings.
        ValueError: none, or too many.
    """
    if isinstance(tokens, str) or not all(isinstance(token, str) for token in tokens):
        raise TypeError(f"tokens: got {tokens!r}, expected a sequence of strings")
    if not 1 <= len(tokens) <= most:
        raise ValueError(f"tokens: got {len(tokens)} tokens, expected 1 to {most}")
    return list(tokens)


class Explorable(Display):
    """Something the reader can move. Subclasses name a module, its words, and a still picture.

    Attributes:
        language: that of its words, the one in use when it was made.
        state: what the module reads and changes, as JSON values; ``words`` among them.
    """

    module: ClassVar[str]
    _shown: ClassVar[Counter[str]] = Counter()

    def __init__(self, **state: Any) -> None:
        self.words: dict[str, str] = {
            **words("explorables"),
            **words(self.module),
        }
        self.language = current()
        self.state: dict[str, Any] = {**state, "words": self.words}

    @property
    def label(self) -> str:
        """The name that assistive technology reads out."""
        return self.words["title"]

    def still(self) -> str:
        """What stands there when scripts do not run: a picture and its numbers, as HTML."""
        raise NotImplementedError

    def height(self) -> tuple[int, int]:
        """About how many pixels it takes on a wide and on a narrow (phone) page, in its language.

        So much is kept free until the module has drawn, so that the text below does not jump.
        """
        raise NotImplementedError

    def _identifier(self) -> str:
        """The same in every run for the same content, so that stored outputs do not churn."""
        content = module_source(self.module) + script_json(self.state)
        digest = hashlib.sha256(content.encode()).hexdigest()[:10]
        self._shown[digest] += 1
        times = self._shown[digest]
        return f"ac-{digest}" if times == 1 else f"ac-{digest}-{times}"

    def html(self) -> str:
        identifier = self._identifier()
        arguments = (
            identifier,
            self.state,
            module_source(self.module),
            self.height(),
        )
        return (
            f'<style class="ac-style">{stylesheet()}</style>'
            f'<div class="ac ac-explorable" id="{identifier}" role="group"'
            f' aria-label="{escape(self.label)}" data-lm-suppress-shortcuts="true">'
            f'<p class="ac-title">{escape(self.label)}</p>{self.still()}</div>'
            f"<script>({_file('boot.js').strip().rstrip(';')})"
            f"({','.join(map(script_json, arguments))})</script>"
        )

    def text(self) -> str:
        return f"<{type(self).__name__}: {self.label}>"

    def widget(self) -> Any:
        """The same module as an anywidget: each entry of the state is a trait kept in step."""
        import anywidget  # a page without a kernel does without it
        import traitlets

        body = {
            "_esm": module_source(self.module),
            "_css": _css_text(),
            **{
                name: traitlets.Any(deepcopy(value)).tag(sync=True)
                for name, value in self.state.items()
            },
        }
        return type(f"{type(self).__name__}Widget", (anywidget.AnyWidget,), body)()


def _css_text() -> str:
    return re.sub(r"</?style[^>]*>", "", style()) + stylesheet()
