// What the explorables share: building nodes, numbers as text, softmax, controls, and drawing at
// most once a frame. The site serves it as a file of its own, which modules import; in an output
// that stands alone it stands before the module's own code (see base.py).

const SVG = "http://www.w3.org/2000/svg";

function build(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

export const element = (tag, attributes = {}, ...children) =>
  build(document.createElement(tag), attributes, children);

export const shape = (tag, attributes = {}, ...children) =>
  build(document.createElementNS(SVG, tag), attributes, children);

export const set = (node, attributes) => build(node, attributes, []);

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// An id or a group name that nothing else on the page has.
let made = 0;
const page = Math.random().toString(36).slice(2, 8);
const unique = (name) => `ac-${name}-${page}-${++made}`;

// Words come from Python with {placeholders}.
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

// Text with `code` in backticks, as nodes: never as HTML.
export const rich = (text) =>
  text.split("`").map((part, i) => (i % 2 ? element("code", {}, part) : part));

// Numbers with a true minus sign and no "−0.0".
export function number(value, digits = 2) {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}
export const percent = (share) => `${number(100 * share, 1)}%`;
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export const dot = (a, b) => a.reduce((total, x, i) => total + x * b[i], 0);
export const largest = (values) => values.indexOf(Math.max(...values));

// The names with the largest weight: all of them where some share it, three at most.
export function leaders(names, weights, words) {
  const top = Math.max(...weights);
  const ahead = names.filter((_, i) => top - weights[i] < 1e-6);
  const quoted = ahead.slice(0, 3).map((token) => fill(words.quote, { token }));
  if (ahead.length > 3) quoted.push("…");
  return {
    several: ahead.length > 1,
    all: ahead.length === names.length,
    weight: percent(top),
    token: quoted.join(words.join),
  };
}

export function softmax(scores) {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

export const mean = (values) => values.reduce((sum, x) => sum + x, 0) / values.length;

// weights (n) @ rows (n, columns) -> (columns)
export const mix = (weights, rows) =>
  rows[0].map((_, column) => weights.reduce((sum, weight, i) => sum + weight * rows[i][column], 0));

export function change(model, values) {
  for (const [key, value] of Object.entries(values)) model.set(key, value);
  model.save_changes();
}

export const read = (model, keys) => Object.fromEntries(keys.map((key) => [key, model.get(key)]));

// The bytes of one of the explorable's assets: a file beside the module's, or, in an output that
// stands alone, in the state itself.
export async function asset(model, name) {
  const held = model.get("assets")[name];
  const [, inside] = held.split(";base64,");
  if (inside) return Uint8Array.from(atob(inside), (letter) => letter.charCodeAt(0)).buffer;
  const answer = await fetch(held);
  if (!answer.ok) throw new Error(`${answer.status} ${held}`);
  return answer.arrayBuffer();
}

// Fills `el`, empty, with a title, a hint and what follows. The element around it, or, as a widget,
// `el` itself is named for assistive technology and keeps keys from the notebook around it (Jupyter
// and Colab act on arrows and letters).
export function stage(model, el, ...children) {
  const words = model.get("words");
  const root = el.closest(".ac-explorable") || el;
  root.classList.add("ac", "ac-explorable");
  set(root, {
    role: "group",
    "aria-label": root.getAttribute("aria-label") || words.title,
    "data-lm-suppress-shortcuts": "true",
  });
  el.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  });
  el.replaceChildren(
    element("p", { class: "ac-title" }, words.title),
    element("p", { class: "ac-hint" }, words.hint),
    ...children,
  );
}

// Runs `draw` now and after every change of the state, at most once a frame. Returns what takes the
// watch away again. An error ends it; a page hears of it (see boot.js), in a widget it is shown here.
export function watch(model, el, draw) {
  const attempt = () => {
    try {
      draw();
    } catch (error) {
      stop();
      if (!el.closest("[data-ready]")) {
        const problem = fill(model.get("words").problem, { error });
        el.prepend(element("p", { class: "ac-problem", role: "alert" }, problem));
      }
      throw error;
    }
  };
  let waiting = false;
  const listen = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      attempt();
    });
  };
  const stop = () => model.off("change", listen);
  draw();
  model.on("change", listen);
  return stop;
}

// A native range input with its name before and its value behind it. `show(value, text)` moves it.
export function slider({ name, label, min, max, step, tone, onchange }) {
  const input = element("input", { type: "range", min, max, step, "aria-label": label || name });
  const output = element("span", { class: "ac-output", "aria-hidden": "true" });
  input.addEventListener("input", () => onchange(Number(input.value)));
  const title = element("span", { class: "ac-name", "aria-hidden": "true" }, name);
  const root = element("label", { class: "ac-slider", "data-tone": tone }, title, input, output);
  const show = (value, text) => {
    input.value = value;
    set(input, { "aria-valuetext": text });
    setText(output, text);
    const share = (Number(input.value) - input.min) / (input.max - input.min);
    input.style.setProperty("--at", `${100 * share}%`);
  };
  return { root, input, title, show };
}

export const button = (text, onclick, more = {}) =>
  element("button", { type: "button", class: "ac-button", onclick, ...more }, text);

// A check box that looks like a switch.
export function toggle(name, onchange) {
  const input = element("input", { type: "checkbox", role: "switch" });
  input.addEventListener("change", () => onchange(input.checked));
  const root = element("label", { class: "ac-switch" }, input, element("span", {}, name));
  return { root, show: (on) => (input.checked = on) };
}

// A row of buttons, one for each name, of which one is pressed. `show(name)` says which.
export function pressed(title, names, words, onchange) {
  const all = names.map((name) => button(words[name], () => onchange(name)));
  const root = element(
    "div",
    { class: "ac-buttons", role: "group", "aria-label": title },
    ...all,
  );
  const show = (chosen) =>
    all.forEach((each, i) => set(each, { "aria-pressed": String(names[i] === chosen) }));
  return { root, show };
}

// One question with its options, as native radio buttons. `show(index)` picks one.
export function choices(question, options, onchange) {
  const group = unique("choices");
  const rows = options.map((text, i) => {
    const input = element("input", { type: "radio", name: group, onchange: () => onchange(i) });
    return {
      input,
      root: element("label", { class: "ac-choice" }, input, element("span", {}, ...rich(text))),
    };
  });
  const legend = element("legend", {}, ...rich(question));
  const root = element(
    "fieldset",
    { class: "ac-question" },
    legend,
    ...rows.map((row) => row.root),
  );
  const show = (index) => rows.forEach((row, i) => (row.input.checked = i === index));
  return { root, rows, show };
}

// One sentence that says what the reader sees. The visible one follows every move; the one that
// is read out waits until the reader pauses. Room for `lines` is kept, so that nothing jumps.
export function summary(lines = 2) {
  const style = `--lines:${lines}`;
  const seen = element("p", { class: "ac-summary", "aria-hidden": "true", style });
  const spoken = element("p", { class: "ac-unseen", "aria-live": "polite" });
  let timer;
  const say = (text) => {
    setText(seen, text);
    if (!spoken.textContent) setText(spoken, text);
    clearTimeout(timer);
    timer = setTimeout(() => setText(spoken, text), 700);
  };
  return { root: element("div", {}, seen, spoken), say };
}

// A table whose cells stay while their texts change. `show(rows)` takes rows of texts.
export function table(caption, head) {
  const body = element("tbody");
  const titles = head.map((text) => element("th", { scope: "col" }, text));
  const root = element(
    "div",
    { class: "ac-scroll", tabindex: "0", role: "group", "aria-label": caption },
    element(
      "table",
      { class: "ac-table" },
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, ...titles)),
      body,
    ),
  );
  const show = (rows) => {
    while (body.rows.length > rows.length) body.lastChild.remove();
    while (body.rows.length < rows.length) {
      const [first, ...rest] = rows[0].map((_, i) =>
        i ? element("td") : element("th", { scope: "row" }),
      );
      body.append(element("tr", {}, first, ...rest));
    }
    rows.forEach((texts, i) => texts.forEach((text, j) => setText(body.rows[i].cells[j], text)));
  };
  return { root, show };
}

// The folded tables that say in numbers all that the picture shows. They are written only while
// they can be seen. `show(rows, rows, ...)` has one list of rows for each table.
export function numbers(words, tables) {
  const root = element(
    "details",
    { class: "ac-numbers" },
    element("summary", {}, words.numbers),
    ...tables.map((each) => each.root),
  );
  let latest = () => [];
  const refresh = () => root.open && latest().forEach((rows, i) => tables[i].show(rows));
  root.addEventListener("toggle", refresh);
  const show = (rows) => {
    latest = rows;
    refresh();
  };
  return { root, show };
}

// After a button everything glides to its new place; while a slider moves it follows at once.
export function glide(el) {
  el.classList.add("ac-glide");
  setTimeout(() => el.classList.remove("ac-glide"), 300);
}

// Follows a pointer over `target`: `move(event)` on press and while it stays down. A finger that
// goes up or down scrolls the page instead, unless `touch-action` says otherwise.
export function drag(target, move, start = () => true) {
  let held = null;
  target.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !start(event)) return;
    held = event.pointerId;
    target.setPointerCapture(held);
    move(event);
  });
  target.addEventListener("pointermove", (event) => event.pointerId === held && move(event));
  for (const end of ["pointerup", "pointercancel"]) {
    target.addEventListener(end, () => (held = null));
  }
}

const BLUE = [59, 130, 196];
const ORANGE = [217, 115, 26];

// A picture of `width` times `height` numbers from −1 to 1, one canvas pixel each, stretched by
// the style sheet: blue above zero, orange below, clear at zero. The colours carry their own
// transparency, so that it need not be drawn again when the page turns dark.
export function pixels() {
  const root = element("canvas", { class: "ac-pixels", "aria-hidden": "true" });
  const context = root.getContext("2d");
  const show = (width, height, value) => {
    if (root.width !== width || root.height !== height) set(root, { width, height });
    const image = context.createImageData(width, height);
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i += 4) {
        const here = value(x, y);
        const [red, green, blue] = here < 0 ? ORANGE : BLUE;
        image.data[i] = red;
        image.data[i + 1] = green;
        image.data[i + 2] = blue;
        image.data[i + 3] = 235 * Math.min(1, Math.abs(here));
      }
    }
    context.putImageData(image, 0, 0);
  };
  return { root, show };
}

// The same colours for a cell of the page, paler, since a number stands in it.
export const tint = (value, most = 45) =>
  `color-mix(in srgb, var(${value < 0 ? "--ac-orange" : "--ac-blue"}) ` +
  `${(most * Math.min(1, Math.abs(value))).toFixed(1)}%, transparent)`;
