"""Trains what lesson 4-2 ships: the runs over seeds and the translator of the book.

``python -m attention_course.lessons.train_a_translator.runs`` trains the lesson's model from five
starts and puts the scores of each into ``runs.json``: some six minutes on one core. With
``translator`` behind it, it trains the model that the book ships, four times as long, and writes it
to ``models/translator.safetensors`` with its card beside it: some four minutes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from ... import models
from ...corpora import translation
from . import experiments

LOG = Path(__file__).with_name("runs.json")
PARTS = ("held_out", "unseen_combinations", "longer")
STARTS = range(5)
SHIPPED_STEPS = 4 * experiments.STEPS
EVERY = 50
"""The log holds the loss of every so many steps."""


def run(seed: int, steps: int = experiments.STEPS) -> dict[str, object]:
    """One training run: its losses, its scores, and how well each head aligns."""
    corpus = translation()
    translator = experiments.model(corpus, seed=seed)
    log = experiments.train(translator, corpus, seed=seed, steps=steps, progress=False)
    scores = {
        part: experiments.exact_match(translator, corpus, getattr(corpus, part)) for part in PARTS
    }
    weights = experiments.cross_weights(translator, corpus, corpus.held_out)
    layers, heads = range(experiments.LAYERS), range(experiments.HEADS)
    errors = [
        [
            round(experiments.pointed(weights, i, head).error_rate(corpus.held_out), 4)
            for head in (*heads, None)
        ]
        for i in layers
    ]
    losses = [round(value, 4) for value in log.losses[EVERY - 1 :: EVERY]]
    return {"losses": losses, "exact_match": scores, "error_rates": errors}


def ship() -> None:
    """Train the book's translator and write it with its card."""
    corpus = translation()
    translator = experiments.model(corpus)
    log = experiments.train(translator, corpus, steps=SHIPPED_STEPS, progress=False)
    sizes = {
        "d_model": experiments.WIDTH,
        "num_heads": experiments.HEADS,
        "num_layers": experiments.LAYERS,
        "d_ff": experiments.HIDDEN,
        "norm": "pre",
    }
    numbers = sum(p.numel() for p in translator.parameters())
    losses = [round(value, 4) for value in log.losses[EVERY - 1 :: EVERY]]
    about = {
        "what": "An encoder-decoder, attention_course.transformer.Transformer, that translates "
        "the sentences of one small grammar from Chinese to English. For teaching.",
        "command": f"python -m {__spec__.name} translator",
        "text": "attention_course.corpora.translation(), all of it generated: its licence is the "
        "book's",
        "pairs": len(corpus.train),
        "steps": SHIPPED_STEPS,
        "batch": experiments.BATCH,
        "parameters": numbers,
        "torch": torch.__version__.split("+")[0],
        f"loss, each {EVERY} steps": losses,
    }
    words = {
        "source words": corpus.source_vocabulary.words[1:],
        "target words": corpus.target_vocabulary.words[1:],
    }
    models.halve(translator)
    scores = {
        part: experiments.exact_match(translator, corpus, getattr(corpus, part)) for part in PARTS
    }
    models.save("translator", translator, {**about, "exact match": scores, **words}, **sizes)
    print(scores)


def main(what: str = "seeds") -> None:
    if what == "translator":
        ship()
        return
    log = {}
    for seed in STARTS:
        log[str(seed)] = run(seed)
        print(seed, log[str(seed)], flush=True)
        LOG.write_text(json.dumps(log, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
