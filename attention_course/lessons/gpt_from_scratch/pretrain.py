"""Trains the language model that the book ships: about ten minutes on one core.

``python -m attention_course.lessons.gpt_from_scratch.pretrain`` reads the standard library of the
Python that runs it, learns tokens, trains, measures the model and its rivals on the held-out files,
and writes ``models/python_source.safetensors`` (half precision) and its card beside it, a JSON file
that says how it was made and holds the log of the run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from ... import models
from ...corpora.byte_pairs import BytePairs
from ...corpora.python_source import PythonSource, python_source
from ...transformer import LanguageModel
from .experiments import Counts, bits_per_byte, learn, lzma_bits, zlib_bits

TRAIN_BYTES, HELD_OUT_BYTES, LEARNED_FROM = 6_000_000, 100_000, 500_000
SIZES = {"vocab_size": 512, "d_model": 96, "num_heads": 4, "num_layers": 3, "d_ff": 384}
RUN = {"length": 256, "batch_size": 8, "learning_rate": 0.004}
STEPS, EACH = 6000, 100  # the log has the mean loss of each 100 steps
# Made for the card: a text that stays the same whatever Python runs.
FIXED_TEXT = b'''
class Shelf:
    """Books in a row, each with its number."""

    def __init__(self, books=()):
        self.books = list(books)

    def __len__(self):
        return len(self.books)

    def find(self, title):
        for number, book in enumerate(self.books):
            if book.title == title:
                return number
        raise KeyError(title)
'''


def new_model() -> LanguageModel:
    """The model as it begins."""
    torch.manual_seed(0)
    return LanguageModel(**SIZES, pad_id=None)


def run(source: PythonSource, steps: int = STEPS) -> tuple[LanguageModel, BytePairs, list[float]]:
    """The first ``steps`` of the run: the model, its tokens, and the loss at each step."""
    pairs = BytePairs.learn(source.train[:LEARNED_FROM], SIZES["vocab_size"])
    tokens = torch.tensor(pairs.encode(source.train))
    model = new_model()
    log = learn(model, tokens, steps=steps, total_steps=STEPS, progress=False, **RUN)
    return model, pairs, log.losses


def means(losses: Sequence[float]) -> list[float]:
    """The mean of each ``EACH`` losses, in nats per token."""
    parts = [losses[i : i + EACH] for i in range(0, len(losses), EACH)]
    return [round(math.fsum(part) / len(part), 4) for part in parts]


def score(model: LanguageModel, pairs: BytePairs, text: bytes) -> float:
    """Bits per byte of a text, its first token given."""
    tokens = torch.tensor(pairs.encode(text))
    return bits_per_byte(model, tokens, len(text) - len(pairs.tokens[tokens[0]]), RUN["length"])


def rivals(source: PythonSource, pairs: BytePairs) -> dict[str, float]:
    """Bits per byte of the held-out files for whoever else has read the same text."""
    text, before, size = source.held_out, source.train, len(source.held_out)
    read, asked = pairs.encode(before).tolist(), pairs.encode(text).tolist()
    counts = Counts(len(pairs), 2).read(read)
    return {
        "counts of 3 tokens": counts.bits(asked) / size,
        "counts of 3 tokens, still counting": counts.bits(asked, learning=True) / size,
        "zlib": zlib_bits(text) / size,
        "zlib after the training text": zlib_bits(text, before) / size,
        "lzma": lzma_bits(text) / size,
        "lzma after the training text": lzma_bits(text, before) / size,
    }


def main() -> None:
    torch.set_num_threads(1)
    source = python_source(TRAIN_BYTES, HELD_OUT_BYTES)
    model, pairs, losses = run(source)
    models.halve(model)
    card = {
        "what": "A decoder-only language model, attention_course.transformer.LanguageModel, that "
        "writes Python. For teaching: what it writes looks like code and means little.",
        "command": f"python -m {__spec__.name}",
        "text": f"the source of the standard library of Python {source.version}, as "
        "attention_course.corpora.python_source gives it",
        "licence of the text": "PSF License Version 2, https://docs.python.org/3/license.html",
        "train": {"bytes": len(source.train), "files": len(source.train_files)},
        "held out": {"bytes": len(source.held_out), "files": list(source.held_out_files)},
        "python": source.version,
        "torch": torch.__version__.split("+")[0],
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "run": {**RUN, "steps": STEPS},
        "bits per byte, held out": {
            "this model": score(model, pairs, source.held_out),
            **rivals(source, pairs),
        },
        "bits per byte, fixed text": score(model, pairs, FIXED_TEXT),
        f"loss, mean of each {EACH} steps": means(losses),
        "merges": pairs.merges,
    }
    models.save("python_source", model, card, **SIZES)


if __name__ == "__main__":
    main()
