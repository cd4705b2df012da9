import {
  change,
  dot,
  element,
  fill,
  mix,
  number,
  numbers,
  pressed,
  read,
  setText,
  softmax,
  stage,
  summary,
  table,
  tint,
  watch,
} from "../kit.js";

const KEYS = ["tokens", "query", "key", "value", "padding", "mask", "way"];
const MASKS = ["none", "causal", "padding", "both", "empty"];
const SOFTMAX = ".softmax(dim=-1)";
// Each way as code, in pieces between which a line may break.
const WAYS = {
  right: ["scores.masked_fill(~may_attend, -math.inf)", SOFTMAX],
  inverted: ["scores.masked_fill(may_attend, -math.inf)", SOFTMAX],
  axis: ["scores.masked_fill(~may_attend.mT, -math.inf)", SOFTMAX],
  after: ["late = scores", SOFTMAX, " * may_attend"],
  renormalised: ["late", " / late.sum(dim=-1, keepdim=True)"],
  finite: ["scores.masked_fill(~may_attend, -1e9)", SOFTMAX],
};

const sum = (values) => values.reduce((total, x) => total + x, 0);
const opposite = (rows, place) => rows.map((row, i) => (i === place ? row.map((x) => -x) : row));
const distance = (one, other) => Math.max(...one.map((x, i) => Math.abs(x - other[i])));

// Who may see whom: (n, n), true = may.
function allowed({ mask, padding }) {
  const causal = mask !== "none" && mask !== "padding";
  const padded = mask !== "none" && mask !== "causal";
  return padding.map((asks, i) =>
    padding.map(
      (isPadding, j) =>
        !(causal && j > i) && !(padded && isPadding) && !(mask === "empty" && asks),
    ),
  );
}

// The weights (n, n) of the scores with the mask applied in one of the ways.
function weightsOf(scores, may, way) {
  if (way === "after" || way === "renormalised") {
    const late = scores.map((row, i) => softmax(row).map((weight, j) => weight * may[i][j]));
    if (way === "after") return late;
    return late.map((row) => row.map((weight) => (sum(row) ? weight / sum(row) : 0)));
  }
  const seen = {
    inverted: (i, j) => !may[i][j],
    axis: (i, j) => may[j][i],
  };
  const sees = seen[way] || ((i, j) => may[i][j]);
  const hidden = way === "finite" ? -1e9 : -Infinity;
  return scores.map((row, i) => {
    const kept = row.map((score, j) => (sees(i, j) ? score : hidden));
    return Math.max(...kept) === -Infinity ? row.map(() => 0) : softmax(kept);
  });
}

// moves (n): how far an output moves, at most, when a word that its row may not see is turned into
// its opposite; weights (n, n), sums (n), output (n, d_v).
export function compute({ query, key, value, padding, mask, way }) {
  const may = allowed({ mask, padding });
  const attend = (keys, values) => {
    const root = Math.sqrt(query[0].length);
    const scores = query.map((q) => keys.map((k) => dot(q, k) / root));
    const weights = weightsOf(scores, may, way);
    return { weights, output: weights.map((row) => mix(row, values)) };
  };
  const { weights, output } = attend(key, value);
  const others = key.map((_, j) => attend(opposite(key, j), opposite(value, j)).output);
  const moves = output.map((row, i) =>
    Math.max(0, ...others.map((other, j) => (may[i][j] ? 0 : distance(row, other[i])))),
  );
  return { weights, sums: weights.map(sum), output, moves };
}

// What is wrong with each cell and each row.
function findings(may, { weights, sums, moves }) {
  const open = may.map((row) => row.some(Boolean));
  return {
    leaks: weights.map((row, i) => row.map((weight, j) => !may[i][j] && weight > 0)),
    starved: weights.map((row, i) => row.map((weight, j) => may[i][j] && weight === 0)),
    bare: sums.map((total) => total === 0),
    short: sums.map((total, i) => open[i] && Math.abs(total - 1) > 1e-6),
    moving: moves.map((move) => move > 1e-6),
    open,
  };
}

const count = (flags) => flags.flat().filter(Boolean).length;

function sentence({ tokens, mask, way }, may, found, words) {
  const rows = (flags) =>
    [...new Set(tokens.filter((_, i) => flags[i]))]
      .map((token) => fill(words.quote, { token }))
      .join(words.join);
  const closed = found.open.map((open) => !open);
  const says = {
    right: words.right_says,
    inverted: words.inverted_says,
    axis: words.axis_says,
    after: words.after_says,
    renormalised: words.renormalised_says,
    finite: closed.some(Boolean) ? words.finite_closed : words.finite_says,
  };
  const first = fill(mask === "none" && way !== "inverted" ? words.nothing : says[way], {
    n: tokens.length,
    hidden: tokens.length ** 2 - count(may),
    open: count(may),
    leaks: count(found.leaks),
    starved: count(found.starved),
    short: count(found.short),
    moving: count(found.moving),
    rows: rows(closed),
  });
  if (way === "after" || !found.bare.some(Boolean)) return first;
  return fill(words.then, { first, second: fill(words.bare_says, { rows: rows(found.bare) }) });
}

// The weights as cells, a row for each query, with the row's sum and how far its output moves.
function heatmap(tokens, words) {
  const cell = () => element("span", { class: "ac-cell" });
  const rows = tokens.map((token) => ({
    cells: tokens.map(cell),
    total: cell(),
    moves: cell(),
    name: element("span", { class: "ac-asks" }, token),
  }));
  const heads = [words.corner, ...tokens, words.sum, words.moves];
  const root = element(
    "div",
    { class: "ac-heat", role: "img", "aria-label": words.picture },
    ...heads.map((text, i) => {
      const word = i > 0 && i <= tokens.length;
      return element("span", { class: word && text.length > 2 ? "ac-top ac-word" : "ac-top" }, text);
    }),
    ...rows.flatMap(({ name, cells, total, moves }) => [name, ...cells, total, moves]),
  );
  root.style.setProperty("--columns", tokens.length);
  const show = (may, { weights, sums, moves }, found) =>
    rows.forEach((row, i) => {
      row.cells.forEach((each, j) => {
        each.style.backgroundColor = tint(weights[i][j]);
        each.classList.toggle("ac-closed", !may[i][j]);
        each.classList.toggle("ac-leak", found.leaks[i][j]);
        each.classList.toggle("ac-starved", found.starved[i][j]);
        setText(each, number(weights[i][j], found.leaks[i][j] && weights[i][j] < 0.005 ? 4 : 2));
      });
      row.total.classList.toggle("ac-leak", found.short[i]);
      setText(row.total, found.bare[i] ? "∅" : number(sums[i]));
      row.moves.classList.toggle("ac-leak", found.moving[i]);
      setText(row.moves, may[i].every(Boolean) ? "–" : number(moves[i]));
    });
  return { root, show };
}

// A row of buttons beside its title.
function chooser(title, names, words, onchange) {
  const row = pressed(title, names, words, onchange);
  const name = element("span", { class: "ac-name" }, title);
  return { root: element("div", { class: "ac-chooser" }, name, row.root), show: row.show };
}

function render({ model, el }) {
  const words = model.get("words");
  const tokens = model.get("tokens");
  const masks = chooser(words.mask, MASKS, words, (mask) => change(model, { mask }));
  const ways = chooser(words.way, Object.keys(WAYS), words, (way) => change(model, { way }));
  const code = element("code");
  const heat = heatmap(tokens, words);
  const legend = { hidden: "ac-closed", leak: "ac-leak", starved: "ac-starved" };
  const keys = Object.entries(legend).map(([word, kind]) =>
    element("span", {}, element("i", { class: `ac-cell ${kind}` }), " ", words[word]),
  );
  const said = summary(3);
  const width = model.get("value")[0].length;
  const columns = Array.from({ length: width }, (_, i) => fill(words.number, { i: i + 1 }));
  const tables = [
    table(words.weights_table, [words.row, ...tokens, words.sum]),
    table(words.output_table, [words.row, ...columns, words.moves]),
  ];
  const folded = numbers(words, tables);
  stage(
    model,
    el,
    masks.root,
    ways.root,
    element("p", { class: "ac-code" }, code),
    heat.root,
    element("p", { class: "ac-legend" }, ...keys),
    said.root,
    folded.root,
  );
  return watch(model, el, () => {
    const state = read(model, KEYS);
    const result = compute(state);
    const may = allowed(state);
    const found = findings(may, result);
    masks.show(state.mask);
    ways.show(state.way);
    code.replaceChildren(...WAYS[state.way].map((piece) => element("span", {}, piece)));
    heat.show(may, result, found);
    said.say(sentence(state, may, found, words));
    const digits = (values) => values.map((x) => number(x, 4));
    folded.show(() => [
      tokens.map((token, i) => [token, ...digits(result.weights[i]), number(result.sums[i], 4)]),
      tokens.map((token, i) => [token, ...digits(result.output[i]), number(result.moves[i], 4)]),
    ]);
  });
}

export default { render };
