"""Trains a small language model on one process or on many: the script of lesson 4-5.

One process, two, and two machines of eight::

    python -m attention_course.lessons.scaling_out.script
    torchrun --standalone --nproc-per-node 2 -m attention_course.lessons.scaling_out.script
    torchrun --nnodes 2 --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint HOST:29500 \
        -m attention_course.lessons.scaling_out.script

Every process has a whole model and takes its share of every batch; torch's
``DistributedDataParallel`` averages their gradients. At equal ``--global-batch`` all of these have
the same losses, up to rounding. With ``--checkpoint`` a run that ended too early goes on from its
file when the same command is given again, on any number of processes. (On several machines, each
must see that file.)
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path

import torch

# Its functions have the group of the moment as a default. DDP imports it once there is one, which
# then lives, with its threads, until Python ends; one that runs even then can abort the process.
import torch.distributed.nn
from torch import Tensor, distributed, nn
from torch.distributed.elastic.multiprocessing.errors import record
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from ... import checkpoints
from ...transformer import LanguageModel

LETTERS, LENGTH = 12, 6  # a word is 6 of the tokens 1 … 12
SEPARATOR = LETTERS + 1
LEARNING_RATE = 5e-3
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_TIMEOUT = timedelta(seconds=60)  # that a process waits for the others


def train_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    share: Tensor,
    accumulate: int = 1,
    precision: torch.dtype = torch.float32,
) -> float:
    """One step on this process's share of a batch, ``(lines, 13)``; the mean loss on the share."""
    optimizer.zero_grad()
    mean = 0.0
    for i, piece in enumerate(share.chunk(accumulate), start=1):
        with _averaging(model, i == accumulate):
            with torch.autocast(share.device.type, precision, precision != torch.float32):
                loss = loss_of(model, piece) / accumulate
            loss.backward()
        mean += loss.item()
    optimizer.step()
    return mean


def loss_of(model: nn.Module, lines: Tensor) -> Tensor:
    """How badly the model foretells the letters after the separator: the mean over all of them."""
    logits = model(lines[:, :-1])[:, LENGTH:]  # (lines, 6, vocabulary)
    return F.cross_entropy(logits.flatten(0, 1), lines[:, LENGTH + 1 :].flatten())


def new_model(seed: int = 0) -> LanguageModel:
    """The model as it begins, the same in every process."""
    torch.manual_seed(seed)
    return LanguageModel(LETTERS + 2, 64, 4, 1, 256, pad_id=None)


def new_optimizer(model: nn.Module) -> torch.optim.Optimizer:
    """What moves the parameters."""
    return torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)


def batch(step: int, size: int) -> Tensor:
    """The lines of a step, ``(size, 13)``: a word, the separator, and the word backwards."""
    source = torch.Generator().manual_seed(step)
    word = torch.randint(1, LETTERS + 1, (size, LENGTH), generator=source)
    return torch.cat([word, torch.full((size, 1), SEPARATOR), word.flip(1)], dim=1)


def _averaging(model: nn.Module, on: bool) -> AbstractContextManager[None]:
    """Whether ``backward`` averages the gradients over the processes: only for the last piece."""
    return nullcontext() if on or not hasattr(model, "no_sync") else model.no_sync()


# --- The run --------------------------------------------------------------------------------------


def train(options: argparse.Namespace, rank: int, processes: int, device: torch.device) -> None:
    """All steps of one process; process 0 writes the checkpoint and the log."""
    plain = new_model().to(device)
    optimizer = new_optimizer(plain)
    losses, took = _resumed(options, rank, plain, optimizer)
    model: nn.Module = DistributedDataParallel(plain) if distributed.is_initialized() else plain
    model = torch.compile(model) if options.compile else model
    seconds: list[float] = []
    kept = len(losses)
    for step in range(len(losses) + 1, options.steps + 1):
        if step == options.die_at and rank == processes - 1:
            os.kill(os.getpid(), signal.SIGKILL)
        begin = time.perf_counter()
        share = batch(step, options.global_batch).chunk(processes)[rank].to(device)
        try:
            loss = train_step(
                model, optimizer, share, options.accumulate, PRECISIONS[options.precision]
            )
            losses.append(_mean(loss, device))
        except RuntimeError as error:
            raise RuntimeError(_stopped(options, rank, step, kept, error)) from error
        seconds.append(time.perf_counter() - begin)
        if step % options.checkpoint_every == 0 or step == options.steps:
            kept = step
            if rank == 0 and options.checkpoint:
                checkpoints.save(options.checkpoint, plain, optimizer, losses, took + sum(seconds))
                print(f"{options.checkpoint}: the first {kept} steps", flush=True)
    equal = _same_everywhere(plain)
    if rank == 0 and options.losses:
        log = {
            "processes": processes,
            "device": device.type,
            "equal": equal,
            "first": len(losses) - len(seconds) + 1,
            "losses": losses,
            "seconds": seconds,
        }
        options.losses.write_text(json.dumps(log))


def _resumed(
    options: argparse.Namespace, rank: int, model: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[list[float], float]:
    """The losses so far and the seconds they took, from the checkpoint if there is one."""
    losses, took = [], 0.0
    if options.checkpoint and options.checkpoint.exists():
        losses, took = checkpoints.load(options.checkpoint, model, optimizer)
    if distributed.is_initialized():
        known = [None] * distributed.get_world_size()
        distributed.all_gather_object(known, len(losses))
        if len(set(known)) > 1:
            raise ValueError(
                f"--checkpoint: the processes found {known} steps, expected the same file for all"
            )
    if rank == 0 and losses:
        print(f"{options.checkpoint}: goes on after step {len(losses)}", flush=True)
    return losses[: options.steps], took


def _mean(loss: float, device: torch.device) -> float:
    """The loss on the whole batch, from those on the shares, which are of one size."""
    if not distributed.is_initialized():
        return loss
    total = torch.tensor(loss, dtype=torch.float64, device=device)
    distributed.all_reduce(total)
    return total.item() / distributed.get_world_size()


@torch.no_grad()
def _same_everywhere(model: nn.Module) -> bool:
    """Whether every parameter is the same number, bit for bit, in all processes."""
    if not distributed.is_initialized():
        return True
    least = torch.cat([p.flatten() for p in model.parameters()])
    most = least.clone()
    distributed.all_reduce(least, distributed.ReduceOp.MIN)
    distributed.all_reduce(most, distributed.ReduceOp.MAX)
    return torch.equal(least, most)


def _stopped(
    options: argparse.Namespace, rank: int, step: int, kept: int, error: RuntimeError
) -> str:
    file = f"{options.checkpoint} has the first {kept}" if options.checkpoint and kept else "none"
    return f"process {rank} stops at step {step}: {error} Steps in a checkpoint: {file}."


# --- From the command line ------------------------------------------------------------------------


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What the command line says.

    Raises:
        SystemExit: it says something else than what is known; the message is on stderr.
    """
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=_size, default=80)
    parser.add_argument("--global-batch", type=_size, default=64, help="of all processes together")
    parser.add_argument("--accumulate", type=_size, default=1, help="pieces of a share")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--compile", action="store_true", help="torch.compile the model")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--checkpoint", type=Path, help="a safetensors file; go on from it")
    parser.add_argument("--checkpoint-every", type=_size, default=20, help="steps")
    parser.add_argument("--losses", type=Path, help="a JSON file for what happened")
    parser.add_argument("--die-at", type=_size, help="at this step, the last process is killed")
    return parser.parse_args(arguments)


def _size(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number of at least 1")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train; on several processes if torchrun has started them."""
    options = options_of(arguments)
    # Set by torchrun: this process's number, how many there are, and its number on its machine.
    rank, processes, local = (
        int(os.environ.get(name, default))
        for name, default in (("RANK", 0), ("WORLD_SIZE", 1), ("LOCAL_RANK", 0))
    )
    pieces = processes * options.accumulate
    if options.global_batch % pieces:
        raise ValueError(
            f"--global-batch: got {options.global_batch}, expected a multiple of {pieces}, so that"
            f" {processes} processes have {options.accumulate} pieces of one size each"
        )
    device = _device(options.device, local)
    if "RANK" in os.environ:
        backend = "nccl" if device.type == "cuda" else "gloo"
        distributed.init_process_group(backend, timeout=_TIMEOUT)
    try:
        train(options, rank, processes, device)
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def _device(wanted: str, local: int) -> torch.device:
    """A GPU for each process of this machine, or none."""
    here, gpus = int(os.environ.get("LOCAL_WORLD_SIZE", 1)), torch.cuda.device_count()
    if wanted == "cpu" or (wanted == "auto" and gpus < here):
        return torch.device("cpu")
    if gpus < here:
        raise ValueError(f"--device: got cuda for {here} processes, but there are {gpus} GPUs")
    torch.cuda.set_device(local)
    return torch.device("cuda", local)


if __name__ == "__main__":
    record(main)()  # so that torchrun's report holds what went wrong
