"""What lesson 3-1 measures with: a small task of translation, and ways to run the decoder.

The task: copy a row of letters in capitals, forwards or backwards. The first word of the target is
an arrow that says which; it is drawn at random, so that nobody can know it. The letters stand in
the source alone, the direction in what the decoder has written itself.

Training over seeds takes minutes, so that it was run once, by ``python -m
attention_course.lessons.encoder_decoder.runs``; its log is ``runs.json``, beside this file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import resources

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ... import training
from ...attention import MultiHeadAttention
from ...transformer import Transformer, attention_weights

PAD, START, FORTH, BACK, FIRST = range(5)
LETTERS = 12
VOCABULARY = FIRST + LETTERS
ARROWS = {"forth": FORTH, "back": BACK}
SHORTEST, LONGEST = 5, 7
WIDTH, HIDDEN = 32, 64
STEPS, BATCH, LEARNING_RATE = 400, 128, 6e-3

Results = dict[str, list[float]]
Shape = Sequence[int]
Stage = tuple[str, list[Shape], Shape]

# The modules of a model, without the numbers of their layers, and what the map calls them.
_PARTS = {
    "source_embedding.table": "embedding",
    "source_embedding": "positions",
    "encoder.attention": "heads",
    "encoder.feed_forward": "feed_forward",
    "encoder_norm": "states",
    "target_embedding.table": "embedding",
    "target_embedding": "positions",
    "decoder.attention": "masked",
    "decoder.cross_attention": "cross",
    "decoder.feed_forward": "feed_forward",
    "output": "linear",
}


# --- The task -------------------------------------------------------------------------------------


def pairs(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Sources ``(count, 7)`` and targets ``(count, 8)``, with padding behind short ones.

    A target is an arrow and the letters of its source, in the direction of the arrow.
    """
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(SHORTEST, LONGEST + 1, (count, 1), generator=generator)
    source = FIRST + torch.randint(LETTERS, (count, LONGEST), generator=generator)
    source = source.masked_fill(torch.arange(LONGEST) >= lengths, PAD)
    arrows = torch.randint(FORTH, BACK + 1, (count, 1), generator=generator)
    return source, translated(source, arrows)


def translated(source: Tensor, arrows: Tensor) -> Tensor:
    """The targets ``(count, 1 + n)`` of sources ``(count, n)`` for arrows ``(count, 1)``."""
    place, lengths = torch.arange(source.size(1)), (source != PAD).sum(dim=1, keepdim=True)
    mirrored = (lengths - 1 - place) % source.size(1)  # padding stays behind
    letters = torch.where(arrows == BACK, source.gather(1, mirrored), source)
    return torch.cat([arrows, letters], dim=1)


def spelled(tokens: Tensor) -> list[str]:
    """The tokens of a source ``(n,)``, or of a target or what is read of it, as they are shown."""
    letters = "ABCDEFGHIJKL" if tokens[0] < FIRST else "abcdefghijkl"
    return [("·▷→←" + letters)[token] for token in tokens.tolist()]


def shifted(target: Tensor) -> Tensor:
    """What the decoder reads to write ``target`` ``(…, n)``: a start, and all but the last."""
    return F.pad(target[..., :-1], (1, 0), value=START)


def nothing(target: Tensor) -> Tensor:
    """A start at every place: of what it has written, the decoder reads nothing."""
    return torch.full_like(target, START)


# --- Ways to run the decoder ----------------------------------------------------------------------


def own_states(states: Tensor, mask: Tensor) -> Tensor:
    """The states as the encoder gave them."""
    return states


def average_states(states: Tensor, mask: Tensor) -> Tensor:
    """Each state replaced by the average of its sentence: the decoder cannot choose among them.

    Args:
        states: ``(batch, n_source, d_model)``.
        mask: which of them are words, ``(batch, 1, n_source)``.
    """
    share = mask / mask.sum(dim=-1, keepdim=True).clamp(min=1)  # (batch, 1, n_source)
    return (share.to(states.dtype) @ states).expand_as(states)


def no_states(states: Tensor, mask: Tensor) -> Tensor:
    """Zeros for all states: of the source, the decoder learns nothing."""
    return torch.zeros_like(states)


@dataclass(frozen=True)
class Way:
    """A way to run the decoder, in training and afterwards.

    Attributes:
        states: what becomes of the encoder's states before the decoder looks at them.
        read: what the decoder reads, given the target.
        causal: whether each place is kept from looking at later ones.
    """

    states: Callable[[Tensor, Tensor], Tensor] = own_states
    read: Callable[[Tensor], Tensor] = shifted
    causal: bool = True


WAYS = {
    "whole": Way(),
    "average": Way(states=average_states),
    "unread": Way(read=nothing),
    "no_source": Way(states=no_states),
    "future": Way(causal=False),
}


def logits(model: Transformer, source: Tensor, read: Tensor, way: Way = WAYS["whole"]) -> Tensor:
    """What ``model`` says at each place of ``read`` ``(batch, n)``: ``(batch, n, vocabulary)``."""
    mask = model.source_mask(source)
    states = way.states(model.encode(source), mask)
    with _looking_ahead(model, not way.causal):
        return model.decode(read, states, mask)


@contextmanager
def _looking_ahead(model: Transformer, ahead: bool) -> Iterator[None]:
    """Inside the ``with``, the decoder has no causal mask, if ``ahead``."""

    def uncover(layer, args, options):
        return args, {**options, "causal": False}

    layers = model.decoder if ahead else []
    with _hooked([layer.register_forward_pre_hook(uncover, with_kwargs=True) for layer in layers]):
        yield


@contextmanager
def without_cross_attention(model: Transformer) -> Iterator[None]:
    """Inside the ``with``, cross-attention adds zeros: the decoder reads its own beginning only."""

    def cut(module, args, result):
        output, weights = result
        return torch.zeros_like(output), weights

    with _hooked([layer.cross_attention.register_forward_hook(cut) for layer in model.decoder]):
        yield


@contextmanager
def _hooked(hooks: list) -> Iterator[None]:
    """Takes the hooks off in the end, whatever happens."""
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


# --- Training and what comes of it ----------------------------------------------------------------


def trained(way: Way = WAYS["whole"], seed: int = 0, steps: int = STEPS) -> Transformer:
    """A Transformer of one layer each, width 32, one head, after ``steps`` batches of the task."""
    torch.manual_seed(seed)
    model = Transformer(VOCABULARY, VOCABULARY, WIDTH, 1, 1, HIDDEN)

    def rate(step: int) -> float:
        return LEARNING_RATE * min(1.0, step / 50) * max(0.05, 1 - step / steps)

    training.train(
        model,
        lambda step: pairs(BATCH, seed=1_000_000 * (seed + 1) + step),
        lambda model, batch: loss(model, *batch, way),
        steps=steps,
        schedule=rate,
        max_norm=1.0,
        progress=False,
    )
    return model


def loss(model: Transformer, source: Tensor, target: Tensor, way: Way = WAYS["whole"]) -> Tensor:
    """The mean cross-entropy of the words of ``target`` ``(batch, n)``; padding does not count."""
    said = logits(model, source, way.read(target), way)
    return F.cross_entropy(said.flatten(0, 1), target.flatten(), ignore_index=PAD)


@torch.no_grad()
def accuracy(model: Transformer, source: Tensor, target: Tensor, way: Way = WAYS["whole"]) -> float:
    """The share of the letters of ``target`` that ``model`` holds most likely.

    At each place it reads what ``way`` lets it read of the target. Arrows do not count.
    """
    said = logits(model, source, way.read(target), way).argmax(dim=-1)
    return _share(said == target, target >= FIRST)


@torch.no_grad()
def arrows(model: Transformer, source: Tensor, target: Tensor, way: Way = WAYS["whole"]) -> float:
    """The share of the arrows that ``model`` guesses, though they are drawn at random."""
    said = logits(model, source, way.read(target), way)[:, 0].argmax(dim=-1)
    return _share(said == target[:, 0], target[:, 0] > 0)


@torch.no_grad()
def written(model: Transformer, source: Tensor, way: Way = WAYS["whole"]) -> Tensor:
    """What ``model`` writes for ``source`` ``(batch, n)``, word after word: ``(batch, 1 + n)``."""
    target = source.new_full((len(source), 1 + source.size(1)), PAD)
    for place in range(target.size(1)):
        read = way.read(target)[:, : place + 1]
        target[:, place] = logits(model, source, read, way)[:, -1].argmax(dim=-1)
    return target


def written_right(model: Transformer, source: Tensor, way: Way = WAYS["whole"]) -> float:
    """The share of letters that are right when ``model`` writes by itself, by its own arrow."""
    said = written(model, source, way)
    wanted = translated(source, said[:, :1])
    known = (said[:, :1] == FORTH) | (said[:, :1] == BACK)
    return _share((said == wanted) & known, wanted >= FIRST)


def coin_toss(source: Tensor, target: Tensor) -> float:
    """The share of letters that one gets right who knows ``source``, but guesses the arrow.

    Where both directions ask for the same letter the guess does not matter; elsewhere, half.
    """
    forth, back = (
        translated(source, torch.full_like(source[:, :1], arrow)) for arrow in (FORTH, BACK)
    )
    return (1 + _share(forth == back, target >= FIRST)) / 2


def _share(right: Tensor, counts: Tensor) -> float:
    return right[counts].double().mean().item()


# --- A pass, part by part -------------------------------------------------------------------------


@torch.no_grad()
def stages(model: Transformer, source: Tensor, read: Tensor) -> list[Stage]:
    """A pass of ``model``, as hooks see it: each part with the shapes of what it got and gave.

    A hook is a function that torch calls whenever a module has computed something. The parts have
    the names of the map, and stand in the order in which they worked.
    """
    seen: list[Stage] = []

    def note(part: str, module: nn.Module, args: tuple, options: dict, result: object) -> None:
        output = result[0] if isinstance(result, tuple) else result
        inputs = [args[0].shape]
        if part == "positions":
            inputs = [output.shape, output.shape[1:]]
        elif isinstance(module, MultiHeadAttention):
            inputs += [options.get("key", args[0]).shape] * 2
        seen.append((part, inputs, output.shape))

    def tokens(part: str, module: nn.Module, args: tuple) -> None:
        seen.append((part, [], args[0].shape))

    hooks = []
    for side in ("source", "target"):
        embedding = getattr(model, f"{side}_embedding")
        hooks.append(embedding.register_forward_pre_hook(partial(tokens, side)))
    for name, module in model.named_modules():
        part = _PARTS.get(re.sub(r"\.\d+", "", name))
        if part is not None:
            hooks.append(module.register_forward_hook(partial(note, part), with_kwargs=True))
    with _hooked(hooks):
        scores = model(source, read)
    return [*seen, ("output", [scores.shape], scores.softmax(dim=-1).shape)]


@torch.no_grad()
def look_back(model: Transformer, read: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value of the decoder's first look at what it has read, ``(n, d_model)`` each.

    Args:
        model: with norms that come first (``norm="pre"``).
        read: tokens ``(1, n)``.
    """
    layer = model.decoder[0]
    x = layer.attention_residual.norm(model.target_embedding(read)[0])  # (n, d_model)
    attention = layer.attention
    return attention.query(x), attention.key(x), attention.value(x)


@torch.no_grad()
def looks_across(model: Transformer, source: Tensor, arrow: str) -> Tensor:
    """The weights with which the decoder looks at ``source``, for each letter that it has to say.

    Args:
        model: with one head.
        source: one without padding, ``(1, n)``.
        arrow: ``"forth"`` or ``"back"``.

    Returns:
        ``(n, n)``: a row for each letter, a column for each word of the source.
    """
    target = translated(source, source.new_tensor([[ARROWS[arrow]]]))  # (1, 1 + n)
    with attention_weights(model) as weights:
        model(source, shifted(target))
    return weights["decoder.0.cross_attention"][0, 0, 1:]


def runs() -> dict[str, Results]:
    """The log: way → what was measured (``letters``, ``arrows``, …) → a number for each seed."""
    return json.loads(resources.files(__package__).joinpath("runs.json").read_text("utf-8"))
