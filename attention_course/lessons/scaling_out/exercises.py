"""The exercises of lesson 4-5."""

from __future__ import annotations

import numpy as np
import torch

from ...exercises import Case, Exercise

LESSON = "scaling_out"


# --- 1: the mean over unequal shares --------------------------------------------------------------


def _shares(parameters: int, *counts: int, seed: int) -> Case:
    source = torch.Generator().manual_seed(seed)
    gradients = torch.randn(len(counts), parameters, generator=source)
    return Case(gradients, torch.tensor(counts))


def my_mean(gradients, counts):
    sums = counts[:, None] * gradients
    return sums.sum(dim=0) / counts.sum()


def _mean_product(gradients, counts):
    return counts.to(gradients.dtype) @ gradients / counts.sum()


def _mean_weights(gradients, counts):
    weights = counts / counts.sum()
    return (weights.reshape(-1, 1) * gradients).sum(0)


def _mean_loop(gradients, counts):
    total = 0
    for gradient, count in zip(gradients, counts, strict=True):
        total = total + count * gradient
    return total / sum(counts)


def _mean_numpy(gradients, counts):
    return np.average(gradients.numpy(), axis=0, weights=counts.numpy())


def _mean_float(gradients, counts):
    return torch.einsum("p,pn->n", counts.float(), gradients) / counts.sum()


def _mean_repeated(gradients, counts):
    return gradients.repeat_interleave(counts, dim=0).mean(dim=0)


mean = Exercise(
    LESSON,
    "mean",
    difficulty=1,
    minutes=6,
    cases=[
        _shares(3, 5, 2, seed=0),
        _shares(5, 4, 1, 7, seed=1),
        _shares(2, 3, 9, 2, 5, seed=2),
    ],
    right_answers=[
        my_mean,
        _mean_product,
        _mean_weights,
        _mean_loop,
        _mean_numpy,
        _mean_float,
        _mean_repeated,
    ],
    mistakes={
        "plain_mean": lambda gradients, counts: gradients.mean(dim=0),
        "plain_sum": lambda gradients, counts: gradients.sum(dim=0),
        "not_divided": lambda gradients, counts: (counts[:, None] * gradients).sum(dim=0),
        "by_processes": lambda gradients, counts: (counts[:, None] * gradients).mean(dim=0),
        "not_weighted": lambda gradients, counts: gradients.sum(dim=0) / counts.sum(),
        "divided_each": [
            lambda gradients, counts: (gradients / counts[:, None]).sum(dim=0),
            lambda gradients, counts: (gradients / counts[:, None]).mean(dim=0),
            lambda gradients, counts: (gradients / counts[:, None]).sum(dim=0) / (1 / counts).sum(),
        ],
        "twice": lambda gradients, counts: (
            (counts[:, None] * gradients).sum(dim=0) / counts.sum() / len(counts)
        ),
        "softmax": lambda gradients, counts: (
            counts.double().softmax(dim=0)[:, None] * gradients
        ).sum(dim=0),
        "one_share": [
            lambda gradients, counts: gradients[counts.argmax()],
            lambda gradients, counts: gradients[0],
            lambda gradients, counts: gradients[-1],
        ],
        "not_added": lambda gradients, counts: counts[:, None] * gradients / counts.sum(),
        "wrong_axis": lambda gradients, counts: gradients.mean(dim=1),
        "only_two": [
            lambda gradients, counts: my_mean(gradients[:2], counts[:2]),
            lambda gradients, counts: (
                my_mean(gradients[:2], counts[:2]) * sum(counts[:2]) / sum(counts)
            ),
        ],
    },
    otherwise="other_mean",
    wrong_answers={
        "other_mean": [
            lambda gradients, counts: -my_mean(gradients, counts),
            lambda gradients, counts: my_mean(gradients, counts.sqrt()),
        ],
    },
)


# --- 2: the bytes of a step -----------------------------------------------------------------------


def my_bytes(processes, parameters, bytes_each):
    turns = 2 * (processes - 1)
    part = parameters * bytes_each / processes
    return turns * part


def _bytes_formula(processes, parameters, bytes_each):
    return 2 * (processes - 1) / processes * parameters * bytes_each


def _bytes_less(processes, parameters, bytes_each):
    whole = bytes_each * parameters
    return 2 * whole - 2 * whole / processes


def _bytes_loop(processes, parameters, bytes_each):
    sent = 0.0
    for _ in range(2):
        for _ in range(processes - 1):
            sent += bytes_each * (parameters / processes)
    return sent


def _bytes_numpy(processes, parameters, bytes_each):
    shares = np.full(processes, parameters / processes)
    return np.float64(2 * bytes_each) * shares[1:].sum()


sent = Exercise(
    LESSON,
    "sent",
    difficulty=2,
    minutes=8,
    cases=[
        Case(6, 1200, 4),
        Case(2, 300, 4),
        Case(5, 2000, 2),
        Case(8, 5120, 4),
        Case(1, 600, 4, otherwise="alone"),
    ],
    right_answers=[my_bytes, _bytes_formula, _bytes_less, _bytes_loop, _bytes_numpy],
    mistakes={
        "one_round": lambda processes, parameters, bytes_each: (
            my_bytes(processes, parameters, bytes_each) / 2
        ),
        "numbers": lambda processes, parameters, bytes_each: my_bytes(processes, parameters, 1),
        "whole_each_turn": [
            lambda processes, parameters, bytes_each: 2 * (processes - 1) * parameters * bytes_each,
            lambda processes, parameters, bytes_each: (processes - 1) * parameters * bytes_each,
        ],
        "one_turn": [
            lambda processes, parameters, bytes_each: parameters * bytes_each / processes,
            lambda processes, parameters, bytes_each: 2 * parameters * bytes_each / processes,
        ],
        "last_turn": lambda processes, parameters, bytes_each: (
            (2 * processes - 3) * parameters * bytes_each / processes
        ),
        "turn_too_many": [
            lambda processes, parameters, bytes_each: 2 * parameters * bytes_each,
            lambda processes, parameters, bytes_each: (
                (2 * processes - 1) * parameters * bytes_each / processes
            ),
            lambda processes, parameters, bytes_each: (
                2 * (processes - 1) * (parameters * bytes_each / (processes - 1))
            ),
        ],
        "whole_once": [
            lambda processes, parameters, bytes_each: parameters * bytes_each,
            lambda processes, parameters, bytes_each: (
                2 * (processes - 1) // processes * parameters * bytes_each
            ),
        ],
        "part_of_turns": lambda processes, parameters, bytes_each: (
            2 * parameters * bytes_each / (processes - 1) if processes > 1 else 0
        ),
        "bits": lambda processes, parameters, bytes_each: (
            8 * my_bytes(processes, parameters, bytes_each)
        ),
        "eighth": lambda processes, parameters, bytes_each: (
            my_bytes(processes, parameters, bytes_each) / 8
        ),
        "megabytes": [
            lambda processes, parameters, bytes_each: (
                my_bytes(processes, parameters, bytes_each) / 1e6
            ),
            lambda processes, parameters, bytes_each: (
                my_bytes(processes, parameters, bytes_each) / 1e3
            ),
            lambda processes, parameters, bytes_each: (
                my_bytes(processes, parameters, bytes_each) / 1024
            ),
        ],
        "cut_off": lambda processes, parameters, bytes_each: (
            2 * ((processes - 1) // processes) * parameters * bytes_each
        ),
        "four": lambda processes, parameters, bytes_each: my_bytes(processes, parameters, 4),
    },
    otherwise="other_bytes",
    wrong_answers={
        "whole_each_turn": [
            lambda processes, parameters, bytes_each: (
                processes * my_bytes(processes, parameters, bytes_each)
            ),
        ],
        "alone": [
            lambda processes, parameters, bytes_each: (
                my_bytes(processes, parameters, bytes_each) or parameters * bytes_each
            ),
        ],
        "other_bytes": [
            lambda processes, parameters, bytes_each: processes * parameters * bytes_each,
            lambda processes, parameters, bytes_each: (
                my_bytes(processes, parameters, bytes_each) + 500
            ),
        ],
    },
)
