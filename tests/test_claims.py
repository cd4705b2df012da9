"""The claims ledger."""

import json

import pytest

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
    assert entry["text"] == "95.3 %"
    assert entry["beside"] == "90 % to 97 % over the runs; to compare: 25 %"
    assert entry["verdict_text"] == "Holds."
    for shown in (bundle["text/html"], bundle["text/plain"]):
        assert "95.3 %" in shown
        assert "Holds." in shown


def test_the_card_speaks_the_readers_language():
    language.use("zh")
    assert "成立。" in claims.record("C3", 1.0, verdict="holds").text()


def test_only_claim_and_value_are_needed():
    assert claims.record("C26", 3).entry["text"] == "3"


def test_a_run_that_disagrees_with_the_page_fails():
    with pytest.raises(claims.ClaimNotSupported, match=r"C6: measured 0\.5"):
        claims.record("C6", 0.5, supported=False)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("C99", 1), ValueError, "claim: got 'C99', expected one of C1, C2"),
        (("C1", "much"), TypeError, "value: got str, expected a number"),
        (("C1", [1, 2]), TypeError, "value: got list, expected a number"),
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
