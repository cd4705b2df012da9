"""What lesson 3-1 measures with."""

import pytest
import torch

from attention_course.attention import scaled_dot_product_attention
from attention_course.lessons.encoder_decoder import experiments, runs
from attention_course.transformer import Transformer, attention_weights

PAD, START, FORTH, BACK = range(4)
PEEKING = ("whole", "future")
every_way = pytest.mark.parametrize("way", experiments.WAYS.values(), ids=experiments.WAYS)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Transformer(experiments.VOCABULARY, experiments.VOCABULARY, 16, 1, 2, 24).double().eval()


@pytest.fixture
def drawn():
    return experiments.pairs(20, seed=1)


def test_a_target_is_an_arrow_and_its_source_in_that_direction():
    seen = set()
    sources, targets = experiments.pairs(200, seed=0)
    for source, (arrow, *letters) in zip(sources.tolist(), targets.tolist(), strict=True):
        words = [word for word in source if word != PAD]
        assert experiments.SHORTEST <= len(words) <= experiments.LONGEST
        assert source == words + [PAD] * (experiments.LONGEST - len(words))
        assert min(words) >= experiments.FIRST
        assert max(words) < experiments.VOCABULARY
        assert letters[: len(words)] == (words if arrow == FORTH else words[::-1])
        assert set(letters[len(words) :]) <= {PAD}
        seen.add((arrow, len(words)))
    assert len(seen) == 6


def test_tokens_are_shown_as_small_letters_in_a_source_and_as_capitals_in_a_target():
    assert experiments.spelled(torch.tensor([4, 15, 0])) == ["a", "l", "·"]
    assert experiments.spelled(torch.tensor([FORTH, 4, 15])) == ["→", "A", "L"]
    assert experiments.spelled(torch.tensor([START, BACK, 15])) == ["▷", "←", "L"]


def test_the_decoder_reads_what_stands_before_or_nothing_of_it():
    assert experiments.shifted(torch.tensor([[5, 3, 9]])).tolist() == [[1, 5, 3]]
    assert experiments.nothing(torch.tensor([[5, 3, 9]])).tolist() == [[1, 1, 1]]


def test_the_average_is_of_words_only():
    states = torch.tensor([[[1.0], [3.0], [100.0]]])
    mask = torch.tensor([[[True, True, False]]])
    assert experiments.average_states(states, mask).tolist() == [[[2.0], [2.0], [2.0]]]


def said(model, source, target, way="whole"):
    way = experiments.WAYS[way]
    return experiments.logits(model, source, way.read(target), way)


def test_cut_off_the_source_does_not_count_and_afterwards_it_does(model, drawn):
    source, target = drawn
    other = source.flip(0)
    with experiments.without_cross_attention(model):
        assert torch.equal(said(model, source, target), said(model, other, target))
    assert not torch.allclose(said(model, source, target), said(model, other, target))


def test_a_way_without_source_knows_none(model, drawn):
    source, target = drawn
    source, longest = source[:, :5], target[:, :6]  # no padding, so that the masks are the same
    said_of = [said(model, each, longest, "no_source") for each in (source, source.flip(0))]
    assert torch.equal(*said_of)


def test_a_way_that_reads_nothing_is_blind_to_its_own_words(model, drawn):
    source, target = drawn
    said_of = [said(model, source, each, "unread") for each in (target, target.flip(0))]
    assert torch.equal(*said_of)


@pytest.mark.parametrize(("way", "peeks"), [("whole", False), ("average", False), ("future", True)])
def test_only_the_way_without_causal_mask_sees_the_next_word(model, drawn, way, peeks):
    source, target = drawn
    other = target.clone()
    other[:, 3] = experiments.FIRST + (other[:, 3] + 1) % experiments.LETTERS
    moved = (said(model, source, other, way) - said(model, source, target, way))[:, :4].abs()
    assert (moved.max() > 1e-4) == peeks
    assert (said(model, source, target, "whole") != said(model, source, target, way)).any() == (
        way != "whole"
    )


@every_way
def test_training_makes_the_loss_smaller(way):
    source, target = experiments.pairs(50, seed=9)
    few, more = (experiments.trained(way, steps=steps) for steps in (1, 25))
    with torch.no_grad():
        assert experiments.loss(more, source, target, way) < experiments.loss(
            few, source, target, way
        )


class Knows(Transformer):
    """Says one row of words, whatever it reads, by no learning."""

    def decode(self, target, states, states_mask=None, cache=None):
        n = target.size(1)
        answer = self.answer[:, :n]
        return torch.nn.functional.one_hot(answer, experiments.VOCABULARY).float()


def test_what_is_counted():
    model = Knows(experiments.VOCABULARY, experiments.VOCABULARY, 16, 1, 1, 24)
    source = torch.tensor([[5, 6, 7, 0], [8, 9, 4, 0]])
    target = torch.tensor([[FORTH, 5, 6, 7, 0], [BACK, 4, 9, 8, 0]])
    model.answer = torch.tensor([[BACK, 5, 6, 4, 11], [BACK, 4, 9, 8, 11]])
    assert experiments.accuracy(model, source, target) == pytest.approx(5 / 6)
    assert experiments.arrows(model, source, target) == pytest.approx(1 / 2)
    assert torch.equal(experiments.written(model, source), model.answer)
    # By its own arrow the first should be 7, 6, 5: one letter of three is right.
    assert experiments.written_right(model, source) == pytest.approx(4 / 6)
    model.answer[1, 0] = START
    assert experiments.written_right(model, source) == pytest.approx(1 / 6)


def test_a_coin_toss_is_right_where_both_directions_agree_and_half_of_the_time_elsewhere():
    source = torch.tensor([[5, 6, 5, 0], [5, 6, 7, 4]])
    target = experiments.translated(source, torch.tensor([[FORTH], [BACK]]))
    assert experiments.coin_toss(source, target) == pytest.approx((3 + 4 / 2) / 7)


def test_writing_reads_what_was_written(model, drawn):
    source, _ = drawn
    written = experiments.written(model, source)
    assert torch.equal(said(model, source, written).argmax(dim=-1), written)


def test_for_who_writes_with_one_layer_the_causal_mask_hides_nothing(drawn):
    torch.manual_seed(0)
    model = Transformer(experiments.VOCABULARY, experiments.VOCABULARY, 16, 1, 1, 24).eval()
    written = [experiments.written(model, drawn[0], experiments.WAYS[way]) for way in PEEKING]
    assert torch.equal(*written)


def test_stages_are_the_shapes_of_a_pass(model):
    source, read = torch.full((3, 5), 4), torch.full((3, 4), 5)
    stages = experiments.stages(model, source, read)
    layer = ["masked", "cross", "feed_forward"]
    assert [part for part, _, _ in stages] == [
        *("source", "embedding", "positions", "heads", "feed_forward", "heads", "feed_forward"),
        *("states", "target", "embedding", "positions", *layer, *layer, "linear", "output"),
    ]
    shapes = {part: (*map(tuple, inputs), tuple(output)) for part, inputs, output in stages}
    assert shapes["source"] == ((3, 5),)
    assert shapes["positions"] == ((3, 4, 16), (4, 16), (3, 4, 16))
    assert shapes["heads"] == ((3, 5, 16),) * 4
    assert shapes["cross"] == ((3, 4, 16), (3, 5, 16), (3, 5, 16), (3, 4, 16))
    assert shapes["linear"] == ((3, 4, 16), (3, 4, experiments.VOCABULARY))
    assert not any(module._forward_hooks for module in model.modules())


def test_a_look_across_has_a_row_for_each_letter(model):
    source = torch.tensor([[5, 9, 4]])
    for arrow in experiments.ARROWS:
        weights = experiments.looks_across(model, source, arrow)
        assert weights.shape == (3, 3)
        assert torch.allclose(weights.sum(dim=-1), torch.ones(3).double())


def test_a_look_back_is_the_decoder_s_own(model):
    read = torch.tensor([[START, FORTH, 7, 5]])
    query, key, value = experiments.look_back(model, read)
    weights = scaled_dot_product_attention(query, key, value, causal=True)[1]
    with attention_weights(model) as theirs:
        model(torch.tensor([[7, 5, 6]]), read)
    assert torch.allclose(weights, theirs["decoder.0.attention"][0, 0])


def test_the_log_has_every_way_over_all_seeds():
    log = experiments.runs()
    assert set(log) == set(experiments.WAYS)
    for results in log.values():
        assert set(results) == {"letters", "arrows", "cut", "written"}
        assert all(len(each) == len(runs.SEEDS) for each in results.values())
