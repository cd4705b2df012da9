"""Attention and positions keep their promises whatever torch is set to around them."""

import contextlib

import pytest
import torch
from tensors import normal
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from attention_course.attention import (
    MultiHeadAttention,
    SelfAttention,
    causal_mask,
    padding_mask,
    scaled_dot_product_attention,
)
from attention_course.positions import alibi_bias, rotary_embedding, sinusoidal_encoding

X = normal(2, 6, 16, dtype=torch.float32)  # (batch, n, d_model)
HALF = X.half()
TOKENS = torch.tensor([[1, 2, 3, 0, 0, 0], [4, 5, 6, 7, 8, 9]])
BETWEEN = torch.linspace(0, 3, 6)  # positions


class Model(nn.Module):
    """Both layers, and a function of them and of an input."""

    def __init__(self, function):
        super().__init__()
        torch.manual_seed(0)
        self.one, self.many, self.function = SelfAttention(16), MultiHeadAttention(16, 4), function

    def forward(self, x):
        return self.function(self, x)


def rotate(heads):
    """As the docstring of ``MultiHeadAttention`` says it, on any device."""
    return rotary_embedding(heads, torch.arange(heads.size(-2)))


def padding(x):
    return padding_mask((x[..., 0] > 0).long(), 0)


LAYERS = {
    "one head": lambda m, x: m.one(x, causal=True),
    "fused": lambda m, x: m.many(x)[0],
    "weights": lambda m, x: m.many(x, need_weights=True)[1],
    "causal": lambda m, x: m.many(x, causal=True)[0],
    "causal with weights": lambda m, x: m.many(x, causal=True, need_weights=True)[0],
    "cross": lambda m, x: m.many(x, x[:, 1:], causal=True)[0],
    "rotated": lambda m, x: m.many(x, rotate=rotate)[0],
    "rotated between": lambda m, x: rotary_embedding(x, torch.arange(x.size(1)) / 2),
    "masked": lambda m, x: m.many(x, mask=causal_mask(x.size(1), device=x.device))[0],
    "padded": lambda m, x: m.many(
        x, mask=padding(x) & causal_mask(x.size(1), device=x.device), need_weights=True
    )[0],
    "biased": lambda m, x: m.many(
        x, mask=padding(x), bias=alibi_bias(4, x.size(1), device=x.device), causal=True
    )[0],
    "encoded": lambda m, x: x + sinusoidal_encoding(x.size(1), 16, device=x.device),
}


def functions():
    """What needs no parameters, on float32 and on float16."""
    for x in (X, HALF):
        bias = alibi_bias(2, 6)[0]
        for options in ({}, {"causal": True}, {"mask": padding_mask(TOKENS, 0)}, {"bias": bias}):
            yield from scaled_dot_product_attention(x, x, x, **options)
        yield rotary_embedding(x, torch.arange(6))
        yield rotary_embedding(x, BETWEEN)
    yield alibi_bias(3, 5)
    yield sinusoidal_encoding(4, 6)


@contextlib.contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


AMBIENT = {
    "default dtype float64": lambda: default_dtype(torch.float64),
    "default dtype float16": lambda: default_dtype(torch.float16),
    "default dtype bfloat16": lambda: default_dtype(torch.bfloat16),
    "autocast bfloat16": lambda: torch.autocast("cpu", torch.bfloat16),
    "autocast float16": lambda: torch.autocast("cpu", torch.float16),
    "inference": torch.inference_mode,
    "anomaly": lambda: torch.autograd.set_detect_anomaly(True),
}


@pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")
@pytest.mark.parametrize("setting", AMBIENT)
def test_functions_give_the_same_numbers(setting):
    expected = list(functions())
    with AMBIENT[setting]():
        for ours, theirs in zip(functions(), expected, strict=True):
            assert ours.dtype == theirs.dtype
            assert torch.equal(ours, theirs)


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "encoded"])
def test_layers_under_autocast_give_its_dtype(name):
    model = Model(LAYERS[name])
    expected = model(X)
    with torch.autocast("cpu", torch.bfloat16):
        output = model(X)
        if name == "cross":  # the dtypes of the inputs may differ
            assert model.many(X.bfloat16(), X)[0].dtype == torch.bfloat16
    assert output.dtype == (torch.float32 if name == "rotated between" else torch.bfloat16)
    torch.testing.assert_close(output.float(), expected, atol=0.02, rtol=0.02)


class WithoutFloat64(TorchDispatchMode):
    """A device that has no float64, as some graphics cards: here "meta" is one."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(tensor, torch.Tensor) and tensor.is_meta:
                assert tensor.dtype != torch.float64, function
        return result


@pytest.mark.parametrize("name", LAYERS)
def test_layers_on_another_device_one_without_float64(name):
    model = Model(LAYERS[name]).to("meta")
    with WithoutFloat64():
        output = model(X.to("meta").requires_grad_())
        output.sum().backward()
    assert output.is_meta
    assert output.dtype == torch.float32


def test_what_is_made_from_nothing_is_made_on_the_device_asked_for():
    makers = [
        lambda **options: causal_mask(3, **options),
        lambda **options: alibi_bias(2, 3, **options),
        lambda **options: sinusoidal_encoding(3, 4, **options),
    ]
    for make in makers:
        assert make().device.type == "cpu"
        assert make(device="meta").is_meta
        with torch.device("meta"):
            assert make().is_meta
            assert make(device="cpu").device.type == "cpu"
    assert padding_mask(TOKENS.to("meta"), 0).is_meta


@pytest.mark.parametrize("name", LAYERS)
def test_layers_compile_to_one_graph_for_all_sizes(name):
    model = Model(LAYERS[name])
    torch.compiler.reset()
    compiled = torch.compile(model, backend="eager", fullgraph=True, dynamic=True)
    for batch, n in ((2, 5), (3, 8), (1, 4)):
        x = normal(batch, n, 16, dtype=torch.float32)
        torch.testing.assert_close(compiled(x), model(x))


@pytest.mark.parametrize("name", LAYERS)
def test_layers_export_with_a_free_batch_and_length(name):
    model = Model(LAYERS[name]).eval()
    free = {0: torch.export.Dim("batch", min=2), 1: torch.export.Dim("n", min=3)}
    exported = torch.export.export(model, (X,), dynamic_shapes=(free,)).module()
    for batch, n in ((5, 9), (2, 4)):
        x = normal(batch, n, 16, dtype=torch.float32)
        torch.testing.assert_close(exported(x), model(x))
