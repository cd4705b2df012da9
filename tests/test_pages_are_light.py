"""What leaves the pages and their styles, and what must stay."""

import re

from booksite import mathematics, pages, styles

CODE = (
    '<div class="highlight"><pre><span></span><span class="k">for</span> <span class="n">x</span>'
    '<span class="w"> </span><span class="ow">in</span> <span class="n">y</span>'
    '<span class="p">:</span>\n    <span class="c1"># a &lt; b</span>\n    '
    '<span class="c1"># c</span>\n    <span class="kn">from</span> <span class="kc">None</span>\n'
    "</pre></div>"
)


def purged(css, page="", script="", other=""):
    return styles.purged(css, styles.Used.of([page], [script], [other]))


def test_code_has_an_element_only_where_it_has_a_colour():
    assert pages.finished(CODE, {}) == (
        '<div class="highlight"><pre><span class="k">for</span> x <span class="k">in</span> y:\n'
        '    <span class="c"># a &lt; b\n    # c</span>\n    <span class="k">from None</span>\n'
        "</pre></div>"
    )


def test_words_in_code_are_not_split():
    literal = '<code class="docutils"><span class="pre">a</span> <span class="pre">b</span></code>'
    assert pages.finished(literal, {}) == '<code class="docutils">a b</code>'


def test_styles_and_scripts_in_the_page_go_but_not_an_explorables_state():
    state = '<script type="application/json">{"a":1}</script>'
    page = f'<style class="ac-style">a{{}}</style>{state}<script>one = 1;</script>'
    assert pages.finished(page, {}) == state


def test_a_rule_stays_when_something_can_match_it():
    page = '<p class="a b" id="c">x</p><details open></details>'
    kept = "".join(
        [
            ".a{x:1}",
            "p.a.b>#c,.a:hover{x:1}",
            ".a:not(.z) .b::before{x:1}",
            ':is(.z,.y) p[class~="z"]{x:1}',
            "*{x:1}",
            ":root{x:1}",
            "@media (width<1px){.a{x:1}}",
            "@font-face{font-family:x}",
            ".ac-anything{x:1}",
            '.a{background:url("data:image/svg+xml,{;}")}',
            "html[data-theme=dark] .a{x:1}",
        ]
    )
    assert purged(kept, page) == kept
    assert purged(".z{x:1}.a .z,.a{x:1}video{x:1}@media print{.z{x:1}}#a1{x:1}", page) == ".a{x:1}"
    assert purged(".z{x:1}", page, "node.classList.add('z')") == ".z{x:1}"
    assert purged("/* .a{x:1} */.b{x:1}", page) == ".b{x:1}"


def test_a_custom_property_stays_when_something_refers_to_it():
    page = '<p class="a" style="color:var(--c)"></p>'
    css = ".a{--a:1;--b:var(--a);--c:2;--d:3;x:var(--b)}"
    assert purged(css, page) == ".a{--a:1;--b:var(--a);--c:2;x:var(--b)}"
    assert purged(".a{--d:var(--e);--e:1}", page) == ""
    assert purged(".a{--d:1}", page, "get('--d')") == ".a{--d:1}"
    assert purged(".a{--d:1}", page, other=".b{x:var(--d)}") == ".a{--d:1}"


def test_a_formula_on_the_line_is_said_once():
    said = mathematics.render(r"n \times d")
    assert "<math" not in said
    assert "aria-hidden" not in said
    assert re.sub("<[^>]*>", "", said) == "n×d"
    assert mathematics.render("d") == (
        '<span class="katex"><span class="mord mathnormal">d</span></span>'
    )


def test_any_other_formula_has_mathml_beside_what_is_drawn():
    for formula in ("x_i", r"\sqrt{d}", r"\frac{1}{2}", r"\hat{x}"):
        said = mathematics.render(formula)
        assert re.search(r"<math [^>]*><m", said), formula
        assert "<semantics" not in said
        assert said.count("<span") == said.count("</span>")
    assert "<math" in mathematics.render("d", display=True)
