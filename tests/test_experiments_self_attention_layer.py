"""What lesson 4-1 compares with."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from attention_course import language
from attention_course.attention import SelfAttention
from attention_course.explorables import ArchitectureStepper
from attention_course.lessons.self_attention_layer import experiments
from attention_course.transformer import EncoderLayer, Transformer

CHAPTERS = Path(__file__).parents[1] / "chapters"


@pytest.fixture
def model():
    torch.manual_seed(0)
    return experiments.shaken(Transformer(16, 16, 32, 4, 2, 64))


@pytest.fixture
def drawn():
    return experiments.pairs()


@pytest.mark.parametrize("edition", ["en", "zh"])
def test_the_listing_is_the_one_that_the_page_shows(edition):
    page = json.loads((CHAPTERS / edition / "4-1-self-attention-layer.ipynb").read_text())
    prose = ["".join(cell["source"]) for cell in page["cells"] if cell["cell_type"] == "markdown"]
    assert any(f"```python{experiments.LISTING}```" in text for text in prose)


def test_the_listing_stops_at_its_class_for_want_of_one_name():
    with pytest.raises(NameError, match="name 'nn' is not defined") as stopped:
        exec(experiments.LISTING, {})
    lines = experiments.LISTING.splitlines()
    assert lines[stopped.traceback[-1].lineno].startswith("class ")
    exec("from torch import nn" + experiments.LISTING, {})


def test_pairs_have_padding_and_begin_with_a_start(drawn):
    source, read = drawn
    assert (source.shape, read.shape) == ((3, 7), (3, 8))
    assert (source == 0).any()
    assert (read[:, 0] == 1).all()


def test_torchs_attention_gets_the_numbers_of_a_single_head():
    torch.manual_seed(0)
    layer, x = SelfAttention(8), torch.randn(2, 5, 8)
    assert experiments.apart(layer(x), experiments.torchs_output(layer, x)) < 1e-6
    assert experiments.apart(layer(x), experiments.torchs_output(layer, x, num_heads=2)) > 0.01


def test_shaken_no_parameter_is_0_or_1(model):
    for parameter in model.parameters():
        assert not ((parameter == 0) | (parameter == 1)).any()


def test_two_parts_exchange_their_numbers_in_a_copy(model, drawn):
    twin = experiments.exchanged(model, "encoder_norm", "decoder_norm")
    assert torch.equal(twin.encoder_norm.weight, model.decoder_norm.weight)
    assert torch.equal(twin.decoder_norm.bias, model.encoder_norm.bias)
    assert not torch.equal(model.encoder_norm.weight, model.decoder_norm.weight)
    assert experiments.apart(twin(*drawn), model(*drawn)) > 0.1
    fresh = Transformer(16, 16, 32, 4, 2, 64)
    unnoticed = experiments.exchanged(fresh, "encoder_norm", "decoder_norm")
    assert torch.equal(unnoticed(*drawn), fresh(*drawn))


def test_only_the_mask_of_the_source_is_heard(model, drawn, monkeypatch):
    with torch.no_grad():  # the library reads padding as a place without a word
        for embedding in (model.source_embedding, model.target_embedding):
            embedding.table.weight[0] = 0
    heard, unheard = experiments.masks_forgotten(model, *drawn)
    assert unheard < 1e-5 < 0.1 < heard
    # Nor would anything be heard of a mask of the source where there is no padding.
    deaf = experiments.masks_forgotten(model, torch.where(drawn[0] == 0, 5, drawn[0]), drawn[1])
    assert max(deaf) < 1e-5
    words, right = drawn[1] != 0, model(*drawn)
    monkeypatch.setattr(model, "source_mask", lambda source: None)  # the mistake itself
    assert experiments.apart(model(*drawn)[words], right[words]) == pytest.approx(heard, rel=1e-4)


def test_the_name_that_a_text_lacks_is_found():
    assert experiments.missing_name() == "nn"
    assert experiments.missing_name("from torch import nn" + experiments.LISTING) is None


def test_with_twice_as_many_digits_nothing_is_left_of_the_difference(model, drawn):
    differences = experiments.exactly_apart(SelfAttention, model, model, *drawn)
    assert len(differences) == 5 + 2
    assert max(differences) < 1e-12
    other = experiments.exchanged(model, "encoder_norm", "decoder_norm")
    assert experiments.exactly_apart(SelfAttention, model, other, *drawn)[5] > 0.1


def test_every_parameter_is_in_one_of_the_parts_that_have_a_name(model, drawn):
    parts = experiments.parts(model, *drawn)
    assert sum(part.parameters for part in parts.values()) == sum(
        parameter.numel() for parameter in model.parameters()
    )
    assert set(parts) == set(language.words("self_attention_layer.parts.names"))
    assert parts["encoder_norms"].count == 2 * 2 + 1
    assert parts["decoder_norms"].count == 2 * 3 + 1
    assert parts["decoder_cross_attention"].shape == (3, 8, 32)
    assert parts["decoder_cross_attention"].parameters == 2 * 4 * (32 * 32 + 32)
    assert parts["output"].shape == (3, 8, 16)


def test_the_flow_is_that_of_a_pass(model, drawn):
    flow = experiments.flow(model, *drawn)
    assert torch.equal(flow["logits"], model(*drawn))
    assert torch.equal(flow["states"], model.encode(drawn[0]))
    assert flow["second"].shape == flow["last"].shape == (3, 8, 32)
    assert not model.encoder[0]._forward_hooks


def test_the_stages_can_be_stepped_through(model, drawn):
    stepper = ArchitectureStepper(*experiments.stages(model, *drawn))
    assert stepper.state["layers"] == 2


def test_a_layer_of_bert_is_torchs_layer_with_gelu():
    bert = experiments.bert_layer()
    ours = EncoderLayer(384, 12, 1536, norm="post")
    ours.load_state_dict(bert.numbers)
    options = {"dropout": 0.0, "batch_first": True, "layer_norm_eps": 1e-12}
    theirs = nn.TransformerEncoderLayer(384, 12, 1536, activation="gelu", **options)
    experiments.give(ours, theirs)
    assert experiments.apart(theirs(bert.words), bert.output) < 1e-5
    assert experiments.apart(ours(bert.words), bert.output) > 0.01  # ours has a relu
