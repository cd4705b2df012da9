"""Chinese sentences with their English translations, and which word translates which.

A grammar makes both sides at once: each phrase is written in both languages, each in its own order,
and words that say the same are tied. So the alignment is known, and the same Chinese sentence has
one translation only. What Chinese leaves open the grammar fixes: a noun without number is one
definite thing as a subject and many things after "like"; 了 is the past.

Aligned are words with a counterpart. English articles, "do" where a question word asks, 的 after an
adjective and measure words but for 杯 (cup) have none; 了 goes with its verb, 吗 with the English
verb that moves to the front.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, wraps
from itertools import pairwise, product
from typing import Any

import numpy as np

from .. import checks
from ..language import read_toml
from .vocabulary import Vocabulary

START, END = "<start>", "<end>"
LONGEST = 12
"""The words of the longest Chinese sentence of ``train``."""

_STOP, _ASKS = ("。", "."), ("？", "?")


@dataclass(frozen=True)
class SentencePair:
    """A Chinese sentence and its translation.

    Attributes:
        source, target: the words of the Chinese and of the English sentence.
        alignment: pairs ``(i, j)``: word ``i`` of the target translates word ``j`` of the source,
            both counted from 0.
        structures: what the sentence is built of: ``"relative"``, ``"ba"``, ``"bei"``,
            ``"question"``, ``"negation"``, ``"measure"``, ``"possessive"``, ``"place"``,
            ``"time"``, ``"comparison"``, ``"existence"``, ``"sights"``, …
        combinations: the verbs with their objects, each ``(verb, noun)`` in Chinese.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    alignment: frozenset[tuple[int, int]]
    structures: frozenset[str]
    combinations: frozenset[tuple[str, str]] = frozenset()

    def __str__(self) -> str:
        return f"{read_chinese(self.source)} → {read_english(self.target)}"


def read_chinese(words: Sequence[str]) -> str:
    """The words without the spaces between them."""
    return "".join(words)


def read_english(words: Sequence[str]) -> str:
    """The words with spaces and a capital, as they are written."""
    text = re.sub(r" ([.,?]|'s\b)", r"\1", " ".join(words))
    return text[:1].upper() + text[1:]


@dataclass(frozen=True)
class TranslationCorpus:
    """Sentence pairs to train and to test on. No Chinese sentence is in two parts.

    Attributes:
        train: to learn from; at most :data:`LONGEST` Chinese words.
        held_out: others like them.
        unseen_combinations: each has a verb with an object that it never has in ``train`` or
            ``held_out``, where both occur with others.
        longer: longer than any of ``train``.
        source_vocabulary, target_vocabulary: of the words of ``train``; the target's words 1 and 2
            are :data:`START` and :data:`END`.
    """

    train: tuple[SentencePair, ...]
    held_out: tuple[SentencePair, ...]
    unseen_combinations: tuple[SentencePair, ...]
    longer: tuple[SentencePair, ...]
    source_vocabulary: Vocabulary
    target_vocabulary: Vocabulary

    @property
    def start(self) -> int:
        """The number of the word that starts a target."""
        return self.target_vocabulary.id(START)

    @property
    def end(self) -> int:
        """The number of the word that ends a target."""
        return self.target_vocabulary.id(END)

    def sources(self, pairs: Sequence[SentencePair]) -> np.ndarray:
        """The Chinese sentences as numbers ``(n_pairs, longest)``, padded at the end."""
        return self.source_vocabulary.encode([pair.source for pair in pairs])

    def targets(self, pairs: Sequence[SentencePair]) -> np.ndarray:
        """The English sentences as numbers ``(n_pairs, longest + 2)``, each between start and end,
        padded at the end."""
        return self.target_vocabulary.encode([(START, *pair.target, END) for pair in pairs])

    def words(self, row: Iterable[int]) -> tuple[str, ...]:
        """The English words of a row of numbers, up to its end."""
        found = []
        for i in row:
            if i == self.end:
                break
            if i not in (self.start, Vocabulary.PAD):
                found.append(self.target_vocabulary.words[i])
        return tuple(found)


@cache
def translation(
    train: int = 20_000,
    *,
    held_out: int = 500,
    unseen_combinations: int = 500,
    longer: int = 500,
    seed: int = 0,
) -> TranslationCorpus:
    """Chinese–English sentence pairs.

    Args:
        train, held_out, unseen_combinations, longer: how many of each.
        seed: chooses the sentences and the combinations that are not seen.

    Raises:
        TypeError, ValueError: a count is not a whole number of at least 1, or ``seed`` not one of
            at least 0.
    """
    wanted = {
        "train": train,
        "held_out": held_out,
        "unseen_combinations": unseen_combinations,
        "longer": longer,
    }
    wanted = {name: checks.size(name, count) for name, count in wanted.items()}
    lot = random.Random(checks.whole_number("seed", seed))
    unseen = _unseen(lot)
    grammar, taken = _Grammar(lot, unseen), set()

    def made(name: str, fits: Callable[[SentencePair], bool], depth: int = 1) -> list[SentencePair]:
        found: list[SentencePair] = []
        for _ in range(100 * wanted[name] + 2_000):
            if len(found) == wanted[name]:
                return found
            pair = grammar.sentence(depth)
            if pair.source not in taken and fits(pair):
                taken.add(pair.source)
                found.append(pair)
        few = "train" if len(sources) < 200 else name
        raise ValueError(f"{few}: got {wanted[few]}, which this grammar cannot make")

    def short(pair: SentencePair) -> bool:
        return len(pair.source) <= LONGEST and not pair.combinations & unseen

    sources = targets = Vocabulary([])
    learned = made("train", short)
    sources = Vocabulary(word for pair in learned for word in pair.source)
    targets = Vocabulary([START, END, *(word for pair in learned for word in pair.target)])

    def known(pair: SentencePair) -> bool:
        return all(map(sources.__contains__, pair.source)) and all(
            map(targets.__contains__, pair.target)
        )

    held = made("held_out", lambda pair: short(pair) and known(pair))
    grammar.prefer_unseen = True
    new = made(
        "unseen_combinations",
        lambda pair: (
            len(pair.source) <= LONGEST and bool(pair.combinations & unseen) and known(pair)
        ),
    )
    grammar.prefer_unseen = False
    long = made(
        "longer",
        lambda pair: (
            LONGEST < len(pair.source) <= LONGEST + 10
            and not pair.combinations & unseen
            and known(pair)
        ),
        depth=2,
    )
    return TranslationCorpus(tuple(learned), tuple(held), tuple(new), tuple(long), sources, targets)


def further(
    corpus: TranslationCorpus,
    count: int,
    *,
    words: range,
    nesting: range,
    seed: int = 1,
) -> tuple[SentencePair, ...]:
    """More pairs of the grammar, chosen by their length and their nesting.

    Nesting counts the possessives and relative clauses that stand inside one another: 1 in
    小明的书, 2 in 喜欢小明的书的医生. In the corpus's own short sentences it is at most 2.

    Args:
        corpus: none of its Chinese sentences comes again, and no word that it does not know.
        count: how many.
        words: how many Chinese words a sentence may have.
        nesting: how deep it may be nested.
        seed: chooses the sentences.

    Raises:
        TypeError, ValueError: ``count`` or ``seed`` is not what it should be, or the grammar makes
            too few such sentences.
    """
    count = checks.size("count", count)
    lot = random.Random(checks.whole_number("seed", seed))
    unseen = frozenset(
        pair for each in corpus.unseen_combinations for pair in each.combinations
    ) - frozenset(pair for each in corpus.train for pair in each.combinations)
    grammar, found = _Grammar(lot, unseen), []
    parts = (corpus.train, corpus.held_out, corpus.unseen_combinations, corpus.longer)
    taken = {pair.source for part in parts for pair in part}
    depth = 1 if nesting.stop <= 3 else 2
    for _ in range(2000 * count + 10_000):
        if len(found) == count:
            return tuple(found)
        pair = grammar.sentence(depth)
        if (
            len(pair.source) in words
            and grammar.nesting in nesting
            and pair.source not in taken
            and not pair.combinations & unseen
            and all(map(corpus.source_vocabulary.__contains__, pair.source))
            and all(map(corpus.target_vocabulary.__contains__, pair.target))
        ):
            taken.add(pair.source)
            found.append(pair)
    raise ValueError(f"count: got {count}, which this grammar cannot make of {words}, {nesting}")


# --- The grammar ----------------------------------------------------------------------------------

# A text is words, each with the numbers of its ties; words of the two sides with a common tie
# translate each other.
Text = tuple[tuple[str, frozenset[int]], ...]


@dataclass(frozen=True)
class _Phrase:
    """A phrase in both languages, each side in its own order."""

    zh: Text = ()
    en: Text = ()
    structures: frozenset[str] = frozenset()
    combinations: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class _Noun(_Phrase):
    """A phrase that names somebody or something.

    Attributes:
        me: the English of a pronoun as an object (``me`` for ``I``).
        person: which English verb form it asks for: 1s, 2s, 3s, 1p or 3p.
        head: the Chinese noun itself.
    """

    me: Text = ()
    person: str = "3s"
    head: str = ""

    @property
    def object(self) -> Text:
        return self.me or self.en


@dataclass(frozen=True)
class _Verb:
    """A verb's forms, and what it goes with."""

    zh: str
    done: str
    base: str
    third: str
    past: str
    participle: str
    ing: str
    particle: str = ""
    tags: frozenset[str] = frozenset()
    disposed: bool = False
    habit: bool = False
    over: bool = False
    long: bool = False
    makes: bool = False

    def suits(self, tags: frozenset[str]) -> bool:
        return not self.tags.isdisjoint(tags)


@dataclass(frozen=True, eq=False)
class _Lexicon:
    names: list[tuple[str, str]]
    pronouns: list[tuple[str, str, str, str, str]]
    kin: list[tuple[str, str]]
    nouns: dict[str, tuple[str, str, str, frozenset[str]]]  # English, plural, measure word, tags
    places: list[tuple[str, str, str, str, frozenset[str]]]
    cities: list[dict[str, Any]]
    numerals: list[tuple[str, str]]
    times: Mapping[str, list[tuple[str, str, str]]]
    adjectives: list[tuple[str, str, str, str, frozenset[str]]]
    verbs: list[_Verb]
    states: list[_Verb]
    giving: list[_Verb]
    doing: list[_Verb]

    @cache  # noqa: B019 - there is one lexicon
    def tagged(self, *wanted: str) -> list[str]:
        """The nouns with one of the tags."""
        return [zh for zh, (*_, tags) in self.nouns.items() if not tags.isdisjoint(wanted)]

    @cached_property
    def content(self) -> frozenset[str]:
        """The Chinese words for people, things, places and what is done."""
        verbs = (verb for kind in (self.verbs, self.states, self.doing) for verb in kind)
        words = {form for verb in verbs for form in (verb.zh, verb.done)}
        named = (self.names, self.pronouns, self.kin, self.places)
        return frozenset(words | {*self.nouns} | {zh for kind in named for zh, *_ in kind})

    @cached_property
    def moments(self) -> frozenset[str]:
        """The first words of times."""
        times = (time for kind in self.times.values() for time in kind)
        return frozenset(zh.split()[0] for zh, *_ in times)

    def suited(self, verb: _Verb) -> list[str]:
        """The nouns that the verb goes with."""
        return self.tagged(*sorted(verb.tags))


@cache
def _lexicon() -> _Lexicon:
    read = read_toml("corpora", "pairs.toml")

    def tags(text: str) -> frozenset[str]:
        return frozenset(text.split())

    def verb(entry: Mapping[str, Any]) -> _Verb:
        flags = {name: entry.get(name, False) for name in _FLAGS}
        return _Verb(
            entry["zh"],
            entry.get("done", entry["zh"]),
            *entry["en"].split(),
            particle=entry.get("particle", ""),
            tags=tags(entry.get("objects", entry.get("places", ""))),
            **flags,
        )

    nouns = {zh: (en, many, measure, tags(kind)) for zh, en, many, measure, kind in read["people"]}
    nouns |= {zh: (en, many, measure, tags(kind)) for zh, en, many, measure, kind in read["things"]}
    return _Lexicon(
        names=read["names"],
        pronouns=read["pronouns"],
        kin=read["kin"],
        nouns=nouns,
        places=[(*place, tags(kind)) for *place, kind in read["places"]],
        cities=read["cities"],
        numerals=read["words"]["numerals"],
        times={name: read["words"][name] for name in ("past", "future", "habit")},
        adjectives=[(*words, tags(kind)) for *words, kind in read["adjectives"]["all"]],
        **{kind: [verb(entry) for entry in read[kind]] for kind in _VERBS},
    )


_FLAGS = ("disposed", "habit", "over", "long", "makes")
_VERBS = ("verbs", "states", "giving", "doing")


def _unseen(lot: random.Random) -> frozenset[tuple[str, str]]:
    """One in eight of a verb's objects, where it has at least eight."""
    lexicon, found = _lexicon(), set()
    for verb in (*lexicon.verbs, *lexicon.states):
        suited = lexicon.suited(verb)
        found |= {(verb.zh, zh) for zh in lot.sample(suited, len(suited) // 8)}
    return frozenset(found)


def _nests(make: Callable[..., _Noun]) -> Callable[..., _Noun]:
    """Counts how many such phrases stand inside one another."""

    @wraps(make)
    def counted(self: _Grammar, *args: Any) -> _Noun:
        self._level += 1
        self.nesting = max(self.nesting, self._level)
        try:
            return make(self, *args)
        finally:
            self._level -= 1

    return counted


class _Grammar:
    """Makes sentences by lot.

    Args:
        lot: where the chance comes from.
        unseen: the combinations that ``prefer_unseen`` looks for.
    """

    def __init__(self, lot: random.Random, unseen: frozenset[tuple[str, str]]) -> None:
        self.lot, self.unseen, self.lexicon = lot, unseen, _lexicon()
        self.prefer_unseen = False
        self.nesting = 0  # of the last sentence: phrases inside one another
        self._level = 0
        self._ties = 0

    # --- Words ---

    def one(self, choices: Sequence[Any]) -> Any:
        return self.lot.choice(choices)

    def chance(self, share: float) -> bool:
        return self.lot.random() < share

    def tied(self, zh: str, en: str) -> tuple[Text, Text]:
        """The words of two texts, all tied to each other; articles are nobody's translation."""
        ties = self.tie()
        english = tuple((w, frozenset() if w == "the" else ties) for w in en.split())
        return tuple((w, ties) for w in zh.split()), english

    def alone(self, words: str) -> Text:
        return tuple((w, frozenset()) for w in words.split())

    # --- Nouns ---

    def name(self) -> _Noun:
        zh, en = self.one(self.lexicon.names)
        return _Noun(*self.tied(zh, en), head=zh)

    def pronoun(self) -> _Noun:
        zh, subject, me, _, person = self.one(self.lexicon.pronouns)
        source, target = self.tied(zh, subject)
        return _Noun(source, target, me=((me, target[0][1]),), person=person, head=zh)

    def relative(self) -> _Noun:
        owner, _, _, my, _ = self.one(self.lexicon.pronouns[:4])
        zh, en = self.one(self.lexicon.kin)
        whose, kin = self.tied(owner, my), self.tied(zh, en)
        return _Noun(whose[0] + kin[0], whose[1] + kin[1], head=zh)

    def person(self, depth: int) -> _Noun:
        """Somebody in particular."""
        kind = self.lot.random()
        if kind < 0.18:
            return self.name()
        if kind < 0.42:
            return self.pronoun()
        if kind < 0.52:
            return self.relative()
        return self.particular(self.some("person"), depth)

    def some(self, *tags: str) -> str:
        """A noun with one of the tags."""
        return self.one(self.lexicon.tagged(*tags))

    def adjective(self, tags: frozenset[str], *, alone: bool = False) -> tuple[Text, Text]:
        """One that suits; alone: behind its noun, without it."""
        suited = [
            a
            for a in self.lexicon.adjectives
            if a[4] & tags and (a[2] if alone else a[3] != "alone")
        ]
        zh, en, _, where, _ = self.one(suited)
        source, target = self.tied(zh, en)
        return source + (self.alone("的") if where == "的" else ()), target

    def described(self, zh: str, many: bool, adjective: bool = False) -> _Phrase:
        """A noun in the singular or the plural, maybe with an adjective."""
        en, plural, _, tags = self.lexicon.nouns[zh]
        noun = self.tied(zh, plural if many else en)
        if not (adjective and self.suits_an_adjective(tags)):
            return _Phrase(*noun)
        before = self.adjective(tags)
        return _Phrase(before[0] + noun[0], before[1] + noun[1], frozenset(["adjective"]))

    def suits_an_adjective(self, tags: frozenset[str]) -> bool:
        return any(a[4] & tags and a[3] != "alone" for a in self.lexicon.adjectives)

    def particular(self, zh: str, depth: int = 0, *, bare: bool = True) -> _Noun:
        """This or that, somebody's, the one that …, or (``bare``) just the one."""
        tags, kind = self.lexicon.nouns[zh][3], self.lot.random()
        if "person" in tags and "related" not in tags:
            kind = max(kind, 0.2)  # nobody's
        elif "friend" in tags:
            return self.owned(zh, depth)
        if kind < 0.2:
            return self.owned(zh, depth)
        if kind < 0.5 and self.countable(zh):
            return self.pointed_at(zh)
        if kind < 0.75 and depth > 0:
            return self.with_clause(zh, depth)
        if not bare:
            return self.owned(zh, depth)
        inner = self.described(zh, False, adjective="person" in tags and self.chance(0.3))
        return _Noun(inner.zh, self.alone("the") + inner.en, inner.structures, head=zh)

    def pointed_at(self, zh: str) -> _Noun:
        _, _, measure, tags = self.lexicon.nouns[zh]
        if "friend" in tags:
            return self.owned(zh, 0)
        this, en, many, person = self.one(
            [("这", "this", False, "3s"), ("那", "that", False, "3s")] * 2
            + [("这些", "these", True, "3p"), ("那些", "those", True, "3p")]
        )
        inner = self.described(zh, many, adjective=self.chance(0.25))
        which = self.tied(this, en)
        measured = () if many else self.alone(measure)
        return _Noun(
            which[0] + measured + inner.zh,
            which[1] + inner.en,
            inner.structures | {"measure"},
            person=person,
            head=zh,
        )

    def counted(self, zh: str, adjective: bool = False) -> _Noun:
        """One or some: 三 本 书, three books; 一 杯 茶, a cup of tea."""
        en, plural, measure, _ = self.lexicon.nouns[zh]
        number, english = ("一", "a") if self.chance(0.5) else self.one(self.lexicon.numerals)
        many = number != "一"
        if not plural:
            cup = self.tied(measure, "cups" if many else "cup")
            how_many, noun = self.tied(number, english), self.tied(zh, en)
            source = how_many[0] + cup[0] + noun[0]
            target = how_many[1] + cup[1] + self.alone("of") + noun[1]
            structures = frozenset(["measure"])
        else:
            inner = self.described(zh, many, adjective)
            if not many and inner.en[0][0][0] in "aeiou":
                english = "an"
            how_many = self.tied(number, english)
            source = how_many[0] + self.alone(measure) + inner.zh
            target = how_many[1] + inner.en
            structures = inner.structures | {"measure"}
        return _Noun(source, target, structures, person="3p" if many else "3s", head=zh)

    def any_of(self, zh: str) -> _Noun:
        """The kind as such: 喜欢 猫, likes cats; 喝 茶, drinks tea."""
        _, plural, _, _ = self.lexicon.nouns[zh]
        inner = self.described(zh, bool(plural), adjective=self.chance(0.15))
        return _Noun(inner.zh, inner.en, inner.structures, person="3p", head=zh)

    @_nests
    def owned(self, zh: str, depth: int) -> _Noun:
        inner = self.described(zh, False, adjective=self.chance(0.15))
        structures = inner.structures | {"possessive"}
        if self.chance(0.4):
            owner, _, _, my, _ = self.one(self.lexicon.pronouns)
            whose = self.tied(f"{owner} 的", my)
            return _Noun(whose[0] + inner.zh, whose[1] + inner.en, structures, head=zh)
        if depth > 0 and self.chance(0.4):
            owner = self.owned(self.some("related"), depth - 1)
        elif self.chance(0.5):
            owner = self.name()
        else:
            other = self.described(self.some("stranger"), False)
            owner = _Noun(other.zh, self.alone("the") + other.en)
        of = self.tied("的", "'s")
        source = owner.zh + of[0] + inner.zh
        target = owner.en + of[1] + inner.en
        return _Noun(source, target, structures | owner.structures, head=zh)

    @_nests
    def with_clause(self, zh: str, depth: int) -> _Noun:
        """喜欢 猫 的 医生, the doctor who likes cats; 小明 写 的 信, the letter that he wrote."""
        if "person" in self.lexicon.nouns[zh][3]:
            return self.who(zh, depth)
        verb = self.one([v for v in self.lexicon.verbs if v.suits(self.lexicon.nouns[zh][3])])
        by = self.person(depth - 1) if self.chance(0.5) else self.name()
        inner, act = self.described(zh, False), self.tied(verb.zh, verb.past)
        that, past = self.tied("的", "that"), self.alone("")
        when = _Phrase()
        if self.chance(0.3):
            when = self.when("past", verb)
        particle = ((verb.particle, act[0][0][1]),) if verb.particle else past
        return _Noun(
            by.zh + when.zh + act[0] + that[0] + inner.zh,
            self.alone("the") + inner.en + that[1] + by.en + act[1] + particle + when.en,
            by.structures | when.structures | {"relative"},
            by.combinations | {(verb.zh, zh)},
            head=zh,
        )

    def who(self, zh: str, depth: int) -> _Noun:
        inner = self.described(zh, False)
        kind = self.lot.random()
        if kind < 0.35:
            verb = self.one(self.lexicon.states)
            act, thing = self.tied(verb.zh, verb.third), self.felt(verb, depth - 1)
            clause = _Phrase(
                act[0] + thing.zh,
                act[1] + thing.object,
                thing.structures,
                thing.combinations | {(verb.zh, thing.head)},
            )
        elif kind < 0.6:
            verb = self.one([v for v in self.lexicon.doing if v.habit])
            act, place = self.tied(verb.zh, verb.third), self.place(verb.tags)
            clause = _Phrase(place.zh + act[0], act[1] + place.en, place.structures)
        else:
            verb, noun = self.verb_and_noun()
            act, thing = self.tied(verb.zh, verb.past), self.pointed_at_or_counted(noun)
            particle = ((verb.particle, act[0][0][1]),) if verb.particle else ()
            counted = thing.zh[0][0] not in ("这", "那", "这些", "那些")
            end = ((("了", act[0][0][1]),)) if counted else ()
            clause = _Phrase(
                act[0] + end + thing.zh,
                act[1] + particle + thing.object,
                thing.structures,
                thing.combinations | {(verb.zh, noun)},
            )
        that = self.tied("的", "who")
        return _Noun(
            clause.zh + that[0] + inner.zh,
            self.alone("the") + inner.en + that[1] + clause.en,
            clause.structures | {"relative"},
            clause.combinations,
            head=zh,
        )

    def pointed_at_or_counted(self, zh: str) -> _Noun:
        if self.lexicon.nouns[zh][1] and self.chance(0.4):
            return self.pointed_at(zh)
        return self.counted(zh, adjective=self.chance(0.3))

    # --- Times and places ---

    def when(self, tense: str, verb: _Verb | None = None, negated: bool = False) -> _Phrase:
        """A time that suits: last year one buys a car, but does not drink a cup of tea."""
        times = self.lexicon.times[tense]
        if tense != "habit" and not (verb and verb.long):
            times = [time for time in times if time[2] == "day"]
        elif tense == "habit" and negated:
            times = times[-1:]  # "not every day" is another matter
        zh, en, _ = self.one(times)
        return _Phrase(*self.tied(zh, en), frozenset(["time"]))

    def at(self, noun: str, behind: str, preposition: str, english: str) -> _Phrase:
        """在 公园 里, in the park."""
        where, place = self.tied(f"在 {behind}", preposition), self.tied(noun, english)
        return _Phrase(
            where[0][:1] + place[0] + where[0][1:],
            where[1] + self.alone("the") + place[1],
            frozenset(["place"]),
        )

    def place(self, tags: frozenset[str] | None = None) -> _Phrase:
        suited = [p for p in self.lexicon.places if tags is None or p[4] & tags]
        zh, behind, preposition, en, _ = self.one(suited)
        return self.at(zh, behind, preposition, en)

    def surface(self) -> _Phrase:
        zh = self.some("surface", "inside")
        en, _, _, tags = self.lexicon.nouns[zh]
        return self.at(zh, *(("上", "on") if "surface" in tags else ("里", "in")), en)

    # --- Clauses ---

    def action_at_a_place(self) -> tuple[_Verb, _Phrase]:
        verb = self.one([v for v in self.lexicon.doing if "surface" not in v.tags])
        return verb, self.place(verb.tags)

    def verb_and_noun(
        self, suited: Callable[[_Verb], bool] = lambda verb: True
    ) -> tuple[_Verb, str]:
        """A verb and a noun that it goes with; the unseen ones first when they are looked for."""
        verbs = [v for v in self.lexicon.verbs if self.lexicon.suited(v) and suited(v)]
        verb = self.one(verbs)
        return verb, self.preferred(verb)

    def preferred(self, verb: _Verb) -> str:
        """A noun that goes with the verb; one that is not seen with it if these are looked for."""
        nouns = self.lexicon.suited(verb)
        unseen = [zh for zh in nouns if (verb.zh, zh) in self.unseen] if self.prefer_unseen else []
        return self.one(unseen or nouns)

    def felt(self, verb: _Verb, depth: int) -> _Noun:
        """Whom or what one likes or knows."""
        zh = self.preferred(verb)
        if "person" not in self.lexicon.nouns[zh][3]:
            if self.chance(0.6) or not self.countable(zh):
                return self.any_of(zh)
            return self.particular(zh, depth, bare=False)
        if self.chance(0.5) and not self.prefer_unseen:
            return self.name() if self.chance(0.5) else self.relative()
        return self.particular(zh, depth)

    def clause(
        self,
        subject: _Noun,
        verb: _Verb,
        thing: _Noun | None,
        tense: str,
        *,
        time: _Phrase | None = None,
        place: _Phrase | None = None,
        after: _Phrase | None = None,
        often: bool = False,
        wants: bool = False,
        negated: bool = False,
        asks: bool = False,
        ba: bool = False,
        fronted: Text = (),
    ) -> _Phrase:
        """One clause, without its stop.

        Args:
            after: what follows the verb in Chinese, 了 maybe within, and the object in English.
            ba: the object stands before the verb, behind 把.
            fronted: the English question word, which moves to the front.
        """
        turned, split = asks or bool(fronted), asks or bool(fronted) or negated
        act, help, want, turn = (self.tie() for _ in range(4))
        auxiliary, main = _finite(subject.person, _WANT if wants else verb, tense, split)
        helping = help | turn if asks else help

        word = {"past": "", "habit": "", "future": "会", "progressive": "正在"}[tense]
        if negated:
            word = {"past": "没", "habit": "不", "future": "不 会"}[tense]
        helper = tuple((w, help) for w in word.split())
        where, there = (place.zh, place.en) if place else ((), ())
        if where and tense == "progressive":  # 正在 公园 里, not 正在 在 公园 里
            helper, where = (("正在", help | where[0][1]),), where[1:]
        doing = tuple((w, act) for w in verb.zh.split())
        ended = tense == "past" and not negated and bool(thing or after)
        done = (("了", act),) if ended and "了" not in dict(after.zh if after else ()) else ()
        if ba:
            doing = (*self.alone("把"), *thing.zh, *doing)
        often_zh, often_en = self.tied("常常", "often") if often else ((), ())
        before, behind = time or _Phrase(), _Phrase()
        if not (before.en and self.chance(0.35) and not turned):
            before, behind = behind, before

        source = (
            *before.zh,
            *subject.zh,
            *behind.zh,
            *often_zh,
            *helper,
            *where,
            *((("想", want),) if wants else ()),
            *doing,
            *(after.zh if after else ()),
            *done,
            *(thing.zh if thing and not ba else ()),
            *((("吗", turn),) if asks else ()),
        )
        help_words = ((auxiliary, helping),) if auxiliary else ()
        target = (
            *before.en,
            *fronted,
            *(help_words + subject.en if turned else subject.en + help_words),
            *((("not", help),) if negated else ()),
            *often_en,
            *(((main, want), ("to", want), (verb.base, act)) if wants else ((main, act),)),
            *(((verb.particle, act),) if verb.particle else ()),
            *(thing.object if thing else ()),
            *(after.en if after else ()),
            *there,
            *behind.en,
        )
        flags = {"negation": negated, "question": turned, "ba": ba, tense: True}
        parts = [part for part in (subject, thing, time, place, after) if part]
        met = {(verb.zh, thing.head)} if thing and thing.head else set()
        return _Phrase(
            source,
            target,
            frozenset(name for name, on in flags.items() if on).union(
                *(part.structures for part in parts)
            ),
            frozenset(met).union(*(part.combinations for part in parts)),
        )

    def tie(self) -> frozenset[int]:
        self._ties += 1
        return frozenset([self._ties])

    # --- Sentences ---

    def sentence(self, depth: int = 1) -> SentencePair:
        """One that makes sense; ``depth``: how deep its phrases may be nested."""
        while not self._makes_sense(pair := self._sentence(depth)):
            pass
        return pair

    def _makes_sense(self, pair: SentencePair) -> bool:
        """It names nothing and nobody twice, but to compare, and no more than one time."""
        words = Counter(pair.source)
        twice = {
            word for word, count in words.items() if count > 1 and word in self.lexicon.content
        }
        if "comparison" in pair.structures:
            twice -= {word for word in twice if word in self.lexicon.nouns}
        if "contrast" in pair.structures:
            twice.discard("喜欢")
        times = sum(words[word] for word in self.lexicon.moments)
        return not twice and times <= 1

    def _sentence(self, depth: int) -> SentencePair:
        weights = [w * (suits or not self.prefer_unseen) for w, suits, _ in _KINDS]
        ((_, _, make),) = self.lot.choices(_KINDS, weights)
        self.nesting = 0
        phrase = make(self, depth)
        stop = self.tied(*(_ASKS if "question" in phrase.structures else _STOP))
        zh, en = phrase.zh + stop[0], phrase.en + stop[1]
        return SentencePair(
            tuple(word for word, _ in zh),
            tuple(word for word, _ in en),
            frozenset(
                (i, j)
                for (i, (_, a)), (j, (_, b)) in product(enumerate(en), enumerate(zh))
                if a & b
            ),
            phrase.structures,
            phrase.combinations,
        )

    def mood(self) -> dict[str, bool]:
        """Mostly a statement; else a question or a negation."""
        lot = self.lot.random()
        return {"asks": lot < 0.2, "negated": 0.2 <= lot < 0.4}

    def act(self, depth: int) -> _Phrase:
        """Somebody did, will do, does or is doing something."""
        tense = self.one(["past", "past", "future", "habit", "progressive"])
        verb, noun = self.verb_and_noun(
            lambda v: tense == "past" or (not v.over and (v.habit or tense != "habit"))
        )
        mood = self.mood()
        if tense == "progressive":
            mood["negated"] = False
        often = tense == "habit" and not mood["negated"] and self.chance(0.5)
        time = None
        if tense != "progressive" and not often and (tense == "habit" or self.chance(0.5)):
            time = self.when(tense, verb, mood["negated"])
        if tense == "habit":
            thing = self.any_of(noun)
        elif mood["negated"]:
            thing = self.pointed_at(noun) if self.countable(noun) else self.any_of(noun)
        elif depth > 0 and not verb.makes and self.chance(0.25):
            thing = self.particular(noun, depth - 1, bare=False)
        elif depth > 1 and not verb.makes and self.chance(0.5):
            thing = self.with_clause(noun, depth - 1)
        elif verb.makes and tense != "progressive":
            thing = self.counted(noun, adjective=self.chance(0.3))
        else:
            thing = self.pointed_at_or_counted(noun)
        place = None
        if verb.zh in _PLACED and self.chance(0.7 if depth > 1 else 0.35):
            place = self.place(frozenset(_PLACED[verb.zh].split()))
        options = {"time": time, "place": place, "often": often}
        return self.clause(self.person(depth), verb, thing, tense, **options, **mood)

    def want(self, depth: int) -> _Phrase:
        verb, noun = self.verb_and_noun(lambda v: not v.over)
        mood = self.mood()
        thing = self.any_of(noun) if mood["negated"] else self.pointed_at_or_counted(noun)
        return self.clause(self.person(depth), verb, thing, "habit", wants=True, **mood)

    def feel(self, depth: int) -> _Phrase:
        verb = self.one(self.lexicon.states)
        thing = self.felt(verb, depth)
        return self.clause(self.person(depth), verb, thing, "habit", **self.mood())

    def contrast(self, depth: int) -> _Phrase:
        """喜欢 茶 ， 但是 不 喜欢 咖啡: likes tea, but does not like coffee."""
        like, subject = self.lexicon.states[0], self.person(depth)
        likes = self.lexicon.tagged(self.one(["food", "drink", "animal", "clothes", "text"]))
        first, second = self.lot.sample(likes, 2)
        one = self.clause(subject, like, self.any_of(first), "habit")
        again = _Noun(person=subject.person)
        other = self.clause(again, like, self.any_of(second), "habit", negated=True)
        comma, but = self.tied("，", ","), self.tied("但是", "but")
        return _Phrase(
            one.zh + comma[0] + but[0] + other.zh,
            one.en + comma[1] + but[1] + other.en,
            one.structures | other.structures | {"contrast"},
            one.combinations | other.combinations,
        )

    def do(self, depth: int) -> _Phrase:
        """Something without an object, at a place."""
        tense = self.one(["past", "habit", "progressive", "future"])
        if tense != "future" and self.chance(0.15):
            verb, place = self.lexicon.doing[-1], self.surface()
            subject = self.particular(self.one(["猫", "狗"]), depth - 1)
        else:
            verb, place = self.action_at_a_place()
            subject = self.person(depth)
        mood = self.mood()
        if tense == "progressive":
            mood["negated"] = False
        often = tense == "habit" and not mood["negated"] and self.chance(0.4)
        time = None
        if tense != "progressive" and not often:
            time = self.when(tense, negated=mood["negated"])
        options = {"time": time, "place": place, "often": often}
        return self.clause(subject, verb, None, tense, **options, **mood)

    def city(self) -> _Noun:
        return _Noun(*self.tied(*self.one(self.lexicon.cities)["name"]))

    def go(self, depth: int) -> _Phrase:
        tense = self.one(["past", "past", "future"])
        there = self.city()
        if self.chance(0.6):
            zh, _, _, en, _ = self.one(self.lexicon.places)
            name = self.tied(zh, en)
            there = _Noun(name[0], self.alone("the") + name[1])
        time = self.when(tense, _GO) if tense == "future" or self.chance(0.7) else None
        return self.clause(self.person(depth), _GO, there, tense, time=time, **self.mood())

    def visit(self, depth: int) -> _Phrase:
        city = self.one(self.lexicon.cities)
        sight = _Noun(*self.tied(*self.one(city["sights"])), frozenset(["sights"]))
        verb = next(v for v in self.lexicon.verbs if "sight" in v.tags)
        tense = self.one(["past", "future"])
        options = {"time": self.when(tense, verb), **self.mood()}
        return self.clause(self.person(depth), verb, sight, tense, **options)

    def ask(self, depth: int) -> _Phrase:
        """Who, what, where, when, how many: in its place in Chinese, at the front in English."""
        kind, person = self.one(["what", "who", "where", "when", "many"]), self.person(depth - 1)
        if kind == "where":
            verb, _ = self.action_at_a_place()
            zh, en = self.tied("在 哪里", "where")
            tense = self.one(["past", "habit", "future"])
            options = {"place": _Phrase(zh), "time": self.when(tense), "fronted": en}
            return self.clause(person, verb, None, tense, **options)
        if kind == "when":
            zh, en = self.tied("什么时候", "when")
            return self.clause(person, _GO, self.city(), "future", time=_Phrase(zh), fronted=en)
        # 看 is to read, to watch and to look at: only its object tells.
        verb, noun = self.verb_and_noun(lambda v: kind != "what" or v.zh != "看")
        time = self.when("past", verb) if self.chance(0.5) else None
        if kind == "who":
            who, thing = _Noun(*self.tied("谁", "who")), self.pointed_at_or_counted(noun)
            made = self.clause(who, verb, thing, "past", time=None)
            return replace(made, structures=made.structures | {"question"})
        if kind == "many" and self.countable(noun) and "friend" not in self.lexicon.nouns[noun][3]:
            en, plural, measure, _ = self.lexicon.nouns[noun]
            many, name = self.tied("几", "how many"), self.tied(noun, plural)
            zh, en = many[0] + self.alone(measure) + name[0], many[1] + name[1]
            thing = _Noun(zh, (), frozenset(["measure"]), head=noun)
        else:
            zh, en = self.tied(*(("谁", "who") if "person" in verb.tags else ("什么", "what")))
            thing = _Noun(zh)
            if verb.zh == "做":  # a cake is made, but: what did they do?
                verb = replace(verb, base="do")
        return self.clause(person, verb, thing, "past", time=time, fronted=en)

    def countable(self, zh: str) -> bool:
        return bool(self.lexicon.nouns[zh][1])

    def dispose(self, depth: int) -> _Phrase:
        """把: what happens to the object."""
        verb, noun = self.verb_and_noun(lambda v: v.disposed)
        thing, time = self.particular(noun, depth - 1), None
        if self.chance(0.4):
            time = self.when("past", verb)
        options = {"time": time, "ba": True, **self.mood()}
        done = replace(verb, zh=verb.done)
        made = self.clause(self.person(depth), done, thing, "past", **options)
        return replace(made, combinations=made.combinations | {(verb.zh, noun)})

    def put(self, depth: int) -> _Phrase:
        """把 书 放 在 桌子 上: put the book on the table."""
        noun, place = self.some("portable"), self.surface()
        thing = self.particular(noun, depth - 1)
        time = self.when("past") if self.chance(0.3) else None
        mood = {**self.mood(), "negated": False}
        options = {"time": time, "after": place, "ba": True, **mood}
        return self.clause(self.person(depth), _PUT, thing, "past", **options)

    def give(self, depth: int) -> _Phrase:
        """To somebody: with 把, or with both objects behind the verb."""
        verb = self.one(self.lexicon.giving)
        noun, to = self.some(*sorted(verb.tags)), self.person(depth - 1)
        time = self.when("past") if self.chance(0.4) else None
        giver = self.person(depth)
        if self.chance(0.5):
            thing, mood = self.particular(noun, depth - 1), self.mood()
            word, _, for_whom = verb.zh.partition(" ")
            to_word = self.tied(for_whom, "to")
            done = () if mood["negated"] else self.alone("了")
            after = _Phrase(
                to_word[0] + done + to.zh, to_word[1] + to.object, to.structures, to.combinations
            )
            options = {"time": time, "after": after, "ba": True, **mood}
            return self.clause(giver, replace(verb, zh=word), thing, "past", **options)
        thing = self.counted(noun)
        asks = self.chance(0.2)
        both = _Noun(to.zh + thing.zh, to.object + thing.en, to.structures | thing.structures)
        return self.clause(giver, verb, both, "past", time=time, asks=asks)

    def suffer(self, depth: int) -> _Phrase:
        """被: 蛋糕 被 孩子 吃 了, the cake was eaten by the child."""
        verb, noun = self.verb_and_noun(lambda v: v.disposed)
        thing = self.particular(noun, depth - 1)
        time = self.when("past") if self.chance(0.3) else _Phrase()
        asks = self.chance(0.2)
        act, passive, turn = self.tie(), self.tie(), self.tie()
        by = _Noun()
        if self.chance(0.75):
            by = self.one(
                [self.name, self.relative, lambda: self.particular(self.some("person"))]
            )()
        by_word = (("by", passive),) if by.zh else ()
        was = (("were" if thing.person == "3p" else "was", passive | turn if asks else passive),)
        done = (*((w, act) for w in verb.done.split()), ("了", act))
        return _Phrase(
            (*thing.zh, *time.zh, ("被", passive), *by.zh, *done)
            + ((("吗", turn),) if asks else ()),
            (
                *(was + thing.en if asks else thing.en + was),
                (verb.participle, act),
                *by_word,
                *by.object,
                *time.en,
            ),
            thing.structures
            | by.structures
            | time.structures
            | {"bei", "past"}
            | ({"question"} if asks else set()),
            thing.combinations | {(verb.zh, noun)},
        )

    def exist(self, depth: int) -> _Phrase:
        """公园 里 有 三 个 孩子: there are three children in the park."""
        if self.chance(0.5):
            place, noun = self.place(), self.some("stranger")
        else:
            place, noun = self.surface(), self.some("portable")
        lot, there_is, turn = self.lot.random(), self.tie(), self.tie()
        if lot < 0.7 or not self.countable(noun):
            thing = self.counted(noun, adjective=self.chance(0.3))
        elif lot < 0.85:
            return self._none(place, noun)
        else:
            thing = self.any_of(noun)
        asks = lot >= 0.85 and self.countable(noun)
        is_word = (
            ("is" if thing.person == "3s" else "are", there_is | turn if asks else there_is),
        )
        there = (("there", there_is),)
        return _Phrase(
            place.zh[1:] + (("有", there_is),) + thing.zh + ((("吗", turn),) if asks else ()),
            (is_word + there if asks else there + is_word) + thing.en + place.en,
            thing.structures | {"existence", "place"} | ({"question"} if asks else set()),
        )

    def _none(self, place: _Phrase, noun: str) -> _Phrase:
        thing, none = self.any_of(noun), self.tied("没有", "there are no")
        return _Phrase(
            place.zh[1:] + none[0] + thing.zh,
            none[1] + thing.en + place.en,
            thing.structures | {"existence", "place", "negation"},
        )

    def own(self, depth: int) -> _Phrase:
        """小明 有 两 只 猫: Xiaoming has two cats."""
        noun, mood = self.some("animal", "goods"), self.mood()
        if not mood["negated"]:
            thing = self.counted(noun, adjective=self.chance(0.3))
            return self.clause(self.person(depth), _HAVE, thing, "habit", **mood)
        thing = self.described(noun, False)
        article = self.alone("an" if thing.en[0][0][0] in "aeiou" else "a")
        made = self.clause(
            self.person(depth), _HAVE, _Noun(thing.zh, article + thing.en), "habit", **mood
        )
        return replace(made, zh=_joined(made.zh, "不", "有", "没有"))

    def be(self, depth: int) -> _Phrase:
        """她 是 一 位 医生: she is a doctor."""
        mood, noun, subject = self.mood(), self.some("stranger"), self.acquainted()
        if subject.person.endswith("p"):
            thing = self.described(noun, True)
        elif self.chance(0.4):
            thing = self.owned(self.some("related"), 0)
        elif mood["negated"] or mood["asks"]:
            plain = self.described(noun, False)
            article = self.alone("an" if plain.en[0][0][0] in "aeiou" else "a")
            thing = _Noun(plain.zh, article + plain.en)
        else:
            thing = self.counted_one(noun)
        return self._is(subject, (("是", self.tie()),), thing, **mood)

    def counted_one(self, zh: str) -> _Noun:
        thing = self.counted(zh, adjective=self.chance(0.4))
        while thing.person != "3s":
            thing = self.counted(zh, adjective=self.chance(0.4))
        return thing

    def acquainted(self) -> _Noun:
        """Somebody whom one can say something about: a name, a pronoun, kin."""
        return self.one([self.name, self.pronoun, self.relative])()

    def _is(
        self, subject: _Noun, word: Text, rest: _Phrase, *, negated: bool, asks: bool
    ) -> _Phrase:
        """``subject word rest``, with am, is or are for the word."""
        turn, no = self.tie(), self.tie()
        ties = word[0][1] if word else self.tie()
        verb = ((_be(subject.person), ties | turn if asks else ties),)
        flags = ({"negation"} if negated else set()) | ({"question"} if asks else set())
        return _Phrase(
            subject.zh
            + ((("不", no),) if negated else ())
            + word
            + rest.zh
            + ((("吗", turn),) if asks else ()),
            (verb + subject.en if asks else subject.en + verb)
            + ((("not", no),) if negated else ())
            + rest.en,
            subject.structures | rest.structures | flags | {"copula"},
            subject.combinations | rest.combinations,
        )

    def located(self, depth: int) -> _Phrase:
        """书 在 桌子 上: the book is on the table."""
        if self.chance(0.5):
            subject, place = self.person(depth), self.place()
        else:
            subject, place = self.particular(self.some("portable"), depth - 1), self.surface()
        return self._is(subject, (), place, **self.mood())

    def quality(self, depth: int) -> _Phrase:
        """这 本 小说 很 有趣: this novel is very interesting."""
        zh = self.some("text", "film", "food", "animal", "goods", "person")
        tags = self.lexicon.nouns[zh][3]
        subject, mood = self.particular(zh, depth), self.mood()
        adjective, english = self.adjective(tags, alone=True)
        word = self.tied("很", "very") if not (mood["asks"] or mood["negated"]) else ((), ())
        how = _Phrase(word[0] + adjective[:1], word[1] + english, frozenset(["adjective"]))
        return self._is(subject, (), how, **mood)

    def compare(self, depth: int) -> _Phrase:
        """这 本 书 比 那 本 书 贵: this book is more expensive than that book."""
        if self.chance(0.4):
            tags, one, other = frozenset(["person"]), self.acquainted(), self.name()
            while other.head == one.head:
                one = self.acquainted()
        else:
            zh = self.one([zh for zh in self.lexicon.nouns if self._comparable(zh)])
            tags = self.lexicon.nouns[zh][3]
            one, other = self._this_and_that(zh)
        source, more, _ = self.one(self._compared(tags))
        quality = self.tied(source, more)
        than, asks = self.tied("比", "than"), self.chance(0.2)
        how = _Phrase(
            than[0] + other.zh + quality[0],
            quality[1] + than[1] + other.object,
            other.structures | {"comparison"},
        )
        return self._is(one, (), how, negated=False, asks=asks)

    def _compared(self, tags: frozenset[str]) -> list[tuple[str, str, str]]:
        return [(a[0], a[2], a[1]) for a in self.lexicon.adjectives if a[2] and a[4] & tags]

    def _comparable(self, zh: str) -> bool:
        return self.countable(zh) and bool(self._compared(self.lexicon.nouns[zh][3]))

    def _this_and_that(self, zh: str) -> tuple[_Noun, _Noun]:
        en, _, measure, _ = self.lexicon.nouns[zh]
        both = []
        for pointer, english in self.one(
            [(("这", "this"), ("那", "that")), (("那", "that"), ("这", "this"))]
        ):
            which, name = self.tied(pointer, english), self.tied(zh, en)
            both.append(
                _Noun(
                    which[0] + self.alone(measure) + name[0],
                    which[1] + name[1],
                    frozenset(["measure"]),
                    head=zh,
                )
            )
        return both[0], both[1]

    def sights(self, depth: int) -> _Phrase:
        """北京 的 著名 景点 有 天安门 和 故宫: the famous sights of Beijing include …"""
        entry = self.one(self.lexicon.cities)
        city = self.tied(*entry["name"])
        one, other = (self.tied(*name) for name in self.lot.sample(entry["sights"], 2))
        of, famous = self.tied("的", "of"), self.tied("著名", "famous")
        sight, sights = self.tied("景点", "sight"), self.tied("景点", "sights")
        most, be, turn = self.tied("最", "most"), self.tie(), self.tie()
        is_word = (("是", be),), (("is", be),)
        best = most[0] + famous[0] + self.alone("的") + sight[0]
        best_en = self.alone("the") + most[1] + famous[1] + sight[1] + of[1] + city[1]
        kind, asked, marks = self.one(range(6)), False, frozenset(["sights"])
        if kind == 0:
            and_word, have = self.tied("和", "and"), self.tied("有", "include")
            zh = city[0] + of[0] + famous[0] + sights[0] + have[0] + one[0] + and_word[0] + other[0]
            en = self.alone("the") + famous[1] + sights[1] + of[1] + city[1]
            en += have[1] + one[1] + and_word[1] + other[1]
        elif kind == 1:
            zh = one[0] + is_word[0] + city[0] + best
            en = one[1] + is_word[1] + best_en
        elif kind == 2:
            zh = city[0] + of[0] + best[:2] + self.alone("的") + sight[0] + is_word[0] + one[0]
            en = best_en + is_word[1] + one[1]
        elif kind == 3:
            what, asked = self.tied("什么", "what"), True
            zh = city[0] + of[0] + best + is_word[0] + what[0]
            en = what[1] + is_word[1] + best_en
        elif kind == 4:
            have, many = self.tied("有", "has"), self.tied("很多", "many")
            zh = city[0] + have[0] + many[0] + famous[0] + self.alone("的") + sights[0]
            en = city[1] + have[1] + many[1] + famous[1] + sights[1]
        else:
            here, asked = self.tied("在", "is in"), self.chance(0.5)
            end = (("吗", turn),) if asked else ()
            zh = one[0] + here[0] + city[0] + end
            is_here = ((here[1][0][0], here[1][0][1] | turn),) if asked else here[1][:1]
            en = (is_here + one[1] if asked else one[1] + is_here) + here[1][1:] + city[1]
        return _Phrase(zh, en, marks | ({"question"} if asked else set()))


# How often a sentence of a kind is made, and whether it may have a combination that is not seen.
_KINDS = (
    (10, True, _Grammar.act),
    (3, True, _Grammar.want),
    (4, True, _Grammar.feel),
    (2, True, _Grammar.contrast),
    (5, False, _Grammar.do),
    (3, False, _Grammar.go),
    (2, False, _Grammar.visit),
    (4, True, _Grammar.ask),
    (4, True, _Grammar.dispose),
    (3, False, _Grammar.put),
    (3, False, _Grammar.give),
    (4, True, _Grammar.suffer),
    (3, False, _Grammar.exist),
    (3, False, _Grammar.own),
    (3, False, _Grammar.be),
    (3, False, _Grammar.located),
    (3, False, _Grammar.quality),
    (3, False, _Grammar.compare),
    (3, False, _Grammar.sights),
)
# Where one does what.
_PLACED = {
    "买": "shop",
    "卖": "shop",
    "吃": "eat",
    "喝": "eat",
    "做": "eat",
    "等": "eat shop visited",
}
_PLACED |= {"画": "outside", "采访": "study outside", "看": "study outside"}

_WANT = _Verb("想", "想", "want", "wants", "wanted", "wanted", "wanting")
_GO = _Verb("去", "去", "go", "goes", "went", "gone", "going", particle="to", long=True)
_PUT = _Verb("放", "放", "put", "puts", "put", "put", "putting")
_HAVE = _Verb("有", "有", "have", "has", "had", "had", "having")


def _be(person: str) -> str:
    return {"1s": "am", "3s": "is"}.get(person, "are")


def _finite(person: str, verb: _Verb, tense: str, split: bool) -> tuple[str, str]:
    """The auxiliary, if any, and the main verb; split: with an auxiliary in any case."""
    third = person == "3s"
    if tense == "future":
        return "will", verb.base
    if tense == "progressive":
        return _be(person), verb.ing
    if split:
        return "did" if tense == "past" else "does" if third else "do", verb.base
    if tense == "past":
        return "", verb.past
    return "", verb.third if third else verb.base


def _joined(text: Text, first: str, second: str, both: str) -> Text:
    """Two words that follow each other made one, with the ties of both."""
    for i, ((a, ties), (b, more)) in enumerate(pairwise(text)):
        if (a, b) == (first, second):
            return (*text[:i], (both, ties | more), *text[i + 2 :])
    raise ValueError(f"text: got {text}, expected {first} {second} in it")
