"""Attention: the scaled dot product, one head, many heads, and the masks they take.

Axes have the same names everywhere: ``batch``, ``heads``, ``n_q`` queries, ``n_k`` keys, ``d`` the
width of a query and of a key, ``d_v`` the width of a value, ``d_head = d_model / heads``.

Masks are boolean and say where a query **may** attend: True = may attend. A query that may attend
to no key gets weights of zero and an output of zero, and passes no gradient on. What is hidden from
a query reaches none of its results and gradients, were it NaN or infinite; a query that may attend
to a vector that is not finite gets an output of NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import checks
from .visibility import Visibility, precise_dtype


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    causal: bool = False,
    scale: float | None = None,
    bias: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Average the values, weighted by how well each key matches the query.

    ``weights = softmax(query · keyᵀ · scale + bias)`` over the keys that the mask allows, and
    ``output = weights · value``.

    Leading axes (``...``: batch, heads) broadcast as in a matrix product. float16 and bfloat16 are
    computed in float32 and rounded once, at the end.

    Args:
        query: ``(..., n_q, d)``.
        key: ``(..., n_k, d)``.
        value: ``(..., n_k, d_v)``.
        mask: boolean, True = may attend, broadcastable to ``(..., n_q, n_k)``.
        causal: query ``i`` may attend to keys ``0 … i`` only, counted from the first query and the
            first key also where ``n_q`` and ``n_k`` differ, as in torch. Holds besides ``mask``.
        scale: what the dot products are multiplied by; ``1/√d`` if not given.
        bias: added to the scaled scores, broadcastable to ``(..., n_q, n_k)``, for instance
            :func:`attention_course.positions.alibi_bias`. ``-inf`` forbids a pair as the mask does.

    Returns:
        The output ``(..., n_q, d_v)`` and the weights ``(..., n_q, n_k)``, in the query's dtype.
        A row of weights sums to 1, or to 0 if its query may attend to no key.

    Raises:
        TypeError: an argument is not a floating-point tensor, the dtypes differ, the mask is not
            boolean.
        ValueError: the shapes do not fit, the devices differ, ``scale`` is not finite.

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.1, equation 1.
    """
    shape = checks.attention(query, key, value)
    checks.mask_fits(mask, shape, "(..., n_q, n_k)", query.device)
    checks.bias_fits(bias, shape, "(..., n_q, n_k)", query.device)
    scale = None if scale is None else checks.real_number("scale", scale)
    visible = Visibility(mask, bias, checks.yes_or_no("causal", causal), query, key)
    q, k, v = visible.queries(query), visible.keys(key), visible.keys(value)
    q = q.expand(*shape[:-1], q.size(-1))  # (..., n_q, d) with the leading axes of all three
    output, weights = _attend(q, k, v, visible, scale)
    return visible.settle(output), weights


def _attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    visible: Visibility,
    scale: float | None = None,
    dropout: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """The formula itself, in float32 or better; ``visible`` says who may see whom."""
    dtype, precise = query.dtype, precise_dtype(query, key, value)
    query, key, value = query.to(precise), key.to(precise), value.to(precise)
    scale = query.size(-1) ** -0.5 if scale is None else scale
    with _without_autocast(query):
        # Scaled before the product, and copied before it is turned: the cheaper way round.
        scores = query * scale @ key.contiguous().transpose(-2, -1)  # (..., n_q, n_k)
        added = visible.added_to_scores(precise)
        scores = scores if added is None else scores.add_(added)
        # In the scores' place where no gradient needs them: fresh memory is slow to come by.
        weights = torch.softmax(scores, -1, out=None if torch.is_grad_enabled() else scores)
        weights = F.dropout(weights, dropout)
        output = weights @ value  # (..., n_q, d_v)
    return visible.silence(output).to(dtype), visible.silence(weights).to(dtype)


class SelfAttention(nn.Module):
    """A layer in which every position attends to every position of the same sequence; one head.

    ``attention(x·W_q, x·W_k, x·W_v)``, each product with its own learned matrix and bias.

    Args:
        embed_size: the width of the input and of the output.

    Raises:
        TypeError, ValueError: ``embed_size`` is not a whole number of at least 1.

    Source: Vaswani et al. 2017 (arXiv:1706.03762), sections 3.2.1 and 3.2.3.
    """

    def __init__(self, embed_size: int) -> None:
        super().__init__()
        self.embed_size = checks.size("embed_size", embed_size)
        self.query = nn.Linear(self.embed_size, self.embed_size)
        self.key = nn.Linear(self.embed_size, self.embed_size)
        self.value = nn.Linear(self.embed_size, self.embed_size)

    def forward(self, x: Tensor, mask: Tensor | None = None, *, causal: bool = False) -> Tensor:
        """The sequence after every position has looked at the others.

        Args:
            x: ``(batch, n, embed_size)``.
            mask: boolean, True = may attend, broadcastable to ``(batch, n, n)``.
            causal: position ``i`` may attend to positions ``0 … i`` only.

        Returns:
            ``(batch, n, embed_size)``.

        Raises:
            TypeError, ValueError: as :func:`scaled_dot_product_attention`.
        """
        checks.sequence("x", x, "n", ("embed_size", self.embed_size), self)
        shape = (x.size(0), x.size(1), x.size(1))
        checks.mask_fits(mask, shape, "(batch, n, n)", x.device)
        visible = Visibility(mask, None, checks.yes_or_no("causal", causal), x, x)
        q = visible.queries(x, self.query)  # (batch, n, embed_size)
        k = visible.keys(x, self.key)
        v = visible.keys(x, self.value)
        output, _ = _attend(q, k, v, visible)  # (batch, n, embed_size)
        return visible.settle(output)


class MultiHeadAttention(nn.Module):
    """Several attentions side by side, each in its own ``d_head`` of the ``d_model`` columns.

    ``concatenate(head_1, …, head_h)·W_o`` with
    ``head_i = attention(query·W_q,i, key·W_k,i, value·W_v,i)``. The matrices of all heads lie side
    by side in one ``nn.Linear`` each: ``query``, ``key``, ``value``, and ``output`` for ``W_o``.

    Args:
        d_model: the width of the inputs and of the output.
        num_heads: how many heads; divides ``d_model``.
        dropout: the probability with which a weight is set to zero, in training mode only.
        bias: whether the four linear layers add a bias.

    Raises:
        TypeError: ``d_model`` or ``num_heads`` is not a whole number, ``dropout`` not a number.
        ValueError: one of them is out of range, or ``num_heads`` does not divide ``d_model``.

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.2. Dropout on the weights is in the
    authors' code, not in the paper.
    """

    def __init__(
        self, d_model: int, num_heads: int, dropout: float = 0.0, bias: bool = True
    ) -> None:
        super().__init__()
        self.d_model = checks.size("d_model", d_model)
        self.num_heads = checks.size("num_heads", num_heads)
        if self.d_model % self.num_heads:
            raise ValueError(f"d_model: got {d_model}, expected a multiple of {num_heads} heads")
        self.dropout = checks.probability("dropout", dropout)
        self.query = nn.Linear(self.d_model, self.d_model, bias=bias)
        self.key = nn.Linear(self.d_model, self.d_model, bias=bias)
        self.value = nn.Linear(self.d_model, self.d_model, bias=bias)
        self.output = nn.Linear(self.d_model, self.d_model, bias=bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        causal: bool = False,
        need_weights: bool = False,
        bias: Tensor | None = None,
        rotate: Callable[[Tensor], Tensor] | None = None,
        cache: KeyValueCache | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend from ``query`` to ``key``; without ``key``, from ``query`` to itself.

        Without ``need_weights`` torch's fused kernel does the work. It never holds all the weights
        in memory, gives the same numbers, and cannot be differentiated twice.

        Args:
            query: ``(batch, n_q, d_model)``.
            key: ``(batch, n_k, d_model)``; ``query`` if not given.
            value: ``(batch, n_k, d_model)``; ``key`` if not given.
            mask: boolean, True = may attend. ``(n_q, n_k)`` for all, ``(batch, n_q, n_k)`` for each
                sequence, ``(batch, heads, n_q, n_k)`` for each head; any of these axes may be 1.
                Three axes always begin with the batch, never with the heads, so that
                :func:`padding_mask` fits.
            causal: query ``i`` may attend to keys ``0 … i`` only, besides ``mask``.
            need_weights: return the weights too.
            bias: added to the scaled scores, broadcastable to ``(batch, heads, n_q, n_k)``, so that
                three axes begin with the heads; for instance
                :func:`attention_course.positions.alibi_bias`.
            rotate: applied to the queries and to the keys of all heads before they meet, from
                ``(batch, heads, n, d_head)`` to the same shape; for instance
                ``lambda x: rotary_embedding(x, torch.arange(x.size(-2)))``.
            cache: the keys and values of earlier calls, which stand before those of this call and
                are not computed again; those of this call are added to it. ``n_k`` counts them all,
                and for ``causal`` the first query stands behind the earlier ones.

        Returns:
            The output ``(batch, n_q, d_model)``, and the weights ``(batch, heads, n_q, n_k)`` with
            which it was made, so after dropout, or None.

        Raises:
            TypeError: an argument is not a floating-point tensor of the layer's dtype, the mask is
                not boolean.
            ValueError: the shapes do not fit, an argument is on another device than the layer.
        """
        key = query if key is None else key
        value = key if value is None else value
        past = 0 if cache is None else len(cache)
        mask, bias = checks.heads(self, query, key, value, mask, bias, past)
        causal = checks.yes_or_no("causal", causal)
        visible = Visibility(mask, bias, causal, query, key, heads=1, past=past)

        q = self._split(visible.queries(query, self.query))  # (batch, heads, n_q, d_head)
        k = self._split(visible.keys(key, self.key))  # (batch, heads, n_k, d_head)
        v = self._split(visible.keys(value, self.value))  # (batch, heads, n_k, d_head)
        if rotate is not None:
            q, k = _rotated(rotate, q), _rotated(rotate, k)
        if cache is not None:
            k, v = cache.extend(k, v)  # (batch, heads, past + n_k, d_head)

        attend = _attend if need_weights else _attend_fused
        heads, weights = attend(q, k, v, visible, dropout=self.dropout if self.training else 0.0)
        output = self.output(heads.transpose(1, 2).flatten(2))  # (batch, n_q, d_model)
        return visible.settle(output), weights

    def _split(self, x: Tensor) -> Tensor:
        # (batch, n, d_model) -> (batch, n, heads, d_head) -> (batch, heads, n, d_head)
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

    def extra_repr(self) -> str:
        return f"d_model={self.d_model}, num_heads={self.num_heads}, dropout={self.dropout}"


class KeyValueCache:
    """The keys and values that one attention has computed so far, for decoding token by token.

    A token's key and value do not change when others follow it, so they need computing only once.

    Attributes:
        keys, values: ``(batch, heads, n, d_head)`` each, None before the first call.
    """

    def __init__(self) -> None:
        self.keys: Tensor | None = None
        self.values: Tensor | None = None

    def __len__(self) -> int:
        return 0 if self.keys is None else self.keys.size(-2)

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Put ``(batch, heads, n_new, d_head)`` behind what is there, and return all of it."""
        if self.keys is not None and self.values is not None:
            keys = torch.cat([self.keys, keys], dim=-2)
            values = torch.cat([self.values, values], dim=-2)
        self.keys, self.values = keys, values
        return keys, values

    def select(self, rows: Tensor) -> None:
        """Keep these rows of the batch, in this order; a row may be there more than once."""
        if self.keys is not None and self.values is not None:
            self.keys, self.values = self.keys[rows], self.values[rows]


def causal_mask(n: int, *, device: torch.device | str | None = None) -> Tensor:
    """The mask with which position ``i`` may attend to positions ``0 … i``, not to the future.

    Args:
        n: how many positions.
        device: where to make it; torch's default device if not given.

    Returns:
        Boolean ``(n, n)``, True on and below the diagonal.

    Raises:
        TypeError, ValueError: ``n`` is not a whole number of at least 1.

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.3.
    """
    n = checks.size("n", n)
    return torch.ones(n, n, dtype=torch.bool, device=device).tril()


def padding_mask(tokens: Tensor, pad_id: int) -> Tensor:
    """The mask with which no query attends to padding.

    The middle axis stands for all queries, so that the mask plugs into
    :func:`scaled_dot_product_attention` on ``(batch, n, d)`` and into :class:`MultiHeadAttention`,
    alone or as ``padding_mask(tokens, pad_id) & causal_mask(n)``. On ``(batch, heads, n, d)``
    the scaled dot product needs an axis for the heads: ``padding_mask(tokens, pad_id)[:, None]``.
    The mask is on the device of the tokens.

    Args:
        tokens: ids ``(batch, n)``.
        pad_id: the id that stands for padding.

    Returns:
        Boolean ``(batch, 1, n)``, True where there is a real token.

    Raises:
        TypeError: ``tokens`` is not a tensor of whole numbers, ``pad_id`` not a whole number.
        ValueError: ``tokens`` has no axis, or its dtype cannot hold ``pad_id``.
    """
    checks.integers("tokens", tokens, "(batch, n)")
    if tokens.ndim < 1:
        raise ValueError("tokens: got a single id without axes, expected shape (batch, n)")
    pad_id, held = checks.whole_number("pad_id", pad_id), torch.iinfo(tokens.dtype)
    if not held.min <= pad_id <= held.max:
        raise ValueError(
            f"pad_id: got {pad_id}, expected an id that {tokens.dtype} tokens can have, "
            f"{held.min} to {held.max}"
        )
    return (tokens != pad_id).unsqueeze(-2)  # (batch, n) -> (batch, 1, n)


def _attend_fused(
    query: Tensor, key: Tensor, value: Tensor, visible: Visibility, dropout: float = 0.0
) -> tuple[Tensor, None]:
    """The same output by torch's kernel, which does not keep the weights."""
    dtype = query.dtype
    # A kernel wants the bias in the query's dtype, and bfloat16 cannot count to 300.
    precise = dtype if visible.bias is None else precise_dtype(query)
    query, key, value = query.to(precise), key.to(precise), value.to(precise)
    with _without_autocast(query):
        output = F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=None if visible.is_causal else visible.added_to_scores(precise),
            dropout_p=dropout,
            is_causal=visible.is_causal,
        )  # (..., n_q, d_v)
    return visible.silence(output).to(dtype), None


def _without_autocast(x: Tensor) -> AbstractContextManager[None]:
    if checks.autocasts(x.device):
        return torch.autocast(x.device.type, enabled=False)
    return nullcontext()


def _rotated(rotate: Callable[[Tensor], Tensor], heads: Tensor) -> Tensor:
    rotated = rotate(heads)
    if not isinstance(rotated, Tensor) or rotated.shape != heads.shape:
        raise ValueError(
            f"rotate: returned {checks.describe(rotated)}, "
            f"expected the shape it was given, {tuple(heads.shape)}"
        )
    return rotated.to(heads.dtype)
