import {
  button,
  change,
  clamp,
  dot,
  element,
  fill,
  glide,
  mean,
  number,
  numbers,
  percent,
  read,
  set,
  shape,
  slider,
  stage,
  summary,
  table,
  watch,
} from "../kit.js";

const KEYS = ["x", "y", "start", "learning_rate", "steps"];
const MOST = 20;
const [WIDTH, HEIGHT, FLOOR, TOP] = [480, 240, 212, 14];

// The loss of the weight w, the mean of (w x − y)², and its slope there.
const loss = (w, x, y) => mean(x.map((each, i) => (w * each - y[i]) ** 2));
const slope = (w, x, y) => mean(x.map((each, i) => 2 * each * (w * each - y[i])));

export function compute({ x, y, start, learning_rate, steps }) {
  const weights = [start];
  for (let step = 0; step < steps; step++) {
    const w = weights.at(-1);
    weights.push(w - learning_rate * slope(w, x, y));
  }
  return {
    weights,
    slopes: weights.map((w) => slope(w, x, y)),
    losses: weights.map((w) => loss(w, x, y)),
  };
}

// The curve around its lowest place, and the walk on it. `reach` to both sides is seen.
function chart(words, x, y, bottom, reach) {
  const floor = loss(bottom, x, y);
  const high = loss(bottom + reach, x, y) - floor;
  const across = (w) => WIDTH / 2 + ((w - bottom) / reach) * (WIDTH / 2 - 8);
  const up = (value) => FLOOR - 8 - ((value - floor) / high) * (FLOOR - 8 - TOP);
  const place = (w) => `${across(w).toFixed(2)} ${up(loss(w, x, y)).toFixed(2)}`;
  const ends = [bottom - reach, bottom + reach];
  const whole = Array.from({ length: 81 }, (_, i) => place(ends[0] + (i / 40) * reach));
  const ticks = [];
  const gap = Math.max(1, Math.round(reach / 3));
  for (let w = gap * Math.ceil(ends[0] / gap); w <= ends[1]; w += gap) {
    const at = clamp(across(w), 8, WIDTH - 8);
    ticks.push(shape("text", { x: at, y: HEIGHT - 8, "text-anchor": "middle" }, number(w, 0)));
  }
  const path = shape("path", { class: "ac-steps" });
  const tangent = shape("path", { class: "ac-drop" });
  const dots = Array.from({ length: MOST + 1 }, () => shape("circle", { class: "ac-dot" }));
  const root = shape(
    "svg",
    { class: "ac-drawing ac-walk", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" },
    shape("path", { class: "ac-axis", d: `M0 ${FLOOR}H${WIDTH}` }),
    shape("path", { class: "ac-valley", d: `M${whole.join("L")}` }),
    tangent,
    path,
    ...dots,
    ...ticks,
  );
  const show = ({ weights, slopes }) => {
    // Far away lines would only be cut off; numbers beyond what SVG can hold would not be drawn.
    const seen = weights.map((w) => clamp(w, bottom - 9 * reach, bottom + 9 * reach));
    set(path, { d: `M${seen.map(place).join("L")}` });
    dots.forEach((dot, i) => {
      const w = seen[i];
      dot.style.display = w === undefined ? "none" : "";
      if (w === undefined) return;
      const latest = i === seen.length - 1;
      set(dot, { cx: across(w), cy: up(loss(w, x, y)), r: latest ? 7 : 4 });
      dot.classList.toggle("ac-latest", latest);
    });
    const [w, m] = [seen.at(-1), slopes.at(-1)];
    const line = (to) => `${across(to)} ${up(loss(w, x, y) + m * (to - w))}`;
    set(tangent, { d: `M${line(w - reach / 3)}L${line(w + reach / 3)}` });
  };
  return { root: element("figure", {}, element("figcaption", {}, words.chart), root), show };
}

// What happens, as a key of the words: `left` is what a step leaves of the way to the bottom.
function outcome(left) {
  if (left < -1.001) return "climbs";
  if (left < -0.999) return "bounces";
  if (left < -0.001) return "overshoots";
  return left > 0.8 ? "creeps" : "lands";
}

function render({ model, el }) {
  const words = model.get("words");
  const { x, y, start } = read(model, KEYS);
  const bottom = dot(x, y) / dot(x, x);
  const bend = 2 * mean(x.map((each) => each ** 2));
  const reach = 1.5 * Math.max(1, Math.abs(start - bottom));
  const put = (key) => (value) => change(model, { [key]: value });
  // At 2 / bend the walk bounces for ever; the slider goes a little further.
  const fastest = Math.min(1, Math.max(0.05, Math.ceil(250 / bend) / 100));
  const rate = slider({
    name: words.rate,
    min: 0.01,
    max: fastest,
    step: 0.01,
    tone: "orange",
    onchange: put("learning_rate"),
  });
  const steps = slider({ name: words.steps, min: 0, max: MOST, step: 1, onchange: put("steps") });
  const begin = slider({
    name: words.start,
    min: number(bottom - reach, 1).replace("−", "-"),
    max: number(bottom + reach, 1).replace("−", "-"),
    step: 0.1,
    onchange: put("start"),
  });
  const preset = (text, share) =>
    button(text, () => {
      glide(el);
      const learning_rate = clamp(Number((share / bend).toFixed(2)), 0.01, fastest);
      change(model, { learning_rate, steps: 10 });
    });
  const picture = chart(words, x, y, bottom, reach);
  const sentence = summary();
  const rows = table(words.table, [words.step, words.weight, words.slope, words.loss]);
  const folded = numbers(words, [rows]);
  stage(
    model,
    el,
    element("div", { class: "ac-controls" }, rate.root, steps.root, begin.root),
    element(
      "div",
      { class: "ac-buttons" },
      preset(words.small, 0.1),
      preset(words.right, 0.5),
      preset(words.large, 1.75),
      preset(words.larger, 2.25),
    ),
    picture.root,
    sentence.root,
    folded.root,
  );
  return watch(model, el, () => {
    const state = read(model, KEYS);
    const result = compute(state);
    const { weights, slopes, losses } = result;
    rate.show(state.learning_rate, number(state.learning_rate));
    steps.show(state.steps, String(state.steps));
    begin.show(state.start, number(state.start, 1));
    picture.show(result);
    const left = 1 - state.learning_rate * bend;
    sentence.say(
      fill(words[outcome(left)], {
        steps: state.steps,
        weight: number(weights.at(-1)),
        loss: number(losses.at(-1)),
        left: percent(Math.abs(left)),
      }),
    );
    folded.show(() => [
      weights.map((w, i) => [String(i), ...[w, slopes[i], losses[i]].map((v) => number(v, 3))]),
    ]);
  });
}

export default { render };
