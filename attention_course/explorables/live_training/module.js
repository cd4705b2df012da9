import {
  button,
  change,
  dot,
  element,
  fill,
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
  tint,
  toggle,
  watch,
} from "../kit.js";

const KEYS = ["rate", "rates", "count", "counts", "hide", "seed"];
const PARTS = ["cities", "kinds", "examples", "blanks"];
const NEEDED = [...KEYS, ...PARTS, "vocabulary", "answers", "train", "held_out"];
const [WIDTH, BATCH, EVERY] = [32, 128, 5];
const [LONG, SHORT] = [30, 10]; // milliseconds of training a time: in a worker, in the page itself
const PAUSE = 30; // steps at a time for a reader who wants no motion
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];
const [ACROSS, UP, FLOOR, LEFT] = [560, 170, 146, 34];

// --- Random numbers (mulberry32), so that a seed is one run in every browser ---------------------

function randomness(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// The tables before training: the embeddings near zero, the matrices as Glorot and Bengio (2010).
function begin(random, vocabulary, answers) {
  const normal = () =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const uniform = (rows, columns) => {
    const bound = Math.sqrt(6 / (rows + columns));
    return Float64Array.from({ length: rows * columns }, () => bound * (2 * random() - 1));
  };
  return {
    embedding: Float64Array.from({ length: vocabulary * WIDTH }, () => 0.02 * normal()),
    query: uniform(WIDTH, WIDTH),
    key: uniform(WIDTH, WIDTH),
    value: uniform(WIDTH, WIDTH),
    answer: uniform(WIDTH, answers),
  };
}

// --- Matrices, row after row in one array: a is (n, k), b is (k, m) ------------------------------

// a·b, (n, m)
function times(a, b, k) {
  const [n, m] = [a.length / k, b.length / k];
  const product = new Float64Array(n * m);
  for (let i = 0; i < n; i++) {
    for (let l = 0; l < k; l++) {
      const factor = a[i * k + l];
      if (factor) add(product, b, factor, i * m, l * m, m);
    }
  }
  return product;
}

function transposed(a, columns) {
  const rows = a.length / columns;
  const turned = new Float64Array(a.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) turned[j * rows + i] = a[i * columns + j];
  return turned;
}

// to += factor · what; of a matrix to the row that begins at `at`, and what begins at `from`
function add(to, what, factor = 1, at = 0, from = 0, n = what.length) {
  for (let i = 0; i < n; i++) to[at + i] += factor * what[from + i];
}

// The inner product of a row of a, from `at`, with one of b, from `from`.
function inner(a, b, at, from, n = WIDTH) {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += a[at + i] * b[from + i];
  return sum;
}

// --- The model of the lesson, and its gradient ----------------------------------------------------

// The query, the key and the value that each word of the vocabulary has: (vocabulary, WIDTH) each.
const prepare = ({ embedding, query, key, value }) => ({
  queries: times(embedding, query, WIDTH),
  keys: times(embedding, key, WIDTH),
  values: times(embedding, value, WIDTH),
});

// Attention from the blank to the words, read out by one table.
function look({ answer }, { queries, keys, values }, { ids, blank }) {
  const score = (id) => inner(queries, keys, blank * WIDTH, id * WIDTH) / Math.sqrt(WIDTH);
  const weights = softmax(ids.map(score));
  const mixture = new Float64Array(WIDTH);
  ids.forEach((id, j) => add(mixture, values, weights[j], 0, id * WIDTH, WIDTH));
  return { weights, mixture, chances: softmax([...times(mixture, answer, WIDTH)]) };
}

// The mean cross-entropy of a batch, and its gradient at every number of the tables.
function slopes(tables, batch) {
  const made = prepare(tables);
  const answers = tables.answer.length / WIDTH;
  const [queries, keys, values] = ["queries", "keys", "values"].map(
    (name) => new Float64Array(made[name].length),
  );
  const answer = new Float64Array(tables.answer.length);
  let loss = 0;
  for (const sentence of batch) {
    const { ids, blank } = sentence;
    const { weights, mixture, chances } = look(tables, made, sentence);
    loss -= Math.log(chances[sentence.answer]) / batch.length;
    const miss = chances.map((p, a) => (p - Number(a === sentence.answer)) / batch.length);
    const pull = new Float64Array(WIDTH);
    for (let i = 0; i < WIDTH; i++) {
      add(answer, miss, mixture[i], i * answers);
      pull[i] = inner(tables.answer, miss, i * answers, 0, answers);
    }
    const gains = ids.map((id) => inner(pull, made.values, 0, id * WIDTH));
    const mean = dot(weights, gains);
    const asking = blank * WIDTH;
    ids.forEach((id, j) => {
      const score = (weights[j] * (gains[j] - mean)) / Math.sqrt(WIDTH);
      const word = id * WIDTH;
      add(values, pull, weights[j], word);
      add(keys, made.queries, score, word, asking, WIDTH);
      add(queries, made.keys, score, asking, word, WIDTH);
    });
  }
  const across = transposed(tables.embedding, WIDTH); // (WIDTH, vocabulary)
  const vocabulary = tables.embedding.length / WIDTH;
  const embedding = times(queries, transposed(tables.query, WIDTH), WIDTH);
  add(embedding, times(keys, transposed(tables.key, WIDTH), WIDTH));
  add(embedding, times(values, transposed(tables.value, WIDTH), WIDTH));
  const gradients = {
    embedding,
    query: times(across, queries, vocabulary),
    key: times(across, keys, vocabulary),
    value: times(across, values, vocabulary),
    answer,
  };
  return { loss, gradients };
}

// Adam (Kingma and Ba 2015), as torch has it.
function adam(tables, rate) {
  const memory = Object.fromEntries(
    Object.entries(tables).map(([name, values]) => [
      name,
      { mean: new Float64Array(values.length), square: new Float64Array(values.length) },
    ]),
  );
  let step = 0;
  return (gradients) => {
    step += 1;
    const [fresh, fresher] = [1 - BETA1 ** step, Math.sqrt(1 - BETA2 ** step)];
    for (const [name, values] of Object.entries(tables)) {
      const { mean, square } = memory[name];
      gradients[name].forEach((slope, i) => {
        mean[i] = BETA1 * mean[i] + (1 - BETA1) * slope;
        square[i] = BETA2 * square[i] + (1 - BETA2) * slope * slope;
        values[i] -= ((rate / fresh) * mean[i]) / (Math.sqrt(square[i]) / fresher + EPSILON);
      });
    }
  };
}

// From given tables one step for each batch: the losses, the first gradients, the tables afterwards.
export function compute({ tables: given, batches, learning_rate }) {
  const tables = Object.fromEntries(
    Object.entries(given).map(([name, rows]) => [name, Float64Array.from(rows.flat())]),
  );
  const move = adam(tables, learning_rate);
  const found = batches.map((batch) => {
    const each = slopes(tables, batch);
    move(each.gradients);
    return each;
  });
  const lists = (arrays) =>
    Object.fromEntries(Object.entries(arrays).map(([name, values]) => [name, [...values]]));
  return {
    losses: found.map(({ loss }) => loss),
    gradients: lists(found[0].gradients),
    tables: lists(tables),
  };
}

// --- A run of training ----------------------------------------------------------------------------

// A sentence from its row of numbers, with the places of its city and its kind (-1: none). `both`:
// it asks [what], though it names an example, too.
function unfold(state, row) {
  const ids = row.slice(0, -1);
  const [city, kind, example, asking] = PARTS.map((part) =>
    ids.findIndex((id) => state[part].includes(id)),
  );
  const blank = ids[asking];
  const both = blank === state.blanks[0] && city >= 0 && example >= 0;
  return { ids, blank, answer: row.at(-1), city, kind, both };
}

// A sentence as the model reads it, with or without its city.
const seen = (sentence, hide) => ({
  ...sentence,
  ids: hide ? sentence.ids.filter((_, j) => j !== sentence.city) : sentence.ids,
});

// What the tables do on sentences they never trained on.
function examine(tables, sentences, hide) {
  const made = prepare(tables);
  let [loss, right, together, asked] = [0, 0, 0, 0];
  for (const sentence of sentences) {
    const { weights, chances } = look(tables, made, seen(sentence, hide));
    loss -= Math.log(chances[sentence.answer]) / sentences.length;
    right += Number(chances.indexOf(Math.max(...chances)) === sentence.answer);
    if (!sentence.both || hide) continue;
    asked += 1;
    together += weights[sentence.city] + weights[sentence.kind];
  }
  return { loss, accuracy: right / sentences.length, together: asked ? together / asked : null };
}

// A model that learns, a step at a time. `losses` are those of the batches; `exams` are taken every
// few steps.
function learner(state) {
  const { rate, rates, count, counts, hide, seed } = state;
  const random = randomness(seed);
  const tables = begin(random, state.vocabulary.length, state.answers.length);
  const train = state.train.slice(0, counts[count]);
  const sentences = train.map((row) => seen(unfold(state, row), hide));
  const held_out = state.held_out.map((row) => unfold(state, row));
  const move = adam(tables, rates[rate]);
  const exam = () => examine(tables, held_out, hide);
  const self = { tables, losses: [], exams: [exam()] };
  self.step = () => {
    const batch = Array.from(
      { length: BATCH },
      () => sentences[Math.floor(random() * sentences.length)],
    );
    const { loss, gradients } = slopes(tables, batch);
    move(gradients);
    self.losses.push(loss);
    if (self.losses.length % EVERY === 0) self.exams.push(exam());
  };
  return self;
}

// Trains when ordered to: a model afresh where a state comes along, then towards the goal for so
// many milliseconds. Answers with the turn that the order was of and what came about since the last.
function trainer() {
  let run;
  return ({ turn, state, goal, time }) => {
    if (state) run = learner(state);
    const [losses, exams] = [run.losses.length, run.exams.length];
    const until = performance.now() + time;
    while (run.losses.length < goal && performance.now() < until) run.step();
    const { tables } = run;
    return { turn, losses: run.losses.slice(losses), exams: run.exams.slice(exams), tables };
  };
}

// This module is the worker's script, too.
if (globalThis.WorkerGlobalScope) {
  const obey = trainer();
  onmessage = ({ data }) => postMessage(obey(data));
}

// A trainer in a worker, so that the page stays at the reader's hand, or, where none can be had, in
// the page, between its frames. `heard` gets the answers; `lost` is called when the worker turns
// out not to work.
function hire(heard, lost) {
  let [worker, frame] = [null, 0];
  const obey = trainer();
  const leave = () => {
    worker?.terminate();
    worker = null;
  };
  try {
    worker = new Worker(import.meta.url, { type: "module" });
    worker.onmessage = ({ data }) => heard(data);
    worker.onerror = (event) => {
      event.preventDefault();
      leave();
      lost();
    };
  } catch {
    leave(); // an old browser, or one that takes no worker from here
  }
  return {
    order(what) {
      if (worker) worker.postMessage({ ...what, time: LONG });
      else frame = requestAnimationFrame(() => heard(obey({ ...what, time: SHORT })));
    },
    end() {
      leave();
      cancelAnimationFrame(frame);
    },
  };
}

// --- What the reader sees ---------------------------------------------------------------------

// The two losses over the steps, and what guessing costs.
function chart(words, most, guess) {
  const top = 1.3 * guess;
  const x = (step) => LEFT + (step / most) * (ACROSS - LEFT);
  const y = (loss) => FLOOR - (Math.min(loss, top) / top) * (FLOOR - 8);
  const path = (losses, every) =>
    losses.length < 2 && every === 1
      ? ""
      : `M${losses.map((loss, i) => `${x(i * every).toFixed(1)} ${y(loss).toFixed(1)}`).join("L")}`;
  const old = shape("path", { class: "ac-learned" });
  const fresh = shape("path", { class: "ac-tested" });
  const root = shape(
    "svg",
    {
      class: "ac-drawing ac-losses",
      viewBox: `0 0 ${ACROSS} ${UP}`,
      role: "img",
      "aria-label": words.chart,
    },
    shape("path", { class: "ac-axis", d: `M${LEFT} 8V${FLOOR}H${ACROSS}` }),
    shape("path", { class: "ac-drop", d: `M${LEFT} ${y(guess)}H${ACROSS}` }),
    shape("text", { x: ACROSS, y: y(guess) - 5, "text-anchor": "end" }, words.guessing),
    shape("text", { x: LEFT - 6, y: y(0) + 4, "text-anchor": "end" }, "0"),
    shape("text", { x: LEFT - 6, y: y(guess) + 4, "text-anchor": "end" }, number(guess, 1)),
    shape("text", { x: ACROSS, y: UP - 6, "text-anchor": "end" }, fill(words.steps, { most })),
    old,
    fresh,
  );
  const key = element(
    "p",
    { class: "ac-key" },
    element("span", { "data-line": "learned" }, words.learned),
    element("span", { "data-line": "tested" }, words.tested),
  );
  const show = ({ losses, exams }) => {
    set(old, { d: path(losses, 1) });
    set(fresh, { d: path(exams.map(({ loss }) => loss), EVERY) });
  };
  return { root: element("figure", {}, key, root), show };
}

// Sentences whose words are the bluer the more weight they have; a hidden city is struck out.
function lines(shown, vocabulary) {
  const rows = shown.map(({ ids }) => ids.map((id) => element("span", {}, vocabulary[id])));
  const root = element(
    "div",
    { class: "ac-read" },
    ...rows.map((spans) => element("p", {}, ...spans)),
  );
  const show = (weights, hide) =>
    rows.forEach((spans, i) =>
      spans.forEach((span, j) => {
        span.style.background = tint(weights[i][j], 50);
        span.classList.toggle("ac-hidden", hide && shown[i].city === j);
      }),
    );
  return { root, show };
}

// The weights of a sentence's words; none for the city where it is hidden.
function weightsOf(tables, made, sentence, hide) {
  const { weights } = look(tables, made, seen(sentence, hide));
  const all = [...weights];
  if (hide && sentence.city >= 0) all.splice(sentence.city, 0, 0);
  return all;
}

// What there is to say of a run.
function told(words, { losses, exams }, sentences, answers) {
  const { accuracy, together, loss } = exams.at(-1);
  const values = {
    steps: losses.length,
    loss: number(losses.at(-1) ?? loss),
    accuracy: percent(accuracy),
    guess: percent(1 / answers),
    together: together === null ? "" : percent(together),
    sentences,
  };
  if (!losses.length) return fill(words.begins, values);
  const lately = losses.slice(-10);
  const known = dot(lately, lately.map(() => 1 / lately.length)) < 0.1;
  if (known && accuracy < 0.9) return fill(words.by_heart, values);
  return fill(together === null ? words.hidden : words.learns, values);
}

function render({ model, el }) {
  const words = model.get("words");
  const { rates, counts, most, vocabulary } = read(model, ["rates", "counts", "most", "vocabulary"]);
  const answers = model.get("answers").length;
  const needed = () => read(model, NEEDED);
  const shown = model.get("shown").map((row) => unfold(needed(), row));
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const goal = () => model.get("steps");
  const done = () => run.losses.length;

  // The run as far as the page has heard of it. Each new one is another turn.
  let [run, turn, known, waiting, staff] = [learner(needed()), 0, false, false, null];
  const renew = () => {
    run = learner(needed());
    turn += 1;
    known = false;
  };
  const go = () => {
    if (waiting || done() >= goal()) return;
    staff ??= hire(hear, () => {
      waiting = false;
      renew();
      go();
    });
    staff.order({ turn, goal: goal(), state: known ? null : needed() });
    [known, waiting] = [true, true];
  };
  const hear = ({ turn: of, losses, exams, tables }) => {
    waiting = false;
    if (of === turn) {
      run.losses.push(...losses);
      run.exams.push(...exams);
      run.tables = tables;
      if (done() > goal()) change(model, { steps: done() }); // paused after the order
    }
    go();
    if (done() >= goal() || !still.matches) show();
  };

  let running = false;
  const aim = (steps, on = false) => {
    running = on;
    change(model, { steps: Math.min(most, steps) });
  };
  const afresh = (values) => {
    running = false;
    change(model, { ...values, steps: 0 });
  };
  const start = button(words.start, () => {
    if (goal() > done()) aim(done());
    else aim(still.matches ? done() + PAUSE : most, true);
  });
  const one = button(words.one, () => aim((running ? done() : goal()) + 1));
  const again = button(words.again, () => afresh({ seed: model.get("seed") + 1 }));
  const rate = slider({
    name: words.rate,
    min: 0,
    max: rates.length - 1,
    step: 1,
    tone: "orange",
    onchange: (value) => afresh({ rate: value }),
  });
  const count = slider({
    name: words.count,
    min: 0,
    max: counts.length - 1,
    step: 1,
    onchange: (value) => afresh({ count: value }),
  });
  const hide = toggle(words.hide, (on) => afresh({ hide: on }));
  const picture = chart(words, most, Math.log(answers));
  const sentences = lines(shown, vocabulary);
  const sentence = summary(3);
  const tables = [
    table(words.weights_table, [words.word, words.what, words.else]),
    table(words.progress_table, [words.step, words.loss, words.accuracy]),
  ];
  const folded = numbers(words, tables);
  stage(
    model,
    el,
    element("div", { class: "ac-buttons" }, start, one, again),
    element("div", { class: "ac-controls" }, rate.root, count.root, hide.root),
    picture.root,
    sentences.root,
    sentence.root,
    folded.root,
  );

  const settings = () => JSON.stringify(read(model, KEYS));
  let current = settings();
  const show = () => {
    const state = read(model, KEYS);
    const begun = done() > 0 && done() < most;
    setText(start, goal() > done() ? words.pause : begun ? words.on : words.start);
    for (const each of [start, one]) each.disabled = done() >= most;
    rate.show(state.rate, String(rates[state.rate]));
    count.show(state.count, String(counts[state.count]));
    hide.show(state.hide);
    picture.show(run);
    const made = prepare(run.tables);
    const weights = shown.map((each) => weightsOf(run.tables, made, each, state.hide));
    sentences.show(weights, state.hide);
    sentence.say(told(words, run, counts[state.count], answers));
    folded.show(() => [
      shown[0].ids.map((id, j) => [
        [...new Set(shown.map(({ ids }) => vocabulary[ids[j]]))].join(" / "),
        ...weights.map((each) => number(each[j], 3)),
      ]),
      run.exams.map(({ loss, accuracy }, i) => [
        String(i * EVERY),
        number(loss, 2),
        number(accuracy, 2),
      ]),
    ]);
  };
  const stop = watch(model, el, () => {
    if (settings() !== current || done() > goal()) {
      current = settings();
      renew();
    }
    go();
    show();
  });
  return () => {
    staff?.end();
    stop();
  };
}

export default { render };
