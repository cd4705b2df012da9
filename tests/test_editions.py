"""The two editions agree, and what keeps them so says where they do not."""

import json
import shutil
import zipfile

import pytest
from books import ROOT, change, code, small_book, text, write

from booksite import editions, identity, wheel
from booksite.book import EDITIONS, SITE, Book, BookError, edition_toc, read_notebook
from booksite.build import build


@pytest.fixture
def book(tmp_path):
    book = small_book(tmp_path, "index")
    for edition in EDITIONS:
        cells = [
            text("title", f"# {edition}"),
            code("one", "1"),
            text("say", "x"),
            code("two", "2"),
        ]
        write(book, edition, "index", cells)
    return book


def test_the_books_editions_agree_and_store_no_outputs():
    editions.check(Book(ROOT))


def test_the_chinese_contents_have_the_same_pages_under_chinese_captions():
    english, chinese = (edition_toc(Book(ROOT), edition) for edition in EDITIONS)
    assert [[c["file"] for c in part["chapters"]] for part in english["parts"]] == [
        [c["file"] for c in part["chapters"]] for part in chinese["parts"]
    ]
    for part, other in zip(english["parts"], chinese["parts"], strict=True):
        assert part["caption"] != other["caption"]


def test_books_that_agree_pass_and_sync_leaves_them_as_they_are(book):
    before = {path: path.read_bytes() for path in book.root.rglob("*.ipynb")}
    editions.check(book)
    assert editions.sync(book) == []
    assert {path: path.read_bytes() for path in book.root.rglob("*.ipynb")} == before


def cell(name, **values):
    """A change of the Chinese notebook: a cell's entries."""
    return lambda path: change(path, name, **values)


def saved(edit):
    """A change of the Chinese notebook: what ``edit`` makes of it."""

    def change_it(path):
        notebook = json.loads(path.read_text())
        edit(notebook)
        path.write_text(json.dumps(notebook))

    return change_it


def without(name, entry):
    return saved(lambda notebook: next(c for c in notebook["cells"] if c["id"] == name).pop(entry))


def written(edit):
    """A change of the Chinese notebook's file."""
    return lambda path: path.write_bytes(edit(path.read_bytes()))


FOR_SYNC = {
    "code is missing": (
        cell("one", source=None),
        "has no cell one, which is cell 3 of chapters/en/index.ipynb",
    ),
    "other code": (
        cell("one", source="3"),
        "cell 3 (one) has other code than in chapters/en/index.ipynb",
    ),
    "other tags": (
        cell("one", metadata={"tags": ["plot"]}),
        "cell 3 (one) has other tags than in chapters/en/index.ipynb",
    ),
    "another language": (
        cell(
            "setup", source='LANGUAGE = "en"\nLIBRARY = ""  # filled in when the book is published'
        ),
        'cell 2 (setup) lacks the line LANGUAGE = "zh"',
    ),
    "outputs": (
        cell("two", outputs=[{"output_type": "stream", "name": "stdout", "text": ["1"]}]),
        "cell 5 (two) was saved with outputs",
    ),
    "a count": (
        cell("two", execution_count=3),
        "cell 5 (two) was saved with the count of its executions",
    ),
    "no outputs at all": (without("two", "outputs"), "cell 5 (two) lacks its empty outputs"),
    "carriage returns in code": (
        cell("one", source="1\r\n"),
        "cell 3 (one) has carriage returns at its lines' ends",
    ),
    "carriage returns in prose": (
        cell("say", source="x\r\ny"),
        "cell 4 (say) has carriage returns at its lines' ends",
    ),
    "another program's metadata": (
        cell("say", metadata={"collapsed": True}),
        "cell 4 (say) has what another program left: collapsed",
    ),
    "a cell that was code": (
        cell("say", outputs=[]),
        "cell 4 (say) has what another program left: outputs",
    ),
    "another kernel": (
        saved(lambda n: n["metadata"]["kernelspec"].update(name="mine", display_name="My Python")),
        "names the kernel mine (My Python), expected python3 (Python 3), which all have",
    ),
    "no kernel": (
        saved(lambda n: n["metadata"].clear()),
        "names the kernel None (None), expected python3 (Python 3), which all have",
    ),
    "another Python": (
        saved(lambda n: n["metadata"].update(language_info={"name": "python", "version": "3.9"})),
        "says which Python it was saved with",
    ),
    "widgets": (
        saved(lambda n: n["metadata"].update(widgets={})),
        "has what another program left: widgets",
    ),
}


@pytest.mark.parametrize("case", FOR_SYNC)
def test_what_sync_can_mend_is_named_with_file_and_cell_and_mended(book, case):
    edit, complaint = FOR_SYNC[case]
    path = book.path("zh", "index")
    edit(path)
    with pytest.raises(BookError) as caught:
        editions.check(book)
    assert f"chapters/zh/index.ipynb: {complaint}: run `make sync`" in str(caught.value)
    assert f"Mended: chapters/zh/index.ipynb: {complaint}" in editions.sync(book)
    editions.check(book)
    assert editions.sync(book) == []
    assert "\\r" not in path.read_text()


FOR_PEOPLE = {
    "prose is missing": (
        cell("say", source=None),
        "chapters/zh/index.ipynb has no cell say, which is cell 4 of chapters/en/",
    ),
    "prose is only there": (
        cell("say", id="talk"),
        "chapters/en/index.ipynb has no cell talk, which is cell 4 of chapters/zh/index.ipynb: wri",
    ),
    "an id twice": (cell("say", id="one"), "cell 4 (one) has the id of an earlier cell"),
    "another kind of cell": (
        cell("two", cell_type="raw"),
        "cell 5 (two) is raw, in chapters/en/index.ipynb it is code",
    ),
    "another order": (
        saved(lambda n: n["cells"].append(n["cells"].pop(2))),
        "cell 5 (one) stands elsewhere than in chapters/en/index.ipynb: put it in the same place",
    ),
    "no language": (
        cell("setup", source='LIBRARY = ""'),
        'cell 2 (setup) must have one line LANGUAGE = "…"',
    ),
    "an unknown tag": (
        cell("one", metadata={"tags": ["plots"]}),
        "cell 3 (one) has the tag 'plots', expected one of plot, record, hide-cell",
    ),
    "tags that are none": (
        cell("one", metadata={"tags": "plot"}),
        "cell 3 (one) has tags that are no list of words",
    ),
    "no id": (without("two", "id"), "cell 5 has no id: give it one, the same in each edition"),
    "a number as an id": (cell("two", id=7), "cell 5 has the id 7, expected letters, digits"),
    "an id with a space": (
        cell("two", id="a b"),
        "cell 5 (a b) has the id 'a b', expected letters",
    ),
    "no source": (without("say", "source"), "cell 4 (say) has no source"),
    "a number as source": (cell("say", source=3), "cell 4 (say) has a number as its source"),
    "no type": (without("say", "cell_type"), "cell 4 (say) has the cell_type None, expected"),
    "no metadata of a cell": (
        without("say", "metadata"),
        "cell 4 (say) has nothing as its metadata, expected an object",
    ),
    "outputs of another kind": (
        cell("two", outputs="none"),
        "cell 5 (two) has outputs that are no list of objects",
    ),
    "a text as a cell": (
        saved(lambda n: n["cells"].append("print(1)")),
        "cell 6 is text, expected an object",
    ),
    "no metadata": (saved(lambda n: n.pop("metadata")), "has no metadata: save it with Jupyter"),
    "no cells": (saved(lambda n: n.pop("cells")), "is not a notebook: it has no list of cells"),
    "an older format": (
        saved(lambda n: n.update(nbformat_minor=4)),
        "has format 4.4, expected 4.5, whose cells have ids",
    ),
    "another format": (saved(lambda n: n.update(nbformat=5)), "has format 5.5, expected 4.5"),
    "a format in words": (saved(lambda n: n.update(nbformat="4")), "has format 4.5, expected 4.5"),
    "a list": (written(lambda _: b"[]"), "is not a notebook: it has no list of cells"),
    "half a file": (
        written(lambda content: content[:50]),
        "chapters/zh/index.ipynb is not a notebook: ",
    ),
    "nothing": (written(lambda _: b""), "chapters/zh/index.ipynb is not a notebook: "),
    "a byte order mark": (
        written(lambda content: "\ufeff".encode() + content),
        "begins with a byte order mark: save it as UTF-8 without one",
    ),
    "another encoding": (
        written(lambda content: content.replace(b"# zh", "# 中".encode("gb18030"))),
        "line 1 is not UTF-8: save the file in that encoding",
    ),
    "an unfinished merge": (
        written(lambda content: content + b"\n<<<<<<< HEAD\n=======\n>>>>>>> other\n"),
        "line 2 has the mark of an unfinished merge: choose one side",
    ),
    "an entry of a cell twice": (
        written(lambda content: content.replace(b'"source": "x"', b'"source": "x", "source": "y"')),
        "cell 4 (say) has the entry 'source' twice: take one out",
    ),
    "an entry twice": (
        written(lambda content: content[:-1] + b', "nbformat": 4}'),
        "has the entry 'nbformat' twice in one object: take one out",
    ),
    "the page is elsewhere": (
        lambda path: path.rename(path.with_name("other.ipynb")),
        "chapters/zh/index.ipynb is missing: _toc.yml lists this page",
    ),
    "another page": (
        lambda path: shutil.copy(path, path.with_name("other.ipynb")),
        "chapters/zh/other.ipynb is not in _toc.yml: add a line for it, or move it away",
    ),
    "a page in a folder": (
        lambda path: shutil.copytree(path.parent, path.parent / "part"),
        "chapters/zh/part/index.ipynb is not in _toc.yml",
    ),
    "two kinds of page": (
        lambda path: path.with_suffix(".md").write_text("# 另一页"),
        "chapters/zh/index.ipynb stands beside a page of the same name, index.md: keep one",
    ),
}


@pytest.mark.parametrize("case", FOR_PEOPLE)
def test_what_a_person_has_to_mend_is_named_by_all_commands_with_file_and_cell(book, case):
    edit, complaint = FOR_PEOPLE[case]
    edit(book.path("zh", "index"))
    for command in (editions.check, build):
        with pytest.raises(BookError) as caught:
            command(book)
        assert complaint in str(caught.value)
        assert "chapters/zh/" in str(caught.value)
    assert complaint in "\n".join(editions.sync(book))
    assert not book.output.exists()


CONTENTS = {
    "a page twice": ("- file: chapters/en/one\n- file: chapters/en/one", "lists chapters/en/one"),
    "the root again": ("- file: chapters/en/index", "lists chapters/en/index twice"),
    "a page in a folder": ("- file: chapters/en/part/one", "got the page 'part/one', expected a n"),
    "an ending": ("- file: chapters/en/one.ipynb", "expected it without its ending .ipynb"),
    "another folder": ("- file: en/one", "got the file 'en/one', expected chapters/en/<page>"),
    "a number": ("- file: 3", "got the file 3, expected chapters/en/<page>"),
    "another key": (
        "- fil: chapters/en/one",
        "has the entry 'fil', expected one of file, sections",
    ),
    "no list": ("  file: chapters/en/one", "has an object as chapters, expected a list of lines"),
    "only a name": ("- chapters/en/one", "has text for a page, expected file and sections"),
    "nothing": ("", "has nothing as chapters, expected a list of lines"),
    "below a page": (
        "- file: chapters/en/one\n  sections:\n  - file: chapters/en/one",
        "lists chapters/en/one twice",
    ),
    "a tab": ("\t- file: chapters/en/one", "_toc.yml, line 4: found character"),
    "a key twice": (
        "- file: chapters/en/one\n  file: chapters/en/two",
        "line 4: a key stands twice",
    ),
    "an unfinished merge": ("<<<<<<< HEAD", "line 4 has the mark of an unfinished merge"),
}


@pytest.mark.parametrize("case", CONTENTS)
def test_a_fault_of_the_contents_is_one_sentence_from_all_commands(book, case):
    lines, complaint = CONTENTS[case]
    head = "format: jb-book\nroot: chapters/en/index\nchapters:\n"
    (book.root / "_toc.yml").write_text(head + lines)
    for command in (editions.check, editions.sync, build):
        with pytest.raises(BookError) as caught:
            command(book)
        assert complaint in str(caught.value)
        assert str(caught.value).startswith("_toc.yml")


@pytest.mark.parametrize(
    ("file", "content", "complaint"),
    [
        ("_toc.yml", "- a", "_toc.yml: expected names with values"),
        ("_toc.yml", "root: chapters/en/index", "_toc.yml: has the format None, expected jb-book"),
        ("_toc.yml", "format: jb-book", "_toc.yml: has no root, expected chapters/en/<page>"),
        ("_toc.yml", "a: [b\n", "_toc.yml, line 2: "),
        ("_config.yml", "a: [b\n", "_config.yml, line 2: "),
        ("_config.yml", "title: x", "_config.yml has no entry sphinx: config: book_repository:"),
        ("_config.yml", "", "_config.yml: expected names with values"),
        (
            "_toc.yml",
            "format: jb-book\nroot: chapters/en/index\nparts:\n- {caption: New, chapters: []}",
            "site/zh.yml: captions lacks 'New' of _toc.yml",
        ),
    ],
)
def test_settings_that_are_badly_written_are_named(book, file, content, complaint):
    (book.root / file).write_text(content)
    with pytest.raises(BookError) as caught:
        editions.check(book)
    assert str(caught.value).startswith(complaint)


def test_the_build_stops_before_executing(book):
    change(book.path("en", "index"), "one", outputs=[{}])
    with pytest.raises(BookError, match="saved with outputs"):
        build(book)
    assert not book.output.exists()


def test_sync_copies_code_and_leaves_prose(book):
    zh = book.path("zh", "index")
    change(book.path("en", "index"), "two", source="2 + 2", metadata={"tags": ["plot"]})
    change(book.path("en", "index"), "setup", source='LANGUAGE = "en"\r\nLIBRARY = ""\r\n')
    change(zh, "one", source=None)
    change(zh, "say", source="说")

    name, source = "Mended: chapters/zh/index.ipynb:", "chapters/en/index.ipynb"
    assert editions.sync(book)[1:] == [
        f"{name} cell 2 (setup) has other code than in {source}",
        f"{name} has no cell one, which is cell 3 of {source}",
        f"{name} cell 5 (two) has other code than in {source}",
    ]
    cells = {cell["id"]: cell for cell in read_notebook(zh)["cells"]}
    assert list(cells) == ["title", "setup", "one", "say", "two"]
    assert cells["two"]["source"] == "2 + 2"
    assert cells["two"]["metadata"] == {"tags": ["plot"]}
    assert cells["say"]["source"] == "说"
    assert cells["setup"]["source"] == 'LANGUAGE = "zh"\nLIBRARY = ""\n'
    editions.check(book)


def test_a_third_edition_is_checked_and_synchronised_like_the_second(book, monkeypatch):
    monkeypatch.setattr(editions, "EDITIONS", ("en", "zh", "fr"))
    monkeypatch.setattr(editions, "edition_toc", lambda *_: None)
    monkeypatch.setattr(Book, "config", lambda *_: None)
    cells = [text("title", "# fr"), code("one", "1"), text("say", "x"), code("two", "3")]
    path = write(book, "fr", "index", cells)
    complaint = "chapters/fr/index.ipynb: cell 5 (two) has other code than in chapters/en/index"
    (said,) = editions.sync(book)
    assert complaint in said
    assert read_notebook(path)["cells"][1]["source"].startswith('LANGUAGE = "fr"')
    assert read_notebook(path)["cells"][4]["source"] == "2"


def test_the_repository_is_one_value_which_github_actions_may_say(monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    assert identity.repository("") == ""
    assert identity.repository("ada/book") == "ada/book"
    monkeypatch.setenv("GITHUB_REPOSITORY", "grace/fork")
    assert identity.repository("ada/book") == "grace/fork"
    monkeypatch.setenv("GITHUB_REPOSITORY", "https://github.com/grace/fork")
    with pytest.raises(BookError, match="expected owner/name"):
        identity.repository("")


def test_the_sites_address_comes_from_the_repository():
    assert identity.site_address("Ada/Book") == "https://ada.github.io/Book"
    assert identity.site_address("Ada/ada.github.io") == "https://ada.github.io"


def test_stamping_fills_in_where_the_library_comes_from(book, tmp_path):
    written = identity.stamp(book, "ada/book", tmp_path / "out")
    assert [path.relative_to(tmp_path / "out").as_posix() for path in written] == [
        "chapters/en/index.ipynb",
        "chapters/zh/index.ipynb",
    ]
    setup = read_notebook(written[1])["cells"][1]["source"]
    library = f"https://ada.github.io/book/{wheel.name()}"
    assert (
        setup == f'LANGUAGE = "zh"\nLIBRARY = "{library}"  # filled in when the book is published'
    )
    assert 'LIBRARY = ""' in read_notebook(book.path("zh", "index"))["cells"][1]["source"]


def test_stamping_refuses_what_does_not_name_a_repository(book):
    with pytest.raises(BookError, match="got 'ada', expected owner/name"):
        identity.stamp(book, "ada", book.output)


def test_stamping_names_a_setup_cell_without_the_line(book):
    change(book.path("zh", "index"), "setup", source='LANGUAGE = "zh"')
    with pytest.raises(BookError, match=r"chapters/zh/index.ipynb: the setup cell has no line"):
        identity.stamp(book, "ada/book", book.output)


def test_the_wheel_holds_the_library_and_its_version_says_which_state(tmp_path):
    built = wheel.build(tmp_path)
    assert built.name == wheel.name()
    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
        first = archive.read("attention_course/__init__.py").decode()
    version = built.name.split("-")[1]
    assert f'__version__ = "{version}"' in first
    ours = {
        path.relative_to(SITE.parent).as_posix()
        for path in (SITE.parent / "attention_course").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert ours <= set(names)
    (tmp_path / "attention_course-0-py3-none-any.whl").touch()
    wheel.build(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [built.name]
