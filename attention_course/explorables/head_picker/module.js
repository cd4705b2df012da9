import {
  button,
  change,
  element,
  fill,
  largest,
  number,
  numbers,
  percent,
  read,
  set,
  setText,
  slider,
  stage,
  summary,
  table,
  toggle,
  watch,
} from "../kit.js";

const KEYS = ["tokens", "weights", "scores", "names", "questions", "places", "on", "head", "token"];

// totals (n, questions, names): the scores of the answers, summed over the heads that are on.
// shares (heads, questions): the mean weight of a head on the place of the answer.
export function compute({ weights, scores, places, on }) {
  const totals = scores[0].map((questions, i) =>
    questions.map((answers, q) =>
      answers.map((_, k) => on.reduce((sum, each, h) => sum + each * scores[h][i][q][k], 0)),
    ),
  );
  const shares = weights.map((rows) =>
    places[0].map(
      (_, q) => rows.reduce((sum, row, i) => sum + row[places[i][q]], 0) / rows.length,
    ),
  );
  return { totals, shares };
}

// What is said at token i to question q: { said, wanted, right }.
function answer({ tokens, names, places }, totals, i, q) {
  const said = names[largest(totals[i][q])];
  const wanted = tokens[places[i][q]];
  return { said, wanted, right: said === wanted };
}

// A card for each head: a button that picks it, what it looks at in a word, and its switch.
function cardsOf(model, words) {
  const cards = model.get("weights").map((_, h) => {
    const name = fill(words.head, { head: h + 1 });
    const pick = button(name, () => change(model, { head: h }));
    const note = element("span", { class: "ac-looks-at" });
    const flip = toggle(words.on, (on) =>
      change(model, { on: model.get("on").map((old, k) => (k === h ? Number(on) : old)) }),
    );
    set(flip.root.querySelector("input"), { "aria-label": fill(words.switch, { head: h + 1 }) });
    const root = element("div", { class: "ac-looker" }, pick, flip.root, note);
    return { root, pick, note, flip };
  });
  const root = element("div", { class: "ac-lookers" }, ...cards.map((card) => card.root));
  const show = ({ head, on, questions }, { shares }) =>
    cards.forEach(({ root: card, pick, note, flip }, h) => {
      set(pick, { "aria-pressed": String(h === head) });
      flip.show(on[h] === 1);
      card.classList.toggle("ac-silent", on[h] === 0);
      const q = largest(shares[h]);
      const values = { question: questions[q], share: percent(shares[h][q]) };
      setText(note, fill(shares[h][q] > 0.5 ? words.looks : words.spread, values));
    });
  return { root, show };
}

// The tokens with the bars of their weights.
function barsOf(tokens) {
  const rows = tokens.map((token) => {
    const bar = element("i");
    const share = element("span", { class: "ac-output" });
    const track = element("span", { class: "ac-track" }, bar);
    const weight = element("span", { class: "ac-weight" }, track, share);
    const root = element("div", { class: "ac-seen" }, element("span", {}, token), weight);
    return { root, bar, share };
  });
  const root = element("div", { class: "ac-sight" }, ...rows.map((row) => row.root));
  const show = ({ weights, head, token }) =>
    rows.forEach(({ root: row, bar, share }, j) => {
      const weight = weights[head][token][j];
      bar.style.width = `${100 * weight}%`;
      setText(share, percent(weight));
      row.classList.toggle("ac-asking", j === token);
    });
  return { root, show };
}

function render({ model, el }) {
  const words = model.get("words");
  const { tokens, questions, weights } = read(model, KEYS);
  const cards = cardsOf(model, words);
  const bars = barsOf(tokens);
  const which = slider({
    name: words.token,
    min: 0,
    max: tokens.length - 1,
    step: 1,
    tone: "orange",
    onchange: (value) => change(model, { token: value }),
  });
  const answers = questions.map((question) => {
    const text = element("b");
    return { text, root: element("p", {}, element("span", {}, question), text) };
  });
  const sentence = summary(2);
  const heads = weights.map((_, h) => fill(words.head, { head: h + 1 }));
  const tables = [
    table(words.weights_table, [words.token, ...heads]),
    table(words.answers_table, [words.token, ...questions]),
  ];
  const folded = numbers(words, tables);
  stage(
    model,
    el,
    cards.root,
    element("div", { class: "ac-controls" }, which.root),
    bars.root,
    element("div", { class: "ac-asked" }, ...answers.map((each) => each.root)),
    sentence.root,
    folded.root,
  );
  return watch(model, el, () => {
    const state = read(model, KEYS);
    const result = compute(state);
    const { head, token, on } = state;
    const told = tokens.map((_, i) => questions.map((__, q) => answer(state, result.totals, i, q)));
    const say = (each) => fill(each.right ? words.right : words.wrong, each);
    cards.show(state, result);
    which.show(token, tokens[token]);
    bars.show(state);
    answers.forEach(({ text, root }, q) => {
      setText(text, say(told[token][q]));
      root.classList.toggle("ac-missed", !told[token][q].right);
    });
    const seen = largest(weights[head][token]);
    sentence.say(
      fill(words.said, {
        head: head + 1,
        token: tokens[token],
        most: tokens[seen],
        weight: percent(weights[head][token][seen]),
        on: on.reduce((sum, each) => sum + each, 0),
        heads: on.length,
        right: told.flat().filter((each) => each.right).length,
        all: told.flat().length,
      }),
    );
    folded.show(() => [
      tokens.map((name, j) => [name, ...weights.map((rows) => number(rows[token][j], 4))]),
      tokens.map((name, i) => [name, ...told[i].map(say)]),
    ]);
  });
}

export default { render };
