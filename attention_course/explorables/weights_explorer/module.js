import {
  button,
  change,
  clamp,
  drag,
  element,
  fill,
  glide,
  largest,
  leaders,
  mix,
  number,
  numbers,
  percent,
  pixels,
  read,
  setText,
  slider,
  softmax,
  stage,
  summary,
  table,
  tint,
  watch,
} from "../kit.js";

const KEYS = ["scores", "values", "temperature"];
// With more tokens than this, a slider for each would fill the page: columns take their place.
const FEW = 10;
const HEIGHTS = [0.05, 0.1, 0.2, 0.5, 1];

export function compute({ scores, values, temperature }) {
  const weights = softmax(scores.map((score) => score / temperature));
  return { weights, mixture: mix(weights, values) };
}

function strip(width, named) {
  const cells = Array.from({ length: width }, () => element("i"));
  const root = element("span", { class: "ac-strip", "aria-hidden": "true" }, ...cells);
  const show = (values, strongest, share = 1) =>
    values.forEach((value, i) => {
      cells[i].style.background = tint((value / strongest) * share);
      if (named) setText(cells[i], number(value));
    });
  return { root, show };
}

// A row for each token: its score's slider, its weight's bar, its value's cells.
function rowsOf(model, words, limit, strongest) {
  const tokens = model.get("tokens");
  const width = model.get("values")[0].length;
  const named = width <= 4;
  const rows = tokens.map((token, i) => {
    const score = slider({
      name: token,
      label: fill(words.score_of, { token }),
      min: -limit,
      max: limit,
      step: 0.1,
      tone: "orange",
      onchange: (value) =>
        change(model, { scores: model.get("scores").map((old, j) => (i === j ? value : old)) }),
    });
    const bar = element("i");
    const share = element("span", { class: "ac-output" });
    const value = strip(width, named);
    const track = element("span", { class: "ac-track" }, bar);
    const weight = element("span", { class: "ac-weight" }, track, share);
    const root = element("div", { class: "ac-row" }, score.root, weight, value.root);
    return { root, score, bar, share, value };
  });
  const mixture = strip(width, named);
  const sum = element("span", { class: "ac-output" });
  const head = [words.score, words.weight, words.value];
  const root = element(
    "div",
    { class: "ac-rows" },
    element("div", { class: "ac-row ac-heads" }, ...head.map((text) => element("span", {}, text))),
    ...rows.map((row) => row.root),
    element(
      "div",
      { class: "ac-row ac-total" },
      element("span", {}, words.total),
      element("span", { class: "ac-weight" }, element("span", {}, words.sum), sum),
      mixture.root,
    ),
  );
  const wide = (text) => [...text].reduce((sum, sign) => sum + (sign > "\xff" ? 1.1 : 0.68), 0.6);
  root.style.setProperty("--token", `${clamp(Math.max(...tokens.map(wide)), 2.5, 8)}em`);
  const show = ({ scores, values }, { weights, mixture: mixed }) => {
    const top = Math.max(...weights);
    rows.forEach(({ score, bar, share, value }, i) => {
      score.show(scores[i], number(scores[i], 1));
      bar.style.width = `${100 * weights[i]}%`;
      setText(share, percent(weights[i]));
      value.show(values[i], strongest, 0.25 + (0.75 * weights[i]) / top);
    });
    setText(sum, percent(weights.reduce((total, weight) => total + weight, 0)));
    mixture.show(mixed, strongest);
  };
  return { root, show };
}

// A column for each token, for many of them. A mouse draws the scores; one slider picks a token,
// another sets its score, by touch and keyboard too.
function columnsOf(model, words, limit, strongest) {
  const tokens = model.get("tokens");
  const width = model.get("values")[0].length;
  let picked = largest(model.get("scores"));
  const put = (value) =>
    change(model, { scores: model.get("scores").map((old, j) => (j === picked ? value : old)) });
  const line = (kind) => {
    const bars = tokens.map(() => element("i"));
    return { bars, root: element("div", { class: `ac-columns ac-${kind}` }, ...bars) };
  };
  const score = line("scores");
  const weight = line("weights");
  const values = pixels();
  const mixture = strip(width, width <= 8);
  const height = element("small");
  const which = slider({
    name: words.token,
    min: 1,
    max: tokens.length,
    step: 1,
    onchange: (value) => {
      picked = value - 1;
      refresh();
    },
  });
  const amount = slider({
    name: words.score,
    min: -limit,
    max: limit,
    step: 0.1,
    tone: "orange",
    onchange: put,
  });
  const areas = [score.root, weight.root, element("div", { class: "ac-values" }, values.root)];
  const frames = areas.map((area) => {
    const frame = element("b", { class: "ac-frame" });
    area.append(frame);
    drag(area, (event) => {
      const box = area.getBoundingClientRect();
      const at = (event.clientX - box.left) / box.width;
      picked = clamp(Math.floor(at * tokens.length), 0, tokens.length - 1);
      const up = 1 - (2 * (event.clientY - box.top)) / box.height;
      if (area === score.root && event.pointerType !== "touch") {
        put(Math.round(clamp(up, -1, 1) * limit * 10) / 10);
      }
      refresh();
    });
    return frame;
  });
  const root = element(
    "div",
    { class: "ac-many", style: `--columns:${tokens.length}` },
    element("span", { class: "ac-side" }, words.score),
    areas[0],
    element("span", { class: "ac-side" }, words.weight, element("br"), height),
    areas[1],
    element("span", { class: "ac-side" }, words.value),
    areas[2],
    element("span", { class: "ac-side ac-mixture" }, words.mixture),
    mixture.root,
    which.root,
    amount.root,
  );
  let scores = model.get("scores");
  const refresh = () => {
    which.show(picked + 1, tokens[picked]);
    amount.show(scores[picked], number(scores[picked], 1));
    for (const frame of frames) frame.style.left = `${(100 * picked) / tokens.length}%`;
  };
  const show = (state, { weights, mixture: mixed }) => {
    scores = state.scores;
    const top = Math.max(...weights);
    const most = HEIGHTS.find((each) => each >= top - 1e-9);
    tokens.forEach((_, i) => {
      score.bars[i].style.transform = `scaleY(${scores[i] / limit})`;
      weight.bars[i].style.transform = `scaleY(${weights[i] / most})`;
    });
    setText(height, `0–${number(100 * most, 0)}%`);
    values.show(tokens.length, width, (x, y) => {
      const share = 0.25 + (0.75 * weights[x]) / top;
      return (share * state.values[x][y]) / strongest;
    });
    mixture.show(mixed, strongest);
    refresh();
  };
  return { root, show };
}

function render({ model, el }) {
  const words = model.get("words");
  const tokens = model.get("tokens");
  const start = read(model, ["scores", "temperature"]);
  const best = largest(start.scores);
  const limit = Math.max(5, Math.ceil(Math.max(...start.scores.map(Math.abs))));
  const strongest = Math.max(...model.get("values").flat().map(Math.abs)) || 1;
  const view = tokens.length > FEW ? columnsOf : rowsOf;
  const picture = view(model, words, limit, strongest);
  const temperature = slider({
    name: words.temperature,
    min: 0.1,
    max: Math.max(4, start.temperature),
    step: 0.1,
    onchange: (value) => change(model, { temperature: value }),
  });
  const preset = (text, values) =>
    button(text, () => {
      glide(el);
      change(model, values);
    });
  const sentence = summary(1);
  const width = model.get("values")[0].length;
  const columns = Array.from({ length: width }, (_, i) => `${words.value} ${i + 1}`);
  const table_ = table(words.table, [words.token, words.score, words.weight, ...columns]);
  const folded = numbers(words, [table_]);
  stage(
    model,
    el,
    element(
      "div",
      { class: "ac-controls" },
      temperature.root,
      element(
        "span",
        { class: "ac-buttons" },
        preset(words.equal, { scores: tokens.map(() => 0) }),
        preset(words.one, { scores: tokens.map((_, i) => (i === best ? limit : 0)) }),
        preset(words.reset, start),
      ),
    ),
    picture.root,
    sentence.root,
    folded.root,
  );
  return watch(model, el, () => {
    const state = read(model, KEYS);
    const result = compute(state);
    const { weights, mixture } = result;
    temperature.show(state.temperature, number(state.temperature, 1));
    picture.show(state, result);
    const ahead = leaders(tokens, weights, words);
    const shared = ahead.several ? words.most_shared : words.most;
    sentence.say(fill(ahead.all && ahead.several ? words.all_equal : shared, ahead));
    folded.show(() => [
      [
        ...tokens.map((token, i) => [
          token,
          number(state.scores[i]),
          number(weights[i], 4),
          ...state.values[i].map((value) => number(value, 3)),
        ]),
        [
          words.mixture,
          "",
          number(
            weights.reduce((a, b) => a + b, 0),
            4,
          ),
          ...mixture.map((x) => number(x, 3)),
        ],
      ],
    ]);
  });
}

export default { render };
