"""What a machine can see of a page: its anatomy, its links, its terms.

Parity of the editions and stored outputs are checked in test_editions.py, execution in
test_execution.py.
"""

import ast
import itertools
import json
import re
from pathlib import Path

import nbformat
import pytest
from idioms import idioms, introduced
from IPython.core.inputtransformer2 import TransformerManager
from markdown_it import MarkdownIt

from attention_course import explorables, language

CHAPTERS = Path(__file__).parents[1] / "chapters"
PAGES = sorted(CHAPTERS.glob("*/*.ipynb")) + sorted(CHAPTERS.glob("*/*.md"))
NOTEBOOKS = [page for page in PAGES if page.suffix == ".ipynb"]
LESSONS = [page for page in NOTEBOOKS if page.stem != "index"]
CHINESE = r"[\u3400-\u9fff\uff00-\uffef\u3000-\u303f]"
IDEOGRAPH = r"[\u3400-\u9fff]"


def pages(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda p: f"{p.parent.name}/{p.name}")


def cells(path, kind=None):
    return [c for c in json.loads(path.read_text())["cells"] if kind in (None, c["cell_type"])]


def source(cell):
    return "".join(cell["source"])


def prose(path):
    """The page's prose, without code, formulas and link targets."""
    if path.suffix == ".md":
        text = path.read_text()
    else:
        text = "\n\n".join(source(cell) for cell in cells(path, "markdown"))
    return plain(text)


def plain(text):
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    text = re.sub(r"\$\$.*?\$\$", "", text, flags=re.S)
    text = re.sub(r"\$[^$\n]+\$|`[^`\n]*`", "", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return re.sub(r"<[^>]+>", "", text)


def test_there_are_pages_in_both_editions():
    assert LESSONS
    for code in language.LANGUAGES:
        assert [page for page in PAGES if page.parent.name == code]


@pages(NOTEBOOKS)
def test_the_notebook_is_valid_and_its_cells_have_speaking_ids(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    assert not [i for i in ids if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", i)]
    assert not [i for i in ids if re.fullmatch(r"[0-9a-f]{8}", i)]


@pages(PAGES)
def test_nothing_is_left_to_write(path):
    """The skeleton of a page says TODO where its author has to write."""
    assert not re.findall(r".*TODO.*", path.read_text())


@pages(NOTEBOOKS)
def test_the_setup_cell_comes_first_and_is_the_same_everywhere(path):
    def setup(page):
        first = cells(page, "code")[0]
        assert first["id"] == "setup"
        assert first["metadata"] == {}  # the site leaves it out by its id
        return source(first).replace(f'LANGUAGE = "{page.parent.name}"', "LANGUAGE")

    assert setup(path) == setup(NOTEBOOKS[0])


@pages(LESSONS)
def test_code_cells_are_short_and_introduced_by_prose(path):
    before = None
    for cell in cells(path):
        if cell["cell_type"] == "code":
            assert before == "markdown", f"{cell['id']}: no prose before it"
            lines = source(cell).strip().count("\n") + 1
            assert lines <= 14 or cell["id"] == "setup", f"{cell['id']}: {lines} lines"
        before = cell["cell_type"]


# What a page may take: cells, words, lines of code that the reader sees, minutes.
LIMITS = {"lesson": (50, 1800, 140, 35), "lab": (60, 2500, 200, 50)}
NOT_READ = {"plot", "record"}  # tags of cells that are folded


def kind(path):
    return "lab" if re.match(r"\d+(-\d+)?-lab", path.stem) else "lesson"


def is_exercise(cell):
    return cell["id"].startswith("exercise")


def visible_lines(cells):
    return sum(
        len([line for line in source(cell).splitlines() if line.strip()])
        for cell in cells
        if cell["cell_type"] == "code"
        and cell["id"] != "setup"
        and not NOT_READ & set(cell["metadata"].get("tags", ()))
    )


def words_of(cells):
    text = "\n\n".join(source(cell) for cell in cells if cell["cell_type"] == "markdown")
    return len(re.findall(r"[A-Za-z0-9][\w'’.-]*", plain(text)))


def minutes(path):
    """Honest minutes, exercises apart: 100 words and 8 lines of code in each."""
    read = [cell for cell in cells(path) if not is_exercise(cell)]
    return words_of(read) / 100 + visible_lines(read) / 8


@pages([page for page in LESSONS if page.parent.name == "en"])
def test_a_page_is_no_longer_than_one_sitting(path):
    counts = len(cells(path)), words_of(cells(path)), visible_lines(cells(path)), minutes(path)
    names = ("cells", "words", "lines of code", "minutes")
    over = [
        f"{count:.0f} {name}, at most {most}"
        for name, count, most in zip(names, counts, LIMITS[kind(path)], strict=True)
        if count > most
    ]
    assert not over


@pages(LESSONS)
def test_the_minutes_that_a_page_says_are_honest(path):
    time = language.words("display.page.time", path.parent.name)
    said = re.search(rf"\*\*{time}\*\*\D*(\d+)", source(cells(path)[0]))
    assert said, f"the first cell says no time after **{time}**"
    needed = minutes(CHAPTERS / "en" / path.name)
    assert abs(int(said[1]) - needed) <= 5, f"it says {said[1]} minutes, it takes {needed:.0f}"


# What the stated reader has not been taught, by what gives it away in a line of code.
IDIOMS = {
    "einsum": r"\beinsum\(",
    "gather": r"\.gather\(|\bgather\(",
    "cummax": r"\bcummax\(",
    "roll": r"\.roll\(",
    "lambda": r"\blambda\b",
    "chained assignment": r"^\s*\w+ = \w+ = ",
    "bit tricks": r"<<|>>|\^ ?=",
    "nested function": r"^(?: {4})+def (?!__init__|forward)",
    "ignore_index": r"ignore_index|-100\b",
    "walrus": r":=",
}


def is_read(cell):
    """Whether a code cell is open on the page, to be read."""
    return cell["id"] != "setup" and not NOT_READ & set(cell["metadata"].get("tags", ()))


@pages([page for page in LESSONS if kind(page) == "lesson" and page.parent.name == "en"])
def test_a_lesson_uses_no_idiom_that_is_too_hard(path):
    for cell in cells(path, "code"):
        if is_read(cell):
            for name, pattern in IDIOMS.items():
                assert not re.search(pattern, source(cell), flags=re.M), f"{cell['id']}: {name}"


def comes_first(path):
    """Whether a page is of chapter 0: it says what the others take for known, and has no claim."""
    return path.stem.startswith("0-")


def has_claim(path):
    """Whether a claim of the article is on trial; a page beyond the article says that it is."""
    beyond = language.words("display.page.beyond", path.parent.name)
    return not comes_first(path) and f"**{beyond}" not in source(cells(path, "markdown")[0])


def pages_of(edition):
    """The lessons of an edition in the order of the contents: by their numbers."""
    pages = [page for page in LESSONS if page.parent.name == edition and kind(page) == "lesson"]
    return sorted(pages, key=lambda page: [int(n) for n in re.findall(r"\d+", page.stem)])


@pages([page for page in LESSONS if kind(page) == "lesson"])
def test_what_a_lesson_uses_is_taught_before(path):
    """On a page of chapter 0, or on the page itself, in the prose before the cell that uses it.

    To teach an idiom is to say in prose what it is, with the idiom in backticks.
    """
    earlier = [page for page in pages_of(path.parent.name) if comes_first(page)]
    if path in earlier:
        earlier = earlier[: earlier.index(path)]
    known = {idiom for page in earlier for cell in cells(page, "markdown")
             for idiom in introduced(source(cell))}  # fmt: skip
    for cell in cells(path):
        if cell["cell_type"] == "markdown":
            known |= introduced(source(cell))
        elif is_read(cell):
            new = idioms(source(cell)) - known
            assert not new, f"{cell['id']}: say in the prose before it what `{min(new)}` is"


def bound(code):
    """The names that a cell binds at its top level."""
    tree = ast.parse(TransformerManager().transform_cell(code))
    targets = []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Assign):
            targets += node.targets
        elif isinstance(node, ast.AnnAssign):
            targets.append(node.target)
    for target in targets:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                yield node.id


@pages([page for page in LESSONS if page.parent.name == "en"])
def test_a_name_is_bound_once_so_that_earlier_cells_can_run_again(path):
    seen = {}
    for cell in cells(path, "code"):
        if cell["id"] == "setup" or is_exercise(cell):
            continue
        for name in dict.fromkeys(bound(source(cell))):
            assert name not in seen, f"{name}: bound in {seen[name]}, again in {cell['id']}"
            seen[name] = cell["id"]


@pages(NOTEBOOKS)
def test_code_holds_no_chinese(path):
    for cell in cells(path, "code"):
        if cell["id"] != "setup":
            assert not re.findall(CHINESE, source(cell)), cell["id"]


def headings(path, level):
    text = "\n\n".join(source(cell) for cell in cells(path, "markdown"))
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    return re.findall(rf"^#{{{level}}} (.*)$", text, flags=re.M)


@pages([page for page in LESSONS if kind(page) == "lesson"])
def test_a_lesson_has_every_part_under_its_name_and_in_order(path):
    parts = list(language.words("display.page.part", path.parent.name).values())
    found = []
    for heading in headings(path, 2):
        part = next((p for p in parts if re.match(rf"{p}($|[:：])", heading)), None)
        assert part, f"{heading!r} begins with none of {', '.join(parts)}"
        found.append(part)
    # A guess is asked for right before what it is about, wherever that is.
    in_order = [part for part in found if part != parts[0]]
    assert in_order == [part for part in parts[1:] if part in found]
    assert len(found) == len(set(found))
    # What there is to see may stand in Build; chapter 0 has no claim to measure.
    see, measure = parts[2], parts[5]
    assert set(parts) - set(found) <= ({see, measure} if comes_first(path) else {see})
    code = "\n".join(source(cell) for cell in cells(path, "code"))
    for call in ("overview.here(", "Prediction(", "Quiz(", "data_flow("):
        assert call in code, call
    assert ("record(" in code) == has_claim(path)
    assert len(re.findall(r"\.check\(", code)) >= 2
    playful = set(re.findall(r"\b([A-Z]\w+)(?:\.of)?\(", code)) - {"Prediction", "Quiz"}
    assert playful & {"".join(map(str.title, name.split("_"))) for name in explorables.names()}


@pages([page for page in LESSONS if kind(page) == "lab"])
def test_a_lab_ends_as_a_lesson_does(path):
    parts = list(language.words("display.page.part", path.parent.name).values())
    assert headings(path, 2)[-2:] == parts[-2:]


@pages(LESSONS)
def test_the_opening_says_what_it_is_about(path):
    words = language.words("display.page", path.parent.name)
    for name in ("question", "afterwards", "time", "know"):
        assert f"**{words[name]}" in source(cells(path)[0]), words[name]
    on_trial = f"**{words['trial']}" in source(cells(path)[0])
    assert on_trial == has_claim(path), words["trial"]


@pages(LESSONS)
def test_exercises_and_questions_stand_under_their_names(path):
    words, before = language.words("display.page", path.parent.name), ""
    for cell in cells(path):
        if cell["cell_type"] == "code":
            for call, name in ((".check(", words["exercise"]), ("Quiz(", words["quiz"])):
                if call in source(cell):
                    assert re.search(rf"^### {name}", before, flags=re.M), cell["id"]
        before = source(cell)


@pages(NOTEBOOKS)
def test_prose_shows_as_meant_in_colab(path):
    """Roles, directives and colon fences would show raw."""
    for cell in cells(path, "markdown"):
        raw = re.findall(r"\{[a-z:-]+\}`|^`{3,}\{|^:::|^\(\w+\)=$", source(cell), flags=re.M)
        assert not raw, cell["id"]


@pages(NOTEBOOKS)
def test_headings_go_down_one_level_at_a_time(path):
    headings = [
        len(mark)
        for cell in cells(path, "markdown")
        for mark in re.findall(r"^(#+) ", re.sub(r"```.*?```", "", source(cell), flags=re.S), re.M)
    ]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(after <= level + 1 for level, after in itertools.pairwise(headings))


@pages(PAGES)
def test_links_lead_somewhere_and_cited_papers_are_in_the_references(path):
    text = (
        path.read_text()
        if path.suffix == ".md"
        else "\n".join(source(cell) for cell in cells(path, "markdown"))
    )
    references = (CHAPTERS / "references.bib").read_text()
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("http"):
            assert target.startswith("https://"), target
            if paper := re.search(r"arxiv\.org/abs/([\d.]+\d)", target):
                assert paper[1] in references, f"{target} is not in references.bib"
        elif not target.startswith("#"):
            assert (path.parent / target.split("#")[0]).exists(), target


@pages(LESSONS)
def test_marks_of_emphasis_are_understood_as_such(path):
    """`**` before a Chinese character and after punctuation closes nothing, and would show."""
    for cell in cells(path, "markdown"):
        for block in MarkdownIt().parse(source(cell)):
            for piece in block.children or ():
                assert piece.type != "text" or "**" not in piece.content, piece.content


@pages([page for page in PAGES if page.parent.name == "zh"])
def test_chinese_typography(path):
    text = re.sub(r"(?m)(^#+ |\[)\d+(\.\d+)? ", r"\1", prose(path))  # a lesson's number
    for what, pattern in {
        "a line break between Chinese characters": f"{CHINESE}\n(?![\n#|>*-]|\\d+\\.){CHINESE}",
        "a space between Chinese and Latin": f"{IDEOGRAPH} [A-Za-z0-9]|[A-Za-z0-9] {IDEOGRAPH}",
        "half-width punctuation": f"{IDEOGRAPH}[,;:?!]|{IDEOGRAPH}\\.(?![a-z])",
    }.items():
        found = re.search(f".{{0,12}}(?:{pattern}).{{0,12}}", text)
        assert not found, f"{what}: {found[0]!r}"


@pages(PAGES)
def test_prose_uses_the_terms_of_the_terminology(path):
    code = path.parent.name
    text = prose(path).lower()
    for name, term in language.read_toml("terminology.toml").items():
        for other in term.get(f"avoid_{code}", ()):
            assert other.lower() not in text, f"{name}: write {term[code]!r}, not {other!r}"


def uses(term, text):
    """Whether the text uses the term, as a word of its own where words are spaced."""
    if re.search(IDEOGRAPH, term):
        return term in text
    return bool(re.search(rf"(?<![A-Za-z]){re.escape(term)}(e?s)?(?![A-Za-z])", text, flags=re.I))


@pages([page for page in LESSONS if page.parent.name == "en"])
def test_what_one_edition_calls_by_its_term_the_other_does_too(path):
    english, chinese = prose(path), prose(CHAPTERS / "zh" / path.name)
    for name, term in language.read_toml("terminology.toml").items():
        if not term.get("everyday"):
            assert not uses(term["en"], english) or uses(term["zh"], chinese), (
                f"{name}: {term['en']!r} is on the English page, {term['zh']!r} not on the Chinese"
            )


TERMS = language.read_toml("terminology.toml")


@pytest.mark.parametrize("name", TERMS)
def test_a_chinese_term_is_given_with_its_english_where_it_is_introduced(name):
    """中文（English）, or English（中文） where the Chinese edition keeps the English."""
    term = TERMS[name]
    path = CHAPTERS / "zh" / f"{term['lesson']}.ipynb"
    text = re.sub(r"(?m)^#.*$", "", prose(path))  # headings stay short
    text = text.replace("*", "")
    first = re.search(re.escape(term["zh"]), text, flags=re.I)
    assert first, f"{path.name} does not say {term['zh']}"
    around = text[max(0, first.start() - 30) : first.end() + 40]
    if re.search(IDEOGRAPH, term["zh"]):
        pairs = [(term["zh"], term["en"])]
    else:
        pairs = [
            pair
            for other in term.get("also_zh", ())
            for pair in ((term["zh"], other), (other, term["zh"]))
        ]
    given = [f"{a}（{b}" for a, b in pairs]
    assert not given or any(each.lower() in around.lower() for each in given), (
        f"{path.name}: {given[0]}）is expected at its first mention: …{around.strip()}…"
    )


def test_every_term_of_the_glossary_is_used():
    for code in language.LANGUAGES:
        text = "\n".join(prose(page) for page in LESSONS if page.parent.name == code)
        unused = [
            name
            for name, term in language.read_toml("terminology.toml").items()
            if not uses(term[code], text)
        ]
        assert not unused, code


@pages(NOTEBOOKS)
def test_bold_and_italic_are_shown_as_such(path):
    """After 。** a Chinese character follows in vain: CommonMark then takes the stars for text."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            html = MarkdownIt().enable("table").render(cell.source)
            shown = re.sub(r"(?s)<(code|pre)\b.*?</\1>|\$\$.*?\$\$|\$[^$\n]+\$", "", html)
            assert "**" not in shown, (cell.id, shown[max(0, shown.index("**") - 20) :][:60])
