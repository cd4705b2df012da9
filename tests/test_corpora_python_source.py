"""Python's own source as text to learn from and to test on, and its tokens."""

import itertools
import re

import pytest

from attention_course.corpora.byte_pairs import BytePairs, merge
from attention_course.corpora.python_source import HELD_OUT, SHORTEST, _place, python_source


@pytest.fixture(scope="module")
def source():
    return python_source(300_000, 60_000)


@pytest.fixture
def library(tmp_path):
    """A folder with files on both sides; returns it and a function that writes a file there."""

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    for i in range(40):
        write(f"file{i}.py", f"# file {i}\n\nvalue_{i} = {i}\n")
    return tmp_path, write


def on_side(held_out, start="name"):
    """The name of a file of this side."""
    names = (f"{start}{i}.py" for i in range(1000))
    return next(name for name in names if (_place(name) < HELD_OUT) == held_out)


def test_sizes_are_kept_and_no_file_is_on_both_sides(source):
    assert (len(source.train), len(source.held_out)) == (300_000, 60_000)
    assert not set(source.train_files) & set(source.held_out_files)
    assert all(_place(name) >= HELD_OUT for name in source.train_files)
    assert all(_place(name) < HELD_OUT for name in source.held_out_files)


def test_the_choice_is_the_same_each_time_and_more_text_only_adds_files(source):
    assert python_source(300_000, 60_000) == source
    more = python_source(600_000, 60_000)
    assert more.train.startswith(source.train)
    assert more.train_files[: len(source.train_files)] == source.train_files


def test_no_paragraph_of_the_held_out_text_is_in_the_training_text(source):
    def paragraphs(text):
        return {p.strip() for p in text.split(b"\n\n") if len(p.strip()) >= SHORTEST}

    assert len(paragraphs(source.held_out)) > 100
    assert not paragraphs(source.train) & paragraphs(source.held_out)


def test_a_paragraph_in_two_files_is_dropped_from_the_held_out_one(library):
    folder, write = library
    shared = "def shared():\n    return " + " + ".join(["something_long"] * 6)
    write(on_side(False), f"a = 1\n\n{shared}\n\nb = 2\n")
    write(on_side(True), f"c = 3\n\n{shared}\n\nd = 4\n")
    found = python_source(10**6, 10**6, folder)
    assert shared.encode() in found.train
    assert b"shared" not in found.held_out
    assert b"c = 3" in found.held_out


@pytest.mark.parametrize("name", ["test/a.py", "json/tests/b.py", "_sysconfigdata__x.py",
                                  "site-packages/c.py", "config-3.13-x/d.py"])  # fmt: skip
def test_tests_and_what_the_machine_wrote_are_left_out(library, name):
    folder, write = library
    write(name, "left_out = True\n")
    found = python_source(10**6, 10**6, folder)
    assert b"left_out" not in found.train + found.held_out


@pytest.mark.parametrize("where", ["empty", "missing"])
def test_a_library_without_source_is_named(tmp_path, where):
    folder = tmp_path / where
    if where == "empty":
        folder.mkdir()
    with pytest.raises(FileNotFoundError, match=rf"{where}.* with 0 files of source, expected"):
        python_source(folder=folder)


@pytest.mark.parametrize("name", ["train_bytes", "held_out_bytes"])
def test_sizes_are_positive(name):
    with pytest.raises(ValueError, match=f"{name}: got 0"):
        python_source(**{name: 0})


def test_decoded_tokens_are_the_text(source):
    pairs = BytePairs.learn(source.train[:50_000], 300)
    for text in (source.held_out, "naïve 注意力\r\n\t x  y\0".encode(), bytes(range(256)), b""):
        assert pairs.decode(pairs.encode(text)) == text
    assert len(pairs) == 300
    assert len(pairs.encode(source.held_out)) < len(source.held_out)


def test_the_first_merge_is_the_most_frequent_pair():
    pairs = BytePairs.learn(b"self.set(self.get())", 258)
    assert pairs.tokens[256] == b"se"
    assert pairs.merges[0] == (ord("s"), ord("e"))


def test_learning_does_what_counting_anew_after_each_merge_does():
    text = b"a aa aaa abab abab baba self.selfish see the these\n    theses"
    pairs = BytePairs.learn(text, 270)
    pieces = re.findall(rb" ?[a-z]+|\n *|\.", text)
    assert b"".join(pieces) == text
    told = [list(piece) for piece in pieces]
    for new, best in enumerate(pairs.merges, start=256):
        counts = {}
        for tokens in told:
            for pair in itertools.pairwise(tokens):
                counts[pair] = counts.get(pair, 0) + 1
        assert counts[best] == max(counts.values())
        told = [merge(tokens, best, new) for tokens in told]
    assert pairs.encode(text).tolist() == [token for tokens in told for token in tokens]


def test_no_token_reaches_over_a_piece():
    pairs = BytePairs.learn(b"a b a b a b a b", 400)
    assert len(pairs) < 400
    assert set(pairs.tokens[256:]) <= {b" a", b" b"}


def test_wrong_arguments_are_named():
    with pytest.raises(TypeError, match="text: got 'text'"):
        BytePairs.learn("text", 300)
    with pytest.raises(ValueError, match="vocab_size: got 255"):
        BytePairs.learn(b"text", 255)
    with pytest.raises(TypeError, match="text: got 'text'"):
        BytePairs([]).encode("text")
    with pytest.raises(ValueError, match=r"merges: got \(256, 1\), expected tokens below 256"):
        BytePairs([(256, 1)])


def test_a_character_cut_in_two_can_be_printed():
    pairs = BytePairs([])
    assert pairs.shown(pairs.encode("é".encode())[:1]) == "\ufffd"
