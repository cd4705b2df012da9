"""The claims ledger: what the article says, what the notebooks measured, and the verdict.

:func:`record` shows a result card and puts the same entry into the notebook's output under
:data:`MIME`. The executed notebooks are the ledger: the book's claims page is collected from them,
so no number on it is typed by hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .language import word, words
from .markup import Display, escape
from .plots import number

MIME = "application/vnd.attention-course.claim+json"
VERDICTS = ("holds", "holds_if", "imprecise", "wrong", "unchecked")
STYLES = ("number", "percent", "scientific", "integer")
_TONES = {"holds": "good", "holds_if": "good", "imprecise": "bad", "wrong": "bad"}


class ClaimNotSupported(AssertionError):
    """The run does not bear out what the page says about it."""


class ResultCard(Display):
    """A measured value as the reader sees it.

    Attributes:
        entry: the ledger's entry: ``claim``, ``measure``, ``value``, ``text``, ``spread``,
            ``reference``, ``verdict``, ``verdict_text``, ``condition``.
    """

    def __init__(self, entry: dict[str, Any]) -> None:
        self.entry = entry

    def html(self) -> str:
        entry = self.entry
        verdict = ""
        if entry["verdict"]:
            verdict = (
                f'<p><span class="ac-verdict">{escape(entry["verdict_text"])}</span> '
                f"{escape(entry['condition'])}</p>"
            )
        tone = _TONES.get(entry["verdict"], "quiet")
        beside = f" <small>{escape(entry['beside'])}</small>" if entry["beside"] else ""
        return (
            f'<div class="ac ac-card ac-claim" data-tone="{tone}" data-claim="{entry["claim"]}">'
            f'<div class="ac-head"><b>{entry["claim"]}</b>'
            f"<span>{escape(claim_words(entry['claim']))}</span></div>"
            f"<p>{escape(entry['measure'])}</p>"
            f'<p class="ac-value">{escape(entry["text"])}{beside}</p>{verdict}</div>'
        )

    def text(self) -> str:
        entry = self.entry
        said = f"{entry['claim']} · {entry['measure']} {entry['text']} {entry['beside']}".strip()
        return f"{said} · {entry['verdict_text']} {entry['condition']}".strip(" ·")

    def data(self) -> dict[str, Any]:
        return {MIME: self.entry}


def claim_words(name: str) -> str:
    """The claim in our words, in the reader's language.

    Raises:
        ValueError: there is no claim of that name.
    """
    known = words("display.claim")
    if name not in known:
        raise ValueError(f"claim: got {name!r}, expected one of {', '.join(known)}")
    return known[name]


def record(
    claim: str,
    value: float,
    *,
    measure: str | None = None,
    verdict: str | None = None,
    condition: str | None = None,
    supported: bool = True,
    spread: tuple[float, float] | None = None,
    reference: float | None = None,
    style: str = "number",
    unit: str = "",
) -> ResultCard:
    """Show a measured value and enter it into the ledger.

    Args:
        claim: the claim's name, ``"C1"`` to ``"C26"``.
        value: what was measured.
        measure: key of the words that say what was measured.
        verdict: one of :data:`VERDICTS`, in the record that settles the claim.
        condition: key of the words that follow the verdict (when it holds, what is wrong).
        supported: whether the run bears out the page's words about it.
        spread: the smallest and largest value over runs.
        reference: what the value is to be compared with (chance, uniform weights).
        style: how numbers are written, one of :data:`STYLES`; ``"scientific"`` keeps two digits.
        unit: written after the number.

    Raises:
        ClaimNotSupported: ``supported`` is false.
        ValueError: an unknown claim, verdict or style.
        TypeError: ``value`` is not a number.
    """
    said = claim_words(claim)
    if verdict is not None and verdict not in VERDICTS:
        raise ValueError(f"verdict: got {verdict!r}, expected one of {', '.join(VERDICTS)}")
    if style not in STYLES:
        raise ValueError(f"style: got {style!r}, expected one of {', '.join(STYLES)}")
    value = _number("value", value)
    if not supported:
        what = word(measure) if measure else said
        raise ClaimNotSupported(f"{claim}: measured {value:g} for “{what}”, against the page")
    beside = []
    if spread is not None:
        low, high = (_number("spread", v) for v in spread)
        beside.append(word("display.card.spread", low=_write(low, style), high=_write(high, style)))
    if reference is not None:
        reference = _number("reference", reference)
        beside.append(word("display.card.reference", value=_write(reference, style)))
    return ResultCard(
        {
            "claim": claim,
            "measure": word(measure) if measure else "",
            "value": value,
            "text": _write(value, style) + (f" {unit}" if unit else ""),
            "beside": word("display.card.join").join(beside),
            "spread": None if spread is None else [low, high],
            "reference": reference,
            "verdict": verdict or "",
            "verdict_text": word(f"display.verdict.{verdict}") if verdict else "",
            "condition": word(condition) if condition else "",
        }
    )


def collect(notebook: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """The ledger entries in an executed notebook (nbformat 4, as parsed JSON), in order."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            entry = output.get("data", {}).get(MIME)
            if entry is not None:
                yield entry


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: got {type(value).__name__}, expected a number") from None


def _write(value: float, style: str) -> str:
    if style == "percent":
        hundredths = f"{100 * value:.3g}" if abs(value) < 0.9995 else f"{100 * value:.0f}"
        return word("display.card.percent", value=hundredths)
    if style == "integer":
        return f"{value:,.0f}"
    if style == "scientific":
        return number(float(f"{value:.1e}"))
    return number(value)
