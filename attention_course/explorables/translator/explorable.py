"""A trained Transformer that translates on the page: every word it writes, and where it looks."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

import numpy as np

from attention_course.corpora import Vocabulary
from attention_course.corpora.pairs import read_english
from attention_course.language import words as module_words
from attention_course.markup import element, escape
from attention_course.palette import BLUE, ORANGE

from .. import still
from ..base import LINE, WIDE, Explorable, asset_bytes, letters, lines, one_of, rows

if TYPE_CHECKING:
    from attention_course.corpora import SentencePair, TranslationCorpus
    from attention_course.transformer import Transformer

STRUCTURES = (
    "relative",
    "sights",
    "ba",
    "bei",
    "question",
    "comparison",
    "existence",
    "contrast",
    "possessive",
    "progressive",
)
"""Of the sentences to pick from, as :class:`attention_course.corpora.SentencePair` names them."""

MOST = 40  # words, of a sentence and of its translation
LIKELY = 5  # candidates that are shown


class Sentence(TypedDict, total=False):
    """A sentence that the reader can pick.

    ``source`` and ``target`` are its words and those of its translation, ``alignment`` pairs
    ``(target place, source place)``; ``note`` is what the list says of it.
    """

    source: Sequence[str]
    target: Sequence[str]
    alignment: Sequence[tuple[int, int]]
    note: str


class Translator(Explorable):
    """Pick or type a sentence, step through its translation, look at every head, switch heads off.

    It begins with the head whose weights are nearest to the gold alignments of the sentences. The
    model is a :class:`~attention_course.transformer.Transformer`, shipped as float16 with its
    sizes in the header of its file, and computed in float64 on the page. The page holds the
    translation of the first sentence; the file is fetched when the reader asks for more.

    Args:
        source_words, target_words: the vocabularies, a word for each id; 0 is padding.
        sentences: to pick from, at least one; the first is shown at the start.
        start, end: the ids of the tokens with which a translation starts and ends.

    Raises:
        ValueError: the vocabularies are not those of the model; a sentence has no words or an
            unknown one; an alignment points outside; an id is out of range.
    """

    module = "translator"
    assets: ClassVar[Mapping[str, str]] = {"model": "models/translator.safetensors"}

    def __init__(
        self,
        source_words: Sequence[str],
        target_words: Sequence[str],
        sentences: Sequence[Sentence],
        *,
        start: int,
        end: int,
    ) -> None:
        source_words, target_words = list(source_words), list(target_words)
        path = self.assets["model"]
        shapes, sizes = _header(path)
        for name, listed in (("source", source_words), ("target", target_words)):
            count = shapes[f"{name}_embedding.table.weight"][0]
            if len(listed) != count:
                raise ValueError(
                    f"{name}_words: got {len(listed)} words, expected the model's {count}"
                )
        tokens = range(1, len(target_words))
        start = one_of("start", start, tokens, f"an id from 1 to {len(target_words) - 1}")
        end = one_of("end", end, tokens, f"an id from 1 to {len(target_words) - 1}")
        if not sentences:
            raise ValueError("sentences: got none, expected at least one")
        listed = [_listed(each, source=source_words, target=target_words) for each in sentences]
        model = model_of(asset_bytes(path))
        layer, head = nearest_to_gold(model, source_words, target_words, listed, start)
        first = [source_words.index(word) for word in listed[0]["source"]]
        first = translated(model, first, start, end, layer)
        written = [target_words[i] for i in first["written"]]
        tied = [t for t in range(len(written)) if _gold(listed[0], written, t)]
        super().__init__(
            source_words=source_words,
            target_words=target_words,
            start=start,
            end=end,
            sentences=listed,
            sizes={name: int(sizes[name]) for name in ("num_heads", "num_layers")},
            kilobytes=round(len(asset_bytes(path)) / 1000),
            first=first,
            text="".join(listed[0]["source"]),
            count=-1,
            at=tied[0] if tied else 0,
            **{"from": 0},
            kind="cross",
            layer=layer,
            head=head,
            off=[],
            told="",
            comparing=False,
        )

    @classmethod
    def of(cls, corpus: TranslationCorpus) -> Translator:
        """With sentences of a corpus that the model was not trained on, one for each structure.

        The last are a pairing of verb and object that it never saw, and sentences longer than any
        that it learned from.

        Raises:
            ValueError: the corpus has other words than the model, or lacks a structure.
        """
        words = module_words(cls.module)
        picked: list[tuple[SentencePair, str]] = []
        for structure in STRUCTURES:
            fitting = [
                pair
                for pair in corpus.held_out
                if structure in pair.structures
                and (structure == "question") == ("question" in pair.structures)
            ]
            if not fitting:
                raise ValueError(f"corpus: got none with {structure!r}, expected one held out")
            picked.append((_shortest(fitting, [pair for pair, _ in picked]), words["listed"]))
        unseen = _shortest(corpus.unseen_combinations, [])
        longer = sorted(corpus.longer, key=lambda pair: len(pair.source))
        picked += [(unseen, words["listed_unseen"]), (longer[0], words["listed_longer"])]
        picked += [(longer[-1], words["listed_longer"])]
        sentences: list[Sentence] = [
            {
                "source": pair.source,
                "target": pair.target,
                "alignment": sorted(pair.alignment),
                "note": note.format(english=read_english(pair.target)),
            }
            for pair, note in picked
        ]
        source, target = corpus.source_vocabulary.words, corpus.target_vocabulary.words
        return cls(source, target, sentences, start=corpus.start, end=corpus.end)

    def room(self, columns: int) -> float:
        words, wide = self.words, columns == WIDE
        first = self.state["first"]
        source = [self.state["source_words"][i] for i in first["source"]]
        target = [self._word(i) for i in first["written"]]
        chips = sum(_chips(row, columns - 10 * wide) for row in (source, target))
        buttons = [words[name] for name in ("translate", "step", "back", "again")]
        attentions = [words[name] for name in ("attention", "encoder", "decoder", "cross")]
        pressed = rows(buttons, columns + 8) + rows(attentions, columns + 6) + (1 if wide else 2)
        said = max(2 if wide else 3, lines(words["says"], 0.9 * columns))
        below = 25 * (LIKELY + 1) + said * LINE + 3 * 44
        title = (lines(words["title"], columns) - 1) * LINE
        return title + (50 if wide else 148) + 48 * pressed + chips + below + 79

    def still(self) -> str:
        words, first = self.words, self.state["first"]
        source = [self.state["source_words"][i] for i in first["source"]]
        target = [self._word(i) for i in first["written"]]
        heads = len(first["weights"])
        mean = np.mean(first["weights"], axis=0)  # (n_target, n_source)
        head = self.state["head"]
        seen = mean if head < 0 else np.array(first["weights"][head])
        sentence = self.state["sentences"][0]
        gold = [_gold(sentence, target, t) for t in range(len(target))]
        at = self.state["at"]
        looks = [
            [
                word,
                still.number(mean[at][s], 4),
                *(still.number(each[at][s], 4) for each in first["weights"]),
                (words["yes"] if s in gold[at] else words["no"]) if gold[at] else "–",
            ]
            for s, word in enumerate(source)
        ]
        likely = [[self._word(i), still.number(chance, 4)] for i, chance in first["candidates"][at]]
        named = [words["one_head"].format(head=h + 1) for h in range(heads)]
        return (
            element("p", escape(f"{self.state['text']} → {' '.join(target[:-1])}"))
            + _heatmap(source, target, seen, gold, words["picture"])
            + still.table(
                words["weights_table"], [words["word"], words["mean"], *named, words["gold"]], looks
            )
            + still.table(words["likely_table"], [words["written"], words["chance"]], likely)
        )

    def _word(self, token: int) -> str:
        """A word of the target as it is shown."""
        return (
            self.words["end"] if token == self.state["end"] else self.state["target_words"][token]
        )


def _shortest(pairs: Sequence[SentencePair], without: Sequence[SentencePair]) -> SentencePair:
    """The first of the shortest of at least six words."""
    fitting = [pair for pair in pairs if len(pair.source) >= 6 and pair not in without]
    return min(fitting, key=lambda pair: len(pair.source))


def translated(
    model: Transformer, source: Sequence[int], start: int, end: int, layer: int
) -> dict[str, Any]:
    """What the page holds of a translation before it has the model.

    Returns:
        The ids of the source and of the words ``written``; of each place the likeliest
        ``candidates``, pairs of id and probability; the ``weights`` of the cross-attention of one
        ``layer``, ``(heads, n_target, n_source)``.
    """
    import torch  # only to write the page; the page itself computes without it

    from attention_course.decoding import greedy_decode
    from attention_course.transformer import attention_weights

    ids = torch.tensor([list(source)])
    written = greedy_decode(model, ids, start, end, MOST)
    read = torch.cat([torch.tensor([[start]]), written[:, :-1]], dim=1)
    with torch.no_grad(), attention_weights(model) as weights:
        logits = model(ids, read)[0]  # (n_target, vocabulary)
    logits[:, 0] = -torch.inf  # padding is no word
    chances, tokens = logits.softmax(-1).topk(LIKELY)
    looks = weights[f"decoder.{layer}.cross_attention"][0]
    return {
        "source": list(source),
        "written": written[0].tolist(),
        "candidates": [
            [[token, round(chance, 6)] for token, chance in zip(*place, strict=True)]
            for place in zip(tokens.tolist(), chances.tolist(), strict=True)
        ],
        "weights": [[[round(x, 6) for x in row] for row in head] for head in looks.tolist()],
        "layer": layer,
    }


def nearest_to_gold(
    model: Transformer,
    source_words: Sequence[str],
    target_words: Sequence[str],
    sentences: Sequence[Mapping[str, Any]],
    start: int,
) -> tuple[int, int]:
    """Which head of the cross-attention gives most weight to the gold alignments.

    Returns:
        Its layer and its number in it; the last layer and -1, the mean of its heads, where no
        sentence has an alignment.
    """
    import torch  # only to write the page; the page itself computes without it

    from attention_course.transformer import attention_weights

    aligned = [sentence for sentence in sentences if sentence["alignment"]]
    layers = range(len(model.decoder))
    if not aligned:
        return len(layers) - 1, -1
    sources = Vocabulary(source_words[1:]).encode([each["source"] for each in aligned])
    targets = Vocabulary(target_words[1:]).encode([each["target"] for each in aligned])
    first = np.full((len(aligned), 1), start)
    read = np.concatenate([first, targets[:, :-1]], axis=1)
    with torch.no_grad(), attention_weights(model) as weights:
        model(torch.tensor(sources), torch.tensor(read))
    looks = torch.stack([weights[f"decoder.{i}.cross_attention"] for i in layers], dim=1)
    agreed = []
    for sentence, each in zip(aligned, looks, strict=True):  # (layers, heads, n_target, n_source)
        target, source = np.transpose(sentence["alignment"])
        agreed.append(each[..., target, source].mean(-1))
    best = int(torch.stack(agreed).mean(0).argmax())
    return divmod(best, model.decoder[0].cross_attention.num_heads)


@cache
def model_of(file: bytes) -> Transformer:
    """The model that a safetensors file holds, in float64, as the page computes."""
    from safetensors.torch import load

    from attention_course.transformer import Transformer

    shapes, said = _read_header(file)
    model = Transformer(
        shapes["source_embedding.table.weight"][0],
        shapes["target_embedding.table.weight"][0],
        *(int(said[name]) for name in ("d_model", "num_heads", "num_layers", "d_ff")),
        norm=said["norm"],
    )
    model.load_state_dict(load(file))
    return model.double().eval()


@cache
def _header(path: str) -> tuple[dict[str, list[int]], dict[str, str]]:
    return _read_header(asset_bytes(path))


def _read_header(file: bytes) -> tuple[dict[str, list[int]], dict[str, str]]:
    """The shapes of a safetensors file's tensors by name, and what it says of the model."""
    (length,) = struct.unpack_from("<Q", file)
    entries = json.loads(file[8 : 8 + length])
    said = entries.pop("__metadata__")
    return {name: entry["shape"] for name, entry in entries.items()}, said


def _listed(sentence: Mapping[str, Any], **known: Sequence[str]) -> dict[str, Any]:
    """A sentence as JSON values, when all of its words are known."""
    source, target = list(sentence["source"]), list(sentence.get("target", []))
    if not 1 <= len(source) <= MOST:
        raise ValueError(f"sentences: got one of {len(source)} words, expected 1 to {MOST}")
    for side, words in (("source", source), ("target", target)):
        for word in words:
            if not word or word not in known[side]:
                raise ValueError(f"sentences: got {word!r}, expected a word of {side}_words")
    pairs = [[int(t), int(s)] for t, s in sentence.get("alignment", [])]
    for t, s in pairs:
        if not (0 <= t < len(target) and 0 <= s < len(source)):
            raise ValueError(
                f"sentences: got the alignment {(t, s)}, expected a target place below "
                f"{len(target)} and a source place below {len(source)}"
            )
    made = {"source": source, "target": target, "alignment": pairs}
    return {**made, "note": sentence["note"]} if sentence.get("note") else made


def _gold(sentence: Mapping[str, Any], written: Sequence[str], at: int) -> list[int]:
    """The source places that the gold alignment has for a written word, as the module finds them.

    Those of the same word of the reference, at the same place or where it stands only once.
    """
    places = [t for t, word in enumerate(sentence["target"]) if word == written[at]]
    place = at if at in places else places[0] if len(places) == 1 else None
    return [s for t, s in sentence["alignment"] if t == place]


def _chips(row: Sequence[str], columns: float) -> int:
    """About how many pixels words take that stand in boxes side by side as far as they fit."""
    taken, made = 0.0, 1
    for word in row:
        wide = max(6.7, letters(word) * 1.05 + 2.7)
        if taken and taken + wide > columns:
            taken, made = 0.0, made + 1
        taken += wide
    return 54 * made


def _heatmap(
    source: Sequence[str],
    target: Sequence[str],
    weights: np.ndarray,
    gold: Sequence[Sequence[int]],
    alt: str,
) -> str:
    """The weights as cells, a row for each word that was written; gold pairs have a frame."""
    left, wide = 9 * max(map(letters, target)) + 8, 9 * max(map(letters, source)) + 10
    shapes = [
        still.text(left + wide * (s + 0.5), 16, word, text_anchor="middle")
        for s, word in enumerate(source)
    ]
    for t, (word, row) in enumerate(zip(target, weights, strict=True)):
        y = 24 + 28 * t
        shapes.append(still.text(left - 8, y + 18, word, text_anchor="end"))
        for s, weight in enumerate(row):
            cell = {"x": left + wide * s + 1, "y": y, "width": wide - 2, "height": 26, "rx": 4}
            frame = {"stroke": ORANGE, "stroke_width": 2} if s in gold[t] else {}
            opacity = round(float(weight), 3)
            shapes.append(element("rect", **cell, **frame, fill=BLUE, fill_opacity=opacity))
    return still.svg(left + wide * len(source), 26 + 28 * len(target), alt, *shapes)
