"""Checks of arguments: an error names the argument, what came and what was expected."""

from __future__ import annotations

import math
import operator
from typing import Any

import torch
from torch import Tensor


def whole_number(name: str, value: Any) -> int:
    """``value`` as an int; a ``TypeError`` unless it is a whole number."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: got {describe(value)}, expected a whole number") from None


def size(name: str, value: Any) -> int:
    """``value`` as an int of at least 1, as a length, a width or a count must be."""
    number = whole_number(name, value)
    if number < 1:
        raise ValueError(f"{name}: got {number}, expected at least 1")
    return number


def real_number(name: str, value: Any) -> float:
    """``value`` as a finite float."""
    try:
        if isinstance(value, (bool, str, Tensor)):
            raise TypeError
        number = float(value)
    except TypeError:
        raise TypeError(f"{name}: got {describe(value)}, expected a number") from None
    if not math.isfinite(number):
        raise ValueError(f"{name}: got {number}, expected a finite number")
    return number


def yes_or_no(name: str, value: Any) -> None:
    """A ``TypeError`` unless ``value`` is True or False: a mask here would be taken for "yes"."""
    if not isinstance(value, bool):
        raise TypeError(f"{name}: got {describe(value)}, expected True or False")


def floating(name: str, value: Any, axes: str = "(...)") -> None:
    """A ``TypeError`` unless ``value`` is a tensor of real floating-point numbers."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        raise TypeError(
            f"{name}: got {describe(value)}, expected a floating-point tensor of shape {axes}"
        )


def same_dtype(name: str, tensor: Tensor, expected: torch.dtype, of: str) -> None:
    """A ``TypeError`` unless ``tensor`` has the dtype ``expected``, which is that ``of`` something.

    Under autocast torch itself brings the operands of a product to one dtype.
    """
    if tensor.dtype != expected and not torch.is_autocast_enabled(tensor.device.type):
        raise TypeError(f"{name}: got {tensor.dtype}, expected the dtype of {of}, {expected}")


def broadcasts(name: str, tensor: Tensor, shape: tuple[int, ...], axes: str) -> None:
    """A ``ValueError`` unless ``tensor`` broadcasts to ``shape``, its axes called ``axes``."""
    pairs = zip(reversed(tensor.shape), reversed(shape), strict=False)
    if tensor.ndim > len(shape) or not all(size in (1, full) for size, full in pairs):
        raise ValueError(
            f"{name}: got shape {tuple(tensor.shape)}, "
            f"expected one that broadcasts to {axes} = {tuple(shape)}"
        )


def describe(value: Any) -> str:
    """What came, in a few words: a tensor by dtype and shape, a number by itself."""
    if isinstance(value, Tensor):
        return f"a {value.dtype} tensor of shape {tuple(value.shape)}"
    if isinstance(value, (bool, int, float, complex, str)) or value is None:
        return repr(value)
    return f"a value of type {type(value).__name__}"
