"""Mathematics as the page's own HTML: KaTeX draws every formula when the site is built.

So a page with mathematics loads a style and fonts but no script. One Node.js process serves the
whole build, a line of JSON for each formula; it ends when the build closes its input.
"""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from . import assets

_LOGGER = logging.getLogger(__name__)
_SCRIPT = """
const katex = require(process.argv[1]);
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { latex, displayMode } = JSON.parse(line);
  let answer;
  try {
    answer = { html: katex.renderToString(latex, { displayMode, strict: "ignore" }) };
  } catch (error) {
    answer = { problem: error.message };
  }
  console.log(JSON.stringify(answer));
});
"""


def setup(app: Sphinx) -> None:
    """Register with Sphinx, under the name to put into ``html_math_renderer``."""
    app.add_html_math_renderer("katex", (_visit_inline, None), (_visit_block, None))


def render(latex: str, display: bool = False) -> str:
    """A formula as HTML, with MathML for readers' software.

    Raises:
        ValueError: KaTeX cannot read the formula; the message says where.
    """
    katex = _katex()
    katex.stdin.write(json.dumps({"latex": latex, "displayMode": display}) + "\n")
    katex.stdin.flush()
    answer: dict[str, str] = json.loads(katex.stdout.readline())
    if "problem" in answer:
        raise ValueError(answer["problem"])
    return _lighter(answer["html"])


# What stands on the line, in one size: such a formula can be read as it is drawn.
_ON_THE_LINE = {
    *("katex", "katex-html", "base", "strut", "mspace", "nobreak"),
    *("mord", "mbin", "mrel", "mop", "mopen", "mclose", "mpunct", "minner"),
    *("mathnormal", "mathrm", "mathbf", "mathit", "mathbb", "mathcal", "text", "textrm"),
}


def _lighter(html: str) -> str:
    """KaTeX's answer without what repeats something else: an element counts on a page of hundreds.

    A formula is drawn with ``aria-hidden`` and said once more as MathML; its source, which KaTeX
    adds, goes. One that stands on the line, such as ``n \\times d``, is said by what is drawn.
    """
    html = re.sub(r"<annotation.*?</annotation>", "", html)
    html = re.sub(r"<semantics><mrow>(.*)</mrow></semantics>", r"\1", html)
    said, _, drawn = html.partition('<span class="katex-html" aria-hidden="true">')
    classes = re.findall(r'class="([^"]*)"', drawn)
    if "katex-display" in said or not {c for each in classes for c in each.split()} <= _ON_THE_LINE:
        return html
    drawn = re.sub(r'<span class="strut"[^>]*></span>', "", drawn).removesuffix("</span></span>")
    if drawn.count('class="base"') == 1:
        drawn = drawn.removeprefix('<span class="base">').removesuffix("</span>")
    return f'<span class="katex">{drawn}</span>'


@cache
def _katex() -> Any:
    command = [assets.node(), "-e", _SCRIPT, assets.KATEX / "katex.min.js"]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    )


def _visit_inline(translator: Any, node: nodes.Element) -> None:
    _write(translator, node, "span")


def _visit_block(translator: Any, node: nodes.Element) -> None:
    _write(translator, node, "div")


def _write(translator: Any, node: nodes.Element, tag: str) -> None:
    try:
        html = render(node.astext(), display=tag == "div")
    except ValueError as problem:
        _LOGGER.warning("formula %r: %s", node.astext(), problem, location=node)
        html = translator.encode(node.astext())
    start = translator.starttag(node, tag, "", CLASS="math notranslate nohighlight")
    translator.body.append(f"{start}{html}</{tag}>")
    raise nodes.SkipNode
