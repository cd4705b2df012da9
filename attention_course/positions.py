"""Ways to tell attention where a token stands: added to the token, rotated in, or as a bias.

Axes: ``length`` positions, ``d_model`` the width of a token, ``heads``, ``n`` tokens, ``d`` the
width of a query or a key.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from . import checks


def sinusoidal_encoding(
    length: int,
    d_model: int,
    base: float = 10_000.0,
    *,
    device: torch.device | str | None = None,
) -> Tensor:
    """Encode positions as waves of falling frequency, to be added to the tokens.

    ``PE[p, 2i] = sin(p / base^(2i/d_model))`` and ``PE[p, 2i+1] = cos(p / base^(2i/d_model))``.
    If ``d_model`` is odd, the last sine has no cosine beside it.

    Args:
        length: how many positions, counted from 0.
        d_model: the width of a token.
        base: the slowest wave is ``2π·base`` positions long, at most.
        device: where it is to be; torch's default device if not given.

    Returns:
        float32 ``(length, d_model)``, computed in float64 on the CPU.

    Raises:
        TypeError: ``length`` or ``d_model`` is not a whole number, ``base`` not a number.
        ValueError: one of them is not positive.

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.5.
    """
    length, d_model = checks.size("length", length), checks.size("d_model", d_model)
    position = torch.arange(length, device="cpu")  # (length,)
    angle = position[:, None] * _frequencies(d_model, base)  # (length, ⌈d_model/2⌉)
    waves = torch.stack([angle.sin(), angle.cos()], dim=-1)  # (length, ⌈d_model/2⌉, 2)
    encoding = torch.empty(length, d_model, dtype=torch.float32, device=device)
    return encoding.copy_(waves.flatten(1)[:, :d_model])


def rotary_embedding(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    """Rotate queries or keys by angles that grow with their position.

    Columns ``2i`` and ``2i+1`` form a pair, as in the paper (other code pairs ``i`` with
    ``i + d/2``). The pair at position ``p`` turns by ``p·θ`` with ``θ = base^(-2i/d)``:
    ``(a, b) → (a·cos pθ - b·sin pθ, a·sin pθ + b·cos pθ)``. So the dot product of a rotated query
    and a rotated key depends on their two positions only through the distance between them.

    Args:
        x: ``(..., n, d)`` with ``d`` even.
        positions: integer or floating-point, ``(n,)`` or broadcastable to ``(..., n)``; for
            ``x`` of ``(batch, heads, n, d)``, positions of each sequence are ``(batch, 1, n)``.
            On the device of ``x``, or on the CPU, from where they are copied.
        base: sets the slowest rotation.

    Returns:
        ``(..., n, d)``, of the shape and dtype of ``x``.

    Raises:
        TypeError: ``x`` or ``positions`` is not a tensor of numbers, ``base`` not a number.
        ValueError: ``d`` is odd, the shapes do not fit, ``base`` is not positive.

    Source: Su et al. 2021 (arXiv:2104.09864), section 3.2.2, equations 15 and 34.
    """
    _check_rotary(x, positions)
    precise = torch.promote_types(x.dtype, torch.float32)
    angle = _angles(positions.to(x.device), x.size(-1), base, precise)  # (..., n, d/2)
    cos, sin = angle.cos(), angle.sin()
    a, b = x.to(precise).unflatten(-1, (-1, 2)).unbind(-1)  # 2 × (..., n, d/2)
    rotated = torch.stack([a * cos - b * sin, a * sin + b * cos], dim=-1)  # (..., n, d/2, 2)
    return rotated.flatten(-2).to(x.dtype)  # (..., n, d)


def alibi_bias(num_heads: int, length: int, *, device: torch.device | str | None = None) -> Tensor:
    """A bias by which a key counts for less the further it is from the query.

    ``bias[h, i, j] = -slope[h]·|i - j|``, to be added to the scaled scores before the softmax:
    ``attention(x, bias=alibi_bias(num_heads, length), causal=True)``. The paper is causal and
    defines the part on and below the diagonal; here the part above is its mirror image, and it is
    up to ``causal`` or a mask whether it counts.

    The slopes are ``2^(-8h/num_heads)`` for ``h = 1 … num_heads``. If the number of heads is not a
    power of two, the next smaller power of two gives the first slopes and every second slope of
    the next larger one the rest.

    Args:
        num_heads: how many heads.
        length: how many queries, and keys.
        device: where to make it; torch's default device if not given.

    Returns:
        float32 ``(num_heads, length, length)``.

    Raises:
        TypeError, ValueError: an argument is not a whole number of at least 1.

    Source: Press et al. 2022 (arXiv:2108.12409), section 3; the slopes for other numbers of heads
    are from the authors' code.
    """
    slopes = _slopes(checks.size("num_heads", num_heads))
    slopes = torch.tensor(slopes, dtype=torch.float32, device=device)  # (heads,)
    position = torch.arange(checks.size("length", length), device=device)  # (length,)
    distance = (position[:, None] - position).abs()  # (length, length)
    return -slopes[:, None, None] * distance  # (heads, length, length)


def _frequencies(d: int, base: float) -> Tensor:
    """``base^(-2i/d)`` for every pair of columns: float64 ``(⌈d/2⌉,)``, radians a position."""
    base = checks.positive("base", base)
    return base ** -(torch.arange(0, d, 2, dtype=torch.float64, device="cpu") / d)


def _angles(positions: Tensor, d: int, base: float, dtype: torch.dtype) -> Tensor:
    """``positions · base^(-2i/d)``, less whole turns: ``(..., n, d/2)``, radians.

    In float32 the product would be off by 0.004 at position 100000, and not every device has
    float64. So angles are counted in whole numbers of 2^-64 of a turn, which every device has:
    they are not rounded, and as an int64 overflows it begins again, as a turn does.
    """
    frequencies = _frequencies(d, base)  # (d/2,)
    turns = frequencies / (2 * math.pi)
    steps = ((turns - turns.round()) * 2.0**64).to(torch.int64).to(positions.device)
    whole = positions.detach().floor()
    angles = (whole.to(torch.int64)[..., None] * steps).to(dtype) * (2 * math.pi / 2.0**64)
    if positions.is_floating_point():
        rest = (positions - whole).to(dtype)  # of a position, from 0 to 1
        angles = angles + rest[..., None] * frequencies.to(dtype).to(positions.device)
    return angles


def _slopes(num_heads: int) -> list[float]:
    power = 1 << num_heads.bit_length() - 1  # the largest power of two that is not more
    slopes = [2 ** (-8 * h / power) for h in range(1, power + 1)]
    between = [2 ** (-8 * h / (2 * power)) for h in range(1, 2 * power, 2)]
    return slopes + between[: num_heads - power]


def _check_rotary(x: Tensor, positions: Tensor) -> None:
    checks.floating("x", x, "(..., n, d)")
    if x.ndim < 2 or x.size(-1) % 2 or not x.size(-1):
        raise ValueError(f"x: got shape {tuple(x.shape)}, expected (..., n, d) with d even")
    if not isinstance(positions, Tensor) or positions.dtype == torch.bool or positions.is_complex():
        raise TypeError(
            f"positions: got {checks.describe(positions)}, expected a tensor of numbers (..., n)"
        )
    if positions.device.type != "cpu":
        checks.same_device("positions", positions, x.device, "x")
    checks.broadcasts("positions", positions, tuple(x.shape[:-1]), "(..., n)")
