import {
  change,
  clamp,
  element,
  fill,
  glide,
  number,
  numbers,
  pressed,
  read,
  set,
  shape,
  slider,
  stage,
  summary,
  table,
  toggle,
  watch,
} from "../kit.js";

const KEYS = ["depth", "residual", "norm", "depths", "measured"];
const NORMS = ["none", "pre", "post"];
const WIDTH = 340;
const FLOOR = 160;
const TOP = 16;
const LEFT = 42;
// The powers of ten at the ends of each chart's axis, and those that are named.
const AXES = {
  gradient: { low: -20, high: 10, ticks: [10, 0, -10, -20] },
  signal: { low: -16, high: 1, ticks: [0, -5, -10, -15] },
};

const place = (residual, norm) => 3 * Number(residual) + NORMS.indexOf(norm);

// The rows hold base-10 logarithms: a difference is a ratio.
export function compute({ depth, residual, norm, depths, measured }) {
  const index = depths.indexOf(depth);
  const ways = measured.map((runs) => ({ gradient: runs[index][0], signal: runs[index][1] }));
  const here = ways[place(residual, norm)];
  return {
    ways,
    ...here,
    reaches: here.gradient[0] - here.gradient.at(-1),
    differ: here.signal.at(-1),
  };
}

// 10 to a power as a number that can be read: "0.31", "2.4 × 10⁻⁷".
const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";
function power(logarithm) {
  if (logarithm >= -2 && logarithm < 3) return number(10 ** logarithm, logarithm < 1 ? 2 : 0);
  let exponent = Math.floor(logarithm);
  let digits = (10 ** (logarithm - exponent)).toFixed(1);
  if (digits === "10.0") [digits, exponent] = ["1.0", exponent + 1];
  return `${digits}\u00a0×\u00a0${raised(exponent)}`;
}
const raised = (exponent) =>
  `10${exponent < 0 ? "⁻" : ""}${[...String(Math.abs(exponent))].map((d) => RAISED[d]).join("")}`;

// A line for each way, that of the reader's choice in colour; beyond the axis it runs along its end.
function chart(kind, title, count, words) {
  const { low, high, ticks } = AXES[kind];
  const y = (value) => FLOOR - ((clamp(value, low, high) - low) / (high - low)) * (FLOOR - TOP);
  const lines = Array.from({ length: count }, () => shape("path", { class: "ac-path" }));
  const chosen = shape("path", { class: "ac-path ac-chosen" });
  const grid = ticks.flatMap((tick) => [
    shape("path", { class: "ac-grid", d: `M${LEFT} ${y(tick)}H${WIDTH}` }),
    shape("text", { x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, raised(tick)),
  ]);
  const last = shape("text", { x: WIDTH, y: FLOOR + 18, "text-anchor": "end" });
  const first = shape("text", { x: LEFT, y: FLOOR + 18 }, words.input);
  const drawing = shape(
    "svg",
    {
      class: "ac-drawing",
      viewBox: `0 0 ${WIDTH} ${FLOOR + 24}`,
      role: "img",
      "aria-label": title,
    },
    ...grid,
    ...lines,
    chosen,
    first,
    last,
  );
  const root = element("figure", {}, element("figcaption", {}, title), drawing);
  const path = (values) => {
    const step = (WIDTH - LEFT) / (values.length - 1);
    return `M${values.map((value, i) => `${(LEFT + i * step).toFixed(1)} ${y(value).toFixed(1)}`).join("L")}`;
  };
  const show = (result, depth) => {
    result.ways.forEach((way, i) => set(lines[i], { d: path(way[kind]) }));
    set(chosen, { d: path(result[kind]) });
    last.textContent = fill(words.layer, { depth });
  };
  return { root, show };
}

// What there is to say: does the gradient fade, explode or stay?
function verdict({ reaches }, words) {
  if (reaches < -3) return words.fades;
  return reaches > 3 ? words.explodes : words.stays;
}

function render({ model, el }) {
  const words = model.get("words");
  const depths = model.get("depths");
  const depth = slider({
    name: words.depth,
    min: 0,
    max: depths.length - 1,
    step: 1,
    onchange: (index) => change(model, { depth: depths[index] }),
  });
  const residual = toggle(words.residual, (on) => {
    glide(el);
    change(model, { residual: on });
  });
  const norms = pressed(words.norm, NORMS, words, (norm) => {
    glide(el);
    change(model, { norm });
  });
  const count = model.get("measured").length;
  const charts = [
    chart("gradient", words.gradient_chart, count, words),
    chart("signal", words.signal_chart, count, words),
  ];
  const sentence = summary(3);
  const tables = [
    table(words.table, [words.way, words.reaches, words.differ]),
    table(words.layers_table, [words.after_layer, words.gradient, words.signal]),
  ];
  const folded = numbers(words, tables);
  stage(
    model,
    el,
    element("div", { class: "ac-controls" }, depth.root, residual.root, norms.root),
    element("div", { class: "ac-charts" }, ...charts.map((each) => each.root)),
    sentence.root,
    folded.root,
  );
  return watch(model, el, () => {
    const state = read(model, KEYS);
    const result = compute(state);
    depth.show(depths.indexOf(state.depth), String(state.depth));
    residual.show(state.residual);
    norms.show(state.norm);
    charts.forEach((each) => each.show(result, state.depth));
    sentence.say(
      fill(verdict(result, words), {
        depth: state.depth,
        reaches: power(result.reaches),
        differ: power(result.differ),
      }),
    );
    folded.show(() => [
      result.ways.map(({ gradient, signal }, i) => [
        `${i < 3 ? words.without : words.with}, ${words[NORMS[i % 3]]}`,
        power(gradient[0] - gradient.at(-1)),
        power(signal.at(-1)),
      ]),
      result.gradient.map((value, i) => [String(i), power(value), power(result.signal[i])]),
    ]);
  });
}

export default { render };
