"""The shipped models: what is written is what is measured and read again."""

import json

import pytest
import torch

from attention_course import models
from attention_course.transformer import LanguageModel

SIZES = {"vocab_size": 9, "d_model": 8, "num_heads": 2, "num_layers": 1, "d_ff": 12}


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "path", lambda name: tmp_path / f"{name}.safetensors")
    return tmp_path


def test_what_is_saved_is_loaded_and_its_card_with_it(shelf):
    model, other = (LanguageModel(**SIZES).eval() for _ in range(2))
    tokens = torch.tensor([[1, 5, 2]])
    exact = model(tokens)
    models.halve(model)
    assert 0 < (model(tokens) - exact).abs().max() < 0.01
    models.save("small", model, {"what": "一个小模型"}, **SIZES)
    assert models.card("small") == {"what": "一个小模型", "sizes": SIZES}
    assert "一个小模型" in (shelf / "small.json").read_text(encoding="utf-8")
    assert torch.equal(models.load("small", other)(tokens), model(tokens))
    with pytest.raises(RuntimeError, match="size mismatch"):
        models.load("small", LanguageModel(**{**SIZES, "d_ff": 16}))


def test_sizes_stand_in_the_file_too(shelf):
    models.save("small", LanguageModel(**SIZES), {}, **SIZES)
    content = (shelf / "small.safetensors").read_bytes()
    head = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert head["__metadata__"] == {name: str(size) for name, size in SIZES.items()}


@pytest.mark.parametrize("load", [models.translator, models.python_writer])
def test_loading_leaves_the_random_numbers_where_they_were(load):
    before = torch.get_rng_state()
    model, *_ = load()
    assert not model.training
    assert torch.equal(torch.get_rng_state(), before)


def test_a_model_that_is_not_there_is_named():
    with pytest.raises(FileNotFoundError, match="nowhere"):
        models.card("nowhere")
