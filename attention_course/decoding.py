"""Writing with a trained model, one token after the other.

The model gives for each place a number for each token that may come next; these functions choose.
``batch`` sequences are written side by side, and what the decoder has computed of earlier tokens is
kept (:class:`~attention_course.transformer.Cache`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from . import checks
from .transformer import Cache, LanguageModel, Transformer


def greedy_decode(
    model: Transformer, source: Tensor, start_id: int, end_id: int, max_length: int = 64
) -> Tensor:
    """Translate by writing the likeliest token each time.

    Args:
        model: in evaluation mode during the call, whatever its mode.
        source: tokens ``(batch, n_source)``.
        start_id: the token that the decoder reads first; it is not part of what is returned.
        end_id: the token after which a sequence is complete.
        max_length: write at most so many tokens.

    Returns:
        Tokens ``(batch, n)``, ``n`` at most ``max_length``: each sequence up to its ``end_id``,
        then padding (the model's ``pad_id``; ``end_id`` again if it has none).

    Raises:
        TypeError, ValueError: an argument is not what it should be.
    """
    start_id, end_id, pad_id = _target_ids(model, start_id, end_id)
    max_length = checks.size("max_length", max_length)
    with _reading(model):
        states, mask = model.encode(source), model.source_mask(source)
        cache = Cache(len(model.decoder))
        written = torch.full((len(source), 1), start_id, device=source.device)
        ended = torch.zeros_like(written, dtype=torch.bool)
        while written.size(1) <= max_length and not ended.all():
            logits = model.decode(written[:, -1:], states, mask, cache)[:, -1]  # (batch, vocab)
            token = _words_only(logits, model).argmax(-1, keepdim=True)  # (batch, 1)
            token = token.masked_fill(ended, pad_id)
            written, ended = torch.cat([written, token], dim=1), ended | (token == end_id)
    return written[:, 1:]


def beam_search(
    model: Transformer,
    source: Tensor,
    start_id: int,
    end_id: int,
    max_length: int = 64,
    beam_size: int = 4,
    length_penalty: float = 0.6,
) -> tuple[Tensor, Tensor]:
    """Translate by keeping the ``beam_size`` best beginnings at each step.

    A beginning ``Y`` counts ``log P(Y) / ((5 + |Y|) / 6)^length_penalty``, its length ``|Y|`` with
    the end token: without the division, the shorter it is the better. A beam of 1 is
    :func:`greedy_decode`.

    Args:
        model, source, start_id, end_id, max_length: as of :func:`greedy_decode`.
        beam_size: how many beginnings to keep.
        length_penalty: at least 0; 0 counts the probability alone.

    Returns:
        Tokens ``(batch, beam_size, n)``, the best first, each as of :func:`greedy_decode`, and what
        each counts, ``(batch, beam_size)``.

    Raises:
        TypeError, ValueError: an argument is not what it should be.

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 6.1 (beam 4, penalty 0.6); the penalty
    is equation 14 of Wu et al. 2016 (arXiv:1609.08144), without its term for coverage.
    """
    start_id, end_id, pad_id = _target_ids(model, start_id, end_id)
    max_length = checks.size("max_length", max_length)
    beam_size = checks.size("beam_size", beam_size)
    length_penalty = checks.not_negative("length_penalty", length_penalty)
    with _reading(model):
        states = model.encode(source).repeat_interleave(beam_size, 0)  # (batch·beam, n_source, d)
        mask = model.source_mask(source)
        mask = mask if mask is None else mask.repeat_interleave(beam_size, 0)
        cache = Cache(len(model.decoder))
        written = torch.full((len(states), 1), start_id, device=source.device)
        # All beams begin alike: only the first counts, or the search would find each thing often.
        log_p = states.new_full((len(source), beam_size), -torch.inf)
        log_p[:, 0] = 0
        ended = torch.zeros_like(log_p, dtype=torch.bool)
        length = torch.zeros_like(log_p)
        score = log_p
        while written.size(1) <= max_length and not ended.all():
            logits = model.decode(written[:, -1:], states, mask, cache)[:, -1]
            step = _words_only(logits, model).log_softmax(-1).unflatten(0, log_p.shape)
            step = torch.where(ended.unsqueeze(-1), _nothing_but(pad_id, step), step)
            length = length + ~ended  # of each beginning with one more token
            candidates = log_p.unsqueeze(-1) + step  # (batch, beam, vocab)
            scores = candidates / (((5 + length) / 6) ** length_penalty).unsqueeze(-1)
            score, best = scores.flatten(1).topk(beam_size)  # (batch, beam)
            beam, token = best // step.size(-1), best % step.size(-1)
            log_p, length = candidates.flatten(1).gather(1, best), length.gather(1, beam)
            ended = ended.gather(1, beam) | (token == end_id)
            first = torch.arange(0, len(states), beam_size, device=beam.device)
            rows = (first.unsqueeze(-1) + beam).flatten()  # (batch·beam,)
            written = torch.cat([written[rows], token.view(-1, 1)], dim=1)
            cache.select(rows)
    return written[:, 1:].unflatten(0, log_p.shape), score


def probabilities(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Tensor:
    """The distribution from which :func:`sample` draws the next token.

    Args:
        logits: ``(..., vocab_size)``.
        temperature: the logits are divided by it: below 1 the likely tokens become likelier still,
            above 1 all come closer together.
        top_k: keep the ``top_k`` likeliest tokens only, and those as likely as the last of them.
        top_p: of what is left, keep the fewest likeliest tokens that together have at least this
            probability.

    Returns:
        ``(..., vocab_size)``, with sum 1: zero where a token is not kept.

    Raises:
        TypeError, ValueError: an argument is not what it should be.

    Source: ``top_k``: Fan et al. 2018 (arXiv:1805.04833); ``top_p``: Holtzman et al. 2020
    (arXiv:1904.09751).
    """
    checks.floating("logits", logits, "(..., vocab_size)")
    kept = (logits / checks.positive("temperature", temperature)).softmax(-1)
    if top_k is not None:
        top_k = min(checks.size("top_k", top_k), kept.size(-1))
        last = kept.topk(top_k).values[..., -1:]
        kept = kept.masked_fill(kept < last, 0)
        kept = kept / kept.sum(-1, keepdim=True)
    if top_p is not None:
        top_p = checks.share("top_p", top_p)
        falling, order = kept.sort(descending=True, stable=True)
        before = falling.cumsum(-1) - falling  # what the likelier ones have together
        kept = kept.masked_fill((before >= top_p).scatter(-1, order, before >= top_p), 0)
        kept = kept / kept.sum(-1, keepdim=True)
    return kept


def sample(
    model: LanguageModel,
    tokens: Tensor,
    length: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    end_id: int | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Write on, each token drawn by lot from the model's :func:`probabilities`.

    Args:
        model: in evaluation mode during the call, whatever its mode.
        tokens: the beginning, ``(batch, n)``.
        length: how many tokens to write.
        temperature, top_k, top_p: as of :func:`probabilities`.
        end_id: the token after which a sequence is complete; None if there is none.
        generator: where the chance comes from; torch's own if not given.

    Returns:
        Tokens ``(batch, n + length)``, the beginning among them; fewer if all sequences ended
        before. After ``end_id`` stands padding, as of :func:`greedy_decode`.

    Raises:
        TypeError, ValueError: an argument is not what it should be.
    """
    if not isinstance(model, LanguageModel):
        raise TypeError(f"model: got {checks.describe(model)}, expected a LanguageModel")
    length = checks.size("length", length)
    pad_id = model.pad_id
    if end_id is not None:
        end_id = checks.index("end_id", end_id, model.output.out_features)
        pad_id = end_id if pad_id is None else pad_id
    checks.tokens("tokens", tokens)
    with _reading(model):
        cache = Cache(len(model.layers))
        written = new = tokens.long()
        ended = torch.zeros_like(new[:, :1], dtype=torch.bool)
        for _ in range(length):
            logits = model(new, cache)[:, -1]  # (batch, vocab_size)
            chances = probabilities(_words_only(logits, model), temperature, top_k, top_p)
            new = torch.multinomial(chances, 1, generator=generator)  # (batch, 1)
            if end_id is not None:
                new = new.masked_fill(ended, pad_id)
                ended = ended | (new == end_id)
            written = torch.cat([written, new], dim=1)
            if ended.all():
                break
    return written


@contextmanager
def _reading(model: nn.Module) -> Iterator[None]:
    """Without gradients and dropout; afterwards every part of the model is in its mode again."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes.items():
            module.training = training


def _target_ids(model: Transformer, start_id: int, end_id: int) -> tuple[int, int, int]:
    """The tokens that start, end and follow a sequence; an error unless the model knows them."""
    if not isinstance(model, Transformer):
        raise TypeError(f"model: got {checks.describe(model)}, expected a Transformer")
    vocab_size = model.output.out_features
    start_id = checks.index("start_id", start_id, vocab_size)
    end_id = checks.index("end_id", end_id, vocab_size)
    return start_id, end_id, end_id if model.pad_id is None else model.pad_id


def _words_only(logits: Tensor, model: nn.Module) -> Tensor:
    """``(batch, vocab)`` with no chance for padding, which is no token to write."""
    if model.pad_id is None:
        return logits
    padding = torch.arange(logits.size(-1), device=logits.device) == model.pad_id
    return logits.masked_fill(padding, -torch.inf)


def _nothing_but(token: int, step: Tensor) -> Tensor:
    """The log-probabilities ``(vocab,)`` of a sequence that goes on with ``token``, for free."""
    free = torch.full_like(step[0, 0], -torch.inf)
    free[token] = 0
    return free
