"""What lesson 4-5 measures with: the script on one process and on two."""

import json
import os
import subprocess
import sys
from textwrap import dedent

import pytest
import torch

from attention_course import checkpoints, language
from attention_course.lessons.scaling_out import experiments, rounding, script


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Nobody has started these tests with torchrun, nor asked for many threads."""
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    language.use("en")


def losses(steps, accumulate=1, precision=torch.float32):
    """Of a plain loop in this process, on whole batches."""
    model = script.new_model()
    optimizer = script.new_optimizer(model)
    return torch.tensor(
        [
            script.train_step(model, optimizer, script.batch(step, 64), accumulate, precision)
            for step in range(1, steps + 1)
        ]
    ).double()


def test_two_processes_of_which_one_dies_train_as_one_process_does(capsys):
    options = "--steps 8 --accumulate 2 --checkpoint run.safetensors"
    killed = experiments.launch(2, f"{options} --checkpoint-every 3 --die-at 6")
    assert killed.exit_code != 0
    assert "rank 1, exit code -9" in killed.cause
    assert killed.said == "run.safetensors: the first 3 steps\n"
    with pytest.raises(RuntimeError, match=r"--die-at 6\nended with 1:\n"):
        _ = killed.losses
    resumed = experiments.launch(2, options, killed)
    assert resumed.exit_code == 0, resumed.errors
    assert (resumed.first, len(resumed.losses)) == (4, 8)
    assert resumed.milliseconds > 0
    assert resumed.equal
    torch.testing.assert_close(resumed.losses, losses(8), atol=1e-3, rtol=0)
    assert "$ python -m torch.distributed.run --standalone" in capsys.readouterr().out


def test_pieces_of_a_share_give_the_step_of_the_whole():
    torch.testing.assert_close(losses(5, accumulate=4), losses(5), atol=1e-4, rtol=0)


def test_fewer_bits_change_the_losses_a_little():
    apart = (losses(3, precision=torch.bfloat16) - losses(3)).abs().max()
    assert 0 < apart < 0.1


def test_a_line_is_a_word_and_its_mirror_image():
    lines = script.batch(3, 5)
    assert lines.shape == (5, 2 * script.LENGTH + 1)
    assert torch.equal(lines[:, : script.LENGTH], lines.flip(1)[:, : script.LENGTH])
    assert (lines[:, script.LENGTH] == script.SEPARATOR).all()
    assert not torch.equal(lines, script.batch(4, 5))
    assert torch.equal(lines, script.batch(3, 5))


def test_the_loss_is_that_of_the_mirror_image_alone():
    """Whoever knows the answer but nothing of the word has no loss."""

    def oracle(read):
        wanted = torch.cat([read[:, 1:], read[:, :1]], dim=1)  # wrong at the last place only
        wanted[:, : script.LENGTH] = 0  # foretells no letter of the word
        return 100.0 * torch.nn.functional.one_hot(wanted, script.LETTERS + 2)

    lines = script.batch(1, 8)
    lines[:, -1] = lines[:, 0]
    assert script.loss_of(oracle, lines) < 1e-6
    lines[:, -2] = lines[:, -2] % script.LETTERS + 1
    assert script.loss_of(lambda read: oracle(script.batch(1, 8)[:, :-1]), lines) > 1


def test_the_script_trains_by_itself_and_goes_on_from_its_file(tmp_path, capsys):
    file, log = tmp_path / "run.safetensors", tmp_path / "losses.json"
    script.main(["--steps", "3", "--checkpoint", str(file), "--device", "cpu"])
    arguments = ["--steps", "5", "--checkpoint", str(file), "--losses", str(log)]
    script.main([*arguments, "--device", "cpu"])
    assert "goes on after step 3" in capsys.readouterr().out
    written = json.loads(log.read_text())
    assert (written["first"], written["processes"]) == (4, 1)
    torch.testing.assert_close(torch.tensor(written["losses"]).double(), losses(5))


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_no_thread_of_the_group_outlives_the_training(tmp_path):
    """One that does can abort the process: it may ask for Python when Python has ended."""
    alone = {"RANK": "0", "WORLD_SIZE": "1", "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    code = """
        import os
        from torch import distributed
        from attention_course.lessons.scaling_out import script

        init = distributed.init_process_group
        store = distributed.HashStore()
        distributed.init_process_group = lambda backend, timeout: init(
            backend, timeout=timeout, store=store, rank=0, world_size=1
        )
        train = script.train

        def trained(*arguments):
            train(*arguments)
            print(len(os.listdir("/proc/self/task")))

        script.train = trained
        script.main(["--steps", "1"])
        print(len(os.listdir("/proc/self/task")))
    """
    ran = subprocess.run(
        [sys.executable, "-c", dedent(code)],
        cwd=tmp_path,
        env=os.environ | alone | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    with_group, without = map(int, ran.stdout.split())
    assert with_group > without == 1


def test_a_checkpoint_without_the_optimizer_s_memory_leads_elsewhere(tmp_path):
    """A page that looks for a difference of 0.01 would notice that it was missing."""
    file, model = tmp_path / "run.safetensors", script.new_model()
    script.main(["--steps", "20", "--checkpoint", str(file), "--device", "cpu"])
    forgetful, _ = checkpoints.load(file, model, script.new_optimizer(model))
    optimizer = script.new_optimizer(model)
    for step in range(21, 31):
        forgetful.append(script.train_step(model, optimizer, script.batch(step, 64)))
    forgetful, whole = torch.tensor(forgetful).double(), losses(30)
    torch.testing.assert_close(forgetful[:21], whole[:21], atol=1e-4, rtol=0)
    assert (forgetful[21:] - whole[21:]).abs().max() > 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--global-batch", "63", "--accumulate", "2"], "--global-batch: got 63, expected a multi"),
        (["--device", "cuda"], "--device: got cuda for 1 processes, but there are 0 GPUs"),
    ],
)
def test_what_cannot_be_shared_out_is_refused(arguments, message, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(ValueError, match=message):
        script.main(arguments)


def test_bad_options_are_named(capsys):
    with pytest.raises(SystemExit):
        script.options_of(["--steps", "0"])
    assert "--steps: got '0', expected a whole number of at least 1" in capsys.readouterr().err
    with pytest.raises(ValueError, match="processes: got 2 without torchrun, expected 1"):
        experiments.launch(2, torchrun=False)
    with pytest.raises(ValueError, match="processes: got 0"):
        experiments.launch(0)


def report(*failures):
    """As torchrun writes it: the last one is what it takes for the root cause."""
    entries = [
        f"[{i}]:\n  time      : 2026-01-01\n  rank      : {rank} (local_rank: {rank})\n"
        f"  exitcode  : {code} (pid: 7)\n  error_file: <N/A>\n  traceback : {trace}\n"
        for i, (rank, code, trace) in enumerate(failures)
    ]
    *others, root = entries
    rule = 20 * "-"
    text = (
        f"{rule}\nFailures:\n{''.join(others)}{rule}\nRoot Cause (first observed failure):\n{root}"
    )
    return experiments.Run("", 1, "", f"{text}{20 * '='}\n", None, None)


KILLED = (1, -9, "Signal 9 (SIGKILL) received by PID 7")
ENDED = (0, -15, "Signal 15 (SIGTERM) received by PID 7")
ALONE = (0, 1, "Traceback (most recent call last):\n    File x\n  RuntimeError: process 0 stops\n")


@pytest.mark.parametrize("failures", [[ENDED, KILLED], [KILLED, ALONE], [KILLED], [ALONE, KILLED]])
def test_the_cause_is_the_process_that_was_killed(failures):
    """Also where torchrun has noticed first that another one could not go on without it."""
    assert report(*failures).cause == "rank 1, exit code -9: Signal 9 (SIGKILL) received by PID 7"


def test_the_cause_is_the_error_where_nobody_was_killed():
    assert report(ENDED, ALONE).cause == "rank 0, exit code 1: RuntimeError: process 0 stops"
    assert experiments.Run("", 1, "", "a\nlast\n", None, None).cause == "last"


def test_the_log_of_roundings_is_whole_and_of_this_code():
    log = experiments.roundings()
    assert set(log) == {*rounding.KINDS, "key bias", "other parameters"}
    assert log["other parameters"] < 1e-6 < 1e-3 < log["key bias"]
    for kind in (log[name] for name in rounding.KINDS):
        assert len(kind) == len(rounding.STARTS) * len(rounding.SHARES)
        assert min(kind) > 0
        assert max(kind) < 0.01
    for name, kind in rounding.KINDS.items():
        found = max(rounding.apart(0, kind, steps=10))
        assert 0 < found < 100 * max(log[name])
    early = rounding.parameters_apart(steps=10)
    assert 0 < early["other parameters"] < 1e-5 < 1e-4 < early["key bias"]


@pytest.mark.parametrize("moved", [False, True])
def test_processes_with_other_parameters_are_noticed(moved, monkeypatch):
    """The other process's numbers are played: the same as ours, or one of them a little larger."""
    model = script.new_model()

    def all_reduce(mine, operation):
        if moved and operation == torch.distributed.ReduceOp.MAX:
            mine[7] += 1e-6

    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "all_reduce", all_reduce)
    assert script._same_everywhere(model) is not moved


def test_gpt2_has_as_many_parameters_as_its_weights():
    assert experiments.gpt2_parameters() == 124_439_808


def test_without_a_gpu_a_note_says_so(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "no GPU" in experiments.on_gpu().text()
