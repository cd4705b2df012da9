"""What lesson 4-3 and its lab measure with."""

import math

import numpy as np
import pytest
import torch

from attention_course.lessons.training_techniques import experiments, grid


@pytest.fixture(scope="module")
def few():
    return experiments.corpus(200)


def run(corpus, **options):
    options = {"schedule": experiments.warm(0.003), "steps": 3, "layers": 1, "batch": 4} | options
    return experiments.train(corpus, **options)


def test_schedules_rise_and_their_control_has_the_same_rates():
    rising = [experiments.warm(0.1, 4)(step) for step in range(1, 9)]
    assert rising == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1, 0.1, 0.1, 0.1])
    control = [experiments.late(0.1, 4, 8)(step) for step in range(1, 9)]
    assert control == rising[::-1]
    assert experiments.warm(0.1)(1) == 0.1


def test_norms_are_written_down_before_they_are_clipped(few):
    free, clipped = run(few), run(few, max_norm=0.01)
    assert len(free.norms) == len(free.losses) == 3
    assert free.norms[0] == clipped.norms[0] > 0.01
    left = [p.grad for p in clipped.model.parameters() if p.grad is not None]
    assert math.hypot(*(g.norm().item() for g in left)) == pytest.approx(0.01, rel=1e-3)


def test_a_broken_batch_has_a_larger_gradient_at_its_step_only(few):
    whole, broken = run(few), run(few, broken=2, times=1000.0)
    assert broken.losses[:2] == whole.losses[:2]
    assert broken.norms[0] == whole.norms[0]
    assert broken.norms[1] == pytest.approx(1000 * whole.norms[1], rel=1e-3)


def test_the_calibration_error_is_the_gap_between_sure_and_right():
    sure = torch.tensor([0.95, 0.95, 0.55, 0.55])
    assert experiments.calibration_error(sure, torch.tensor([True] * 4)) == pytest.approx(0.25)
    right = torch.tensor([True, False, True, False])
    assert experiments.calibration_error(sure, right) == pytest.approx(0.25)
    certain = torch.tensor([1.0, 1.0])
    assert experiments.calibration_error(certain, torch.tensor([True, True])) == 0


def test_guesses_leave_out_the_padding(few):
    pairs = few.held_out[:5]
    logs, words = experiments.guesses(run(few).model, few, pairs)
    assert len(logs) == len(words) == sum(len(pair.target) + 1 for pair in pairs)
    assert logs.exp().sum(dim=-1).numpy() == pytest.approx(np.ones(len(logs)), abs=1e-4)


def test_an_adder_explodes_without_clipping_and_not_with_it():
    assert experiments.add(learning_rate=0.01, steps=20).broke
    assert experiments.add(learning_rate=0.01, max_norm=1.0, steps=5).broke is None


def test_the_sums_are_of_the_marked_numbers():
    x, wanted = experiments.sums(10, seed=0, step=1)
    assert x.shape == (32, 10, 2)
    assert (x[..., 1].sum(dim=1) == 2).all()
    assert torch.equal((x[..., 0] * x[..., 1]).sum(dim=1), wanted)


def test_the_log_of_the_grid_is_whole():
    log = experiments.grid()
    for norm in grid.NORMS:
        for rate in grid.RATES:
            for way in grid.WAYS:
                starts = log["start"][norm][str(rate)][way]
                assert len(starts) == len(grid.STARTS["start"])
                assert all(np.isfinite(start["loss"]) for start in starts)
    for pairs in grid.SIZES:
        for amount in grid.SMOOTHINGS:
            found = log["smoothing"][str(pairs)][str(amount)]
            assert len(found) == len(grid.STARTS["smoothing"])


def test_the_log_of_the_grid_is_of_this_code():
    """The largest gradient of the post-norm run comes in its first steps."""
    found = grid.start("post", 0.003, "clipped", seed=1, steps=5)
    wanted = experiments.grid()["start"]["post"]["0.003"]["clipped"][1]["highest"]
    assert max(found.norms) == pytest.approx(wanted, rel=0.01)
