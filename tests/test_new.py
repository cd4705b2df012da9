"""A new lesson's skeleton is whole, agrees in all editions, and runs; what it lacks says TODO."""

import os
import re
import shutil
import subprocess
import sys
from textwrap import dedent

import pytest
from books import ROOT

from booksite import editions, execution, records
from booksite.book import EDITIONS, Book, BookError
from booksite.new import _with_page, new

PAGES = ("5-1-zigzag", "5-1-lab-zigzag")
CONTENT = {  # the tests that say what is still to be written
    *(
        f"tests/test_notebooks.py::test_nothing_is_left_to_write[{edition}/{page}.ipynb]"
        for edition in EDITIONS
        for page in PAGES
    ),
    "tests/test_language.py::test_nothing_is_left_to_write[zigzag]",
}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A copy of the book with a new lesson and a new lab."""
    root = tmp_path_factory.mktemp("place") / "book"
    away = shutil.ignore_patterns(".git", "_build", ".venv*", "node_modules", "__pycache__")
    shutil.copytree(ROOT, root, ignore=away)
    book = Book(root)
    new(book, "5-1", "zigzag", "C17")
    new(book, "5-1-lab-zigzag", "zigzag", "C17")
    return book


def test_readme_shows_how_to_make_a_lesson_and_a_lab():
    for name in ("README.md", "README.zh-CN.md"):
        commands = re.findall(r"^make new (.*?) *#", (ROOT / name).read_text(), re.M)
        assert commands == [
            "NUMBER=5-1 NAME=longformer CLAIM=C17",
            "NUMBER=5-1-lab NAME=longformer",
        ]
        said = subprocess.run(
            ["make", "--no-print-directory", "-n", "new", *commands[0].split()],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert said.splitlines()[-1].endswith("-m booksite new --claim C17 5-1 longformer")


def test_the_editions_of_a_new_lesson_agree(book):
    editions.check(book)
    assert editions.sync(book) == []


def test_a_new_lesson_stands_in_its_place_of_the_contents(book):
    (part,) = [part for part in book.toc()["parts"] if part["caption"].startswith("5 ")]
    pages = [entry["file"].removeprefix("chapters/en/") for entry in part["chapters"]]
    assert {"5-1-zigzag", "5-1-lab-zigzag"} <= set(pages)
    lessons, labs = (
        [p for p in pages if p.startswith("5-1") and ("lab" in p) == lab] for lab in (0, 1)
    )
    assert [page for page in pages if page.startswith("5-1")] == [*lessons, *labs]
    others = [page for page in Book(ROOT).pages() if page in book.pages()]
    assert [page for page in book.pages() if page in others] == others


def test_a_new_lesson_runs_and_passes_every_test_but_those_of_its_content(book):
    pages = ["5-1-zigzag", "5-1-lab-zigzag"]
    execution.execute(book, ["en"], pages)
    words = records.read(book, "en", "5-1-zigzag")["words"]["lessons/zigzag/en.toml"]["keys"]
    assert {"predict", "figure.flow", "figure.numbers", "quiz.first", "claim.C17.zigzag"} <= set(
        words
    )
    files = ["notebooks", "exercises", "language"]
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "zigzag"),
            *(f"tests/test_{name}.py" for name in files),
        ],
        cwd=book.root,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(book.root), str(book.root / "site")])},
        capture_output=True,
        text=True,
    )
    assert set(re.findall(r"^FAILED (\S+)", run.stdout, re.M)) == CONTENT, run.stdout[-3000:]
    assert int(re.search(r"(\d+) passed", run.stdout)[1]) > 50


def test_a_page_of_chapter_0_has_no_claim(book):
    new(book, "0-9", "first-words", "C17")
    for edition in EDITIONS:
        cells = book.notebook(edition, "0-9-first-words")["cells"]
        text = "\n".join(cell["source"] for cell in cells)
        assert not re.findall("C17|claims|@", text)
        assert "## " in text
    assert book.pages().index("0-9-first-words") < book.pages().index("2-1-human-attention")


@pytest.mark.parametrize(
    ("number", "name", "complaint"),
    [
        ("5.1", "longformer", "number: got '5.1', expected one like 5-1, 5-1-lab"),
        ("5-1", "Longformer", "name: got 'Longformer', expected one like scaled-dot-product"),
        ("5-1", "class", "name: got 'class', expected one like"),
        ("5-1", "zigzag", "5-1-zigzag is in _toc.yml already"),
        ("5-2", "quiz", "name: attention_course/explorables/quiz is there already"),
        ("5-2", "display", "name: attention_course/display is there already"),
        ("5-2", "zigzag", "name: attention_course/lessons/zigzag is there already"),
        ("5-2-lab", "reformers", "attention_course/lessons/reformers is missing: make the lesson"),
        ("8-1", "more", "site/zh.yml: captions has no part 8, expected one like '8 …'"),
    ],
)
def test_a_page_that_cannot_be_called_so_is_refused_and_nothing_written(
    book, number, name, complaint
):
    before = (book.root / "_toc.yml").read_text()
    with pytest.raises(BookError) as caught:
        new(book, number, name, "C1")
    assert str(caught.value).startswith(complaint)
    assert (book.root / "_toc.yml").read_text() == before
    assert not list(book.root.glob(f"chapters/*/{number}-{name}.ipynb")) or name == "zigzag"


def test_a_part_is_made_where_the_contents_have_none(tmp_path):
    toc = """\
        # A comment stays.
        format: jb-book
        root: chapters/en/index
        parts:
          - caption: 2 Attention
            chapters:
              - file: chapters/en/2-2-b
              - file: chapters/en/2-2-lab
          - caption: Reference
            chapters:
              - file: chapters/en/claims
        """
    (tmp_path / "_toc.yml").write_text(dedent(toc))
    for page, chapter, after, before in (
        ("2-1-a", "2", "chapters:", "2-2-b"),
        ("2-2-lab-c", "2", "2-2-lab", "Reference"),
        ("2-10-d", "2", "2-2-lab", "Reference"),
        ("1-e", "1", "1 Why Transformers", "2 Attention"),
        ("5-1-f", "5", "5 Variants", "Reference"),
    ):
        made = _with_page(Book(tmp_path), page, chapter)
        assert made.startswith("# A comment stays.")
        lines = made.splitlines()
        (place,) = [i for i, line in enumerate(lines) if line.endswith(f"/{page}")]
        assert any(after in line for line in lines[place - 2 : place])
        assert before in lines[place + 1]
