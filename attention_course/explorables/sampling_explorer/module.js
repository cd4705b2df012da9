import {
  button,
  change,
  element,
  fill,
  glide,
  number,
  numbers,
  percent,
  pressed,
  read,
  set,
  setText,
  slider,
  softmax,
  stage,
  summary,
  table,
  watch,
} from "../kit.js";

const KEYS = ["logits", "context", "temperature", "top_k", "top_p", "seed"];
// Tokens with a bar of their own; the others share one row.
const SHOWN = 10;
const DRAWS = 20;
const TOP_K = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 300, 400];
const TOP_P = [...Array.from({ length: 19 }, (_, i) => (i + 1) / 20), 0.99];

const sum = (values) => values.reduce((total, x) => total + x, 0);
const bits = (shares) => -sum(shares.map((p) => (p > 0 ? p * Math.log2(p) : 0)));

function normalised(weights) {
  const all = sum(weights);
  return weights.map((weight) => weight / all);
}

// The places of the largest first, of equal ones the earlier first.
const ranked = (values) => values.map((_, i) => i).sort((a, b) => values[b] - values[a]);

// As attention_course.decoding.probabilities: temperature, then top-k, then top-p of what is left.
function probabilities(logits, temperature, topK, topP) {
  let kept = softmax(logits.map((logit) => logit / temperature));
  if (topK !== null) {
    const last = kept[ranked(kept)[Math.min(topK, kept.length) - 1]];
    kept = normalised(kept.map((p) => (p < last ? 0 : p)));
  }
  if (topP !== null) {
    let together = 0;
    const left = kept.map(() => 0);
    for (const place of ranked(kept)) {
      together += kept[place];
      if (together - kept[place] < topP) left[place] = kept[place];
    }
    kept = normalised(left);
  }
  return kept;
}

// Numbers from 0 to 1 that look like chance, the same for the same seed: a counter in steps of the
// golden ratio, mixed as MurmurHash3 ends (A. Appleby, public domain).
function chances(seed) {
  return Array.from({ length: DRAWS }, (_, i) => {
    let x = Math.imul(DRAWS * seed + i, 0x9e3779b9);
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
  });
}

// Each chance falls into one of the tokens' shares, laid end to end, the likeliest first.
function draw(seed, order, shares) {
  return chances(seed).map((chance) => {
    let end = 0;
    return order.find((place) => (end += shares[place]) > chance);
  });
}

// before, after (vocab): probabilities; order: the places of the likeliest first; lost: what the
// tokens that are cut had at this temperature; entropies in bits; drawn: places, in their order.
export function compute({ logits, context, temperature, top_k, top_p, seed }) {
  const here = logits[context];
  const before = softmax(here);
  const whole = probabilities(here, temperature, null, null);
  const after = probabilities(here, temperature, top_k, top_p);
  const order = ranked(here);
  return {
    before,
    after,
    order,
    kept: after.filter((p) => p > 0).length,
    lost: sum(whole.filter((_, i) => after[i] === 0)),
    entropies: [bits(before), bits(after)],
    drawn: seed === null ? [] : draw(seed, order, after),
  };
}

// What stands in a row for some places together: the likeliest alone, the others in one.
const together = ({ before, after, drawn }, places) => ({
  before: sum(places.map((place) => before[place])),
  after: sum(places.map((place) => after[place])),
  left: places.filter((place) => after[place] > 0).length,
  times: drawn.filter((place) => places.includes(place)).length,
});

const groups = ({ order }) => {
  const rest = order.slice(SHOWN);
  const alone = order.slice(0, SHOWN).map((place) => [place]);
  return rest.length ? [...alone, rest] : alone;
};

// Code with its signs for what cannot be seen in a paler ink.
const signs = (text) =>
  text.split(/([␣⏎⇥]+)/).map((part, i) => (i % 2 ? element("i", {}, part) : part));

// What a button says of a context: the end of its last line.
function labelOf(context) {
  const last = context.trimEnd().split("\n").at(-1);
  return last.length <= 16 ? last : `…${last.slice(-15)}`;
}

// A slider through a list of values, of which the last is null: off.
function stepper(name, values, start, words, format, onchange) {
  const steps = [...new Set(start === null ? values : [...values, start])];
  steps.sort((a, b) => a - b).push(null);
  const each = slider({
    name,
    min: 0,
    max: steps.length - 1,
    step: 1,
    onchange: (index) => onchange(steps[index]),
  });
  const show = (value) =>
    each.show(steps.indexOf(value), value === null ? words.off : format(value));
  return { root: each.root, show };
}

// The likeliest tokens, each with what the model says, what is drawn from, and how often it came.
function barsOf(vocab, words) {
  const rows = Array.from({ length: Math.min(vocab, SHOWN + 1) }, () => {
    const parts = {
      name: element("span", { class: "ac-piece" }),
      before: element("i", { class: "ac-own" }),
      after: element("i", { class: "ac-now" }),
      came: element("b", { class: "ac-came", hidden: true }),
      own: element("span", { class: "ac-output ac-own-share" }),
      share: element("span", { class: "ac-output" }),
      times: element("span", { class: "ac-output ac-times" }),
    };
    const { name, before, after, came, own, share, times } = parts;
    const lane = element("span", { class: "ac-lane", "aria-hidden": "true" }, before, after, came);
    return { ...parts, root: element("div", { class: "ac-next" }, name, lane, own, share, times) };
  });
  const [token, own, now, drawn] = [words.token, words.before, words.after, words.drawn].map(
    (text) => element("span", {}, text),
  );
  own.classList.add("ac-own-share");
  const heads = element("div", { class: "ac-next ac-next-heads" }, token, element("span"), own, now, drawn);
  const root = element("div", { class: "ac-nexts" }, heads, ...rows.map((row) => row.root));
  const show = (tokens, result) =>
    groups(result).forEach((places, i) => {
      const row = rows[i];
      const { before, after, left, times } = together(result, places);
      const many = places.length > 1 || i === SHOWN;
      const values = { count: places.length, left };
      setText(row.name, many ? fill(words.others_left, values) : tokens[places[0]]);
      row.name.classList.toggle("ac-many-pieces", many);
      row.root.classList.toggle("ac-cut", left === 0);
      row.before.style.width = `${100 * before}%`;
      row.after.style.width = `${100 * after}%`;
      setText(row.own, percent(before));
      setText(row.share, left ? percent(after) : words.cut);
      setText(row.times, result.drawn.length ? `${times}×` : "–");
      row.came.hidden = times === 0;
      row.came.style.left = `${(100 * times) / DRAWS}%`;
    });
  return { root, show };
}

function sentence({ temperature, seed }, tokens, result, words) {
  const { before, after, order, kept, lost, entropies, drawn } = result;
  const first = order[0];
  const values = {
    temperature: number(temperature),
    kept,
    vocab: tokens.length,
    lost: percent(lost),
    token: fill(words.quote, { token: tokens[first] }),
    before: percent(before[first]),
    after: percent(after[first]),
    old: number(entropies[0]),
    entropy: number(entropies[1]),
    even: number(2 ** entropies[1], 1),
    times: drawn.filter((place) => place === first).length,
    expected: number(DRAWS * after[first], 1),
    different: new Set(drawn).size,
    draws: DRAWS,
    seed,
  };
  const cut = kept < tokens.length;
  const parts = [];
  if (temperature < 1) parts.push(words.sharper);
  if (temperature > 1) parts.push(words.flatter);
  if (cut && kept > 1) parts.push(words.cut_says);
  if (kept === 1 && cut) parts.push(words.one_says);
  else parts.push(temperature === 1 && !cut ? words.plain : words.moved);
  if (drawn.length) parts.push(words.drawn_says);
  return parts
    .map((part) => fill(part, values))
    .reduce((first_, second) => fill(words.then, { first: first_, second }));
}

function render({ model, el }) {
  const words = model.get("words");
  const { contexts, tokens, top_k, top_p } = read(model, ["contexts", "tokens", "top_k", "top_p"]);
  const glides = (values) => {
    glide(el);
    change(model, values);
  };
  const texts = pressed(
    words.contexts,
    contexts.map((_, i) => i),
    contexts.map(labelOf),
    (context) => glides({ context }),
  );
  texts.root.classList.add("ac-texts");
  const code = contexts.map((text) => element("code", {}, ...signs(text), element("b", {}, "?")));
  const page = element("div", { class: "ac-so-far" }, ...code);
  const heat = slider({
    name: words.temperature,
    min: 0.1,
    max: 3,
    step: 0.05,
    tone: "orange",
    onchange: (temperature) => change(model, { temperature }),
  });
  const few = TOP_K.filter((k) => k < tokens.length);
  const cuts = {
    top_k: stepper("top-k", few, top_k, words, String, (value) => change(model, { top_k: value })),
    top_p: stepper("top-p", TOP_P, top_p, words, number, (value) => change(model, { top_p: value })),
  };
  const bars = barsOf(tokens.length, words);
  const facts = ["left", "lost", "entropy"].map((name) => {
    const value = element("b");
    return { name, value, root: element("div", {}, element("span", {}, words[name]), value) };
  });
  const order = element("p", { class: "ac-lots" });
  const lots = element(
    "div",
    { class: "ac-drawing-lots" },
    element(
      "div",
      { class: "ac-buttons" },
      button(words.draw, () => glides({ seed: 1 })),
      button(words.again, () => glides({ seed: (model.get("seed") || 0) + 1 })),
    ),
    order,
  );
  const said = summary(3);
  const table_ = table(words.table, [
    words.token,
    words.logit,
    words.before,
    words.after,
    words.drawn,
  ]);
  const folded = numbers(words, [table_]);
  const key = (kind, text) => element("span", {}, element("i", { class: kind }), " ", text);
  stage(
    model,
    el,
    ...(contexts.length > 1 ? [texts.root] : []),
    page,
    element("p", { class: "ac-signs" }, words.signs),
    element("div", { class: "ac-controls ac-knobs" }, heat.root, cuts.top_k.root, cuts.top_p.root),
    element("div", { class: "ac-counts" }, ...facts.map((fact) => fact.root)),
    bars.root,
    element(
      "p",
      { class: "ac-lane-key" },
      key("ac-own", words.own_key),
      key("ac-now", words.now_key),
      key("ac-came", words.came_key),
    ),
    lots,
    said.root,
    folded.root,
  );
  return watch(model, el, () => {
    const state = read(model, KEYS);
    const result = compute(state);
    texts.show(state.context);
    code.forEach((each, i) => each.classList.toggle("ac-chosen-text", i === state.context));
    heat.show(state.temperature, number(state.temperature));
    cuts.top_k.show(state.top_k);
    cuts.top_p.show(state.top_p);
    bars.show(tokens, result);
    const values = {
      left: fill(words.of, { kept: result.kept, vocab: tokens.length }),
      lost: percent(result.lost),
      entropy: result.entropies.map((each) => number(each)).join(" → "),
    };
    facts.forEach((fact) => setText(fact.value, values[fact.name]));
    const lead = fill(state.seed === null ? words.undrawn : words.order, { seed: state.seed });
    const chips = result.drawn.map((place) => element("code", {}, tokens[place]));
    order.replaceChildren(lead, ...chips.flatMap((chip) => [" ", chip]));
    said.say(sentence(state, tokens, result, words));
    folded.show(() => [
      groups(result).map((places, i) => {
        const { before, after, left, times } = together(result, places);
        const many = places.length > 1 || i === SHOWN;
        return [
          many ? fill(words.others, { count: places.length }) : tokens[places[0]],
          many ? "" : number(state.logits[state.context][places[0]]),
          number(before, 4),
          left ? number(after, 4) : words.cut,
          result.drawn.length ? String(times) : "–",
        ];
      }),
    ]);
  });
}

export default { render };
