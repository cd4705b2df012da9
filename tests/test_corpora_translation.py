"""The translation corpus: no leak, one translation a sentence, alignments that mean something."""

import random
from collections import Counter, defaultdict
from functools import cache

import pytest

from attention_course.corpora import SentencePair, translation
from attention_course.corpora.pairs import (
    END,
    LONGEST,
    START,
    _Grammar,
    _lexicon,
    read_chinese,
    read_english,
)

PARTS = ("train", "held_out", "unseen_combinations", "longer")
FUNCTION_WORDS = {
    *("the", "a", "an", "is", "are", "am", "was", "were", "will", "do", "does", "did", "of", "'s"),
    "at",  # 车站 有 三 位 工程师
}


@cache
def corpus():
    return translation(5000, held_out=300, unseen_combinations=300, longer=300)


def every_pair():
    return [pair for part in PARTS for pair in getattr(corpus(), part)]


def test_it_has_as_many_as_were_asked_for_and_some_hundred_words():
    made = translation(1500, held_out=40, unseen_combinations=30, longer=20)
    assert [len(getattr(made, part)) for part in PARTS] == [1500, 40, 30, 20]
    for vocabulary in (corpus().source_vocabulary, corpus().target_vocabulary):
        assert 200 <= len(vocabulary) <= 400


def test_the_same_seed_makes_the_same_and_another_does_not():
    options = {"held_out": 20, "unseen_combinations": 20, "longer": 20}
    one = translation(1500, **options)
    translation.cache_clear()
    assert translation(1500, **options) == translation(1500, **options)
    assert [p.source for p in translation(1500, **options).train] == [p.source for p in one.train]
    assert translation(1500, **options, seed=1).train != one.train


def test_no_sentence_is_in_two_parts_or_twice():
    assert len({pair.source for pair in every_pair()}) == len(every_pair())


def test_a_sentence_has_one_translation_only():
    grammar = _Grammar(random.Random(1), frozenset())
    found = defaultdict(set)
    for i in range(4000):
        pair = grammar.sentence(1 + i % 2)
        found[pair.source].add(pair.target)
    assert not [source for source, targets in found.items() if len(targets) > 1]


def test_what_is_not_seen_in_training_is_the_combination_alone():
    seen = set().union(*(pair.combinations for pair in (*corpus().train, *corpus().held_out)))
    words = {word for pair in corpus().train for word in pair.source}
    new = Counter()
    for pair in corpus().unseen_combinations:
        assert pair.combinations - seen
        assert words.issuperset(pair.source)
        new.update(pair.combinations - seen)
    assert len(new) > 15
    verbs, nouns = ({pair[i] for pair in seen} for i in (0, 1))
    assert all(verb in verbs and noun in nouns for verb, noun in new)


def test_longer_is_longer_than_all_of_training():
    longest = max(len(pair.source) for pair in corpus().train)
    assert longest == LONGEST
    assert min(len(pair.source) for pair in corpus().longer) > longest
    assert not (unseen() & set().union(*(pair.combinations for pair in corpus().longer)))


def unseen():
    seen = set().union(*(pair.combinations for pair in corpus().train))
    return set().union(*(p.combinations for p in corpus().unseen_combinations)) - seen


def test_every_structure_of_the_grammar_is_in_every_part_that_can_have_it():
    wanted = {
        *("relative", "ba", "bei", "question", "negation", "measure", "possessive", "place"),
        *("time", "comparison", "existence", "past", "future", "habit", "progressive", "contrast"),
    }
    for part in ("train", "held_out"):
        assert wanted <= set().union(*(pair.structures for pair in getattr(corpus(), part)))
    assert "sights" in set().union(*(pair.structures for pair in corpus().train))


def test_alignments_lie_inside_and_leave_out_only_words_without_counterpart():
    for pair in every_pair():
        targets, sources = zip(*pair.alignment, strict=True)
        assert min(targets) >= 0
        assert max(targets) == len(pair.target) - 1
        assert max(sources) == len(pair.source) - 1
        left = {word for i, word in enumerate(pair.target) if i not in targets}
        assert left <= FUNCTION_WORDS, (str(pair), left)
    measures = {measure for _, _, measure, _ in _lexicon().nouns.values()}
    free = Counter()
    for pair in every_pair():
        sources = {j for _, j in pair.alignment}
        free.update(word for j, word in enumerate(pair.source) if j not in sources)
    assert set(free) <= measures | {"的", "把", "了", "很"}, free


def test_aligned_words_of_the_lexicon_translate_each_other():
    lexicon = _lexicon()
    nouns = {zh: {en, many} for zh, (en, many, *_) in lexicon.nouns.items()}
    verbs = defaultdict(set)
    for verb in (*lexicon.verbs, *lexicon.states, *lexicon.doing):
        forms = {verb.base, verb.third, verb.past, verb.participle, verb.ing, verb.particle}
        for form in (verb.zh, verb.done):
            verbs[form] |= forms
    verbs["做"].add("do")  # what did they do?
    known = {zh: forms for zh, forms in (verbs | nouns).items() if " " not in zh and zh != "画"}
    checked = 0
    for pair in every_pair():
        for i, j in pair.alignment:
            if pair.source[j] in known:
                checked += 1
                assert pair.target[i] in known[pair.source[j]], str(pair)
    assert checked > 5_000


def test_word_order_differs_so_that_the_diagonal_will_not_do():
    crossing = 0
    for pair in corpus().held_out:
        links = sorted(pair.alignment)
        crossing += any(a < c and b > d for a, b in links for c, d in links)
    assert crossing / len(corpus().held_out) > 0.4


def test_sentences_are_read_out_as_they_are_written():
    chinese = ("小明", "昨天", "买", "了", "三", "本", "书", "。")
    english = "Xiaoming bought three books yesterday."
    assert read_chinese(chinese) == "小明昨天买了三本书。"
    words = ("Xiaoming", "bought", "three", "books", "yesterday", ".")
    assert read_english(words) == english
    assert read_english(("the", "teacher", "'s", "cat", ",", "is", "it", "?")) == (
        "The teacher's cat, is it?"
    )
    pair = SentencePair(chinese, words, frozenset(), frozenset())
    assert str(pair) == f"小明昨天买了三本书。 → {english}"


def test_articles_agree_with_what_follows():
    for pair in every_pair():
        for word, following in zip(pair.target, pair.target[1:], strict=False):
            if word in ("a", "an"):
                assert (word == "an") == (following[0] in "aeiou"), str(pair)


def test_numbers_agree():
    plurals = {many for _, many, *_ in _lexicon().nouns.values() if many}
    singulars = {en for en, *_ in _lexicon().nouns.values()} - plurals
    for pair in every_pair():
        words = pair.target
        for i, word in enumerate(words[:-1]):
            if word in ("two", "three", "these", "those"):
                after = next(w for w in words[i + 1 :] if w in plurals | singulars | {"cups"})
                assert after in plurals | {"cups"}, str(pair)


def test_as_numbers_each_row_is_a_sentence():
    pairs = corpus().held_out[:20]
    source, target = corpus().sources(pairs), corpus().targets(pairs)
    assert source.shape == (20, max(len(pair.source) for pair in pairs))
    assert target.shape == (20, max(len(pair.target) for pair in pairs) + 2)
    assert set(target[:, 0]) == {corpus().start}
    for row, pair in zip(target, pairs, strict=True):
        assert corpus().words(row[1:]) == corpus().words(row) == pair.target
        assert row[len(pair.target) + 1] == corpus().end
    vocabulary = corpus().target_vocabulary
    assert [vocabulary.words[i] for i in (corpus().start, corpus().end)] == [START, END]
    assert ((source != 0).sum(axis=1) == [len(pair.source) for pair in pairs]).all()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"train": 0}, ValueError, "train: got 0, expected"),
        ({"longer": 1.5}, TypeError, "longer: got 1.5, expected"),
        ({"seed": "a"}, TypeError, "seed: got 'a', expected"),
        ({"train": 20, "held_out": 20}, ValueError, "train: got 20, which this"),
    ],
)
def test_bad_input_is_named(options, error, message):
    with pytest.raises(error, match=message):
        translation(**options)
