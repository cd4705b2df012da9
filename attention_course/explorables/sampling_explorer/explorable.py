"""How temperature, top-k and top-p choose the tokens from which the next one is drawn."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from attention_course.markup import element, escape

from .. import still
from ..base import LINE, WIDE, Explorable, array, between, one_of, rows, token_list

SHOWN = 10  # tokens with a bar of their own, as in the module
DRAWS = 20
_SIGNS = {" ": "␣", "\n": "⏎", "\t": "⇥"}
_LINES, _LETTERS = 3, 120  # so much of a context is shown, counted from its end


class SamplingExplorer(Explorable):
    """Pick a text; move temperature, top-k and top-p; see which tokens are left, and draw.

    The page computes :func:`attention_course.decoding.probabilities` of the text's logits. All of
    them are in the state: how much the unlikely tokens have together depends on the temperature,
    so no sum over them could stand in for them. Drawn is by lot from these probabilities, with the
    page's own random numbers: the same number of a draw gives the same ones again.

    Args:
        contexts: 1 to 6 texts, whose end the page shows.
        tokens: the vocabulary, up to 512 pieces of text. Space, line break and tab are shown as ␣,
            ⏎ and ⇥, other characters that cannot be seen by their code.
        logits: ``(contexts, vocab)``: for each text what the model gives to each token as the next.
        temperature: at the start, 0.1 to 3.
        top_k, top_p: at the start; None is off, and so is a ``top_p`` of 1.

    Raises:
        TypeError: contexts or tokens that are not strings, numbers that are none.
        ValueError: shapes that do not fit, numbers that are not finite or outside these, an empty
            text or token.

    Source: as of :func:`attention_course.decoding.probabilities`.
    """

    module = "sampling_explorer"

    def __init__(
        self,
        contexts: Sequence[str],
        tokens: Sequence[str],
        logits: Any,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
    ) -> None:
        if isinstance(contexts, str) or not all(isinstance(text, str) for text in contexts):
            raise TypeError(f"contexts: got {contexts!r}, expected a sequence of strings")
        one_of("the number of contexts", len(contexts), range(1, 7), "1 to 6")
        tokens = token_list(tokens, 512)
        for name, texts in (("contexts", contexts), ("tokens", tokens)):
            if "" in texts:
                raise ValueError(f"{name}: got an empty string, expected text in each")
        if top_k is not None:
            top_k = one_of(
                "top_k", top_k, range(1, len(tokens) + 1), f"None or 1 to {len(tokens)} tokens"
            )
        if top_p is not None:
            top_p = between("top_p", top_p, 0.01, 1)
            top_p = None if top_p == 1 else top_p  # all together have it: nothing to cut
        super().__init__(
            contexts=[_end(text) for text in contexts],
            tokens=[visible(token) for token in tokens],
            logits=array("logits", logits, len(contexts), len(tokens)),
            context=0,
            temperature=between("temperature", temperature, 0.1, 3),
            top_k=top_k,
            top_p=top_p,
            seed=None,
        )

    def room(self, columns: int) -> float:
        state, words, wide = self.state, self.words, columns == WIDE
        labels = [_label(text) for text in state["contexts"]]
        texts = 48 * rows(labels, columns if wide else columns - 2) if len(labels) > 1 else 0
        letters = 0.85 * columns  # of code, which is wider
        long = max(
            sum(-(-max(1, len(line)) // int(letters)) for line in text.split("\n"))
            for text in state["contexts"]
        )
        bars = min(SHOWN, len(state["tokens"])) + (len(state["tokens"]) > SHOWN)
        key = 25 * rows([words[name] for name in ("own_key", "now_key", "came_key")], columns)
        buttons = 48 * rows([words["draw"], words["again"]], columns)
        return texts + 21 * long + 27 * bars + key + buttons + 4 * LINE + (225 if wide else 390)

    def still(self) -> str:
        state, words, here = self.state, self.words, measured(self.state)
        before, after, order = (here[name].numpy() for name in ("before", "after", "order"))
        text, off = state["contexts"][state["context"]], words["off"]
        shown = words["shown"].format(
            temperature=still.number(state["temperature"]),
            top_k=off if state["top_k"] is None else state["top_k"],
            top_p=off if state["top_p"] is None else still.number(state["top_p"]),
        )
        first, rest = order[:SHOWN], order[SHOWN:]
        labels = [state["tokens"][place] for place in first]
        logits = np.array(state["logits"][state["context"]])
        table = [
            self._row(label, still.number(logits[place]), before[place], after[place])
            for label, place in zip(labels, first, strict=True)
        ]
        if len(rest):
            name = words["others"].format(count=len(rest))
            table.append(self._row(name, "", before[rest].sum(), after[rest].sum()))
        head = ["token", "logit", "before", "after", "drawn"]
        return (
            element("pre", element("code", escape(text), element("b", " ?")))
            + element("p", escape(words["signs"]))
            + element("p", escape(shown))
            + still.bars(labels, after[first], words["picture"])
            + still.table(words["table"], [words[name] for name in head], table)
        )

    def _row(self, label: str, logit: str, before: float, after: float) -> list[str]:
        left = still.number(after, 4) if after > 0 else self.words["cut"]
        return [label, logit, still.number(before, 4), left, "–"]


def measured(state: Mapping[str, Any]) -> dict[str, Any]:
    """What the library makes of a state.

    The model's own probabilities ``before`` and those ``after`` temperature and cuts, (vocab,);
    the ``order`` of the tokens, likeliest first; how many are ``kept``; the probability ``lost`` to
    the cuts at this temperature; and both distributions' ``entropies`` in bits.
    """
    import torch  # only to write the page; the page itself computes without it

    from attention_course.decoding import probabilities

    logits = torch.tensor(state["logits"][state["context"]], dtype=torch.float64)
    before, whole = probabilities(logits), probabilities(logits, state["temperature"])
    after = probabilities(logits, state["temperature"], state["top_k"], state["top_p"])
    both = torch.stack([before, after])
    return {
        "before": before,
        "after": after,
        "order": logits.sort(descending=True, stable=True).indices,
        "kept": (after > 0).sum(),
        "lost": whole.where(after == 0, 0.0).sum(),
        "entropies": torch.special.entr(both).sum(-1) / np.log(2),
    }


def visible(text: str) -> str:
    """``text`` with a sign for each character that cannot be seen: ␣, ⏎, ⇥ or its code."""
    return "".join(map(_sign, text))


def _sign(character: str) -> str:
    if character in _SIGNS:
        return _SIGNS[character]
    if unicodedata.category(character)[0] not in "CZ":
        return character
    return character.encode("unicode_escape", "surrogatepass").decode()


def _end(context: str) -> str:
    """The last lines of a context with visible signs; a break follows each sign of a break."""
    kept = "".join(context.splitlines(keepends=True)[-_LINES:])[-_LETTERS:]
    more = "…" if len(kept) < len(context) else ""
    return more + "⏎\n".join(map(visible, kept.split("\n")))


def _label(context: str) -> str:
    """What a button says of a context, as in the module."""
    last = context.rstrip("\n").split("\n")[-1]
    return last if len(last) <= 16 else f"…{last[-15:]}"
