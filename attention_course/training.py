"""Training loops and learning rates."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from . import checkpoints, checks, plots
from .language import word
from .markup import Display, element


def warmup_learning_rate(step: int, d_model: int, warmup_steps: int = 4000) -> float:
    """The learning rate of the Transformer paper at ``step``, counted from 1.

    ``d_model^-0.5 · min(step^-0.5, step · warmup_steps^-1.5)``: it rises linearly for
    ``warmup_steps`` steps, then falls with the inverse square root of the step.

    Raises:
        TypeError, ValueError: an argument is not a whole number of at least 1.

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 5.3, equation 3.
    """
    step, d_model = checks.size("step", step), checks.size("d_model", d_model)
    warmup_steps = checks.size("warmup_steps", warmup_steps)
    return d_model**-0.5 * min(step**-0.5, step * warmup_steps**-1.5)


@dataclass
class Log(Display):
    """What a training run wrote down; shown, it is the loss curve.

    Attributes:
        losses: the loss at each step.
        seconds: how long the run took.
    """

    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def plot(self, title: str = "") -> plots.Picture:
        """The loss at each step."""
        return plots.curves(
            np.arange(1, len(self.losses) + 1),
            {"": np.array(self.losses)},
            key="display.training.figure",
            title=title,
        )

    def html(self) -> str:
        return self.plot().html()

    def text(self) -> str:
        return self.plot().text()


def train(
    model: nn.Module,
    batch: Callable[[int], Any],
    loss: Callable[[nn.Module, Any], Tensor],
    *,
    steps: int,
    learning_rate: float = 1e-3,
    optimizer: torch.optim.Optimizer | None = None,
    schedule: Callable[[int], float] | None = None,
    max_norm: float | None = None,
    progress: bool = True,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 200,
) -> Log:
    """Train ``model`` by gradient descent, with a progress bar and, while it runs, the loss curve.

    With a checkpoint a run that was stopped goes on where its file was last written, and ends as if
    it had never stopped: the same numbers at every step, if ``batch`` depends on the step alone.

    Args:
        model: trained in place; in training mode during the run, left in evaluation mode.
        batch: gives the examples of a step, counted from 1.
        loss: the one number to make small, given the model and a batch.
        steps: how many steps to take.
        learning_rate: for the default optimizer, Adam; not used if ``optimizer`` is given.
        optimizer: another optimizer over the model's parameters.
        schedule: the learning rate at each step, counted from 1.
        max_norm: clip the norm of the gradient, of all parameters together, to this.
        progress: show the bar and the curve.
        checkpoint: a file for the state of the run. If it is there, the run goes on from it.
        checkpoint_every: after how many steps it is written; also after the last.

    Raises:
        TypeError, ValueError: an argument is not what it should be, or ``loss`` or ``schedule``
            gave something else than one number, or ``loss`` one without a gradient.
        FloatingPointError: the loss or the gradient became infinite or not a number; says at which
            step. The parameters are those before that step.
        OSError: the checkpoint cannot be read or written.
    """
    steps = checks.size("steps", steps)
    learning_rate = checks.real_number("learning_rate", learning_rate)
    max_norm = math.inf if max_norm is None else checks.positive("max_norm", max_norm)
    checks.yes_or_no("progress", progress)
    checkpoint_every = checks.size("checkpoint_every", checkpoint_every)
    optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=learning_rate)
    trained = [p for group in optimizer.param_groups for p in group["params"]]
    log, bar, start = Log(), _Progress(steps, progress), time.perf_counter()
    if checkpoint is not None and Path(checkpoint).exists():
        log.losses, before = checkpoints.load(checkpoint, model, optimizer)
        start -= before
    model.train()
    for step in range(len(log.losses) + 1, steps + 1):
        if schedule is not None:
            for group in optimizer.param_groups:
                group["lr"] = checks.real_number("schedule", schedule(step))
        value = _checked_loss(loss(model, batch(step)))
        number = _finite("loss", value, step)
        optimizer.zero_grad()
        value.backward()
        norm = nn.utils.clip_grad_norm_(trained, max_norm)
        _finite("norm of the gradient", norm, step)
        optimizer.step()
        log.losses.append(number)
        bar.update(log.losses)
        log.seconds = time.perf_counter() - start
        if checkpoint is not None and (step % checkpoint_every == 0 or step == steps):
            checkpoints.save(checkpoint, model, optimizer, log.losses, log.seconds)
    model.eval()
    return log


def _checked_loss(value: Any) -> Tensor:
    checks.floating("loss", value, "()")
    if value.numel() != 1:
        raise ValueError(f"loss: got {checks.describe(value)}, expected one number")
    if not value.requires_grad:
        raise ValueError(
            "loss: got a number without a gradient, expected one computed from the parameters"
        )
    return value


def _finite(name: str, value: Tensor, step: int) -> float:
    number = value.item()
    if not math.isfinite(number):
        raise FloatingPointError(f"the {name} became {number} at step {step}")
    return number


_POINTS = 120
"""The live curve has at most so many points: each is the mean of the steps that it stands for."""


class _Progress(Display):
    """A bar with the loss curve so far, redrawn in place a few times a second.

    After the last step the bar alone is left: the whole curve is the run's :class:`Log`.
    """

    def __init__(self, steps: int, shown: bool) -> None:
        self.steps, self.losses, self.last = steps, [], 0.0
        # Outside a notebook there is no place to redraw in.
        self.handle = None
        if shown and "IPython" in sys.modules:
            from IPython import display, get_ipython

            if get_ipython() is not None:
                self.handle = display.display(self, display_id=True)

    @property
    def step(self) -> int:
        return len(self.losses)

    def update(self, losses: list[float]) -> None:
        """Show the run whose steps so far had these losses."""
        self.losses = losses
        now = time.monotonic()
        if self.handle is not None and (now - self.last > 0.25 or self.step == self.steps):
            self.last = now
            self.handle.update(self)

    def html(self) -> str:
        label = word("display.training.progress", step=self.step, steps=self.steps)
        said = ""
        if self.step:
            said = word("display.training.loss_is", loss=plots.number(self.losses[-1]))
        curve = self._curve() if 1 < self.step < self.steps else ""
        return (
            f'<div class="ac ac-progress"><progress max="{self.steps}" value="{self.step}" '
            f'aria-label="{label}"></progress><span>{label}</span><span>{said}</span>{curve}</div>'
        )

    def text(self) -> str:
        return word("display.training.progress", step=self.step, steps=self.steps)

    def _curve(self) -> str:
        """The losses so far as a small drawing, which has room for those to come."""
        parts = np.array_split(np.array(self.losses), min(self.step, _POINTS))
        means = np.array([part.mean() for part in parts])
        ends = np.cumsum([len(part) for part in parts])  # the last step of each part
        top = max(means.max(), 1e-12)
        places = zip(300 * ends / self.steps, 100 - 92 * means / top, strict=True)
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        ink = {"fill": "none", "stroke_width": 1, "stroke": "currentColor", "stroke_opacity": 0.45}
        said = word(
            "display.training.curve", start=plots.number(means[0]), now=plots.number(means[-1])
        )
        return element(
            "svg",
            element("path", d="M0 0V100H300", **ink),
            element("polyline", points=line, fill="none", stroke="var(--ac-blue)", stroke_width=2),
            viewBox="-2 -2 304 104",
            width=304,
            role="img",
            aria_label=said,
        )
