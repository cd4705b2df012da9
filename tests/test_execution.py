"""Notebooks are executed once, when what they show can change, and then kept."""

import json

import pytest
from books import ROOT, change, code, small_book, text, write
from booksite import execution
from booksite.book import EDITIONS, Book, BookError, read_notebook

LIBRARY = {
    "__init__.py": "",
    "words.py": 'def word(key):\n    """Words."""\n',
    "plots.py": "from .words import word\nfrom . import colours\nSTYLE = 'look.css'\n",
    "colours.py": "",
    "claims.py": "import attention_course.plots\n",
    "deep/__init__.py": "from .maths import half\n",
    "deep/maths.py": "from ..colours import blue\n",
    "deep/lazy.py": "import importlib\nimportlib.import_module('attention_course.' + 'claims')\n",
    "look.css": '@import "other.css";',
    "other.css": "",
    "terms.toml": "",
    "words/en/one.toml": "",
    "words/zh/one.toml": "",
    "words/en/two.toml": "",
}


@pytest.fixture
def book(tmp_path):
    book = small_book(tmp_path, "index")
    for name, content in LIBRARY.items():
        path = book.library / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    for edition in EDITIONS:
        cells = [text("title", "# Title"), code("one", "print(6 * 7)"), code("two", "'words'")]
        write(book, edition, "index", cells)
    return book


def files(book, *sources, edition="en"):
    cells = [(str(number), source) for number, source in enumerate(sources)]
    found = execution.dependencies(book, edition, cells)
    return {path.relative_to(book.library).as_posix() for path in found}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import math", set()),
        ("import attention_course", {"__init__.py"}),
        ("from attention_course import colours", {"__init__.py", "colours.py"}),
        ("from attention_course.words import word", {"__init__.py", "words.py"}),
        (
            "from attention_course import claims",
            {"__init__.py", "claims.py", "plots.py", "words.py", "colours.py", "look.css"}
            | {"other.css"},
        ),
        (
            "from attention_course.deep import half",
            {"__init__.py", "deep/__init__.py", "deep/maths.py", "colours.py"},
        ),
        ("%pip install x\n!ls\nimport attention_course.colours", {"__init__.py", "colours.py"}),
        ("if True:\n    from attention_course import colours", {"__init__.py", "colours.py"}),
        ("this is no Python", set()),
    ],
)
def test_a_notebook_depends_on_what_it_imports_and_what_that_imports(book, source, expected):
    assert files(book, source) == expected


def test_an_import_that_cannot_be_read_off_the_source_stands_for_every_module(book):
    every = {name for name in LIBRARY if name.endswith(".py")}
    assert every <= files(book, "from attention_course.deep import lazy")


def test_words_count_for_who_names_their_file_and_in_their_own_language(book):
    source = "from attention_course.words import word\nword('one.title')"
    modules = {"__init__.py", "words.py"}
    assert files(book, source) == modules | {"words/en/one.toml"}
    assert files(book, source, edition="zh") == modules | {"words/zh/one.toml"}


def test_every_data_file_of_the_library_is_named_by_some_module():
    """Else a change of it would execute nothing: name files in full where they are read.

    The terminology is read by the site alone. A notebook's own words are named by the notebook.
    """
    book = Book(ROOT)
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in book.library.rglob("*.py")
        if path.name != "__init__.py"
    ]
    everything = "\n".join(f"import {name}" for name in modules)
    for page in book.notebooks():
        for _, source in execution.code_cells(read_notebook(book.path("en", page))):
            everything += "\n" + source
    for edition in EDITIONS:
        counted = set(execution.dependencies(book, edition, [("all", everything)]))
        for path in book.library.rglob("*"):
            other = path.parent.parent.name == "words" and path.parent.name != edition
            if path.is_file() and path.suffix not in (".py", ".pyc") and not other:
                assert path in counted or path.name == "terminology.toml", path


def test_the_key_changes_with_what_can_change_the_outputs_and_with_nothing_else(book):
    def key(edition="en"):
        return execution.key(book, edition, "index")

    path = book.path("en", "index")
    change(path, "two", source="from attention_course import claims")
    start = key()

    change(path, "title", source="# Another title")
    (book.library / "deep/maths.py").write_text("x = 1")
    (book.library / "terms.toml").write_text("x = 1")
    assert key() == start

    for name in ("other.css", "colours.py", "claims.py"):
        before = key()
        (book.library / name).write_text("/* changed */" if name.endswith("css") else "x = 1")
        assert key() != before, name
    before = key()
    change(path, "one", source="print(42)")
    assert key() != before
    before = key()
    (book.root / "requirements.txt").write_text("numpy==2.0\n")
    assert key() != before


def test_every_notebook_of_the_book_is_executed():
    book = Book(ROOT)
    jobs = execution.stale(book, EDITIONS, book.notebooks())
    assert not jobs, "run `make site` first: " + ", ".join(f"{j.edition}/{j.page}" for j in jobs)


def test_a_notebook_is_executed_once_and_its_outputs_follow_its_prose(book, capfd):
    execution.execute(book)
    said = capfd.readouterr().out
    for name in ("en/index", "zh/index"):
        assert f"running   {name}" in said
        assert f"done      {name}" in said
    change(book.path("en", "index"), "title", source="# New prose")

    execution.execute(book)

    assert "all 2 are up to date" in capfd.readouterr().out
    notebook = json.loads(execution.executed_text(book, "en", "index"))
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    assert "".join(cells["title"]["source"]) == "# New prose"
    assert cells["one"]["outputs"][0]["text"] == ["42\n"]
    assert cells["setup"]["metadata"]["tags"] == ["hide-input"]
    assert "execution" not in read_notebook(book.executed("en", "index"))["cells"][2]["metadata"]
    change(book.path("en", "index"), "one", source="print(6 * 8)")
    with pytest.raises(BookError, match="out of date"):
        execution.executed_text(book, "en", "index")


def test_a_notebook_that_raises_is_named_with_its_cell_and_the_others_are_kept(book, capfd):
    change(book.path("zh", "index"), "two", source="{}['missing']")
    with pytest.raises(BookError, match="The build stops here"):
        execution.execute(book)
    said = capfd.readouterr().out
    assert "chapters/zh/index.ipynb, cell 4 of 4 (two): KeyError: 'missing'" in said
    assert [job.edition for job in execution.stale(book, EDITIONS, ["index"])] in (["zh"], EDITIONS)


def test_a_kernel_that_dies_is_named_with_its_cell(book, capfd):
    change(book.path("en", "index"), "one", source="import os; os._exit(1)")
    with pytest.raises(BookError, match="The build stops here"):
        execution.execute(book, ["en"])
    assert "chapters/en/index.ipynb, cell 3 of 4 (one): DeadKernelError" in capfd.readouterr().out


def test_notebooks_run_with_the_books_library_and_the_same_on_every_machine(book):
    source = """
        import os
        from attention_course import colours
        print(colours.__file__, *[os.environ[n] for n in ("OMP_NUM_THREADS", "PYTHONHASHSEED")])
    """
    change(book.path("en", "index"), "one", source=code("x", source)["source"])
    execution.execute(book, ["en"])
    (output,) = read_notebook(book.executed("en", "index"))["cells"][2]["outputs"]
    assert "".join(output["text"]).split() == [str(book.library / "colours.py"), "1", "0"]
