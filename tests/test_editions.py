"""The two editions agree, and what keeps them so says where they do not."""

import json
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


def test_books_that_agree_pass(book):
    editions.check(book)


@pytest.mark.parametrize(
    ("cell", "values", "complaint"),
    [
        ("one", {"source": None}, "zh/index.ipynb has no cell one, which is cell 3 of chapters/en"),
        ("say", {"source": None}, "zh/index.ipynb has no cell say, which is cell 4 of chapters/en"),
        ("one", {"source": "3"}, "zh/index.ipynb: cell 3 (one) has other code than in chapters/en"),
        ("say", {"id": "talk"}, "en/index.ipynb has no cell talk, which is cell 4 of chapters/zh"),
        ("say", {"id": "one"}, "zh/index.ipynb: cell 4 (one) has the id of an earlier cell"),
        ("two", {"outputs": [{}]}, "zh/index.ipynb: cell 5 (two) was saved with outputs"),
        ("two", {"cell_type": "raw"}, "zh/index.ipynb: cell 5 (two) is raw, in chapters/en"),
        ("setup", {"source": 'LANGUAGE = "en"'}, '(setup) must have the line LANGUAGE = "zh"'),
    ],
)
def test_a_difference_is_named_with_file_and_cell(book, cell, values, complaint):
    change(book.path("zh", "index"), cell, **values)
    with pytest.raises(BookError) as caught:
        editions.check(book)
    assert f"chapters/{complaint}" in str(caught.value) or complaint in str(caught.value)


def test_cells_in_another_order_are_named(book):
    path = book.path("zh", "index")
    notebook = json.loads(path.read_text())
    notebook["cells"].append(notebook["cells"].pop(2))
    path.write_text(json.dumps(notebook))
    with pytest.raises(BookError, match=r"zh/index.ipynb: cell 5 \(one\) stands elsewhere"):
        editions.check(book)


def test_a_missing_page_and_a_page_outside_the_contents_are_named(book):
    book.path("zh", "index").rename(book.root / "chapters" / "zh" / "other.ipynb")
    with pytest.raises(BookError) as caught:
        editions.check(book)
    assert "chapters/zh/index.ipynb is missing" in str(caught.value)
    assert "chapters/zh/other.ipynb is not in _toc.yml" in str(caught.value)


def test_the_build_stops_before_executing(book):
    change(book.path("en", "index"), "one", outputs=[{}])
    with pytest.raises(BookError, match="saved with outputs"):
        build(book)
    assert not book.output.exists()


def test_sync_copies_code_and_leaves_prose(book):
    zh = book.path("zh", "index")
    change(book.path("en", "index"), "two", source="2 + 2")
    change(book.path("en", "index"), "setup", source='LANGUAGE = "en"\nLIBRARY = ""\n\nimport math')
    change(zh, "one", source=None)
    change(zh, "say", source="说")

    assert editions.sync(book) == ["chapters/zh/index.ipynb: copied setup, one, two"]

    cells = {cell["id"]: cell["source"] for cell in read_notebook(zh)["cells"]}
    assert list(cells) == ["title", "setup", "one", "say", "two"]
    assert cells["two"] == "2 + 2"
    assert cells["say"] == "说"
    assert cells["setup"] == 'LANGUAGE = "zh"\nLIBRARY = ""\n\nimport math'
    assert editions.sync(book) == []
    editions.check(book)


def test_sync_names_the_prose_that_a_person_has_to_write(book):
    change(book.path("zh", "index"), "say", source=None)
    (said,) = editions.sync(book)
    assert "chapters/zh/index.ipynb has no cell say" in said
    assert said.endswith("write it there")


def test_a_file_that_is_no_notebook_is_named(book):
    book.path("zh", "index").write_text("{")
    with pytest.raises(BookError, match=r"zh/index.ipynb is not a notebook"):
        editions.check(book)


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
