"""The words that code shows: both languages complete, terms used as the terminology has them."""

import re
from pathlib import Path

import pytest

import attention_course
from attention_course import language

PACKAGE = Path(attention_course.__file__).parent
FILES = sorted(path.parent.name for path in PACKAGE.rglob("en.toml"))


@pytest.fixture(autouse=True)
def english():
    language.use("en")
    yield
    language.use("en")


def leaves(entry, path=()):
    """Every piece of text in a table, with its path."""
    if isinstance(entry, dict):
        items = entry.items()
    elif isinstance(entry, list):
        items = enumerate(entry)
    else:
        yield ".".join(map(str, path)), entry
        return
    for key, value in items:
        yield from leaves(value, (*path, key))


def placeholders(text):
    return sorted(set(re.findall(r"(?<!{){(\w*)}", text))) if isinstance(text, str) else text


def test_both_languages_have_the_same_files():
    assert sorted(path.parent.name for path in PACKAGE.rglob("zh.toml")) == FILES
    assert len(set(FILES)) == len(FILES)


@pytest.mark.parametrize("name", FILES)
def test_both_languages_have_the_same_keys_and_placeholders(name):
    english, chinese = (
        {path: placeholders(text) for path, text in leaves(language.words(name, code))}
        for code in language.LANGUAGES
    )
    assert english == chinese


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_left_to_write(name):
    """The skeleton of a lesson says TODO where its author has to write."""
    for code in language.LANGUAGES:
        texts = dict(leaves(language.words(name, code)))
        assert not [path for path, text in texts.items() if "TODO" in str(text)]


@pytest.mark.parametrize("name", FILES)
def test_no_text_is_empty(name):
    for code in language.LANGUAGES:
        # Between Chinese words stands nothing.
        texts = {
            path: text for path, text in leaves(language.words(name, code)) if path != "joiner"
        }
        assert not [path for path, text in texts.items() if text == ""]


@pytest.mark.parametrize("name", FILES)
def test_chinese_words_are_chinese(name):
    """A text may stay the same in both languages only where it holds no English word."""
    english, chinese = (dict(leaves(language.words(name, code))) for code in language.LANGUAGES)
    same = {
        path
        for path, text in english.items()
        if isinstance(text, str)
        and chinese[path] == text
        and not path.endswith(("misconception", ".card"))
        and len(re.findall(r"[a-z]{3,}", re.sub(r"`[^`]*`|\bsoftmax\b|\blogit\b", "", text))) > 1
    }
    assert not same


def test_word_fills_its_placeholders_in_the_language_in_use():
    assert language.word("display.check.hint", number=2) == "Hint 2"
    language.use("zh")
    assert language.current() == "zh"
    assert language.word("display.check.hint", number=2) == "提示2"


def test_what_words_gives_can_be_changed_without_harm():
    language.words("display.claim")["C1"] = "changed"
    language.words("human_attention.exercise.softmax.hints").clear()
    assert language.word("display.claim.C1") != "changed"
    assert language.words("human_attention.exercise.softmax.hints")


def test_an_unknown_key_is_named_with_its_file():
    with pytest.raises(KeyError, match=r"display\.check\.nothing.*display/en\.toml"):
        language.word("display.check.nothing")
    with pytest.raises(KeyError, match=r"no folder 'nothing'"):
        language.word("nothing.at.all")


def test_a_table_is_not_a_word():
    with pytest.raises(TypeError, match=r"display\.check.*expected words"):
        language.word("display.check")


def test_an_unknown_language_is_refused_and_changes_nothing():
    with pytest.raises(ValueError, match=r"language: got 'fr', expected one of en, zh"):
        language.use("fr")
    assert language.current() == "en"


def test_every_term_has_both_languages_and_meanings():
    needed = {"en", "zh", "meaning_en", "meaning_zh", "lesson"}
    more = {f"{what}_{code}" for what in ("avoid", "also") for code in language.LANGUAGES}
    for name, term in language.read_toml("terminology.toml").items():
        assert needed <= set(term) <= needed | more | {"everyday"}, name
