"""What lesson 1 measures with."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from attention_course.attention import MultiHeadAttention, causal_mask
from attention_course.lessons.why_transformers import experiments, race


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def generator():
    return torch.Generator().manual_seed(3)


@pytest.mark.parametrize("distance", experiments.DISTANCES)
def test_the_item_is_the_only_one_and_so_far_from_the_question(distance):
    words, items = experiments.recall(distance)(20, generator())
    assert words.shape == (20, experiments.LENGTH, 1)
    for row, item in zip(words[:, :, 0].tolist(), items.tolist(), strict=True):
        assert row[-1] == experiments.ASK
        assert [i for i, word in enumerate(row) if word < experiments.ITEMS] == [63 - distance]
        assert row[63 - distance] == item


def test_the_latest_is_the_last_item():
    words, items = experiments.latest(30, generator())
    for row, item in zip(words[:, :, 0].tolist(), items.tolist(), strict=True):
        found = [word for word in row if word < experiments.ITEMS]
        assert found[-1] == item
        assert len(found) > 1


@pytest.mark.parametrize("pairs", experiments.PAIRS)
def test_the_name_that_is_asked_for_stood_with_the_item(pairs):
    words, items = experiments.look_up(pairs)(30, generator())
    assert words.shape == (30, pairs + 1, 2)
    for row, item in zip(words.tolist(), items.tolist(), strict=True):
        known, (name, ask) = dict(row[:-1]), row[-1]
        assert len(known) == pairs, "no name comes twice"
        assert ask == experiments.ASK
        assert known[name] == item


def test_asked_first_is_the_same_question_before_the_pairs():
    last, items = experiments.look_up(3)(20, generator())
    first, same = experiments.look_up(3, asked_first=True)(20, generator())
    assert torch.equal(items, same)
    assert torch.equal(first[:, 0], last[:, -1])
    assert torch.equal(first[:, 1:], last[:, :-1])


def test_the_sentences_kept_for_the_test_are_never_learned_from_and_ask_for_every_item():
    task = experiments.look_up(2)
    old, new = (
        {
            (tuple(words.flatten().tolist()), item.item())
            for words, item in zip(*sentences(20_000, generator()), strict=True)
        }
        for sentences in (experiments.of_two_kinds(task, new=new) for new in (False, True))
    )
    assert not old & new
    assert len(old | new) > 0.9 * 7168
    assert len(new) == pytest.approx(7168 / 5, rel=0.1)
    assert {item for _, item in old} == {item for _, item in new} == set(range(8))


def test_the_items_alone_answer_as_often_as_their_number_tells():
    """Of two items one is right: both if they are alike, one time in eight; else one in two."""
    assert experiments.items_alone(2) == pytest.approx(1 / 8 + 7 / 8 / 2, abs=0.01)
    shares = [experiments.items_alone(pairs) for pairs in experiments.PAIRS]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] == pytest.approx(0.32, abs=0.01)


def test_the_networks_are_of_one_size_and_give_a_number_for_each_item():
    sizes = [experiments.parameters_of(name) for name in experiments.MODELS]
    for make in experiments.MODELS.values():
        model = make()
        for task in (experiments.recall(2), experiments.look_up(2)):
            assert model(task(5, generator())[0]).shape == (5, experiments.ITEMS)
    assert max(sizes) < 1.05 * min(sizes)


def test_attention_without_places_knows_no_order():
    words, _ = experiments.recall(9)(4, generator())
    shuffled = words[:, [*torch.randperm(63).tolist(), 63]]
    for name, same in (("unordered", True), ("attention", False)):
        model = experiments.MODELS[name]()
        assert torch.allclose(model(words), model(shuffled), atol=1e-5) == same


def test_the_log_has_every_model_on_every_task():
    log = experiments.race()
    assert set(log) == set(experiments.MODELS)
    for name, tasks in log.items():
        assert set(tasks) == set(race.settings_of(name))
        for entry in tasks.values():
            assert len(entry["accuracies"]) == len(race.REPORT)
            assert [float(rate) for rate in entry["tried"]] == list(experiments.RATES)
            assert entry["learning_rate"] in experiments.RATES
    assert experiments.raced("gru").shape == (5, 5)
    assert json.dumps(log, allow_nan=False)


@pytest.mark.parametrize(
    ("model", "task"), [("attention", "62"), ("attention", "4 pairs"), ("lstm", "2 pairs")]
)
def test_a_run_gives_what_the_log_says(model, task):
    """On another machine the last digits of a run differ, and with them a few answers."""
    entry = experiments.race()[model][task]
    setting = race.settings_of(model)[task]._asdict()
    found = experiments.run(model, learning_rate=entry["learning_rate"], seed=0, **setting)
    assert found.accuracy == pytest.approx(entry["accuracies"][0], abs=0.15)


def test_what_a_layer_costs():
    n, d = 12, experiments.WIDTH
    convolution, recurrent, attention = (experiments.costs(name, n) for name in experiments.LAYERS)
    assert convolution[:3] == (3 * n * d * d, 1, n - 1)
    assert recurrent[:3] == (2 * n * d * d, n, n - 1)
    assert attention[:3] == (4 * n * d * d + 2 * n * n * d, 1, 1)
    assert attention.kept > recurrent.kept > 0


def test_the_text_holds_sentences_without_a_blank():
    learn, held_out, words = experiments.text()
    assert max(learn.max(), held_out.max()) == words - 1
    known = {tuple(row) for row in learn.tolist()}
    assert not known & {tuple(row) for row in held_out.tolist()}


class Looks(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.look = nn.Embedding(9, 8), MultiHeadAttention(8, 2)

    def forward(self, words, mask=None):
        return self.look(self.embedding(words), mask=mask)[0]


def test_moved_sees_what_a_mask_hides_and_what_it_does_not():
    words = torch.tensor([[3, 1, 4, 2, 5]])
    assert torch.equal(experiments.moved(Looks(), words, causal_mask(5)), causal_mask(5))
    assert experiments.moved(Looks(), words).all()


def test_without_the_mask_the_next_word_is_copied():
    """What the quiz says of it: the answer is one of the words that are seen."""
    words = torch.randint(1, 9, (200, 6))  # of which no word follows from those before it
    named = {}
    for name, mask in (("seen", None), ("hidden", causal_mask(5))):
        torch.manual_seed(0)
        stack = Ordered()
        experiments.train_stack(stack, words, following, mask)
        named[name] = experiments.named(stack, torch.randint(1, 9, (200, 6)), following, mask)
    assert named["seen"] > 0.6 > 0.3 > named["hidden"]


def following(words):
    return words[:, :-1], words[:, 1:]


def test_only_words_that_are_wanted_count():
    def first(words):
        return words, torch.cat([words[:, :1], torch.zeros_like(words[:, 1:])], dim=1)

    words = torch.tensor([[3, 1], [2, 1]])
    assert experiments.named(lambda seen, mask: nn.functional.one_hot(seen), words, first) == 1


def test_a_sentence_is_spelled():
    _, held_out, words = experiments.text()
    said = experiments.spelled(held_out[0])
    assert held_out[0].tolist()[-1] == 0
    assert said[-1] == ""
    assert "Beijing" in said
    assert experiments.spelled(torch.tensor([words])) == ["▢"]
    assert 0 < experiments.commonest(held_out) < 0.2


def test_a_stack_guesses_at_every_word():
    stack = experiments.Stack(lambda width: Nothing(), 9)
    assert stack(torch.tensor([[3, 1, 4]])).shape == (1, 3, 9)


class Nothing(nn.Module):
    def forward(self, x, mask=None):
        return x


class Ordered(nn.Module):
    """One attention over words and places, big enough to copy from the next place."""

    def __init__(self):
        super().__init__()
        self.embedding, self.place = nn.Embedding(9, 32), nn.Parameter(torch.randn(5, 32))
        self.look, self.guess = MultiHeadAttention(32, 4), nn.Linear(32, 9)

    def forward(self, words, mask=None):
        return self.guess(self.look(self.embedding(words) + self.place, mask=mask)[0])


def test_raced_is_a_table():
    assert np.all(experiments.raced("rnn", [4, "latest"]) > 0.9)


def test_a_band_is_mean_lowest_and_highest():
    assert [part.tolist() for part in experiments.band(np.array([[0.5, 0.0, 1.0]]))] == [
        [0.5],
        [0.0],
        [1.0],
    ]


@pytest.mark.parametrize(("model", "by"), [("lstm_open", 1.0), ("lstm_wide", 5.0)])
def test_an_lstm_that_starts_open_keeps_more(model, by):
    torch.manual_seed(0)
    closed = experiments.MODELS["lstm"]()
    torch.manual_seed(0)
    opened = experiments.MODELS[model]()
    added = opened.read.bias_ih_l0 - closed.read.bias_ih_l0
    input_gate, forget_gate, cell, output_gate = added.detach().chunk(4)
    assert torch.allclose(forget_gate, torch.full((20,), by))
    assert not torch.stack([input_gate, cell, output_gate]).any()
