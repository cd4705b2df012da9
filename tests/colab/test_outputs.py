"""What each output shows in Colab: in a frame of its own, from another host, on either theme."""

import re

import pytest
from colab import themes

from attention_course import claims, markup
from attention_course.explorables.base import MIME

HOST = "https://colab.test"
FRAMES = "https://outputs.test"  # Colab shows outputs from a host of their own, in a sandbox
SANDBOX = "allow-downloads allow-forms allow-popups allow-same-origin allow-scripts"
THEMES = {"light": ("#ffffff", "#212121"), "dark": ("#383838", "#d5d5d5")}

# As Colab does: the outputs become elements, and their scripts run after they are in the page.
FRAME = """<!doctype html>
<html{theme}><head><meta charset="utf-8"><style>
  html {{ background: {ground} }}
  body {{ color: {ink}; font: 14px Roboto, sans-serif; margin: 0; padding: 4px 8px }}
</style></head><body><div id="output-area"></div><script>
  for (const html of {outputs}) {{
    const output = document.createElement("div");
    output.className = "output";
    document.getElementById("output-area").append(output);
    output.innerHTML = html;
    for (const inert of output.querySelectorAll("script")) {{
      const script = document.createElement("script");
      for (const {{ name, value }} of inert.attributes) script.setAttribute(name, value);
      script.textContent = inert.textContent;
      inert.replaceWith(script);
    }}
  }}
  const tell = () => parent.postMessage([{number}, document.body.offsetHeight], "*");
  new ResizeObserver(tell).observe(document.body);
</script></body></html>"""

PAGE = """<!doctype html>
<html{theme}><head><meta charset="utf-8"><title>{name}</title><style>
  body {{ background: {ground}; margin: 0 }}
  iframe {{ display: block; width: 100%; height: 10px; border: 0; margin: 8px 0 }}
</style></head><body>{frames}<script>
  addEventListener("message", ({{ data: [number, height] }}) => {{
    document.querySelectorAll("iframe")[number].style.height = `${{height}}px`;
  }});
</script></body></html>"""

SETTLED = """() => [...document.querySelectorAll(".ac-explorable")].every(
  ({ dataset }) => dataset.ready || dataset.error,
)"""

# Every visible text whose ink stands out too little from what is behind it (WCAG: 4.5 to 1).
FAINT = """() => {
  const parse = (text) => {
    const numbers = text.replace(/^color\\(srgb/, "").match(/[\\d.]+(e-?\\d+)?/g).map(Number);
    const rgb = text.startsWith("color(") ? numbers.slice(0, 3).map((x) => 255 * x) : numbers;
    return [rgb[0], rgb[1], rgb[2], numbers[3] ?? 1];
  };
  const over = (top, under, opacity = 1) =>
    under.map((x, i) => x + (top[i] - x) * top[3] * opacity).slice(0, 3);
  const chain = (node) => (node ? [...chain(node.parentElement), node] : []);
  const luminance = (rgb) =>
    rgb.map((x) => x / 255)
      .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4))
      .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    const visible = { opacityProperty: true, visibilityProperty: true };
    if (!text || /^(style|script)$/i.test(node.tagName) || !node.checkVisibility(visible)) continue;
    if (node.closest(":disabled, [aria-disabled=true]")) continue;  // not to be used now: exempt
    let ground = [255, 255, 255];
    let opacity = 1;
    for (const each of chain(node)) {
      const style = getComputedStyle(each);
      opacity *= style.opacity;
      ground = over(parse(style.backgroundColor), ground, opacity);
    }
    const style = getComputedStyle(node);
    const drawn = node.closest("svg");
    const paint = parse(drawn ? style.fill : style.color);
    const ink = over(paint, ground, opacity * (drawn ? style.fillOpacity : 1));
    const [low, high] = [luminance(ink), luminance(ground)].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) faint.push(`${text.slice(0, 40)} (${ratio.toFixed(2)})`);
  }
  return faint;
}"""

# Controls that keep the browser's own ink instead of the page's.
FOREIGN_INK = """() => [...document.querySelectorAll(".ac :is(input, button)")]
  .filter((node) => getComputedStyle(node).color !== getComputedStyle(node.parentElement).color)
  .map((node) => node.outerHTML)"""

# Counts what changes in a slider's explorable, but for the slider itself with its label.
WATCH = """(slider) => {
  window.changes = 0;
  const own = slider.closest("label") || slider;
  const around = ({ target }) => !own.contains(target);
  const everything = { attributes: true, characterData: true, childList: true, subtree: true };
  new MutationObserver((changes) => (window.changes += changes.filter(around).length))
    .observe(slider.closest(".ac-explorable"), everything);
}"""
# How many changes there were as soon as there are any, or after five seconds.
CHANGES = """() => new Promise((tell) => {
  const look = (times) =>
    window.changes || !times ? tell(window.changes) : setTimeout(look, 50, times - 1);
  look(100);
})"""
# What unfolds may have to be computed first.
UNFOLDED = "(node) => [...node.children].every((each) => each.clientHeight)"
AT_ITS_END = """(slider) => slider.value
  ? slider.value === slider.max
  : slider.getAttribute("aria-valuenow") === slider.getAttribute("aria-valuemax")"""


class Shown:
    """The outputs of an executed notebook on a page like Colab's, one frame for each cell."""

    def __init__(self, executed, theme, page):
        self.page, self.problems, self.asked = page, [], []
        ground, ink = THEMES[theme]
        look = {
            "ground": ground,
            "ink": ink,
            "theme": ' theme="dark"' if theme == "dark" else "",
        }
        cells = {cell: _html(outputs) for cell, outputs in executed.outputs().items()}
        self.cells = [cell for cell, html in cells.items() if html]
        frames = "".join(
            f'<iframe src="{FRAMES}/{cell}" sandbox="{SANDBOX}"></iframe>' for cell in self.cells
        )
        self.documents = {
            f"{FRAMES}/{cell}": FRAME.format(
                **look, number=number, outputs=markup.script_json(cells[cell])
            )
            for number, cell in enumerate(self.cells)
        } | {f"{HOST}/": PAGE.format(**look, name=executed.name, frames=frames)}
        page.route("**/*", self._answer)
        page.on("console", lambda message: message.type == "error" and self._note(message.text))
        page.on("pageerror", self._note)
        page.goto(f"{HOST}/")
        for _, frame in self.frames():
            frame.wait_for_function(SETTLED, polling=50)

    def frames(self):
        """Each cell's id with its frame, which is brought into view: others do not draw."""
        for number, cell in enumerate(self.cells):
            self.page.locator("iframe").nth(number).scroll_into_view_if_needed()
            yield cell, self.page.frame(url=f"{FRAMES}/{cell}")

    def _answer(self, route):
        document = self.documents.get(route.request.url)
        if document:
            route.fulfill(content_type="text/html", body=document)
        else:
            self.asked.append(route.request.url)
            route.abort()

    def _note(self, problem):
        self.problems.append(str(problem))


def _html(outputs):
    return [output.data["text/html"] for output in outputs if "text/html" in output.get("data", {})]


@pytest.fixture(scope="session", params=THEMES)
def shown(request, executed, browser):
    if request.param not in themes(executed.name):
        pytest.skip("the other theme's turn")
    # The system's own theme is the other one: what counts is Colab's.
    other = {"light": "dark", "dark": "light"}[request.param]
    context = browser.new_context(
        color_scheme=other, reduced_motion="reduce", viewport={"width": 1000, "height": 800}
    )
    yield Shown(executed, request.param, context.new_page())
    context.close()


def test_outputs_stand_on_their_own(executed):
    """HTML that asks no host for anything, and nothing that needs Colab's widgets or fonts."""
    for cell, outputs in executed.outputs().items():
        for output in outputs:
            assert output.output_type != "error", f"{cell}: {output.ename}: {output.evalue}"
            assert output.get("name") != "stderr", f"{cell}: {output.text}"
            data = output.get("data", {})
            assert set(data) <= {"text/html", "text/plain", claims.MIME, MIME}, cell
            html = data.get("text/html", "")
            followed = re.sub(r"<a\b[^>]*>", "", html)  # a link asks for nothing before it is used
            asked = re.findall(r"""(?:src|href|url)\b[=("'\s]*(?:https?:)?//[^"')\s]*""", followed)
            assert not asked, cell
            assert not re.search(r"\brequire(?:js\b|\()", html), cell
            for text in re.findall(r'<g id="[^"]*\btext_\d+">(.*?)</g>', html, re.DOTALL):
                assert "<text" in text, f"{cell}: text drawn as outlines"
    assert not executed.notebook.metadata.get("widgets")


def test_a_lesson_shows_something_of_every_kind(executed):
    if executed.name.endswith("/index"):
        pytest.skip("the landing page is no lesson")
    shown = {cell: "".join(_html(outputs)) for cell, outputs in executed.outputs().items()}
    kinds = {"ac-(picture|diagram)"}
    if "-lab" not in executed.name:
        kinds.add("ac-exercise")
    if any("record" in cell.metadata.get("tags", ()) for cell in executed.notebook.cells):
        kinds.add("ac-claim")
    for kind in kinds:
        pattern = rf'<div class="ac\b[^"]* {kind}"'
        assert any(re.search(pattern, html) for html in shown.values()), kind
    asked = [
        c.id for c in executed.notebook.cells if re.fullmatch(r"predict|quiz-(?!.*-text).*", c.id)
    ]
    assert asked or "-lab" in executed.name
    for cell in asked:
        assert "ac-explorable" in shown[cell], cell


def test_everything_is_drawn(shown):
    for cell, frame in shown.frames():
        failed = frame.locator("[data-error]")
        assert not failed.count(), f"{cell}: {failed.first.get_attribute('data-error')}"
        for output in frame.locator(".output").all():
            assert output.bounding_box()["height"] > 20, cell
        assert not frame.evaluate(FOREIGN_INK), cell
        wide, room = frame.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert wide <= room, f"{cell}: {wide} pixels wide, there are {room}"
    assert not shown.asked, "outputs asked other hosts"
    assert not shown.problems, "the browser's console"


def test_every_slider_changes_what_is_around_it(shown):
    for cell, frame in shown.frames():
        for slider in frame.locator("input[type=range], [role=slider]").all():
            slider.evaluate(WATCH)
            slider.press("ArrowLeft" if slider.evaluate(AT_ITS_END) else "ArrowRight")
            assert frame.evaluate(CHANGES), f"{cell}: {slider.get_attribute('aria-label')}"
    assert not shown.problems


def test_every_question_answers(shown):
    for cell, frame in shown.frames():
        # The quiz's: a question that carries its own button and answer.
        for question in frame.locator(".ac-question:has([role=status])").all():
            told = question.locator("[role=status]")
            assert not told.inner_text(), cell
            question.locator(".ac-choice").first.click()
            question.locator(".ac-button").click()
            frame.wait_for_function("node => node.innerText", arg=told.element_handle(), polling=50)
    assert not shown.problems


def test_cards_show_values_and_unfold(shown):
    for cell, frame in shown.frames():
        for value in frame.locator(".ac-value").all():
            assert value.inner_text().strip(), cell
        for fold in frame.locator("details:visible").all():
            fold.locator("> summary").click()
            frame.wait_for_function(UNFOLDED, arg=fold.element_handle(), polling=50)
        assert not frame.evaluate(FAINT), cell
    assert not shown.problems
