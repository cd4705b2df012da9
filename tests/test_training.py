"""The training loop and the paper's learning rate."""

import pytest
import torch
from torch import nn

from attention_course.training import train, warmup_learning_rate


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


@pytest.mark.parametrize(
    ("options", "message"),
    [({"steps": 0}, "steps: got 0"), ({"max_norm": -1}, "max_norm: got -1")],
)
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        fit_a_line(**options)


def test_the_papers_learning_rate():
    rates = [warmup_learning_rate(step, 512) for step in range(1, 20001)]
    assert max(rates) == rates[3999] == pytest.approx((512 * 4000) ** -0.5)
    assert rates[999] == pytest.approx(rates[3999] / 4)  # linear up
    assert rates[15999] == pytest.approx(rates[3999] / 2)  # inverse square root down


@pytest.mark.parametrize("arguments", [(0, 512), (1, 0), (1, 512, 0)])
def test_the_learning_rate_refuses_what_is_not_positive(arguments):
    with pytest.raises(ValueError, match="got 0, expected at least 1"):
        warmup_learning_rate(*arguments)
