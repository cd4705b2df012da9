"""What lesson 4-4 measures with, and the model that it ships."""

import math

import pytest
import torch
from safetensors.torch import load_file

from attention_course import language, models
from attention_course.corpora.byte_pairs import BytePairs
from attention_course.corpora.python_source import python_source
from attention_course.lessons.gpt_from_scratch import experiments, pretrain
from attention_course.transformer import LanguageModel

TEXT = torch.arange(200) % 7


@pytest.fixture
def model():
    torch.manual_seed(0)
    return LanguageModel(12, 16, 2, 1, 24, pad_id=None).eval()


def knows_nothing(model):
    """The model, giving each token the same chance."""
    torch.nn.init.zeros_(model.output.weight)
    torch.nn.init.zeros_(model.output.bias)
    return model


@pytest.fixture(scope="module")
def shipped():
    return models.python_writer()


def test_a_batch_is_text_and_the_same_one_token_later():
    batch = experiments.batches(torch.arange(50), 8, 4)
    read, following = batch(1)
    assert read.shape == following.shape == (4, 8)
    assert torch.equal(read + 1, following)
    assert torch.equal(read, batch(1)[0])
    assert not torch.equal(read, batch(2)[0])


def test_every_row_of_a_text_can_be_drawn():
    batch = experiments.batches(torch.arange(10), 8, 50)
    assert set(batch(1)[0][:, 0].tolist()) == {0, 1}
    with pytest.raises(ValueError, match="tokens: got 8, expected more than length, 8"):
        experiments.batches(torch.arange(8), 8, 1)


def test_the_rate_rises_then_falls_to_a_twentieth():
    rate = experiments.falling(1000, 0.01)
    assert rate(25) == pytest.approx(0.005, rel=0.01)
    assert rate(51) > rate(500) > rate(1000) == pytest.approx(0.0005)


def test_a_model_that_knows_nothing_pays_the_logarithm_of_the_vocabulary(model):
    bits = experiments.bits_per_byte(knows_nothing(model), TEXT, num_bytes=199, length=16)
    assert bits == pytest.approx(math.log2(12))


@pytest.mark.parametrize("n", [2, 9, 16, 17, 24, 25, 100, 200])
def test_each_token_is_paid_once_whatever_the_length(model, n):
    """With the whole text in view there is one row, and its loss is what is to come out."""
    tokens = TEXT[:n]
    whole = experiments.bits_per_byte(model, tokens, n, length=256)
    nats = experiments.loss(model, (tokens[None, :-1], tokens[None, 1:])).item() * (n - 1)
    assert whole == pytest.approx(nats / math.log(2) / n, rel=1e-5)
    cut = experiments.bits_per_byte(knows_nothing(model), tokens, n, length=16)
    assert cut == pytest.approx(math.log2(12) * (n - 1) / n, rel=1e-5)


def test_in_rows_a_token_is_guessed_from_at_least_half_of_one(model):
    n, length = 40, 16
    total = 0.0
    for i in range(1, n):
        start = max(0, (i - 1) // 8 * 8 - 8)
        logits = model(TEXT[None, start:i])[0, -1]
        total -= logits.log_softmax(-1)[TEXT[i]].item()
    found = experiments.bits_per_byte(model, TEXT[:n], n, length)
    assert found == pytest.approx(total / math.log(2) / n, rel=1e-5)


def test_counts_are_probabilities_and_follow_their_formula():
    counts = experiments.Counts(4, 2).read([0, 1, 2, 0, 1, 3])
    for text in ([0, 1], [2, 0], [3, 3], [0]):
        chances = [counts.chance([*text, token], len(text)) for token in range(4)]
        assert sum(chances) == pytest.approx(1)
        assert min(chances) > 0
    # After 0 came 1 twice, one kind; alone it came 2 times in 6, 4 kinds.
    alone = (2 + 4 * 0.25) / (6 + 4)
    after_0 = (2 + alone) / (2 + 1)
    assert counts.chance([9, 0, 1], 2) == pytest.approx(after_0)
    assert experiments.Counts(4, 0).bits([1, 2, 3]) == 6


def test_counts_that_learn_pay_less_for_what_repeats():
    text = [0, 1, 2, 3] * 20
    fixed = experiments.Counts(4, 1).read([0, 1, 3, 2])
    before = fixed.bits(text)
    assert fixed.bits(text, learning=True) < before / 2
    assert fixed.bits(text) < before / 2


def test_compressors_use_what_stands_in_front():
    first, text = python_source(20_000, 5000).train, python_source(20_000, 5000).held_out
    for bits in (experiments.zlib_bits, experiments.lzma_bits):
        assert bits(text, text + first[:1000]) < bits(text) / 5
        assert bits(text, first) < bits(text) < 8 * len(text)


def test_a_short_training_learns(model):
    log = experiments.learn(
        model, TEXT, steps=60, length=16, batch_size=8, learning_rate=0.01, progress=False
    )
    assert log.losses[-1] < log.losses[0] / 2
    assert experiments.bits_per_byte(model, TEXT, 200, 16) < 1


def test_the_flow_ends_in_the_model_s_logits(model):
    passed = experiments.flow(model, TEXT[None, :9])
    assert list(passed) == ["tokens", "vectors", "layer_0", "logits"]
    torch.testing.assert_close(passed["logits"], model(TEXT[None, :9]))


def test_every_token_has_a_label():
    pairs = BytePairs.learn(python_source(50_000, 1000).train, 300)
    labels = experiments.labels(pairs)
    assert len(labels) == len(set(labels)) == 300
    assert all(labels)
    assert labels[ord("a")] == "a"
    assert labels[0xFF] == r"\xff"


def test_after_a_text_come_the_logits_of_its_last_place(model):
    pairs = BytePairs([])
    model = LanguageModel(256, 16, 2, 1, 24, pad_id=None).eval()
    found = experiments.after(model, pairs, ["a b", "cd"])
    assert found.shape == (2, 256)
    torch.testing.assert_close(found[1], model(torch.tensor([[99, 100]]))[0, -1])


# --- The model that the book ships ----------------------------------------------------------------


def test_the_shipped_model_is_small_and_in_half_precision():
    file = models.path("python_source")
    assert file.stat().st_size < 1_000_000
    assert {value.dtype for value in load_file(file).values()} == {torch.float16}


def test_the_card_is_of_this_code(shipped):
    model, pairs = shipped
    card = models.card("python_source")
    assert card["sizes"] == pretrain.SIZES
    assert card["run"] == {**pretrain.RUN, "steps": pretrain.STEPS}
    assert card["parameters"] == sum(p.numel() for p in model.parameters())
    assert card["command"] == f"python -m {pretrain.__name__}"
    assert len(pairs) == pretrain.SIZES["vocab_size"] == len(set(pairs.tokens))


def test_the_shipped_model_scores_on_a_fixed_text_what_its_card_says(shipped):
    card = models.card("python_source")
    found = pretrain.score(*shipped, pretrain.FIXED_TEXT)
    assert found == pytest.approx(card["bits per byte, fixed text"], abs=0.005)
    other = pretrain.new_model().eval()
    assert pretrain.score(other, shipped[1], pretrain.FIXED_TEXT) > found + 1


def test_on_the_library_that_runs_it_is_about_as_good_as_on_its_card(shipped):
    """Another Python has another library, in which the same files are held out."""
    card = models.card("python_source")
    said = card["bits per byte, held out"]["this model"]
    text = python_source(10_000, card["held out"]["bytes"]).held_out
    same = python_source(1, 10**6).version == card["python"]
    assert pretrain.score(*shipped, text) == pytest.approx(said, abs=0.02 if same else 0.3)


def test_a_fresh_training_is_on_the_curve_of_the_log():
    card = models.card("python_source")
    log = card[f"loss, mean of each {pretrain.EACH} steps"]
    assert len(log) == pretrain.STEPS // pretrain.EACH
    assert log[0] > log[5] > log[-1]
    source = python_source(pretrain.TRAIN_BYTES, pretrain.HELD_OUT_BYTES)
    _, pairs, losses = pretrain.run(source, pretrain.EACH)
    same = source.version == card["python"]
    if same:
        assert [list(pair) for pair in pairs.merges] == card["merges"]
    assert pretrain.means(losses) == pytest.approx(log[:1], abs=0.03 if same else 0.2)


def test_the_table_has_words_for_every_rival():
    for edition in language.LANGUAGES:
        rivals = language.words("gpt_from_scratch.rivals", edition)
        assert set(rivals["who"]) == set(rivals["read"]) == set(rivals["remembers"])


def test_a_token_is_guessed_from_half_a_row_to_a_row(model):
    """Rows of 16 that move on by 8: tokens up to 16 see token 0, token 17 sees tokens 8 to 16."""
    length, n = 16, 40
    other = TEXT[:n].clone()
    other[0] = 11

    def cost(tokens, end):
        return experiments.bits_per_byte(model, tokens[:end], 1, length)

    def paid(tokens, i):
        return cost(tokens, i + 1) - cost(tokens, i)

    moved = [abs(paid(TEXT, i) - paid(other, i)) > 1e-5 for i in range(2, n)]
    seen = [i for i, each in enumerate(moved, start=2) if each]
    assert seen == list(range(2, length + 1))


def test_what_the_page_says_of_sizes():
    ours = LanguageModel(512, 64, 4, 2, 256, pad_id=None)
    assert round(sum(p.numel() for p in ours.parameters()) / 175e9 * 1e6) == 1
    assert models.card("python_source")["train"]["bytes"] == 6_000_000


def test_no_token_reaches_over_the_end_of_a_word():
    pieces = BytePairs.learn(python_source(500_000, 1).train, 512)
    for token in pieces.tokens[256:]:
        word = any(chr(byte).isalpha() for byte in token)
        assert not (word and set(token) & set(b"._()")), token


def test_little_of_the_page_s_held_out_text_is_in_what_only_the_shipped_model_read():
    def paragraphs(text):
        return {each.strip() for each in text.split(b"\n\n") if len(each.strip()) >= 60}

    source, card = python_source(), models.card("python_source")
    if source.version != card["python"]:
        pytest.skip("the card is of another Python")
    read = paragraphs(python_source(card["train"]["bytes"]).train)
    again = sum(len(each) for each in paragraphs(source.held_out) & read)
    assert 0 < again < 0.01 * len(source.held_out)
