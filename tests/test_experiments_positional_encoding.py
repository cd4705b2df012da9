"""What lesson 3-2 and its lab measure with."""

import numpy as np
import pytest
import torch
from torch import nn

from attention_course.lessons.positional_encoding import experiments
from attention_course.positions import alibi_bias, sinusoidal_encoding


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_each_pair_bites_both_ways():
    words = experiments.sentences([(0, 3), (5, 2)]).tolist()
    bites, who = experiments.BITES, experiments.WHO
    assert words == [
        [0, bites, 3, who],
        [3, bites, 0, who],
        [5, bites, 2, who],
        [2, bites, 5, who],
    ]


class NamesTheFirst(nn.Module):
    """Always right, by no learning; a stand-in for a reader."""

    place = 0

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, words):
        named = words[:, [self.place]].expand_as(words)
        return nn.functional.one_hot(named, experiments.ANIMALS + 2) + 0.0 * self.unused


def test_accuracy_counts_the_biters_and_a_change_lasts_for_one_test_only():
    (run,) = experiments.who_bit(NamesTheFirst, seeds=1)
    assert run.held_out.shape == (44, 4)
    assert run.accuracy() == 1
    assert run.accuracy(place=2) == 0
    assert run.accuracy() == 1


def test_two_back_asks_for_the_word_two_places_before():
    words, wanted = experiments.two_back(5, 9)
    assert torch.equal(wanted[:, 2:], words[:, :-2])
    assert (wanted[:, :2] < 0).all()


def test_the_latest_is_the_last_animal_so_far():
    words, wanted = experiments.latest(20, 30)
    for row, answers in zip(words.tolist(), wanted.tolist(), strict=True):
        last = None
        for word, answer in zip(row, answers, strict=True):
            last = word if word != experiments.NOTHING else last
            assert answer == last
    assert 0.1 < (words != experiments.NOTHING).double().mean() < 0.35


class Echo(experiments.Parts):
    """Repeats each word, so that it is right where the latest animal stands."""

    def forward(self, words, positions, mask=None):
        return nn.functional.one_hot(words, experiments.NOTHING + 1)


def test_accuracy_has_a_row_a_reader_and_leaves_out_what_is_not_asked():
    readers = [Echo(experiments.Way()) for _ in range(2)]
    shares = experiments.accuracy(readers, "two_back", torch.arange(10))
    assert shares.shape == (2, 10)
    assert np.isnan(shares[:, :2]).all()
    assert np.abs(shares[:, 2:] - 1 / 8).max() < 0.1


def test_other_rows_leave_the_trained_readers_as_they_were():
    class Added(experiments.Way):
        rows = torch.zeros(4, 2)

    readers = [experiments.Parts(Added())]
    changed = experiments.with_rows(readers, torch.ones(4, 2))
    assert changed[0].way.rows.all()
    assert not readers[0].way.rows.any()


class Begins(experiments.Parts):
    """Reads each word by itself, and keeps where the texts began."""

    def __init__(self, way):
        super().__init__(way)
        self.begins = set()

    def forward(self, words, positions, mask=None):
        self.begins.add(int(positions[0]))
        return self.answer(self.words(words))


@pytest.mark.parametrize(("anywhere", "last"), [(False, 0), (True, 48)])
def test_texts_begin_at_0_or_anywhere_up_to_48(anywhere, last):
    (reader,) = experiments.train_readers(
        Begins, experiments.Way, "latest", begin_anywhere=anywhere, seeds=1
    )
    assert min(reader.begins) == 0
    assert max(reader.begins) == last


def test_a_way_is_made_anew_with_its_arguments_for_each_reader():
    class Named(experiments.Way):
        def __init__(self, name):
            super().__init__()
            self.name = name

    readers = experiments.train_readers(Begins, Named, "two_back", arguments=(7,), seeds=2)
    assert [reader.way.name for reader in readers] == [7, 7]
    assert readers[0].way is not readers[1].way
    assert not torch.equal(readers[0].words.weight, readers[1].words.weight)


def test_scores_of_a_given_word_or_of_a_random_one():
    reader, positions = experiments.Parts(experiments.Way()), torch.arange(4)
    scores = experiments.scores_of_one_word(reader, positions)
    assert scores.shape == (4, 4)
    assert torch.allclose(scores, scores[0, 0].expand(4, 4))
    nothing = experiments.scores_of_one_word(reader, positions, torch.zeros(experiments.WIDTH))
    assert not torch.allclose(nothing, scores)


def test_unevenness_is_zero_where_only_the_offset_counts():
    assert experiments.unevenness(alibi_bias(8, 12)[0]) == 0
    assert experiments.unevenness(torch.eye(5)) == 0
    assert experiments.unevenness(torch.arange(25.0).reshape(5, 5)) > 1


def test_one_matrix_moves_the_encoding_and_no_matrix_a_random_table():
    table = sinusoidal_encoding(100, 8).double().numpy()
    assert experiments.best_miss(table, k=7) < 1e-5
    assert experiments.best_miss(np.random.default_rng(1).normal(size=(100, 8)), k=7) > 1
