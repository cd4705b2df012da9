"""Terms of the glossary in the prose of the site: marked once, and nothing said is changed."""

import pytest
from docutils import nodes
from sphinx import addnodes

from booksite import terms


def page(*said):
    """A document of paragraphs: text; in a list, a link to another page; in a tuple, emphasised."""
    document = nodes.Element()
    for text in said:
        paragraph = nodes.paragraph()
        if isinstance(text, list):
            paragraph += addnodes.pending_xref("", nodes.inline("", "", nodes.Text(text[0])))
        elif isinstance(text, tuple):
            paragraph += nodes.strong("", "", nodes.Text(text[0]))
        else:
            paragraph += nodes.Text(text)
        document += paragraph
    return document


def marked(document, edition):
    terms.mark(document, edition)
    return [mention.astext() for mention in document.findall(terms.mention)]


@pytest.mark.parametrize(
    ("edition", "said", "expected"),
    [
        ("zh", [("位置编码",), ("位置编码",), "梯度"], ["位置编码", "梯度"]),
        ("zh", ["自注意力也是注意力。", "自注意力"], ["自注意力", "注意力"]),
        ("en", ["softmax", "softmax", "A vector, then softmax."], ["softmax", "vector"]),
    ],
)
def test_paragraphs_that_say_the_same_keep_what_they_say(edition, said, expected):
    document = page(*said)
    before = [paragraph.astext() for paragraph in document.findall(nodes.paragraph)]
    assert marked(document, edition) == expected
    assert [paragraph.astext() for paragraph in document.findall(nodes.paragraph)] == before


def test_a_link_to_another_page_stays_whole():
    document = page(["0 Prerequisites: vectors, matrices, softmax"], "The softmax of a vector.")
    assert marked(document, "en") == ["softmax", "vector"]
    assert len(list(document.findall(addnodes.pending_xref))) == 1
    assert not list(next(document.findall(addnodes.pending_xref)).findall(terms.mention))
