"""What lesson 3-3 and its lab measure with."""

import pytest
import torch
from torch.nn import functional as F

from attention_course.attention import scaled_dot_product_attention
from attention_course.lessons.multi_head import experiments

NEIGHBOURS = ("left", "right")
ALL = (*experiments.STEPS, experiments.KIN)


def look(model, animals):
    x = model.vectors(animals)
    matrices = (model.W_query, model.W_key, model.W_value)
    return scaled_dot_product_attention(*(model.by_head(x @ W) for W in matrices))


class Reader(experiments.Parts):
    def forward(self, animals):
        heads, _ = look(self, animals)
        return self.answer(self.join(self.on * heads) @ self.W_output)


class Told(experiments.Parts):
    """Three heads: one knows the left neighbour, one the right one, and one nothing.

    Which of them knows nothing differs from run to run: head ``run % 3``; the next one knows the
    left.
    """

    def forward(self, animals):
        knows = torch.stack([animals.roll(1, -1), animals.roll(-1, -1)], dim=-1)
        scores = F.one_hot(knows, experiments.ANIMALS).float()  # (runs, tables, 8, 2, 16)
        runs = torch.arange(experiments.RUNS)
        on = self.on.flatten(1)  # (runs, heads)
        of_each = torch.stack([on[runs, (runs + 1 + i) % 3] for i in range(2)], dim=-1)
        return scores * of_each[:, None, None, :, None]


@pytest.fixture(scope="module")
def reader():
    """Two heads, trained a little: it answers better than chance, and not all."""
    return experiments.fit(Reader(2, NEIGHBOURS), steps=60, tables=16)


def test_at_each_table_sit_two_different_animals_of_each_kind():
    tables = experiments.held_out_tables(ALL, 50)
    assert tables.animals.shape == (experiments.RUNS, 50, experiments.SEATS)
    alone = tables.animals.sort(dim=-1).values
    assert (alone.diff(dim=-1) > 0).all()
    kinds = alone // experiments.MEMBERS
    assert torch.equal(kinds, torch.arange(experiments.KINDS).repeat_interleave(2).expand_as(kinds))


def test_who_sits_where_is_all_there_is_to_know():
    """All animals come up at all seats: nothing can be guessed from the seat or from the kind."""
    tables = experiments.held_out_tables(NEIGHBOURS, 300)
    for seat in range(experiments.SEATS):
        counts = tables.animals[..., seat].flatten().bincount(minlength=experiments.ANIMALS)
        assert counts.min() > 0.6 * counts.double().mean()


@pytest.mark.parametrize(("question", "step"), experiments.STEPS.items())
def test_a_neighbour_is_so_many_seats_further_on_round_the_table(question, step):
    tables = experiments.held_out_tables((question,), 20)
    assert torch.equal(tables.answers[..., 0], tables.animals.roll(-step, dims=-1))


def test_the_relative_is_the_other_animal_of_the_kind():
    tables = experiments.held_out_tables((experiments.KIN,), 50)
    relative = tables.answers[..., 0]
    assert (relative != tables.animals).all()
    assert torch.equal(relative // experiments.MEMBERS, tables.animals // experiments.MEMBERS)


def test_an_unknown_question_is_named():
    with pytest.raises(ValueError, match="questions: got 'above', expected one of left, right"):
        experiments.lay(("left", "above"), 1, torch.Generator())


def test_tables_are_the_same_each_time_and_three_sets_of_their_own():
    def animals(lay):
        return lay(NEIGHBOURS, 5).animals

    held_out, chosen = experiments.held_out_tables, experiments.tables_to_choose_by
    assert torch.equal(animals(held_out), animals(held_out))
    trained = experiments.lay(NEIGHBOURS, 5, torch.Generator().manual_seed(0)).animals
    assert not torch.equal(animals(held_out), animals(chosen))
    assert not torch.equal(animals(held_out), trained)
    assert not torch.equal(animals(chosen), trained)


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters()) // experiments.RUNS


def test_parameters_are_counted_by_the_width_of_all_heads():
    counts = {parameters(Reader(heads, NEIGHBOURS)) for heads in (1, 2, 8, 32)}
    assert counts == {4 * 32 * 32 + 16 * 32 + 32 * 2 * 16}
    half = Reader(1, NEIGHBOURS, width=16)
    assert parameters(half) == counts.pop() - 4 * 32 * 16
    with_feed_forward = Reader(1, NEIGHBOURS, width=16, hidden=32)
    assert parameters(with_feed_forward) == parameters(Reader(2, NEIGHBOURS))


def test_each_head_has_columns_side_by_side():
    model, x = Reader(4, NEIGHBOURS, width=8), torch.randn(5, 3, 8, 8)
    heads = model.by_head(x)
    assert heads.shape == (5, 3, 4, 8, 2)
    assert torch.equal(heads[:, :, 1], x[..., 2:4])
    assert torch.equal(model.join(heads), x)


def test_runs_do_not_mix():
    model = Reader(2, NEIGHBOURS)
    animals = experiments.held_out_tables(NEIGHBOURS, 3).animals
    before = model(animals).detach()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter[1] = 0.5
    changed = (model(animals) != before).flatten(1).any(dim=1)
    assert changed.tolist() == [False, True, False, False, False]


def test_another_seed_is_another_start():
    first, again, other = (Reader(2, NEIGHBOURS, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.W_query, again.W_query)
    assert not torch.equal(first.W_query, other.W_query)
    assert not torch.equal(first.W_query[0], first.W_query[1])


def test_one_head_learns_one_look_up():
    model = experiments.fit(Reader(1, ("left",)), steps=150, tables=16)
    assert experiments.accuracy(model).min() > 0.9


def test_accuracy_is_the_share_of_right_answers():
    model = Told(3, NEIGHBOURS)
    assert torch.equal(experiments.accuracy(model), torch.ones(5, 2, dtype=torch.double))
    without = experiments.accuracy(model, off=[1])  # head 1: left in run 0, nothing in run 1
    assert without[0, 0] < 0.2
    assert without[0, 1] == 1
    assert (without[1] == 1).all()


def test_heads_are_on_again_after_a_test_also_one_that_fails(reader):
    experiments.accuracy(reader, off=[0])
    assert reader.on.all()
    with pytest.raises(IndexError):
        experiments.accuracy(reader, off=[2])
    with pytest.raises(RuntimeError), experiments.switched(reader, torch.zeros(7, 7, 7)):
        reader(experiments.held_out_tables(NEIGHBOURS, 1).animals)
    assert reader.on.all()


def test_where_a_head_looks_is_measured_at_the_seat_of_the_answer():
    def at_the_left(model, animals):
        weights = torch.eye(experiments.SEATS).roll(-1, dims=1)  # seat 1 looks at seat 0
        return None, weights.expand(*animals.shape[:2], 2, -1, -1)

    shares = experiments.looks_at(Reader(2, NEIGHBOURS), at_the_left)
    assert torch.equal(shares, torch.tensor([1.0, 0.0]).double().expand(5, 2, 2))


def test_what_a_picker_shows_adds_up_to_the_reader_s_answer(reader):
    names, weights, scores, animals, questions, places = experiments.at_a_table(reader, look, run=3)
    table = experiments.held_out_tables(NEIGHBOURS, 1)
    torch.testing.assert_close(scores.sum(dim=0), reader(table.animals)[3, 0].detach())
    assert names == [animals[i] for i in table.animals[3, 0]]
    assert weights.shape == (2, 8, 8)
    assert len(questions) == 2
    assert torch.equal(places, table.places[3, 0])
    assert reader.on.all()


def test_the_least_important_head_goes_first_in_each_run():
    model = Told(3, NEIGHBOURS)
    order = experiments.order_by_importance(model)
    assert order[:, 0].tolist() == [0, 1, 2, 0, 1]
    assert torch.equal(order.sort(dim=1).values, torch.arange(3).expand(5, 3))
    assert model.on.all()


def test_importance_is_measured_anew_when_a_head_has_gone(reader):
    """Of twins one may go; the other one is then needed, and a head of the other pair is next."""
    order = experiments.order_by_importance(experiments.with_twins(reader))
    assert (order[:, 0] % 2 != order[:, 1] % 2).all()


def test_accuracy_falls_as_the_heads_that_know_go():
    model = Told(3, NEIGHBOURS)
    best_last = experiments.accuracy_as_heads_go(model, experiments.order_by_importance(model))
    assert best_last.shape == (4, 5)
    assert (best_last[:2] == 1).all()
    assert ((best_last[2] > 0.5) & (best_last[2] < 0.6)).all()  # one question known, one guessed
    assert (best_last[3] < 0.2).all()
    best_first = experiments.order_by_importance(model).flip(1)
    assert (experiments.accuracy_as_heads_go(model, best_first)[1] < 0.6).all()


def test_orders_by_lot_hold_each_head_once():
    model = Reader(8, NEIGHBOURS)
    first, second = (experiments.random_order(model, seed=seed) for seed in range(2))
    assert torch.equal(first.sort(dim=1).values, torch.arange(8).expand(5, 8))
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])


def test_without_switches_off_the_first_of_each_order():
    model = Reader(4, NEIGHBOURS)
    order = torch.tensor([[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 3, 0, 1], [0, 2, 1, 3]])
    on = experiments.without(model, order, 1)
    assert on.shape == model.on.shape
    off = (on.flatten(1) == 0).nonzero()[:, 1]
    assert off.tolist() == order[:, 0].tolist()
    assert experiments.without(model, order, 4).sum() == 0


def test_a_head_that_is_off_does_not_learn(reader):
    model = Reader(2, NEIGHBOURS)
    before = model.W_query.detach().clone()
    with experiments.switched(model, experiments.without(model, torch.zeros(5, 1).long(), 1)):
        experiments.fit(model, steps=3)
    changed = (model.W_query != before).flatten(0, 2).any(dim=0)
    assert changed.tolist() == [False] * 16 + [True] * 16


def test_falls_are_those_without_one_head_and_without_two(reader):
    model = Told(3, NEIGHBOURS)
    fallen = experiments.falls(model)
    assert torch.equal(fallen, fallen.mT)
    for run in range(5):
        nothing, left, right = run % 3, (run + 1) % 3, (run + 2) % 3
        assert fallen[run, nothing, nothing] == 0
        assert 0.4 < fallen[run, left, left] < 0.5
        assert fallen[run, nothing, right] == fallen[run, right, right]
        assert fallen[run, left, right] > 0.8


def test_twins_stand_in_for_each_other(reader):
    twins = experiments.with_twins(reader)
    animals = experiments.held_out_tables(NEIGHBOURS, 5).animals
    torch.testing.assert_close(twins(animals), reader(animals))
    fallen, of_one = experiments.falls(twins), experiments.falls(reader)
    for head in range(2):
        torch.testing.assert_close(fallen[:, head, head + 2], of_one[:, head, head])
        assert (fallen[:, head, head] < of_one[:, head, head]).all()


def test_the_best_rate_is_that_of_the_readers_that_answer_best():
    model = Reader(1, ("left",))
    before = model.W_query.detach().clone()
    best = experiments.fit_at_best_rate(model, (1e-6, 1e-2), steps=40, tables=8)
    assert torch.equal(model.W_query, before)
    alone = experiments.fit(model, learning_rate=1e-2, steps=40, tables=8)
    assert torch.equal(best.W_query, alone.W_query)
