"""Attention: the scaled dot product, one head, many heads, and the masks they take.

Axes have the same names everywhere: ``batch``, ``heads``, ``n_q`` queries, ``n_k`` keys, ``d`` the
width of a query and of a key, ``d_v`` the width of a value, ``d_head = d_model / heads``.

Masks are boolean and say where a query **may** attend: True = may attend. A query that may attend
to no key gets weights of zero and an output of zero, and passes no gradient on.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import checks

_WHOLE_NUMBERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


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
        ValueError: the shapes do not fit.

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.1, equation 1.
    """
    _check_attention(query, key, value, mask, bias)
    checks.yes_or_no("causal", causal)
    scale = 1 / math.sqrt(query.size(-1)) if scale is None else checks.real_number("scale", scale)
    bias = None if bias is None else bias.to(_precise_dtype(query))
    allowed = _allowed(mask, bias, causal, query, key)  # (..., n_q or 1, n_k)
    output, weights = _attend(query, key, value, allowed, bias, scale)
    # The weights lack the axes that only the values have.
    return output, weights.expand(*output.shape[:-1], key.size(-2))


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
        _check_sequence("x", x, "(batch, n, embed_size)", self.embed_size)
        _check_same_dtype_as_parameters("x", x, self)
        output, _ = scaled_dot_product_attention(
            self.query(x), self.key(x), self.value(x), mask, causal=causal
        )
        return output


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
        self.dropout = checks.real_number("dropout", dropout)
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout: got {dropout}, expected at least 0 and less than 1")
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

        Returns:
            The output ``(batch, n_q, d_model)``, and the weights ``(batch, heads, n_q, n_k)`` with
            which it was made, so after dropout, or None.

        Raises:
            TypeError: an argument is not a floating-point tensor of the layer's dtype, the mask is
                not boolean.
            ValueError: the shapes do not fit.
        """
        key = query if key is None else key
        value = key if value is None else value
        self._check(query, key, value, causal)
        shape = (query.size(0), self.num_heads, query.size(1), key.size(1))
        mask, bias = _mask_of_heads(mask, shape), _bias_of_heads(bias, shape, query)

        q = self._split(self.query(query))  # (batch, heads, n_q, d_head)
        k = self._split(self.key(key))  # (batch, heads, n_k, d_head)
        v = self._split(self.value(value))  # (batch, heads, n_k, d_head)
        if rotate is not None:
            q, k = _rotated(rotate, q), _rotated(rotate, k)

        scale = 1 / math.sqrt(q.size(-1))
        dropout = self.dropout if self.training else 0.0
        every_query_has_a_key = mask is None and bias is None and key.size(1) > 0
        if every_query_has_a_key and not need_weights:
            heads = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=causal)
            return self._join(heads), None
        allowed = _allowed(mask, bias, causal, q, k)  # (batch or 1, heads or 1, n_q or 1, n_k)
        attend = _attend if need_weights else _attend_fused
        heads, weights = attend(q, k, v, allowed, bias, scale, dropout)
        # A query without a key in any head gets zero, so not the bias of the last layer either.
        attends = allowed.any(-1).any(1)  # (batch or 1, n_q or 1)
        return self._join(heads).masked_fill(~attends[..., None], 0.0), weights

    def _split(self, x: Tensor) -> Tensor:
        # (batch, n, d_model) -> (batch, n, heads, d_head) -> (batch, heads, n, d_head)
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

    def _join(self, heads: Tensor) -> Tensor:
        # (batch, heads, n_q, d_head) -> (batch, n_q, heads, d_head) -> (batch, n_q, d_model)
        return self.output(heads.transpose(1, 2).flatten(2))

    def _check(self, query: Tensor, key: Tensor, value: Tensor, causal: bool) -> None:
        inputs = {"query": (query, "n_q"), "key": (key, "n_k"), "value": (value, "n_k")}
        for name, (tensor, n) in inputs.items():
            _check_sequence(name, tensor, f"(batch, {n}, d_model)", self.d_model)
            _check_same_dtype_as_parameters(name, tensor, self)
            if len(tensor) != len(query):
                raise ValueError(f"{name}: got a batch of {len(tensor)}, expected {len(query)}")
        _check_one_value_a_key(key, value)
        checks.yes_or_no("causal", causal)

    def extra_repr(self) -> str:
        return f"d_model={self.d_model}, num_heads={self.num_heads}, dropout={self.dropout}"


def causal_mask(n: int) -> Tensor:
    """The mask with which position ``i`` may attend to positions ``0 … i``, not to the future.

    Args:
        n: how many positions.

    Returns:
        Boolean ``(n, n)``, True on and below the diagonal.

    Raises:
        TypeError, ValueError: ``n`` is not a whole number of at least 1.

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.3.
    """
    n = checks.size("n", n)
    return torch.ones(n, n, dtype=torch.bool).tril()


def padding_mask(tokens: Tensor, pad_id: int) -> Tensor:
    """The mask with which no query attends to padding.

    The middle axis stands for all queries, so that the mask plugs into
    :func:`scaled_dot_product_attention` on ``(batch, n, d)`` and into :class:`MultiHeadAttention`,
    alone or as ``padding_mask(tokens, pad_id) & causal_mask(n)``. On ``(batch, heads, n, d)``
    the scaled dot product needs an axis for the heads: ``padding_mask(tokens, pad_id)[:, None]``.

    Args:
        tokens: ids ``(batch, n)``.
        pad_id: the id that stands for padding.

    Returns:
        Boolean ``(batch, 1, n)``, True where there is a real token.

    Raises:
        TypeError: ``tokens`` is not a tensor of whole numbers, ``pad_id`` not a whole number.
        ValueError: ``tokens`` has no axis.
    """
    if not isinstance(tokens, Tensor) or tokens.dtype not in _WHOLE_NUMBERS:
        raise TypeError(
            f"tokens: got {checks.describe(tokens)}, expected an integer tensor of shape (batch, n)"
        )
    if tokens.ndim < 1:
        raise ValueError("tokens: got a single id without axes, expected shape (batch, n)")
    # (batch, n) -> (batch, 1, n)
    return (tokens != checks.whole_number("pad_id", pad_id)).unsqueeze(-2)


def _allowed(
    mask: Tensor | None, bias: Tensor | None, causal: bool, query: Tensor, key: Tensor
) -> Tensor:
    """Where a query may attend after all that has a say in it: (..., n_q or 1, n_k)."""
    leading, n_q, n_k = (1,) * (query.ndim - 2), query.size(-2), key.size(-2)
    allowed = torch.ones(*leading, n_q if causal else 1, n_k, dtype=torch.bool, device=query.device)
    if causal:
        allowed = allowed.tril()
    if mask is not None:
        allowed = allowed & mask
    if bias is not None:
        allowed = allowed & ~bias.isneginf()
    return allowed


def _attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    allowed: Tensor,
    bias: Tensor | None,
    scale: float,
    dropout: float = 0.0,
) -> tuple[Tensor, Tensor]:
    query = _precise(query) * scale  # scaled here, where there is less to multiply than in scores
    scores = query @ _precise(key).transpose(-2, -1)  # (..., n_q, n_k)
    if bias is not None:
        scores = scores + bias
    # With -inf a row without a key would be NaN on the way, which detect_anomaly reports.
    lowest = torch.finfo(scores.dtype).min
    weights = scores.masked_fill(~allowed, lowest).softmax(-1).masked_fill(~allowed, 0.0)
    weights = F.dropout(weights, dropout)
    output = weights @ _precise(value)  # (..., n_q, d_v)
    return output.to(value.dtype), weights.to(value.dtype)


def _attend_fused(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    allowed: Tensor,
    bias: Tensor | None,
    scale: float,
    dropout: float = 0.0,
) -> tuple[Tensor, None]:
    """The same output by torch's kernel, which does not keep the weights."""
    # What a kernel makes of a row without a key depends on the kernel, so it never sees one.
    empty = ~allowed.any(-1, keepdim=True)  # (..., n_q or 1, 1)
    dtype = query.dtype
    if bias is None:
        attn_mask = allowed | empty  # (..., n_q or 1, n_k)
    else:
        # A kernel may want the bias in the query's dtype, and bfloat16 cannot count to 300.
        query, key, value = _precise(query), _precise(key), _precise(value)
        attn_mask = bias.masked_fill(~allowed, -math.inf).masked_fill(empty, 0.0)
    output = F.scaled_dot_product_attention(
        query, key, value, attn_mask=attn_mask, dropout_p=dropout, scale=scale
    )  # (..., n_q, d_v)
    return output.masked_fill(empty, 0.0).to(dtype), None


def _precise_dtype(x: Tensor) -> torch.dtype:
    return torch.promote_types(x.dtype, torch.float32)


def _precise(x: Tensor) -> Tensor:
    """``x`` in at least 32 bits."""
    return x.to(_precise_dtype(x))


def _rotated(rotate: Callable[[Tensor], Tensor], heads: Tensor) -> Tensor:
    rotated = rotate(heads)
    if not isinstance(rotated, Tensor) or rotated.shape != heads.shape:
        raise ValueError(
            f"rotate: returned {checks.describe(rotated)}, "
            f"expected the shape it was given, {tuple(heads.shape)}"
        )
    return rotated


def _mask_of_heads(mask: Tensor | None, shape: tuple[int, int, int, int]) -> Tensor | None:
    """The mask with all four axes ``(batch, heads, n_q, n_k)``, any of them possibly 1."""
    if mask is None:
        return None
    _check_boolean(mask)
    batch, _, n_q, n_k = shape
    if mask.ndim == 3:
        checks.broadcasts("mask", mask, (batch, n_q, n_k), "(batch, n_q, n_k)")
        return mask.unsqueeze(1)  # (batch, 1, n_q, n_k)
    checks.broadcasts("mask", mask, shape, "(batch, heads, n_q, n_k)")
    return mask[(None,) * (4 - mask.ndim)]


def _bias_of_heads(
    bias: Tensor | None, shape: tuple[int, int, int, int], query: Tensor
) -> Tensor | None:
    if bias is None:
        return None
    checks.floating("bias", bias, "(batch, heads, n_q, n_k)")
    checks.broadcasts("bias", bias, shape, "(batch, heads, n_q, n_k)")
    return bias.to(_precise_dtype(query))[(None,) * (4 - bias.ndim)]


def _check_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, bias: Tensor | None
) -> None:
    inputs = {
        "query": (query, "(..., n_q, d)"),
        "key": (key, "(..., n_k, d)"),
        "value": (value, "(..., n_k, d_v)"),
    }
    for name, (tensor, axes) in inputs.items():
        checks.floating(name, tensor, axes)
        if tensor.ndim < 2:
            raise ValueError(f"{name}: got shape {tuple(tensor.shape)}, expected {axes}")
        checks.same_dtype(name, tensor, query.dtype, "query")
    if query.size(-1) < 1:
        raise ValueError(f"query: got shape {tuple(query.shape)}, expected a width of at least 1")
    if key.size(-1) != query.size(-1):
        raise ValueError(f"key: got width {key.size(-1)}, expected the query's, {query.size(-1)}")
    _check_one_value_a_key(key, value)
    leading = _leading_axes(query, key, value)
    scores = (*leading, query.size(-2), key.size(-2))
    if mask is not None:
        _check_boolean(mask)
        checks.broadcasts("mask", mask, scores, "(..., n_q, n_k)")
    if bias is not None:
        checks.floating("bias", bias, "(..., n_q, n_k)")
        checks.broadcasts("bias", bias, scores, "(..., n_q, n_k)")


def _leading_axes(query: Tensor, key: Tensor, value: Tensor) -> tuple[int, ...]:
    leading = [tuple(x.shape[:-2]) for x in (query, key, value)]
    try:
        return torch.broadcast_shapes(*leading)
    except RuntimeError:
        raise ValueError(
            "query, key, value: got leading axes {}, {} and {}, "
            "expected axes that broadcast".format(*leading)
        ) from None


def _check_boolean(mask: Tensor) -> None:
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        raise TypeError(
            f"mask: got {checks.describe(mask)}, "
            "expected a boolean tensor, True where a query may attend to a key"
        )


def _check_one_value_a_key(key: Tensor, value: Tensor) -> None:
    if value.size(-2) != key.size(-2):
        raise ValueError(
            f"value: got {value.size(-2)} values, expected one for each of the {key.size(-2)} keys"
        )


def _check_sequence(name: str, x: Tensor, axes: str, width: int) -> None:
    checks.floating(name, x, axes)
    if x.ndim != 3 or x.size(-1) != width:
        raise ValueError(
            f"{name}: got shape {tuple(x.shape)}, expected {axes} with a width of {width}"
        )


def _check_same_dtype_as_parameters(name: str, x: Tensor, layer: nn.Module) -> None:
    # A quantized layer may have no parameters left.
    for parameter in layer.parameters():
        checks.same_dtype(name, x, parameter.dtype, "the layer's parameters")
        return
