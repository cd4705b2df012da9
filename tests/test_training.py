"""The training loop and the paper's learning rate."""

import copy
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from torch import nn

from attention_course.training import _POINTS, _Progress, train, warmup_learning_rate


def fit_a_line(**options):
    torch.manual_seed(0)
    model = nn.Linear(1, 1)
    x = torch.linspace(-1, 1, 32)[:, None]  # (32, 1)
    options = {"steps": 300, "learning_rate": 0.05, **options}
    log = train(
        model,
        lambda step: (x, 3 * x + 1),
        lambda model, batch: ((model(batch[0]) - batch[1]) ** 2).mean(),
        **options,
    )
    return model, log


def test_it_learns_and_writes_down_every_loss():
    model, log = fit_a_line()
    assert len(log.losses) == 300
    assert log.losses[-1] < 1e-4 < log.losses[0]
    assert model.weight.item() == pytest.approx(3, abs=0.05)
    assert log.seconds > 0
    assert not model.training
    assert "svg" in log._repr_mimebundle_()["text/html"]


def test_the_schedule_sets_the_learning_rate_of_each_step():
    _, log = fit_a_line(steps=5, schedule=lambda step: 0.0)
    assert len(set(log.losses)) == 1


def test_clipping_bounds_the_step():
    model = nn.Linear(1, 1, bias=False)
    before = model.weight.item()
    sgd = torch.optim.SGD(model.parameters(), lr=1.0)
    train(model, lambda step: 1e6, lambda m, scale: scale * m.weight.sum(), steps=1,
          optimizer=sgd, max_norm=0.5)  # fmt: skip
    assert before - model.weight.item() == pytest.approx(0.5, rel=1e-3)


def test_a_loss_that_is_not_a_number_stops_the_run():
    with pytest.raises(FloatingPointError, match="nan at step 1"):
        train(nn.Linear(1, 1), lambda s: None, lambda m, b: m.weight.sum() * float("nan"), steps=3)


def test_nothing_that_is_not_finite_reaches_the_parameters():
    """A finite loss may have a gradient of NaN, here that of a square root at 0."""
    model = nn.Linear(2, 1)
    before = copy.deepcopy(model.state_dict())

    def loss(model, step):
        return (
            model.weight.sum() + (0 * model.weight if step == 2 else model.weight**2).sqrt().sum()
        )

    for options in ({}, {"max_norm": 1.0}):
        model.load_state_dict(before)
        with pytest.raises(FloatingPointError, match="gradient became nan at step 2"):
            train(model, lambda step: step, loss, steps=2, **options)
        assert all(value.isfinite().all() for value in model.state_dict().values())
        assert not torch.equal(model.weight, before["weight"])  # the first step was taken


def test_only_what_the_optimizer_trains_is_clipped_with():
    model = nn.Linear(1, 1)
    frozen = model.bias.item()
    sgd = torch.optim.SGD([model.weight], lr=1.0)
    log = train(model, lambda step: None, lambda m, _: (3 * m.weight + 4e6 * m.bias).sum(),
                steps=4, optimizer=sgd, max_norm=3.5)  # fmt: skip
    assert log.losses[0] - log.losses[-1] == pytest.approx(27, abs=1)
    assert model.bias.item() == frozen


def test_the_papers_learning_rate():
    rates = [warmup_learning_rate(step, 512) for step in range(1, 20001)]
    assert max(rates) == rates[3999] == pytest.approx((512 * 4000) ** -0.5)
    assert rates[999] == pytest.approx(rates[3999] / 4)  # linear up
    assert rates[15999] == pytest.approx(rates[3999] / 2)  # inverse square root down


def live(steps, losses):
    bar = _Progress(steps, shown=False)
    bar.update(losses)
    return bar.html()


def points(html):
    (drawn,) = re.findall(r'points="([^"]*)"', html)
    return np.array([[float(n) for n in point.split(",")] for point in drawn.split()])


def test_while_a_run_goes_on_its_loss_curve_is_drawn():
    losses = [4.0, 3.0, 2.0, 1.0]
    html = live(8, losses)
    ElementTree.fromstring(html)  # well-formed
    drawn = points(html)
    assert np.allclose(drawn[:, 0], [37.5, 75, 112.5, 150])  # half of the way
    heights = 100 - drawn[:, 1]
    assert np.allclose(heights / heights[0], np.array(losses) / 4, atol=0.01)
    (said,) = re.findall(r'<svg[^>]*role="img" aria-label="([^"]*)"', html)
    assert re.findall(r"\d+", said) == ["4", "1"]
    assert "var(--ac-blue)" in html


def test_the_curve_of_a_long_run_has_few_points_each_a_mean():
    losses = list(np.linspace(5, 1, 2880) + np.tile([0.5, -0.5], 1440))
    drawn = points(live(3840, losses))
    assert len(drawn) == _POINTS
    assert (np.diff(drawn, axis=0) > 0).all()  # the noise is averaged out
    assert drawn[-1, 0] == pytest.approx(225)


@pytest.mark.parametrize("losses", [[], [1.0], [3.0, 2.0, 1.0]], ids=["none", "one", "all"])
def test_without_a_curve_to_draw_there_is_the_bar_alone(losses):
    html = live(3, losses)
    assert "<progress" in html
    assert "<svg" not in html


def test_losses_of_zero_can_be_drawn():
    assert np.isfinite(points(live(9, [0.0, 0.0, 0.0]))).all()


def test_a_run_hands_its_losses_to_the_bar(monkeypatch):
    seen = []
    monkeypatch.setattr(_Progress, "update", lambda self, losses: seen.append(list(losses)))
    _, log = fit_a_line(steps=3)
    assert seen == [log.losses[:1], log.losses[:2], log.losses]
