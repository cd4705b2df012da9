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
    return re.sub(r"<annotation.*?</annotation>", "", answer["html"])  # the source, once more


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
