"""The Transformer of the paper, put together from the book's own attention and positions.

Axes: ``batch`` sequences of ``n`` tokens, each a vector of ``d_model`` numbers; in a model that
translates, ``n_source`` and ``n_target``. Masks are boolean, True = may attend, as everywhere.

The paper's text (Vaswani et al. 2017, arXiv:1706.03762) and the code that its authors released
(tensor2tensor) differ in places; a note stands where they do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from . import checks
from .attention import KeyValueCache, MultiHeadAttention, padding_mask
from .positions import sinusoidal_encoding


class FeedForward(nn.Module):
    """Two linear layers with a bend between them, for each position by itself.

    ``max(0, x·W_1 + b_1)·W_2 + b_2``.

    Args:
        d_model: the width of the input and of the output.
        d_ff: the width between the two layers.
        dropout: the probability with which a number between them is set to zero, in training only.

    Raises:
        TypeError, ValueError: a width is not a whole number of at least 1, or ``dropout`` not a
            number of at least 0 and less than 1.

    Source: section 3.3, equation 2. Dropout between the layers is in the code, not in the paper.
    """

    def __init__(self, d_model: int, d_ff: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.inner = nn.Linear(checks.size("d_model", d_model), checks.size("d_ff", d_ff))
        self.outer = nn.Linear(self.inner.out_features, self.inner.in_features)
        self.dropout = checks.probability("dropout", dropout)

    def forward(self, x: Tensor) -> Tensor:
        """``(..., d_model)`` to ``(..., d_model)``."""
        hidden = self.inner(x).relu()  # (..., d_ff)
        return self.outer(F.dropout(hidden, self.dropout, self.training))


class Residual(nn.Module):
    """A part of a layer, with its input added to what it gives, and a LayerNorm.

    ``"post"``: ``LayerNorm(x + part(x))``, as the paper's text has it and its first code.
    ``"pre"``: ``x + part(LayerNorm(x))``, as the released code came to do it; what comes out of the
    last layer is then normed once more.

    Args:
        d_model: the width of the input.
        dropout: the probability with which a number of ``part(x)`` is set to zero, in training
            only.
        norm: ``"pre"`` or ``"post"``.

    Raises:
        TypeError, ValueError: an argument is not what it should be.

    Source: sections 3.1 and 5.4; on the two orders, Xiong et al. 2020 (arXiv:2002.04745).
    """

    def __init__(self, d_model: int, dropout: float = 0.0, norm: str = "pre") -> None:
        super().__init__()
        self.dropout = checks.probability("dropout", dropout)
        self.order = checks.one_of("norm", norm, ("pre", "post"))
        self.norm = nn.LayerNorm(checks.size("d_model", d_model))  # ε = 1e-5; their code: 1e-6

    def forward(self, x: Tensor, part: Callable[[Tensor], Tensor]) -> Tensor:
        """``(batch, n, d_model)`` to ``(batch, n, d_model)``, as ``part`` does, too."""
        if self.order == "pre":
            return x + F.dropout(part(self.norm(x)), self.dropout, self.training)
        return self.norm(x + F.dropout(part(x), self.dropout, self.training))

    def extra_repr(self) -> str:
        return f"order={self.order!r}, dropout={self.dropout}"


class EncoderLayer(nn.Module):
    """A layer of the encoder: every position looks at all, then thinks by itself.

    With ``causal`` it is a layer of a language model, which has no encoder to look at.

    Args:
        d_model: the width of the input and of the output.
        num_heads: how many heads; divides ``d_model``.
        d_ff: the width inside the feed-forward part.
        dropout: a probability, in training only: of the attention's weights, inside the
            feed-forward part, and of what each part gives.
        norm: ``"pre"`` or ``"post"``, see :class:`Residual`.

    Raises:
        TypeError, ValueError: an argument is not what it should be.

    Source: section 3.1, "Encoder".
    """

    def __init__(
        self, d_model: int, num_heads: int, d_ff: int, dropout: float = 0.0, norm: str = "pre"
    ) -> None:
        super().__init__()
        # With biases, as torch has them; the paper and its code have none here.
        self.attention = MultiHeadAttention(d_model, num_heads, dropout)
        self.feed_forward = FeedForward(d_model, d_ff, dropout)
        self.attention_residual = Residual(d_model, dropout, norm)
        self.feed_forward_residual = Residual(d_model, dropout, norm)

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        *,
        causal: bool = False,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """The sequence after its positions have looked at each other.

        Args:
            x: ``(batch, n, d_model)``.
            mask: True = may attend, as :class:`MultiHeadAttention` takes it.
            causal: position ``i`` may attend to positions ``0 … i`` only.
            cache: of earlier positions, see :class:`MultiHeadAttention`.

        Returns:
            ``(batch, n, d_model)``.

        Raises:
            TypeError, ValueError: as :class:`MultiHeadAttention`.
        """
        checks.sequence("x", x, "n", ("d_model", self.attention.d_model), self)
        look = _looking(self.attention, mask=mask, causal=causal, cache=cache)
        x = self.attention_residual(x, look)
        return self.feed_forward_residual(x, self.feed_forward)


class DecoderLayer(nn.Module):
    """A layer of the decoder: look at what is written so far, look at the source, then think.

    Args:
        d_model, num_heads, d_ff, dropout, norm: as of :class:`EncoderLayer`.

    Raises:
        TypeError, ValueError: an argument is not what it should be.

    Source: section 3.1, "Decoder".
    """

    def __init__(
        self, d_model: int, num_heads: int, d_ff: int, dropout: float = 0.0, norm: str = "pre"
    ) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(d_model, num_heads, dropout)
        self.cross_attention = MultiHeadAttention(d_model, num_heads, dropout)
        self.feed_forward = FeedForward(d_model, d_ff, dropout)
        self.attention_residual = Residual(d_model, dropout, norm)
        self.cross_attention_residual = Residual(d_model, dropout, norm)
        self.feed_forward_residual = Residual(d_model, dropout, norm)

    def forward(
        self,
        x: Tensor,
        states: Tensor,
        mask: Tensor | None = None,
        states_mask: Tensor | None = None,
        *,
        causal: bool = True,
        cache: tuple[KeyValueCache, KeyValueCache] | None = None,
    ) -> Tensor:
        """The target after its positions have looked back, and at the source.

        Args:
            x: the target, ``(batch, n_target, d_model)``.
            states: what the encoder made of the source, ``(batch, n_source, d_model)``.
            mask: who may attend to whom in the target, True = may.
            states_mask: who may attend to which state, True = may: ``(batch, 1, n_source)``.
            causal: position ``i`` may attend to positions ``0 … i`` of the target only.
            cache: of the target so far, and of the states, whose keys and values are computed once.

        Returns:
            ``(batch, n_target, d_model)``.

        Raises:
            TypeError, ValueError: as :class:`MultiHeadAttention`.
        """
        width = ("d_model", self.attention.d_model)
        checks.sequence("x", x, "n_target", width, self)
        checks.sequence("states", states, "n_source", width, self)
        past, source = (None, None) if cache is None else cache
        if source is not None and len(source):
            states = states[:, :0]  # they are in the cache
        look = _looking(self.attention, mask=mask, causal=causal, cache=past)
        look_across = _looking(self.cross_attention, key=states, mask=states_mask, cache=source)
        x = self.attention_residual(x, look)
        x = self.cross_attention_residual(x, look_across)
        return self.feed_forward_residual(x, self.feed_forward)


def _looking(attention: MultiHeadAttention, **options: object) -> Callable[[Tensor], Tensor]:
    """The attention as a function from its query to its output."""
    return lambda x: attention(x, **options)[0]


class Cache:
    """What a decoder keeps of the tokens so far, so that each is computed once.

    Args:
        num_layers: as many as the model has.

    Attributes:
        layers: for each layer the cache of its attention to the target, and that to the source.
        length: how many tokens there are so far.

    Raises:
        TypeError, ValueError: ``num_layers`` is not a whole number of at least 1.
    """

    def __init__(self, num_layers: int) -> None:
        self.layers = [
            (KeyValueCache(), KeyValueCache()) for _ in range(checks.size("num_layers", num_layers))
        ]
        self._mask: Tensor | None = None

    @property
    def length(self) -> int:
        return len(self.layers[0][0])

    def extend(self, mask: Tensor | None) -> Tensor | None:
        """Put the mask of new tokens ``(batch, 1, n_new)`` behind the others', and return all."""
        if mask is not None and self._mask is not None:
            mask = torch.cat([self._mask, mask], dim=-1)
        self._mask = mask
        return mask

    def select(self, rows: Tensor) -> None:
        """Keep these rows of the batch, in this order; a row may be there more than once."""
        for caches in self.layers:
            for cache in caches:
                cache.select(rows)
        self._mask = self._mask if self._mask is None else self._mask[rows]


class Embedding(nn.Module):
    """Tokens and their positions as vectors: ``√d_model · table[token] + position``.

    The table begins with a standard deviation of ``1/√d_model``, as in the authors' code, so that
    tokens and positions weigh about the same.

    Args:
        vocab_size: how many tokens there are.
        d_model: the width of a vector.
        dropout: the probability with which a number is set to zero, in training only.
        pad_id: the token that stands for no token; its vector is the position alone, whatever its
            row holds. None if there is none.

    Raises:
        TypeError, ValueError: an argument is not what it should be.

    Source: sections 3.4, 3.5 and 5.4.
    """

    def __init__(
        self, vocab_size: int, d_model: int, dropout: float = 0.0, *, pad_id: int | None = None
    ) -> None:
        super().__init__()
        self.dropout = checks.probability("dropout", dropout)
        self.pad_id = pad_id if pad_id is None else checks.whole_number("pad_id", pad_id)
        d_model = checks.size("d_model", d_model)
        self.table = nn.Embedding(checks.size("vocab_size", vocab_size), d_model)
        nn.init.normal_(self.table.weight, std=d_model**-0.5)

    def forward(self, tokens: Tensor, start: int = 0, *, name: str = "tokens") -> Tensor:
        """``(batch, n)`` to ``(batch, n, d_model)``; the first token stands at ``start``.

        Raises:
            TypeError: the tokens are not whole numbers.
            ValueError: they are not ``(batch, n)``, not on the table's device, or one is not in the
                vocabulary. An error calls them ``name``.
        """
        vectors = self._rows(tokens, name)  # (batch, n, d_model)
        if self.pad_id is not None:
            vectors = vectors.masked_fill((tokens == self.pad_id).unsqueeze(-1), 0.0)
        n, d_model = start + tokens.size(1), vectors.size(-1)
        # Sine and cosine take turns, as in the paper's text; in its code all sines stand first.
        positions = sinusoidal_encoding(n, d_model, device=vectors.device)[start:]  # (n, d_model)
        vectors = math.sqrt(d_model) * vectors + positions.to(vectors.dtype)
        return F.dropout(vectors, self.dropout, self.training)

    def _rows(self, tokens: Tensor, name: str) -> Tensor:
        checks.tokens(name, tokens)
        checks.same_device(name, tokens, self.table.weight.device, "the model")
        try:
            return self.table(tokens.long())
        except IndexError:
            raise ValueError(
                f"{name}: got ids from {tokens.min()} to {tokens.max()}, "
                f"expected 0 to {self.table.num_embeddings - 1}"
            ) from None


class Transformer(nn.Module):
    """Encoder and decoder: a sequence of tokens in, for each place of another what comes next.

    The paper has one table for the tokens of both languages, which is also the last layer; here the
    vocabularies differ, and there are three.

    Args:
        source_vocab_size, target_vocab_size: how many tokens there are on each side.
        d_model: the width of the vectors.
        num_heads: how many heads each attention has; divides ``d_model``.
        num_layers: how many layers, of the encoder and of the decoder each.
        d_ff: the width inside the feed-forward parts.
        dropout: a probability, in training only.
        norm: ``"pre"`` or ``"post"``, see :class:`Residual`.
        pad_id: the token that stands for no token, to which nobody attends: 0 in all vocabularies
            of the book; None if there is none.

    Raises:
        TypeError, ValueError: an argument is not what it should be.

    Source: section 3, figure 1.
    """

    def __init__(
        self,
        source_vocab_size: int,
        target_vocab_size: int,
        d_model: int,
        num_heads: int,
        num_layers: int,
        d_ff: int,
        dropout: float = 0.0,
        norm: str = "pre",
        *,
        pad_id: int | None = 0,
    ) -> None:
        super().__init__()
        source_vocab_size = checks.size("source_vocab_size", source_vocab_size)
        target_vocab_size = checks.size("target_vocab_size", target_vocab_size)
        self.d_model = checks.size("d_model", d_model)
        self.pad_id = pad_id if pad_id is None else checks.whole_number("pad_id", pad_id)
        sizes = (d_model, num_heads, d_ff, dropout, norm)
        layers = range(checks.size("num_layers", num_layers))
        self.source_embedding = Embedding(source_vocab_size, d_model, dropout, pad_id=pad_id)
        self.encoder = nn.ModuleList(EncoderLayer(*sizes) for _ in layers)
        self.encoder_norm = _last_norm(d_model, norm)
        self.target_embedding = Embedding(target_vocab_size, d_model, dropout, pad_id=pad_id)
        self.decoder = nn.ModuleList(DecoderLayer(*sizes) for _ in layers)
        self.decoder_norm = _last_norm(d_model, norm)
        self.output = nn.Linear(d_model, target_vocab_size)
        _begin(self)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """For each place of the target, a number for each token that may come next.

        Args:
            source: tokens ``(batch, n_source)``.
            target: tokens ``(batch, n_target)``; place ``i`` sees places ``0 … i`` of them.

        Returns:
            Logits ``(batch, n_target, target_vocab_size)``.

        Raises:
            TypeError: the tokens are not whole numbers.
            ValueError: the shapes do not fit, or a token is not in the vocabulary.
        """
        return self.decode(target, self.encode(source), self.source_mask(source))

    def encode(self, source: Tensor) -> Tensor:
        """The states of the source: ``(batch, n_source)`` to ``(batch, n_source, d_model)``."""
        x = self.source_embedding(source, name="source")  # (batch, n_source, d_model)
        mask = self.source_mask(source)
        for layer in self.encoder:
            x = layer(x, mask)
        return self.encoder_norm(x)

    def decode(
        self,
        target: Tensor,
        states: Tensor,
        states_mask: Tensor | None = None,
        cache: Cache | None = None,
    ) -> Tensor:
        """The logits ``(batch, n_target, target_vocab_size)`` of what comes next.

        Args:
            target: tokens ``(batch, n_target)``; with a cache, those that it does not know yet.
            states: what :meth:`encode` gave, ``(batch, n_source, d_model)``.
            states_mask: which states may be looked at, ``(batch, 1, n_source)``, as
                :meth:`source_mask` gives it; None for all.
            cache: ``Cache(num_layers)`` before the first call, for decoding token by token.

        Raises:
            TypeError: the target is not whole numbers, the states not floating-point, the mask not
                boolean, the cache not a :class:`Cache`.
            ValueError: the shapes do not fit, a token is not in the vocabulary, or the cache is of
                another model or batch.
        """
        start = _past(cache, len(self.decoder), target)
        x = self.target_embedding(target, start, name="target")  # (batch, n_target, d_model)
        mask = _mask("target", target, self.pad_id)
        mask = mask if cache is None else cache.extend(mask)
        for i, layer in enumerate(self.decoder):
            known = None if cache is None else cache.layers[i]
            x = layer(x, states, mask, states_mask, cache=known)
        return self.output(self.decoder_norm(x))

    def source_mask(self, source: Tensor) -> Tensor | None:
        """Which tokens are there, ``(batch, 1, n_source)``; None where there is no padding."""
        return _mask("source", source, self.pad_id)


class _OneStack(nn.Module):
    """What a language model and a masked language model have in common: all but who looks where."""

    def __init__(
        self,
        vocab_size: int,
        d_model: int,
        num_heads: int,
        num_layers: int,
        d_ff: int,
        dropout: float = 0.0,
        norm: str = "pre",
        *,
        pad_id: int | None = 0,
    ) -> None:
        super().__init__()
        self.d_model = checks.size("d_model", d_model)
        self.pad_id = pad_id if pad_id is None else checks.whole_number("pad_id", pad_id)
        self.embedding = Embedding(vocab_size, d_model, dropout, pad_id=pad_id)
        self.layers = nn.ModuleList(
            EncoderLayer(d_model, num_heads, d_ff, dropout, norm)
            for _ in range(checks.size("num_layers", num_layers))
        )
        self.norm = _last_norm(d_model, norm)
        self.output = nn.Linear(d_model, vocab_size)
        _begin(self)


class LanguageModel(_OneStack):
    """A stack of layers that look back only: after every token, what comes next. GPT's shape.

    Args:
        vocab_size: how many tokens there are.
        d_model, num_heads, num_layers, d_ff, dropout, norm, pad_id: as of :class:`Transformer`.

    Raises:
        TypeError, ValueError: an argument is not what it should be.

    Source: Radford et al. 2018, "Improving Language Understanding by Generative Pre-Training",
    section 3.1, with the positions of the Transformer paper.
    """

    def forward(self, tokens: Tensor, cache: Cache | None = None) -> Tensor:
        """The logits ``(batch, n, vocab_size)`` of the token after each.

        Args:
            tokens: ``(batch, n)``; with a cache, those that it does not know yet.
            cache: ``Cache(num_layers)`` before the first call, for writing token by token.

        Raises:
            TypeError: the tokens are not whole numbers, or the cache is not a :class:`Cache`.
            ValueError: they are not ``(batch, n)``, one is not in the vocabulary, or the cache is
                of another model or batch.
        """
        start = _past(cache, len(self.layers), tokens)
        x = self.embedding(tokens, start)  # (batch, n, d_model)
        mask = _mask("tokens", tokens, self.pad_id)
        mask = mask if cache is None else cache.extend(mask)
        for i, layer in enumerate(self.layers):
            x = layer(x, mask, causal=True, cache=None if cache is None else cache.layers[i][0])
        return self.output(self.norm(x))


class MaskedLanguageModel(_OneStack):
    """A stack of layers that look both ways: at every place, which token is there. BERT's shape.

    Args:
        vocab_size: how many tokens there are, the one that hides a word among them.
        d_model, num_heads, num_layers, d_ff, dropout, norm, pad_id: as of :class:`Transformer`.

    Raises:
        TypeError, ValueError: an argument is not what it should be.

    Source: Devlin et al. 2019 (arXiv:1810.04805), section 3, with the positions of the Transformer
    paper. BERT has one more linear layer before the last.
    """

    def forward(self, tokens: Tensor) -> Tensor:
        """The logits ``(batch, n, vocab_size)`` of the token at each place.

        Args:
            tokens: ``(batch, n)``.

        Raises:
            TypeError: the tokens are not whole numbers.
            ValueError: they are not ``(batch, n)``, or one is not in the vocabulary.
        """
        x = self.embedding(tokens)  # (batch, n, d_model)
        mask = _mask("tokens", tokens, self.pad_id)
        for layer in self.layers:
            x = layer(x, mask)
        return self.output(self.norm(x))


@contextmanager
def attention_weights(model: nn.Module) -> Iterator[dict[str, Tensor]]:
    """The weights of every attention in ``model``, of its last call inside the ``with``.

    ``with attention_weights(model) as weights: model(source, target)`` leaves for each attention,
    by its name in the model (``"decoder.0.cross_attention"``), ``(batch, heads, n_q, n_k)``.
    """
    weights: dict[str, Tensor] = {}
    hooks = []

    def ask(module, args, options):
        return args, {**options, "need_weights": True}

    def keep(name, module, args, result):
        weights[name] = result[1].detach()

    for name, module in model.named_modules():
        if isinstance(module, MultiHeadAttention):
            hooks.append(module.register_forward_pre_hook(ask, with_kwargs=True))
            hooks.append(module.register_forward_hook(partial(keep, name)))
    try:
        yield weights
    finally:
        for hook in hooks:
            hook.remove()


def _last_norm(d_model: int, norm: str) -> nn.Module:
    """With ``"pre"`` nothing has normed what the last layer gives."""
    return nn.LayerNorm(d_model) if norm == "pre" else nn.Identity()


def _begin(model: nn.Module) -> None:
    """Matrices begin as in ``nn.Transformer`` (Glorot and Bengio 2010); tables have begun."""
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)


def _mask(name: str, tokens: Tensor, pad_id: int | None) -> Tensor | None:
    """Which tokens are there, ``(batch, 1, n)``; None where there is no padding."""
    checks.tokens(name, tokens)
    return None if pad_id is None else padding_mask(tokens, pad_id)


def _past(cache: Cache | None, num_layers: int, tokens: Tensor) -> int:
    """How many tokens the cache knows; an error unless it is one of this model and batch."""
    if cache is None:
        return 0
    if not isinstance(cache, Cache):
        raise TypeError(f"cache: got {checks.describe(cache)}, expected a Cache")
    if len(cache.layers) != num_layers:
        raise ValueError(
            f"cache: got one of {len(cache.layers)} layers, expected the model's, {num_layers}"
        )
    keys = cache.layers[0][0].keys
    if keys is not None and keys.size(0) != len(tokens):
        raise ValueError(f"cache: got one of a batch of {keys.size(0)}, expected {len(tokens)}")
    return cache.length
