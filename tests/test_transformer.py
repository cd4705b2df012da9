"""The Transformer equals torch's, looks where it may, and decodes token by token to the same."""

import copy
import itertools

import pytest
import torch
from tensors import coin, normal
from torch import nn

from attention_course.attention import KeyValueCache, MultiHeadAttention, padding_mask
from attention_course.lessons.self_attention_layer import experiments
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
    attention_weights,
)

NORMS = ("pre", "post")
both_norms = pytest.mark.parametrize("norm", NORMS)
both_dtypes = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
SIZES = (16, 4, 24)  # d_model, heads, d_ff
SOURCE = torch.tensor([[5, 3, 7, 2, 1], [4, 6, 2, 0, 0], [9, 0, 0, 0, 0]])
TARGET = torch.tensor([[1, 4, 8, 2], [1, 9, 0, 0], [1, 3, 5, 0]])


def transformer(norm="pre", dtype=torch.float64, layers=2, **options):
    torch.manual_seed(0)
    return Transformer(10, 12, 16, 4, layers, 24, norm=norm, **options).to(dtype).eval()


def language_model(norm="pre", kind=LanguageModel, dtype=torch.float64, layers=2):
    torch.manual_seed(0)
    return kind(12, 16, 4, layers, 24, norm=norm).to(dtype).eval()


def varied(module):
    """The module with all parameters at random, so that none is 0 or 1."""
    torch.manual_seed(1)
    return experiments.shaken(module)


def close(ours, theirs, dtype=torch.float64):
    off = 1e-5 if dtype == torch.float32 else 1e-12
    torch.testing.assert_close(ours, theirs, atol=off, rtol=off)


@both_norms
@both_dtypes
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_the_encoder_layer_is_torchs(norm, dtype, causal, masked):
    ours = varied(EncoderLayer(*SIZES, norm=norm).to(dtype))
    theirs = nn.TransformerEncoderLayer(
        *(16, 4, 24), dropout=0.0, batch_first=True, norm_first=norm == "pre", dtype=dtype
    )
    experiments.give(ours, theirs)
    mask = padding_mask(SOURCE, 0) if masked else None
    x = normal(3, 5, 16, dtype=dtype).requires_grad_()
    y = x.detach().clone().requires_grad_()
    output = ours(x, mask, causal=causal)
    expected = theirs(
        y,
        src_mask=torch.ones(5, 5, dtype=torch.bool).triu(1) if causal else None,
        src_key_padding_mask=SOURCE == 0 if masked else None,
    )
    close(output, expected, dtype)
    output.square().sum().backward()
    expected.square().sum().backward()
    close(x.grad, y.grad, dtype)
    close(ours.feed_forward.inner.weight.grad, theirs.linear1.weight.grad, dtype)
    close(ours.attention_residual.norm.bias.grad, theirs.norm1.bias.grad, dtype)


@both_norms
@both_dtypes
@pytest.mark.parametrize("masked", [False, True])
def test_the_decoder_layer_is_torchs(norm, dtype, masked):
    ours = varied(DecoderLayer(*SIZES, norm=norm).to(dtype))
    theirs = nn.TransformerDecoderLayer(
        *(16, 4, 24), dropout=0.0, batch_first=True, norm_first=norm == "pre", dtype=dtype
    )
    experiments.give(ours, theirs)
    x, states = normal(3, 4, 16, dtype=dtype), normal(3, 5, 16, seed=1, dtype=dtype)
    ours_in, theirs_in = (states.clone().requires_grad_() for _ in range(2))
    output = ours(
        x,
        ours_in,
        padding_mask(TARGET, 0) if masked else None,
        padding_mask(SOURCE, 0) if masked else None,
    )
    expected = theirs(
        x,
        theirs_in,
        tgt_mask=torch.ones(4, 4, dtype=torch.bool).triu(1),
        tgt_key_padding_mask=TARGET == 0 if masked else None,
        memory_key_padding_mask=SOURCE == 0 if masked else None,
    )
    close(output, expected, dtype)
    output.square().sum().backward()
    expected.square().sum().backward()
    close(ours_in.grad, theirs_in.grad, dtype)
    close(
        ours.cross_attention.output.weight.grad, theirs.multihead_attn.out_proj.weight.grad, dtype
    )


@both_norms
def test_the_transformer_is_torchs_between_embeddings_and_logits(norm):
    ours = varied(transformer(norm))
    close(ours(SOURCE, TARGET), experiments.torchs_logits(ours, SOURCE, TARGET))


def test_forward_is_encode_and_decode():
    model = transformer()
    states = model.encode(SOURCE)
    assert states.shape == (3, 5, 16)
    logits = model.decode(TARGET, states, model.source_mask(SOURCE))
    assert logits.shape == (3, 4, 12)
    assert torch.equal(logits, model(SOURCE, TARGET))


def test_an_embedding_is_a_scaled_row_and_a_wave():
    model = Embedding(10, 4)
    vectors = model(torch.tensor([[7, 7, 7]]))
    row = 2 * model.table.weight[7]
    wave = torch.tensor([0.9092974, -0.4161468, 0.0199987, 0.9998])  # of position 2
    torch.testing.assert_close(vectors[0, 2], row + wave, atol=1e-6, rtol=0)
    assert torch.equal(model(torch.tensor([[7]]), start=2)[0, 0], vectors[0, 2])
    many = Embedding(1000, 64)
    assert many.table.weight.std().item() == pytest.approx(1 / 8, rel=0.02)


def test_the_parts_are_their_formulas():
    part, x = FeedForward(16, 24).double(), normal(2, 3, 16)
    expected = torch.clamp(x @ part.inner.weight.T + part.inner.bias, min=0)
    close(part(x), expected @ part.outer.weight.T + part.outer.bias)
    mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
    normed = (x - mean) / (variance + 1e-5).sqrt()
    close(Residual(16, norm="pre").double()(x, torch.sin), x + normed.sin())
    y = x + x.sin()
    mean, variance = y.mean(-1, keepdim=True), y.var(-1, keepdim=True, unbiased=False)
    close(Residual(16, norm="post").double()(x, torch.sin), (y - mean) / (variance + 1e-5).sqrt())


# Who sees whom


@both_norms
def test_the_decoder_does_not_see_the_future_but_all_of_the_source(norm):
    model = transformer(norm)
    before = model(SOURCE, TARGET)
    changed = TARGET.clone()
    changed[:, 2] = 11
    after = model(SOURCE, changed)
    assert torch.equal(before[:, :2], after[:, :2])
    assert (before[:, 2:] != after[:, 2:]).any(-1).all()
    source = SOURCE.clone()
    source[0, -1] = 8
    assert (model(source, TARGET)[0] != before[0]).any(-1).all()


@both_norms
def test_padding_is_as_good_as_cut_off(norm):
    model = transformer(norm)
    whole = model(SOURCE, TARGET)
    close(whole[1, :2], model(SOURCE[1:2, :3], TARGET[1:2, :2])[0])
    bert = language_model(norm, MaskedLanguageModel)
    close(bert(SOURCE)[1, :3], bert(SOURCE[1:2, :3])[0])


def test_without_padding_every_token_counts():
    hidden, seen = transformer(), transformer(pad_id=None)
    assert not torch.equal(hidden(SOURCE, TARGET), seen(SOURCE, TARGET))
    no_zeros = SOURCE.clamp(min=1), TARGET.clamp(min=1)
    assert torch.equal(hidden(*no_zeros), seen(*no_zeros))
    assert seen.source_mask(SOURCE) is None


@both_norms
def test_a_masked_language_model_sees_both_sides_and_a_language_model_one(norm):
    gpt, bert = language_model(norm), language_model(norm, MaskedLanguageModel)
    changed = TARGET.clone()
    changed[:, 2] = 11
    assert torch.equal(gpt(TARGET)[:, :2], gpt(changed)[:, :2])
    assert (gpt(TARGET)[:, 2:3] != gpt(changed)[:, 2:3]).any(-1).all()
    assert (bert(TARGET)[0] != bert(changed)[0]).any(-1).all()


@both_norms
@pytest.mark.parametrize("kind", [Transformer, LanguageModel, MaskedLanguageModel])
def test_padding_reaches_nothing_were_it_not_a_number(norm, kind):
    model = transformer(norm) if kind is Transformer else language_model(norm, kind)
    inputs = (SOURCE, TARGET) if kind is Transformer else (TARGET,)
    expected = model(*inputs)
    with torch.no_grad():
        for part in model.modules():
            if isinstance(part, Embedding):
                part.table.weight[0] = torch.nan
    logits = model(*inputs)
    assert torch.equal(logits, expected)
    nn.functional.cross_entropy(logits.transpose(1, 2), TARGET, ignore_index=0).backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_states_that_nobody_may_see_reach_nothing_were_they_not_numbers():
    layer, states = DecoderLayer(*SIZES).double(), normal(3, 5, 16)
    states[SOURCE == 0] = torch.nan
    output = layer(normal(3, 4, 16), states, states_mask=padding_mask(SOURCE, 0))
    output.sum().backward()
    assert output.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in layer.parameters())


@both_norms
def test_a_source_of_nothing_but_padding_is_finite(norm):
    model = transformer(norm)
    assert model(torch.zeros_like(SOURCE), TARGET).isfinite().all()


@pytest.mark.parametrize("dtype", [torch.int32, torch.int16, torch.uint8], ids=str)
def test_tokens_may_be_any_whole_numbers(dtype):
    model = transformer()
    assert torch.equal(model(SOURCE.to(dtype), TARGET.to(dtype)), model(SOURCE, TARGET))


# Token by token


CUTS = [(1, 1, 1, 1), (2, 2), (3, 1), (4,)]


@both_norms
@pytest.mark.parametrize("cuts", CUTS, ids=str)
def test_decoding_with_a_cache_is_decoding_at_once(norm, cuts):
    model = transformer(norm)
    states, mask, cache = model.encode(SOURCE), model.source_mask(SOURCE), Cache(2)
    pieces = [model.decode(piece, states, mask, cache) for piece in TARGET.split(cuts, dim=1)]
    close(torch.cat(pieces, dim=1), model(SOURCE, TARGET))
    assert cache.length == 4


@both_norms
@pytest.mark.parametrize("cuts", CUTS, ids=str)
def test_writing_with_a_cache_is_reading_at_once(norm, cuts):
    model, cache = language_model(norm), Cache(2)
    tokens = torch.tensor([[0, 0, 4, 5], [0, 3, 9, 2], [7, 1, 2, 3]])  # padding on the left
    pieces = [model(piece, cache) for piece in tokens.split(cuts, dim=1)]
    close(torch.cat(pieces, dim=1), model(tokens))


def test_a_cache_computes_each_state_and_token_once():
    model = transformer()
    states, mask, cache = model.encode(SOURCE), model.source_mask(SOURCE), Cache(2)
    rows = []
    for layer in model.decoder:
        for attention in (layer.attention, layer.cross_attention):
            attention.key.register_forward_hook(lambda m, i, output: rows.append(output.size(1)))
    for piece in TARGET.split(1, dim=1):
        model.decode(piece, states, mask, cache)
    assert rows == 2 * [1, 5] + 3 * 2 * [1, 0]


@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("masked", [True, False])
def test_attention_with_a_cache_takes_weights_masks_and_what_is_not_finite(need_weights, masked):
    torch.manual_seed(0)
    layer, x = MultiHeadAttention(16, 4).double(), normal(2, 6, 16)
    x[1, 5] = torch.nan
    mask = coin(2, 6, 6, seed=3) if masked else None
    options = {"causal": True, "need_weights": need_weights}
    whole, weights = layer(x, mask=mask, **options)
    cache = KeyValueCache()
    for rows in (slice(0, 3), slice(3, 4), slice(4, 6)):
        part = None if mask is None else mask[:, rows, : rows.stop]
        piece, seen = layer(x[:, rows], mask=part, cache=cache, **options)
        torch.testing.assert_close(piece, whole[:, rows], equal_nan=True)
        if need_weights:
            finite = weights[:, :, rows, : rows.stop]
            torch.testing.assert_close(seen, finite, equal_nan=True)
    assert len(cache) == 6


# Whatever is set around it


def test_weights_are_those_that_the_layers_use():
    model = transformer()
    logits = model(SOURCE, TARGET)
    with attention_weights(model) as weights:
        close(model(SOURCE, TARGET), logits)
    parts = [("encoder", "attention"), ("decoder", "attention"), ("decoder", "cross_attention")]
    assert set(weights) == {f"{s}.{i}.{a}" for (s, a), i in itertools.product(parts, range(2))}
    x = model.source_embedding(SOURCE)
    first = model.encoder[0]
    expected = first.attention(
        first.attention_residual.norm(x), mask=padding_mask(SOURCE, 0), need_weights=True
    )[1]
    close(weights["encoder.0.attention"], expected)
    assert weights["decoder.1.cross_attention"].shape == (3, 4, 4, 5)
    kept = dict(weights)
    model(SOURCE, TARGET[:, :1])
    assert all(weights[name] is kept[name] for name in kept)


@both_norms
def test_dropout_is_for_training_only_and_acts_on_every_part(norm):
    model = transformer(norm, dropout=0.5)
    assert torch.equal(model(SOURCE, TARGET), model(SOURCE, TARGET))
    plain = transformer(norm)
    plain.load_state_dict(model.state_dict())
    assert torch.equal(model(SOURCE, TARGET), plain(SOURCE, TARGET))
    layer, x = EncoderLayer(*SIZES, dropout=0.5, norm=norm).double(), normal(1, 5, 16)
    for part in (layer.feed_forward, Embedding(10, 16, 0.5), layer):
        given = SOURCE if isinstance(part, Embedding) else x
        assert not torch.equal(part(given), part(given))
        part.eval()
        assert torch.equal(part(given), part(given))
    around = Residual(1000, 0.5, norm="pre")
    dropped = around(torch.zeros(1, 1, 1000), torch.ones_like)
    assert set(dropped.flatten().tolist()) == {0.0, 2.0}


@both_norms
def test_it_can_be_kept_copied_and_reloaded(norm, tmp_path):
    model = transformer(norm)
    torch.save(model.state_dict(), tmp_path / "model.pt")
    other = transformer(norm)
    varied(other)
    other.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    for twin in (other, copy.deepcopy(model)):
        assert torch.equal(twin(SOURCE, TARGET), model(SOURCE, TARGET))


# To follow a model takes seconds, so few are followed, of one layer each.


@pytest.mark.parametrize("kind", [Transformer, LanguageModel])
def test_it_compiles_to_one_graph_for_all_sizes(kind):
    if kind is Transformer:
        model, inputs = transformer("pre", torch.float32, layers=1), (SOURCE, TARGET)
    else:
        model, inputs = language_model("post", kind, torch.float32, layers=1), (TARGET,)
    torch.compiler.reset()
    compiled = torch.compile(model, backend="eager", fullgraph=True, dynamic=True)
    torch.testing.assert_close(compiled(*inputs), model(*inputs))
    with torch.compiler.set_stance("fail_on_recompile"):
        smaller = [tokens[:2, :-1].contiguous() for tokens in inputs]
        torch.testing.assert_close(compiled(*smaller), model(*smaller))


def test_it_exports_with_a_free_batch_and_free_lengths():
    model, batch = transformer("post", torch.float32, layers=1), torch.export.Dim("batch")
    free = ({0: batch, 1: torch.export.Dim("n")}, {0: batch, 1: torch.export.Dim("m")})
    exported = torch.export.export(model, (SOURCE, TARGET), dynamic_shapes=free).module()
    for source, target in ((SOURCE[:2, :4], TARGET[:2, :3]), (SOURCE.repeat(2, 3), TARGET)):
        source = source[: len(target)]
        torch.testing.assert_close(exported(source, target), model(source, target))


def test_it_works_under_autocast_and_in_half_precision():
    model = transformer(dtype=torch.float32)
    expected = model(SOURCE, TARGET)
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(SOURCE, TARGET)
    torch.testing.assert_close(logits.float(), expected, atol=0.1, rtol=0.1)
    logits = model.bfloat16()(SOURCE, TARGET)
    assert logits.dtype == torch.bfloat16
    torch.testing.assert_close(logits.float(), expected, atol=0.1, rtol=0.1)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16], ids=str)
def test_the_default_dtype_is_the_parameters(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        model = Transformer(10, 12, 16, 4, 1, 24)
        assert model(SOURCE, TARGET).dtype == dtype
    finally:
        torch.set_default_dtype(before)


def test_it_works_on_another_device():
    model = transformer(dtype=torch.float32).to("meta")
    logits = model(SOURCE.to("meta"), TARGET.to("meta"))
    assert logits.is_meta
    logits.sum().backward()
    with torch.device("meta"):
        assert Transformer(10, 12, 16, 4, 1, 24).output.weight.is_meta


def test_it_learns_to_copy():
    torch.manual_seed(0)
    model = Transformer(8, 8, 32, 4, 1, 32)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(150):
        source = torch.randint(2, 8, (32, 5))
        target = torch.cat([torch.ones(32, 1, dtype=torch.long), source[:, :-1]], dim=1)
        loss = nn.functional.cross_entropy(model(source, target).transpose(1, 2), source)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.1
