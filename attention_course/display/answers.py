"""Running a reader's answer and reading what it gives, whatever it is or does.

An answer is code by somebody who is learning: it may loop for ever, change its inputs, return
nothing, two results, rows of unequal length or an object of any kind. Everything here ends in an
array of numbers or in one of three exceptions: :class:`NotAttempted`, :class:`Raised`,
:class:`Wrong`.
"""

from __future__ import annotations

import contextvars
import ctypes
import dis
import inspect
import linecache
import numbers
import re
import threading
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from .language import word

_DEEPEST = 8  # axes of a nested list that are looked at
_STEPS_OF_NOTHING = {"RESUME", "NOP", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE"}
_LONGEST_ERROR = 300  # characters of a reader's error that are shown


class Wrong(Exception):
    """The answer is wrong in the way that ``message`` names.

    Args:
        message: a key of the exercise's table ``wrong``, or of ``display.wrong``.
        values: what fills the message's placeholders.
    """

    def __init__(self, message: str, **values: object) -> None:
        super().__init__(message)
        self.message, self.values = message, values


class NotAttempted(Exception):
    """The answer still holds the placeholder ``...``."""


class Raised(Exception):
    """The answer raised ``__cause__``."""


class TooSlow(Exception):
    """The work was not done in time."""


class _Stop(SystemExit):
    """Thrown into the thread of an answer that takes too long; a thread that it ends is silent."""


def within(seconds: float, work: Callable[[], Any]) -> Any:
    """What ``work()`` returns or raises, if it does so in time.

    It runs in a thread of its own, which is stopped when its time is up; this needs no signals, so
    that it works on every system and off the main thread. A thread that waits for something (or
    catches whatever stops it) is left behind. Code that never comes back from C while it holds the
    interpreter cannot be stopped by anything.

    Raises:
        TooSlow: it was not done after ``seconds``.
    """
    done: list[Any] = []

    def run() -> None:
        try:
            done.append((work(), None))
        except Exception as error:
            done.append((None, error))
        except BaseException as error:  # must not end the notebook
            done.append((None, RuntimeError(said(error))))

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run,), daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            thread.start()
        except RuntimeError:  # a system without threads
            run()
        else:
            try:
                thread.join(seconds)
            finally:
                late = thread.is_alive()
                _stop(thread)
            if late:
                raise TooSlow
    result, error = done[0]
    if error is not None:
        raise error
    return result


def _stop(thread: threading.Thread) -> None:
    for _ in range(20):
        if not thread.is_alive():
            return
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_Stop)
        )
        thread.join(0.05)


def call(answer: Any, *inputs: Any, use: Callable[..., Any] | None = None) -> Any:
    """What the answer returns, or ``use(answer, ...)``, told apart from nothing and from an error.

    Raises:
        NotAttempted: the placeholder ``...`` came back, or stands in the way.
        Raised: the answer raised something.
        Wrong: nothing came back.
    """
    try:
        with np.errstate(all="ignore"):
            result = use(answer, *inputs) if use else answer(*inputs)
    except _Stop:
        raise
    except BaseException as error:
        if _trips_over_placeholder(error, answer):
            raise NotAttempted from None
        raise Raised from error
    if result is None and _is_empty(answer):
        raise NotAttempted
    parts = result if isinstance(result, list | tuple) else [result]
    if any(part is Ellipsis for part in parts):
        raise NotAttempted
    if result is None:
        raise Wrong("no_return")
    return result


def _codes(answer: Any) -> Iterator[types.CodeType]:
    """The code of a function, or of all methods that a class defines."""
    functions = vars(answer).values() if inspect.isclass(answer) else [answer]
    for function in functions:
        code = getattr(function, "__code__", None)
        if isinstance(code, types.CodeType):
            yield code


def _trips_over_placeholder(error: BaseException, answer: Any) -> bool:
    """Whether the answer went on to compute with a ``...`` that still stands for a value.

    Torch and Python say so; NumPy does not, so that the line that failed is looked at, too.
    """
    codes = list(_codes(answer))
    if isinstance(error, AttributeError | TypeError) and "ellipsis" in said(error).lower():
        return any(constant is Ellipsis for code in codes for constant in code.co_consts)
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code in codes:
            line = linecache.getline(frame.f_code.co_filename, number)
            left = [name for name, value in frame.f_locals.items() if value is Ellipsis]
            if any(re.search(rf"\b{name}\b(?!\s*=[^=])", line) for name in left):
                return True
    return False


def _is_empty(answer: Any) -> bool:
    """Whether a function (or a method of a class) holds nothing but ``...`` or ``pass``."""
    return any(
        {step.opname for step in dis.get_instructions(code)} <= _STEPS_OF_NOTHING
        for code in _codes(answer)
    )


def said(error: BaseException) -> str:
    """An error's name and words; the name alone if it has no words or cannot say them."""
    name = type(error).__name__
    try:
        text = f"{name}: {error}" if str(error) else name
    except BaseException:
        text = name
    if len(text) > _LONGEST_ERROR:
        text = f"{text[:_LONGEST_ERROR]}…"
    return " ".join(text.replace("`", "'").split())


def raising_line(error: BaseException, answer: Any) -> str:
    """The line of the reader's own code that the error passed last; empty if there is none."""
    files = {code.co_filename for code in _codes(answer)}
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename in files]
    return (frames[-1].line or "").replace("`", "'") if frames else ""


def changed(before: Any, after: Any) -> bool:
    """Whether an array, a tensor, a list or a set is no longer what it was."""
    if isinstance(before, list | dict | set):
        return bool(before != after)
    if not hasattr(before, "shape"):
        return False
    try:
        return not np.array_equal(_plain(before), _plain(after), equal_nan=True)
    except _Unreadable:
        return True


def copies(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Copies that an answer may do anything to."""
    return deepcopy(values)


def as_array(result: Any, shape: tuple[int, ...]) -> np.ndarray:
    """``result`` as an array of ``shape``, of bool or of float64.

    Numbers, nested lists and tuples, arrays and tensors will do, and any mixture of them; on any
    device, with or without a gradient.

    Raises:
        Wrong: it has another shape (``shape``), or is something else altogether (``type``).
    """
    try:
        found = shape_of(result)
        if found != shape:
            if isinstance(result, tuple):
                raise _tuple(result)
            raise Wrong("shape", got=in_words(found), wanted=in_words(shape))
        array = _plain(result)
    except _Unreadable as unreadable:
        got = word(f"display.result.{unreadable.kind}", **unreadable.values)
        raise Wrong("type", got=got, wanted=in_words(shape)) from None
    return array if array.dtype == bool else array.astype(float)


def in_words(shape: tuple[int, ...]) -> str:
    """An array of this shape, in the reader's language; without axes, a number."""
    return word("display.result.array", shape=shape) if shape else word("display.result.number")


class _Unreadable(Exception):
    """A result that is no array: ``kind`` is a key of ``display.result``."""

    def __init__(self, kind: str, **values: object) -> None:
        super().__init__(kind)
        self.kind, self.values = kind, values


def shape_of(value: Any, depth: int = 0) -> tuple[int, ...]:
    """The shape that ``value`` has as an array, found without converting it."""
    if depth > _DEEPEST:
        raise _Unreadable("object", type=type(value).__name__)
    if isinstance(value, np.ndarray) and value.dtype == object and value.ndim:
        value = list(value)
    if isinstance(value, range):
        return (len(value),)
    if isinstance(value, list | tuple):
        inner = shape_of(value[0], depth + 1) if value else ()
        if any(_length(item) != (inner[0] if inner else None) for item in value):
            raise _ragged_or_tuple(value, depth)
        return (len(value), *inner)
    if hasattr(value, "shape"):
        if "complex" in str(getattr(value, "dtype", "")):
            raise Wrong("complex")
        return tuple(int(size) for size in value.shape)
    if hasattr(value, "__array__"):
        return np.shape(np.asarray(value))
    if value is None or value is Ellipsis:
        raise _Unreadable("hole", value="None" if value is None else "...")
    if isinstance(value, complex):
        raise Wrong("complex")
    if not isinstance(value, numbers.Number):
        raise _Unreadable("object", type=type(value).__name__)
    return ()


def _ragged_or_tuple(value: Any, depth: int) -> _Unreadable:
    if isinstance(value, tuple) and depth == 0:
        return _tuple(value)
    return _Unreadable("ragged")


def _tuple(value: tuple[Any, ...]) -> _Unreadable:
    return _Unreadable("tuple_of_one" if len(value) == 1 else "tuple", count=len(value))


def _length(item: Any) -> int | None:
    """The length of a row; None for a number."""
    if isinstance(item, list | tuple | range):
        return len(item)
    shape = getattr(item, "shape", ())
    return int(shape[0]) if len(shape) else None


def _plain(value: Any) -> np.ndarray:
    """``value`` as an array of bool or of real numbers."""
    if isinstance(value, np.ndarray) and value.dtype == object:
        value = value.tolist()
    if isinstance(value, list | tuple):
        parts = [_plain(item) for item in value]
        if len({part.shape for part in parts}) > 1:
            raise _ragged_or_tuple(value, depth=0)
        return np.stack(parts) if parts else np.zeros(0)
    if isinstance(value, np.ma.MaskedArray):
        value = value.astype(float).filled(np.nan)
    elif hasattr(value, "detach"):
        shape_of(value)
        value = _from_tensor(value)
    elif isinstance(value, int | Fraction | Decimal) and not isinstance(value, bool):
        value = _real(value)
    else:
        shape_of(value)
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise _Unreadable("object", type=f"{type(value).__name__} ({array.dtype})")
    return array


def _from_tensor(tensor: Any) -> np.ndarray:
    if tensor.is_meta:
        raise _Unreadable("meta")
    tensor = tensor.detach().to_dense().cpu().resolve_neg()
    return (tensor.double() if tensor.is_floating_point() else tensor).numpy()


def _real(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else -float("inf")


def same(array: Any, expected: Any, tolerance: float = 1e-5, *, equal_nan: bool = False) -> bool:
    """Whether two arrays agree to ``tolerance`` times the largest number expected (1 if all are 0).

    A NaN agrees with nothing, unless ``equal_nan``.
    """
    expected = np.asarray(expected, dtype=float)
    finite = np.abs(expected[np.isfinite(expected)])
    scale = finite.max(initial=0.0) or 1.0
    return bool(np.allclose(array, expected, 0.0, tolerance * scale, equal_nan=equal_nan))
