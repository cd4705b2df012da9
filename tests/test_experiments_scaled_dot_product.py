"""What lesson 2-2 and its labs measure with."""

import pytest
import torch

from attention_course import language
from attention_course.attention import scaled_dot_product_attention
from attention_course.lessons.scaled_dot_product import experiments


class Finder(experiments.Matrices):
    def forward(self, slips, drawers):
        query, key = slips @ self.W_query, drawers @ self.W_key
        weights = (query @ key.mT * self.scale).softmax(dim=-1)
        return (weights @ (drawers @ self.W_value)).squeeze(-2)


class Layer(torch.nn.Module):
    def __init__(self, width, d):
        super().__init__()
        self.made = torch.nn.ModuleList(torch.nn.Linear(width, d, bias=False) for _ in range(3))

    def forward(self, x):
        return scaled_dot_product_attention(*(matrix(x) for matrix in self.made))


def read(rows):
    """Rows of 34 as letters and numbers, with 16 for none."""
    return rows[..., :17].argmax(-1), rows[..., 17:].argmax(-1)


@pytest.mark.parametrize("game", experiments.GAMES)
def test_exactly_one_drawer_fits_the_slip_and_it_holds_the_answer(game):
    tables = experiments.held_out_tables(game, 50)
    letters, numbers = read(tables.drawers)  # (runs, tables, 8)
    letter, number = read(tables.slips)  # (runs, tables, 1)
    assert torch.equal(tables.drawers.sum(-1), torch.full(letters.shape, 2.0))
    if game == "number":
        fits, answers = numbers == number, letters
        assert (letter == 16).all()
    else:
        fits = letters == (letter + (game == "next letter")) % 16
        answers = numbers
        assert (number == 16).all()
    assert (fits.sum(-1) == 1).all()
    assert torch.equal(answers[fits].view(tables.answers.shape), tables.answers)


@pytest.mark.parametrize("game", experiments.GAMES)
def test_no_letter_and_no_number_stands_twice_on_a_table(game):
    for names in read(experiments.held_out_tables(game, 50).drawers):
        assert (names.sort(dim=-1).values.diff(dim=-1) > 0).all()


def test_an_unknown_game_is_named():
    with pytest.raises(ValueError, match="game: got 'chess', expected one of same letter"):
        experiments.lay_out("chess", 1, torch.Generator())


def test_tables_are_the_same_each_time():
    first, second = (experiments.held_out_tables("number", 3) for _ in range(2))
    assert torch.equal(first.drawers, second.drawers)


def test_the_first_queries_and_keys_have_variance_one():
    model, tables = Finder(d=64), experiments.held_out_tables("same letter", 100)
    for numbers in (tables.slips @ model.W_query, tables.drawers @ model.W_key):
        assert abs(numbers.var().item() - 1) < 0.1


def test_a_smaller_start_and_smaller_steps_are_the_division():
    d, training = 16, {"learning_rate": 3.0, "steps": 20, "optimizer": torch.optim.SGD}
    scaled, by_hand = Finder(d), Finder(d, scale=1.0, start=d**-0.5)
    experiments.fit(scaled, **training)
    experiments.fit(by_hand, **training, query_rate=1 / d)
    torch.testing.assert_close(by_hand.W_key, scaled.W_key, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(by_hand.W_query * d**0.5, scaled.W_query, atol=1e-4, rtol=1e-4)


def test_a_sweep_trains_a_fresh_model_for_each_learning_rate():
    made, training = [], {"steps": 3, "optimizer": torch.optim.SGD}

    def make(d, scale, start):
        made.append((d, scale, start))
        return Finder(d, scale, start)

    found = experiments.sweep(make, 8, [0.5, 3.0], scale=0.25, start=2.0, **training)
    assert made == [(8, 0.25, 2.0)] * 2
    expected = experiments.fit(Finder(8, 0.25, 2.0), learning_rate=3.0, **training)
    assert torch.equal(found[1], expected)


def test_one_matrix_is_one_matrix():
    model = Finder(d=8, one_matrix=True)
    assert model.W_query is model.W_key
    experiments.fit(model, "next letter", steps=2)
    assert model.W_query is model.W_key


@pytest.mark.parametrize("reader", language.LANGUAGES)
def test_the_lessons_own_pair_is_held_out(reader):
    language.use(reader)
    model = experiments.Reader(Layer)
    own = torch.from_numpy(model.vocabulary.encode([language.words("scaled_dot_product.sentence")]))
    assert len(model.learned_from) + len(model.held_out) == 1024
    assert len(model.held_out) == 128
    assert (model.held_out == own).all(-1).any()
    learned, kept = (
        {tuple(pair) for pair in ids[:, [experiments.ANIMAL, experiments.THING]].tolist()}
        for ids in (model.learned_from, model.held_out)
    )
    assert not learned & kept
    language.use("en")


@pytest.mark.parametrize("reader", language.LANGUAGES)
def test_the_examples_are_sentences_that_are_learned_from_with_their_answers(reader):
    language.use(reader)
    model, lines = experiments.Reader(Layer), experiments.examples()
    for sentence, answers in zip(lines[::2], lines[1::2], strict=True):
        words = sentence.split()
        ids = torch.from_numpy(model.vocabulary.encode([words]))
        assert (model.learned_from == ids).all(-1).any()
        assert answers.split() == [words[4], "→", f"{words[0]},", words[5], "→", words[2]]
    language.use("en")


def test_largest_difference_finds_a_wrong_factor():
    def right(query, key, value):
        return scaled_dot_product_attention(query, key, value)[0]

    def undivided(query, key, value):
        return scaled_dot_product_attention(query, key, value, scale=1.0)[0]

    assert experiments.largest_difference(right, right, cases=5) == 0
    assert experiments.largest_difference(right, undivided, cases=5) > 0.1


def test_results_are_kept_by_result_d_and_seed():
    found = experiments.for_each_d(lambda d, seed, times: [d * times, float(seed)], times=2)
    assert found.shape == (2, len(experiments.DIMS), experiments.SEEDS)
    assert found[0, :, 0].tolist() == [2.0 * d for d in experiments.DIMS]
    middle, low, high = experiments.band(found[1])
    assert (middle[0], low[0], high[0]) == (3.5, 0.0, 7.0)
