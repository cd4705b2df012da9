"""What lesson 4-4 measures with: a language model in training, in use, and its rivals.

All are measured alike: bits per byte of the same held-out files. Their tokens may differ; bytes are
everybody's.
"""

from __future__ import annotations

import lzma
import math
import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...corpora.byte_pairs import BytePairs
from ...training import Log, train
from ...transformer import LanguageModel

Batch = tuple[Tensor, Tensor]


def batches(tokens: Tensor, length: int, batch_size: int) -> Callable[[int], Batch]:
    """For each step, rows from anywhere in the text, and the same one token later.

    Args:
        tokens: the text ``(n,)``.
        length: of a row.
        batch_size: how many rows.

    Returns:
        ``batch(step)``: what is read and what comes next, both ``(batch_size, length)``.

    Raises:
        ValueError: the text is no longer than a row.
    """
    if len(tokens) <= length:
        raise ValueError(f"tokens: got {len(tokens)}, expected more than length, {length}")

    def batch(step: int) -> Batch:
        chance = torch.Generator().manual_seed(step)
        starts = torch.randint(len(tokens) - length, (batch_size, 1), generator=chance)
        rows = tokens[starts + torch.arange(length + 1)]  # (batch_size, length + 1)
        return rows[:, :-1], rows[:, 1:]

    return batch


def loss(model: nn.Module, batch: Batch) -> Tensor:
    """The mean cross-entropy over all places of all rows, in nats per token."""
    read, following = batch
    return F.cross_entropy(model(read).flatten(0, 1), following.flatten())


def falling(steps: int, highest: float, warmup_steps: int = 50) -> Callable[[int], float]:
    """A learning rate that rises linearly, then falls with half a cosine to a twentieth."""

    def rate(step: int) -> float:
        fall = 0.5 + 0.5 * math.cos(math.pi * step / steps)
        return highest * min(1.0, step / warmup_steps) * (0.05 + 0.95 * fall)

    return rate


def learn(
    model: LanguageModel,
    tokens: Tensor,
    *,
    steps: int,
    length: int,
    batch_size: int,
    learning_rate: float,
    total_steps: int | None = None,
    progress: bool = True,
) -> Log:
    """Train on text: AdamW, clipped gradients, and :func:`falling`, which ends at ``total_steps``.

    Args:
        model: trained in place.
        tokens: the text ``(n,)``.
        steps: how many to take.
        length, batch_size: as of :func:`batches`.
        learning_rate: the highest.
        total_steps: by default ``steps``; more for the beginning of a longer run.
        progress: show a bar.
    """
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=learning_rate, betas=(0.9, 0.99), weight_decay=0.01
    )
    return train(
        model,
        batches(tokens, length, batch_size),
        loss,
        steps=steps,
        optimizer=optimizer,
        schedule=falling(total_steps or steps, learning_rate),
        max_norm=1.0,
        progress=progress,
    )


@torch.no_grad()
def bits_per_byte(model: LanguageModel, tokens: Tensor, num_bytes: int, length: int) -> float:
    """How many bits a byte of a text costs with this model.

    Each token is guessed from at least ``length / 2`` tokens before it, those of the first row from
    as many as there are.

    Args:
        model: in evaluation mode.
        tokens: the text ``(n,)``; nothing is paid for the first token.
        num_bytes: of the text, without its first token.
        length: how many tokens the model sees at most, an even number.
    """
    half, nats = length // 2, 0.0
    for start in range(0, len(tokens) - 1, half * 64):
        rows = [
            tokens[i : i + length + 1]
            for i in range(start, min(start + half * 64, len(tokens) - 1), half)
        ]
        for row in _equally_long(rows):
            found = model(row[:, :-1]).log_softmax(-1)  # (batch, length, vocab_size)
            found = found.gather(-1, row[:, 1:, None]).squeeze(-1)  # (batch, length)
            nats -= found[:, half:].sum().item()
        if start == 0:
            first = rows[0][None]
            found = model(first[:, :-1]).log_softmax(-1).gather(-1, first[:, 1:, None])
            nats -= found[:, :half].sum().item()
    return nats / math.log(2) / num_bytes


def _equally_long(rows: list[Tensor]) -> list[Tensor]:
    """The rows in tensors ``(batch, n)``: those at the end of a text are shorter."""
    by_length: dict[int, list[Tensor]] = {}
    for row in rows:
        by_length.setdefault(len(row), []).append(row)
    return [torch.stack(each) for each in by_length.values()]


@torch.no_grad()
def flow(model: LanguageModel, tokens: Tensor) -> dict[str, Tensor]:
    """What comes out of the parts of a model in one pass, by the names of the diagram's boxes."""
    x = model.embedding(tokens)  # (batch, n, d_model)
    passed = {"tokens": tokens, "vectors": x}
    for i, layer in enumerate(model.layers):
        x = passed[f"layer_{i}"] = layer(x, causal=True)
    return passed | {"logits": model.output(model.norm(x))}


def apart(ours: Tensor, theirs: Tensor) -> float:
    """The largest difference between two results of the same shape."""
    return (ours - theirs).abs().max().item()


def beginning(pieces: BytePairs, text: str) -> Tensor:
    """A text as one row of tokens ``(1, n)``."""
    return torch.tensor(pieces.encode(text.encode()))[None]


@torch.no_grad()
def after(model: LanguageModel, pieces: BytePairs, texts: Sequence[str]) -> Tensor:
    """The logits ``(texts, vocab_size)`` of the token after each text."""
    return torch.cat([model(beginning(pieces, text))[:, -1] for text in texts])


def labels(pieces: BytePairs) -> list[str]:
    """Each token as it can be shown; a byte that is no text by itself by its code."""
    shown = []
    for token in pieces.tokens:
        text = token.decode("utf-8", errors="replace")
        shown.append("".join(f"\\x{byte:02x}" for byte in token) if "\ufffd" in text else text)
    return shown


@torch.no_grad()
def times_faster(
    write: Callable[..., object], model: LanguageModel, tokens: Tensor, length: int
) -> float:
    """How many times less processor time writing takes with a cache: the least of three, each."""
    spent: dict[bool, list[float]] = {False: [], True: []}
    for keep in (False, True) * 3:
        start = time.process_time()
        write(model, tokens, length, keep)
        spent[keep].append(time.process_time() - start)
    return min(spent[False]) / min(spent[True])


class Counts:
    """A model that counts: how often each token came after each few tokens.

    The guess after ``k`` tokens is mixed with that after ``k - 1`` of them, and so on down to all
    tokens alike. What came after a context ``n`` times, ``kinds`` different tokens in all, weighs
    ``n / (n + kinds)``: a context that was often seen is believed, and so is one after which the
    same always came.

    Args:
        vocab_size: how many tokens there are.
        order: how many tokens before are looked at.

    Source: Witten and Bell 1991, method C, as interpolated by Chen and Goodman 1999.
    """

    def __init__(self, vocab_size: int, order: int) -> None:
        self.vocab_size, self.order = vocab_size, order
        self._after: list[Counter] = [Counter() for _ in range(order + 1)]
        self._total: list[Counter] = [Counter() for _ in range(order + 1)]
        self._kinds: list[Counter] = [Counter() for _ in range(order + 1)]

    def read(self, text: Sequence[int]) -> Counts:
        """Count a text; returns the model itself."""
        for i in range(len(text)):
            self._count(text, i)
        return self

    def _count(self, text: Sequence[int], i: int) -> None:
        for k in range(min(self.order, i) + 1):
            gram = tuple(text[i - k : i + 1])
            if gram not in self._after[k]:
                self._kinds[k][gram[:-1]] += 1
            self._after[k][gram] += 1
            self._total[k][gram[:-1]] += 1

    def chance(self, text: Sequence[int], i: int) -> float:
        """The probability of ``text[i]`` after what stands before it."""
        p = 1 / self.vocab_size
        for k in range(min(self.order, i) + 1):
            gram = tuple(text[i - k : i + 1])
            total = self._total[k].get(gram[:-1], 0)
            if not total:
                break
            kinds = self._kinds[k][gram[:-1]]
            p = (self._after[k].get(gram, 0) + kinds * p) / (total + kinds)
        return p

    def bits(self, text: Sequence[int], *, learning: bool = False) -> float:
        """What a text costs in bits.

        Args:
            text: tokens.
            learning: count each token of it, too, once it has been guessed.
        """
        total = 0.0
        for i in range(len(text)):
            total -= math.log2(self.chance(text, i))
            if learning:
                self._count(text, i)
        return total


def zlib_bits(text: bytes, before: bytes = b"") -> float:
    """Bits that zlib writes for a text; it looks back 32,768 bytes, to the end of ``before``."""
    packer = zlib.compressobj(9, zdict=before[-32_768:]) if before else zlib.compressobj(9)
    return 8 * len(packer.compress(text) + packer.flush())


def lzma_bits(text: bytes, before: bytes = b"") -> float:
    """Bits that lzma writes for a text: for ``before`` and it, less those for ``before``."""
    return 8 * (_lzma(before + text) - (_lzma(before) if before else 0))


def _lzma(text: bytes) -> int:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9}]  # looks back 64 million bytes
    return len(lzma.compress(text, format=lzma.FORMAT_RAW, filters=filters))
