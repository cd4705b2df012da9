"""What lesson 4-5 measures with: the script at work in processes of its own, and arithmetic."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
import time
import weakref
from dataclasses import dataclass, field
from importlib import resources
from itertools import pairwise
from pathlib import Path
from tempfile import mkdtemp

import torch
from torch import Tensor, nn

from ... import checks
from ...language import word, words
from ...markup import Display, escape
from ...numbers import number
from ...tables import Table
from ...transformer import EncoderLayer, LanguageModel
from . import script

SCRIPT = "attention_course.lessons.scaling_out.script"
_PACKAGE = Path(__file__).parents[3]  # the folder that the package is in
_WAITS = 300  # seconds for a run
_OF_TORCHRUN = {
    "RANK",
    "LOCAL_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    "MASTER_ADDR",
    "MASTER_PORT",
}
_FAILURE = re.compile(
    r"rank\s*: (\d+)[^\n]*\n\s*exitcode\s*: (-?\d+).*?traceback\s*: (.*?)\n(?:\[\d|---|===)", re.S
)
_ENDED_BY_TORCHRUN = -signal.SIGTERM


# --- The script, started as from a command line ---------------------------------------------------


class Folder:
    """A folder for files that are there as long as somebody holds it.

    Attributes:
        name: where it is.
    """

    def __init__(self) -> None:
        self.name = mkdtemp(prefix="scaling-out-")
        weakref.finalize(self, shutil.rmtree, self.name, ignore_errors=True)


@dataclass(frozen=True)
class Run:
    """A run of the script that has ended, well or not.

    Attributes:
        command: what was called.
        exit_code: 0 if all went well.
        said: what the script printed.
        errors: what it, and torchrun, had to complain of.
        folder: where its files are.
    """

    command: str
    exit_code: int
    said: str
    errors: str
    folder: Folder = field(repr=False)
    log: dict | None = field(repr=False)

    @property
    def losses(self) -> Tensor:
        """The loss at each step, ``(steps,)``, of the checkpoint's steps, too."""
        return torch.tensor(self._log()["losses"], dtype=torch.float64)

    @property
    def milliseconds(self) -> float:
        """What a step took: the median."""
        return 1000 * statistics.median(self._log()["seconds"])

    @property
    def first(self) -> int:
        """The first step that this run took itself."""
        return self._log()["first"]

    @property
    def equal(self) -> bool:
        """Whether all processes had the same parameters at the end."""
        return self._log()["equal"]

    @property
    def cause(self) -> str:
        """Why it did not end well, in torchrun's own words.

        Of the processes that a signal of somebody else's has killed, the first; else the one that
        torchrun lists last, which it calls the root cause.
        """
        failures = _FAILURE.findall(self.errors)
        if not failures:
            return self.errors.strip().rpartition("\n")[2]
        killed = [each for each in failures if 0 > int(each[1]) != _ENDED_BY_TORCHRUN]
        rank, code, trace = (killed or failures[-1:])[0]
        return f"rank {rank}, exit code {code}: {trace.strip().splitlines()[-1].strip()}"

    def _log(self) -> dict:
        if self.log is None:
            raise RuntimeError(f"{self.command}\nended with {self.exit_code}:\n{self.errors}")
        return self.log


def launch(
    processes: int, options: str = "", run: Run | None = None, *, torchrun: bool = True
) -> Run:
    """Start the script on so many processes, print the command, and wait for its end.

    Each process has one thread, and a GPU if there is one for each of two, so that runs on one and
    on two can be compared.

    Args:
        processes: how many.
        options: for the script, as on a command line.
        run: an earlier run, whose files are there for this one; a new folder by default.
        torchrun: whether torchrun starts it; one process can also be started directly.

    Raises:
        TypeError, ValueError: ``processes`` is not a whole number of at least 1, or more than 1
            without torchrun.
        TimeoutError: it took longer than five minutes; it has been stopped.
    """
    processes = checks.size("processes", processes)
    if processes > 1 and not torchrun:
        raise ValueError(f"processes: got {processes} without torchrun, expected 1")
    folder = run.folder if run else Folder()
    device = "cuda" if torch.cuda.device_count() >= max(2, processes) else "cpu"
    starter = ["-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1"]
    starter += ["--nproc-per-node", str(processes)]
    command = [*(starter if torchrun else ()), "-m", SCRIPT, "--device", device]
    command += shlex.split(options)
    print(_in_lines(command), flush=True)
    losses = Path(folder.name, "losses.json")
    losses.unlink(missing_ok=True)
    started = subprocess.Popen(
        [sys.executable, *command, "--losses", losses.name],
        cwd=folder.name,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        said, errors = started.communicate(timeout=_WAITS)
    except BaseException as error:  # also if the reader stops the cell
        started.terminate()  # torchrun ends the processes that it has started
        started.wait()
        if isinstance(error, subprocess.TimeoutExpired):
            raise TimeoutError(f"{shlex.join(command)} took over {_WAITS} seconds") from None
        raise
    log = json.loads(losses.read_text()) if losses.exists() else None
    shown = shlex.join(["python", *command])
    return Run(shown, started.returncode, said, errors, folder, log)


def _in_lines(command: list[str]) -> str:
    """A command as one would type it: torchrun, on how many processes, the script, its options."""
    script_at = command.index(SCRIPT)
    ends = (max(0, script_at - 3), script_at - 1, script_at + 1, len(command))
    parts = (command[start:end] for start, end in pairwise((0, *ends)))
    lines = [shlex.join(part) for part in parts if part]
    return "$ python " + " \\\n      ".join(lines)


def _environment() -> dict[str, str]:
    """This process's, for a run of its own on this machine alone, of one thread a process."""
    ours = {name: value for name, value in os.environ.items() if name not in _OF_TORCHRUN}
    path = os.pathsep.join(filter(None, [str(_PACKAGE), os.environ.get("PYTHONPATH")]))
    ours |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
    if sys.platform == "linux":
        ours.setdefault("GLOO_SOCKET_IFNAME", "lo")  # also where the machine's name leads nowhere
    return ours


def roundings() -> dict:
    """How far rounding leads runs apart: the log of the module ``rounding``.

    The losses' largest differences, by kind of numbers, and those of two kinds of parameters.
    """
    return json.loads(resources.files(__package__).joinpath("rounding.json").read_text())


# --- Gradients and arithmetic ---------------------------------------------------------------------


def gradient(model: nn.Module, lines: Tensor) -> Tensor:
    """The slopes of the loss on some lines by all parameters, in one vector."""
    model.zero_grad()
    script.loss_of(model, lines).backward()
    return torch.cat([p.grad.flatten() for p in model.parameters()])


def gpt2_parameters() -> int:
    """How many parameters the smallest GPT-2 has: tokens, positions, 12 layers, the last norm.

    Its layers have the shapes of ours. Its positions are learned, 1,024 of them, and its table of
    tokens is also its last layer.

    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners", table 2,
    and the released weights.
    """
    d_model = 768
    layer = sum(p.numel() for p in EncoderLayer(d_model, 12, 4 * d_model).parameters())
    return (50_257 + 1024) * d_model + 12 * layer + 2 * d_model


# --- What only a GPU makes faster -----------------------------------------------------------------


def on_gpu(steps: int = 20) -> Display:
    """Milliseconds a step on a GPU in float32, bfloat16, and compiled; a note where there is none.

    The model is larger than the script's, so that the GPU has something to do.
    """
    said = words("scaling_out.gpu")
    if not torch.cuda.is_available():
        return Note(said["skipped"])
    lines = []
    for name, precision, compiles in (
        ("float32", torch.float32, False),
        ("bfloat16", torch.bfloat16, False),
        ("compiled", torch.bfloat16, True),
    ):
        took = _milliseconds(precision, compiles, steps)
        lines.append([said["names"][name], number(took)])
    title = word("scaling_out.gpu.title", device=torch.cuda.get_device_name())
    return Table(title, said["head"], lines)


def _milliseconds(precision: torch.dtype, compiles: bool, steps: int) -> float:
    torch.manual_seed(0)
    model = LanguageModel(script.LETTERS + 2, 512, 8, 8, 2048, pad_id=None).cuda()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    run = torch.compile(model) if compiles else model
    lines = script.batch(1, 1024).cuda()
    for step in range(steps + 5):
        if step == 5:  # the first steps compile, and find the fastest kernels
            torch.cuda.synchronize()
            begin = time.perf_counter()
        script.train_step(run, optimizer, lines, precision=precision)
    torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - begin) / steps


class Note(Display):
    """A sentence in a card."""

    def __init__(self, said: str) -> None:
        self.said = said

    def html(self) -> str:
        return f'<div class="ac ac-card" data-tone="quiet"><p>{escape(self.said)}</p></div>'

    def text(self) -> str:
        return self.said
