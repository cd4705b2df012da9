"""How long our MultiHeadAttention takes, in times of torch's with the same weights.

Prints a ratio a line, below 1 where ours is the faster one. The two run in turns in one process, on
one core, and each ratio is that of the fastest of many rounds, so that other work on the machine
does not count. Ours should stay at 1.1 with weights asked for and at 1.0 without.

    python benchmarks/attention.py [rounds]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from attention_course.attention import MultiHeadAttention, causal_mask

D_MODEL, HEADS = 256, 8
TOKENS, TOKENS_A_BATCH = (48, 256, 1024), 1024


def layers() -> tuple[MultiHeadAttention, nn.MultiheadAttention]:
    """Our layer, and torch's with the same parameters."""
    torch.manual_seed(0)
    ours = MultiHeadAttention(D_MODEL, HEADS)
    theirs = nn.MultiheadAttention(D_MODEL, HEADS, batch_first=True)
    inputs = (ours.query, ours.key, ours.value)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([layer.weight for layer in inputs]))
        theirs.in_proj_bias.copy_(torch.cat([layer.bias for layer in inputs]))
        theirs.out_proj.load_state_dict(ours.output.state_dict())
    return ours, theirs


def fastest(runs: list[Callable[[], object]], rounds: int) -> list[float]:
    """The least seconds of processor time that each run takes, the runs taking turns."""
    seconds = [float("inf")] * len(runs)
    for _ in range(rounds):
        for i, run in enumerate(runs):
            before = time.process_time()
            run()
            seconds[i] = min(seconds[i], time.process_time() - before)
    return seconds


def ratios(n: int, need_weights: bool, causal: bool, rounds: int) -> list[float]:
    """Ours over torch's: forward, forward and backward, and forward with no gradient to come."""
    ours, theirs = layers()
    x = torch.randn(max(1, TOKENS_A_BATCH // n), n, D_MODEL, requires_grad=True)  # (batch, n, 256)
    future = ~causal_mask(n) if causal else None

    def our_output() -> Tensor:
        return ours(x, causal=causal, need_weights=need_weights)[0]

    def their_output() -> Tensor:
        options = {"attn_mask": future, "is_causal": causal}
        return theirs(x, x, x, need_weights=need_weights, average_attn_weights=False, **options)[0]

    torch.testing.assert_close(our_output(), their_output())
    runs = [
        run(output)
        for run in (plainly, backward, without_gradient)
        for output in (our_output, their_output)
    ]
    seconds = fastest(runs, rounds)
    return [a / b for a, b in zip(seconds[::2], seconds[1::2], strict=True)]


def plainly(output: Callable[[], Tensor]) -> Callable[[], object]:
    return output


def backward(output: Callable[[], Tensor]) -> Callable[[], object]:
    return lambda: output().sum().backward()


def without_gradient(output: Callable[[], Tensor]) -> Callable[[], object]:
    return torch.no_grad()(output)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    torch.set_num_threads(1)
    print("forward  and backward  without gradient")
    for causal in (False, True):
        for need_weights in (True, False):
            for n in TOKENS:
                forward, both, inference = ratios(n, need_weights, causal, rounds)
                weights = "with weights" if need_weights else "without weights"
                hidden = ", causal" if causal else ""
                numbers = f"{forward:7.2f}  {both:12.2f}  {inference:16.2f}"
                print(f"{numbers}  {n} tokens, {weights}{hidden}", flush=True)


if __name__ == "__main__":
    main()
