"""A run that was stopped goes on as if it had not been."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from attention_course import checkpoints
from attention_course.training import train


def run(steps: int, path: Path | None, *, stop: int | None = None, kind=torch.optim.Adam):
    """A run with dropout, a schedule, clipping and batches that differ from step to step."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 1))
    optimizer = kind(model.parameters(), lr=0.01)

    def batch(step):
        if step == stop:
            raise KeyboardInterrupt
        return torch.randn(16, 3, generator=torch.Generator().manual_seed(step))

    log = train(
        model,
        batch,
        lambda model, x: (model(x) - x.sum(1, keepdim=True)).square().mean(),
        steps=steps,
        optimizer=optimizer,
        schedule=lambda step: 0.01 / step**0.5,
        max_norm=1.0,
        checkpoint=path,
        checkpoint_every=4,
    )
    return log.losses, model.state_dict()


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.SGD, torch.optim.AdamW])
@pytest.mark.parametrize("stop", [1, 2, 5, 8, 9, 12])
def test_interrupted_and_resumed_it_is_the_same_run(tmp_path, stop, kind):
    whole, parameters = run(12, None, kind=kind)
    path = tmp_path / "new folder" / "run.safetensors"
    with pytest.raises(KeyboardInterrupt):
        run(12, path, stop=stop, kind=kind)
    assert path.exists() == (stop > 4)
    losses, resumed = run(12, path, kind=kind)
    assert losses == whole
    assert all(torch.equal(resumed[name], value) for name, value in parameters.items())
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_run_that_is_done_takes_no_step(tmp_path):
    path = tmp_path / "run.safetensors"
    losses, parameters = run(6, path)
    again, loaded = run(6, path, stop=6)
    assert again == losses
    assert all(torch.equal(loaded[name], value) for name, value in parameters.items())


def test_a_run_may_be_made_longer(tmp_path):
    path = tmp_path / "run.safetensors"
    run(5, path)
    assert run(9, path)[0] == run(9, None)[0]


def test_parameters_that_share_a_table_are_kept(tmp_path):
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(4)).sum().backward()
    optimizer.step()
    before = model[0].weight.detach().clone()
    checkpoints.save(tmp_path / "run", model, optimizer, [1.0], 2.0)
    with torch.no_grad():
        model[0].weight.zero_()
    assert checkpoints.load(tmp_path / "run", model, optimizer) == ([1.0], 2.0)
    assert torch.equal(model[1].weight, before)


def test_what_is_not_this_runs_checkpoint_is_named_and_changes_nothing(tmp_path):
    path, other = tmp_path / "run", nn.Linear(2, 1)
    model = nn.Linear(3, 1)
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    checkpoints.save(path, model, sgd, [], 0.0)
    before = other.weight.detach().clone()
    with pytest.raises(ValueError, match=r"another model, weight of shape \(1, 3\), .*\(1, 2\)"):
        checkpoints.load(path, other, torch.optim.SGD(other.parameters(), lr=0.1))
    assert torch.equal(other.weight, before)
    with pytest.raises(ValueError, match=r"another optimizer, \[2\], .*\[1\]"):
        checkpoints.load(path, model, torch.optim.SGD([model.weight], lr=0.1))
    (tmp_path / "text").write_text("{}")
    save_file({"x": torch.ones(1)}, tmp_path / "weights")
    save_file({"x": torch.ones(1)}, tmp_path / "numbers", {"training": json.dumps(3)})
    for name in ("text", "weights", "numbers"):
        with pytest.raises(ValueError, match=f"{name}'?, expected a checkpoint"):
            checkpoints.load(tmp_path / name, model, sgd)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        checkpoints.load(tmp_path / "nowhere", model, sgd)


def test_a_file_half_written_does_not_take_the_place_of_a_whole_one(tmp_path, monkeypatch):
    path = tmp_path / "run"
    whole = run(8, path)[0]

    def break_off(tensors, file, head):
        Path(file).write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(checkpoints, "save_file", break_off)
    with pytest.raises(OSError, match="no space"):
        run(12, path)
    monkeypatch.undo()
    assert run(8, path)[0] == whole
