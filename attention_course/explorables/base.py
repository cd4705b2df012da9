"""What every explorable stands on: state in Python, one ES module, HTML that needs no kernel.

An explorable is a folder: its class in ``explorable.py``, ``module.js`` with the front-end contract
of anywidget, ``render({model, el})``, ``style.css``, its words, and ``examples.py`` for the tests.

In a notebook's output everything is inside, so that the output stands alone. For the site the
output says the same once more as data (:data:`MIME`), from which the build makes an element whose
module, styles and assets are files that all pages share. ``widget()`` gives the module as a real
anywidget, whose state Python can read back. Where scripts do not run, the reader sees a picture and
a table of numbers.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cache
from importlib import resources
from typing import Any, ClassVar

import numpy as np

from attention_course.language import words
from attention_course.markup import Display, escape, script_json, style
from attention_course.numbers import as_array

MIME = "application/vnd.attention-course.explorable+json"
_KIT_IMPORT = re.compile(r'^(import \{[^}]*\} from )"\.\./kit\.js";\n', re.MULTILINE)
LINE = 23.25  # pixels that a line of text takes
WIDE, NARROW = 93, 44  # Latin letters to a line on a wide and on a narrow (phone) page
_NOT_SENT = re.compile(r"^[ ]+|^[ ]*//.*\n|^\n", re.MULTILINE)


@cache
def source(*path: str) -> str:
    """A file of this folder, as text."""
    return resources.files(__package__).joinpath(*path).read_text(encoding="utf-8")


@cache
def module_source(name: str, kit: str | None = None) -> str:
    """The ES module ``name`` without comments and indentation.

    It imports the kit from the address ``kit``; where there is none, the kit stands before it, as a
    module that comes from a Blob has no place from which it could import another. The modules hold
    no template text that spans lines, so comments and indentation can go.
    """
    module = source(name, "module.js")
    if kit is None:
        module = source("kit.js") + _KIT_IMPORT.sub("", module)
    else:
        module = _KIT_IMPORT.sub(rf'\1"{kit}";\n', module)
    return sent(module)


def sent(script: str) -> str:
    """A script as browsers get it: without comments and indentation."""
    return _NOT_SENT.sub("", script)


def boot() -> str:
    """The function that starts an explorable in its element, as a JavaScript expression."""
    return _expression("boot.js")


def _expression(name: str) -> str:
    return sent(source(name)).strip().rstrip(";")


def stylesheet(name: str) -> str:
    """The rules of the explorable ``name`` after those of all, which stand on ``display.css``."""
    return source("explorables.css") + source(name, "style.css")


def asset_bytes(path: str) -> bytes:
    """A file of the package that an explorable asks for."""
    return resources.files("attention_course").joinpath(path).read_bytes()


def element(shown: Mapping[str, Any], inside: str = "", **attributes: str) -> str:
    """The place of an explorable on a page, with its still.

    Args:
        shown: what :meth:`Explorable.data` says of it.
        inside: HTML that follows the still.
        attributes: further ones of the element, ``data_module`` for ``data-module``.
    """
    wide, narrow = shown["height"]
    more = "".join(f' {k.replace("_", "-")}="{escape(v)}"' for k, v in attributes.items())
    return (
        f'<div class="ac ac-explorable" id="{shown["id"]}" role="group"'
        f' aria-label="{escape(shown["label"])}" data-lm-suppress-shortcuts="true"'
        f' style="--wide:{wide}px;--narrow:{narrow}px"{more}>'
        f'<div class="ac-still"><p class="ac-title">{escape(shown["label"])}</p>'
        f"{shown['still']}</div>"
        f"{inside}</div>"
    )


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
    try:
        found = as_array(name, values)
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


def one_named(name: str, value: str, names: Sequence[str]) -> str:
    """``value``, when it is one of ``names``.

    Raises:
        ValueError: it is not.
    """
    if value not in names:
        raise ValueError(f"{name}: got {value!r}, expected one of {', '.join(names)}")
    return value


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


def letters(text: str) -> int:
    """How many Latin letters are about as wide as ``text``."""
    return len(text) + sum(unicodedata.east_asian_width(character) in "WF" for character in text)


def lines(text: str, columns: float) -> int:
    """About how many lines ``text`` takes where a line holds ``columns`` Latin letters."""
    return math.ceil(letters(text) / columns)


def rows(buttons: Sequence[str], columns: float) -> int:
    """About how many rows of 48 pixels buttons take that stand side by side as far as they fit."""
    taken, made = 0.0, 1
    for text in buttons:
        wide = letters(text) + 5  # what a button has around its words
        if taken and taken + wide > columns:
            taken, made = 0.0, made + 1
        taken += wide
    return made


class Explorable(Display):
    """Something the reader can move. Subclasses name a module, its words, and a still picture.

    Attributes:
        module: the explorable's folder.
        assets: large things that the module asks for (weights): a name and the file in the package.
            The site serves them as files, which are fetched when the module wants them.
        state: what the module reads and changes, as JSON values; ``words`` among them.
    """

    module: ClassVar[str]
    assets: ClassVar[Mapping[str, str]] = {}
    _shown: ClassVar[Counter[str]] = Counter()

    def __init__(self, **state: Any) -> None:
        own = {name: text for name, text in words(self.module).items() if isinstance(text, str)}
        self.words: dict[str, str] = {**words("explorables"), **own}
        self.state: dict[str, Any] = {**state, "words": self.words}

    @property
    def label(self) -> str:
        """The name that assistive technology reads out."""
        return self.words["title"]

    def still(self) -> str:
        """What stands there when scripts do not run: a picture and its numbers, as HTML."""
        raise NotImplementedError

    def height(self) -> tuple[int, int]:
        """About how many pixels it takes on a wide and on a narrow (phone) page, from its words.

        So much is kept free until the module has drawn, so that the text below does not jump.
        """
        return self._height(WIDE), self._height(NARROW)

    def _height(self, columns: int) -> int:
        hint = lines(self.words["hint"], columns) * LINE
        return round(52 + hint + self.room(columns))

    def room(self, columns: int) -> float:
        """The pixels it takes below its title and hint, where a line holds so many letters."""
        raise NotImplementedError

    def _identifier(self) -> str:
        """The same in every run for the same content, so that stored outputs do not churn."""
        content = module_source(self.module) + script_json(self.state)
        digest = hashlib.sha256(content.encode()).hexdigest()[:10]
        self._shown[digest] += 1
        times = self._shown[digest]
        return f"ac-{digest}" if times == 1 else f"ac-{digest}-{times}"

    def _whole_state(self) -> dict[str, Any]:
        """The state with the assets in it, for where there is no file to fetch."""
        if not self.assets:
            return self.state
        held = {
            name: f"data:;base64,{base64.b64encode(asset_bytes(path)).decode()}"
            for name, path in self.assets.items()
        }
        return {**self.state, "assets": held}

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        shown = self.data()
        return {
            "text/html": style() + self._alone(shown),
            "text/plain": self.text(),
            MIME: shown,
        }

    def html(self) -> str:
        return self._alone(self.data())

    def _alone(self, shown: dict[str, Any]) -> str:
        arguments = [shown["id"], self._whole_state(), module_source(self.module)]
        return (
            f'<style class="ac-style">{stylesheet(self.module)}</style>{element(shown)}'
            f"<script>({_expression('inline.js')})"
            f"({','.join([boot(), *map(script_json, arguments)])})</script>"
        )

    def text(self) -> str:
        return f"<{type(self).__name__}: {self.label}>"

    def data(self) -> dict[str, Any]:
        """What the site makes the explorable from: names, state, height and still."""
        return {
            "name": self.module,
            "id": self._identifier(),
            "label": self.label,
            "state": self.state,
            "assets": dict(self.assets),
            "height": self.height(),
            "still": self.still(),
        }

    def widget(self) -> Any:
        """The same module as an anywidget: each entry of the state is a trait kept in step."""
        import anywidget  # a page without a kernel does without it
        import traitlets

        body = {
            "_esm": module_source(self.module),
            "_css": re.sub(r"</?style[^>]*>", "", style()) + stylesheet(self.module),
            **{
                name: traitlets.Any(deepcopy(value)).tag(sync=True)
                for name, value in self._whole_state().items()
            },
        }
        return type(f"{type(self).__name__}Widget", (anywidget.AnyWidget,), body)()
