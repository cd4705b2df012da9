"""Every command that is written down somewhere exists, and works where people keep the book."""

import errno
import os
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest
from books import ROOT

from booksite import __main__ as commands

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
BOOKSITE = set(commands._parser()._subparsers._group_actions[0].choices)
SETTINGS = [
    ROOT / ".devcontainer" / "devcontainer.json",
    ROOT / ".pre-commit-config.yaml",
    ROOT / ".ci" / "run",
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
]
PROSE = sorted(ROOT.glob("*.md"))
CODE = [
    p for folder in ("site/booksite", "attention_course") for p in (ROOT / folder).rglob("*.py")
]


def code_in(path):
    """What stands in backticks or in blocks of code; the whole of a file that is no prose."""
    text = path.read_text()
    if path in SETTINGS:
        return text
    return "\n".join(re.findall(r"```.*?```|(?<!`)`[^`\n]+`(?!`)", text, re.S))


@pytest.mark.parametrize("path", SETTINGS + PROSE + CODE, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_commands_that_a_file_names_exist(path):
    said = code_in(path)
    assert set(re.findall(r"\bmake (?:[A-Z]+=\S+ )?([a-z][a-z-]*)", said)) <= TARGETS
    assert set(re.findall(r"-m booksite (?:--root \S+ )?([a-z]+)", said)) <= BOOKSITE
    for module in re.findall(r"\.venv/bin/python -m (\w+)", said):
        assert find_spec(module), module
    assert not re.findall(r"\.venv/bin/(?!python\b)\w+", said), "a folder that moves breaks scripts"


@pytest.mark.parametrize("path", [*PROSE, ROOT / "LICENSE"], ids=lambda p: p.name)
def test_the_files_that_prose_names_are_there(path):
    """But not those that only the example of a new lesson makes."""
    top = "attention_course|benchmarks|chapters|site|tests"
    for name in re.findall(rf"\b(?:{top})/[\w./-]*\w", path.read_text()):
        assert "longformer" in name or (ROOT / name).exists(), name


def test_the_makefile_calls_what_exists_and_describes_each_of_its_targets():
    assert set(re.findall(r"\$\(BOOKSITE\) ([a-z]+)", MAKEFILE)) <= BOOKSITE
    phony = set(re.search(r"^\.PHONY: (.+)", MAKEFILE, re.M)[1].split())
    assert phony == TARGETS
    described = set(re.findall(r'echo "make ([a-z-]+)', MAKEFILE))
    assert described == TARGETS - {"help"}


def make(folder, *arguments):
    return subprocess.run(
        ["make", "--no-print-directory", "-n", f"PYTHON={sys.executable}", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.fixture
def place(tmp_path):
    """A folder with a Makefile and a new environment, which seems to have everything."""
    folder = tmp_path / "the book"
    folder.mkdir()
    (folder / "Makefile").write_text(MAKEFILE)
    for name in ("requirements.txt", "pyproject.toml"):
        (folder / name).touch()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    (folder / ".venv" / ".installed").touch()
    return folder


def test_an_environment_is_kept_as_long_as_it_fits(place):
    assert make(place, "sync").strip() == "exec .venv/bin/python -m booksite sync"
    moved = place.with_name("renamed")
    place.rename(moved)
    assert make(moved, "sync").strip() == "exec .venv/bin/python -m booksite sync"
    (moved / "requirements.txt").write_text("numpy")
    os.utime(moved / "requirements.txt", (2e9, 2e9))
    said = make(moved, "sync")
    assert "pip" in said
    assert "-m venv" not in said


def test_an_environment_whose_python_is_gone_or_of_another_version_is_made_anew(place):
    (packages,) = (place / ".venv" / "lib").glob("python3*")
    packages.rename(packages.with_name("python3.0"))
    for _ in range(2):
        said = make(place, "sync")
        assert "-m venv .venv" in said
        assert "install -r requirements.txt" in said
        (place / ".venv" / "bin" / "python").unlink(missing_ok=True)
    assert "-m venv" not in make(place, "clean")


def test_another_pythonpath_of_the_readers_reaches_no_command(place):
    show = 'show: ; @echo "$$PYTHONPATH,$$PYTHONHOME,$$PYTHONSTARTUP"'
    foreign = dict.fromkeys(("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"), "/foreign")
    run = subprocess.run(
        ["make", "--no-print-directory", f"--eval={show}", "show"],
        cwd=place,
        env=os.environ | foreign,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == f"{place}:{place}/site,,"
    assert make(place, "sync").strip() == "exec .venv/bin/python -m booksite sync"


def test_what_cannot_be_written_is_a_sentence_without_a_traceback(tmp_path, monkeypatch, capsys):
    def sync(book):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(tmp_path / "one.ipynb"))

    monkeypatch.setattr("booksite.editions.sync", sync)
    assert commands.main(["--root", str(tmp_path), "sync"]) == 1
    said = capsys.readouterr().err.strip()
    assert said.startswith(f"{tmp_path / 'one.ipynb'}: Read-only file system.")
    assert said.count("\n") == 0
