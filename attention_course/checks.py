"""Checks of arguments: an error names the argument, what came and what was expected."""

from __future__ import annotations

import math
import operator
from typing import Any

import torch
from torch import Tensor, nn


def whole_number(name: str, value: Any) -> int:
    """``value`` as an int; a ``TypeError`` unless it is a whole number."""
    # As it is, so that a size that torch.compile or torch.export leaves free stays free.
    if isinstance(value, (int, torch.SymInt)) and not isinstance(value, bool):
        return value
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


def index(name: str, value: Any, count: int) -> int:
    """``value`` as an int from 0 to ``count - 1``."""
    number = whole_number(name, value)
    if not 0 <= number < count:
        raise ValueError(f"{name}: got {number}, expected 0 to {count - 1}")
    return number


def real_number(name: str, value: Any) -> float:
    """``value`` as a finite float."""
    try:
        if isinstance(value, (bool, str, Tensor)):
            raise TypeError
        number = float(value)
    except TypeError:
        raise TypeError(f"{name}: got {describe(value)}, expected a number") from None
    # Not math.isfinite, which torch.compile cannot follow where the number is free.
    if not -math.inf < number < math.inf:
        raise ValueError(f"{name}: got {number}, expected a finite number")
    return number


def positive(name: str, value: Any) -> float:
    """``value`` as a finite float above 0."""
    number = real_number(name, value)
    if number <= 0:
        raise ValueError(f"{name}: got {value!r}, expected a positive number")
    return number


def not_negative(name: str, value: Any) -> float:
    """``value`` as a finite float of at least 0."""
    number = real_number(name, value)
    if number < 0:
        raise ValueError(f"{name}: got {value!r}, expected at least 0")
    return number


def share(name: str, value: Any) -> float:
    """``value`` as a float above 0 and at most 1."""
    number = positive(name, value)
    if number > 1:
        raise ValueError(f"{name}: got {value!r}, expected at most 1")
    return number


def probability(name: str, value: Any) -> float:
    """``value`` as a float of at least 0 and less than 1, as a probability of dropout must be."""
    number = real_number(name, value)
    if not 0 <= number < 1:
        raise ValueError(f"{name}: got {value}, expected at least 0 and less than 1")
    return number


def one_of(name: str, value: Any, known: tuple[str, ...]) -> str:
    """``value``; a ``ValueError`` unless it is one of the ``known`` words."""
    if value not in known:
        raise ValueError(f"{name}: got {describe(value)}, expected {' or '.join(map(repr, known))}")
    return value


def yes_or_no(name: str, value: Any) -> bool:
    """``value``; a ``TypeError`` unless it is a bool: a mask here would be taken for "yes"."""
    if not isinstance(value, bool):
        raise TypeError(f"{name}: got {describe(value)}, expected True or False")
    return value


def floating(name: str, value: Any, axes: str = "(...)") -> None:
    """A ``TypeError`` unless ``value`` is a tensor of real floating-point numbers."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        raise TypeError(
            f"{name}: got {describe(value)}, expected a floating-point tensor of shape {axes}"
        )


def boolean(name: str, value: Any, true: str) -> None:
    """A ``TypeError`` unless ``value`` is a boolean tensor; ``true`` says what True means."""
    if not isinstance(value, Tensor) or value.dtype != torch.bool:
        raise TypeError(f"{name}: got {describe(value)}, expected a boolean tensor, True {true}")


def integers(name: str, value: Any, axes: str) -> None:
    """A ``TypeError`` unless ``value`` is a tensor of whole numbers."""
    kind = value.dtype if isinstance(value, Tensor) else None
    if kind is None or kind == torch.bool or kind.is_floating_point or kind.is_complex:
        raise TypeError(
            f"{name}: got {describe(value)}, expected an integer tensor of shape {axes}"
        )


def tokens(name: str, value: Any) -> None:
    """An error unless ``value`` is ``(batch, n)`` whole numbers, ``n`` at least 1."""
    integers(name, value, "(batch, n)")
    if value.ndim != 2 or value.size(1) < 1:
        raise ValueError(
            f"{name}: got shape {tuple(value.shape)}, expected (batch, n) with n at least 1"
        )


def same_device(name: str, tensor: Tensor, expected: torch.device, of: str) -> None:
    """A ``ValueError`` unless ``tensor`` is on the device ``expected``, which is that ``of`` …"""
    if tensor.device != expected:
        raise ValueError(
            f"{name}: got a tensor on {tensor.device}, expected the device of {of}, {expected}"
        )


def same_kind(name: str, tensor: Tensor, other: Tensor, of: str) -> None:
    """An error unless ``tensor`` has the device and the dtype of ``other``, which is ``of`` …

    Under autocast the dtypes may differ, as torch itself brings them together.
    """
    same_device(name, tensor, other.device, of)
    if tensor.dtype != other.dtype and not autocasts(tensor.device):
        raise TypeError(f"{name}: got {tensor.dtype}, expected the dtype of {of}, {other.dtype}")


def autocasts(device: torch.device) -> bool:
    """Whether autocast is on for this kind of device."""
    kind = device.type
    return torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)


def broadcasts(name: str, tensor: Tensor, shape: tuple[int, ...], axes: str) -> None:
    """A ``ValueError`` unless ``tensor`` broadcasts to ``shape``, its axes called ``axes``."""
    pairs = zip(reversed(tensor.shape), reversed(shape), strict=False)
    if tensor.ndim > len(shape) or not all(size in (1, full) for size, full in pairs):
        raise ValueError(
            f"{name}: got shape {tuple(tensor.shape)}, "
            f"expected one that broadcasts to {axes} = {tuple(shape)}"
        )


# What attention is given


def attention(query: Tensor, key: Tensor, value: Tensor) -> tuple[int, ...]:
    """The shape ``(..., n_q, n_k)`` of the scores, the leading axes being those of all three."""
    inputs = {"query": (query, "n_q, d"), "key": (key, "n_k, d"), "value": (value, "n_k, d_v")}
    for name, (tensor, axes) in inputs.items():
        floating(name, tensor, f"(..., {axes})")
        if tensor.ndim < 2:
            raise ValueError(f"{name}: got shape {tuple(tensor.shape)}, expected (..., {axes})")
        same_kind(name, tensor, query, "query")
    if query.size(-1) < 1:
        raise ValueError(f"query: got shape {tuple(query.shape)}, expected a width of at least 1")
    if key.size(-1) != query.size(-1):
        raise ValueError(f"key: got width {key.size(-1)}, expected the query's, {query.size(-1)}")
    one_value_a_key(key, value)
    leading = [tuple(x.shape[:-2]) for x in (query, key, value)]
    try:
        return (*torch.broadcast_shapes(*leading), query.size(-2), key.size(-2))
    except RuntimeError:
        raise ValueError(
            "query, key, value: got leading axes {}, {} and {}, "
            "expected axes that broadcast".format(*leading)
        ) from None


def one_value_a_key(key: Tensor, value: Tensor) -> None:
    """A ``ValueError`` unless there are as many values as keys."""
    if value.size(-2) != key.size(-2):
        raise ValueError(
            f"value: got {value.size(-2)} values, expected one for each of the {key.size(-2)} keys"
        )


def sequence(name: str, x: Tensor, n: str, width: tuple[str, int], layer: nn.Module) -> None:
    """An error unless ``x`` is ``(batch, n, width)`` of the kind of the layer's parameters."""
    axes = f"(batch, {n}, {width[0]})"
    floating(name, x, axes)
    if x.ndim != 3 or x.size(-1) != width[1]:
        raise ValueError(
            f"{name}: got shape {tuple(x.shape)}, expected {axes} with a width of {width[1]}"
        )
    # A quantized layer may have no parameters left.
    parameter = next(layer.parameters(), None)
    if parameter is not None:
        same_kind(name, x, parameter, "the layer's parameters")


def heads(
    layer: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    bias: Tensor | None,
    past: int = 0,
) -> tuple[Tensor | None, Tensor | None]:
    """The mask and the bias with all axes ``(batch, heads, n_q, past + n_k)``, any possibly 1."""
    inputs = {"query": (query, "n_q"), "key": (key, "n_k"), "value": (value, "n_k")}
    for name, (tensor, n) in inputs.items():
        if tensor is query and name != "query":
            continue  # looked at already
        sequence(name, tensor, n, ("d_model", layer.d_model), layer)
        if tensor.size(0) != query.size(0):
            raise ValueError(f"{name}: got a batch of {tensor.size(0)}, expected {query.size(0)}")
    one_value_a_key(key, value)
    scores = (query.size(0), layer.num_heads, query.size(1), past + key.size(1))
    names = "n_q, past + n_k)" if past else "n_q, n_k)"
    bias_fits(bias, scores, f"(batch, heads, {names}", query.device)
    if isinstance(mask, Tensor) and mask.ndim == 3:
        mask_fits(mask, (scores[0], *scores[2:]), f"(batch, {names}", query.device)
        mask = mask.unsqueeze(1)  # (batch, 1, n_q, n_k)
    else:
        mask_fits(mask, scores, f"(batch, heads, {names}", query.device)
    return _four_axes(mask), _four_axes(bias)


def _four_axes(x: Tensor | None) -> Tensor | None:
    return x if x is None else x[(None,) * (4 - x.ndim)]


def mask_fits(mask: Any, shape: tuple[int, ...], axes: str, device: torch.device) -> None:
    """An error unless ``mask`` is None or a boolean tensor that broadcasts to ``shape``."""
    if mask is None:
        return
    boolean("mask", mask, "where a query may attend to a key")
    broadcasts("mask", mask, shape, axes)
    same_device("mask", mask, device, "query")


def bias_fits(bias: Any, shape: tuple[int, ...], axes: str, device: torch.device) -> None:
    """An error unless ``bias`` is None or a floating-point tensor that broadcasts to it."""
    if bias is None:
        return
    floating("bias", bias, axes)
    broadcasts("bias", bias, shape, axes)
    same_device("bias", bias, device, "query")


def describe(value: Any) -> str:
    """What came, in a few words: a tensor by dtype and shape, a number by itself."""
    if isinstance(value, Tensor):
        return f"a {value.dtype} tensor of shape {tuple(value.shape)}"
    if isinstance(value, (bool, int, float, complex, str)) or value is None:
        return repr(value)
    return f"a value of type {type(value).__name__}"
