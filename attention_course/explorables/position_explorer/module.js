import {
  change,
  clamp,
  dot,
  drag,
  element,
  fill,
  number,
  numbers,
  pixels,
  read,
  set,
  setText,
  shape,
  slider,
  stage,
  summary,
  table,
  watch,
} from "../kit.js";

const KEYS = ["length", "d_model", "base", "position", "pair"];
// The value axes of the two charts, lowest and highest.
const WAVES = [-1.1, 1.1];
const LIKE = [-1.1, 1.1];

// How far one has to go for the pair of dimensions 2i and 2i + 1 to come round again.
const wavelength = (pair, d_model, base) => 2 * Math.PI * base ** ((2 * pair) / d_model);

export function compute({ length, d_model, base, position }) {
  const rates = Array.from({ length: d_model / 2 }, (_, i) => base ** ((-2 * i) / d_model));
  const encoding = Array.from({ length }, (_, place) =>
    rates.flatMap((rate) => [Math.sin(place * rate), Math.cos(place * rate)]),
  );
  // Every encoding is as long as the next, √(d/2), so this is the cosine of the angle.
  const similarity = encoding.map((row) => dot(row, encoding[position]) / rates.length);
  return { encoding, similarity };
}

// The heatmap: a column for each position, a row for each dimension.
function heatmap() {
  const { root, show } = pixels();
  let drawn = "";
  const draw = ({ length, d_model, base }, { encoding }) => {
    const wanted = `${length} ${d_model} ${base}`;
    if (drawn === wanted) return;
    drawn = wanted;
    show(length, d_model, (x, y) => encoding[x][y]);
  };
  return { root, show: draw };
}

// Where a value stands in a chart that goes from low to high: 0 is the top, 1 the bottom.
const at = (value, [low, high]) => (high - value) / (high - low);
const mark = (text, down) => element("i", { style: `top:${100 * down}%` }, text);

// A chart whose x axis is the heatmap's: stretched to its width, with lines that keep theirs.
function strip(length, classes, [low, high]) {
  const lines = classes.map((name) => shape("path", { class: `ac-line ${name}` }));
  const zero = shape("path", { class: "ac-line ac-zero", d: `M0 0H${length}` });
  const root = shape(
    "svg",
    {
      class: "ac-strip-chart",
      viewBox: `0 ${-high} ${length} ${high - low}`,
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    },
    zero,
    ...lines,
  );
  const show = (...series) =>
    series.forEach((values, k) => {
      set(lines[k], { d: `M${values.map((y, x) => `${x + 0.5} ${-y.toFixed(4)}`).join("L")}` });
    });
  return { root, show };
}

function render({ model, el }) {
  const words = model.get("words");
  const length = model.get("length");
  const put = (key) => (value) => change(model, { [key]: value });
  const position = slider({
    name: words.position,
    min: 0,
    max: length - 1,
    step: 1,
    tone: "orange",
    onchange: put("position"),
  });
  const width = slider({
    name: words.d_model,
    min: 2,
    max: 128,
    step: 2,
    onchange: (value) =>
      change(model, { d_model: value, pair: Math.min(model.get("pair"), value / 2 - 1) }),
  });
  const base = slider({
    name: words.base,
    min: 1,
    max: 5,
    step: 0.05,
    onchange: (power) => change(model, { base: Number((10 ** power).toPrecision(2)) }),
  });
  const pair = slider({ name: words.pair, min: 0, max: 1, step: 1, onchange: put("pair") });

  const map = heatmap();
  const waves = strip(length, ["ac-sine", "ac-cosine"], WAVES);
  const likeness = strip(length, ["ac-likeness"], LIKE);
  const band = element("i", { class: "ac-band" });
  const spot = element("i", { class: "ac-spot" });
  const waveTitle = element("span", { class: "ac-caption" });
  const bottom = mark("", 0.97);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => Math.round(part * (length - 1)));
  const lines = Array.from({ length: 3 }, () => element("i", { class: "ac-here" }));
  const area = element("div", { class: "ac-area" }, map.root, band, lines[0]);
  const chart = element(
    "div",
    { class: "ac-positions" },
    element("span", { class: "ac-caption" }, words.map_title),
    element("span", { class: "ac-marks" }, mark("0", 0.03), bottom),
    area,
    waveTitle,
    element("span", { class: "ac-marks" }, mark("1", at(1, WAVES)), mark("−1", at(-1, WAVES))),
    element("div", { class: "ac-area" }, waves.root, lines[1]),
    element("span", { class: "ac-caption" }, words.similarity_title),
    element("span", { class: "ac-marks" }, mark("1", at(1, LIKE)), mark("0", at(0, LIKE))),
    element("div", { class: "ac-area" }, likeness.root, lines[2], spot),
    element("span", {}),
    element(
      "span",
      { class: "ac-ticks" },
      ...ticks.map((tick) => element("span", {}, String(tick))),
    ),
  );
  drag(chart, (event) => {
    const box = area.getBoundingClientRect();
    const along = (event.clientX - box.left) / box.width;
    const down = (event.clientY - box.top) / box.height;
    const values = { position: clamp(Math.floor(along * length), 0, length - 1) };
    const half = model.get("d_model") / 2;
    if (down >= 0 && down < 1) values.pair = clamp(Math.floor(down * half), 0, half - 1);
    change(model, values);
  });

  const sentence = summary();
  const tables = [
    table(words.encoding_table, [words.pair, words.wavelength, "sin", "cos"]),
    table(words.similarity_table, [words.position, words.similarity]),
  ];
  const folded = numbers(words, tables);
  stage(
    model,
    el,
    element(
      "div",
      { class: "ac-controls ac-paired" },
      position.root,
      width.root,
      base.root,
      pair.root,
    ),
    chart,
    sentence.root,
    folded.root,
  );
  return watch(model, el, () => {
    const state = read(model, KEYS);
    const { d_model } = state;
    const result = compute(state);
    const { encoding, similarity } = result;
    position.show(state.position, String(state.position));
    width.show(d_model, String(d_model));
    base.show(Math.log10(state.base), number(state.base, 0));
    set(pair.input, { max: Math.max(1, d_model / 2 - 1), disabled: d_model === 2 });
    pair.show(state.pair, String(state.pair));
    map.show(state, result);
    const column = (k) => encoding.map((row) => row[2 * state.pair + k]);
    waves.show(column(0), column(1));
    likeness.show(similarity);
    const across = `${(100 * (state.position + 0.5)) / length}%`;
    for (const node of [...lines, spot]) node.style.left = across;
    spot.style.top = `${100 * at(1, LIKE)}%`;
    band.style.top = `${(200 * state.pair) / d_model}%`;
    band.style.height = `${200 / d_model}%`;
    setText(bottom, String(d_model - 1));
    const long = (i) => {
      const positions = wavelength(i, d_model, state.base);
      return number(positions, positions < 100 ? 1 : 0);
    };
    const names = {
      sine: 2 * state.pair,
      cosine: 2 * state.pair + 1,
      wavelength: long(state.pair),
    };
    setText(waveTitle, fill(words.wave_title, names));
    const near = state.position + (state.position + 1 < length ? 1 : -1);
    const step = Math.min(8, length - 1);
    const far = state.position + (state.position + step < length ? step : -step);
    sentence.say(
      fill(words.most, {
        position: state.position,
        near,
        near_similarity: number(similarity[near]),
        far: clamp(far, 0, length - 1),
        far_similarity: number(similarity[clamp(far, 0, length - 1)]),
      }),
    );
    folded.show(() => [
      Array.from({ length: d_model / 2 }, (_, i) => [
        String(i),
        long(i),
        number(encoding[state.position][2 * i], 4),
        number(encoding[state.position][2 * i + 1], 4),
      ]),
      similarity.map((value, place) => [String(place), number(value, 4)]),
    ]);
  });
}

export default { render };
