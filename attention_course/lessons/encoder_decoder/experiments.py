"""What lesson 3-1 measures with: a small task of translation, and ways to cut the decoder off.

The task: a word of the source is another in the target, and the order is turned round. Whoever sees
the target's own beginning only has nothing to guess from: its words are drawn independently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import functional as F

from ... import checks, training
from ...transformer import Transformer

PAD, START, FIRST = 0, 1, 2
WORDS = 20
SHORTEST, LONGEST = 3, 7
BATCH = 64
LEARNING_RATE = 3e-3

States = Callable[[Tensor, Tensor], Tensor]


def pairs(sentences: int, seed: int) -> tuple[Tensor, Tensor]:
    """Sources and their targets, ``(sentences, 7)`` each, with padding behind short ones."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(SHORTEST, LONGEST + 1, (sentences, 1), generator=generator)
    words = torch.randint(WORDS, (sentences, LONGEST), generator=generator)
    place = torch.arange(LONGEST)
    padding = place >= lengths  # (sentences, 7)
    mirrored = (lengths - 1 - place).clamp(min=0)  # (sentences, 7)
    translated = (7 * words % WORDS).gather(1, mirrored)  # 7 and 20 share no factor: one to one
    return (FIRST + words).masked_fill(padding, PAD), (FIRST + translated).masked_fill(padding, PAD)


def shifted(target: Tensor) -> Tensor:
    """What the decoder reads to write ``target`` ``(batch, n)``: a start, and all but the last."""
    return F.pad(target[:, :-1], (1, 0), value=START)


def own_states(states: Tensor, mask: Tensor) -> Tensor:
    """The states as the encoder gave them."""
    return states


def average_states(states: Tensor, mask: Tensor) -> Tensor:
    """Each state replaced by the average of its sentence: the decoder cannot choose among them.

    Args:
        states: ``(batch, n_source, d_model)``.
        mask: which of them are words, ``(batch, 1, n_source)``.
    """
    share = mask / mask.sum(-1, keepdim=True).clamp(min=1)  # (batch, 1, n_source)
    return (share.to(states.dtype) @ states).expand_as(states)


def no_states(states: Tensor, mask: Tensor) -> Tensor:
    """Zeros for all states: of the source, the decoder learns nothing."""
    return torch.zeros_like(states)


def logits(
    model: Transformer, source: Tensor, target: Tensor, states: States = own_states
) -> Tensor:
    """What ``model`` says of each word of ``target`` ``(batch, n)``: ``(batch, n, vocabulary)``."""
    mask = model.source_mask(source)
    return model.decode(shifted(target), states(model.encode(source), mask), mask)


@contextmanager
def without_cross_attention(model: Transformer) -> Iterator[None]:
    """Inside the ``with``, cross-attention adds zeros: the decoder reads its own beginning only."""

    def cut(module, args, result):
        output, weights = result
        return torch.zeros_like(output), weights

    hooks = [layer.cross_attention.register_forward_hook(cut) for layer in model.decoder]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def trained(steps: int, seed: int, states: States = own_states) -> Transformer:
    """A Transformer of one layer each, width 32 and two heads, after ``steps`` batches of the task.

    To train one without cross-attention, call it with :func:`no_states`.
    """
    torch.manual_seed(seed)
    model = Transformer(FIRST + WORDS, FIRST + WORDS, 32, 2, 1, 64)

    def rate(step: int) -> float:
        return LEARNING_RATE * min(1.0, step / 50) * max(0.05, 1 - step / steps)

    training.train(
        model,
        lambda step: pairs(BATCH, seed=1_000_000 * (seed + 1) + step),
        lambda model, batch: loss(model, *batch, states),
        steps=steps,
        schedule=rate,
        max_norm=1.0,
        progress=False,
    )
    return model


def loss(model: Transformer, source: Tensor, target: Tensor, states: States = own_states) -> Tensor:
    """The mean cross-entropy of the words of ``target`` ``(batch, n)``; padding does not count."""
    said = logits(model, source, target, states)
    return F.cross_entropy(said.flatten(0, 1), target.flatten(), ignore_index=PAD)


@torch.no_grad()
def accuracy(
    model: Transformer, source: Tensor, target: Tensor, states: States = own_states
) -> float:
    """The share of words of ``target`` that ``model`` holds most likely, given those before."""
    right = logits(model, source, target, states).argmax(dim=-1) == target
    return right[target != PAD].float().mean().item()


@torch.no_grad()
def leaks(decode: Callable[[Tensor], Tensor], target: Tensor, vocabulary: int) -> Tensor:
    """How far each output moves when a later token is another, ``(n - 1,)``: 0 where none leaks.

    Each token in turn is replaced, in all sentences, and only outputs before it are compared.

    Args:
        decode: tokens ``(batch, n)`` to outputs ``(batch, n, …)``.
        target: tokens ``(batch, n)``, from 0 to ``vocabulary - 1``, ``n`` at least 2.
        vocabulary: how many tokens there are, at least 2.

    Raises:
        TypeError, ValueError: ``target`` or ``vocabulary`` is not what it should be.
    """
    checks.integers("target", target, "(batch, n)")
    if target.ndim != 2 or target.size(1) < 2:
        raise ValueError(
            f"target: got shape {tuple(target.shape)}, expected (batch, n), n at least 2"
        )
    if checks.size("vocabulary", vocabulary) < 2:
        raise ValueError(f"vocabulary: got {vocabulary}, expected at least 2")
    before = decode(target)
    moved = before.new_zeros(target.size(1) - 1)
    for i in range(1, target.size(1)):
        other = target.clone()
        other[:, i] = (other[:, i] + 1) % vocabulary
        change = (decode(other) - before)[:, :i].abs()  # (batch, i, …)
        moved[:i] = torch.maximum(moved[:i], change.transpose(0, 1).flatten(1).amax(dim=1))
    return moved
