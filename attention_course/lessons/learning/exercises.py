"""The exercises of notebook 0.2: a slope by a small step, and gradient descent."""

from __future__ import annotations

import numpy as np
import torch

from ...exercises import Case, Exercise, Symptom, same

LESSON = "learning"


# A card shows a function by its docstring.


def _square(w):
    """f(w) = w * w"""
    return w * w


def _line(w):
    """f(w) = 4 - 3 * w"""
    return 4.0 - 3.0 * w


def _valley(w):
    """f(w) = 2.5 * (w - 2.2)**2 + 0.4"""
    return 2.5 * (w - 2.2) * (w - 2.2) + 0.4


def _cube(w):
    """f(w) = w**3"""
    return w * w * w


def _single_precision(w):
    """f(w) = ((w - 3)**2 + (2 * w - 4)**2) / 2, float32"""
    w = torch.as_tensor(w, dtype=torch.float32)
    return ((w - 3) ** 2 + (2 * w - 4) ** 2) / 2


def slope(f, w):
    step = 0.001
    return (f(w + step) - f(w)) / step


def _slope_both_sides(f, w):
    return (f(w + 1e-4) - f(w - 1e-4)) / 2e-4


def _slope_backwards(f, w):
    h = 0.001
    rise = f(w) - f(w - h)
    return rise / h


def _slope_autograd(f, w):
    weight = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    f(weight).backward()
    return weight.grad


def _forwards(step):
    return lambda f, w: (f(w + step) - f(w)) / step


def _without_parentheses(step):
    return lambda f, w: f(w + step) - f(w) / step


derivative = Exercise(
    LESSON,
    "derivative",
    difficulty=1,
    minutes=5,
    right_answers=[slope, _slope_both_sides, _slope_backwards, _slope_autograd],
    cases=[
        Case(_valley, 3.1),
        Case(_square, 3.0),
        Case(_line, 1.5),
        Case(_cube, 2.0),
        Case(_square, -1.5),
        Case(_single_precision, 5.0, only=["too_small_step", "noisy"]),
    ],
    mistakes={
        "too_small_step": Symptom(lambda got, want, f, w: got == 0),
        "fixed_formula": lambda f, w: 5 * w - 11,
        "value_itself": lambda f, w: f(w),
        "divided_by_weight": lambda f, w: f(w) / w,
        "no_parentheses": [_without_parentheses(step) for step in (1e-6, 1e-4, 0.001, 0.01)],
        "not_divided": [
            lambda f, w: f(w + 0.001) - f(w),
            lambda f, w: f(w + 0.01) - f(w),
            lambda f, w: f(w + 1e-6) - f(w),
        ],
        "large_step": [_forwards(step) for step in (1, 0.5, 0.1, 0.01, 0.005)],
        "noisy": [
            Symptom(lambda got, want, f, w: f is _single_precision),
            lambda f, w: _forwards(1e-6)(f, torch.tensor(w)),
        ],
        "sign_dropped": lambda f, w: abs(f(w + 0.001) - f(w)) / 0.001,
        "sign": [
            lambda f, w: (f(w) - f(w + 1e-6)) / 1e-6,
            Symptom(lambda got, want, f, w: same(got, -want, 0.01)),
        ],
        "half": [
            lambda f, w: (f(w + 1e-6) - f(w)) / 2e-6,
            Symptom(lambda got, want, f, w: same(got, want / 2, 0.01)),
        ],
        "double": [
            lambda f, w: (f(w + 1e-6) - f(w - 1e-6)) / 1e-6,
            Symptom(lambda got, want, f, w: same(got, 2 * want, 0.01)),
        ],
        "not_finite": Symptom(lambda got, want, f, w: not np.isfinite(got)),
    },
    otherwise="other_slope",
    wrong_answers={
        "not_finite": [lambda f, w: np.float64(f(w) - f(w)) / 0.0],
        "too_small_step": [_forwards(1e-20), _forwards(1e-9)],
        "noisy": [_forwards(1e-6), _forwards(1e-5)],
        "nearly": [lambda f, w: (f(w) - f(w - 0.005)) / 0.005],
        "other_slope": [
            lambda f, w: (f(w + 1e-6) - f(w)) / 1e-6 + 1,
            lambda f, w: ((f(w + 1e-6) - f(w)) / 1e-6) ** 2,
        ],
    },
    tolerance=2e-3,
)


def descend(slope, w, learning_rate, steps):
    for _ in range(steps):
        w = w - learning_rate * slope(w)
    return w


def _descend_while(slope, w, learning_rate, steps):
    while steps > 0:
        w -= slope(w) * learning_rate
        steps -= 1
    return w


def _descend_recursive(slope, w, learning_rate, steps):
    if steps == 0:
        return w
    return _descend_recursive(slope, w - learning_rate * slope(w), learning_rate, steps - 1)


def _descend_torch(slope, w, learning_rate, steps):
    weight = torch.tensor(w, dtype=torch.float64)
    for _ in range(steps):
        weight = weight + -learning_rate * slope(weight)
    return weight


def _walk(direction, count):
    """A wrong answer: steps in another direction, or another number of them."""

    def answer(slope, w, learning_rate, steps):
        for _ in range(count(steps)):
            w = w + direction * learning_rate * slope(w)
        return w

    return answer


def _slope_once(slope, w, learning_rate, steps):
    first = slope(w)
    for _ in range(steps):
        w = w - learning_rate * first
    return w


def _no_rate(slope, w, learning_rate, steps):
    for _ in range(steps):
        w = w - slope(w)
    return w


def _only_sign(slope, w, learning_rate, steps):
    for _ in range(steps):
        w = w - learning_rate * float(np.sign(slope(w)))
    return w


def _only_rate(slope, w, learning_rate, steps):
    return w - learning_rate * steps


def _overwritten(slope, w, learning_rate, steps):
    for _ in range(steps):
        w = -learning_rate * slope(w)
    return w


def _own(**values):
    """A wrong answer: it has values of its own in the place of some that are handed over."""

    def answer(slope, w, learning_rate, steps):
        given = {"slope": slope, "w": w, "learning_rate": learning_rate, "steps": steps}
        return descend(**given | values)

    return answer


def _valley_slope(w):
    """slope(w) = 5 * w - 11"""
    return 5 * w - 11


def _steep_slope(w):
    """slope(w) = 6 * w"""
    return 6 * w


def _cubic_slope(w):
    """slope(w) = w**3 - w"""
    return w * w * w - w


descent = Exercise(
    LESSON,
    "descent",
    difficulty=2,
    minutes=8,
    right_answers=[descend, _descend_while, _descend_recursive, _descend_torch],
    cases=[
        Case(_valley_slope, -1.0, 0.1, 3),
        Case(_valley_slope, 0.5, 0.02, 1),
        Case(_steep_slope, -2.0, 0.05, 4),
        Case(_cubic_slope, 1.5, 0.1, 10),
        Case(_valley_slope, 3.0, 0.1, 0),
    ],
    mistakes={
        "not_moved": lambda slope, w, learning_rate, steps: w,
        "fixed_start": _own(w=0.0),
        "fixed_rate": _own(learning_rate=0.1),
        "fixed_slope": _own(slope=_valley_slope),
        "uphill": _walk(1, lambda steps: steps),
        "one_step": _walk(-1, lambda steps: 1),
        "one_too_many": _walk(-1, lambda steps: steps + 1),
        "one_too_few": _walk(-1, lambda steps: max(0, steps - 1)),
        "slope_once": _slope_once,
        "no_rate": _no_rate,
        "only_sign": _only_sign,
        "only_rate": _only_rate,
        "overwritten": _overwritten,
    },
    otherwise="other_place",
    wrong_answers={
        "other_place": [
            _walk(-2, lambda steps: steps),
            lambda slope, w, learning_rate, steps: slope(w),
        ],
        "shape": [lambda slope, w, learning_rate, steps: [w] * (steps + 1)],
    },
)
