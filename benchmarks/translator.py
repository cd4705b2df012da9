"""How long the translator takes in the browser, in times of torch on the processor.

Prints a ratio a line, below 1 where the browser is the faster one, for sentences of some lengths:
in the browser from the key that asks for the translation until it is drawn, in torch greedy
decoding alone, on one core, with the cache. Each sentence is asked for once, as the page remembers
what it has translated; the ratio is that of the fastest sentences on both sides, so that other work
on the machine does not count. Needs Chromium.

    python benchmarks/translator.py [rounds]
"""

from __future__ import annotations

import sys
import time

import torch
from explorables import chromium, open_model
from playwright.sync_api import Page

from attention_course import models
from attention_course.corpora import SentencePair, translation
from attention_course.decoding import greedy_decode
from attention_course.explorables import Translator

LENGTHS = (6, 12, 20)  # Chinese words
LONGEST = 40
# The seconds from Enter until the translation of the text is drawn.
ASK = """async (text) => {
  let draw = () => {};
  const own = window.requestAnimationFrame;
  window.requestAnimationFrame = (callback) => ((draw = callback), 1);
  const input = document.querySelector(".ac-typed");
  input.value = text;
  input.dispatchEvent(new Event("input"));
  draw();
  const start = performance.now();
  input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
  draw();
  document.body.getBoundingClientRect();
  const taken = performance.now() - start;
  window.requestAnimationFrame = own;
  return taken / 1000;
}"""


def by_torch(pair: SentencePair) -> float:
    """The seconds of one greedy translation."""
    model, source, target = models.translator()
    ids = torch.tensor(source.encode([pair.source]))
    start = time.perf_counter()
    greedy_decode(model, ids, target.id("<start>"), target.id("<end>"), LONGEST)
    return time.perf_counter() - start


def report(page: Page, rounds: int) -> None:
    corpus = translation()
    page.set_content(Translator.of(corpus)._repr_mimebundle_()["text/html"])
    page.wait_for_selector("[data-ready]")
    open_model(page)  # once, before the clock runs
    print("a word in the browser, drawing included, in times of torch")
    for length in LENGTHS:
        pairs = [p for p in (*corpus.held_out, *corpus.longer) if len(p.source) == length]
        browser, torchs = [], []
        for pair in pairs[:rounds]:
            browser.append(page.evaluate(ASK, "".join(pair.source)) / len(pair.target))
            torchs.append(by_torch(pair) / len(pair.target))
        print(f"{min(browser) / min(torchs):13.2f}  {length} words", flush=True)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    torch.set_num_threads(1)
    with chromium() as browser:
        report(browser.new_page(), rounds)


if __name__ == "__main__":
    main()
