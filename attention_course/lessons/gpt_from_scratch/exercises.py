"""The exercises of lesson 4-4."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from ...corpora.byte_pairs import merge
from ...exercises import Case, Exercise, Symptom

LESSON = "gpt_from_scratch"


# --- 1: join a pair of tokens ---------------------------------------------------------------------


def my_merge(tokens, pair, new):
    joined = []
    i = 0
    while i < len(tokens):
        if i + 1 < len(tokens) and (tokens[i], tokens[i + 1]) == pair:
            joined.append(new)
            i += 2
        else:
            joined.append(tokens[i])
            i += 1
    return joined


def _merge_back(tokens, pair, new):
    """Puts each token behind, and looks whether the last two are the pair."""
    joined, free = [], False  # whether the last of `joined` is a token that may still be joined
    for token in tokens:
        if free and (joined[-1], token) == pair:
            joined[-1], free = new, False
        else:
            joined.append(token)
            free = True
    return joined


def _merge_skips(tokens, pair, new):
    result, skip = [], False
    for i, token in enumerate(tokens):
        if skip:
            skip = False
        elif tuple(tokens[i : i + 2]) == tuple(pair):
            result.append(new)
            skip = True
        else:
            result.append(token)
    return tuple(result)


def _merge_recursive(tokens, pair, new):
    if len(tokens) < 2:
        return list(tokens)
    if list(tokens[:2]) == list(pair):
        return [new, *_merge_recursive(tokens[2:], pair, new)]
    return [tokens[0], *_merge_recursive(tokens[1:], pair, new)]


def _merge_deletes(tokens, pair, new):
    tokens = list(tokens)
    i = 0
    while i < len(tokens) - 1:
        if tokens[i] == pair[0] and tokens[i + 1] == pair[1]:
            tokens[i] = new
            del tokens[i + 1]
        i += 1
    return np.array(tokens)


def _merge_text(tokens, pair, new):
    text = "".join(map(chr, tokens)).replace("".join(map(chr, pair)), chr(new))
    return torch.tensor([ord(letter) for letter in text])


def _merge_once(tokens, pair, new):
    for i in range(len(tokens) - 1):
        if (tokens[i], tokens[i + 1]) == pair:
            return [*tokens[:i], new, *tokens[i + 2 :]]
    return list(tokens)


def _merge_both_stay(tokens, pair, new):
    joined = []
    for i in range(len(tokens)):
        joined.append(new if (*tokens[i : i + 2],) == pair else tokens[i])
    return joined


def _merge_last_lost(tokens, pair, new):
    joined = []
    i = 0
    while i < len(tokens) - 1:
        if (tokens[i], tokens[i + 1]) == pair:
            joined.append(new)
            i += 2
        else:
            joined.append(tokens[i])
            i += 1
    return joined


def _merge_last_twice(tokens, pair, new):
    joined = []
    i = 0
    while i < len(tokens) - 1:
        if (tokens[i], tokens[i + 1]) == pair:
            joined.append(new)
            i += 1
        else:
            joined.append(tokens[i])
        i += 1
    return [*joined, tokens[-1]]


def _merge_neighbours(tokens, pair, new):
    return [new if each == pair else each[0] for each in pairwise(tokens)]


def _merge_again(tokens, pair, new):
    joined = []
    for i in range(len(tokens)):
        if i > 0 and (tokens[i - 1], tokens[i]) == pair:
            joined[-1] = new
        else:
            joined.append(tokens[i])
    return joined


def _merge_from_the_right(tokens, pair, new):
    return my_merge(tokens[::-1], pair[::-1], new)[::-1]


def _merge_either(tokens, pair, new):
    return [new if token in pair else token for token in tokens]


def _merge_every_other(tokens, pair, new):
    joined = []
    for i in range(0, len(tokens), 2):
        two = tokens[i : i + 2]
        joined += [new] if tuple(two) == pair else two
    return joined


def _merge_stops_early(tokens, pair, new):
    return my_merge(tokens[:-1], pair, new) + tokens[-1:]


def _merge_digits(tokens, pair, new):
    text = " ".join(map(str, tokens)).replace(" ".join(map(str, pair)), str(new))
    return [int(token) for token in text.split()]


def _merge_added(tokens, pair, new):
    return [*my_merge(tokens, pair, new), new]


join = Exercise(
    LESSON,
    "join",
    difficulty=2,
    minutes=10,
    right_answers=[
        my_merge,
        merge,
        _merge_back,
        _merge_skips,
        _merge_recursive,
        _merge_deletes,
        _merge_text,
    ],
    cases=[
        Case([5, 3, 5, 3, 5, 8, 3, 5], (3, 5), 9),
        Case([3, 5, 5, 3, 5], (3, 5), 9),
        Case([3, 5, 8, 5, 3, 3, 5, 4], (3, 5), 20),
        Case([6, 6, 6, 2], (6, 6), 11),
        Case([1, 2, 4], (4, 1), 7),
        Case([8], (8, 8), 9),
        Case([13, 5, 2, 3, 51], (3, 5), 9),
    ],
    mistakes={
        "both_stay": [_merge_both_stay, _merge_neighbours],
        "first_only": _merge_once,
        "every_other": _merge_every_other,
        "last_pair": _merge_stops_early,
        "last_lost": _merge_last_lost,
        "last_twice": _merge_last_twice,
        "again": _merge_again,
        "either": _merge_either,
        "reversed": lambda tokens, pair, new: my_merge(tokens, pair[::-1], new),
        "any_order": lambda tokens, pair, new: my_merge(
            my_merge(tokens, pair, new), pair[::-1], new
        ),
        "dropped": lambda tokens, pair, new: [
            token for token in my_merge(tokens, pair, new) if token != new
        ],
        "from_the_right": _merge_from_the_right,
        "unchanged": lambda tokens, pair, new: list(tokens),
        "added": _merge_added,
        "digits": _merge_digits,
    },
    otherwise="other_join",
    by_shape=False,
    wrong_answers={
        "other_join": [
            lambda tokens, pair, new: [new] * len(my_merge(tokens, pair, new)),
        ],
    },
)


# --- 2: top-p -------------------------------------------------------------------------------------


def my_top_p(p, top_p):
    falling, order = p.sort(descending=True)
    before = falling.cumsum(dim=0) - falling
    kept = torch.zeros_like(p)
    kept[order] = torch.where(before < top_p, falling, 0)
    return kept / kept.sum()


def _top_p_loop(p, top_p):
    kept, total = torch.zeros_like(p), 0.0
    while total < top_p and (kept == 0).any():
        best = torch.where(kept > 0, 0, p).argmax()
        kept[best] = p[best]
        total += p[best].item()
    return kept / total


def _top_p_numpy(p, top_p):
    values = np.array(p)
    order = np.argsort(-values)
    count = 1
    while count < len(values) and values[order[:count]].sum() < top_p:
        count += 1
    kept = np.zeros_like(values)
    kept[order[:count]] = values[order[:count]]
    return kept / kept.sum()


def _top_p_list(p, top_p):
    numbers = p.tolist()
    total, allowed = 0.0, []
    for value in sorted(numbers, reverse=True):
        if total < top_p:
            allowed.append(value)
        total += value
    return [value / sum(allowed) if value in allowed else 0 for value in numbers]


def _top_p_pairwise(p, top_p):
    likelier = (p[None, :] > p[:, None]).to(p.dtype) @ p  # (n,)
    kept = p * (likelier < top_p)
    return kept / kept.sum()


def _top_p_searched(p, top_p):
    falling, order = torch.sort(p, descending=True)
    count = min(int(torch.searchsorted(falling.cumsum(0), top_p)) + 1, len(p))
    kept = p.clone()
    kept[order[count:]] = 0
    return kept.div(kept.sum())


def _top_p_zeros(p, top_p):
    falling, order = p.sort(descending=True)
    count = (falling.cumsum(dim=0) < top_p).sum() + 1
    kept = torch.zeros(len(p))
    kept[order[:count]] = falling[:count] / falling[:count].sum()
    return kept


def _rule(
    keep: Callable[[Tensor, Tensor, float], Tensor], *, scaled: bool = True, descending: bool = True
) -> Callable[[Tensor, float], Tensor]:
    """A wrong answer: another rule of what to keep, or without what follows.

    ``keep(falling, cumulated, top_p)`` says which of the sorted ones stay.
    """

    def answer(p, top_p):
        falling, order = p.sort(descending=descending)
        kept = torch.zeros_like(p)
        kept[order] = torch.where(keep(falling, falling.cumsum(dim=0), top_p), falling, 0)
        return kept / kept.sum() if scaled else kept

    return answer


def _top_p_sorted(p, top_p):
    return my_top_p(p.sort(descending=True).values, top_p)


def _top_p_in_order(p, top_p):
    before = p.cumsum(dim=0) - p
    kept = torch.where(before < top_p, p, 0)
    return kept / kept.sum()


def _top_p_softmax(p, top_p):
    return my_top_p(p, top_p).softmax(dim=0)


def _top_p_softmax_of_kept(p, top_p):
    return p.masked_fill(my_top_p(p, top_p) == 0, -torch.inf).softmax(dim=0)


def _top_p_divided(p, top_p):
    return p * (my_top_p(p, top_p) > 0) / top_p


def _top_p_only_kept(p, top_p):
    kept = my_top_p(p, top_p).sort(descending=True).values
    return kept[kept > 0]


def _top_p_taken_from(p, top_p):
    falling, order = p.sort(descending=True)
    kept = torch.where(falling.cumsum(dim=0) - falling < top_p, falling, 0)[order]
    return kept / kept.sum()


def _top_p_case(p: list[float], top_p: float) -> Case:
    return Case(torch.tensor(p), top_p)


nucleus = Exercise(
    LESSON,
    "nucleus",
    difficulty=2,
    minutes=15,
    right_answers=[
        my_top_p,
        _top_p_loop,
        _top_p_numpy,
        _top_p_list,
        _top_p_pairwise,
        _top_p_searched,
        _top_p_zeros,
    ],
    cases=[
        _top_p_case([0.26, 0.07, 0.38, 0.2, 0.09], 0.61),
        _top_p_case([0.22, 0.1, 0.26, 0.18, 0.24], 0.75),
        _top_p_case([0.6, 0.25, 0.15], 0.5),
        _top_p_case([0.02, 0.08, 0.35, 0.12, 0.24, 0.19], 0.85),
        _top_p_case([0.3, 0.7], 1.0),
        _top_p_case([0.0625, 0.5, 0.25, 0.1875], 0.75),  # exact: the first two have just that
    ],
    mistakes={
        "not_scaled": _rule(lambda falling, sums, top_p: sums - falling < top_p, scaled=False),
        "one_short": _rule(lambda falling, sums, top_p: sums <= top_p),
        "one_short_unscaled": _rule(lambda falling, sums, top_p: sums <= top_p, scaled=False),
        "one_too_many": [
            _rule(
                lambda falling, sums, top_p: (
                    sums - falling - falling.roll(1) * (sums > falling) < top_p
                )
            ),
            _rule(lambda falling, sums, top_p: sums - falling <= top_p),
        ],
        "sorted": _top_p_sorted,
        "in_order": _top_p_in_order,
        "unlikely": _rule(lambda falling, sums, top_p: sums - falling < top_p, descending=False),
        "each_alone": [
            _rule(lambda falling, sums, top_p: falling >= top_p),
            _rule(lambda falling, sums, top_p: falling >= top_p, scaled=False),
        ],
        "of_the_largest": _rule(lambda falling, sums, top_p: falling >= top_p * falling[0]),
        "softmax": [_top_p_softmax, _top_p_softmax_of_kept],
        "divided_by_top_p": _top_p_divided,
        "taken_from": _top_p_taken_from,
        "only_kept": _top_p_only_kept,
        "a_share_of_the_tokens": _rule(
            lambda falling, sums, top_p: torch.arange(len(falling)) < top_p * len(falling)
        ),
        "unchanged": lambda p, top_p: p,
        "marks": Symptom(
            lambda got, want, p, top_p: set(np.unique(got)) <= {0, 1} and got.sum() > 1
        ),
    },
    otherwise="other_nucleus",
    wrong_answers={
        "marks": [lambda p, top_p: (my_top_p(p, top_p) > 0).double()],
        "other_nucleus": [lambda p, top_p: 1 - p],
    },
    exact_zeros=True,
)
