"""The claims ledger: what the article says, what the notebooks measured, and the verdict.

:func:`record` shows a result card and puts the same entry into the notebook's output under
:data:`MIME`. The executed notebooks are the ledger: the book's claims page is collected from them,
so no number on it is typed by hand.

What a record says stands with its lesson's words, in a table ``[claim.C6.slope]``::

    measure = "Slope of the logits' variance over d"    # what is measured
    style = "number"                # how numbers are written, one of STYLES
    unit = ""                       # written after the number
    verdict = "holds_if"            # one of VERDICTS, in the record that settles the claim
    condition = "…"                 # follows the verdict: when the claim holds, what is wrong
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .language import in_lessons, word, words
from .markup import Display, code_spans, escape, without_marks
from .numbers import as_number, as_truth, decimals, number, percent

MIME = "application/vnd.attention-course.claim+json"
VERDICTS = ("holds", "holds_if", "imprecise", "wrong", "unchecked")
STYLES = ("number", "percent", "scientific", "integer")
_WORDS = ("measure", "style", "unit", "verdict", "condition")
_CONDITIONAL = ("holds_if", "imprecise", "wrong")  # say what has to be said after them
_TONES = {"holds": "good", "holds_if": "good", "imprecise": "bad", "wrong": "bad"}


class ClaimNotSupported(AssertionError):
    """The run does not bear out what the page says about it."""


class ResultCard(Display):
    """A measured value as the reader sees it.

    Attributes:
        entry: the ledger's entry: ``claim``, ``record``, ``measure``, ``value``, ``text``,
            ``beside``, ``spread``, ``runs``, ``reference``, ``verdict``, ``verdict_text``,
            ``condition``.
    """

    def __init__(self, entry: dict[str, Any]) -> None:
        self.entry = entry

    def html(self) -> str:
        entry = self.entry
        verdict = ""
        if entry["verdict"]:
            verdict = (
                f'<p><span class="ac-verdict">{escape(entry["verdict_text"])}</span> '
                f"{code_spans(entry['condition'])}</p>"
            )
        tone = _TONES.get(entry["verdict"], "quiet")
        beside = f" <small>{escape(entry['beside'])}</small>" if entry["beside"] else ""
        return (
            f'<div class="ac ac-card ac-claim" data-tone="{tone}" data-claim="{entry["claim"]}">'
            f'<div class="ac-head"><b>{entry["claim"]}</b>'
            f"<span>{code_spans(claim_words(entry['claim']))}</span></div>"
            f"<p>{code_spans(entry['measure'])}</p>"
            f'<p class="ac-value">{escape(entry["text"])}{beside}</p>{verdict}</div>'
        )

    def text(self) -> str:
        entry = self.entry
        said = f"{entry['claim']} · {entry['measure']} {entry['text']} {entry['beside']}".strip()
        return without_marks(f"{said} · {entry['verdict_text']} {entry['condition']}".strip(" ·"))

    def data(self) -> dict[str, Any]:
        return {MIME: self.entry}


def claim_words(name: str) -> str:
    """The claim in our words, in the reader's language.

    Raises:
        ValueError: there is no claim of that name.
    """
    try:
        return word(f"display.claim.{name}")
    except KeyError:
        known = ", ".join(words("display.claim"))
        raise ValueError(f"claim: got {name!r}, expected one of {known}") from None


def record(
    name: str,
    values: Any,
    *,
    spread: tuple[float, float] | None = None,
    reference: float | None = None,
    supported: bool = True,
    **said: str,
) -> ResultCard:
    """Show a measured value and enter it into the ledger.

    Args:
        name: the claim and what is recorded of it, ``"C6.slope"``: some lesson's words have a table
            ``[claim.C6.slope]``. With the claim alone, ``"C6"``, no words are looked up.
        values: what was measured: a number, or a list with one number for each run, of which mean,
            smallest and largest are shown.
        spread: smallest and largest, where ``values`` is one number that sums up several runs.
        reference: what the value is to be compared with (chance, uniform weights).
        supported: whether the run bears out the page's words about it.
        said: words given outright, by the names that the table has.

    Raises:
        ClaimNotSupported: ``supported`` is false.
        KeyError: no lesson, or more than one, has words for ``name``.
        TypeError: something is not a number (texts and truth values are none).
        ValueError: a number is NaN or infinite; an unknown claim, verdict or style.
    """
    runs = _runs(values)
    value = sum(runs) / len(runs)
    ends = _ends(runs, spread)
    reference = None if reference is None else as_number("reference", reference)
    supported = as_truth("supported", supported)
    claim, _, detail = name.partition(".")
    about = claim_words(claim)
    table = {**(words(in_lessons(f"claim.{name}")) if detail else {}), **said}
    measure, style, unit, verdict, condition = _checked(name, table)
    if not supported:
        what = measure or about
        raise ClaimNotSupported(f"{name}: measured {value:g} for “{what}”, against the page")
    return ResultCard(
        {
            "claim": claim,
            "record": name,
            "measure": measure,
            "value": value,
            "text": _write(value, style) + (f" {unit}" if unit else ""),
            "beside": _beside(ends, len(runs), reference, style),
            "spread": None if ends is None else list(ends),
            "runs": len(runs),
            "reference": reference,
            "verdict": verdict,
            "verdict_text": word(f"display.verdict.{verdict}") if verdict else "",
            "condition": condition,
        }
    )


def collect(notebook: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """The ledger entries in an executed notebook (nbformat 4, as parsed JSON), in order."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            entry = output.get("data", {}).get(MIME)
            if entry is not None:
                yield entry


def _runs(values: Any) -> list[float]:
    """The finite numbers that were measured, one a run."""
    several = isinstance(values, (list, tuple)) or getattr(values, "ndim", 0) == 1
    runs = [as_number("values", value) for value in (values if several else [values])]
    if not runs:
        raise ValueError("values: got no numbers, expected at least one")
    return runs


def _ends(runs: list[float], spread: tuple[float, float] | None) -> tuple[float, float] | None:
    """The smallest and the largest over runs, where there were several."""
    if spread is None:
        return (min(runs), max(runs)) if len(runs) > 1 else None
    low, high = (as_number("spread", end) for end in spread)
    if low > high:
        raise ValueError(f"spread: got {low:g} to {high:g}, expected the smaller number first")
    return low, high


def _checked(name: str, table: dict[str, str]) -> Iterator[str]:
    """The words of a record, in the order of :data:`_WORDS`; nothing for one that is missing."""
    for each in table:
        if each not in _WORDS:
            raise ValueError(f"{name}: got the word {each!r}, expected one of {', '.join(_WORDS)}")
    for each, known in (("verdict", VERDICTS), ("style", STYLES)):
        if each in table and table[each] not in known:
            raise ValueError(f"{each}: got {table[each]!r}, expected one of {', '.join(known)}")
    if table.get("verdict") in _CONDITIONAL and not table.get("condition"):
        raise ValueError(
            f"condition: got none, expected what follows {table['verdict']!r} in {name}"
        )
    return (table.get(each, "") for each in _WORDS)


def _beside(
    ends: tuple[float, float] | None, runs: int, reference: float | None, style: str
) -> str:
    """What stands beside the value: its spread, what to compare it with."""
    said = []
    if ends is not None:
        low, high = (_write(end, style) for end in ends)
        over = "spread" if runs == 1 else "alike" if low == high else "runs"
        said.append(word(f"display.card.{over}", low=low, high=high, count=runs))
    if reference is not None:
        said.append(word("display.card.reference", value=_write(reference, style)))
    return word("display.card.join").join(said)


def _write(value: float, style: str) -> str:
    if style == "percent":
        return percent(value)
    if style == "integer":
        return decimals(value, 0, ",")
    if style == "scientific":
        return number(float(f"{value:.1e}"))
    return number(value)
