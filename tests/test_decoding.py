"""Greedy search, beam search and sampling against slow ways of doing the same."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from attention_course.decoding import beam_search, greedy_decode, probabilities, sample
from attention_course.transformer import LanguageModel, Transformer

START, END, PAD = 1, 2, 0
SOURCE = torch.tensor([[3, 4, 5, 0], [6, 3, 4, 5], [5, 0, 0, 0]])


def translator(seed: int = 0, vocabulary: int = 7, **options: object) -> Transformer:
    """Begins with large weights, so that its choices are decided and differ."""
    torch.manual_seed(seed)
    model = Transformer(7, vocabulary, 16, 2, 2, 32, dropout=0.3, **options)
    with torch.no_grad():
        model.output.weight.mul_(3)
    return model


def language_model() -> LanguageModel:
    torch.manual_seed(0)
    return LanguageModel(9, 16, 2, 2, 32, dropout=0.3)


@torch.no_grad()
def log_probability(model: Transformer, source: Tensor, written: list[int]) -> float:
    """Of one sequence after the start, padding never written, in one pass over all of it."""
    model.eval()
    logits = model(source, torch.tensor([[START, *written[:-1]]]))
    logits[..., PAD] = -torch.inf
    steps = logits.log_softmax(-1)[0]
    return sum(steps[i, token].item() for i, token in enumerate(written))


def upto_end(row: Tensor) -> list[int]:
    tokens = row.tolist()
    return tokens[: tokens.index(END) + 1] if END in tokens else tokens


@pytest.mark.parametrize("seed", range(6))
def test_greedy_writes_the_likeliest_token_after_reading_all_again(seed):
    model = translator(seed)
    found = greedy_decode(model, SOURCE, START, END, max_length=8)
    model.eval()
    for row, source in zip(found, SOURCE, strict=True):
        source = source[source != PAD][None]
        written = [START]
        while len(written) <= 8 and written[-1] != END:
            logits = model(source, torch.tensor([written]))[0, -1]
            logits[PAD] = -torch.inf
            written.append(int(logits.argmax()))
        assert upto_end(row) == written[1:]
        assert not row[len(written) - 1 :].any()  # then padding


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("length_penalty", [0.0, 0.6])
def test_a_beam_of_one_is_greedy(seed, length_penalty):
    model = translator(seed)
    found, _ = beam_search(model, SOURCE, START, END, 8, 1, length_penalty)
    assert torch.equal(found[:, 0], greedy_decode(model, SOURCE, START, END, 8))


@pytest.mark.parametrize("length_penalty", [0.0, 2.0])
def test_a_beam_as_wide_as_all_there_is_finds_the_best_of_all(length_penalty):
    model = translator(vocabulary=5)
    longest, words = 3, (START, END, 3, 4)
    found, scores = beam_search(model, SOURCE, START, END, longest, 64, length_penalty)
    for row, score, source in zip(found, scores, SOURCE, strict=True):
        source = source[source != PAD][None]
        every = {
            tuple(upto_end(torch.tensor(tokens))): 0.0
            for tokens in itertools.product(words, repeat=longest)
        }
        for tokens in every:
            length = (5 + len(tokens)) / 6
            every[tokens] = log_probability(model, source, list(tokens)) / length**length_penalty
        best = sorted(every, key=every.get, reverse=True)[:5]
        assert [tuple(upto_end(tokens)) for tokens in row[:5]] == best
        assert score[:5].tolist() == pytest.approx([every[tokens] for tokens in best], abs=1e-4)


def test_a_beams_order_does_not_depend_on_the_other_sentences():
    model = translator(3)
    together, scores = beam_search(model, SOURCE, START, END, 6)
    for row, score, source in zip(together, scores, SOURCE, strict=True):
        alone, own = beam_search(model, source[source != PAD][None], START, END, 6)
        assert [upto_end(tokens) for tokens in row] == [upto_end(tokens) for tokens in alone[0]]
        torch.testing.assert_close(score, own[0], atol=1e-5, rtol=0)


def test_a_longer_penalty_gives_longer_translations():
    lengths = [
        sum(
            len(upto_end(row[0]))
            for seed in range(8)
            for row in beam_search(translator(seed), SOURCE, START, END, 12, 4, penalty)[0]
        )
        for penalty in (0.0, 3.0)
    ]
    assert lengths[0] < lengths[1]


def test_without_padding_the_end_is_repeated():
    model = translator(2, pad_id=None)
    with torch.no_grad():
        model.output.bias[END] = 3.0
    source = torch.tensor([[3, 4], [5, 5], [6, 6]])
    found = greedy_decode(model, source, START, END, 8)
    for row in found:
        assert (row[len(upto_end(row)) :] == END).all()


def test_a_model_goes_on_in_its_mode_and_has_no_gradient_from_it():
    model = translator()
    model.train()
    model.decoder[0].eval()
    first = greedy_decode(model, SOURCE, START, END, 8)
    assert torch.equal(first, greedy_decode(model, SOURCE, START, END, 8))  # no dropout
    assert model.training
    assert not model.decoder[0].training
    assert all(parameter.grad is None for parameter in model.parameters())


def test_small_integers_of_the_source_do_not_wrap():
    model = Transformer(7, 300, 16, 2, 1, 32)
    small = greedy_decode(model, SOURCE.to(torch.int8), 299, 298, 4)
    assert torch.equal(small, greedy_decode(model, SOURCE, 299, 298, 4))


# Sampling


def test_probabilities_are_those_of_the_field():
    logits = torch.tensor([2.0, 1.0, 0.0, -1.0])
    torch.testing.assert_close(probabilities(logits), logits.softmax(-1))
    torch.testing.assert_close(probabilities(logits, 0.5), (2 * logits).softmax(-1))
    two = probabilities(logits, top_k=2)
    torch.testing.assert_close(two, torch.cat([logits[:2].softmax(-1), torch.zeros(2)]))
    plain = logits.softmax(-1)  # 0.644, 0.237, 0.087, 0.032
    for top_p, kept in ((0.6, 1), (0.65, 2), (0.9, 3), (0.97, 4), (1.0, 4)):
        expected = plain.where(torch.arange(4) < kept, 0.0)
        torch.testing.assert_close(
            probabilities(logits, top_p=top_p), expected / expected.sum(), msg=str(top_p)
        )


def test_probabilities_keep_their_places_in_any_order():
    torch.manual_seed(0)
    logits, order = torch.randn(3, 20), torch.randperm(20)
    options = {"temperature": 0.8, "top_k": 9, "top_p": 0.7}
    moved = probabilities(logits[:, order], **options)
    torch.testing.assert_close(moved, probabilities(logits, **options)[:, order])


def test_top_p_is_of_what_top_k_left():
    logits = torch.tensor([0.4, 0.3, 0.2, 0.1]).log()
    both = probabilities(logits, top_k=2, top_p=0.55)
    assert both.tolist() == [1.0, 0.0, 0.0, 0.0]  # 0.4 / 0.7 = 0.57 is enough


def test_samples_are_drawn_from_the_models_probabilities():
    model = language_model()
    beginning = torch.tensor([[3, 4, 5]]).expand(4000, 3)
    drawn = sample(model, beginning, 1, generator=torch.Generator().manual_seed(1))[:, -1]
    model.eval()
    logits = model(beginning[:1])[0, -1]
    logits[PAD] = -torch.inf
    expected = logits.softmax(-1)
    shares = torch.bincount(drawn, minlength=9) / len(drawn)
    assert (shares - expected).abs().max() < 4 * (0.25 / len(drawn)) ** 0.5


def test_one_token_at_a_time_is_what_one_pass_would_draw():
    model = language_model()
    beginning = torch.tensor([[3, 4, 0], [5, 6, 7]])
    found = sample(model, beginning, 6, generator=torch.Generator().manual_seed(5))
    model.eval()
    generator, written = torch.Generator().manual_seed(5), beginning
    for _ in range(6):
        logits = model(written)[:, -1]
        logits[:, PAD] = -torch.inf
        new = torch.multinomial(logits.softmax(-1), 1, generator=generator)
        written = torch.cat([written, new], dim=1)
    assert torch.equal(found, written)


def test_the_likeliest_alone_is_drawn_whatever_the_lot():
    model = language_model()
    beginning = torch.tensor([[3, 4, 5]])
    found = {tuple(sample(model, beginning, 5, top_k=1)[0].tolist()) for _ in range(5)}
    cold = {tuple(sample(model, beginning, 5, temperature=1e-3)[0].tolist()) for _ in range(5)}
    assert len(found) == 1
    assert found == cold


def test_a_sample_ends_where_it_ends():
    model = language_model()
    with torch.no_grad():
        model.output.bias[END] = 3.0
    found = sample(
        model, torch.full((50, 1), 3), 30, end_id=END, generator=torch.Generator().manual_seed(0)
    )
    assert found.size(1) < 31
    for row in found:
        assert not row[len(upto_end(row)) :].any()


def test_ties_at_the_last_place_are_all_kept():
    assert probabilities(torch.zeros(5), top_k=2).tolist() == pytest.approx([0.2] * 5)
