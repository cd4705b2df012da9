"""What lesson 3-1 measures with."""

import pytest
import torch

from attention_course.attention import causal_mask, scaled_dot_product_attention
from attention_course.lessons.encoder_decoder import experiments
from attention_course.transformer import Transformer

VOCABULARY = experiments.FIRST + experiments.WORDS


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Transformer(VOCABULARY, VOCABULARY, 16, 2, 2, 24).double().eval()


def test_a_target_is_its_source_word_for_word_and_turned_round():
    sources, targets = experiments.pairs(200, seed=0)
    meant = {}
    for source, target in zip(sources.tolist(), targets.tolist(), strict=True):
        words = [word for word in source if word != experiments.PAD]
        assert source[: len(words)] == words
        assert experiments.SHORTEST <= len(words) <= experiments.LONGEST
        assert target[len(words) :] == source[len(words) :]
        for word, translated in zip(reversed(words), target, strict=False):
            assert meant.setdefault(word, translated) == translated
    assert len(set(meant.values())) == len(meant) == experiments.WORDS


def test_the_decoder_reads_what_stands_before():
    assert experiments.shifted(torch.tensor([[5, 3, 9]])).tolist() == [[1, 5, 3]]


def test_the_average_is_of_words_only():
    states = torch.tensor([[[1.0], [3.0], [100.0]]])
    mask = torch.tensor([[[True, True, False]]])
    assert experiments.average_states(states, mask).tolist() == [[[2.0], [2.0], [2.0]]]


def test_cut_off_the_source_does_not_count_and_afterwards_it_does(model):
    (one, other), target = experiments.pairs(20, seed=1)[0].split(10), experiments.pairs(10, 2)[1]
    with experiments.without_cross_attention(model):
        assert torch.equal(
            experiments.logits(model, one, target), experiments.logits(model, other, target)
        )
    assert not torch.allclose(
        experiments.logits(model, one, target), experiments.logits(model, other, target)
    )


def no_mask(x):
    return scaled_dot_product_attention(x, x, x)[0]


def mask_one_too_far(x):
    mask = torch.ones(x.size(1), x.size(1), dtype=torch.bool).tril(1)
    return scaled_dot_product_attention(x, x, x, mask)[0]


def mask_after_softmax(x):
    weights = scaled_dot_product_attention(x, x, x)[1]
    return (weights * causal_mask(x.size(1))) @ x


@pytest.mark.parametrize("layer", [no_mask, mask_one_too_far, mask_after_softmax])
def test_a_leak_is_found(layer):
    table = torch.randn(VOCABULARY, 8, generator=torch.Generator().manual_seed(0)).double()
    target = experiments.pairs(4, seed=0)[1]
    assert (experiments.leaks(lambda ids: layer(table[ids]), target, VOCABULARY) > 1e-4).all()


def test_the_decoder_does_not_leak(model):
    source, target = experiments.pairs(4, seed=0)
    target = target.where(target != experiments.PAD, experiments.FIRST)
    states, mask = model.encode(source), model.source_mask(source)

    def decode(ids):
        return model.decode(ids, states, mask)

    assert (experiments.leaks(decode, target, VOCABULARY) < 1e-12).all()


def test_a_leak_is_looked_for_in_two_tokens_or_more():
    with pytest.raises(ValueError, match="n at least 2"):
        experiments.leaks(torch.Tensor.double, torch.ones(3, 1, dtype=torch.long), 5)
    with pytest.raises(ValueError, match="vocabulary"):
        experiments.leaks(torch.Tensor.double, torch.ones(3, 2, dtype=torch.long), 1)
    with pytest.raises(TypeError, match="target"):
        experiments.leaks(torch.Tensor.double, torch.ones(3, 2), 5)


@pytest.mark.parametrize("states", [experiments.own_states, experiments.no_states])
def test_training_makes_the_loss_smaller(states):
    source, target = experiments.pairs(50, seed=9)
    few, more = (experiments.trained(steps, 0, states) for steps in (1, 25))
    with torch.no_grad():
        assert experiments.loss(more, source, target, states) < experiments.loss(
            few, source, target, states
        )


class Knows(Transformer):
    """Always right about one target, by no learning."""

    def decode(self, target, states, states_mask=None, cache=None):
        return torch.nn.functional.one_hot(self.answer, VOCABULARY).float()


def test_accuracy_counts_words_and_not_padding():
    model = Knows(VOCABULARY, VOCABULARY, 16, 2, 1, 24)
    source, target = torch.tensor([[5, 3, 9, 0]]), torch.tensor([[4, 6, 8, 0]])
    model.answer = torch.tensor([[4, 6, 7, 0]])
    assert experiments.accuracy(model, source, target) == pytest.approx(2 / 3)
