"""The translator in a reader's hands, and torch beside it."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hands import PHONE, frame, middle, number, table
from playwright.sync_api import Page, expect
from test_explorables_site import Served

from attention_course import language, models
from attention_course.corpora import Vocabulary, translation
from attention_course.corpora.pairs import read_english
from attention_course.decoding import greedy_decode
from attention_course.explorables import Translator, examples
from attention_course.explorables.base import asset_bytes, module_source
from attention_course.explorables.translator.explorable import model_of
from attention_course.transformer import Transformer, attention_weights
from booksite.explorables import publish

LAYERS, HEADS = 2, 4


@pytest.fixture(autouse=True)
def english() -> None:
    language.use("en")


@pytest.fixture
def translator(show: Callable) -> Translator:
    made = examples("translator").shown()["short"]
    show(made)
    return made


@pytest.fixture
def model() -> Transformer:
    model_of.cache_clear()
    yield model_of(asset_bytes(Translator.assets["model"]))
    model_of.cache_clear()  # a test may have switched heads off in it


def ids(translator: Translator, words: list[str]) -> torch.Tensor:
    return torch.tensor([[translator.state["source_words"].index(word) for word in words]])


def greedy(translator: Translator, model: Transformer, words: list[str]) -> torch.Tensor:
    state = translator.state
    return greedy_decode(model, ids(translator, words), state["start"], state["end"], 40)


def spoken(translator: Translator, written: torch.Tensor) -> list[str]:
    """The words of a translation as the page shows them."""
    known, end = translator.state["target_words"], translator.state["end"]
    return ["<end>" if i == end else known[i] for i in written[0].tolist()]


def press(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("button", name=name, exact=True).click()
    frame(page)


def chips(page: Page, row: str = "English") -> list[str]:
    """The words of a row."""
    return page.get_by_role("group", name=row, exact=True).locator("b").all_inner_texts()


def choose(page: Page, group: str, name: str) -> None:
    """Press a button of a group, and wait until the model is there."""
    page.get_by_role("group", name=group, exact=True).get_by_role(
        "button", name=name, exact=True
    ).click()
    frame(page)
    expect(page.locator(".ac-told")).to_be_empty()
    frame(page)


def write(page: Page, text: str) -> None:
    page.get_by_label("type a Chinese sentence").fill(text)
    frame(page)


def ask(page: Page) -> None:
    """For what the page does not hold: the layer that is not chosen."""
    layers = page.get_by_role("group", name="layer", exact=True)
    layers.locator("button[aria-pressed=false]").first.click()


@pytest.fixture
def served(page: Page, tmp_path: Path) -> Callable[[], Served]:
    published = publish(tmp_path / "files")

    def serve() -> Served:
        site = Served(page, published, tmp_path / "files", examples("translator").shown()["short"])
        page.wait_for_selector("[data-ready]")
        return site

    return serve


def asked_for_model(site: Served) -> list[str]:
    return [name for name in site.asked if name.endswith(".safetensors")]


def test_the_model_is_fetched_when_it_is_needed_and_once(page: Page, served: Callable) -> None:
    site = served()
    page.get_by_role("group", name="English", exact=True).locator("button").nth(2).click()
    press(page, "Back", "3", "Restart", "Next word")
    page.wait_for_timeout(100)
    assert not asked_for_model(site), "the page holds the first translation"
    waiting: list[Any] = []
    page.route("**/*.safetensors", lambda route: waiting.append(route))
    ask(page)
    size = len(asset_bytes(Translator.assets["model"])) / 1000
    told = page.get_by_role("status").first
    expect(told).to_have_text(f"Fetching the model, {size:.0f} kB, once …")
    page.unroute("**/*.safetensors")
    waiting[0].fallback()
    expect(page.locator(".ac-told")).to_be_empty()
    choose(page, "attention", "encoder")
    choose(page, "attention", "decoder")
    assert len(asked_for_model(site)) == 1
    assert re.fullmatch(r"translator-[0-9a-f]{10}\.safetensors", asked_for_model(site)[0])
    assert not site.said


def test_a_model_that_cannot_be_fetched_is_said_and_asked_for_again(
    page: Page, served: Callable
) -> None:
    served()
    page.route("**/*.safetensors", lambda route: route.abort())
    ask(page)
    told = page.get_by_role("status").first
    expect(told).to_contain_text("The model could not be fetched (TypeError: Failed to fetch)")
    expect(page.locator("[data-error]")).to_have_count(0)
    page.unroute("**/*.safetensors")
    press(page, "Try again")
    expect(told).to_be_empty()
    expect(page.locator(".ac-summary")).to_contain_text("of layer")


@pytest.mark.parametrize("kind", ["encoder", "decoder", "cross"])
def test_every_head_is_torchs(
    page: Page, translator: Translator, model: Transformer, kind: str
) -> None:
    words = translator.state["sentences"][0]["source"]
    source, written = ids(translator, words), greedy(translator, model, words)
    read = torch.cat([torch.tensor([[translator.state["start"]]]), written[:, :-1]], dim=1)
    with torch.no_grad(), attention_weights(model) as weights:
        model(source, read)
    name = {"encoder": "encoder.{}.attention", "decoder": "decoder.{}.attention"}.get(
        kind, "decoder.{}.cross_attention"
    )
    choose(page, "attention", kind)
    asks = page.get_by_role("group", name="Chinese" if kind == "encoder" else "English", exact=True)
    for layer in range(LAYERS):
        choose(page, "layer", str(layer + 1))
        own = weights[name.format(layer)][0]  # (heads, n_q, n_k)
        for place in (0, own.size(1) - 1):
            asks.locator("button").nth(place).click()
            frame(page)
            shown = torch.tensor([[number(x) for x in row[1:-1]] for row in table(page)])
            keys = place + 1 if kind == "decoder" else own.size(2)
            expected = torch.cat([own[:, place].mean(0)[None], own[:, place]])[:, :keys].mT
            torch.testing.assert_close(shown, expected.float(), atol=1e-4, rtol=0)


def test_words_are_written_one_by_one(
    page: Page, translator: Translator, model: Transformer
) -> None:
    words = translator.state["sentences"][0]["source"]
    expected = spoken(translator, greedy(translator, model, words))
    assert chips(page) == expected
    press(page, "Restart")
    assert chips(page) == ["…?"]
    for count in range(1, len(expected)):
        likeliest = table(page, 1)[0][0]
        press(page, "Next word")
        assert chips(page) == [*expected[:count], "…?"]
        assert chips(page)[count - 1] == likeliest
    press(page, "Back", "Back")
    assert chips(page) == [*expected[: count - 2], "…?"]
    press(page, "Translate")
    assert chips(page) == expected
    expect(page.get_by_role("button", name="Next word")).to_have_attribute("aria-disabled", "true")


def test_likeliest_words_and_their_chances(
    page: Page, translator: Translator, model: Transformer
) -> None:
    picked = translator.state["sentences"][1]["source"]
    page.get_by_label("pick a sentence").select_option(index=1)
    frame(page)
    expect(page.locator(".ac-told")).to_be_empty()
    page.get_by_role("group", name="English", exact=True).locator("button").nth(1).click()
    frame(page)
    written = greedy(translator, model, picked)
    read = torch.cat([torch.tensor([[translator.state["start"]]]), written[:, :1]], dim=1)
    with torch.no_grad():
        logits = model(ids(translator, picked), read)[0, 1]
    logits[0] = -torch.inf
    chances, best = logits.softmax(-1).topk(5)
    rows = table(page, 1)
    assert [row[0] for row in rows] == spoken(translator, best[None])
    assert [number(row[1]) for row in rows] == pytest.approx(chances.tolist(), abs=1e-4)


def test_heads_that_are_off_do_to_the_page_what_they_do_to_torch(
    page: Page, translator: Translator, model: Transformer
) -> None:
    words = translator.state["sentences"][0]["source"]
    whole = spoken(translator, greedy(translator, model, words))
    page.get_by_text("Switch heads off").click()
    lines = page.locator(".ac-breaks dd")
    said = read_english(whole[:-1])
    expect(lines.nth(0)).to_have_text(said, ignore_case=True)
    expect(lines.nth(1)).to_be_hidden()
    for head in range(1, HEADS + 1):
        for layer in range(LAYERS):
            page.get_by_label(f"cross {layer + 1}, head {head} on").uncheck()
            with torch.no_grad():
                output = model.decoder[layer].cross_attention.output.weight
                output[:, 16 * (head - 1) : 16 * head] = 0
        frame(page)
        broken = spoken(translator, greedy(translator, model, words))
        assert chips(page) == broken
    expect(lines.nth(0)).to_have_text(said, ignore_case=True)
    expect(page.locator(".ac-breaks")).to_contain_text("Heads off: 8")
    assert broken != whole, "without the source nobody can translate"
    expect(page.locator(".ac-breaks mark").first).to_be_visible()
    expect(page.locator(".ac-verdict")).to_contain_text("are lost")
    page.get_by_role("group", name="head", exact=True).get_by_role("button", name="4").click()
    expect(page.locator(".ac-summary")).to_contain_text("But this head is switched off.")
    press(page, "All on")
    assert chips(page) == whole


def test_gold_stands_beside_what_the_model_looks_at(page: Page, translator: Translator) -> None:
    sentence = translator.state["sentences"][0]
    target, source = sentence["target"], sentence["source"]
    assert chips(page)[:-1] == target, "the model is right about this one"
    for place in range(len(target)):
        page.get_by_role("group", name="English", exact=True).locator("button").nth(place).click()
        frame(page)
        gold = {s for t, s in sentence["alignment"] if t == place}
        framed = page.locator(".ac-chips .ac-gold b").all_inner_texts()
        assert framed == [source[s] for s in sorted(gold)]
        assert [row[-1] for row in table(page)] == (
            ["yes" if s in gold else "no" for s in range(len(source))]
            if gold
            else ["–"] * len(source)
        )


def test_what_is_typed_is_cut_into_words(page: Page, translator: Translator) -> None:
    words = translator.state["sentences"][1]["source"]
    whole = "".join(words)
    for text in (whole, " ".join(words), whole.replace("。", "."), whole[:-1]):
        write(page, f" {text}")
        expect(page.locator(".ac-told")).to_be_empty()
        assert chips(page, "Chinese") == words
        assert chips(page) == ["…?"], "nothing is written until the reader asks for it"
    page.get_by_label("type a Chinese sentence").press("Enter")
    frame(page)
    assert chips(page)[-1] == "<end>"
    expect(page.get_by_label("pick a sentence")).to_have_value("1")
    write(page, "".join(words[:1]))
    assert chips(page, "Chinese") == [words[0], words[-1]]
    expect(page.get_by_label("pick a sentence")).to_have_value("-1")


def test_unknown_words_are_named_and_known_ones_suggested(
    page: Page, translator: Translator
) -> None:
    state = translator.state
    known = max(state["source_words"], key=len)
    write(page, f"鼹{known}")
    told = page.get_by_role("status").first
    expect(told).to_contain_text("“鼹” is none of the")
    evil = "<img src=x onerror=alert(1)>"
    write(page, evil)
    expect(told).to_contain_text("“img” is none")
    assert page.locator(".ac-explorable img").count() == 0
    write(page, "☃" * 3)
    expect(told).to_contain_text(f"“☃☃☃” is none of the {len(state['source_words']) - 1} words")
    expect(told).to_contain_text("none is near it")
    write(page, "")
    expect(told).to_have_text("Type a sentence, or pick one.")
    write(page, known * 41)
    expect(told).to_have_text("That is too long: at most 40 words.")


def test_a_suggestion_takes_the_place_of_what_is_unknown(
    page: Page, translator: Translator
) -> None:
    sentence = translator.state["sentences"][0]
    t, s = next(
        (t, s)
        for t, s in sentence["alignment"]
        if sentence["target"].count(sentence["target"][t]) == 1 and sentence["target"][t].isalpha()
    )
    english, chinese = sentence["target"][t], sentence["source"][s]
    write(page, "".join(english if i == s else w for i, w in enumerate(sentence["source"])))
    told = page.get_by_role("status").first
    expect(told).to_contain_text(f"“{english}” is none")
    told.get_by_role("button", name=chinese, exact=True).click()
    frame(page)
    expect(told).to_be_empty()
    assert chips(page, "Chinese") == sentence["source"]


@pytest.mark.parametrize("page", [PHONE], indirect=True)
def test_a_finger_and_the_keyboard_do_the_same(page: Page, translator: Translator) -> None:
    target = page.get_by_role("group", name="English", exact=True)
    page.touchscreen.tap(*middle(target.locator("button").nth(1)))
    expect(target.locator("button").nth(1)).to_have_attribute("aria-pressed", "true")
    page.touchscreen.tap(*middle(page.get_by_role("button", name="Back")))
    expect(target.locator("b").last).to_have_text("…?")
    assert chips(page)[-1] == "…?"
    page.get_by_role("button", name="Next word").press("Enter")
    frame(page)
    assert chips(page)[-1] == "<end>"
    target.locator("button").first.press("Space")
    frame(page)
    expect(target.locator("button").first).to_have_attribute("aria-pressed", "true")
    expect(target.locator("button").first).to_be_focused()


def test_a_sentence_longer_than_any_it_learned_is_translated(
    page: Page, translator: Translator
) -> None:
    words = [word for each in translator.state["sentences"] for word in each["source"][:-1]]
    text = page.locator(".ac-typed")
    text.fill("".join(words[:30]))
    text.press("Enter")
    frame(page)
    assert len(chips(page, "Chinese")) >= 30
    assert len(chips(page)) > 5


# How far the page's logits are from torch's, at most, and how often another word is the likeliest.
LOGITS = """
async ([source, file, pairs, given]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const { compute } = await import(url);
  const bytes = Uint8Array.from(atob(given), (letter) => letter.charCodeAt(0));
  const expected = new Float32Array(bytes.buffer);
  let [at, most, others, compared] = [0, 0, 0, 0];
  for (const pair of pairs) {
    for (const logits of compute({ file, off: [], ...pair }).logits) {
      const row = expected.subarray(at, (at += logits.length));
      logits.forEach((logit, i) => (most = Math.max(most, Math.abs(logit - row[i]))));
      others += Number(logits.indexOf(Math.max(...logits)) !== row.indexOf(Math.max(...row)));
      compared += logits.length;
    }
  }
  return { most, others, compared };
}
"""


def test_the_logits_are_torchs_over_the_held_out_set(page: Page) -> None:
    """In float32, as the library runs it; padded, which the page need not do."""
    corpus, pairs = translation(), translation().held_out
    model, *_ = models.translator()
    source, target = (torch.tensor(rows(pairs)) for rows in (corpus.sources, corpus.targets))
    read = target[:, :-1]
    with torch.no_grad():
        logits = model(source, read)  # (pairs, n, vocabulary)
    lengths = [len(pair.target) + 1 for pair in pairs]
    expected = torch.cat([rows[:n] for rows, n in zip(logits, lengths, strict=True)])
    real = [[i for i in row if i != Vocabulary.PAD] for row in source.tolist()]
    asked = [
        {"source": ids, "target": row[:n]}
        for ids, row, n in zip(real, read.tolist(), lengths, strict=True)
    ]
    page.route("http://book.localhost/", lambda route: route.fulfill(body="<!doctype html>"))
    page.goto("http://book.localhost/")
    file, given = (
        base64.b64encode(each).decode()
        for each in (asset_bytes(Translator.assets["model"]), expected.numpy().tobytes())
    )
    found = page.evaluate(LOGITS, [module_source("translator"), file, asked, given])
    assert found["compared"] == expected.numel() > 1e6
    assert found["most"] < 1e-4
    assert found["others"] == 0
