"""Numbers for readers: how they are written, and how any array-like is taken in.

Nothing here needs matplotlib or torch; a tensor is known by its methods.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .language import word

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float) -> str:
    """A number as short as it can be read: 3 significant digits, no needless zeros."""
    value = float(value)
    if not math.isfinite(value):
        return _not_finite(value)
    if value == round(value) and abs(value) < 1e5:
        return _signed(f"{value:,.0f}")
    if 1e-3 <= abs(value) < 1e5:
        return _signed(f"{float(f'{value:.3g}'):,.10g}")
    mantissa, exponent = f"{value:.2e}".split("e")
    digits = mantissa.rstrip("0").rstrip(".")
    factor = {"1": "", "-1": "-"}.get(digits, f"{digits}\u00a0×\u00a0")  # 10⁶, not 1 × 10⁶
    return _signed(f"{factor}10{str(int(exponent)).translate(_SUPERSCRIPTS)}")


def decimals(value: float, digits: int = 2, thousands: str = "") -> str:
    """A number with so many digits after the point, and a mark between thousands if given."""
    value = float(value)
    return _signed(f"{value:{thousands}.{digits}f}") if math.isfinite(value) else _not_finite(value)


def percent(share: float, digits: int | None = None) -> str:
    """A share of one as a percentage: of 3 significant digits, or of ``digits`` after the point."""
    written = f"{100 * share:.3g}" if abs(share) < 0.9995 else f"{100 * share:.0f}"
    if "e" in written:
        written = f"{100 * share:.6f}".rstrip("0").rstrip(".")
    if digits is not None:
        written = f"{100 * share:.{digits}f}"
    return word("display.card.percent", value=_signed(written))


def _signed(text: str) -> str:
    """With a true minus sign, and none before a zero."""
    if text.startswith("-"):
        return f"−{text[1:]}" if text.strip("-0.") else text[1:]
    return text.replace("-", "−")


def _not_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "∞" if value > 0 else "−∞"


def as_array(name: str, values: Any, dimensions: int | None = None) -> np.ndarray:
    """Any array-like of real numbers as float64: lists, arrays, tensors of any type and device.

    Raises:
        TypeError: these are not numbers; ``name`` says whose they are.
        ValueError: rows of different lengths, or another number of dimensions.
    """
    try:
        array = np.asarray(_without_torch(values))
    except ValueError:
        raise ValueError(f"{name}: got rows of different lengths, expected a table") from None
    if array.dtype.kind not in "biuf" and array.size:
        kind = type(values).__name__ if array.ndim == 0 else array.dtype.name
        raise TypeError(f"{name}: got {kind}, expected numbers")
    array = array.astype(float)
    if dimensions is not None and array.ndim != dimensions:
        raise ValueError(
            f"{name}: got shape {array.shape}, expected {dimensions} "
            f"dimension{'s' if dimensions > 1 else ''}"
        )
    return array


def _without_torch(values: Any) -> Any:
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        return (values.double() if values.is_floating_point() else values).numpy()
    if isinstance(values, (list, tuple)):
        return [_without_torch(value) for value in values]
    return values


def as_number(name: str, value: Any) -> float:
    """A finite number; not a text that looks like one, nor a truth value.

    Raises:
        TypeError: it is no single number.
        ValueError: it is NaN or infinite.
    """
    array = np.asarray(_without_torch(value))
    if array.ndim != 0 or array.dtype.kind not in "iuf":
        raise TypeError(f"{name}: got {_said(value)}, expected a number")
    if not np.isfinite(array):
        raise ValueError(f"{name}: got {float(array):g}, expected a finite number")
    return float(array)


def as_truth(name: str, value: Any) -> bool:
    """True or False: Python's, NumPy's or a tensor's.

    Raises:
        TypeError: it is something else; NaN, say, would count as true.
    """
    array = np.asarray(_without_torch(value))
    if array.ndim != 0 or array.dtype.kind != "b":
        raise TypeError(f"{name}: got {_said(value)}, expected True or False")
    return bool(array)


def _said(value: Any) -> str:
    """The type, and the value where it is short."""
    kind = type(value).__name__
    return f"{kind} {value!r}" if isinstance(value, (str, bool)) else kind
