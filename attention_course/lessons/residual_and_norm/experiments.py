"""What lesson 3-4 and its lab measure with.

How a layer joins what it computes with what came in stands on the pages. Here are the layers
themselves, what a stack of them does to signal and gradient, and training it over seeds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...training import train

WIDTH, HIDDEN = 16, 64  # the Transformer's 1 : 4
WORDS, LENGTH = 8, 8
Join = Callable[[Callable[[Tensor], Tensor], Tensor], Tensor]

# The five ways of joining that are compared: (residual, norm).
WAYS = {
    "plain": (False, "none"),
    "norm": (False, "post"),
    "residual": (True, "none"),
    "post": (True, "post"),
    "pre": (True, "pre"),
}


def normalise(x: Tensor) -> Tensor:
    """LayerNorm as it is before training: with gain 1 and shift 0. ``(..., d)`` -> the same."""
    return F.layer_norm(x, x.shape[-1:])


def output_of(attention: nn.Module) -> Callable[[Tensor], Tensor]:
    """The library's attention as a function of one argument that gives its output alone."""
    return lambda x: attention(x)[0]


def join(residual: bool, norm: str) -> Join:
    """How a sublayer ``f`` and its input ``x`` make the output.

    Args:
        residual: whether ``x`` is added to what ``f`` gives.
        norm: ``"none"``; ``"pre"``, before ``f``; ``"post"``, after the addition.

    Raises:
        ValueError: another ``norm``.
    """
    if norm not in ("none", "pre", "post"):
        raise ValueError(f"norm: got {norm!r}, expected 'none', 'pre' or 'post'")

    def joined(f: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        y = f(normalise(x) if norm == "pre" else x)
        y = x + y if residual else y
        return normalise(y) if norm == "post" else y

    return joined


class Stack(nn.Module):
    """Transformer encoder layers, one on the other: self-attention with one head, feed-forward.

    The matrices of all layers lie in one parameter each, ``(depth, out, in)``: hundreds of small
    parameters would cost more time than what is computed with them. They start as torch's
    ``nn.Linear`` does, uniform up to ``1/√in``.

    Args:
        depth: how many layers.
        join: how each of their two sublayers joins what it computes with its input.
        attention: without it, a layer is its feed-forward alone.
    """

    def __init__(self, depth: int, join: Join, *, attention: bool = True) -> None:
        super().__init__()
        self.join = join
        shapes = {"up": (HIDDEN, WIDTH), "down": (WIDTH, HIDDEN)}
        if attention:
            shapes = {"project": (3 * WIDTH, WIDTH), "output": (WIDTH, WIDTH)} | shapes
        self.weights = nn.ParameterDict()
        for name, (out, into) in shapes.items():
            for kind, shape in (("weight", (out, into)), ("bias", (out,))):
                start = torch.empty(depth, *shape).uniform_(-(into**-0.5), into**-0.5)
                self.weights[f"{name}_{kind}"] = nn.Parameter(start)

    def states(self, x: Tensor) -> list[Tensor]:
        """The input ``(batch, n, d)`` and what each layer makes of it: ``depth + 1`` of them."""
        states = [x]
        for layer in zip(*(each.unbind() for each in self.weights.values()), strict=True):
            if len(layer) == 8:
                x = self.join(lambda h, p=layer[:4]: _attend(h, *p), x)
            x = self.join(lambda h, p=layer[-4:]: _feed_forward(h, *p), x)
            states.append(x)
        return states

    def forward(self, x: Tensor) -> Tensor:
        return self.states(x)[-1]


def _attend(x: Tensor, project: Tensor, bias: Tensor, output: Tensor, output_bias: Tensor):
    query, key, value = F.linear(x, project, bias).chunk(3, dim=-1)  # (batch, n, d) each
    scores = query @ key.transpose(-2, -1) * WIDTH**-0.5
    return F.linear(scores.softmax(dim=-1) @ value, output, output_bias)


def _feed_forward(x: Tensor, up: Tensor, up_bias: Tensor, down: Tensor, down_bias: Tensor):
    return F.linear(F.linear(x, up, up_bias).relu(), down, down_bias)


class Reader(nn.Module):
    """A stack between an embedding with learned positions and a guess for each place.

    Args:
        depth, residual, norm, attention: of the stack. After pre-norm layers the sum is
            normalised once more, as in the authors' code.
    """

    def __init__(self, depth: int, residual: bool, norm: str, *, attention: bool = True) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(WORDS, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.stack = Stack(depth, join(residual, norm), attention=attention)
        self.last = normalise if norm == "pre" else nn.Identity()
        self.answer = nn.Linear(WIDTH, WORDS)

    def forward(self, words: Tensor) -> Tensor:
        x = self.words(words) + self.places.weight  # (batch, n, d)
        return self.answer(self.last(self.stack(x)))  # (batch, n, words)


# --- What a stack does before it has learned anything --------------------------------------------


def profile(
    depth: int, residual: bool, norm: str, *, attention: bool = True, seed: int = 0
) -> np.ndarray:
    """Gradient and signal after each layer of an untrained stack: ``(2, depth + 1)``.

    Eight texts of eight random vectors go in. The first row has the norms of the gradient of a
    loss that is the output, normalised once more after pre-norm layers, times random numbers. The
    second has :func:`difference`. In float64, so that what is very small is still a number.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        stack = Stack(depth, join(residual, norm), attention=attention).double()
    x, direction = torch.randn(2, 8, LENGTH, WIDTH, generator=generator, dtype=torch.float64)
    states = stack.states(x.requires_grad_())
    last = normalise(states[-1]) if norm == "pre" else states[-1]
    gradients = torch.autograd.grad((last * direction).sum(), states)
    rows = [[g.norm() for g in gradients], [difference(s) for s in states]]
    return np.array([[each.item() for each in row] for row in rows])


def difference(state: Tensor) -> Tensor:
    """The share of ``(batch, n, d)`` vectors in which they differ: 0 if all are one, 1 at most.

    The norm of the vectors less their mean, over the norm of the vectors.
    """
    return (state - state.mean(dim=(0, 1))).norm() / state.norm()


def profiles(depths: Sequence[int], seed: int = 0) -> dict[tuple[bool, str], dict[int, np.ndarray]]:
    """:func:`profile` for each way, with and without residual, and each depth."""
    return {
        (residual, norm): {depth: profile(depth, residual, norm, seed=seed) for depth in depths}
        for residual in (False, True)
        for norm in ("none", "pre", "post")
    }


# --- Training ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """A reader after training.

    Attributes:
        losses: the loss at each step.
        accuracy: the share of right answers afterwards.
    """

    losses: list[float]
    accuracy: float


def sums() -> tuple[Tensor, Tensor]:
    """All words at all places, and what is asked: (word + place) modulo 8. ``(8, 8)`` each.

    The same 64 questions to learn and to test: this asks whether a model can be trained at all.
    """
    numbers = torch.arange(WORDS)
    words = (numbers[:, None] + numbers) % WORDS
    return words, (words + numbers) % WORDS


def first_words(batch: int = 16) -> tuple[Tensor, Tensor]:
    """Random words, and at each place what is asked: the first word. ``(batch, 8)`` each."""
    words = torch.randint(WORDS, (batch, LENGTH))
    return words, words[:, :1].expand_as(words)


def learn_sums(
    depth: int,
    residual: bool,
    norm: str,
    *,
    learning_rate: float = 1e-3,
    seed: int = 0,
    attention: bool = False,
    identity: bool = False,
) -> Run:
    """50 steps of Adam on :func:`sums`; by default each layer is a feed-forward alone.

    Args:
        identity: let each feed-forward start as one that changes nothing, see :func:`as_identity`.
    """
    torch.manual_seed(seed)
    reader = Reader(depth, residual, norm, attention=attention)
    if identity:
        as_identity(reader.stack)
    return _learn(reader, sums, steps=50, schedule=lambda step: learning_rate)


def too_small(residual: bool, norm: str, depth: int = 100, seed: int = 0) -> float:
    """The share of the gradients of :func:`learn_sums`, at its start, that Adam cannot use.

    Those are below Adam's ε of 1e-8, or rounded to 0.
    """
    torch.manual_seed(seed)
    reader, (words, wanted) = Reader(depth, residual, norm, attention=False), sums()
    F.cross_entropy(reader(words).flatten(0, 1), wanted.flatten()).backward()
    gradients = torch.cat([weight.grad.flatten() for weight in reader.stack.parameters()])
    return (gradients.abs() < 1e-8).double().mean().item()


def learn_first(
    norm: str,
    *,
    learning_rate: float,
    warmup_steps: int = 0,
    depth: int = 12,
    seed: int = 0,
    steps: int = 80,
) -> Run:
    """Steps of Adam on :func:`first_words`, with residuals and attention.

    Args:
        warmup_steps: over how many steps the learning rate rises from near 0 to its value.
    """
    torch.manual_seed(seed)
    reader = Reader(depth, True, norm)

    def schedule(step: int) -> float:
        return learning_rate * min(1.0, step / max(1, warmup_steps))

    return _learn(reader, first_words, steps=steps, schedule=schedule)


def race() -> dict[str, dict[str, dict[str, list[float]]]]:
    """The log of the race: norm → rate → steps of warm-up → the loss at the end of each run."""
    log = resources.files(__package__).joinpath("race.json")
    return json.loads(log.read_text(encoding="utf-8"))


def _learn(
    reader: Reader,
    batch: Callable[[], tuple[Tensor, Tensor]],
    steps: int,
    schedule: Callable[[int], float],
) -> Run:
    def loss(model: nn.Module, examples: tuple[Tensor, Tensor]) -> Tensor:
        words, wanted = examples
        return F.cross_entropy(model(words).flatten(0, 1), wanted.flatten())

    log = train(reader, lambda step: batch(), loss, steps=steps, schedule=schedule, progress=False)
    words, wanted = batch()
    with torch.no_grad():
        right = reader(words).argmax(dim=-1) == wanted
    return Run(log.losses, right.double().mean().item())


@torch.no_grad()
def as_identity(stack: Stack) -> None:
    """Make each feed-forward of a stack give back its input, as ``relu(z) - relu(-z) = z``.

    Half of the hidden numbers are ``A·x``, with ``AᵀA = 1`` and another random ``A`` in each
    layer, the other half ``-A·x``. Source: Balduzzi et al. 2017 (arXiv:1702.08591), "looks linear".
    """
    for bias in ("up_bias", "down_bias"):
        stack.weights[bias].zero_()
    depth = len(stack.weights["up_weight"])
    columns = torch.linalg.qr(torch.randn(depth, HIDDEN // 2, WIDTH)).Q  # (depth, 32, 16)
    both = torch.cat([columns, -columns], dim=1)  # (depth, 64, 16)
    stack.weights["up_weight"].copy_(both)
    stack.weights["down_weight"].copy_(both.transpose(1, 2))
