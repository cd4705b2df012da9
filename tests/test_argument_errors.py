"""Every wrong argument gets an error that names it, what came and what was expected."""

import math

import pytest
import torch
from tensors import coin, normal
from torch import nn

from attention_course.attention import (
    MultiHeadAttention,
    SelfAttention,
    causal_mask,
    padding_mask,
    scaled_dot_product_attention,
)
from attention_course.decoding import beam_search, greedy_decode, probabilities, sample
from attention_course.positions import alibi_bias, rotary_embedding, sinusoidal_encoding
from attention_course.training import train, warmup_learning_rate
from attention_course.transformer import (
    Cache,
    DecoderLayer,
    Embedding,
    EncoderLayer,
    FeedForward,
    LanguageModel,
    MaskedLanguageModel,
    Residual,
    Transformer,
)

Q = normal(2, 3, 4)  # (batch, n, d)
X = normal(3, 4)  # (n, d)
ELSEWHERE = Q.to("meta")
BYTES = torch.tensor([[255, 3]], dtype=torch.uint8)


def attend(query=Q, key=Q, value=Q, mask=None, **options):
    return scaled_dot_product_attention(query, key, value, mask, **options)


def many(*inputs, **options):
    return MultiHeadAttention(4, 2).double()(*(inputs or [Q]), **options)


def fit(loss=lambda model, batch: model.weight.sum(), **options):
    return train(nn.Linear(1, 1), lambda step: None, loss, **{"steps": 1, **options})


ATTENTION = [
    (lambda: attend(query=Q.numpy()), TypeError, "query", "ndarray", "floating-point tensor"),
    (lambda: attend(key=None), TypeError, "key", "None", "floating-point tensor"),
    (lambda: attend(value=Q.long()), TypeError, "value", "torch.int64", "floating-point tensor"),
    (lambda: attend(query=Q.to(torch.complex64)), TypeError, "query", "complex64", "floating"),
    (lambda: attend(key=Q.float()), TypeError, "key", "torch.float32", "torch.float64"),
    (lambda: attend(value=Q.half()), TypeError, "value", "torch.float16", "torch.float64"),
    (lambda: attend(query=Q[0, 0]), ValueError, "query", "(4,)", "(..., n_q, d)"),
    (lambda: attend(query=Q[..., :0], key=Q[..., :0]), ValueError, "query", "(2, 3, 0)", "1"),
    (lambda: attend(key=Q[..., :3]), ValueError, "key", "3", "4"),
    (lambda: attend(value=Q[:, :2]), ValueError, "value", "2 values", "3 keys"),
    (lambda: attend(key=normal(3, 3, 4)), ValueError, "key", "(3,)", "broadcast"),
    (lambda: attend(mask=torch.ones(3, 3)), TypeError, "mask", "torch.float32", "boolean"),
    (lambda: attend(mask=torch.ones(3, 3).long()), TypeError, "mask", "torch.int64", "boolean"),
    (lambda: attend(mask=coin(3, 3).numpy()), TypeError, "mask", "ndarray", "boolean"),
    (lambda: attend(mask=True), TypeError, "mask", "True", "boolean"),
    (lambda: attend(mask=coin(3, 2)), ValueError, "mask", "(3, 2)", "(2, 3, 3)"),
    (lambda: attend(mask=coin(4, 2, 3, 3)), ValueError, "mask", "(4, 2, 3, 3)", "(2, 3, 3)"),
    (lambda: attend(mask=coin(5, 3, 3)), ValueError, "mask", "(5, 3, 3)", "(2, 3, 3)"),
    (lambda: attend(bias=coin(3, 3)), TypeError, "bias", "torch.bool", "floating-point"),
    (lambda: attend(bias=normal(3, 4)), ValueError, "bias", "(3, 4)", "(2, 3, 3)"),
    (lambda: attend(causal=coin(3, 3)), TypeError, "causal", "torch.bool", "True or False"),
    (lambda: attend(scale="1"), TypeError, "scale", "'1'", "number"),
    (lambda: attend(scale=math.nan), ValueError, "scale", "nan", "finite"),
    (lambda: SelfAttention(0), ValueError, "embed_size", "0", "at least 1"),
    (lambda: SelfAttention(4.0), TypeError, "embed_size", "4.0", "whole number"),
    (lambda: SelfAttention(4)(Q), TypeError, "x", "torch.float64", "torch.float32"),
    (lambda: SelfAttention(5)(Q.float()), ValueError, "x", "(2, 3, 4)", "5"),
    (lambda: SelfAttention(4)(Q[0].float()), ValueError, "x", "(3, 4)", "(batch, n, embed_size)"),
    (lambda: SelfAttention(4)([1.0]), TypeError, "x", "list", "(batch, n, embed_size)"),
    (lambda: SelfAttention(4)(Q.float(), Q), TypeError, "mask", "torch.float64", "boolean"),
    (lambda: MultiHeadAttention(10, 4), ValueError, "d_model", "10", "multiple of 4"),
    (lambda: MultiHeadAttention(-8, 4), ValueError, "d_model", "-8", "at least 1"),
    (lambda: MultiHeadAttention(8, 0), ValueError, "num_heads", "0", "at least 1"),
    (lambda: MultiHeadAttention(8, True), TypeError, "num_heads", "True", "whole number"),
    (lambda: MultiHeadAttention("8", 2), TypeError, "d_model", "'8'", "whole number"),
    (lambda: MultiHeadAttention(8, 2, dropout=1.0), ValueError, "dropout", "1.0", "less than 1"),
    (lambda: MultiHeadAttention(8, 2, dropout=-0.1), ValueError, "dropout", "-0.1", "at least 0"),
    (lambda: MultiHeadAttention(8, 2, dropout=None), TypeError, "dropout", "None", "number"),
    (lambda: MultiHeadAttention(8, 2, dropout=math.nan), ValueError, "dropout", "nan", "finite"),
    (lambda: many(Q[0]), ValueError, "query", "(3, 4)", "(batch, n_q, d_model)"),
    (lambda: many(Q, Q[..., :2]), ValueError, "key", "(2, 3, 2)", "4"),
    (lambda: many(Q, Q, Q[:, :2]), ValueError, "value", "2 values", "3 keys"),
    (lambda: many(Q, Q[:1]), ValueError, "key", "1", "2"),
    (lambda: many(Q.float()), TypeError, "query", "torch.float32", "torch.float64"),
    (lambda: many(Q, Q.long()), TypeError, "key", "torch.int64", "floating-point"),
    (lambda: many(mask=coin(3, 4)), ValueError, "mask", "(3, 4)", "(2, 2, 3, 3)"),
    (lambda: many(mask=coin(3, 3, 3)), ValueError, "mask", "(3, 3, 3)", "(batch, n_q, n_k)"),
    (lambda: many(mask=coin(2, 3, 3, 3)), ValueError, "mask", "(2, 3, 3, 3)", "(2, 2, 3, 3)"),
    (lambda: many(mask=Q), TypeError, "mask", "torch.float64", "boolean"),
    (lambda: many(bias=normal(3, 3, 3)), ValueError, "bias", "(3, 3, 3)", "(2, 2, 3, 3)"),
    (lambda: many(bias=coin(3, 3)), TypeError, "bias", "torch.bool", "floating-point"),
    (lambda: many(causal=1), TypeError, "causal", "1", "True or False"),
    (lambda: many(rotate=lambda x: None), ValueError, "rotate", "None", "(2, 2, 3, 2)"),
    (lambda: many(rotate=lambda x: x[0]), ValueError, "rotate", "(2, 3, 2)", "(2, 2, 3, 2)"),
    (lambda: causal_mask(0), ValueError, "n", "0", "at least 1"),
    (lambda: causal_mask(2.0), TypeError, "n", "2.0", "whole number"),
    (lambda: padding_mask([[1, 0]], 0), TypeError, "tokens", "list", "integer tensor"),
    (lambda: padding_mask(Q, 0), TypeError, "tokens", "torch.float64", "integer tensor"),
    (lambda: padding_mask(coin(2, 2), 0), TypeError, "tokens", "torch.bool", "integer tensor"),
    (lambda: padding_mask(torch.tensor(3), 0), ValueError, "tokens", "single id", "(batch, n)"),
    (lambda: padding_mask(torch.tensor([3]), 0.0), TypeError, "pad_id", "0.0", "whole number"),
]

DEVICES = [
    (lambda: attend(key=ELSEWHERE), ValueError, "key", "meta", "the device of query, cpu"),
    (lambda: attend(value=ELSEWHERE), ValueError, "value", "meta", "the device of query, cpu"),
    (lambda: attend(mask=causal_mask(3, device="meta")), ValueError, "mask", "meta", "query, cpu"),
    (lambda: attend(bias=ELSEWHERE[..., :3]), ValueError, "bias", "meta", "query, cpu"),
    (lambda: SelfAttention(4).double()(ELSEWHERE), ValueError, "x", "meta", "parameters, cpu"),
    (lambda: many(ELSEWHERE), ValueError, "query", "meta", "parameters, cpu"),
    (lambda: many(Q, ELSEWHERE), ValueError, "key", "meta", "parameters, cpu"),
    (lambda: many(mask=causal_mask(3, device="meta")), ValueError, "mask", "meta", "query, cpu"),
    (lambda: many(bias=ELSEWHERE[..., :3]), ValueError, "bias", "meta", "query, cpu"),
    (lambda: rotary_embedding(X, torch.arange(3, device="meta")), ValueError, "positions", "meta",
     "the device of x, cpu"),
]  # fmt: skip

IDS = [
    (lambda: padding_mask(BYTES, -1), ValueError, "pad_id", "-1", "0 to 255"),
    (lambda: padding_mask(BYTES, 256), ValueError, "pad_id", "256", "torch.uint8"),
    (lambda: padding_mask(BYTES.to(torch.int8), 255), ValueError, "pad_id", "255", "-128 to 127"),
    (lambda: padding_mask(BYTES.int(), 2**40), ValueError, "pad_id", str(2**40), "torch.int32"),
    (lambda: padding_mask(BYTES.long(), 2**70), ValueError, "pad_id", str(2**70), "torch.int64"),
]

POSITIONS = [
    (lambda: sinusoidal_encoding(0, 4), ValueError, "length", "0", "at least 1"),
    (lambda: sinusoidal_encoding(4.0, 4), TypeError, "length", "4.0", "whole number"),
    (lambda: sinusoidal_encoding(4, -2), ValueError, "d_model", "-2", "at least 1"),
    (lambda: sinusoidal_encoding(4, None), TypeError, "d_model", "None", "whole number"),
    (lambda: sinusoidal_encoding(4, 4, 0), ValueError, "base", "0", "positive"),
    (lambda: sinusoidal_encoding(4, 4, -1.0), ValueError, "base", "-1.0", "positive"),
    (lambda: sinusoidal_encoding(4, 4, "10"), TypeError, "base", "'10'", "number"),
    (lambda: sinusoidal_encoding(4, 4, math.inf), ValueError, "base", "inf", "finite"),
    (lambda: rotary_embedding(X.numpy(), torch.arange(3)), TypeError, "x", "ndarray", "floating"),
    (lambda: rotary_embedding(X.long(), torch.arange(3)), TypeError, "x", "int64", "floating"),
    (lambda: rotary_embedding(X[:, :3], torch.arange(3)), ValueError, "x", "(3, 3)", "even"),
    (lambda: rotary_embedding(X[:, :0], torch.arange(3)), ValueError, "x", "(3, 0)", "even"),
    (lambda: rotary_embedding(X[0], torch.arange(3)), ValueError, "x", "(4,)", "(..., n, d)"),
    (lambda: rotary_embedding(X, torch.arange(4)), ValueError, "positions", "(4,)", "(3,)"),
    (lambda: rotary_embedding(X, torch.zeros(2, 3)), ValueError, "positions", "(2, 3)", "(3,)"),
    (lambda: rotary_embedding(X, [0, 1, 2]), TypeError, "positions", "list", "tensor"),
    (lambda: rotary_embedding(X, X > 0), TypeError, "positions", "torch.bool", "numbers"),
    (lambda: rotary_embedding(X, torch.arange(3), 0), ValueError, "base", "0", "positive"),
    (lambda: alibi_bias(0, 4), ValueError, "num_heads", "0", "at least 1"),
    (lambda: alibi_bias(2.0, 4), TypeError, "num_heads", "2.0", "whole number"),
    (lambda: alibi_bias(2, 0), ValueError, "length", "0", "at least 1"),
    (lambda: alibi_bias(2, True), TypeError, "length", "True", "whole number"),
]

TRAINING = [
    (lambda: fit(steps=0), ValueError, "steps", "0", "at least 1"),
    (lambda: fit(steps=2.5), TypeError, "steps", "2.5", "whole number"),
    (lambda: fit(steps=True), TypeError, "steps", "True", "whole number"),
    (lambda: fit(max_norm=-1), ValueError, "max_norm", "-1", "positive"),
    (lambda: fit(max_norm=0), ValueError, "max_norm", "0", "positive"),
    (lambda: fit(max_norm=math.nan), ValueError, "max_norm", "nan", "finite"),
    (lambda: fit(learning_rate=math.nan), ValueError, "learning_rate", "nan", "finite"),
    (lambda: fit(learning_rate="fast"), TypeError, "learning_rate", "'fast'", "number"),
    (lambda: fit(progress=1), TypeError, "progress", "1", "True or False"),
    (lambda: fit(schedule=lambda step: math.inf), ValueError, "schedule", "inf", "finite"),
    (lambda: fit(schedule=lambda step: None), TypeError, "schedule", "None", "number"),
    (lambda: fit(lambda m, b: 1.0), TypeError, "loss", "1.0", "floating-point tensor"),
    (lambda: fit(lambda m, b: None), TypeError, "loss", "None", "floating-point tensor"),
    (lambda: fit(lambda m, b: m.weight.expand(4, 1)), ValueError, "loss", "(4, 1)", "one number"),
    (lambda: fit(lambda m, b: m.weight.detach()), ValueError, "loss", "without a", "parameters"),
    (lambda: warmup_learning_rate(0, 512), ValueError, "step", "0", "at least 1"),
    (lambda: warmup_learning_rate(1, 0), ValueError, "d_model", "0", "at least 1"),
    (lambda: warmup_learning_rate(1, 512, 0), ValueError, "warmup_steps", "0", "at least 1"),
    (lambda: warmup_learning_rate(1, 512, None), TypeError, "warmup_steps", "None", "whole"),
]

IDS_OF_TOKENS = torch.tensor([[1, 2, 3]])


def translate(source=IDS_OF_TOKENS, target=IDS_OF_TOKENS, **options):
    return Transformer(5, 6, **{**SIZES, **options})(source, target)


def write(cache, batches=(1,)):
    model = LanguageModel(5, **SIZES)
    for batch in batches:
        model(IDS_OF_TOKENS.repeat(batch, 1), cache)


SIZES = {"d_model": 4, "num_heads": 2, "num_layers": 1, "d_ff": 8}
TRANSFORMER = [
    (lambda: translate(d_model=0), ValueError, "d_model", "0", "at least 1"),
    (lambda: translate(d_model=5), ValueError, "d_model", "5", "multiple of 2 heads"),
    (lambda: translate(num_heads=0), ValueError, "num_heads", "0", "at least 1"),
    (lambda: translate(num_layers=1.5), TypeError, "num_layers", "1.5", "whole number"),
    (lambda: translate(d_ff=0), ValueError, "d_ff", "0", "at least 1"),
    (lambda: translate(dropout=1), ValueError, "dropout", "1", "less than 1"),
    (lambda: translate(norm="both"), ValueError, "norm", "'both'", "'pre' or 'post'"),
    (lambda: translate(norm=True), ValueError, "norm", "True", "'pre' or 'post'"),
    (lambda: translate(pad_id="0"), TypeError, "pad_id", "'0'", "whole number"),
    (lambda: translate(IDS_OF_TOKENS[0]), ValueError, "source", "(3,)", "(batch, n)"),
    (lambda: translate(IDS_OF_TOKENS.float()), TypeError, "source", "float32", "integer"),
    (lambda: translate(target=[[1, 2]]), TypeError, "target", "list", "integer"),
    (lambda: translate(target=IDS_OF_TOKENS + 3), ValueError, "target", "4 to 6", "0 to 5"),
    (lambda: translate(IDS_OF_TOKENS - 2), ValueError, "source", "-1 to 1", "0 to 4"),
    (lambda: translate(IDS_OF_TOKENS[:, :0]), ValueError, "source", "(1, 0)", "n at least 1"),
    (lambda: translate(target=IDS_OF_TOKENS.to("meta")), ValueError, "target", "meta", "cpu"),
    (lambda: translate(IDS_OF_TOKENS.repeat(2, 1)), ValueError, "key", "batch of 2", "1"),
    (lambda: Transformer(0, 6, **SIZES), ValueError, "source_vocab_size", "0", "at least 1"),
    (lambda: Transformer(5, None, **SIZES), TypeError, "target_vocab_size", "None", "whole"),
    (lambda: LanguageModel(0, **SIZES), ValueError, "vocab_size", "0", "at least 1"),
    (lambda: LanguageModel(5, **SIZES)(X), TypeError, "tokens", "float64", "integer"),
    (lambda: MaskedLanguageModel(5, **SIZES)(IDS_OF_TOKENS[0]), ValueError, "tokens", "(3,)", "n)"),
    (
        lambda: LanguageModel(5, **SIZES)(IDS_OF_TOKENS + 2),
        ValueError,
        "tokens",
        "3 to 5",
        "0 to 4",
    ),
    (lambda: Cache(0), ValueError, "num_layers", "0", "at least 1"),
    (lambda: write(3), TypeError, "cache", "3", "a Cache"),
    (lambda: write(Cache(2)), ValueError, "cache", "2 layers", "1"),
    (lambda: write(Cache(1), batches=(2, 1)), ValueError, "cache", "batch of 2", "1"),
    (lambda: Embedding(5, 0), ValueError, "d_model", "0", "at least 1"),
    (lambda: Embedding(5, 4, pad_id=0.5), TypeError, "pad_id", "0.5", "whole number"),
    (lambda: Embedding(5, 4)(IDS_OF_TOKENS.float()), TypeError, "tokens", "float32", "integer"),
    (lambda: FeedForward(4, 8, dropout=-0.5), ValueError, "dropout", "-0.5", "at least 0"),
    (lambda: Residual(4, norm=None), ValueError, "norm", "None", "'pre' or 'post'"),
    (lambda: EncoderLayer(4, 2, 8)(Q), TypeError, "x", "torch.float64", "float32"),
    (lambda: EncoderLayer(4, 2, 8).double()(X), ValueError, "x", "(3, 4)", "d_model"),
    (lambda: DecoderLayer(4, 2, 8).double()(Q, X), ValueError, "states", "(3, 4)", "d_model"),
]


def decode(choose=greedy_decode, source=IDS_OF_TOKENS, start_id=1, end_id=2, **options):
    return choose(Transformer(5, 6, **SIZES), source, start_id, end_id, **options)


def search(**options):
    return decode(beam_search, **options)


def draw(tokens=IDS_OF_TOKENS, length=1, **options):
    return sample(LanguageModel(5, **SIZES), tokens, length, **options)


LOGITS = torch.zeros(5)
DECODING = [
    (lambda: greedy_decode(nn.Linear(1, 1), IDS_OF_TOKENS, 1, 2), TypeError, "model", "Linear",
     "a Transformer"),
    (lambda: decode(start_id=6), ValueError, "start_id", "6", "0 to 5"),
    (lambda: decode(end_id=-1), ValueError, "end_id", "-1", "0 to 5"),
    (lambda: decode(end_id="."), TypeError, "end_id", "'.'", "whole number"),
    (lambda: decode(max_length=0), ValueError, "max_length", "0", "at least 1"),
    (lambda: decode(source=IDS_OF_TOKENS[0]), ValueError, "source", "(3,)", "(batch, n)"),
    (lambda: decode(source=[[1, 2]]), TypeError, "source", "list", "integer tensor"),
    (lambda: search(beam_size=0), ValueError, "beam_size", "0", "at least 1"),
    (lambda: search(length_penalty=-1), ValueError, "length_penalty", "-1", "at least 0"),
    (lambda: search(length_penalty=math.nan), ValueError, "length_penalty", "nan", "finite"),
    (lambda: probabilities([1.0]), TypeError, "logits", "list", "floating-point tensor"),
    (lambda: probabilities(LOGITS, 0), ValueError, "temperature", "0", "positive"),
    (lambda: probabilities(LOGITS, top_k=0), ValueError, "top_k", "0", "at least 1"),
    (lambda: probabilities(LOGITS, top_k=2.5), TypeError, "top_k", "2.5", "whole number"),
    (lambda: probabilities(LOGITS, top_p=0.0), ValueError, "top_p", "0.0", "positive"),
    (lambda: probabilities(LOGITS, top_p=1.5), ValueError, "top_p", "1.5", "at most 1"),
    (lambda: sample(nn.Linear(1, 1), IDS_OF_TOKENS, 1), TypeError, "model", "Linear",
     "a LanguageModel"),
    (lambda: draw(IDS_OF_TOKENS.float()), TypeError, "tokens", "float32", "integer"),
    (lambda: draw(length=0), ValueError, "length", "0", "at least 1"),
    (lambda: draw(end_id=5), ValueError, "end_id", "5", "0 to 4"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "kind", "name", "got", "expected"),
    ATTENTION + DEVICES + IDS + POSITIONS + TRAINING + TRANSFORMER + DECODING,
)
def test_an_error_names_the_argument_what_came_and_what_was_expected(
    call, kind, name, got, expected
):
    with pytest.raises(kind) as error:
        call()
    argument, _, rest = str(error.value).partition(": ")
    came, _, wanted = rest.rpartition(", expected ")
    assert name in argument.split(", ")
    assert got in came
    assert expected in wanted
