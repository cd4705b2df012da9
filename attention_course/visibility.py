"""Which keys a query may see, and how all others are kept from every result and every gradient.

A weight of zero does not hide NaN, as 0 · NaN = NaN, nor does a gradient of zero. So where anything
is hidden, attention computes with zeros in the place of vectors that are not finite, and a query
that may see one is given NaN at the end. Where nothing is hidden, nothing is done.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F


class Visibility:
    """What a mask, ``-inf`` in a bias and ``causal`` leave of the keys for each query.

    Args:
        mask: boolean, True = may attend, or None; the last axes are those of the scores, n_q, n_k.
        bias: added to the scores, or None; the last axes likewise.
        causal: query ``i`` may attend to keys ``0 … i`` only.
        query, key: of which ``n_q`` and ``n_k`` are the last axis but one.
        heads: the axis that the scores, mask and bias have and that ``query`` and ``key`` lack.
        past: keys that are known already and stand before those of ``key``. The first query stands
            right behind them.

    Attributes:
        is_causal: ``causal`` is all there is. A kernel knows this mask by its name, so it is not
            written out before it is needed.
    """

    def __init__(
        self,
        mask: Tensor | None,
        bias: Tensor | None,
        causal: bool,
        query: Tensor,
        key: Tensor,
        heads: int | None = None,
        past: int = 0,
    ) -> None:
        self.n_q, self.n_k, self.device = query.size(-2), past + key.size(-2), query.device
        self.bias, self.heads, self.past = bias, heads, past
        self.allowed = self.attends = None
        self._lost: dict[str, Tensor] = {}
        self._last: tuple[Tensor, Tensor, Tensor] | None = None
        # A kernel that knows the causal mask counts from the first key; a last query may see all.
        behind = past > 0 and causal and self.n_q > 1
        causal = causal and (past == 0 or behind)
        written_out = mask is not None or bias is not None or self.n_k == 0 or behind
        self.is_partial, self.is_causal = causal or written_out, causal and not written_out
        if written_out:
            allowed = self._past() if causal else self._ones(1)
            allowed = allowed if mask is None else allowed & mask
            allowed = allowed if bias is None else allowed & ~bias.isneginf()
            self.allowed = allowed  # (..., n_q or 1, n_k)
            self.attends = _any(allowed)  # (..., n_q or 1, 1)

    def added_to_scores(self, dtype: torch.dtype) -> Tensor | None:
        """The bias, with ``-inf`` where a key is hidden: (..., n_q or 1, n_k); None for nothing.

        A query without a key is left with all of them, because a softmax over nothing is NaN;
        :meth:`silence` takes them away again.
        """
        if not self.is_partial:
            return None
        bias = torch.zeros((), dtype=dtype, device=self.device)
        if self.is_causal:
            return bias.where(self._past(), -math.inf)
        bias = bias if self.bias is None else self.bias.to(dtype)
        return bias.where(self.allowed, -math.inf).where(self.attends, 0.0)

    def queries(self, x: Tensor, layer: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """``layer(x)`` of queries ``(..., n_q, width)``, with zeros for what is not finite."""
        return self._finite("queries", x, layer)

    def keys(self, x: Tensor, layer: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """The same of keys or values ``(..., n_k, width)``."""
        return self._finite("keys", x, layer)

    def silence(self, result: Tensor) -> Tensor:
        """``result`` with zeros for the queries that may attend to no key."""
        if self.attends is None:
            return result
        return result * self._rows(self.attends, result).to(result.dtype)

    def settle(self, result: Tensor) -> Tensor:
        """The same, with NaN for the queries that see, or are, a vector that is not finite."""
        if not self.is_partial:
            return result
        lost = self._rows(self._lost_rows(), result)
        zeros = torch.zeros((), dtype=result.dtype, device=self.device)
        return self.silence(result) + zeros.where(~lost, math.nan)

    def _finite(self, name: str, x: Tensor, layer: Callable[[Tensor], Tensor] | None) -> Tensor:
        if self.is_partial:
            x = self._without_lost(name, x)
        if layer is not None:
            x = layer(x)
            # Of the formats only float16 is so narrow that a sum of common numbers leaves it.
            if self.is_partial and x.dtype == torch.float16:
                x = self._without_lost(name, x)
        return x

    def _without_lost(self, name: str, x: Tensor) -> Tensor:
        """``x`` with zeros for vectors with NaN or infinity, or so large that products overflow."""
        if self._last is None or self._last[0] is not x:  # in self-attention queries are keys
            dtype = precise_dtype(x)
            limit = math.sqrt(torch.finfo(dtype).max) / 1024  # 10^16 in float32
            lost = ~(x.detach().abs().sum(-1, dtype=dtype) <= limit)  # (..., n)
            # A third quicker than masked_fill, forward and backward.
            finite = x.new_zeros(()).where(lost[..., None], x)
            self._last = (x, finite, lost if self.heads is None else lost.unsqueeze(self.heads))
        _, finite, lost = self._last
        self._lost[name] = self._lost[name] | lost if name in self._lost else lost
        return finite

    def _lost_rows(self) -> Tensor:
        """Which queries see, or are, a lost vector: (..., n_q, 1)."""
        queries = self._lost["queries"][..., None]  # (..., n_q, 1)
        keys = F.pad(self._lost["keys"], (self.past, 0))[..., None, :]  # (..., 1, n_k)
        if not self.is_causal:
            return _any(self.allowed & (queries | keys))
        never = self.n_q + self.n_k
        position = torch.arange(never, device=self.device)
        first = position[: self.n_k].where(keys, never).amin(-1, keepdim=True)  # (..., 1, 1)
        return queries | (position[: self.n_q, None] >= first)

    def _rows(self, rows: Tensor, result: Tensor) -> Tensor:
        # What has no heads any more is made of all of them.
        return rows.any(self.heads) if rows.ndim > result.ndim else rows

    def _past(self) -> Tensor:
        return self._ones(self.n_q).tril(self.past)

    def _ones(self, n_q: int) -> Tensor:
        return torch.ones(n_q, self.n_k, dtype=torch.bool, device=self.device)


def _any(allowed: Tensor) -> Tensor:
    """Whether there is a True along the last axis, which stays; ``any`` takes ten times as long."""
    return allowed.sum(-1, keepdim=True) > 0


def precise_dtype(*tensors: Tensor) -> torch.dtype:
    """The widest dtype of the tensors, but at least float32."""
    dtype = torch.float32
    for tensor in tensors:
        dtype = torch.promote_types(dtype, tensor.dtype)
    return dtype
