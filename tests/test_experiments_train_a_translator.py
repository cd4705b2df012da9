"""What lesson 4-2 trains and measures with."""

import random
from functools import cache

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from attention_course import corpora, models
from attention_course.corpora.pairs import _Grammar
from attention_course.lessons.train_a_translator import experiments, figures, runs

TINY = {"d_model": 16, "num_heads": 2, "num_layers": 1, "d_ff": 16}


@cache
def small():
    """A corpus that is made in a moment."""
    return corpora.translation(400, held_out=20, unseen_combinations=5, longer=5)


@pytest.fixture
def corpus():
    return small()


def test_a_step_draws_by_seed_and_step_alone(corpus):
    draw = experiments.batches(corpus, size=8, seed=3)
    assert all(torch.equal(a, b) for a, b in zip(draw(5), draw(5), strict=True))
    assert not torch.equal(draw(5)[0], draw(6)[0])
    source, target = draw(1)
    assert (source[:, -1] != 0).any()  # no column of nothing but padding
    assert (target[:, -1] != 0).any()
    assert (target[:, 0] == corpus.start).all()


def test_the_loss_is_that_of_the_words_alone(corpus):
    model = experiments.model(corpus, **TINY)
    source, target = experiments.batches(corpus, size=8)(1)
    logits, right = model(source, target[:, :-1]), target[:, 1:]
    by_hand = F.cross_entropy(logits[right > 0], right[right > 0])
    assert experiments.loss(model, (source, target)).item() == pytest.approx(by_hand.item())
    wider = F.pad(target, (0, 3))
    assert experiments.loss(model, (source, wider)).item() == pytest.approx(by_hand.item())


def test_the_rate_rises_then_falls():
    rates = [experiments.rate(step, steps=1000, highest=1.0) for step in range(1, 1001)]
    assert rates[:3] == pytest.approx([0.01 * (1 - s / 1000) * s for s in (1, 2, 3)])
    assert rates.index(max(rates)) == experiments.WARMUP - 1
    assert rates[-1] == pytest.approx(0.02)


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(corpus):
    run = experiments.stopped_and_resumed(corpus, steps=8, written=3, stopped=6, **TINY)
    assert len(run.whole) == len(run.forgetful) == 8
    assert run.resumed == run.whole
    assert run.same_parameters
    assert run.forgetful[:3] == run.whole[:3]
    assert run.forgetful[4:] != run.whole[4:]


def test_alignments_and_their_error_rate(corpus):
    pairs = corpus.held_out
    gold = experiments.Alignment(tuple(pair.alignment for pair in pairs))
    assert gold.error_rate(pairs) == 0
    nothing = experiments.Alignment(tuple(frozenset([(99, 99)]) for _ in pairs))
    assert nothing.error_rate(pairs) == 1
    best = experiments.one_each(pairs).error_rate(pairs)
    assert 0 < best < 0.3
    for other in (experiments.diagonal(pairs), experiments.co_occurrence(corpus, pairs)):
        assert best < other.error_rate(pairs) < 1
        assert all(len(links) == len(p.target) for links, p in zip(other.links, pairs, strict=True))


def test_a_head_points_to_where_its_weight_is_largest(corpus):
    pairs = corpus.held_out[:3]
    model = experiments.model(corpus, **TINY)
    weights = experiments.cross_weights(model, corpus, pairs)
    for rows, pair in zip(weights, pairs, strict=True):
        assert rows.shape == (1, 2, len(pair.target), len(pair.source))
        assert np.allclose(rows.sum(axis=-1), 1, atol=1e-5)
    links = experiments.pointed(weights, 0, 1).links[2]
    assert links == frozenset(enumerate(weights[2][0, 1].argmax(axis=1).tolist()))


def test_the_best_head_is_the_one_with_the_lowest_error_rate(corpus):
    pairs = corpus.held_out
    model = experiments.model(corpus, **TINY)
    weights = experiments.cross_weights(model, corpus, pairs)
    rates = [experiments.pointed(weights, 0, head).error_rate(pairs) for head in (0, 1)]
    assert experiments.best_head(model, corpus, pairs) == (0, int(np.argmin(rates)))
    found = experiments.error_rates(model, corpus, pairs, 0, 1)
    assert found["head"] == rates[1]


def test_further_sentences_are_as_long_and_as_nested_as_asked(corpus):
    known = {pair.source for pair in (*corpus.train, *corpus.held_out)}
    found = corpora.further(corpora.translation(2000), 10, words=range(9, 11), nesting=range(2, 3))
    assert len({pair.source for pair in found}) == 10
    for pair in found:
        assert len(pair.source) in (9, 10)
        assert pair.source not in known
        assert sum(word == "的" for word in pair.source) >= 2
    flat = corpora.further(corpus, 10, words=range(1, 8), nesting=range(1))
    assert not any({"relative", "possessive"} & pair.structures for pair in flat)
    with pytest.raises(ValueError, match="count: got 3"):
        corpora.further(corpus, 3, words=range(2), nesting=range(1))


def test_nesting_twice_is_rare_in_sentences_as_of_training():
    grammar = _Grammar(random.Random(0), frozenset())
    found = [(len(grammar.sentence(1).source), grammar.nesting) for _ in range(3000)]
    short = [nesting for words, nesting in found if words <= corpora.pairs.LONGEST]
    assert 0 < short.count(2) < 0.03 * len(short)
    assert max(short) == 2


def test_what_is_longer_or_nested_twice_has_far_more_relative_clauses():
    corpus = corpora.translation()
    shares = [
        np.mean(["relative" in pair.structures for pair in found])
        for words in (experiments.SHORT, experiments.LONG)
        for nesting in (experiments.FLAT, experiments.NESTED)
        for found in [corpora.further(corpus, 200, words=words, nesting=nesting)]
    ]
    assert shares[0] < 0.1 < 0.15 < min(shares[1:])


def test_the_log_is_whole_and_the_page_says_what_it_holds():
    log = experiments.runs()
    assert list(log) == [str(seed) for seed in runs.STARTS]
    for match in experiments.logged_matches():
        assert match["longer"] < 0.5 < 0.85 < match["unseen_combinations"] < match["held_out"]
    for rates in experiments.logged_error_rates(layer=1):
        assert len(rates["heads"]) == experiments.HEADS
        assert rates["mean"] < min(rates["heads"])
    for run in log.values():
        assert len(run["losses"]) == experiments.STEPS // runs.EVERY


def test_the_log_is_of_this_code():
    """A fresh run is on the curve of the log, as far as it goes."""
    corpus = corpora.translation()
    model = experiments.model(corpus, seed=2)
    log = experiments.train(
        model,
        corpus,
        seed=2,
        steps=runs.EVERY,
        schedule=experiments.rate,
        progress=False,
    )
    assert log.losses[-1] == pytest.approx(experiments.runs()["2"]["losses"][0], abs=0.02)


def test_the_shipped_translator_is_of_this_corpus_and_does_what_its_card_says():
    corpus = corpora.translation()
    model, source, target = models.translator()
    assert source.words == corpus.source_vocabulary.words
    assert target.words == corpus.target_vocabulary.words
    card = models.card("translator")
    assert sum(p.numel() for p in model.parameters()) == card["parameters"]
    some = corpus.held_out[:100]
    here = experiments.exact_match(model, corpus, some)
    said = card["exact match"]["held_out"] * len(corpus.held_out)  # so many of all are right
    assert said - 400 - 1 <= 100 * here <= said + 1
    assert here > 0.96


def test_greedy_and_beam_are_compared_on_the_same_sentences():
    corpus = corpora.translation()
    model, *_ = models.translator()
    some = corpus.longer[:30]
    found = experiments.compared(model, corpus, some)
    assert found.greedy == experiments.exact_match(model, corpus, some)
    assert found.beam - found.greedy == pytest.approx((found.gained - found.lost) / 30)
    assert found.beam <= found.in_beam
    wrong = experiments.wrong(model, corpus, some)
    assert len(wrong) == round(30 * (1 - found.greedy))
    assert all(text != pair.target for pair, text in wrong)
    everything = experiments.exact_match_by_structure(model, corpus, some)
    assert everything[""] == (30, found.greedy)


def test_gold_is_outlined_where_it_is(corpus):
    pair = corpus.held_out[0]
    weights = np.full((len(pair.target), len(pair.source)), 1 / len(pair.source))
    picture = figures.looks(weights, pair, 1, 2)
    axis = picture.figure.axes[0]
    centres = {(round(p.get_y() + 0.46), round(p.get_x() + 0.46)) for p in axis.patches}
    assert centres == pair.alignment
    assert "gold" in picture.alt.lower()


def test_what_is_read_is_shifted_against_what_should_be_said(corpus):
    target = corpus.targets(corpus.train[:3])[1]
    table = figures.shifted(corpus, target[:-1].tolist(), target[1:].tolist())
    _, read, right = zip(*table.lines, strict=True)
    assert read[1:] == right[:-1]
    assert (read[0], right[-1]) == ("<start>", "<end>")


def test_without_cross_attention_every_sentence_gets_the_same_translation():
    corpus = corpora.translation()
    model, *_ = models.translator()
    some = corpus.held_out[:12]
    assert len(set(experiments.translate(model, corpus, some))) == 12
    for layer in model.decoder:
        layer.cross_attention.output.weight.data.zero_()
    assert len(set(experiments.translate(model, corpus, some))) == 1
