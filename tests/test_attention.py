"""Attention against torch's own kernels, against a loop written out by hand, and against itself."""

import copy
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as shapes
from tensors import coin, every_dtype, normal
from torch import nn
from torch.nn import functional as F

from attention_course.attention import (
    MultiHeadAttention,
    SelfAttention,
    causal_mask,
    padding_mask,
    scaled_dot_product_attention,
)
from attention_course.positions import alibi_bias, rotary_embedding

both_paths = pytest.mark.parametrize("need_weights", [True, False], ids=["weights", "fused"])
seeds = st.integers(0, 2**31)


def by_hand(query, key, value, allowed, bias, scale):
    """Attention of one (n_q, d), (n_k, d), (n_k, d_v), one query after the other, in NumPy."""
    weights = np.zeros((len(query), len(key)))
    for i, q in enumerate(query):
        keys = [j for j in range(len(key)) if allowed[i, j]]
        if keys:
            scores = np.array([np.dot(q, key[j]) * scale + bias[i, j] for j in keys])
            powers = np.exp(scores - scores.max())
            weights[i, keys] = powers / powers.sum()
    return weights @ value, weights


@st.composite
def problems(draw, max_side=5, min_width=0):
    """Queries, keys and values whose leading axes broadcast, and options, of any fitting shapes."""
    leading = draw(shapes.mutually_broadcastable_shapes(num_shapes=5, max_dims=3, max_side=3))
    n_q, n_k = draw(st.tuples(st.integers(0, max_side), st.integers(0, max_side)))
    d, d_v = draw(st.tuples(st.integers(1, max_side), st.integers(min_width, max_side)))
    seed = draw(seeds)
    *axes, mask_axes, bias_axes = leading.input_shapes
    full = torch.broadcast_shapes(*axes)
    q, k, v = (
        normal(*lead, *shape, seed=seed + i)
        for i, (lead, shape) in enumerate(zip(axes, [(n_q, d), (n_k, d), (n_k, d_v)], strict=True))
    )
    options = {"causal": draw(st.booleans()), "scale": draw(st.sampled_from([None, 0.3, -1, 2.5]))}

    def fitting(axes):
        axes = axes if torch.broadcast_shapes(axes, full) == full else ()
        return (*axes, draw(st.sampled_from([n_q, 1])), draw(st.sampled_from([n_k, 1])))

    if draw(st.booleans()):
        options["mask"] = coin(*fitting(mask_axes), seed=seed)
    if draw(st.booleans()):
        options["bias"] = normal(*fitting(bias_axes), seed=seed + 3)
    return q, k, v, options


def spelled_out(query, key, value, options):
    """The problem with every leading axis, the mask and the bias written out in full."""
    leading = torch.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    q, k, v = (x.expand(*leading, *x.shape[-2:]) for x in (query, key, value))
    scores = (*leading, q.size(-2), k.size(-2))
    allowed = options.get("mask", torch.tensor(True)).expand(scores)
    if options["causal"]:
        allowed = allowed & torch.ones(scores[-2:], dtype=torch.bool).tril()
    bias = options.get("bias", torch.tensor(0.0, dtype=q.dtype)).expand(scores)
    scale = 1 / math.sqrt(q.size(-1)) if options["scale"] is None else options["scale"]
    return q, k, v, allowed, bias, scale


# The scaled dot product


@given(problems())
def test_it_equals_attention_by_hand(problem):
    query, key, value, options = problem
    output, weights = scaled_dot_product_attention(query, key, value, **options)
    q, k, v, allowed, bias, scale = spelled_out(*problem)
    assert output.shape == (*q.shape[:-1], v.size(-1))
    assert weights.shape == allowed.shape
    for at in np.ndindex(q.shape[:-2]):
        parts = [x[at].numpy() for x in (q, k, v, allowed, bias)]
        expected_output, expected_weights = by_hand(*parts, scale)
        np.testing.assert_allclose(output[at], expected_output, atol=1e-12)
        np.testing.assert_allclose(weights[at], expected_weights, atol=1e-12)


@given(problems(min_width=1))
def test_output_and_gradients_equal_torchs(problem):
    query, key, value, options = problem
    inputs = [x.requires_grad_() for x in (query, key, value)]
    output, _ = scaled_dot_product_attention(query, key, value, **options)
    q, k, v, allowed, bias, scale = spelled_out(*problem)
    attn_mask = bias.masked_fill(~allowed, -math.inf)
    empty = ~allowed.any(-1, keepdim=True)
    # Torch's answer for a row without a key has changed over time, so it is not asked.
    attn_mask = attn_mask.masked_fill(empty, 0)
    expected = F.scaled_dot_product_attention(q, k, v, attn_mask=attn_mask, scale=scale)
    expected = expected.masked_fill(empty, 0)
    torch.testing.assert_close(output, expected)

    direction = normal(*output.shape, seed=1)
    gradients = torch.autograd.grad(output, inputs, direction)
    expected_gradients = torch.autograd.grad(expected, inputs, direction)
    for ours, theirs in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(ours, theirs)
        assert ours.isfinite().all()


@given(problems())
def test_weights_are_a_distribution_over_the_allowed_keys(problem):
    query, key, value, options = problem
    _, weights = scaled_dot_product_attention(query, key, value, **options)
    allowed = spelled_out(*problem)[3]
    assert (weights >= 0).all()
    assert (weights[~allowed] == 0).all()
    torch.testing.assert_close(weights.sum(-1), allowed.any(-1).double())


@every_dtype
@given(seed=seeds, causal=st.booleans())
def test_every_precision_is_as_good_as_its_last_digit(dtype, seed, causal):
    q, k, v = (normal(2, 33, 8, seed=seed + i, dtype=dtype, scale=3) for i in range(3))
    mask = coin(2, 33, 33, seed=seed)
    output, weights = scaled_dot_product_attention(q, k, v, mask, causal=causal)
    exact = scaled_dot_product_attention(q.double(), k.double(), v.double(), mask, causal=causal)
    assert output.dtype == weights.dtype == dtype
    digit = torch.finfo(dtype).eps
    for ours, expected in zip((output, weights), exact, strict=True):
        # In float32 the scores, up to 100 here, are rounded before they are powers of e.
        slack = 200 if dtype.itemsize >= 4 else 1
        torch.testing.assert_close(ours.double(), expected, rtol=slack * digit, atol=slack * digit)


@every_dtype
def test_huge_logits_stay_finite(dtype):
    q, k, v = (normal(4, 6, 16, seed=i, dtype=dtype, scale=1e4) for i in range(3))
    q.requires_grad_()
    output, weights = scaled_dot_product_attention(q, k, v, causal=True)
    assert output.isfinite().all()
    torch.testing.assert_close(weights.double().sum(-1), torch.ones(4, 6, dtype=torch.float64))
    output.double().sum().backward()
    assert q.grad.isfinite().all()


@pytest.mark.parametrize("size", [1e4, -1e4])
def test_scores_of_ten_thousand_choose_the_largest(size):
    key = torch.tensor([[1.0], [1.01], [0.99]])
    query, value = torch.tensor([[size]]), torch.eye(3)
    output, weights = scaled_dot_product_attention(query, key, value, scale=1)
    best = (query * key.T).argmax()
    assert weights.argmax() == best
    assert weights.max() == 1
    assert torch.equal(output, weights)


@every_dtype
def test_a_query_without_a_key_gets_nothing_and_passes_nothing_on(dtype):
    q, k, v = (normal(2, 4, 8, seed=i, dtype=dtype).requires_grad_() for i in range(3))
    mask = torch.ones(2, 4, 4, dtype=torch.bool)
    mask[0] = False  # a whole sequence
    mask[1, 2] = False  # one query
    mask[1, :, 3] = False  # one key that nobody sees
    output, weights = scaled_dot_product_attention(q, k, v, mask)
    for nothing in (output[0], output[1, 2], weights[0], weights[1, 2]):
        assert (nothing == 0).all()
    output.double().pow(2).sum().backward()
    for x in (q, k, v):
        assert x.grad.isfinite().all()
        assert (x.grad[0] == 0).all()
    assert (q.grad[1, 2] == 0).all()
    assert (k.grad[1, 3] == 0).all()
    assert (v.grad[1, 3] == 0).all()
    assert (q.grad[1, 0] != 0).any()


def test_gradients_by_finite_differences():
    mask = torch.tensor([[True, True, False], [False, False, False], [False, True, True]])
    bias = normal(3, 3, seed=9).requires_grad_()
    inputs = [normal(2, 3, 4, seed=i).requires_grad_() for i in range(3)]

    def attend(query, key, value, bias):
        return scaled_dot_product_attention(query, key, value, mask, bias=bias)

    assert torch.autograd.gradcheck(attend, (*inputs, bias))
    assert torch.autograd.gradgradcheck(attend, (*inputs, bias))


@given(n=st.integers(1, 7), seed=seeds)
def test_permuted_queries_permute_the_output_and_permuted_keys_change_nothing(n, seed):
    q, k, v = (normal(n, 4, seed=seed + i) for i in range(3))
    mask = coin(n, n, seed=seed)
    rows = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    keys = rows.flip(0)
    output, weights = scaled_dot_product_attention(q, k, v, mask)
    shuffled, shuffled_weights = scaled_dot_product_attention(
        q[rows], k[keys], v[keys], mask[rows][:, keys]
    )
    torch.testing.assert_close(shuffled, output[rows])
    torch.testing.assert_close(shuffled_weights, weights[rows][:, keys])


def test_a_bias_of_another_dtype_keeps_the_querys():
    q = normal(3, 4, dtype=torch.float32)
    output, weights = scaled_dot_product_attention(q, q, q, bias=normal(3, 3))
    assert output.dtype == weights.dtype == torch.float32


def test_inputs_may_be_views_and_are_left_alone():
    x = normal(4, 6, 2, 3).requires_grad_()
    q, k, v = x.transpose(0, 2), x.transpose(0, 2)[::1].flip(-1), x.transpose(0, 2)[..., ::2]
    before = [t.detach().clone() for t in (q, k, v)]
    mask = coin(4, 4).T
    views = scaled_dot_product_attention(q, k, v, mask)
    solid = scaled_dot_product_attention(*(t.contiguous() for t in (q, k, v)), mask.contiguous())
    for ours, expected in zip(views, solid, strict=True):
        torch.testing.assert_close(ours, expected)
    for now, then in zip((q, k, v), before, strict=True):
        assert torch.equal(now, then)
    with torch.no_grad():
        assert not scaled_dot_product_attention(q, k, v)[0].requires_grad


# One head


def test_self_attention_is_torchs_single_head_without_its_last_layer():
    layer, x = SelfAttention(6).double(), normal(2, 5, 6)
    theirs = nn.MultiheadAttention(6, 1, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([getattr(layer, n).weight for n in INPUTS]))
        theirs.in_proj_bias.copy_(torch.cat([getattr(layer, n).bias for n in INPUTS]))
        theirs.out_proj.weight.copy_(torch.eye(6))
        theirs.out_proj.bias.zero_()
    torch.testing.assert_close(layer(x), theirs(x, x, x)[0])
    future = ~causal_mask(5)
    torch.testing.assert_close(layer(x, causal=True), theirs(x, x, x, attn_mask=future)[0])
    torch.testing.assert_close(layer(x, causal_mask(5)), layer(x, causal=True))


def test_self_attention_has_three_linear_layers():
    assert sorted(SelfAttention(4).state_dict()) == sorted(
        f"{name}.{part}" for name in INPUTS for part in ("weight", "bias")
    )


def test_self_attention_is_blind_to_order():
    layer, x = SelfAttention(8), normal(3, 7, 8, dtype=torch.float32)
    order = torch.randperm(7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(layer(x[:, order]), layer(x)[:, order])


def test_self_attention_on_padding_gives_zero():
    layer, x = SelfAttention(8), normal(2, 3, 8, dtype=torch.float32)
    output = layer(x, padding_mask(torch.tensor([[5, 0, 0], [0, 0, 0]]), 0))
    torch.testing.assert_close(output[0], layer(x[:1, :1])[0].expand(3, 8))
    assert (output[1] == 0).all()


# Many heads

INPUTS = ("query", "key", "value")


def attention(d_model=8, num_heads=2, dtype=torch.float64, **options):
    torch.manual_seed(0)
    return MultiHeadAttention(d_model, num_heads, **options).to(dtype)


def transplant(layer):
    """torch's layer with our weights."""
    bias = layer.query.bias is not None
    theirs = nn.MultiheadAttention(
        layer.d_model, layer.num_heads, bias=bias, batch_first=True, dtype=layer.query.weight.dtype
    )
    parts = [getattr(layer, name) for name in INPUTS]
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        theirs.out_proj.weight.copy_(layer.output.weight)
        if bias:
            theirs.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
            theirs.out_proj.bias.copy_(layer.output.bias)
    return theirs


@st.composite
def multi_head_problems(draw):
    """A layer, what it is called with, and the mask written out as (batch, heads, n_q, n_k)."""
    heads, d_head = draw(st.tuples(st.integers(1, 4), st.integers(1, 3)))
    batch, n_q, n_k = draw(st.tuples(*[st.integers(1, 4)] * 3))
    seed, d_model = draw(seeds), heads * d_head
    layer = attention(d_model, heads, bias=draw(st.booleans()))
    query = normal(batch, n_q, d_model, seed=seed)
    others = draw(st.integers(0, 2))  # self-attention, with a key, with a key and a value
    n_k = n_k if others else n_q
    inputs = [query, *(normal(batch, n_k, d_model, seed=seed + 1 + i) for i in range(others))]
    options = {"causal": draw(st.booleans())}
    axes = (batch, heads, n_q, n_k)
    allowed = torch.ones(axes, dtype=torch.bool)
    mask_axes = draw(st.sampled_from([None, "k", "qk", "bqk", "bhqk"]))
    if mask_axes:
        sizes = [draw(st.sampled_from([size, 1])) for size in axes]
        named = dict(zip("bhqk", sizes, strict=True))
        mask = coin(*(named[axis] for axis in mask_axes), seed=seed)
        options["mask"] = mask
        allowed = allowed & (mask[:, None] if mask_axes == "bqk" else mask)
    if options["causal"]:
        allowed = allowed & torch.ones(n_q, n_k, dtype=torch.bool).tril()
    return layer, inputs, options, allowed


@given(multi_head_problems())
def test_it_equals_torchs_layer(problem):
    layer, inputs, options, allowed = problem
    output, weights = layer(*inputs, **options, need_weights=True)
    fused, none = layer(*inputs, **options)
    assert none is None
    torch.testing.assert_close(fused, output)

    query = inputs[0]
    key = inputs[1] if len(inputs) > 1 else query
    value = inputs[-1] if len(inputs) > 1 else query
    # Torch's layer makes NaN of a row without a key: there it is asked something else.
    empty = ~allowed.any(-1, keepdim=True)  # (batch, heads, n_q, 1)
    expected, expected_weights = transplant(layer)(
        query, key, value, attn_mask=~(allowed | empty).flatten(0, 1), average_attn_weights=False
    )
    torch.testing.assert_close(weights, expected_weights.masked_fill(empty, 0))
    untouched = ~empty.any(1).squeeze(-1)  # (batch, n_q)
    torch.testing.assert_close(output[untouched], expected[untouched])
    nothing = empty.all(1).squeeze(-1)  # (batch, n_q)
    for result in (output, fused):
        assert (result[nothing] == 0).all()


@given(multi_head_problems())
def test_both_paths_have_the_same_gradients(problem):
    layer, inputs, options, _ = problem
    inputs = [x.requires_grad_() for x in inputs]
    gradients = []
    for need_weights in (True, False):
        output, _ = layer(*inputs, **options, need_weights=need_weights)
        direction = normal(*output.shape, seed=1)
        leaves = [*inputs, *layer.parameters()]
        gradients.append(torch.autograd.grad(output, leaves, direction))
    for slow, fast in zip(*gradients, strict=True):
        torch.testing.assert_close(slow, fast)
        assert fast.isfinite().all()


@every_dtype
@pytest.mark.parametrize("with_bias", [False, True])
def test_both_paths_agree_in_every_precision(dtype, with_bias):
    layer = attention(32, 4, dtype)
    x = normal(2, 300, 32, dtype=dtype)
    options = {"mask": coin(2, 300, 300, seed=1), "causal": True}
    if with_bias:
        options["bias"] = alibi_bias(4, 300)
    slow, weights = layer(x, **options, need_weights=True)
    fast, _ = layer(x, **options)
    assert slow.dtype == fast.dtype == weights.dtype == dtype
    digit = torch.finfo(dtype).eps
    torch.testing.assert_close(slow, fast, rtol=4 * digit, atol=4 * digit)


@every_dtype
@both_paths
@pytest.mark.parametrize("by", ["mask", "bias"])
def test_a_query_without_a_key_gets_zero_on_both_paths(dtype, need_weights, by):
    layer, x = attention(dtype=dtype), normal(3, 4, 8, dtype=dtype).requires_grad_()
    mask = torch.ones(3, 2, 4, 4, dtype=torch.bool)
    mask[0] = False
    mask[1, :, 2] = False
    how = {"mask": mask} if by == "mask" else {"bias": torch.zeros(4, 4).where(mask, -math.inf)}
    output, weights = layer(x, **how, need_weights=need_weights)
    assert (output[0] == 0).all()
    assert (output[1, 2] == 0).all()
    assert (output[2] != 0).any()
    if need_weights:
        assert (weights[0] == 0).all()
    output.double().pow(2).sum().backward()
    assert (x.grad[0] == 0).all()
    assert all(t.grad.isfinite().all() for t in (x, *layer.parameters()))


@every_dtype
@pytest.mark.parametrize("with_bias", [False, True])
def test_no_kernel_meets_a_row_without_a_key_or_a_bias_of_another_dtype(
    monkeypatch, dtype, with_bias
):
    layer, x = attention(dtype=dtype), normal(2, 3, 8, dtype=dtype)
    torchs, met = F.scaled_dot_product_attention, []

    def kernel(query, key, value, attn_mask, **options):
        met.append(attn_mask)
        allowed = attn_mask if attn_mask.dtype == torch.bool else attn_mask > -math.inf
        assert allowed.any(-1).all()
        assert attn_mask.dtype in (torch.bool, query.dtype)
        return torchs(query, key, value, attn_mask, **options)

    monkeypatch.setattr(F, "scaled_dot_product_attention", kernel)
    bias = alibi_bias(2, 3) if with_bias else None
    layer(x, mask=coin(3, 3, share=0.2), bias=bias)
    assert len(met) == 1


@both_paths
def test_a_head_without_a_key_adds_nothing(need_weights):
    layer, x = attention(), normal(1, 3, 8)
    mask = torch.ones(1, 2, 3, 3, dtype=torch.bool)
    mask[0, 1, 0] = False
    output, _ = layer(x, mask=mask, need_weights=need_weights)
    silenced = copy.deepcopy(layer)
    with torch.no_grad():
        silenced.output.weight[:, 4:] = 0  # the columns of the second head
    torch.testing.assert_close(output[0, 0], silenced(x)[0][0, 0])
    torch.testing.assert_close(output[0, 1:], layer(x)[0][0, 1:])


@both_paths
def test_three_axes_begin_with_the_batch_in_a_mask_and_with_the_heads_in_a_bias(need_weights):
    layer, x = attention(), normal(2, 3, 8)  # as many sequences as heads
    mask = coin(2, 3, 3) | torch.eye(3, dtype=torch.bool)
    bias = normal(2, 3, 3, seed=1)
    output, _ = layer(x, mask=mask, bias=bias, need_weights=need_weights)
    for i in range(2):
        alone, _ = layer(x[i : i + 1], mask=mask[i], bias=bias[None], need_weights=need_weights)
        torch.testing.assert_close(output[i], alone[0])
    theirs, _ = transplant(layer)(x, x, x, attn_mask=bias.repeat(2, 1, 1))
    torch.testing.assert_close(layer(x, bias=bias, need_weights=need_weights)[0], theirs)


@both_paths
def test_a_learned_bias_learns(need_weights):
    layer, x = attention(), normal(2, 3, 8)
    bias = normal(3, 3, seed=1).requires_grad_()

    def attend(bias):
        return layer(x, bias=bias, causal=True, need_weights=need_weights)[0]

    assert torch.autograd.gradcheck(attend, (bias,))


@both_paths
def test_rotated_heads_see_distances_only(need_weights):
    layer, x = attention(), normal(2, 6, 8)

    def shifted(by):
        return layer(
            x,
            need_weights=need_weights,
            rotate=lambda heads: rotary_embedding(heads, torch.arange(heads.size(-2)) + by),
        )[0]

    torch.testing.assert_close(shifted(0), shifted(17))
    assert not torch.allclose(shifted(0), layer(x)[0])


def test_rotation_turns_queries_and_keys_but_not_values():
    layer, x = attention(), normal(2, 5, 8)
    seen = []

    def rotate(heads):
        seen.append(heads.shape)
        return 2 * heads

    output, weights = layer(x, x[:, :3], rotate=rotate, need_weights=True)
    assert seen == [(2, 2, 5, 4), (2, 2, 3, 4)]
    doubled = copy.deepcopy(layer)
    with torch.no_grad():
        for part in (doubled.query, doubled.key):
            part.weight.mul_(2)
            part.bias.mul_(2)
    expected = doubled(x, x[:, :3], need_weights=True)
    torch.testing.assert_close(output, expected[0])
    torch.testing.assert_close(weights, expected[1])


def test_without_key_and_value_it_attends_to_itself():
    layer, x, y = attention(), normal(2, 3, 8), normal(2, 3, 8, seed=1)
    assert torch.equal(layer(x)[0], layer(x, x, x)[0])
    assert torch.equal(layer(x, y)[0], layer(x, y, y)[0])
    assert torch.equal(layer(x, value=y)[0], layer(x, x, y)[0])


@both_paths
def test_padding_is_as_good_as_cut_off(need_weights):
    layer, tokens = attention(), torch.tensor([[7, 3, 2, 0, 0], [4, 1, 5, 6, 2]])
    x = normal(2, 5, 8)
    mask = padding_mask(tokens, 0)
    output, _ = layer(x, mask=mask, need_weights=need_weights)
    torch.testing.assert_close(output[:1, :3], layer(x[:1, :3])[0])
    torch.testing.assert_close(output[1:], layer(x[1:])[0])
    both, _ = layer(x, mask=mask & causal_mask(5), need_weights=need_weights)
    option, _ = layer(x, mask=mask, causal=True, need_weights=need_weights)
    torch.testing.assert_close(both, option)


@both_paths
@pytest.mark.parametrize(
    ("batch", "n_q", "n_k"), [(0, 3, 2), (2, 0, 3), (2, 3, 0), (0, 0, 0)], ids=str
)
def test_empty_axes(need_weights, batch, n_q, n_k):
    layer = attention()
    query, key = normal(batch, n_q, 8), normal(batch, n_k, 8)
    for options in ({}, {"causal": True}, {"mask": torch.ones(n_q, n_k, dtype=torch.bool)}):
        output, weights = layer(query, key, **options, need_weights=need_weights)
        assert output.shape == (batch, n_q, 8)
        assert weights is None or weights.shape == (batch, 2, n_q, n_k)
        assert (output == 0).all()
        output.sum().backward()


@pytest.mark.parametrize("options", [{}, {"mask": torch.ones(40, 40, dtype=torch.bool)}], ids=str)
def test_dropout_is_for_training_only(options):
    layer, x = attention(dropout=0.25), normal(4, 40, 8)
    plain = attention()
    layer.eval()
    for need_weights in (True, False):
        output, _ = layer(x, **options, need_weights=need_weights)
        assert torch.equal(output, plain(x, **options, need_weights=need_weights)[0])
    layer.train()
    for need_weights in (True, False):
        first, _ = layer(x, **options, need_weights=need_weights)
        second, _ = layer(x, **options, need_weights=need_weights)
        assert not torch.allclose(first, second)


def test_dropout_zeroes_weights_and_scales_the_rest():
    layer, x = attention(dropout=0.25), normal(4, 40, 8)
    _, whole = attention()(x, need_weights=True)
    output, weights = layer(x, need_weights=True)
    kept = weights != 0
    assert kept.double().mean().item() == pytest.approx(0.75, abs=0.02)
    torch.testing.assert_close(weights[kept], whole[kept] / 0.75)
    # The weights returned are those that made the output.
    values = layer.value(x).unflatten(-1, (2, 4)).transpose(1, 2)
    expected = layer.output((weights @ values).transpose(1, 2).flatten(2))
    torch.testing.assert_close(output, expected)


def test_dropout_of_the_fused_kernel_is_right_on_average():
    layer, x = attention(dropout=0.25), normal(1, 20, 8)
    expected = attention()(x)[0]
    with torch.no_grad():
        mean = torch.stack([layer(x)[0] for _ in range(2000)]).mean(0)
    torch.testing.assert_close(mean, expected, atol=0.02, rtol=0)


def test_its_state_can_be_kept_copied_and_reloaded(tmp_path):
    layer, x = attention(dropout=0.1).eval(), normal(2, 3, 8)
    names = [f"{name}.{part}" for name in (*INPUTS, "output") for part in ("weight", "bias")]
    assert list(layer.state_dict()) == names
    assert list(attention(bias=False).state_dict()) == names[::2]
    torch.save(layer.state_dict(), tmp_path / "state")
    fresh = MultiHeadAttention(8, 2).double()
    fresh.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    for twin in (fresh, copy.deepcopy(layer)):
        assert torch.equal(twin(x)[0], layer(x)[0])
    assert "num_heads=2" in repr(layer)


def test_it_has_as_many_parameters_as_torchs():
    for bias in (True, False):
        ours, theirs = attention(bias=bias), nn.MultiheadAttention(8, 2, bias=bias)
        assert sum(p.numel() for p in ours.parameters()) == sum(
            p.numel() for p in theirs.parameters()
        )


def test_the_slow_path_can_be_differentiated_twice():
    layer, x = attention(), normal(1, 3, 8).requires_grad_()
    output, _ = layer(x, causal=True, need_weights=True)
    (gradient,) = torch.autograd.grad(output.pow(2).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(gradient.pow(2).sum(), x)
    assert second.isfinite().all()


# Masks


@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_causal_mask_is_the_past_and_the_present(n):
    mask = causal_mask(n)
    assert mask.dtype == torch.bool
    assert mask.tolist() == [[j <= i for j in range(n)] for i in range(n)]


def test_the_causal_mask_is_the_causal_option():
    x = normal(2, 4, 3)
    for ours, option in zip(
        scaled_dot_product_attention(x, x, x, causal_mask(4)),
        scaled_dot_product_attention(x, x, x, causal=True),
        strict=True,
    ):
        assert torch.equal(ours, option)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8])
def test_the_padding_mask_shows_real_tokens(dtype):
    tokens = torch.tensor([[5, 9, 1], [9, 9, 9]], dtype=dtype)
    mask = padding_mask(tokens, 9)
    assert mask.dtype == torch.bool
    assert mask.tolist() == [[[True, False, True]], [[False, False, False]]]
    assert padding_mask(tokens[0], 9).tolist() == [[True, False, True]]
