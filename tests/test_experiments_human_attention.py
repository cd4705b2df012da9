"""What lesson 2-1 and its lab measure with, on models that have learned little or nothing."""

import numpy as np
import pytest
import torch

from attention_course import corpora
from attention_course.lessons.human_attention import experiments


@pytest.fixture(scope="module")
def corpus():
    return corpora.fill_in_the_blank()


@pytest.fixture(scope="module")
def model(corpus):
    return experiments.train(experiments.fill_in, corpus, steps=40)


@pytest.fixture(scope="module")
def what(corpus):
    return corpus.held_out.where(asks="what", clues=2)


def test_training_makes_the_loss_small_and_repeats_itself(corpus, model):
    # Two threads add up in another order than one: the same but for rounding.
    again = experiments.train(experiments.fill_in, corpus, steps=5)
    assert again.log.losses == pytest.approx(model.log.losses[:5], rel=1e-4)
    other = experiments.train(experiments.fill_in, corpus, steps=2, seed=1)
    assert other.log.losses != model.log.losses[:2]
    assert model.log.losses[0] == pytest.approx(np.log(32), rel=0.05)
    assert model.log.losses[-1] < 0.8 * model.log.losses[0]


def test_reading_gives_probabilities_and_weights_that_leave_padding_out(model, what):
    probabilities, weights = model.read(what)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-5)
    assert not weights[what.words == 0].any()
    right = probabilities[np.arange(len(what)), what.answer]
    assert model.certainty(what) == pytest.approx(right.mean())
    assert model.accuracy(what) == np.mean(probabilities.argmax(axis=1) == what.answer)


def test_the_weights_of_the_parts_add_up_to_one(model, corpus):
    found = experiments.weight_on(model, corpus.held_out)
    assert list(found) == ["city", "kind", "example", "other"]
    assert np.allclose(sum(found.values()), 1)
    none = corpus.held_out.city < 0
    assert none.any()
    assert not found["city"][none].any()
    shares = experiments.shares(model, corpus.held_out)
    assert shares["kind"] == pytest.approx(found["kind"].mean(), abs=5e-4)


@pytest.mark.parametrize("part", ["city", "kind", "example", "filler"])
def test_hiding_takes_one_word_of_the_right_sort_out_of_each_sentence(part, corpus, what):
    hidden = experiments.hide(what, part, corpus)
    changed = hidden != what.words
    assert (changed.sum(axis=1) == 1).all()
    assert not hidden[changed].any()
    sorts = {
        "city": corpus.cities,
        "kind": corpus.kinds,
        "example": corpus.examples,
        "filler": corpus.fillers,
    }
    assert {corpus.vocabulary.words[i] for i in what.words[changed]} <= {*sorts[part]}


def test_sentences_grow_by_fillers_alone(corpus, what):
    longer = experiments.lengthen(what, 16, corpus)
    assert np.array_equal(longer[:, : what.words.shape[1]], what.words)
    added = longer[:, what.words.shape[1] :]
    assert added.shape == (len(what), 16)
    assert {corpus.vocabulary.words[i] for i in added.ravel()} <= {*corpus.fillers}


def test_a_score_is_the_one_that_makes_the_weights(model, corpus, what):
    scores = experiments.scores(model, corpus, asks="what")
    _, weights = model.read(what)
    city = [corpus.cities.index(what[i].words[what.city[i]]) for i in range(50)]
    kind = [corpus.kinds.index(what[i].words[what.kind[i]]) for i in range(50)]
    rows = np.arange(50)
    ratio = weights[rows, what.city[:50]] / weights[rows, what.kind[:50]]
    assert np.allclose(ratio, np.exp(scores["city"][city] - scores["kind"][kind]), rtol=1e-4)


@pytest.mark.parametrize("part", ["city", "kind"])
def test_a_word_that_is_never_seen_is_named_where_none_is_to_be_seen(corpus, what, part):
    """A model that looks at all words but one, and always answers that one's thing, names it."""
    names, answer = {"city": (corpus.cities, 4), "kind": (corpus.kinds, 1)}[part]

    def always_the_second(tables, ids, blank):
        numbers = torch.zeros(len(ids), 1, len(corpus.answers))
        numbers[:, :, answer] = 1.0
        words = ids != corpus.vocabulary.id(names[1])
        weights = (words & (ids != 0)).float()[:, None]
        return numbers, weights / weights.sum(dim=-1, keepdim=True)

    model = experiments.untrained(always_the_second, corpus)
    assert experiments.least_seen(model, what, part, corpus) == (names[1], 0.0, 1.0)


def test_runs_are_summed_up_by_name():
    means, spreads = experiments.over_runs([{"a": 0.1, "b": 1.0}, {"a": 0.4, "b": 0.0}])
    assert means == {"a": 0.25, "b": 0.5}
    assert spreads == {"a": (0.1, 0.4), "b": (0.0, 1.0)}


def test_watching_starts_before_training_and_ends_where_it_would_be(corpus, what, model):
    looks = experiments.watch(experiments.fill_in, corpus, what, 3, [0, 10, 40])
    assert looks.shape == (3, len(what[3].words))
    assert np.ptp(looks[0]) < 0.01
    _, weights = model.read(what)
    assert np.allclose(looks[-1], weights[3, : looks.shape[1]], atol=0.05)


def test_sentences_given_as_words_are_answered_as_those_of_the_corpus(model, corpus, what):
    probabilities, _ = model.read(what)
    best = [corpus.answers[i] for i in probabilities.argmax(axis=1)[:20]]
    assert experiments.answers(model, corpus, [what[i].words for i in range(20)]) == best


def test_muting_the_fillers_is_done_on_a_copy(model, corpus):
    before = model.tables.embedding.clone()
    muted = experiments.mute_fillers(model, corpus).tables.embedding
    filler, city = (corpus.vocabulary.id(word) for word in (corpus.fillers[0], corpus.cities[0]))
    assert torch.equal(model.tables.embedding, before)
    assert before[filler].any()
    assert not muted[filler].any()
    assert torch.equal(muted[city], before[city])


def test_the_right_kind_is_counted_whatever_the_city(corpus, what):
    def another_city(tables, ids, blank):
        """Always the first city's thing of the kind that the sentence names."""
        numbers = torch.zeros(len(ids), 1, len(corpus.answers))
        for i, kind in enumerate(corpus.kinds):
            named = (ids == corpus.vocabulary.id(kind)).any(dim=1)
            numbers[named, 0, i] = 1.0
        return numbers, torch.ones(len(ids), 1, ids.shape[1])

    model = experiments.untrained(another_city, corpus)
    assert experiments.right_kind(model, what, "city", corpus) == 1
    assert experiments.right_kind(model, what, "kind", corpus) < 0.5
    assert model.accuracy(what) < 0.5


def test_every_third_sentence_is_kept(corpus, what):
    kept = experiments.every_third(what, corpus)
    assert len(kept) == -(-len(what) // 3)
    assert [kept[i].words for i in range(3)] == [what[3 * i].words for i in range(3)]
    assert np.array_equal(kept.answer, what.answer[::3])


def test_the_bound_is_three_in_four_where_clues_come_both_ways(corpus):
    pairs = corpus.held_out.where(clues=2)
    sentences = list(pairs)
    first, then = sentences[0].answer, sentences[1].answer
    swapped = next(
        i for i in range(0, len(sentences), 2)
        if (sentences[i].answer, sentences[i + 1].answer) == (then, first)
    )  # fmt: skip
    both = [*sentences[:2], *sentences[swapped : swapped + 2]]

    def bound(chosen):
        made = corpora.BlankSentences(chosen, corpus.vocabulary, corpus.answers)
        return experiments.most_right(made)

    assert bound(both) == 0.75
    assert bound(sentences[:2]) == 1
    assert bound([*both, *both[:2]]) == 5 / 6
    assert 0.75 < experiments.most_right(pairs) < 1
