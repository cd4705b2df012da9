"""What lesson 4-1 compares with: torch's attention and Transformer, and a layer of BERT.

Each is given the numbers of one of ours, so that both must say the same. A module of ours is one of
the page or one of the library: their parts have the same names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from ... import pretrained
from ...attention import causal_mask
from ...transformer import Transformer
from ..encoder_decoder import experiments as letters

# The page shows this text: it begins as the article's listing does.
LISTING = """
import torch
import torch.nn.functional as F

class Layer(nn.Module):
    pass
"""
SENTENCE = "The cat sat on the mat because it was tired."

# The modules of a Transformer, without the numbers of their layers, and the row of each.
_ROWS = {
    "source_embedding": "source_embedding",
    "encoder.attention": "encoder_attention",
    "encoder.feed_forward": "encoder_feed_forward",
    "encoder.attention_residual.norm": "encoder_norms",
    "encoder.feed_forward_residual.norm": "encoder_norms",
    "encoder_norm": "encoder_norms",
    "target_embedding": "target_embedding",
    "decoder.attention": "decoder_attention",
    "decoder.cross_attention": "decoder_cross_attention",
    "decoder.feed_forward": "decoder_feed_forward",
    "decoder.attention_residual.norm": "decoder_norms",
    "decoder.cross_attention_residual.norm": "decoder_norms",
    "decoder.feed_forward_residual.norm": "decoder_norms",
    "decoder_norm": "decoder_norms",
    "output": "output",
}
# What comes out where, in a Transformer of two layers on each side.
_FLOW = {
    "vectors": "source_embedding",
    "first": "encoder.0",
    "states": "encoder_norm",
    "own": "target_embedding",
    "second": "decoder.0",
    "last": "decoder.1",
    "logits": "output",
}
# The parts of a layer of BERT, and what they are called here.
_OF_BERT = {
    "attention.self.query": "attention.query",
    "attention.self.key": "attention.key",
    "attention.self.value": "attention.value",
    "attention.output.dense": "attention.output",
    "attention.output.LayerNorm": "attention_residual.norm",
    "intermediate.dense": "feed_forward.inner",
    "output.dense": "feed_forward.outer",
    "output.LayerNorm": "feed_forward_residual.norm",
}


def pairs() -> tuple[Tensor, Tensor]:
    """Three sources of lesson 3-1, ``(3, 7)``, and what a decoder has read so far, ``(3, 8)``."""
    source, target = letters.pairs(3, seed=0)
    return source, letters.shifted(target)


def stages(
    model: Transformer, source: Tensor, read: Tensor
) -> tuple[list[letters.Stage], list[str], list[str]]:
    """A pass of the library's model part by part, and the words of the second pair."""
    passed = letters.stages(model, source, read)
    return passed, letters.spelled(source[1]), letters.spelled(read[1])


def missing_name(text: str = LISTING) -> str | None:
    """The name for want of which a text stops as a program of its own; None if it does not."""
    try:
        exec(text, {})
    except NameError as error:
        return error.name
    return None


def apart(ours: Tensor, theirs: Tensor) -> float:
    """The largest difference between two results of the same shape."""
    return (ours - theirs).abs().max().item()


@torch.no_grad()
def shaken(module: nn.Module) -> nn.Module:
    """The module with a random number added to each parameter, so that none is exactly 0 or 1.

    A fresh LayerNorm has ones and zeros only. Exchange two of them, and nothing would show it.
    """
    for parameter in module.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    return module


def exchanged(module: nn.Module, first: str, second: str) -> nn.Module:
    """A copy of the module in which two parts, given by their names, have each other's numbers."""
    twin = deepcopy(module)
    one, other = twin.get_submodule(first), twin.get_submodule(second)
    held = deepcopy(one.state_dict())
    one.load_state_dict(other.state_dict())
    other.load_state_dict(held)
    return twin


@torch.no_grad()
def masks_forgotten(model: nn.Module, source: Tensor, target: Tensor) -> tuple[float, float]:
    """How far the results at the target's words move if the model does not hide padding.

    Padding becomes a new word with the same vector: the model hides 0 alone, and so sees it.

    Args:
        model: a Transformer for which 0 is padding.
        source, target: tokens ``(batch, n_source)`` and ``(batch, n_target)``.

    Returns:
        For the padding of the source, and for that of the target.
    """
    words, logits = target != 0, model(source, target)
    twin, seen = deepcopy(model), []
    for embedding, tokens in ((twin.source_embedding, source), (twin.target_embedding, target)):
        rows = embedding.table.weight  # (words, d_model)
        embedding.table = nn.Embedding.from_pretrained(torch.cat([rows, rows[:1]]))
        seen.append(tokens.masked_fill(tokens == 0, len(rows)))
    of_source, of_target = twin(seen[0], target), twin(source, seen[1])
    return apart(logits[words], of_source[words]), apart(logits[words], of_target[words])


@torch.no_grad()
def exactly_apart(
    make: Callable[[int], nn.Module],
    model: nn.Module,
    library: nn.Module,
    source: Tensor,
    target: Tensor,
) -> list[float]:
    """How far ours and theirs are apart with twice as many digits.

    Args:
        make: an attention of one head, given its width; compared from five starts.
        model, library: two Transformers with the same numbers for which 0 is padding; torch's is
            given those of ``model``.
        source, target: tokens ``(batch, n_source)`` and ``(batch, n_target)``.

    Returns:
        Five differences of the attention, then the library's Transformer's and torch's.
    """
    differences = []
    for seed in range(5):
        torch.manual_seed(seed)
        layer, x = make(32).double(), torch.randn(2, 7, 32).double()
        differences.append(apart(layer(x), torchs_output(layer, x)))
    model, library = (deepcopy(module).double() for module in (model, library))
    words, logits = target != 0, model(source, target)
    for theirs in (library(source, target), torchs_logits(model, source, target)):
        differences.append(apart(logits[words], theirs[words]))
    return differences


# --- Torch's, with our numbers --------------------------------------------------------------------


def torchs_output(layer: nn.Module, x: Tensor, num_heads: int = 1) -> Tensor:
    """What torch's attention makes of ``x`` with the numbers of ``layer``.

    Its output matrix, which ``layer`` does not have, changes nothing.

    Args:
        layer: with linear layers ``query``, ``key`` and ``value``.
        x: ``(batch, n, d_model)``.
        num_heads: 1 for what ``layer`` computes; its numbers fit any other, too.

    Returns:
        ``(batch, n, d_model)``.
    """
    d_model = x.size(-1)
    unchanged = nn.Linear(d_model, d_model)
    nn.init.eye_(unchanged.weight)
    nn.init.zeros_(unchanged.bias)
    theirs = nn.MultiheadAttention(d_model, num_heads, batch_first=True, dtype=x.dtype)
    _give_attention(layer, unchanged, theirs)
    return theirs(x, x, x)[0]


def give(ours: nn.Module, theirs: nn.Module) -> None:
    """Copy a layer's numbers into torch's ``TransformerEncoderLayer`` or ``…DecoderLayer``."""
    attentions = [(ours.attention, theirs.self_attn)]
    residuals = [ours.attention_residual, ours.feed_forward_residual]
    if isinstance(theirs, nn.TransformerDecoderLayer):
        attentions.append((ours.cross_attention, theirs.multihead_attn))
        residuals.insert(1, ours.cross_attention_residual)
    for attention, torchs in attentions:
        _give_attention(attention, attention.output, torchs)
    theirs.linear1.load_state_dict(ours.feed_forward.inner.state_dict())
    theirs.linear2.load_state_dict(ours.feed_forward.outer.state_dict())
    for i, residual in enumerate(residuals, 1):
        getattr(theirs, f"norm{i}").load_state_dict(residual.norm.state_dict())


def torchs_logits(ours: nn.Module, source: Tensor, target: Tensor) -> Tensor:
    """What ``ours`` says if ``nn.Transformer`` does all between its embeddings and its output.

    In torch's masks True means *hidden*.

    Args:
        ours: a Transformer for which 0 is padding.
        source, target: tokens ``(batch, n_source)`` and ``(batch, n_target)``.

    Returns:
        Logits ``(batch, n_target, vocabulary)``.
    """
    decoded = _torchs(ours)(
        ours.source_embedding(source),
        ours.target_embedding(target),
        tgt_mask=~causal_mask(target.size(1)),
        src_key_padding_mask=source == 0,
        tgt_key_padding_mask=target == 0,
        memory_key_padding_mask=source == 0,
    )
    return ours.output(decoded)


def _torchs(ours: nn.Module) -> nn.Transformer:
    """``nn.Transformer`` with our numbers.

    By itself, it norms once more after the last layer also where each layer ends in a norm, unlike
    the paper: so it is given its two halves.
    """
    layer, count = ours.encoder[0], len(ours.encoder)
    d_model, heads = ours.output.in_features, layer.attention.num_heads
    d_ff, pre = layer.feed_forward.inner.out_features, isinstance(ours.encoder_norm, nn.LayerNorm)
    options = {"dropout": 0.0, "batch_first": True, "norm_first": pre}
    encoder = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(d_model, heads, d_ff, **options),
        count,
        norm=nn.LayerNorm(d_model) if pre else None,
        enable_nested_tensor=False,
    )
    decoder = nn.TransformerDecoder(
        nn.TransformerDecoderLayer(d_model, heads, d_ff, **options),
        count,
        norm=nn.LayerNorm(d_model) if pre else None,
    )
    theirs = nn.Transformer(
        d_model, heads, custom_encoder=encoder, custom_decoder=decoder, batch_first=True
    ).to(ours.output.weight.dtype)
    for mine, other in ((ours.encoder, encoder), (ours.decoder, decoder)):
        for own_layer, torchs_layer in zip(mine, other.layers, strict=True):
            give(own_layer, torchs_layer)
    if pre:
        encoder.norm.load_state_dict(ours.encoder_norm.state_dict())
        decoder.norm.load_state_dict(ours.decoder_norm.state_dict())
    return theirs


def _give_attention(ours: nn.Module, output: nn.Linear, theirs: nn.MultiheadAttention) -> None:
    inputs = (ours.query, ours.key, ours.value)
    theirs.load_state_dict(
        {
            "in_proj_weight": torch.cat(
                [layer.weight for layer in inputs]
            ),  # (3 * d_model, d_model)
            "in_proj_bias": torch.cat([layer.bias for layer in inputs]),  # (3 * d_model,)
            "out_proj.weight": output.weight,
            "out_proj.bias": output.bias,
        }
    )


# --- A layer of BERT ------------------------------------------------------------------------------


@dataclass(frozen=True)
class BertLayer:
    """The first layer of a real BERT, and what it did with a sentence.

    Attributes:
        numbers: its parameters under the names of our ``EncoderLayer``.
        words: what went in, ``(1, n, 384)``.
        output: what came out, ``(1, n, 384)``.
    """

    numbers: dict[str, Tensor]
    words: Tensor
    output: Tensor


@torch.no_grad()
def bert_layer() -> BertLayer:
    """The first layer of the packaged BERT at work on :data:`SENTENCE`.

    Raises:
        ModuleNotFoundError, ValueError: as :func:`attention_course.pretrained.load_bert`.
    """
    bert, tokenizer = pretrained.load_bert()
    tokens = torch.tensor([tokenizer(SENTENCE)["input_ids"]])  # (1, n)
    words, output, *_ = bert(tokens, output_hidden_states=True).hidden_states
    numbers = {}
    for name, number in bert.encoder.layer[0].state_dict().items():
        part, kind = name.rsplit(".", 1)
        numbers[f"{_OF_BERT[part]}.{kind}"] = number
    return BertLayer(numbers, words, output)


# --- The parts of a Transformer -------------------------------------------------------------------


@dataclass
class Part:
    """A kind of part that a Transformer has.

    Attributes:
        shape: of what comes out of each of them.
        count: how many there are.
        parameters: of all of them together.
    """

    shape: tuple[int, ...]
    count: int = 0
    parameters: int = 0


@torch.no_grad()
def flow(model: nn.Module, source: Tensor, target: Tensor) -> dict[str, Tensor]:
    """What comes out of each part of a Transformer of two layers, in one pass through it."""
    kept: dict[str, Tensor] = {}

    def keep(name: str, module: nn.Module, args: tuple, output: Tensor) -> None:
        kept[name] = output

    with _hooked(
        model.get_submodule(part).register_forward_hook(partial(keep, name))
        for name, part in _FLOW.items()
    ):
        model(source, target)
    return kept


@torch.no_grad()
def parts(model: nn.Module, source: Tensor, target: Tensor) -> dict[str, Part]:
    """The parts of a Transformer by their names, as one pass through it shows them."""
    found: dict[str, Part] = {}

    def note(row: str, module: nn.Module, args: tuple, output: Tensor | tuple) -> None:
        output = output[0] if isinstance(output, tuple) else output
        part = found.setdefault(row, Part(tuple(output.shape)))
        part.count += 1
        part.parameters += sum(parameter.numel() for parameter in module.parameters())

    rows = {name: _ROWS.get(re.sub(r"\.\d+", "", name)) for name, _ in model.named_modules()}
    with _hooked(
        model.get_submodule(name).register_forward_hook(partial(note, row))
        for name, row in rows.items()
        if row is not None
    ):
        model(source, target)
    return found


@contextmanager
def _hooked(hooks: Iterable[RemovableHandle]) -> Iterator[None]:
    """Takes the hooks off in the end, whatever happens."""
    hung = list(hooks)
    try:
        yield
    finally:
        for hook in hung:
            hook.remove()
