"""The heads of a trained attention layer: where each looks, and what each adds to the answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from attention_course.numbers import as_array

from .. import still
from ..base import LINE, WIDE, Explorable, array, lines, one_of, token_list


class HeadPicker(Explorable):
    """Pick a head and a token, see where the head looks; switch heads off, see which answers fall.

    The output projection and the read-out are linear, so the scores of the answers are a sum with a
    part from each head. A head that is off adds nothing.

    Args:
        tokens: the sequence, up to 16 different tokens.
        weights: ``(heads, n, n)``; up to 8 heads.
        scores: ``(heads, n, questions, names)``: what each head adds to the score of each possible
            answer to each question, asked at each token.
        names: the possible answers, all tokens among them.
        questions: a name for each question, up to 4.
        places: ``(n, questions)``: at which place stands the token that answers it.

    Raises:
        ValueError: shapes that do not fit, numbers that are not finite, too many tokens or heads.
        TypeError: tokens that are not strings, numbers that are none.
    """

    module = "head_picker"

    def __init__(
        self,
        tokens: Sequence[str],
        weights: Any,
        scores: Any,
        names: Sequence[str],
        questions: Sequence[str],
        places: Any,
    ) -> None:
        tokens, names = token_list(tokens, 16), token_list(names, 64)
        questions, n = token_list(questions, 4), len(tokens)
        for token in tokens:
            if token not in names:
                raise ValueError(f"names: got no {token!r}, expected all tokens among them")
        weights = array("weights", weights, None, n, n)
        one_of("heads", len(weights), range(1, 9), "1 to 8 heads")
        scores = array("scores", scores, len(weights), n, len(questions), len(names))
        places = as_array("places", places)
        if places.shape != (n, len(questions)):
            raise ValueError(f"places: got shape {places.shape}, expected ({n}, {len(questions)})")
        for place in places.ravel().tolist():
            one_of("places", place, range(n), f"whole numbers from 0 to {n - 1}")
        super().__init__(
            tokens=tokens,
            weights=weights,
            scores=scores,
            names=names,
            questions=questions,
            places=places.astype(int).tolist(),
            on=[1] * len(weights),
            head=0,
            token=0,
        )

    def room(self, columns: int) -> float:
        n, heads = len(self.state["tokens"]), len(self.state["weights"])
        side = 4 if columns == WIDE else 2
        cards = 100 * -(-heads // side)
        questions = 30 * len(self.state["questions"])
        sentence = max(lines(self.words["said"], 0.9 * columns), 2 if columns == WIDE else 3)
        return cards + 56 + 27 * n + questions + sentence * LINE + 96

    def still(self) -> str:
        state, words = self.state, self.words
        tokens, weights = state["tokens"], np.array(state["weights"])
        heads = [words["head"].format(head=h + 1) for h in range(len(weights))]
        looks = [
            [token, *(still.number(weights[h, 0, j], 4) for h in range(len(weights)))]
            for j, token in enumerate(tokens)
        ]
        best = np.array(state["scores"]).sum(axis=0).argmax(axis=-1)  # (n, questions)
        answers = [
            [token, *(self._answer(best[i, q], place) for q, place in enumerate(row))]
            for i, (token, row) in enumerate(zip(tokens, state["places"], strict=True))
        ]
        return (
            still.bars(tokens, weights[0, 0], words["weight"])
            + still.table(words["weights_table"], [words["token"], *heads], looks)
            + still.table(words["answers_table"], [words["token"], *state["questions"]], answers)
        )

    def _answer(self, best: int, place: int) -> str:
        said, wanted = self.state["names"][best], self.state["tokens"][place]
        key = "right" if said == wanted else "wrong"
        return self.words[key].format(said=said, wanted=wanted)
