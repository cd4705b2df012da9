"""From notebooks to pages: what the site says, and what it says when something is wrong."""

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request

import pytest
from books import ROOT, change, code, small_book, text, write

from booksite import assets, pages, reports, serve
from booksite.book import EDITIONS, SITE, Book, BookError
from booksite.build import build

# The site is built once for all tests that look at it.
pytestmark = pytest.mark.xdist_group("build")
USE = "from attention_course import language\n\nlanguage.use(LANGUAGE)"
RECORD = """
from attention_course import claims

claims.record("C3", 0.93, verdict="holds", spread=(0.9, 0.95), style="percent")
"""
RECORDS = {"metadata": {"tags": ["record"]}}
PROSE = {
    "en": [
        "# One\n\nA first paragraph, which says what the page is about.",
        "Softmax: $e^{x_i}$. Then softmax once more.\n\n$$x^2$$",
    ],
    "zh": ["# 第一章\n\n第一段说这一页讲什么。", "注意力机制：$e^{x_i}$。\n\n$$x^2$$"],
}


def command(book, *arguments, **environment):
    """Run the machinery as the Makefile does."""
    return subprocess.run(
        [sys.executable, "-m", "booksite", "--root", book.root, *arguments],
        env=os.environ | {"PYTHONPATH": str(SITE)} | environment,
        capture_output=True,
        text=True,
    )


def book_at(root):
    book = small_book(root, "index", "claims", "glossary", "times")
    for edition in EDITIONS:
        start, more = PROSE[edition]
        cells = [text("start", start), code("measure", RECORD, **RECORDS), text("more", more)]
        write(book, edition, "index", cells)
        setup = f'LANGUAGE = "{edition}"\nLIBRARY = ""\n\n{USE}'
        change(book.path(edition, "index"), "setup", source=setup)
        for page in ("claims", "glossary", "times"):
            shutil.copy(
                ROOT / "chapters" / edition / f"{page}.md", book.root / "chapters" / edition
            )
    return book


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A small book whose site is built."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GITHUB_REPOSITORY", raising=False)
        book = book_at(tmp_path_factory.mktemp("book"))
        build(book)
    return book


def page(book, name):
    return (book.output / "html" / name).read_text()


@pytest.mark.parametrize(("edition", "tag"), [("en", "en"), ("zh", "zh-CN")])
def test_a_page_says_its_language_and_what_it_is_about(site, edition, tag):
    html = page(site, f"{edition}/index.html")
    assert f'<html lang="{tag}"' in html
    description = PROSE[edition][0].split("\n\n")[1]
    assert f'<meta name="description" content="{description}">' in html


@pytest.mark.parametrize(("edition", "show"), [("en", "Show the code"), ("zh", "显示代码")])
def test_code_that_records_is_folded_and_what_it_shows_is_not(site, edition, show):
    html = page(site, f"{edition}/index.html")
    folded = re.findall(r"<details class=\"[^\"]*input[^\"]*\">.*?</details>", html, re.DOTALL)
    assert len(folded) == 1
    assert "claims" in folded[0]
    assert show in folded[0]
    assert "LIBRARY" not in html  # the setup cell is left out
    assert "ac-claim" in html
    assert "ac-claim" not in "".join(folded)


def test_a_page_leads_to_the_same_page_of_the_other_edition(site):
    for name in ("index", "claims", "glossary", "search"):
        link = r'<a class="[^"]*" href="\.\./zh/{}\.html" lang="zh-CN" hreflang="zh-CN"[^>]*>中文'
        assert re.search(link.format(name), page(site, f"en/{name}.html"))
        assert (site.output / "html" / "zh" / f"{name}.html").exists()


def test_an_unpublished_copy_says_so_and_points_nowhere(site):
    for edition, words in (("en", "not published yet"), ("zh", "尚未发布")):
        html = page(site, f"{edition}/index.html")
        assert words in html
        assert "colab.research.google.com" not in html
        assert "canonical" not in html


def test_no_page_asks_another_host_for_anything(site):
    for path in (site.output / "html").rglob("*.html"):
        html = path.read_text()
        asked = re.findall(r'<(?:script|link|img|iframe)\b[^>]*(?:src|href)="(?:https?:)?//', html)
        assert not asked, path
    for path in (site.output / "html").rglob("*.css"):
        assert not re.search(r"url\([\"']?https?:|@import[^;]*https?:", path.read_text()), path


def test_every_file_that_a_page_names_is_there(site):
    for path in (site.output / "html").rglob("*.html"):
        for target in re.findall(r'(?:src|href)="([^"#?:]+)[?#"]', path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_formulas_are_drawn_when_the_site_is_built(site):
    html = page(site, "zh/index.html")
    assert html.count('class="katex"') == 2
    assert "katex.min.css" in html
    assert "katex.min.css" not in page(site, "zh/glossary.html")
    assert not re.search(r"mathjax|require\.js|thebe|fontawesome", html, re.IGNORECASE)


def test_the_policy_admits_the_sites_own_files_and_nothing_in_a_page(site):
    html = page(site, "en/index.html")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    assert "default-src 'self'; script-src 'self';" in policy
    assert not re.search("unsafe-eval|blob|sha256", policy)
    for attributes, script in re.findall(r"<script\b([^>]*)>(.*?)</script>", html, re.DOTALL):
        assert "src=" in attributes or 'type="application/json"' in attributes, script
    assert not re.search(r"\son\w+=", re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL))
    assert "new Function" not in bundled(site, "zh", "js")


def bundled(site, edition, ending):
    """What all pages of an edition share."""
    name = re.search(rf"_static/book-\w+\.{ending}", page(site, f"{edition}/index.html"))[0]
    return page(site, f"{edition}/{name}")


def test_all_pages_share_one_style_sheet_and_one_script(site):
    for path in (site.output / "html" / "en").glob("*.html"):
        html = path.read_text()
        sheets = re.findall(r'<link rel="stylesheet"[^>]*href="([^"]*)"', html)
        assert [name for name in sheets if "katex" not in name] == sheets[:1]
        scripts = re.findall(r'<script[^>]*src="([^"?]*)', html)
        assert len(scripts) == 2 or path.name == "search.html", scripts
    for name in re.findall(r"[\w./-]+-[0-9a-f]{10}\.\w+", html):
        content = (site.output / "html" / "en" / name).read_bytes()
        assert hashlib.sha256(content).hexdigest()[:10] in name
    css = bundled(site, "en", "css")
    assert ".bd-article" in css
    assert ".ac-explorable" in css
    assert ".placeholder" not in css
    assert "@import" not in css
    assert not re.search(r"url\((?!['\"]?data:)", css)


def test_the_ledger_holds_what_the_notebook_measured(site):
    for edition, words in (("en", "Holds."), ("zh", "成立。")):
        html = page(site, f"{edition}/claims.html")
        table = re.search(r"<table.*?</table>", html, re.DOTALL)[0]
        assert "<strong>C3</strong>" in table
        assert re.search(r"<strong>93.?%</strong>", table)
        assert 'href="index.html"' in table
        assert "<strong>C4</strong>" in html
        assert "<strong>C4</strong>" not in table
        assert words in table


def test_the_glossary_anchors_each_term_and_gives_the_other_languages(site):
    html = page(site, "zh/glossary.html")
    assert 'id="term-attention"' in html
    assert re.search(r"<strong>注意力</strong>.*?<span lang=\"en\">attention<", html, re.DOTALL)


def test_the_page_of_run_times_tells_those_of_notebooks_and_tests(tmp_path, site):
    assert re.search(r"Notebook.*?index\.html.*?<p>\d+\.\d</p>", page(site, "en/times.html"), re.S)
    assert "Not yet measured" in page(site, "en/times.html")
    shutil.copytree(site.root, tmp_path / "book")
    book = Book(tmp_path / "book")
    report = reports.path(book, "tests")
    report.parent.mkdir(exist_ok=True)
    report.write_text('{"tests/test_one.py": 12.34}')
    printed = report.parent / "benchmarks" / "attention.txt"
    printed.parent.mkdir()
    printed.write_text("forward\n   0.98  48 tokens\n")
    build(book)
    assert re.search(r"tests/test_one.py.*?<p>12\.3</p>", page(book, "zh/times.html"), re.S)
    assert re.search(r"benchmarks/attention.py.*?0\.98  48", page(book, "zh/times.html"), re.S)
    assert "12.3 s    tests/test_one.py" in command(book, "times").stdout


def test_the_first_mention_of_a_term_says_what_it_means(site):
    for edition, word in (("en", "Softmax"), ("zh", "注意力")):
        html = page(site, f"{edition}/index.html")
        mentions = re.findall(r'<a class="book-term"[^>]*>([^<]*)</a>', html)
        assert mentions == [word]
    assert 'data-meaning="Turns scores' in page(site, "en/index.html")


def test_chinese_pages_have_chinese_all_around(site):
    html = re.sub(
        r"<(script|style|math).*?</\1>|<!--.*?-->", "", page(site, "zh/index.html"), flags=re.S
    )
    for words in re.findall(r'(?:title|aria-label|placeholder)="([^"]*)"', html):
        assert re.search(r"[\u4e00-\u9fff]", words), words
    body = html.split("<article")[0].split("<body")[1]
    for words in re.findall(r">\s*([^<>]*[A-Za-z]{3}[^<>]*?)\s*<", body):
        assert re.search(r"[\u4e00-\u9fff]|^(English|Ctrl)$", words), words


def test_a_second_build_has_nothing_to_do_and_prose_builds_its_own_edition(tmp_path, site, capfd):
    shutil.copytree(site.root, tmp_path / "book")
    book = Book(tmp_path / "book")
    build(book)
    capfd.readouterr()
    (book.output / "html" / "genindex.html").touch()  # left by another tool

    build(book)
    said = capfd.readouterr().out
    assert "all 2 are up to date" in said
    assert "Site: up to date" in said
    assert not (book.output / "html" / "genindex.html").exists()

    change(book.path("zh", "index"), "more", source="改过的正文。")
    build(book)
    said = capfd.readouterr().out
    assert "all 2 are up to date" in said
    assert "Pages: building zh." in said
    assert "改过的正文" in page(book, "zh/index.html")

    before = page(book, "en/index.html")
    change(book.path("en", "index"), "more", source=r"A formula with a mistake: $\fraq{1}{2}$.")
    with pytest.raises(BookError) as caught:
        build(book)
    assert "The en edition could not be built" in str(caught.value)
    assert "index.ipynb" in str(caught.value)
    assert r"\fraq" in str(caught.value)
    assert page(book, "en/index.html") == before


def test_a_published_copy_says_where_it_stands_and_where_it_runs(tmp_path, site, monkeypatch):
    shutil.copytree(site.root, tmp_path / "book")
    monkeypatch.setenv("GITHUB_REPOSITORY", "ada/course")
    book = Book(tmp_path / "book")
    build(book)
    html = page(book, "zh/index.html")
    notebook = "github/ada/course/blob/notebooks/chapters/zh/index.ipynb"
    assert f'href="https://colab.research.google.com/{notebook}"' in html
    assert f"src=https://{notebook.replace('github/', 'github.com/', 1)}" in html
    (wheel,) = (book.output / "html").glob("*.whl")
    download = json.loads(page(book, "zh/_sources/index.ipynb"))
    setup = next("".join(c["source"]) for c in download["cells"] if c["id"] == "setup")
    assert f'LIBRARY = "https://ada.github.io/course/{wheel.name}"' in setup
    assert "尚未发布" not in html
    assert '<link rel="canonical" href="https://ada.github.io/course/zh/index.html">' in html
    english = (
        '<link rel="alternate" hreflang="en" href="https://ada.github.io/course/en/index.html">'
    )
    assert english in html
    assert "colab.research.google.com" not in page(book, "zh/glossary.html")


def test_jupyter_book_alone_builds_the_english_edition_with_its_outputs(tmp_path):
    book = book_at(tmp_path)
    (book.root / "site").symlink_to(SITE)
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "from jupyter_book.cli.main import main; main()",
            "build",
            ".",
            "-W",
        ],
        cwd=book.root,
        env={k: v for k, v in os.environ.items() if k != "GITHUB_REPOSITORY"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    html = page(book, "chapters/en/index.html")
    assert "ac-claim" in html
    assert 'class="katex"' in html
    assert "中文" not in html
    assert 'url=chapters/en/index.html"' in page(book, "index.html")


def test_a_chinese_query_is_cut_into_words_of_the_index():
    script = """
        const terms = { 注意力: 1, 机制: 1, 注意: 1, 意: 1, 力: 1, attention: 1 };
        const source = require("fs").readFileSync(process.argv[1], "utf8");
        const split = new Function("Search", source + "; return splitQuery")({ _index: { terms } });
        const queries = [
            "注意力机制", "注意力 attention", "用attention的注意", "意力", "力", "未知",
        ];
        console.log(JSON.stringify(queries.map(split)));
    """
    run = subprocess.run(
        [assets.node(), "-e", script, SITE / "static" / "zhsearch.js"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout) == [
        ["注意力", "机制"],
        ["注意力", "attention"],
        ["用", "attention", "注意"],
        ["意", "力"],
        ["力"],
        ["未知"],
    ]


def test_parts_of_the_map_lead_to_the_pages_that_there_are():
    parts = '<span data-part="2-1-a" aria-current="true">A</span><span data-part="9-9-b">B</span>'
    assert pages.finished(parts, {}, ["2-1-a"]) == (
        '<a href="2-1-a.html" aria-current="true">A</a><span data-part="9-9-b">B</span>'
    )


def test_icons_become_drawings_and_an_unknown_one_is_named():
    assert '<svg class="icon theme-switch" data-mode="dark"' in pages.finished(
        '<i class="fa-solid fa-moon theme-switch" data-mode="dark"></i>', {}
    )
    with pytest.raises(pages.UnknownIcon, match="fa-rocket"):
        pages.finished('<i class="fa-solid fa-rocket"></i>', {})


def test_the_site_is_served_and_a_port_in_use_is_said(site, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BookError, match=f"Port {port} is in use: choose another"):
            serve.serve(site, port)
    with pytest.raises(BookError, match="expected a number from 1 to 65535"):
        serve.serve(site, 65536)
    with socket.socket() as usual:
        try:
            usual.bind(("127.0.0.1", serve.PORT))
            usual.listen()
        except OSError:
            pass  # in use already, which is what this test wants
        with serve.server(site.output / "html", None) as server:
            assert server.server_port != serve.PORT
            threading.Thread(target=server.serve_forever, daemon=True).start()
            address = f"http://127.0.0.1:{server.server_port}/zh/index.html"
            with urllib.request.urlopen(address) as answer:
                assert "zh-CN" in answer.read().decode()
            server.shutdown()
    assert f"Port {serve.PORT} is in use; looking for a free one." in capsys.readouterr().out


def test_a_command_that_cannot_go_on_says_why_without_a_traceback(tmp_path):
    for arguments, words in (
        (["serve"], "There is no built site yet"),
        (["build"], "_toc.yml is missing"),
        (
            ["stamp", "--repository", "x", "--output", tmp_path],
            "expected owner/name",
        ),
    ):
        run = command(Book(tmp_path), *arguments)
        assert run.returncode == 1
        assert words in run.stderr
        assert "Traceback" not in run.stderr
    assert "build" in command(Book(tmp_path), "--help").stdout


def test_browser_assets_that_cannot_be_fetched_are_named(tmp_path, monkeypatch):
    shutil.copy(SITE / "package.json", tmp_path)
    shutil.copy(SITE / "package-lock.json", tmp_path)
    monkeypatch.setattr(assets, "SITE", tmp_path)
    monkeypatch.setattr(assets, "MODULES", tmp_path / "node_modules")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_offline", "true")
    with pytest.raises(BookError, match=r"lists could not be fetched(.|\n)*Nothing was lost"):
        assets.install()
