"""Positions against loops written out from the papers, and the properties that they claim."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as shapes
from tensors import every_dtype, normal

from attention_course.attention import scaled_dot_product_attention
from attention_course.positions import alibi_bias, rotary_embedding, sinusoidal_encoding

seeds = st.integers(0, 2**31)
bases = st.sampled_from([2.0, 100, 10_000.0, 500_000.0])

# Sine and cosine


@given(length=st.integers(1, 40), d_model=st.integers(1, 20), base=bases)
def test_the_encoding_is_the_papers_formula(length, d_model, base):
    encoding = sinusoidal_encoding(length, d_model, base)
    assert encoding.shape == (length, d_model)
    assert encoding.dtype == torch.float32
    for position in range(length):
        for column in range(d_model):
            angle = position / base ** ((column - column % 2) / d_model)
            expected = math.cos(angle) if column % 2 else math.sin(angle)
            assert encoding[position, column].item() == pytest.approx(expected, abs=1e-6)


def test_the_base_is_ten_thousand_unless_said_otherwise():
    assert torch.equal(sinusoidal_encoding(50, 8), sinusoidal_encoding(50, 8, base=10_000))
    assert not torch.equal(sinusoidal_encoding(50, 8), sinusoidal_encoding(50, 8, base=100))


def test_far_positions_are_as_exact_as_near_ones():
    far = 200_000
    encoding = sinusoidal_encoding(far + 1, 4)[far]
    expected = [math.sin(far), math.cos(far), math.sin(far / 100), math.cos(far / 100)]
    torch.testing.assert_close(encoding, torch.tensor(expected), atol=1e-7, rtol=0)


@given(shift=st.integers(0, 60), pairs=st.integers(1, 8), base=bases)
def test_a_shift_is_one_rotation_for_all_positions(shift, pairs, base):
    d_model = 2 * pairs
    encoding = sinusoidal_encoding(100, d_model, base).double()
    rotation = torch.zeros(d_model, d_model, dtype=torch.float64)
    for i in range(pairs):
        angle = shift * base ** (-2 * i / d_model)
        sin, cos = math.sin(angle), math.cos(angle)
        rotation[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = torch.tensor([[cos, sin], [-sin, cos]])
    torch.testing.assert_close(
        encoding[: 100 - shift] @ rotation.T, encoding[shift:], atol=1e-6, rtol=0
    )


@given(length=st.integers(2, 40), pairs=st.integers(1, 8), base=bases)
def test_similarity_depends_on_the_distance_alone(length, pairs, base):
    encoding = sinusoidal_encoding(length, 2 * pairs, base).double()
    similarity = encoding @ encoding.T  # (length, length)
    torch.testing.assert_close(similarity[1:, 1:], similarity[:-1, :-1], atol=1e-5, rtol=0)
    torch.testing.assert_close(
        similarity.diagonal(), torch.full((length,), float(pairs)).double(), atol=1e-5, rtol=0
    )


# Rotation


def rotated_by_hand(x, positions, base):
    """Every pair of every vector times its own 2 × 2 rotation matrix, in NumPy."""
    rotated, d = np.empty_like(x), x.shape[-1]
    for at in np.ndindex(x.shape[:-1]):
        for i in range(d // 2):
            angle = positions[at] * base ** (-2 * i / d)
            matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            rotated[at][2 * i : 2 * i + 2] = matrix @ x[at][2 * i : 2 * i + 2]
    return rotated


@given(data=st.data(), seed=seeds, pairs=st.integers(1, 4), base=bases)
def test_rotation_is_the_papers_matrix(data, seed, pairs, base):
    axes = data.draw(shapes.array_shapes(min_dims=1, max_dims=3, max_side=4, min_side=0))
    axes_of_positions = data.draw(
        st.sampled_from([axes, axes[-1:], tuple(1 for _ in axes), (*axes[:-1], 1)])
    )
    x = normal(*axes, 2 * pairs, seed=seed)
    positions = torch.randint(
        -50, 5000, axes_of_positions, generator=torch.Generator().manual_seed(seed)
    )
    rotated = rotary_embedding(x, positions, base)
    expected = rotated_by_hand(x.numpy(), positions.expand(axes).numpy(), base)
    np.testing.assert_allclose(rotated.numpy(), expected, atol=1e-10)


@given(seed=seeds, m=st.integers(0, 3000), n=st.integers(0, 3000), shift=st.integers(-999, 3000))
def test_dot_products_see_the_distance_only(seed, m, n, shift):
    query, key = normal(1, 8, seed=seed), normal(1, 8, seed=seed + 1)

    def score(m, n):
        rotated = (
            rotary_embedding(query, torch.tensor([m])),
            rotary_embedding(key, torch.tensor([n])),
        )
        return (rotated[0] * rotated[1]).sum()

    torch.testing.assert_close(score(m, n), score(m + shift, n + shift), atol=1e-10, rtol=0)


@given(seed=seeds, pairs=st.integers(1, 8))
def test_rotation_keeps_lengths_and_leaves_position_zero_alone(seed, pairs):
    x = normal(2, 3, 5, 2 * pairs, seed=seed)
    rotated = rotary_embedding(x, torch.arange(5))
    torch.testing.assert_close(rotated.norm(dim=-1), x.norm(dim=-1))
    assert torch.equal(rotated[..., 0, :], x[..., 0, :])


def test_rotation_forth_and_back_is_no_rotation():
    x, positions = normal(6, 4), torch.arange(6)
    torch.testing.assert_close(rotary_embedding(rotary_embedding(x, positions), -positions), x)


@every_dtype
def test_rotation_keeps_the_dtype_and_is_exact_far_out(dtype):
    x = normal(2, 3, 4, 8, dtype=dtype)
    positions = torch.arange(4) + 100_000
    rotated = rotary_embedding(x, positions)
    assert rotated.dtype == dtype
    exact = rotary_embedding(x.double(), positions)
    digits = 4 * torch.finfo(dtype).eps
    torch.testing.assert_close(rotated.double(), exact, atol=digits, rtol=digits)


@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8, torch.float16, torch.float64])
def test_positions_may_have_any_numeric_dtype(dtype):
    x = normal(5, 4)
    expected = rotary_embedding(x, torch.arange(5))
    assert torch.equal(rotary_embedding(x, torch.arange(5).to(dtype)), expected)


def test_positions_may_lie_between_whole_numbers():
    x = normal(3, 4)
    half = rotary_embedding(x, torch.tensor([0.5, 1.0, 1.5]))
    torch.testing.assert_close(
        rotary_embedding(half, torch.tensor([0.5, 1.0, 1.5])),
        rotary_embedding(x, torch.arange(1, 4)),
    )


def test_positions_of_each_sequence():
    x, positions = normal(2, 3, 4, 6), torch.tensor([[0, 1, 2, 3], [5, 6, 7, 8]])
    rotated = rotary_embedding(x, positions[:, None])
    for i in range(2):
        torch.testing.assert_close(rotated[i], rotary_embedding(x[i], positions[i]))


def test_gradients_pass_through_the_rotation():
    x = normal(2, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: rotary_embedding(x, torch.arange(3) + 7), (x,))
    assert torch.autograd.gradgradcheck(lambda x: rotary_embedding(x, torch.arange(3)), (x,))


# Bias


def slopes_by_hand(num_heads):
    """The slopes as the paper builds them: a geometric sequence that starts at its own ratio."""
    if math.log2(num_heads).is_integer():
        ratio = 2 ** (-8 / num_heads)
        return [ratio**h for h in range(1, num_heads + 1)]
    smaller = 2 ** math.floor(math.log2(num_heads))
    return slopes_by_hand(smaller) + slopes_by_hand(2 * smaller)[::2][: num_heads - smaller]


@pytest.mark.parametrize("num_heads", [1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 25, 31, 32])
def test_the_bias_falls_with_distance_by_the_papers_slopes(num_heads):
    bias = alibi_bias(num_heads, 9)
    assert bias.shape == (num_heads, 9, 9)
    assert bias.dtype == torch.float32
    for h, slope in enumerate(slopes_by_hand(num_heads)):
        for i in range(9):
            for j in range(9):
                assert bias[h, i, j].item() == pytest.approx(-slope * abs(i - j), rel=1e-6)


def test_eight_heads_have_the_slopes_printed_in_the_paper():
    slopes = -alibi_bias(8, 2)[:, 1, 0]
    assert slopes.tolist() == [1 / 2**h for h in range(1, 9)]


def test_causal_attention_with_the_bias_is_the_papers():
    q, k, v = (normal(2, 4, 6, 8, seed=i) for i in range(3))  # 2 sequences, 4 heads
    _, weights = scaled_dot_product_attention(q, k, v, causal=True, bias=alibi_bias(4, 6))
    for h, slope in enumerate(slopes_by_hand(4)):
        for i in range(6):
            penalties = slope * torch.arange(-i, 1)  # slope · [-i, …, -1, 0]
            scores = k[:, h, : i + 1] @ q[:, h, i, :, None] / math.sqrt(8)  # (2, i + 1, 1)
            expected = (scores.squeeze(-1) + penalties).softmax(-1)
            torch.testing.assert_close(weights[:, h, i, : i + 1], expected)
