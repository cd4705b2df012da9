import {
  change,
  element,
  fill,
  mean,
  numbers,
  percent,
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

const KEYS = ["distances", "runs", "chance", "distance"];
const NETWORKS = ["rnn", "gru", "attention"];

// How many of its steps a signal takes over a distance: a recurrent network hands it from word to
// word, attention looks at all words at once.
const steps = (name, distance) => (name === "attention" ? 1 : distance);

export function compute({ distances, runs, distance }) {
  const at = distances.indexOf(distance);
  const measured = (name) => {
    const here = runs[name][at];
    return {
      mean: mean(here),
      lowest: Math.min(...here),
      highest: Math.max(...here),
      steps: steps(name, distance),
    };
  };
  return Object.fromEntries(NETWORKS.map((name) => [name, measured(name)]));
}

// One network: its name, a bar as long as its mean, a line from its worst run to its best.
function lane(words, name, chance) {
  const bar = element("i");
  const spread = element("b");
  const guess = element("s", { style: `left:${100 * chance}%` });
  const track = element("div", { class: "ac-race-track" }, bar, guess, spread);
  const value = element("span", { class: "ac-output" });
  const root = element(
    "div",
    { class: "ac-race", "data-network": name },
    element("span", { class: "ac-name" }, words[name]),
    track,
    value,
  );
  const show = ({ mean, lowest, highest }) => {
    bar.style.width = `${100 * mean}%`;
    set(spread, { style: `left:${100 * lowest}%;width:${100 * (highest - lowest)}%` });
    setText(value, percent(mean));
  };
  return { root, show };
}

// The words from the item to the question, and the way of the signal above and below them.
function ways(words, distances) {
  const width = 600;
  const longest = distances.at(-1);
  const gap = width / (longest + 2);
  const x = (i) => (i + 1) * gap;
  const MIDDLE = 46;
  const dots = Array.from({ length: longest + 1 }, () => shape("circle", { cy: MIDDLE, r: 3 }));
  dots.forEach((dot, i) => set(dot, { cx: x(i) }));
  const jump = shape("path", { class: "ac-way ac-jump" });
  const hops = shape("path", { class: "ac-way ac-hops" });
  const root = shape(
    "svg",
    { class: "ac-drawing ac-ways", viewBox: `0 0 ${width} 92`, role: "img" },
    jump,
    hops,
    ...dots,
  );
  const show = (distance) => {
    const first = longest - distance;
    dots.forEach((dot, i) => {
      const kind = i === first ? "ac-item" : i === longest ? "ac-race-asks" : "ac-filler";
      set(dot, { class: kind, r: kind === "ac-filler" ? 2.5 : 5 });
    });
    const ends = [x(first), x(longest)];
    set(jump, { d: `M${ends[0]} ${MIDDLE - 8}Q${(ends[0] + ends[1]) / 2} -18 ${ends[1]} ${MIDDLE - 8}` });
    const arcs = Array.from({ length: distance }, (_, i) => {
      const [from, to] = [x(first + i), x(first + i + 1)];
      return `M${from} ${MIDDLE + 8}Q${(from + to) / 2} ${MIDDLE + 26} ${to} ${MIDDLE + 8}`;
    });
    set(hops, { d: arcs.join("") });
    set(root, { "aria-label": fill(words.ways, { distance }) });
  };
  return { root, show };
}

function render({ model, el }) {
  const words = model.get("words");
  const distances = model.get("distances");
  const chance = model.get("chance");
  const far = slider({
    name: words.distance,
    min: 0,
    max: distances.length - 1,
    step: 1,
    onchange: (index) => change(model, { distance: distances[index] }),
  });
  const lanes = NETWORKS.map((name) => lane(words, name, chance));
  const drawn = ways(words, distances);
  const key = ["hops", "jump"].map((kind) =>
    element("span", { "data-way": kind }, words[kind]),
  );
  const sentence = summary(3);
  const head = ["distance", "network", "mean", "lowest", "highest", "steps"];
  const rows = table(
    words.table,
    head.map((name) => words[name]),
  );
  const folded = numbers(words, [rows]);
  stage(
    model,
    el,
    element("div", { class: "ac-controls" }, far.root),
    drawn.root,
    element("p", { class: "ac-ways-key" }, ...key),
    element("p", { class: "ac-chart" }, words.chart),
    ...lanes.map((each) => each.root),
    sentence.root,
    folded.root,
  );
  return watch(model, el, () => {
    const state = read(model, KEYS);
    const { distance } = state;
    const result = compute(state);
    far.show(distances.indexOf(distance), String(distance));
    drawn.show(distance);
    NETWORKS.forEach((name, i) => lanes[i].show(result[name]));
    const means = NETWORKS.map((name) => [name, percent(result[name].mean)]);
    const said = { distance, chance: percent(chance), ...Object.fromEntries(means) };
    sentence.say(fill(words.summary, said));
    folded.show(() => [
      distances.flatMap((each) =>
        Object.entries(compute({ ...state, distance: each })).map(([name, measured]) => [
          String(each),
          words[name],
          percent(measured.mean),
          percent(measured.lowest),
          percent(measured.highest),
          String(measured.steps),
        ]),
      ),
    ]);
  });
}

export default { render };
