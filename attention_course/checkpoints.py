"""A training run on disk: stopped at any step, it goes on as if it had never stopped.

One safetensors file holds the parameters, what the optimizer remembers, where torch's random
numbers are, and the losses so far. Nothing in it is code, so a file from elsewhere can be read.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

_HEAD = "training"


def save(
    path: str | Path,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    losses: list[float],
    seconds: float,
) -> None:
    """Write a run's state to ``path``; a file that is there is replaced when the new one is whole.

    Args:
        path: where to; its folder is made if it is not there.
        model, optimizer: after the last step.
        losses: the loss at each step so far.
        seconds: how long the run took so far.

    Raises:
        OSError: the file cannot be written.
    """
    path = Path(path)
    state = optimizer.state_dict()
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    numbers: dict[str, dict[str, Any]] = {}  # what the optimizer remembers that is no tensor
    for i, memory in state["state"].items():
        for name, value in memory.items():
            if isinstance(value, Tensor):
                tensors[f"optimizer.{i}.{name}"] = value
            else:
                numbers.setdefault(str(i), {})[name] = value
    tensors |= {f"random.{kind}": value for kind, value in _random().items()}
    head = {
        "losses": losses,
        "seconds": seconds,
        "groups": state["param_groups"],
        "numbers": numbers,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    # Copies, as safetensors refuses tensors that share their memory, such as tied tables.
    whole = {name: value.clone().contiguous() for name, value in tensors.items()}
    save_file(whole, new, {_HEAD: json.dumps(head)})
    os.replace(new, path)


def load(
    path: str | Path, model: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[list[float], float]:
    """Put a run's state into ``model``, ``optimizer`` and torch's random numbers.

    Returns:
        The losses so far and how many seconds the run took.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no checkpoint, or one of another model or optimizer. Nothing is changed.
    """
    parts, head = _read(Path(path))
    memory: dict[int, dict[str, Any]] = {int(i): dict(m) for i, m in head["numbers"].items()}
    for name, value in parts["optimizer"].items():
        i, _, what = name.partition(".")
        memory.setdefault(int(i), {})[what] = value
    _same(path, "model", _shapes(parts["model"]), _shapes(model.state_dict()))
    groups = [len(group["params"]) for group in head["groups"]]
    own = [len(group["params"]) for group in optimizer.param_groups]
    _same(path, "optimizer", groups, own)
    model.load_state_dict(parts["model"])
    optimizer.load_state_dict({"state": memory, "param_groups": head["groups"]})
    torch.set_rng_state(parts["random"]["cpu"])
    if "cuda" in parts["random"] and torch.cuda.is_available():
        torch.cuda.set_rng_state(parts["random"]["cuda"])
    return head["losses"], head["seconds"]


def _random() -> dict[str, Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_initialized():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def _read(path: Path) -> tuple[dict[str, dict[str, Tensor]], dict[str, Any]]:
    """The tensors by part and name, and the rest."""
    if not path.is_file():
        raise FileNotFoundError(f"checkpoint: got {str(path)!r}, expected a file that is there")
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "optimizer": {}, "random": {}}
    try:
        with safe_open(path, "pt") as file:
            head = json.loads(file.metadata()[_HEAD])
            for name in file.keys():  # noqa: SIM118
                part, _, rest = name.partition(".")
                parts[part][rest] = file.get_tensor(name)
        return parts, {name: head[name] for name in ("losses", "seconds", "groups", "numbers")}
    except (SafetensorError, KeyError, TypeError, ValueError):
        raise ValueError(f"checkpoint: got {str(path)!r}, expected a checkpoint") from None


def _shapes(state: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in state.items()}


def _same(path: str | Path, what: str, got: Any, expected: Any) -> None:
    if got == expected:
        return
    if isinstance(got, dict):
        name = min(got.items() ^ expected.items())[0]
        got, expected = (f"{name} of shape {each.get(name)}" for each in (got, expected))
    raise ValueError(
        f"checkpoint: got {str(path)!r} of another {what}, {got}, expected one of this, {expected}"
    )
