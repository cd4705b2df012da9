"""What lesson 3-4 and its lab measure with."""

import numpy as np
import pytest
import torch

from attention_course.lessons.residual_and_norm import experiments, race
from attention_course.transformer import EncoderLayer


@pytest.mark.parametrize(("residual", "norm"), experiments.WAYS.values())
def test_a_stack_gives_what_comes_out_of_each_layer(residual, norm):
    torch.manual_seed(0)
    stack = experiments.Stack(3, experiments.join(residual, norm))
    x = torch.randn(2, 5, experiments.WIDTH)
    states = stack.states(x)
    assert len(states) == 4
    assert torch.equal(states[0], x)
    assert torch.equal(states[-1], stack(x))
    assert all(state.shape == x.shape for state in states)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_one_layer_is_the_library_s_layer_with_one_head(norm):
    torch.manual_seed(0)
    stack = experiments.Stack(1, experiments.join(True, norm))
    theirs = EncoderLayer(experiments.WIDTH, 1, experiments.HIDDEN, norm=norm)
    held = {name: parameter[0] for name, parameter in stack.weights.items()}
    attention, feed_forward = theirs.attention, theirs.feed_forward
    with torch.no_grad():
        for kind in ("weight", "bias"):
            parts = held[f"project_{kind}"].chunk(3)
            for layer, part in zip(
                (attention.query, attention.key, attention.value), parts, strict=True
            ):
                getattr(layer, kind).copy_(part)
            getattr(attention.output, kind).copy_(held[f"output_{kind}"])
            getattr(feed_forward.inner, kind).copy_(held[f"up_{kind}"])
            getattr(feed_forward.outer, kind).copy_(held[f"down_{kind}"])
    x = torch.randn(2, 5, experiments.WIDTH)
    torch.testing.assert_close(stack(x), theirs(x), atol=1e-5, rtol=1e-5)


def test_an_unknown_norm_is_refused():
    with pytest.raises(ValueError, match="norm: got 'batch'"):
        experiments.join(True, "batch")


def test_the_first_row_of_a_profile_is_the_gradient():
    """At the output it is the gradient of a sum of products: the random numbers themselves."""
    gradient, signal = experiments.profile(4, True, "post", seed=1)
    generator = torch.Generator().manual_seed(1)
    _, direction = torch.randn(
        2, 8, experiments.LENGTH, experiments.WIDTH, generator=generator, dtype=torch.float64
    )
    assert gradient.shape == signal.shape == (5,)
    assert gradient[-1] == pytest.approx(direction.norm().item())
    assert np.array_equal(gradient, experiments.profile(4, True, "post", seed=1)[0])


def test_difference_is_what_the_vectors_do_not_share():
    same = torch.ones(2, 3, 4)
    assert experiments.difference(same) == 0
    opposite = torch.stack([same, -same])[:, 0]
    assert experiments.difference(opposite) == 1


def test_sums_ask_for_each_word_at_each_place_once():
    words, wanted = experiments.sums()
    assert {(w, p) for row in words.tolist() for p, w in enumerate(row)} == {
        (w, p) for w in range(8) for p in range(8)
    }
    assert torch.equal(wanted, (words + torch.arange(8)) % 8)


def test_a_stack_that_starts_as_identity_changes_nothing():
    torch.manual_seed(0)
    stack = experiments.Stack(100, experiments.join(False, "none"), attention=False)
    experiments.as_identity(stack)
    x = torch.randn(2, 3, experiments.WIDTH)
    torch.testing.assert_close(stack(x), x, atol=1e-4, rtol=1e-4)


def test_gradients_get_too_small_with_depth_but_not_with_a_residual():
    assert experiments.too_small(False, "none", depth=2) < 0.2
    assert experiments.too_small(False, "none") > 0.9
    assert experiments.too_small(True, "pre") < 0.2


def test_a_shallow_reader_learns_both_tasks():
    assert experiments.learn_sums(2, True, "pre", learning_rate=1e-2).accuracy > 0.9
    run = experiments.learn_first("pre", learning_rate=1e-2, depth=2)
    assert run.accuracy > 0.9
    assert len(run.losses) == 80


def test_warm_up_begins_with_small_steps():
    cold = experiments.learn_first("pre", learning_rate=1e-2, depth=2).losses
    warm = experiments.learn_first("pre", learning_rate=1e-2, warmup_steps=80, depth=2).losses
    assert cold[0] == warm[0]
    assert warm[20] > cold[20]


def test_the_log_of_the_race_is_whole_and_of_this_code():
    log = experiments.race()
    for norm in race.NORMS:
        for rate in race.RATES:
            for warmup in race.WARMUPS:
                losses = log[norm][str(rate)][str(warmup)]
                assert len(losses) == len(race.STARTS)
                assert np.isfinite(losses).all()
    found = race.last_loss("pre", 0.003, 0, seed=0)
    assert found == pytest.approx(log["pre"]["0.003"]["0"][0], abs=0.01)
