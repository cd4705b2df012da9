"""What is hidden stays hidden: no value of it, however odd, reaches an output or a gradient."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tensors import every_dtype, normal

from attention_course.attention import (
    MultiHeadAttention,
    SelfAttention,
    causal_mask,
    padding_mask,
    scaled_dot_product_attention,
)

seeds = st.integers(0, 2**31)
N, SHOWN = 6, 3  # tokens, of which the first may be seen by the first
TOKENS = torch.tensor([[5] * SHOWN + [0] * (N - SHOWN)] * 2)
FORBIDDEN = torch.zeros(N, N).masked_fill(~causal_mask(N), -math.inf)

HIDDEN_BY = {
    "causal": {"causal": True},
    "mask": {"mask": causal_mask(N)},
    "bias": {"bias": FORBIDDEN},
    "padding": {"mask": padding_mask(TOKENS, 0)},
    "padding and the future": {"mask": padding_mask(TOKENS, 0) & causal_mask(N)},
    "mask and causal": {"mask": padding_mask(TOKENS, 0), "causal": True},
    "mask and bias": {"mask": padding_mask(TOKENS, 0), "bias": FORBIDDEN},
}


def plain(x, **options):
    return scaled_dot_product_attention(x, x, x, **options)


def one_head(x, **options):
    torch.manual_seed(0)
    layer = SelfAttention(8).to(x.dtype)
    return layer(x, **options), *layer.parameters()


def heads(x, need_weights, **options):
    torch.manual_seed(0)
    layer = MultiHeadAttention(8, 2).to(x.dtype)
    output, weights = layer(x, need_weights=need_weights, **options)
    return output, *layer.parameters(), *([weights[:, :, :SHOWN]] if need_weights else [])


WAYS = {
    "scaled dot product": plain,
    "one head": one_head,
    "heads with weights": lambda x, **options: heads(x, True, **options),
    "heads, fused": lambda x, **options: heads(x, False, **options),
}


def results(way, x, options):
    """The first tokens' outputs, and their sum's gradients with respect to all there is."""
    x = x.clone().requires_grad_()
    output, *others = way(x, **options)
    parameters = [other for other in others if other.is_leaf]
    gradients = torch.autograd.grad(output[:, :SHOWN].double().pow(2).sum(), [x, *parameters])
    first = [other[..., :SHOWN, :] for other in others if not other.is_leaf]
    return [output[:, :SHOWN], *first, gradients[0][:, :SHOWN], *gradients[1:]], gradients[0]


PAIRS = [
    (way, by)
    for way in WAYS
    for by in HIDDEN_BY
    if way != "one head" or "bias" not in HIDDEN_BY[by]  # which takes none
]


@every_dtype
@pytest.mark.parametrize(("way", "by"), PAIRS)
def test_nothing_hidden_reaches_an_output_or_a_gradient(dtype, way, by):
    x = normal(2, N, 8, dtype=dtype)
    expected, _ = results(WAYS[way], x, HIDDEN_BY[by])
    for odd in (math.nan, math.inf, -math.inf, torch.finfo(dtype).max, 6e4):
        spoilt = x.clone()
        spoilt[:, SHOWN:] = odd
        ours, gradient = results(WAYS[way], spoilt, HIDDEN_BY[by])
        assert (gradient[:, SHOWN:] == 0).all()
        digits = 8 * torch.finfo(dtype).eps
        for one, other in zip(ours, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=digits, atol=digits)


@every_dtype
@pytest.mark.parametrize(
    ("way", "by"), [(way, by) for way, by in PAIRS if by in ("causal", "mask", "bias")]
)
def test_what_is_seen_is_not_hidden(dtype, way, by):
    x = normal(2, N, 8, dtype=dtype)
    for odd in (math.nan, math.inf):
        x[1, SHOWN] = odd
        output = WAYS[way](x, **HIDDEN_BY[by])[0]
        assert output[1, SHOWN:].isnan().all()
        assert output[1, :SHOWN].isfinite().all()
        assert output[0].isfinite().all()


def test_where_nothing_is_hidden_numbers_take_their_course():
    x = normal(2, N, 8)
    x[1, SHOWN] = math.nan
    for way in WAYS.values():
        output = way(x)[0]
        assert output[1].isnan().all()
        assert output[0].isfinite().all()


@given(n_q=st.integers(1, 6), n_k=st.integers(1, 6), seed=seeds)
def test_causal_attention_does_not_see_the_future(n_q, n_k, seed):
    q, k, v = (normal(n, 4, seed=seed + i) for i, n in enumerate((n_q, n_k, n_k)))
    output, weights = scaled_dot_product_attention(q, k, v, causal=True)
    assert torch.equal(weights, weights.tril())
    for now in range(min(n_q, n_k)):
        for future in (100.0, math.nan, -math.inf):
            k2, v2 = k.clone(), v.clone()
            k2[now + 1 :], v2[now + 1 :] = future, -future
            changed, _ = scaled_dot_product_attention(q, k2, v2, causal=True)
            assert torch.equal(changed[: now + 1], output[: now + 1])
            if not math.isfinite(future) and now + 1 < n_k:
                assert changed[now + 1 :].isnan().all()
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(output, expected)


@given(seed=seeds)
def test_minus_infinity_in_the_bias_forbids_as_the_mask_does(seed):
    q, k, v = (normal(2, 4, 4, seed=seed + i).requires_grad_() for i in range(3))
    mask = torch.rand(4, 4, generator=torch.Generator().manual_seed(seed)) < 0.6
    mask[1] = False
    bias = torch.zeros(4, 4).masked_fill(~mask, -math.inf)
    by_mask = scaled_dot_product_attention(q, k, v, mask)
    by_bias = scaled_dot_product_attention(q, k, v, bias=bias)
    for ours, expected in zip(by_bias, by_mask, strict=True):
        assert torch.equal(ours, expected)
    assert all(g.isfinite().all() for g in torch.autograd.grad(by_bias[0].sum(), [q, k, v]))


def test_a_hidden_pair_of_the_bias_may_be_anything():
    q, bias = normal(2, N, 4), normal(N, N)
    expected = scaled_dot_product_attention(q, q, q, bias=bias, causal=True)[0]
    for odd in (math.nan, math.inf):
        spoilt = bias.masked_fill(~causal_mask(N), odd).requires_grad_()
        output = scaled_dot_product_attention(q, q, q, bias=spoilt, causal=True)[0]
        assert torch.equal(output, expected)
        assert torch.autograd.grad(output.sum(), spoilt)[0].isfinite().all()


@pytest.mark.parametrize("odd", [0.0, math.nan, math.inf])
@pytest.mark.parametrize("way", WAYS)
def test_a_query_without_a_key_gets_zero_whatever_there_is(way, odd):
    x = normal(2, N, 8)
    x[0] = x[0] + odd
    output, *_ = WAYS[way](x, mask=torch.tensor([False, True])[:, None, None].expand(2, 1, N))
    assert (output[0] == 0).all()
    torch.testing.assert_close(output[1], WAYS[way](x)[0][1])


@pytest.mark.parametrize("options", [{"mask": causal_mask(N) & False}, {"causal": True}], ids=str)
@pytest.mark.parametrize("way", WAYS)
def test_there_is_no_nan_even_on_the_way_back(way, options):
    x = normal(2, N, 8)
    x[:, SHOWN:] = math.nan
    with torch.autograd.set_detect_anomaly(True):
        results(WAYS[way], x, options)
