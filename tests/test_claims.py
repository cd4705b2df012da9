"""The claims ledger."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch

from attention_course import claims, language


@pytest.fixture(autouse=True)
def english():
    language.use("en")
    yield
    language.use("en")


def test_a_record_is_a_card_and_a_ledger_entry():
    card = claims.record(
        "C3", 0.9531, style="percent", spread=(0.9, 0.97), reference=0.25, verdict="holds"
    )
    bundle = card._repr_mimebundle_()
    entry = bundle[claims.MIME]
    assert json.loads(json.dumps(entry)) == entry
    assert entry["claim"] == "C3"
    assert entry["value"] == 0.9531
    assert entry["text"] == "95.3\u00a0%"
    assert entry["beside"] == "90\u00a0% to 97\u00a0% over the runs; to compare: 25\u00a0%"
    assert entry["verdict_text"] == "Holds."
    for shown in (bundle["text/html"], bundle["text/plain"]):
        assert "95.3\u00a0%" in shown
        assert "Holds." in shown


def test_the_card_speaks_the_readers_language():
    language.use("zh")
    assert "成立。" in claims.record("C3", 1.0, verdict="holds").text()


@pytest.fixture
def lessons(monkeypatch):
    """Lessons with these words: name → table of claims."""
    tables = {}
    real = language._words_of
    monkeypatch.setattr(language, "_lessons", lambda code: list(tables))
    monkeypatch.setattr(language, "words_file", lambda name, code: (name, f"{code}.toml"))
    monkeypatch.setattr(
        language,
        "_words_of",
        lambda name, code: {"claim": tables[name]} if name in tables else real(name, code),
    )
    return tables


def test_what_a_record_says_stands_in_one_lessons_words(lessons, monkeypatch):
    slope = {
        "measure": "The slope",
        "style": "percent",
        "unit": "per unit",
        "verdict": "holds_if",
        "condition": "*d* is large.",
    }
    lessons |= {"first": {"C3": {}}, "second": {"C6": {"slope": slope}}}
    asked = []
    monkeypatch.setattr(sys, "audit", lambda _event, *about: asked.append(about))
    card = claims.record("C6.slope", [0.25, 0.75, 0.5], reference=1)
    entry = card.entry
    assert (entry["claim"], entry["record"], entry["runs"]) == ("C6", "C6.slope", 3)
    assert (entry["value"], entry["text"], entry["spread"]) == (
        0.5,
        "50\u00a0% per unit",
        [0.25, 0.75],
    )
    assert entry["beside"] == "mean of 3 runs, 25\u00a0% to 75\u00a0%; to compare: 100\u00a0%"
    assert "Holds if" in card.html()
    assert "<em>d</em> is large." in card.html()
    assert "*" not in card.html() + card.text()
    assert ("second/en.toml", "claim.C6.slope") in asked
    assert {file for file, _ in asked} == {"second/en.toml", "display/en.toml"}  # no other lesson's

    with pytest.raises(KeyError, match=r"claim\.C6\.bias': got none, expected it in one lesson"):
        claims.record("C6.bias", 1)
    lessons["first"]["C6"] = {"slope": slope}
    with pytest.raises(KeyError, match=r"more than one, first\.claim\.C6\.slope, second\."):
        claims.record("C6.slope", 1)


@pytest.mark.parametrize("runs", [[1, 3], (1.0, 3.0), np.array([1, 3]), torch.tensor([1.0, 3.0])])
def test_one_number_a_run_in_any_array(runs):
    entry = claims.record("C6", runs).entry
    assert (entry["value"], entry["spread"], entry["runs"]) == (2.0, [1.0, 3.0], 2)


@pytest.mark.parametrize(
    "number", [math.nan, math.inf, -math.inf, np.float32("nan"), torch.tensor(math.nan)]
)
def test_what_is_not_finite_settles_nothing(number):
    for arguments in (
        {"values": number},
        {"values": [1.0, number]},
        {"values": 1, "spread": (0, number)},
        {"values": 1, "reference": number},
    ):
        name = list(arguments)[-1]
        with pytest.raises(ValueError, match=rf"{name}: got -?(nan|inf), expected a finite number"):
            claims.record("C3", arguments.pop("values"), **arguments)


@pytest.mark.parametrize(
    "value", ["0.5", True, np.bool_(True), torch.tensor(True), None, 1j, ["1"]]
)
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match=r"values: got .*, expected a number"):
        claims.record("C3", value)


def test_only_true_and_false_support():
    with pytest.raises(TypeError, match="supported: got float, expected True or False"):
        claims.record("C3", 1, supported=math.nan)
    assert claims.record("C3", 1, supported=(torch.ones(2) > 0).all())
    with pytest.raises(claims.ClaimNotSupported):
        claims.record("C3", 1, supported=np.bool_(False))


def test_a_verdict_with_a_condition_gives_it():
    with pytest.raises(ValueError, match="condition: got none"):
        claims.record("C3", 1, verdict="holds_if")
    with pytest.raises(ValueError, match="spread: got 2 to 1"):
        claims.record("C3", 1, spread=(2, 1))
    with pytest.raises(ValueError, match="values: got no numbers"):
        claims.record("C3", [])


def test_negative_percentages_have_a_true_minus():
    assert claims.record("C3", -0.021, style="percent").entry["text"] == "−2.1\u00a0%"


def test_the_ledger_needs_no_matplotlib():
    script = "import sys; from attention_course import claims; print('matplotlib' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


def test_only_claim_and_value_are_needed():
    assert claims.record("C26", 3).entry["text"] == "3"


def test_a_run_that_disagrees_with_the_page_fails():
    with pytest.raises(claims.ClaimNotSupported, match=r"C6: measured 0\.5"):
        claims.record("C6", 0.5, supported=False)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("C99", 1), ValueError, "claim: got 'C99', expected one of C1, C2"),
        (("C1", "much"), TypeError, "values: got str 'much', expected a number"),
        (("C1", [[1, 2]]), TypeError, "values: got list, expected a number"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        claims.record(*arguments)


def test_bad_options_are_named():
    with pytest.raises(ValueError, match="verdict: got 'true', expected one of holds"):
        claims.record("C1", 1, verdict="true")
    with pytest.raises(ValueError, match="style: got 'bold', expected one of number"):
        claims.record("C1", 1, style="bold")


def test_the_ledger_is_collected_from_an_executed_notebook():
    first, second = claims.record("C3", 1.0), claims.record("C4", 2.0)
    outputs = [{"data": card._repr_mimebundle_()} for card in (first, second)]
    notebook = {
        "cells": [
            {"cell_type": "markdown", "source": "prose"},
            {"cell_type": "code", "outputs": [{"output_type": "stream", "text": "x"}, *outputs]},
        ]
    }
    assert list(claims.collect(notebook)) == [first.entry, second.entry]


def test_a_card_escapes_what_it_shows():
    assert "&lt;b&gt;" in claims.record("C1", 1.0, unit="<b>").html()


def test_there_are_26_claims():
    assert list(language.words("display.claim")) == [f"C{i}" for i in range(1, 27)]


def test_runs_that_all_gave_the_same_have_no_range():
    entry = claims.record("C3", [2, 2, 2]).entry
    assert entry["beside"] == "the same in all 3 runs"
