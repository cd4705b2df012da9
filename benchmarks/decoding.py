"""How many times less processor time writing takes with a cache of keys and values.

Prints a ratio a line, above 1 where the cache is the faster way: tokens written, one at a time, by
a language model of the sizes below. Both ways run in turns in one process, on one core, and each
ratio is that of the fastest of some rounds, so that other work on the machine does not count. It
grows with the number of tokens: without a cache each token costs a pass over all before it.

    python benchmarks/decoding.py [rounds]
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from attention import fastest
from torch import Tensor

from attention_course.transformer import Cache, LanguageModel

VOCABULARY, D_MODEL, HEADS, LAYERS, D_FF = 512, 96, 4, 3, 384
START = 16  # tokens that are there before the first is written
WRITTEN = (32, 128, 512)


def writing(model: LanguageModel, length: int, keep: bool) -> Callable[[], Tensor]:
    """Writes ``length`` tokens, the likeliest each time, with a cache or without."""

    @torch.no_grad()
    def run() -> Tensor:
        cache = Cache(LAYERS) if keep else None
        tokens = torch.arange(START)[None]
        for _ in range(length):
            new = tokens if cache is None else tokens[:, cache.length :]
            token = model(new, cache)[:, -1].argmax(-1, keepdim=True)  # (1, 1)
            tokens = torch.cat([tokens, token], dim=1)
        return tokens

    return run


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = LanguageModel(VOCABULARY, D_MODEL, HEADS, LAYERS, D_FF, pad_id=None).eval()
    print("writing without a cache, in times of writing with one")
    for length in WRITTEN:
        runs = [writing(model, length, keep) for keep in (False, True)]
        if not torch.equal(*(run() for run in runs)):
            raise SystemExit("with a cache other tokens are written")
        without, kept = fastest(runs, rounds)
        print(f"{without / kept:13.2f}  {length} tokens", flush=True)


if __name__ == "__main__":
    main()
