import {
  button,
  change,
  clamp,
  element,
  fill,
  glide,
  mean,
  number,
  numbers,
  percent,
  read,
  set,
  setText,
  shape,
  slider,
  softmax,
  stage,
  summary,
  table,
  toggle,
  watch,
} from "../kit.js";

const KEYS = ["d", "scale", "row", "dims", "products"];
const TOP = 18;
// The histogram's axis is the same for every d, so that the spread can be seen to grow.
const FAR = 60;
const BINS = 60;

const entropy = (weights) => -weights.reduce((sum, p) => sum + (p > 0 ? p * Math.log(p) : 0), 0);

// The Frobenius norm of softmax's Jacobian, diag(p) − p pᵀ, from its weights p.
function jacobianNorm(weights) {
  const powers = [2, 3].map((power) => weights.reduce((sum, p) => sum + p ** power, 0));
  return Math.sqrt(Math.max(0, powers[0] - 2 * powers[1] + powers[0] ** 2));
}

// What happens at one d: products are rows of q·k, one row a query.
function at(products, d, scale) {
  const logits = products.map((row) => row.map((x) => (scale ? x / Math.sqrt(d) : x)));
  const rows = logits.map(softmax);
  const all = logits.flat();
  const middle = mean(all);
  return {
    logits,
    weights: rows,
    spread: Math.sqrt(mean(all.map((x) => (x - middle) ** 2))),
    entropy: mean(rows.map(entropy)),
    largest: mean(rows.map((row) => Math.max(...row))),
    gradient: mean(rows.map(jacobianNorm)),
  };
}

export function compute({ d, scale, row, dims, products }) {
  const index = dims.indexOf(d);
  const curve = (on) =>
    dims.map((width, i) => {
      const { logits, weights, ...measures } = at(products[i], width, on);
      return measures;
    });
  const { logits, weights, ...measures } = at(products[index], d, scale);
  return {
    ...measures,
    logits,
    row: { logits: logits[row], weights: weights[row], gradient: jacobianNorm(weights[row]) },
    scaled: curve(true),
    unscaled: curve(false),
  };
}

// Charts stand side by side; on a phone one above the other, each lower, to be seen at once.
const sizeIn = (el) => {
  const [width, height] = el.clientWidth && el.clientWidth < 600 ? [300, 112] : [240, 150];
  return { width, height, floor: height - 24, tall: height - 24 - TOP };
};

function chart({ width, height, floor }, title, ...shapes) {
  const root = shape(
    "svg",
    { class: "ac-drawing", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title },
    shape("path", { class: "ac-axis", d: `M0 ${floor}H${width}` }),
    ...shapes,
  );
  return element("figure", {}, element("figcaption", {}, title), root);
}

const label = (x, y, text, anchor = "middle") =>
  shape("text", { x, y, "text-anchor": anchor }, text);

// How the logits of all queries spread, as a histogram.
function histogram(size, words) {
  const { width, height, floor, tall } = size;
  const line = shape("path", { class: "ac-histogram" });
  const x = (value) => ((value + FAR) / (2 * FAR)) * width;
  const ticks = [-40, -20, 0, 20, 40].map((value) => label(x(value), height - 6, number(value, 0)));
  const root = chart(size, words.spread_chart, line, ...ticks);
  const show = ({ logits }) => {
    const counts = Array(BINS).fill(0);
    for (const value of logits.flat()) {
      counts[clamp(Math.floor(((value + FAR) / (2 * FAR)) * BINS), 0, BINS - 1)] += 1;
    }
    const top = Math.max(...counts);
    const step = width / BINS;
    const path = counts.map((count, i) => `L${i * step} ${floor - (count / top) * tall}h${step}`);
    set(line, { d: `M0 ${floor}${path.join("")}V${floor}Z` });
  };
  return { root, show };
}

// The weights that one query gives to its keys.
function weightBars(size, words, count) {
  const { width, height, floor, tall } = size;
  const step = width / count;
  const bars = Array.from({ length: count }, (_, i) =>
    shape("rect", {
      class: "ac-column",
      x: i * step + 1,
      width: step - 2,
      height: tall,
      y: TOP,
      rx: 2,
    }),
  );
  const even = floor - tall / count;
  const line = shape("path", { class: "ac-even", d: `M0 ${even}H${width}` });
  const full = shape("path", { class: "ac-grid", d: `M0 ${TOP}H${width}` });
  const root = chart(
    size,
    words.weights_chart,
    full,
    ...bars,
    line,
    label(0, TOP - 5, "100%", "start"),
    label(0, height - 6, words.first_key, "start"),
    label(width, height - 6, fill(words.last_key, { count }), "end"),
  );
  const show = ({ row }) =>
    bars.forEach((bar, i) => (bar.style.transform = `scaleY(${row.weights[i]})`));
  return { root, show };
}

// How much gradient comes through softmax, for every d, with and without the division.
function gradientCurve(size, words, dims, top) {
  const { width, height, floor, tall } = size;
  const x = (i) => 6 + ((width - 12) * i) / (dims.length - 1);
  const y = (value) => floor - (value / top) * tall;
  const lines = ["scaled", "unscaled"].map((kind) =>
    shape("path", { class: `ac-curve ac-${kind}` }),
  );
  const mark = shape("circle", { class: "ac-mark", r: 6 });
  const guide = shape("path", { class: "ac-drop" });
  const last = dims.length - 1;
  const ticks = dims
    .map((d, i) => label(i === last ? width : x(i), height - 6, d, i === last ? "end" : "middle"))
    .filter((_, i) => i % 2 === 0);
  const names = ["scaled", "unscaled"].map((kind) =>
    shape("text", { "text-anchor": "end" }, words[kind]),
  );
  const unit = 10 ** Math.floor(Math.log10(top));
  const round = unit * Math.floor(top / unit);
  const grid = shape("path", { class: "ac-grid", d: `M0 ${y(round)}H${width}` });
  const tick = label(0, y(round) - 5, number(round, 1), "start");
  const root = chart(
    size,
    words.gradient_chart,
    grid,
    tick,
    guide,
    ...lines,
    mark,
    ...ticks,
    ...names,
  );
  const show = (result, { d, scale }) => {
    const kinds = ["scaled", "unscaled"];
    const ends = kinds.map((kind) => y(result[kind].at(-1).gradient));
    const close = Math.abs(ends[0] - ends[1]) < 16;
    kinds.forEach((kind, k) => {
      const points = result[kind].map(({ gradient }, i) => `${x(i)} ${y(gradient)}`);
      set(lines[k], { d: `M${points.join("L")}` });
      lines[k].classList.toggle("ac-current", (kind === "scaled") === scale);
      const below = close && ends[k] > ends[1 - k];
      set(names[k], { x: width, y: ends[k] + (below ? 16 : -8) });
    });
    const i = dims.indexOf(d);
    const at = [x(i), y(result.gradient)];
    set(mark, { cx: at[0], cy: at[1], class: `ac-mark ac-${scale ? "scaled" : "unscaled"}` });
    set(guide, { d: `M${at}V${floor}` });
  };
  return { root, show };
}

function render({ model, el }) {
  const words = model.get("words");
  const dims = model.get("dims");
  const rows = model.get("products")[0].length;
  const count = model.get("products")[0][0].length;
  const width = slider({
    name: words.d,
    min: 0,
    max: dims.length - 1,
    step: 1,
    onchange: (index) => change(model, { d: dims[index] }),
  });
  const scale = toggle(words.scale, (on) => {
    glide(el);
    change(model, { scale: on });
  });
  const another = button(words.another, () => {
    glide(el);
    change(model, { row: (model.get("row") + 1) % rows });
  });
  const first = compute(read(model, KEYS));
  const top = 1.15 * Math.max(...[...first.scaled, ...first.unscaled].map((m) => m.gradient));
  const size = sizeIn(el);
  const charts = [
    histogram(size, words),
    weightBars(size, words, count),
    gradientCurve(size, words, dims, top),
  ];
  const facts = ["spread", "largest", "entropy", "gradient"].map((name) => {
    const value = element("b");
    return { name, value, root: element("div", {}, element("span", {}, words[name]), value) };
  });
  const sentence = summary();
  const head = [words.spread, words.largest, words.entropy, words.gradient];
  const tables = [
    table(words.table, [words.d_short, words.scaling, ...head]),
    table(words.row_table, [words.key, words.logit, words.weight]),
  ];
  const folded = numbers(words, tables);
  stage(
    model,
    el,
    element("div", { class: "ac-controls" }, width.root, scale.root, another),
    element("div", { class: "ac-charts" }, ...charts.map((each) => each.root)),
    element("div", { class: "ac-facts" }, ...facts.map((fact) => fact.root)),
    sentence.root,
    folded.root,
  );
  return watch(model, el, () => {
    const state = read(model, KEYS);
    const result = compute(state);
    width.show(dims.indexOf(state.d), String(state.d));
    scale.show(state.scale);
    el.classList.toggle("ac-is-scaled", state.scale);
    charts.forEach((each) => each.show(result, state));
    const texts = {
      spread: number(result.spread),
      largest: percent(result.largest),
      entropy: number(result.entropy),
      gradient: number(result.gradient, 3),
    };
    facts.forEach((fact) => setText(fact.value, texts[fact.name]));
    sentence.say(
      fill(state.scale ? words.with_scaling : words.without_scaling, {
        d: state.d,
        ...texts,
        root: number(Math.sqrt(state.d), 1),
      }),
    );
    const line = (measures, i, name) => [
      String(dims[i]),
      name,
      number(measures.spread),
      percent(measures.largest),
      number(measures.entropy, 3),
      number(measures.gradient, 4),
    ];
    folded.show(() => [
      dims.flatMap((_, i) => [
        line(result.scaled[i], i, words.scaled),
        line(result.unscaled[i], i, words.unscaled),
      ]),
      result.row.logits.map((logit, i) => [
        String(i + 1),
        number(logit, 3),
        number(result.row.weights[i], 4),
      ]),
    ]);
  });
}

export default { render };
