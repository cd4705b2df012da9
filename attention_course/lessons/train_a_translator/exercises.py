"""The exercises of lesson 4-2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ...exercises import Case, Exercise, Symptom

LESSON = "train_a_translator"


# --- 1: the share of next words that are right ----------------------------------------------------


def _next_case(target: list[list[int]], size: int, seed: int, *, wrong: float = 0.4) -> Case:
    """Logits that mostly say the right next word, some the word that was read, some at random."""
    rows = torch.tensor(target)
    lot = torch.Generator().manual_seed(seed)
    logits = torch.randn(len(rows), rows.size(1) - 1, size, generator=lot)
    said = rows[:, 1:].clone()
    draw = torch.rand(said.shape, generator=lot)
    said = torch.where(draw < wrong, rows[:, :-1], said)
    said = torch.where(draw > 0.9, torch.randint(1, size, said.shape, generator=lot), said)
    return Case(logits + 9 * F.one_hot(said, size), rows)


def my_accuracy(logits, target):
    right = target[:, 1:]
    hits = logits.argmax(dim=-1) == right
    return hits[right > 0].sum() / (right > 0).sum()


def _accuracy_loops(logits, target):
    hits = total = 0
    for said, row in zip(logits.tolist(), target.tolist(), strict=True):
        for numbers, word in zip(said, row[1:], strict=True):
            if word:
                total += 1
                hits += numbers.index(max(numbers)) == word
    return hits / total


def _accuracy_sums(logits, target):
    said, right = logits.max(-1).indices, target[..., 1:]
    return ((said == right) & (right > 0)).sum() / (right > 0).sum()


def _accuracy_flat(logits, target):
    right = target[:, 1:].reshape(-1)
    said = logits.reshape(-1, logits.shape[-1]).argmax(1)
    kept = right.nonzero().flatten()
    return torch.eq(said[kept], right[kept]).double().mean().item()


def _accuracy_numpy(logits, target):
    said, right = logits.numpy().argmax(-1), target.numpy()[:, 1:]
    return (said[right > 0] == right[right > 0]).mean()


def _hits(logits: Tensor, right: Tensor) -> Tensor:
    return (logits.argmax(dim=-1) == right).float()


def _not_shifted(logits, target):
    read = target[:, :-1]
    return _hits(logits, read)[read != 0].mean()


def _not_shifted_all(logits, target):
    return _hits(logits, target[:, :-1]).mean()


def _not_shifted_next(logits, target):
    return _hits(logits, target[:, :-1])[target[:, 1:] != 0].mean()


def _shifted_twice(logits, target):
    right = target[:, 2:]
    return _hits(logits[:, :-1], right)[right != 0].mean()


def _padding_counted(logits, target):
    return _hits(logits, target[:, 1:]).mean()


def _padding_divides(logits, target):
    right = target[:, 1:]
    return _hits(logits, right)[right != 0].sum() / right.numel()


def _padding_is_right(logits, target):
    right = target[:, 1:]
    return _hits(logits, right).masked_fill(right == 0, 1).mean()


def _padding_by_reading(logits, target):
    return _hits(logits, target[:, 1:])[target[:, :-1] != 0].mean()


def _mean_of_sentences(logits, target):
    right = target[:, 1:]
    words = (right != 0).float()
    return ((_hits(logits, right) * words).sum(dim=1) / words.sum(dim=1)).mean()


def _count_only(logits, target):
    right = target[:, 1:]
    return _hits(logits, right)[right != 0].sum()


def _start_counted(logits, target):
    right = target[:, 1:]
    return _hits(logits, right)[right != 0].sum() / (target != 0).sum()


def _places_by_saying(logits, target):
    right, said = target[:, 1:], logits.argmax(dim=-1)
    return _hits(logits, right)[said != 0].mean()


def _percent(logits, target):
    return 100 * my_accuracy(logits, target)


def _precedence(logits, target):
    right = target[:, 1:]
    return ((logits.argmax(dim=-1) == right) & right > 0).sum() / (right > 0).sum()


def _whole_division(logits, target):
    right = target[:, 1:]
    return int(_hits(logits, right)[right != 0].sum()) // int((right != 0).sum())


def _wrong_share(logits, target):
    return 1 - my_accuracy(logits, target)


def _whole_sentences(logits, target):
    right = target[:, 1:]
    return ((_hits(logits, right) == 1) | (right == 0)).all(dim=1).float().mean()


def _likelihood(logits, target):
    right = target[:, 1:]
    chances = logits.softmax(dim=-1).gather(-1, right[..., None])[..., 0]
    return chances[right != 0].mean()


def _without_end(logits, target):
    right = target[:, 1:]
    return _hits(logits, right)[right > 2].mean()


next_words = Exercise(
    LESSON,
    "next_words",
    difficulty=2,
    minutes=8,
    right_answers=[my_accuracy, _accuracy_loops, _accuracy_sums, _accuracy_flat, _accuracy_numpy],
    cases=[
        _next_case(
            [[1, 5, 6, 4, 7, 3, 2], [1, 7, 7, 2, 0, 0, 0], [1, 4, 6, 5, 2, 0, 0]], 8, seed=1946
        ),
        _next_case(
            [[1, 3, 3, 2, 0, 0, 0, 0], [1, 5, 6, 7, 8, 9, 4, 2], [1, 4, 2, 0, 0, 0, 0, 0]],
            11,
            seed=86,
        ),
        _next_case([[1, 9, 8, 7, 6, 5, 5, 4, 3, 2], [1, 3, 2, *[0] * 7]], 12, seed=83),
    ],
    mistakes={
        "none_right": Symptom(lambda got, want, logits, target: got == 0),
        "not_shifted": [_not_shifted, _not_shifted_all, _not_shifted_next],
        "shifted_twice": _shifted_twice,
        "padding_counted": [_padding_counted, _padding_divides, _padding_is_right],
        "padding_by_reading": _padding_by_reading,
        "mean_of_sentences": _mean_of_sentences,
        "start_counted": _start_counted,
        "places_by_saying": _places_by_saying,
        "count_only": _count_only,
        "percent": _percent,
        "wrong_share": _wrong_share,
        "whole_sentences": _whole_sentences,
        "likelihood": _likelihood,
        "without_end": _without_end,
    },
    otherwise="other_share",
    wrong_answers={
        "none_right": [
            _whole_division,
            lambda logits, target: (logits.max(dim=-1).values == target[:, 1:]).float().mean(),
            lambda logits, target: _hits(-logits, target[:, 1:])[target[:, 1:] != 0].mean(),
        ],
        "other_share": [lambda logits, target: 0.123, _precedence],
    },
)


# --- 2: greedy decoding ---------------------------------------------------------------------------


@dataclass(frozen=True)
class NextWord:
    """Stands for a translator: numbers for every word, given the words so far.

    Attributes:
        size: of the vocabulary.
        start: the word that must come first.
        said: what it wants to say, one after the other; then the end.
        end: the word that ends.
    """

    size: int
    start: int
    said: tuple[int, ...]
    end: int

    def __call__(self, written: object) -> Tensor:
        words = [int(word) for word in written]
        lot = torch.Generator().manual_seed(sum(words) + len(words))
        logits = torch.rand(self.size, generator=lot)
        done = len(words) - 1
        if words[:1] != [self.start]:
            favourite = (sum(words) + 7) % self.size
        elif tuple(words[1:]) == self.said[:done] and done < len(self.said):
            favourite = self.said[done]
        else:
            favourite = self.end
        logits[favourite] += 2
        return logits


def my_greedy(next_logits, start, end, longest):
    words = [start]
    while len(words) <= longest:
        word = next_logits(words).argmax().item()
        if word == end:
            break
        words.append(word)
    return words[1:]


def _greedy_for(next_logits, start, end, longest):
    found = []
    for _ in range(longest):
        logits = next_logits([start, *found]).tolist()
        best = logits.index(max(logits))
        if best == end:
            return found
        found.append(best)
    return found


def _greedy_recursive(next_logits, start, end, longest, written=()):
    word = int(next_logits((start, *written)).argmax())
    if len(written) == longest or word == end:
        return list(written)
    return _greedy_recursive(next_logits, start, end, longest, (*written, word))


def _greedy_tensor(next_logits, start, end, longest):
    words = torch.tensor([start])
    for _ in range(longest):
        words = torch.cat([words, next_logits(words).topk(1).indices])
        if words[-1] == end:
            return words[1:-1]
    return words[1:]


def _greedy_cut(next_logits, start, end, longest):
    words = [start]
    for _ in range(longest):
        words.append(int(next_logits(words).softmax(-1).argmax()))
    found = words[1:]
    return found[: found.index(end)] if end in found else found


def _greedy(
    *,
    first: bool = True,
    keep_start: bool = False,
    keep_end: bool = False,
    stop: bool = True,
    room: int = 0,
    choose: Callable[[Tensor], Tensor] = torch.argmax,
    see: Callable[[list[int]], list[int]] = list,
) -> Callable:
    """A wrong answer: greedy decoding with one thing done otherwise."""

    def answer(next_logits, start, end, longest):
        words = [start] if first else []
        while len(words) - first < longest + room:
            word = int(choose(next_logits(see(words))))
            if word == end and stop:
                words += [word] if keep_end else []
                break
            words.append(word)
        return words[1:] if first and not keep_start else words

    return answer


def _cut_always(next_logits, start, end, longest):
    words = [start]
    while words[-1] != end and len(words) <= longest:
        words.append(int(next_logits(words).argmax()))
    return words[1:-1]


def _first_unseen(next_logits, start, end, longest):
    words = [start, int(next_logits([start]).argmax())]
    while len(words) <= longest:
        word = int(next_logits(words).argmax())
        if word == end:
            break
        words.append(word)
    return words[1:]


def _own_end(next_logits, start, end, longest):
    return my_greedy(next_logits, start, 2, longest)


def _only_one(next_logits, start, end, longest):
    return [int(next_logits([start]).argmax())]


_ROOM = 24


def _in_a_row(answer, next_logits, start, end, longest):
    """The answer's words in a row of one length, so that answers of any length can be compared."""
    result = answer(next_logits, start, end, longest)
    rows = list | tuple | np.ndarray | Tensor
    if not issubclass(type(result), rows) or "complex" in str(getattr(result, "dtype", "")):
        return result
    try:
        words = [int(word) if not isinstance(word, str) else word for word in result]
    except Exception:  # no row of numbers: it is judged as it is
        return result
    return [*words[:_ROOM], *[-1] * (_ROOM - len(words))]


greedy = Exercise(
    LESSON,
    "greedy",
    difficulty=2,
    minutes=10,
    right_answers=[my_greedy, _greedy_for, _greedy_recursive, _greedy_tensor, _greedy_cut],
    cases=[
        Case(NextWord(9, 1, (5, 3, 7), 2), 1, 2, 10),
        Case(NextWord(12, 4, (6, 6, 11, 1, 10), 3), 4, 3, 8),
        Case(NextWord(15, 1, (9, 8, 7, 6, 5, 4, 3), 2), 1, 2, 4),
        Case(NextWord(7, 1, (), 2), 1, 2, 5),
    ],
    mistakes={
        "start_kept": [_greedy(keep_start=True), _greedy(keep_start=True, keep_end=True)],
        "end_kept": [_greedy(keep_end=True), _first_unseen],
        "never_ends": [_greedy(stop=False), _own_end],
        "too_long": [_greedy(room=1), _greedy(room=10)],
        "too_short": [_greedy(room=-1), _cut_always],
        "no_start": _greedy(first=False),
        "least_likely": _greedy(choose=torch.argmin),
        "sees_last_only": _greedy(see=lambda words: words[-1:]),
        "sees_start_only": _greedy(see=lambda words: words[:1]),
        "only_one": _only_one,
    },
    otherwise="other_words",
    use=_in_a_row,
    wrong_answers={
        "shape": [lambda next_logits, start, end, longest: 5],
        "type": [
            lambda next_logits, start, end, longest: " ".join(
                map(str, my_greedy(next_logits, start, end, longest))
            )
        ],
        "other_words": [
            lambda next_logits, start, end, longest: [0, 0, 0],
            lambda next_logits, start, end, longest: [],
        ],
    },
)


# --- 3: the alignment error rate ------------------------------------------------------------------


def my_error_rate(found, gold):
    return 1 - 2 * len(found & gold) / (len(found) + len(gold))


def _rate_loop(found, gold):
    both = 0
    for link in found:
        if link in gold:
            both += 1
    return 1 - both / ((len(found) + len(gold)) / 2)


def _rate_differences(found, gold):
    return len(found ^ gold) / (len(found) + len(gold))


def _rate_harmonic(found, gold):
    both = len(found.intersection(gold))
    if not both:
        return 1.0
    precision, recall = both / len(found), both / len(gold)
    return 1 - 2 * precision * recall / (precision + recall)


def _rate_counted(found, gold):
    pairs = [*found, *gold]
    both = sum(pairs.count(link) == 2 for link in set(pairs))
    return (len(pairs) - 2 * both) / len(pairs)


def _rate_in_place(found, gold):
    count = len(found) + len(gold)
    found.intersection_update(gold)
    return 1 - 2 * len(found) / count


def _turned(links: set[tuple[int, int]]) -> set[tuple[int, int]]:
    return {(j, i) for i, j in links}


alignment_error = Exercise(
    LESSON,
    "alignment_error",
    difficulty=1,
    minutes=5,
    right_answers=[
        my_error_rate,
        _rate_loop,
        _rate_differences,
        _rate_harmonic,
        _rate_counted,
        _rate_in_place,
    ],
    cases=[
        Case(
            {(0, 0), (2, 4), (3, 1), (4, 2), (5, 1), (6, 3)},
            {(0, 0), (1, 5), (2, 4), (3, 1), (3, 4), (4, 5), (5, 1), (6, 3)},
        ),
        Case(
            {(0, 1), (1, 1), (2, 0), (3, 4), (4, 3)},
            {(1, 1), (2, 0)},
        ),
        Case({(0, 2), (1, 3)}, {(2, 0), (3, 1), (4, 4)}),
        Case({(0, 0), (1, 1)}, {(0, 0), (1, 1)}),
    ],
    mistakes={
        "not_doubled": lambda found, gold: 1 - len(found & gold) / (len(found) + len(gold)),
        "agreement": lambda found, gold: 2 * len(found & gold) / (len(found) + len(gold)),
        "only_precision": lambda found, gold: 1 - len(found & gold) / len(found),
        "only_recall": lambda found, gold: 1 - len(found & gold) / len(gold),
        "union": lambda found, gold: 1 - len(found & gold) / len(found | gold),
        "union_twice": lambda found, gold: 1 - 2 * len(found & gold) / len(found | gold),
        "words_only": lambda found, gold: (
            1 - 2 * len({i for i, _ in found} & {i for i, _ in gold}) / (len(found) + len(gold))
        ),
        "partners_only": lambda found, gold: (
            1 - 2 * len({j for _, j in found} & {j for _, j in gold}) / (len(found) + len(gold))
        ),
        "turned": lambda found, gold: 1 - 2 * len(_turned(found) & gold) / (len(found) + len(gold)),
        "count": lambda found, gold: float(len(found ^ gold)),
        "percent": lambda found, gold: 100 * my_error_rate(found, gold),
        "cut_off": lambda found, gold: 1 - 2 * len(found & gold) // (len(found) + len(gold)),
        "parentheses": [
            lambda found, gold: 1 - 2 * len(found & gold) / len(found) + len(gold),
            lambda found, gold: (1 - 2 * len(found & gold)) / (len(found) + len(gold)),
        ],
    },
    otherwise="other_rate",
    wrong_answers={"other_rate": [lambda found, gold: 0.123]},
)
