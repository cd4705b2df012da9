"""The fill-in-the-blank corpus: true to its promises in both languages."""

import numpy as np
import pytest

from attention_course import corpora, language
from attention_course.corpora import Vocabulary


@pytest.fixture(params=["en", "zh"], autouse=True)
def reader(request):
    language.use(request.param)
    yield request.param
    language.use("en")


@pytest.fixture(params=[False, True], ids=["plain", "with-example"])
def corpus(request):
    return corpora.fill_in_the_blank(examples=request.param)


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
    blank = language.words("corpora.blank")
    assert not [name for name in named if blank in name]


def test_each_sentence_tells_a_fact(corpus):
    blank = language.words("corpora.blank")
    known = facts()
    for sentence in [*corpus.train, *corpus.held_out]:
        city, kind = sentence.words[sentence.city], sentence.words[sentence.kind]
        answer, example = known[city, kind]
        assert sentence.answer == answer
        assert sentence.words[sentence.blank] == blank
        assert sentence.words.count(blank) == 1
        assert answer not in sentence.words
        if sentence.example is None:
            assert example not in sentence.words
        else:
            assert sentence.words[sentence.example] == example
        # Nothing but these words tells the answer.
        telling = {*corpus.cities, *corpus.kinds} & set(sentence.words)
        assert telling == {city, kind}


def test_held_out_are_new_combinations_of_seen_facts_and_seen_wordings(corpus):
    def wording(sentence):
        fixed = (sentence.city, sentence.kind, sentence.example)
        return tuple("·" if i in fixed else each for i, each in enumerate(sentence.words))

    train = {sentence.words for sentence in corpus.train}
    assert not train & {sentence.words for sentence in corpus.held_out}
    assert len(train) == len(corpus.train)
    assert {s.answer for s in corpus.train} == {s.answer for s in corpus.held_out}
    assert {wording(s) for s in corpus.held_out} <= {wording(s) for s in corpus.train}
    assert len(corpus.held_out) == pytest.approx(0.2 * (len(train) + len(corpus.held_out)))


def test_arrays_say_the_same_as_sentences(corpus):
    for sentences in (corpus.train, corpus.held_out):
        assert sentences.words.shape[0] == len(sentences) == len(list(sentences))
        for i in range(0, len(sentences), 97):
            sentence, row = sentences[i], sentences.words[i]
            n = len(sentence.words)
            assert [corpus.vocabulary.words[id] for id in row[:n]] == list(sentence.words)
            assert not row[n:].any()
            assert corpus.answers[sentences.answer[i]] == sentence.answer
            assert sentences.city[i] == sentence.city
            assert sentences.kind[i] == sentence.kind
            if sentence.example is None:
                assert sentences.example is None
            else:
                assert sentences.example[i] == sentence.example


def test_the_places_of_the_words_vary(corpus):
    assert len(set(corpus.train.city)) > 5
    assert len(set(corpus.train.kind)) > 5
    assert len({sentence.blank for sentence in corpus.train}) > 5


def test_both_languages_have_the_same_sentences_in_the_same_order():
    def outline(code):
        language.use(code)
        corpus = corpora.fill_in_the_blank()
        return (
            [len(corpus.train), len(corpus.held_out), len(corpus.answers)],
            corpus.held_out.answer.tolist(),
        )

    assert outline("en") == outline("zh")


def test_the_seed_chooses_what_is_held_out():
    first, same, other = (corpora.fill_in_the_blank(seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.held_out.words, same.held_out.words)
    assert [s.words for s in first.held_out] != [s.words for s in other.held_out]


@pytest.mark.parametrize("share", [0, 1, -0.5, 1.5])
def test_a_share_that_leaves_nothing_is_refused(share):
    with pytest.raises(ValueError, match=f"held_out: got {share}, expected a share between"):
        corpora.fill_in_the_blank(held_out=share)


def test_sentences_read_as_they_are_written(reader):
    sentence = corpora.fill_in_the_blank().held_out[10]
    written = {"en": "The famous sights of Beijing include __.", "zh": "北京的著名景点有__。"}
    assert str(sentence) == written[reader]


def test_the_notebooks_sentences_use_words_that_the_corpus_has():
    vocabulary = corpora.fill_in_the_blank().vocabulary
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
