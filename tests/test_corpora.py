"""The fill-in-the-blank corpus: true to its promises in both languages."""

from functools import cache

import numpy as np
import pytest

from attention_course import corpora, language
from attention_course.corpora import Vocabulary


@pytest.fixture(params=["en", "zh"], autouse=True)
def reader(request):
    language.use(request.param)
    yield request.param
    language.use("en")


@cache
def made(code, examples):
    """The corpus in a language; the tests only read it."""
    return corpora.fill_in_the_blank(examples=examples)


@pytest.fixture(params=[False, True], ids=["plain", "with-example"])
def corpus(request, reader):
    return made(reader, request.param)


@pytest.fixture
def plain(reader):
    return made(reader, False)


def facts():
    source = language.words("corpora")
    return {
        (city["name"], kind): tuple(fact)
        for city in source["cities"]
        for kind, fact in zip(source["kinds"], city["facts"], strict=True)
    }


def test_every_fact_has_an_answer_and_an_example_of_its_own():
    named = [name for fact in facts().values() for name in fact]
    assert len(set(named)) == len(named) == 64
    blanks = language.words("corpora.blanks")
    assert {*blanks} == {"what", "else"}
    assert not [name for name in named if name in blanks.values()]


def clues(sentence, corpus):
    """The words of the sentence that tell something, the blank among them."""
    telling = {*corpus.cities, *corpus.kinds, *corpus.examples, *corpus.blanks.values()}
    return [each for each in sentence.words if each in telling]


def said(sentence, place):
    return None if place is None else sentence.words[place]


def test_each_sentence_tells_a_fact(corpus):
    known = facts()
    example_of = {example: answer for answer, example in known.values()}
    for sentence in [*corpus.train, *corpus.held_out]:
        city, kind, example, blank = (
            said(sentence, place)
            for place in (sentence.city, sentence.kind, sentence.example, sentence.blank)
        )
        assert blank == corpus.blanks[sentence.asks]
        if sentence.asks == "what":
            assert sentence.answer == known[city, kind][0]
        else:
            assert sentence.answer == example_of[example]
        # Nothing but these words tells the answer, and the answer itself is not said.
        told = [each for each in (city, kind, example, blank) if each is not None]
        assert sorted(clues(sentence, corpus)) == sorted(told)
        assert sentence.answer not in sentence.words
        assert sentence.clues == (city is not None) + (example is not None)


def test_the_other_clue_is_about_another_city(plain):
    city_of = {example: city for (city, _), (_, example) in facts().items()}
    for sentence in plain.train.where(clues=2):
        assert city_of[said(sentence, sentence.example)] != said(sentence, sentence.city)


def test_an_example_beside_the_blank_gives_the_answer_away(reader):
    known = facts()
    for sentence in made(reader, True).train:
        assert sentence.asks == "what"
        place = sentence.words[sentence.city], sentence.words[sentence.kind]
        assert said(sentence, sentence.example) == known[place][1]


def test_sentences_with_two_clues_come_in_pairs_that_differ_in_the_blank_alone(plain):
    for sentences in (plain.train, plain.held_out):
        two = list(sentences.where(clues=2))
        for what, other in zip(two[::2], two[1::2], strict=True):
            assert (what.asks, other.asks) == ("what", "else")
            differ = [
                i
                for i, pair in enumerate(zip(what.words, other.words, strict=True))
                if len({*pair}) > 1
            ]
            assert differ == [what.blank] == [other.blank]
            assert what.answer != other.answer


def test_held_out_are_new_combinations_of_seen_facts_and_seen_wordings(corpus):
    def wording(sentence):
        fixed = (sentence.city, sentence.kind, sentence.example)
        return tuple("·" if i in fixed else each for i, each in enumerate(sentence.words))

    def fact(sentence):
        named = (sentence.city, sentence.kind) if sentence.city is not None else (sentence.example,)
        return wording(sentence), tuple(said(sentence, place) for place in named)

    train = {sentence.words for sentence in corpus.train}
    assert not train & {sentence.words for sentence in corpus.held_out}
    assert len(train) == len(corpus.train)
    assert not {fact(s) for s in corpus.train} & {fact(s) for s in corpus.held_out}
    assert {s.answer for s in corpus.train} == {s.answer for s in corpus.held_out}
    assert {wording(s) for s in corpus.held_out} <= {wording(s) for s in corpus.train}
    total = len(train) + len(corpus.held_out)
    assert len(corpus.held_out) == pytest.approx(0.2 * total, rel=0.05)


def test_arrays_say_the_same_as_sentences(corpus):
    for sentences in (corpus.train, corpus.held_out):
        assert sentences.words.shape[0] == len(sentences) == len(list(sentences))
        for i in range(0, len(sentences), 97):
            sentence, row = sentences[i], sentences.words[i]
            n = len(sentence.words)
            assert [corpus.vocabulary.words[id] for id in row[:n]] == list(sentence.words)
            assert not row[n:].any()
            assert sentences.blank[i].tolist() == [row[sentence.blank]]
            assert corpus.answers[sentences.answer[i]] == sentence.answer
            for name in ("city", "kind", "example"):
                place = getattr(sentence, name)
                assert getattr(sentences, name)[i] == (-1 if place is None else place)


def test_sentences_are_chosen_by_blank_and_by_clues(plain):
    held_out = plain.held_out
    assert {s.asks for s in held_out.where(asks="else")} == {"else"}
    assert {s.clues for s in held_out.where(clues=1)} == {1}
    chosen = held_out.where(asks="what", clues=2)
    assert list(chosen) == [s for s in held_out if s.asks == "what" and s.clues == 2]
    assert chosen.words.shape[0] == chosen.answer.shape[0] == len(chosen)
    with pytest.raises(ValueError, match="asks, clues: got 'who', None, which no sentence has"):
        held_out.where(asks="who")


def test_fillers_are_all_the_words_that_tell_nothing(corpus):
    telling = {*corpus.cities, *corpus.kinds, *corpus.examples, *corpus.blanks.values()}
    assert not telling & {*corpus.fillers}
    assert {*corpus.fillers} <= {*corpus.vocabulary.words[1:]}
    assert len(corpus.fillers) > 20


def test_the_places_of_the_words_vary(corpus):
    for places in (corpus.train.city, corpus.train.kind):
        assert len(set(places[places >= 0])) >= 5
    assert len({sentence.blank for sentence in corpus.train}) > 5


def test_both_languages_have_the_same_sentences_in_the_same_order():
    def outline(code):
        language.use(code)
        corpus = made(code, False)
        return (
            [len(corpus.train), len(corpus.held_out), len(corpus.answers)],
            corpus.held_out.answer.tolist(),
        )

    assert outline("en") == outline("zh")


def test_the_seed_chooses_what_is_held_out():
    first, same, other = (corpora.fill_in_the_blank(examples=True, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.held_out.words, same.held_out.words)
    assert [s.words for s in first.held_out] != [s.words for s in other.held_out]


@pytest.mark.parametrize("share", [0, 1, -0.5, 1.5])
def test_a_share_that_leaves_nothing_is_refused(share):
    with pytest.raises(ValueError, match=f"held_out: got {share}, expected a share between"):
        corpora.fill_in_the_blank(held_out=share)


def test_sentences_read_as_they_are_written(reader, plain):
    sentence = plain.train[614]
    written = {
        "en": "The famous foods of Beijing include [what].",
        "zh": "北京的著名美食有[什么]。",
    }
    assert str(sentence) == written[reader]


def test_the_notebooks_sentences_use_words_that_the_corpus_has(plain):
    vocabulary = plain.vocabulary
    pair = [sentence.split() for sentence in language.words("human_attention.two_cities")]
    assert sorted(pair[0]) == sorted(pair[1])
    assert pair[0] != pair[1]
    assert not [each for each in pair[0] if each not in vocabulary]


def test_a_vocabulary_numbers_words_from_one():
    vocabulary = Vocabulary(["a", "b", "a"])
    assert len(vocabulary) == 3
    assert [vocabulary.id(each) for each in ("a", "b")] == [1, 2]
    assert vocabulary.encode([["b"], ["a", "b"]]).tolist() == [[2, 0], [1, 2]]
    assert vocabulary.encode([]).shape == (0, 0)


def test_unknown_words_and_bare_strings_are_named():
    vocabulary = Vocabulary(["a"])
    with pytest.raises(KeyError, match="word: got 'c', expected one of the 1 words known"):
        vocabulary.encode([["c"]])
    for sentences in ("a", ["a"]):
        with pytest.raises(TypeError, match="sentences: got a string"):
            vocabulary.encode(sentences)
