"""How long a training step of our Transformer takes, in times of ``nn.Transformer``'s.

Prints a ratio a line, below 1 where ours is the faster one: forward, backward and Adam's step. Both
have the same sizes, embeddings and last layer, and the same batches; they run in turns in one
process, on one core, and each ratio is that of the fastest of many rounds, so that other work on
the machine does not count. Ours should stay at 1.0.

    python benchmarks/transformer.py [rounds]
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from attention import fastest
from torch import Tensor, nn
from torch.nn import functional as F

from attention_course.attention import causal_mask
from attention_course.transformer import Embedding, Transformer

VOCABULARY, D_MODEL, HEADS, LAYERS, D_FF = 1000, 256, 8, 3, 1024
BATCH, TOKENS = 32, 48
PADDED = 8  # of the tokens of every second sentence


class Torchs(nn.Module):
    """``nn.Transformer`` between our embeddings and a last layer."""

    def __init__(self, norm: str, dropout: float) -> None:
        super().__init__()
        self.source = Embedding(VOCABULARY, D_MODEL, dropout)
        self.target = Embedding(VOCABULARY, D_MODEL, dropout)
        self.middle = nn.Transformer(
            *(D_MODEL, HEADS, LAYERS, LAYERS, D_FF, dropout),
            batch_first=True,
            norm_first=norm == "pre",
        )
        self.output = nn.Linear(D_MODEL, VOCABULARY)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        states = self.middle(
            self.source(source),
            self.target(target),
            tgt_mask=~causal_mask(target.size(1)),
            src_key_padding_mask=source == 0,
            tgt_key_padding_mask=target == 0,
            memory_key_padding_mask=source == 0,
        )
        return self.output(states)


def step(model: nn.Module, source: Tensor, target: Tensor) -> Callable[[], object]:
    """One step of training."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)

    def run() -> None:
        logits = model(source, target)
        loss = F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return run


def tokens() -> Tensor:
    ids = torch.randint(1, VOCABULARY, (BATCH, TOKENS))
    ids[::2, -PADDED:] = 0
    return ids


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    torch.set_num_threads(1)
    print("training step")
    for norm in ("pre", "post"):
        for dropout in (0.0, 0.1):
            torch.manual_seed(0)
            source, target = tokens(), tokens()
            sizes = (VOCABULARY, VOCABULARY, D_MODEL, HEADS, LAYERS, D_FF, dropout, norm)
            models = (Transformer(*sizes), Torchs(norm, dropout))
            ours, theirs = fastest([step(model, source, target) for model in models], rounds)
            print(f"{ours / theirs:13.2f}  {norm}-norm, dropout {dropout}", flush=True)


if __name__ == "__main__":
    main()
