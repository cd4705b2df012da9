"""Notebooks are executed once, when what they show can change, and then kept."""

import hashlib
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest
from books import ROOT, change, code, small_book, text, write

from booksite import execution, records
from booksite.book import EDITIONS, Book, BookError, read_notebook

LIBRARY = {
    "__init__.py": "",
    "words.py": """
        import sys, tomllib
        from pathlib import Path

        def word(file, key):
            text = (Path(__file__).parent / file).read_text()
            sys.audit("attention_course.words", file, key)
            return tomllib.loads(text)[key]
        """,
    "plots.py": """
        from pathlib import Path
        STYLE = (Path(__file__).parent / "look.css").read_text()
        """,
    "look.css": "a {}",
    "other.css": "b {}",
    "lazy.py": "from importlib import import_module\nimport_module('attention_course.' + 'deep')",
    "deep/__init__.py": "from . import maths",
    "deep/maths.py": "",
    "script.py": """
        from pathlib import Path
        (Path(__file__).parent / "other.css").read_text()
        """,
    "unused.css": "",
    "display/en.toml": 'yes = "yes"\nno = "no"',
    "display/zh.toml": 'yes = "是"\nno = "否"',
}


def book_at(root):
    """A small book with a small library: two notebooks of two cells each."""
    book = small_book(root, "index")
    for name, content in LIBRARY.items():
        path = book.library / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code("", content)["source"])
    for edition in EDITIONS:
        cells = [text("title", "# Title"), code("one", "print(6 * 7)"), code("two", "'words'")]
        write(book, edition, "index", cells)
    return book


@pytest.fixture
def book(tmp_path):
    return book_at(tmp_path)


def ran(book, *sources):
    """The record of a run of the English notebook with these sources in its cells."""
    for name, source in zip(("one", "two"), sources, strict=False):
        change(book.path("en", "index"), name, source=code("", source)["source"])
    execution.execute(book, ["en"])
    return records.read(book, "en", "index")


def is_stale(book, edition="en"):
    return bool(execution.stale(book, [edition], ["index"]))


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A book whose English notebook was executed once."""
    book = book_at(tmp_path_factory.mktemp("book"))
    ran(
        book,
        """
        import subprocess, sys, time
        from attention_course import lazy, plots
        from attention_course.words import word

        word("display/en.toml", "yes")
        subprocess.run([sys.executable, "-m", "attention_course.script"], check=True)
        """,
        """
        import os
        time.sleep(0.3)
        print(plots.__file__, *[os.environ[n] for n in ("OMP_NUM_THREADS", "PYTHONHASHSEED")])
        print(get_ipython().kernel.parent.transport)
        """,
    )
    return book


OPENED = ["__init__.py", "deep/__init__.py", "deep/maths.py", "lazy.py", "look.css", "other.css"]
OPENED += ["plots.py", "script.py", "words.py"]


def test_a_run_writes_down_which_files_it_opened_and_which_words_it_read(executed):
    """The files of the processes that it starts too; of words the keys, not their file."""
    record = records.read(executed, "en", "index")
    assert list(record["files"]) == OPENED
    assert {name: list(words["keys"]) for name, words in record["words"].items()} == {
        "display/en.toml": ["yes"]
    }


def test_a_run_keeps_how_long_it_and_each_of_its_cells_took(executed):
    record = records.read(executed, "en", "index")
    assert record["failure"] is None
    assert record["seconds"] >= record["cells"]["two"] >= 0.3
    assert set(record["cells"]) == {"setup", "one", "two"}
    assert [run["page"] for run in records.times(executed)] == ["index"]


def shown(executed):
    (output,) = read_notebook(executed.executed("en", "index"))["cells"][3]["outputs"]
    return "".join(output["text"]).split()


def test_notebooks_run_with_the_books_library_and_the_same_on_every_machine(executed):
    assert shown(executed)[:3] == [str(executed.library / "plots.py"), "1", "0"]


def test_kernels_that_start_together_do_not_race_for_ports(executed):
    assert shown(executed)[3] == "ipc"


def test_modules_that_python_reads_from_its_cache_count_by_their_source(book, monkeypatch):
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    first = ran(book, "from attention_course import plots")["files"]
    assert list(book.library.glob("__pycache__/plots.*.pyc"))
    assert ran(book, "import attention_course.plots")["files"] == first
    assert "plots.py" in first


def test_a_notebook_is_stale_when_what_its_run_depended_on_changed_and_else_not(executed):
    library, words = executed.library, executed.library / "display" / "en.toml"
    assert not is_stale(executed)
    change(executed.path("en", "index"), "title", source="# Another title")
    (library / "unused.css").write_text("changed")
    (library / "display" / "zh.toml").write_text("")
    before = words.read_text()
    words.write_text(before.replace('"no"', '"not at all"') + "\nmore = 1")
    assert not is_stale(executed)

    for path in (library / "look.css", library / "deep" / "maths.py", library / "script.py"):
        kept = path.read_text()
        path.write_text("x = 1")
        assert is_stale(executed), path
        path.unlink()
        assert is_stale(executed), path
        path.write_text(kept)
        assert not is_stale(executed)
    for changed in ("yes = 'certainly'", "no = 'no'", "yes = [a slip", ""):
        words.write_text(changed)
        assert is_stale(executed), changed
    words.write_text(before)
    assert not is_stale(executed)


def test_a_notebook_is_stale_when_its_code_or_the_machine_changed_or_what_was_kept_is_gone(
    executed, monkeypatch
):
    def undo(path, content):
        path.write_text(content)
        assert not is_stale(executed)

    with monkeypatch.context() as patch:
        patch.setattr("sys.version_info", (3, 99))
        assert is_stale(executed)
    requirements = executed.root / "requirements.txt"
    requirements.write_text("numpy")
    assert is_stale(executed)
    undo(requirements, "")
    notebook = executed.path("en", "index")
    before = notebook.read_text()
    change(notebook, "one", source="print(42)")
    assert is_stale(executed)
    undo(notebook, before)
    for path in (executed.record("en", "index"), executed.executed("en", "index")):
        before = path.read_text()
        path.unlink()
        assert is_stale(executed)
        undo(path, before)
    record = executed.record("en", "index")
    before = record.read_text()
    for broken in ('{"run": ', "[]", '{"run": 3}', "{}"):
        record.write_text(broken)
        assert is_stale(executed), broken
    undo(record, before)


def test_what_changes_while_the_notebook_runs_makes_it_stale(book):
    source = """
        from pathlib import Path
        import attention_course.deep
        from attention_course.words import word
        folder = Path(attention_course.__file__).parent
        (folder / "{}").write_text("{}")
        word("display/en.toml", "yes")
    """
    ran(book, source.format("deep/maths.py", "changed = True"))
    assert is_stale(book)
    ran(book, source.format("display/en.toml", "yes = 'perhaps'"))
    assert is_stale(book)


def test_every_notebook_of_the_book_is_executed():
    book = Book(ROOT)
    jobs = execution.stale(book, EDITIONS, book.notebooks())
    assert not jobs, "run `make site` first: " + ", ".join(job.name for job in jobs)


def test_a_notebook_is_executed_once_and_its_outputs_follow_its_prose(book, capfd):
    execution.execute(book)
    said = capfd.readouterr().out
    for name in ("en/index", "zh/index"):
        assert f"running   {name}" in said
        assert f"done      {name}" in said
    change(book.path("en", "index"), "title", source="# New prose")

    execution.execute(book)

    assert "all 2 are up to date" in capfd.readouterr().out
    notebook = execution.executed_notebook(book, "en", "index")
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    assert cells["title"]["source"] == "# New prose"
    assert cells["one"]["outputs"][0]["text"] == ["42\n"]
    assert "execution" not in read_notebook(book.executed("en", "index"))["cells"][2]["metadata"]
    change(book.path("en", "index"), "one", source="print(6 * 8)")
    with pytest.raises(BookError, match="out of date"):
        execution.executed_notebook(book, "en", "index")


def test_a_notebook_that_raises_is_named_with_its_cell_and_the_others_are_kept(book, capfd):
    change(book.path("zh", "index"), "one", source="from attention_course import plots")
    change(book.path("zh", "index"), "two", source="{}['missing']")
    with pytest.raises(BookError, match="The build stops here"):
        execution.execute(book)
    said = capfd.readouterr().out
    assert "chapters/zh/index.ipynb, cell 4 of 4 (two): KeyError: 'missing'" in said
    assert is_stale(book, "zh")
    record = records.read(book, "zh", "index")
    assert record["failure"]["cell"] == 3
    assert record["failure"]["problem"] == "KeyError: 'missing'"
    assert "{}['missing']" in record["failure"]["trace"]
    assert "look.css" in record["files"]


def test_a_kernel_that_dies_is_named_with_its_cell(book, capfd):
    change(book.path("en", "index"), "one", source="import os; os._exit(1)")
    with pytest.raises(BookError, match="The build stops here"):
        execution.execute(book, ["en"])
    assert "chapters/en/index.ipynb, cell 3 of 4 (one): DeadKernelError" in capfd.readouterr().out
    assert "DeadKernelError" in records.read(book, "en", "index")["failure"]["problem"]


def test_settings_of_the_readers_do_not_reach_the_notebooks(book, tmp_path, monkeypatch):
    """Nor does it matter that the home folder cannot be written to."""
    home = tmp_path / "home"
    for name, content in {
        ".config/matplotlib/matplotlibrc": "lines.linewidth: 77",
        "foreign/colorsys.py": "raise SystemExit('not this one')",
        "start.py": "raise SystemExit('nor this')",
        ".ipython/profile_default/startup/a.py": "print('good morning')",
        ".local/share/jupyter/kernels/python3/kernel.json": '{"argv": ["false"]}',
    }.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(content)
    home.chmod(0o500)
    for name, value in {
        "HOME": home,
        "MPLCONFIGDIR": home / ".config/matplotlib",
        "XDG_CONFIG_HOME": home / ".config",
        "IPYTHONDIR": home / ".ipython",
        "JUPYTER_PATH": home / ".local/share/jupyter",
        "PYTHONPATH": home / "foreign",
        "PYTHONSTARTUP": home / "start.py",
        "PYTHONPYCACHEPREFIX": home / "cache",
    }.items():
        monkeypatch.setenv(name, str(value))
    source = "import colorsys, matplotlib; print(matplotlib.rcParams['lines.linewidth'])"
    record = ran(book, source, "from attention_course import plots")
    (output,) = read_notebook(book.executed("en", "index"))["cells"][2]["outputs"]
    assert output["text"] == ["1.5\n"]
    assert "plots.py" in record["files"]


@pytest.fixture(scope="module")
def real_book(tmp_path_factory):
    """A book of two executed pages, each with an explorable, on a copy of the library."""
    book = small_book(tmp_path_factory.mktemp("book"), "bars", "plane")
    shutil.copytree(ROOT / "attention_course", book.library)
    for page, source in {
        "bars": """
            from attention_course import language
            from attention_course.explorables import WeightsExplorer

            tokens = language.words("human_attention.sentence", "en")
            WeightsExplorer(tokens, [1.0] * len(tokens), [[1.0]] * len(tokens))
            """,
        "plane": """
            from attention_course.explorables import QueryKeyValuePlane

            QueryKeyValuePlane(["a", "b"], [1.0, 1.0], [[0.5, 1.5], [1.2, -0.6]], [[1, 0], [0, 1]])
            """,
    }.items():
        write(book, "en", page, [text("title", "# Title"), code("play", source)])
    execution.execute(book, ["en"])
    return book


@pytest.mark.parametrize(
    ("file", "old", "new", "pages"),
    [
        ("explorables/weights_explorer/module.js", "", "// changed\n", ["bars"]),
        ("explorables/weights_explorer/explorable.py", "", "# changed\n", ["bars"]),
        ("explorables/query_key_value_plane/en.toml", 'title = "', 'title = "New ', ["plane"]),
        ("lessons/human_attention/en.toml", '"Beijing"', '"Peking"', ["bars"]),
        ("lessons/human_attention/en.toml", 'title = "', 'title = "New ', []),
        ("explorables/kit.js", "", "// changed\n", ["bars", "plane"]),
        ("explorables/scale_explorer/module.js", "", "// changed\n", []),
        ("training.py", "", "# changed\n", []),
    ],
)
def test_a_change_executes_the_pages_that_show_it_and_no_other(real_book, file, old, new, pages):
    path = real_book.library / file
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new, 1))
    try:
        stale = {job.page for job in execution.stale(real_book, ["en"], ["bars", "plane"])}
    finally:
        path.write_text(before)
    assert stale == set(pages)


def test_asking_what_is_stale_reads_no_file_again_for_sixty_notebooks(tmp_path, monkeypatch):
    """As many as the finished book has; how long it takes is measured in benchmarks/house.py."""
    pages = [f"page-{number}" for number in range(30)]
    book = small_book(tmp_path, *pages)
    shutil.copytree(ROOT / "attention_course", book.library)
    sources = records.Sources(book)
    words, files = {}, {}
    for name, digest in sources.snapshot().items():
        if digest and re.search(r"(^|/)(en|zh)\.toml$", name):
            keys = {"": sources.value(name, "")}
            words[name] = {"digest": hashlib.sha256(b"another").hexdigest(), "keys": keys}
        elif digest:
            files[name] = digest
    cells = [
        cell
        for number in range(25)
        for cell in (text(f"text-{number}", "x" * 400), code(f"code-{number}", "y = 1\n" * 12))
    ]
    for edition in EDITIONS:
        for page in pages:
            write(book, edition, page, cells)
            run = sources.run(execution._code(read_notebook(book.path(edition, page))))
            record = {"run": run, "seconds": 20.0, "cells": {}, "failure": None}
            records.write(book, edition, page, record | {"files": files, "words": words})
            shutil.copy(book.path(edition, page), book.executed(edition, page))

    opened = Counter()
    own = Path.open

    def counted(path, *args, **options):
        opened[path] += 1
        return own(path, *args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", counted)
        assert execution.stale(book, EDITIONS, book.notebooks()) == []
    assert set(book.library.rglob("*.py")) <= set(opened)
    # At most once as a file, and once for its words.
    assert [path for path, times in opened.items() if times > 2] == []

    path = book.library / "attention.py"
    path.write_text(path.read_text() + "\n")
    assert len(execution.stale(book, EDITIONS, book.notebooks())) == 60
