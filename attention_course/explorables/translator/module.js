import {
  asset,
  button,
  change,
  element,
  fill,
  largest,
  mean,
  number,
  numbers,
  percent,
  pressed,
  read,
  set,
  setText,
  softmax,
  stage,
  summary,
  table,
  tint,
  toggle,
  watch,
} from "../kit.js";

const KEYS = ["text", "count", "at", "from", "kind", "layer", "head", "off", "told", "comparing"];
const KINDS = ["encoder", "decoder", "cross"];
const MOST = 40; // words, of the source and of the translation
const LIKELY = 5; // candidates that are shown

// --- The file: safetensors, float16 ---------------------------------------------------------------

// Float16 to float32, bit by bit.
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

// The tensors by name, row after row, and what the file says of the model.
function opened(bytes) {
  const halves = Float32Array.from({ length: 65536 }, (_, bits) => half(bits));
  const length = Number(new DataView(bytes).getBigUint64(0, true));
  const text = new TextDecoder().decode(new Uint8Array(bytes, 8, length));
  const { __metadata__: said, ...entries } = JSON.parse(text);
  const tensors = {};
  for (const [name, { dtype, data_offsets: offsets }] of Object.entries(entries)) {
    if (dtype !== "F16") throw new Error(`${name}: ${dtype}`);
    const [start, end] = offsets.map((offset) => 8 + length + offset);
    const bits = new Uint16Array(bytes.slice(start, end));
    const values = (tensors[name] = new Float32Array(bits.length));
    for (let i = 0; i < bits.length; i++) values[i] = halves[bits[i]];
  }
  return { tensors, said };
}

// --- The model: encoder and decoder as in attention_course.transformer ---------------------------

const same = (x) => x;
const plus = (x, y) => x.map((value, i) => value + y[i]);
const indices = (count) => Array.from({ length: count }, (_, i) => i);

// The model of a file, as functions of vectors (Float64Array).
function modelOf(bytes) {
  const { tensors, said } = opened(bytes);
  const [width, heads, layers] = ["d_model", "num_heads", "num_layers"].map((name) => +said[name]);
  const linear = (name) => {
    const [weight, bias] = [tensors[`${name}.weight`], tensors[`${name}.bias`]];
    return (x) => {
      const y = Float64Array.from(bias);
      for (let o = 0, at = 0; o < y.length; o++) {
        let sum = 0;
        for (let i = 0; i < x.length; i++) sum += weight[at++] * x[i];
        y[o] += sum;
      }
      return y;
    };
  };
  const layerNorm = (name) => {
    const [weight, bias] = [tensors[`${name}.weight`], tensors[`${name}.bias`]];
    return (x) => {
      const centre = mean([...x]);
      const spread = Math.sqrt(mean([...x].map((value) => (value - centre) ** 2)) + 1e-5);
      return x.map((value, i) => ((value - centre) / spread) * weight[i] + bias[i]);
    };
  };
  const residual = (name) => {
    const norm = layerNorm(`${name}.norm`);
    return said.norm === "pre" ? { before: norm, after: same } : { before: same, after: norm };
  };
  const feedForward = (name) => {
    const [inner, outer] = [linear(`${name}.inner`), linear(`${name}.outer`)];
    return (x) => outer(inner(x).map((value) => Math.max(0, value)));
  };
  const attention = (name) =>
    Object.fromEntries(
      ["query", "key", "value", "output"].map((part) => [part, linear(`${name}.${part}`)]),
    );
  const layer = (name, parts) => ({
    ...Object.fromEntries(parts.map((part) => [part, attention(`${name}.${part}`)])),
    think: feedForward(`${name}.feed_forward`),
    residuals: Object.fromEntries(
      [...parts, "feed_forward"].map((part) => [part, residual(`${name}.${part}_residual`)]),
    ),
  });
  const embedding = (name) => (id, place) => {
    const table = tensors[`${name}.table.weight`];
    return Float64Array.from({ length: width }, (_, i) => {
      const angle = place / 10000 ** ((i - (i % 2)) / width);
      const wave = i % 2 ? Math.cos(angle) : Math.sin(angle);
      return Math.sqrt(width) * table[id * width + i] + Math.fround(wave);
    });
  };
  const last = (name) => (said.norm === "pre" ? layerNorm(name) : same);
  return {
    heads,
    sourceVector: embedding("source_embedding"),
    targetVector: embedding("target_embedding"),
    encoder: indices(layers).map((i) => layer(`encoder.${i}`, ["attention"])),
    decoder: indices(layers).map((i) => layer(`decoder.${i}`, ["attention", "cross_attention"])),
    encoderNorm: last("encoder_norm"),
    decoderNorm: last("decoder_norm"),
    output: linear("output"),
  };
}

// What one query takes from the values, each head in its own columns, and the weights of each head.
// A head that is off leaves zeros.
function attend(heads, query, keys, values, isOff) {
  const width = query.length / heads;
  const mixed = new Float64Array(query.length);
  const weights = indices(heads).map((h) => {
    const [first, end] = [h * width, (h + 1) * width];
    const scores = keys.map((key) => {
      let sum = 0;
      for (let i = first; i < end; i++) sum += query[i] * key[i];
      return sum / Math.sqrt(width);
    });
    const shares = softmax(scores);
    if (!isOff(h)) {
      shares.forEach((share, j) => {
        for (let i = first; i < end; i++) mixed[i] += share * values[j][i];
      });
    }
    return shares;
  });
  return { mixed, weights };
}

const switched = (off, kind, layer) => (head) => off.includes(`${kind}.${layer}.${head}`);

// The states of the source, and the weights (layers, heads, n, n).
function encode(model, ids, off) {
  const weights = [];
  let x = ids.map(model.sourceVector);
  model.encoder.forEach(({ attention, think, residuals }, l) => {
    const { before, after } = residuals.attention;
    const seen = x.map(before);
    const [keys, values] = [seen.map(attention.key), seen.map(attention.value)];
    const isOff = switched(off, "encoder", l);
    const found = seen.map((row) => attend(model.heads, attention.query(row), keys, values, isOff));
    weights.push(indices(model.heads).map((h) => found.map((each) => each.weights[h])));
    x = x.map((row, i) => after(plus(row, attention.output(found[i].mixed))));
    const { before: ready, after: done } = residuals.feed_forward;
    x = x.map((row) => done(plus(row, think(ready(row)))));
  });
  return { states: x.map(model.encoderNorm), weights };
}

// A function that reads the target word by word: it gives the logits of the next word and the
// weights with which it was chosen, (layers, heads, n) each. Keys and values are kept.
function reader(model, states, off) {
  const kept = model.decoder.map(({ cross_attention: cross }) => ({
    keys: [],
    values: [],
    sourceKeys: states.map(cross.key),
    sourceValues: states.map(cross.value),
  }));
  let place = 0;
  return (id) => {
    const weights = { decoder: [], cross: [] };
    let x = model.targetVector(id, place++);
    model.decoder.forEach(({ attention, cross_attention: cross, think, residuals }, l) => {
      const cache = kept[l];
      const part = ({ before, after }, what) => (x = after(plus(x, what(before(x)))));
      part(residuals.attention, (row) => {
        cache.keys.push(attention.key(row));
        cache.values.push(attention.value(row));
        const isOff = switched(off, "decoder", l);
        const query = attention.query(row);
        const found = attend(model.heads, query, cache.keys, cache.values, isOff);
        weights.decoder.push(found.weights);
        return attention.output(found.mixed);
      });
      part(residuals.cross_attention, (row) => {
        const { sourceKeys, sourceValues } = cache;
        const isOff = switched(off, "cross", l);
        const found = attend(model.heads, cross.query(row), sourceKeys, sourceValues, isOff);
        weights.cross.push(found.weights);
        return cross.output(found.mixed);
      });
      part(residuals.feed_forward, think);
    });
    return { logits: [...model.output(model.decoderNorm(x))], weights };
  };
}

// The bytes of a file as text in base 64, ids of the source and of the target that the decoder
// reads, and the heads that are off: logits (n_target, vocabulary) and the weights of every head.
export function compute({ file, source, target, off }) {
  if (file !== latest.file) {
    const bytes = Uint8Array.from(atob(file), (letter) => letter.charCodeAt(0)).buffer;
    Object.assign(latest, { file, model: modelOf(bytes) });
  }
  const { model } = latest;
  const { states, weights } = encode(model, source, off);
  const next = reader(model, states, off);
  const found = target.map(next);
  return { logits: found.map((each) => each.logits), encoder: weights, ...rows(found) };
}

const latest = {};

// The weights of all places as (layers, heads, n_target, n), rows of the decoder filled up with 0.
function rows(found) {
  const of = (kind) =>
    found[0].weights[kind].map((heads, l) =>
      heads.map((_, h) =>
        found.map(({ weights }) => {
          const row = weights[kind][l][h];
          const future = kind === "decoder" ? found.length - row.length : 0;
          return [...row, ...Array(future).fill(0)];
        }),
      ),
    );
  return { decoder: of("decoder"), cross: of("cross") };
}

// The likeliest words with their probabilities, and the translation one word after the other until
// its end. Padding is no word.
function translate(model, source, off, { start, end }) {
  const { states, weights } = encode(model, source, off);
  const next = reader(model, states, off);
  const run = { source, written: [], places: [], encoder: weights };
  for (let id = start; id !== end && run.written.length < MOST; ) {
    const found = next(id);
    const chances = softmax(found.logits.map((logit, each) => (each ? logit : -Infinity)));
    const best = indices(chances.length)
      .sort((a, b) => chances[b] - chances[a])
      .slice(0, LIKELY);
    id = best[0];
    run.written.push(id);
    const candidates = best.map((each) => [each, chances[each]]);
    run.places.push({ weights: found.weights, candidates });
  }
  return run;
}

// --- From text to words ---------------------------------------------------------------------------

const SIGNS = { ",": "，", ".": "。", "?": "？", "!": "！", ";": "；", ":": "：", "．": "。" };
const isLatin = (text) => /^[\p{Script=Latin}\d]+$/u.test(text);
const isSign = (text) => /^\p{P}$/u.test(text);

// How a text is cut into the words that the model knows, the longest first: `cut(text)` gives
// { pieces, ids, unknown, sentence }. Each piece is a { word } with its id, if it has one; the
// sentence is the one of the list that it is, if any. Signs that are not known are left out, and the
// one with which most sentences of the list end is put behind a text that ends without.
function cutter({ source_words: sourceWords, sentences }) {
  const known = new Map(sourceWords.map((word, id) => [word, id]).slice(1));
  const lengths = [...new Set([...known.keys()].map((word) => word.length))].sort((a, b) => b - a);
  const bare = (text) => text.replace(/\s+/g, "");
  const listed = new Map(sentences.map((each) => [bare(each.source.join("")), each]));
  const ends = sentences.map((each) => each.source[each.source.length - 1]).filter(isSign);
  const often = (sign) => ends.filter((each) => each === sign).length;
  const [closing = ""] = [...ends].sort((a, b) => often(b) - often(a));
  const piecesOf = (text) => {
    const pieces = [];
    let open = null; // the piece of unknown letters that the next one may belong to
    for (let i = 0; i < text.length; ) {
      const letter = String.fromCodePoint(text.codePointAt(i));
      const length = lengths.find((k) => known.has(text.slice(i, i + k))) || letter.length;
      const word = text.slice(i, i + length);
      i += length;
      if (known.has(word)) pieces.push({ word, id: known.get(word) });
      else if (known.has(SIGNS[word])) pieces.push({ word: SIGNS[word], id: known.get(SIGNS[word]) });
      else if (!/^[\s\p{P}]$/u.test(word)) {
        if (open && isLatin(open.word) === isLatin(word)) open.word += word;
        else pieces.push((open = { word }));
        continue;
      }
      open = null;
    }
    const end = pieces[pieces.length - 1];
    if (closing && end && !isSign(end.word)) pieces.push({ word: closing, id: known.get(closing) });
    return pieces;
  };
  return (text) => {
    const sentence = listed.get(bare(text)) || listed.get(bare(text) + closing);
    const pieces = sentence
      ? sentence.source.map((word) => ({ word, id: known.get(word) }))
      : piecesOf(text);
    return {
      pieces,
      ids: pieces.map(({ id }) => id),
      unknown: pieces.filter(({ id }) => id === undefined).map(({ word }) => word),
      sentence,
    };
  };
}

// How many letters have to be changed, added or taken away to make one word another.
function distance(one, other) {
  let row = indices(other.length + 1);
  [...one].forEach((letter, i) => {
    const next = [i + 1];
    row.slice(1).forEach((above, j) =>
      next.push(Math.min(above + 1, next[j] + 1, row[j] + Number(letter !== other[j]))),
    );
    row = next;
  });
  return row[other.length];
}

// Known words that share a letter with an unknown one, the nearest first; for a word of the other
// language, those that stand for it in a listed sentence.
function nearest(unknown, { source_words: sourceWords, sentences }) {
  const meant = new Set();
  for (const { source, target, alignment } of sentences) {
    for (const [t, s] of alignment || []) {
      if (target[t].toLowerCase() === unknown.toLowerCase()) meant.add(source[s]);
    }
  }
  const alike = sourceWords
    .filter((word) => [...word].some((letter) => !isSign(letter) && unknown.includes(letter)))
    .sort((a, b) => distance(a, unknown) - distance(b, unknown));
  return [...new Set([...meant, ...alike])].slice(0, 3);
}

// --- What is seen ---------------------------------------------------------------------------------

// The words of a translation as nodes of a sentence, those with a flag marked.
const sentenceOf = (texts, flags = []) =>
  texts.flatMap((text, i) => [
    i && !/^([.,?!;:]|'s$)/.test(text) ? " " : "",
    flags[i] ? element("mark", {}, text) : text,
  ]);

// Which words of `after` are not those of `before`, in order: the longest common sequence stays.
function changed(before, after) {
  const length = before.map(() => after.map(() => 0));
  const at = (i, j) => (i < before.length && j < after.length ? length[i][j] : 0);
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const equal = before[i] === after[j];
      length[i][j] = equal ? 1 + at(i + 1, j + 1) : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const flags = after.map(() => true);
  for (let i = 0, j = 0; i < before.length && j < after.length; ) {
    if (before[i] === after[j]) {
      flags[j] = false;
      i++;
      j++;
    } else if (at(i + 1, j) >= at(i, j + 1)) i++;
    else j++;
  }
  return flags;
}

// A row of words. `show(chips, asks, onpick)` takes { text, fixed, weight, gold, chosen,
// faint, unknown } each; those that are not fixed can be picked where the row asks.
function rowOf(title, lang) {
  const list = element("div", { class: "ac-chips", role: "group", "aria-label": title, lang });
  const root = element(
    "div",
    { class: "ac-chip-row" },
    element("span", { class: "ac-name" }, title),
    list,
  );
  let made = "";
  let pick = () => {};
  const show = (chips, asks, onpick) => {
    pick = onpick;
    const wanted = JSON.stringify([asks, chips.map(({ text, fixed }) => [text, fixed])]);
    if (wanted !== made) {
      made = wanted;
      list.replaceChildren(
        ...chips.map(({ text, fixed }, i) => {
          const inside = [element("b", {}, text), element("small")];
          if (!asks || fixed) return element("span", { class: "ac-chip" }, ...inside);
          const more = { type: "button", class: "ac-chip", onclick: () => pick(i) };
          return element("button", more, ...inside);
        }),
      );
    }
    chips.forEach(({ weight, gold, chosen, faint, unknown }, i) => {
      const chip = list.children[i];
      chip.style.backgroundColor = weight === undefined ? "" : tint(weight, 50);
      setText(chip.lastChild, weight === undefined ? "" : percent(weight));
      chip.classList.toggle("ac-gold", Boolean(gold));
      chip.classList.toggle("ac-faint", Boolean(faint));
      chip.classList.toggle("ac-unknown", Boolean(unknown));
      if (chip.tagName === "BUTTON") set(chip, { "aria-pressed": String(Boolean(chosen)) });
    });
  };
  return { root, show };
}

// Bars of the likeliest next words.
function candidatesOf(title) {
  const lines = indices(LIKELY).map(() => {
    const [word, bar, share] = [
      element("span"),
      element("i"),
      element("span", { class: "ac-output" }),
    ];
    const track = element("span", { class: "ac-track" }, bar);
    const weight = element("span", { class: "ac-weight" }, track, share);
    return { word, bar, share, root: element("div", { class: "ac-likely" }, word, weight) };
  });
  const name = element("p", { class: "ac-name" }, title);
  const root = element("div", { class: "ac-candidates" }, name, ...lines.map((line) => line.root));
  const show = (candidates, wordOf) =>
    lines.forEach(({ word, bar, share }, i) => {
      root.style.visibility = candidates.length ? "" : "hidden";
      const [id, chance] = candidates[i] || [];
      if (id === undefined) return;
      setText(word, wordOf(id));
      bar.style.width = `${100 * chance}%`;
      setText(share, percent(chance));
    });
  return { root, show };
}

// A switch for each head, in a row for each attention of each layer.
function switchesOf(words, { num_heads: heads, num_layers: layers }, onchange) {
  const all = [];
  const lines = KINDS.flatMap((kind) =>
    indices(layers).map((layer) => {
      const title = fill(words.attention_of, { kind: words[kind], layer: layer + 1 });
      const flips = indices(heads).map((head) => {
        const flip = toggle("", (on) => onchange(`${kind}.${layer}.${head}`, on));
        const label = fill(words.switch, { where: title, head: head + 1 });
        set(flip.root.querySelector("input"), { "aria-label": label });
        all.push({ name: `${kind}.${layer}.${head}`, flip });
        return flip.root;
      });
      const name = element("span", { class: "ac-name" }, title);
      return element("div", { class: "ac-flips" }, name, ...flips);
    }),
  );
  const titles = indices(heads).map((head) =>
    element("span", { class: "ac-flip-head" }, fill(words.one_head, { head: head + 1 })),
  );
  const top = element("div", { class: "ac-flips", "aria-hidden": "true" }, element("span"), ...titles);
  const root = element("div", {}, top, ...lines);
  root.style.setProperty("--columns", heads);
  const show = (off) => all.forEach(({ name, flip }) => flip.show(!off.includes(name)));
  return { root, show };
}

const chooser = (title, names, labels, onchange) => {
  const row = pressed(title, names, labels, onchange);
  const name = element("span", { class: "ac-name" }, title);
  return { root: element("div", { class: "ac-chosen-of" }, name, row.root), show: row.show };
};

// The last few values of a function of things that can be written as JSON.
function remembered(work) {
  const held = new Map();
  return (...arguments_) => {
    const key = JSON.stringify(arguments_);
    if (!held.has(key)) {
      if (held.size > 20) held.clear();
      held.set(key, work(...arguments_));
    }
    return held.get(key);
  };
}

function render({ model, el }) {
  const words = model.get("words");
  const fixed = ["source_words", "target_words", "start", "end", "sentences", "sizes", "kilobytes"];
  const given = { ...read(model, fixed), first: model.get("first") };
  const { sentences, sizes, target_words: targetWords, source_words: sourceWords } = given;
  const cut = cutter(given);
  const textOf = (sentence) => sentence.source.join("");
  const wordOf = (id) => (id === given.end ? words.end : targetWords[id]);

  // The model: fetched when something is to be shown that is not in the page.
  let net = null;
  let loading = false;
  const load = async () => {
    if (loading) return;
    loading = true;
    change(model, { told: "loading" });
    try {
      net = modelOf(await asset(model, "model"));
      change(model, { told: "" });
    } catch (error) {
      change(model, { told: fill(words.failed, { error }) });
    }
    loading = false;
  };
  const runs = remembered((ids, off) => translate(net, ids, off, given));
  // What the page holds from the start: the first translation with the last layer's cross-attention.
  const { first } = given;
  const isFirst = ({ kind, layer, off }, ids) =>
    kind === "cross" &&
    layer === first.layer &&
    !off.length &&
    ids.join() === first.source.join();
  const held = {
    source: first.source,
    written: first.written,
    places: first.candidates.map((candidates, t) => ({
      candidates,
      weights: { cross: { [first.layer]: first.weights.map((rows) => rows[t]) } },
    })),
  };
  const runOf = (state, ids) => {
    if (net) return runs(ids, state.off);
    return isFirst(state, ids) ? held : null;
  };

  // How many words are written, and at which place the reader looks.
  const seenOf = ({ count, at }, run) => {
    const all = run.written.length;
    const shown = count < 0 ? all : Math.min(count, all);
    const places = Math.min(shown + 1, all); // with the one that comes next
    return { shown, places, at: Math.min(at, places - 1), done: shown === all };
  };
  const goTo = (count) => change(model, { count, at: Math.max(0, count) });
  const now = () => {
    const state = read(model, KEYS);
    const { ids, unknown } = cut(state.text);
    const fine = ids.length > 0 && ids.length <= MOST && !unknown.length;
    return { state, ids, run: fine ? runOf(state, ids) : null };
  };
  const shownCount = () => {
    const { state, run } = now();
    return run ? seenOf(state, run).shown : Math.max(0, state.count);
  };

  const picker = element("select", { class: "ac-picker", "aria-label": words.pick });
  picker.append(
    ...sentences.map((each, i) => {
      const [text, { note }] = [textOf(each), each];
      return element("option", { value: i }, note ? fill(words.option, { text, note }) : text);
    }),
    element("option", { value: -1 }, words.own),
  );
  picker.addEventListener("change", () => {
    if (picker.value === "-1") input.focus();
    else change(model, { text: textOf(sentences[picker.value]), count: -1, at: 0, from: 0 });
  });
  const input = element("input", {
    type: "text",
    class: "ac-typed",
    lang: "zh",
    maxlength: 200,
    autocomplete: "off",
    spellcheck: "false",
    "aria-label": words.type,
  });
  input.addEventListener("input", () =>
    change(model, { text: input.value, count: 0, at: 0, from: 0 }),
  );
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) change(model, { count: -1, at: 0 });
  });
  const buttons = {
    all: button(words.translate, () => change(model, { count: -1, at: 0 })),
    step: button(words.step, () => goTo(shownCount() + 1)),
    back: button(words.back, () => goTo(Math.max(0, shownCount() - 1))),
    again: button(words.again, () => goTo(0)),
  };
  const status = element("div", { class: "ac-told", role: "status" });
  const source = rowOf(words.source, "zh");
  const target = rowOf(words.target, "en");
  const legend = element(
    "p",
    { class: "ac-gold-key" },
    element("i", { class: "ac-chip ac-gold" }),
    " ",
    words.gold_key,
  );
  const numbered = (count) => Object.fromEntries(indices(count).map((i) => [i, `${i + 1}`]));
  const kinds = chooser(words.attention, KINDS, words, (kind) => change(model, { kind }));
  const layers = chooser(
    words.layer,
    indices(sizes.num_layers).map(String),
    numbered(sizes.num_layers),
    (layer) => change(model, { layer: +layer }),
  );
  const headLabels = { ...numbered(sizes.num_heads), [-1]: words.mean };
  const heads = chooser(
    words.head,
    ["-1", ...indices(sizes.num_heads).map(String)],
    headLabels,
    (head) => change(model, { head: +head }),
  );
  const likely = candidatesOf(words.likely);
  const said = summary(2);
  const switches = switchesOf(words, sizes, (name, on) => {
    const rest = model.get("off").filter((other) => other !== name);
    change(model, { off: on ? rest : [...rest, name].sort() });
  });
  const none = button(words.all_on, () => change(model, { off: [] }));
  const lines = ["whole", "broken", "reference"].map((name) => {
    const text = element("dd");
    const title = element("dt", {}, words[name]);
    return { title, text };
  });
  const verdict = element("p", { class: "ac-verdict", role: "status" });
  const compared = element(
    "div",
    {},
    element("dl", {}, ...lines.flatMap(({ title, text }) => [title, text])),
    verdict,
  );
  const breaks = element(
    "details",
    { class: "ac-breaks" },
    element("summary", {}, words.breaks),
    element("p", { class: "ac-hint" }, words.breaks_hint),
    switches.root,
    element("div", { class: "ac-controls" }, none),
    compared,
  );
  const allKnown = element(
    "details",
    { class: "ac-known" },
    element("summary", {}, fill(words.known, { count: sourceWords.length - 1 })),
    element("p", { lang: "zh" }, sourceWords.slice(1).join(" ")),
  );
  const headNames = indices(sizes.num_heads).map((h) => fill(words.one_head, { head: h + 1 }));
  const tables = [
    table(words.weights_table, [words.word, words.mean, ...headNames, words.gold]),
    table(words.likely_table, [words.written, words.chance]),
  ];
  const folded = numbers(words, tables);
  stage(
    model,
    el,
    element("div", { class: "ac-ask" }, picker, input),
    element("div", { class: "ac-buttons ac-steps" }, ...Object.values(buttons)),
    status,
    source.root,
    target.root,
    legend,
    kinds.root,
    element("div", { class: "ac-which" }, layers.root, heads.root),
    likely.root,
    said.root,
    breaks,
    folded.root,
    allKnown,
  );

  // What is wrong with the text, or what the reader waits for.
  const tellOf = (ids, unknown, told) => {
    if (unknown.length) return ["unknown", ...unknown];
    if (ids.length > MOST) return ["long"];
    if (!ids.length) return ["empty"];
    return told ? ["told", told] : [];
  };
  let toldNow = "";
  const tell = (what) => {
    if (JSON.stringify(what) === toldNow) return;
    toldNow = JSON.stringify(what);
    const [kind, ...rest] = what;
    const line = (text, ...more) => element("p", {}, text, ...more);
    const unknownLine = (unknown) => {
      const close = nearest(unknown, given);
      const replace = (word) => () =>
        change(model, { text: model.get("text").replace(unknown, () => word), count: 0, at: 0 });
      const known = { count: sourceWords.length - 1, token: unknown };
      if (!close.length) return line(fill(words.unknown_alone, known));
      return line(
        fill(words.unknown, known),
        ...close.flatMap((word) => [" ", button(word, replace(word), { lang: "zh" })]),
      );
    };
    const texts = {
      unknown: () => rest.slice(0, 3).map(unknownLine),
      long: () => [line(fill(words.too_long, { most: MOST }))],
      empty: () => [line(words.empty)],
      told: () =>
        rest[0] === "loading"
          ? [line(fill(words.loading, { size: given.kilobytes }))]
          : [line(rest[0], " ", button(words.retry, () => change(model, { told: "" })))],
    };
    status.replaceChildren(...(kind ? texts[kind]() : []));
  };

  // The translation with all heads and with those that are on, side by side.
  const compare = (state, ids, sentence) => {
    const texts = (run) => run.written.filter((id) => id !== given.end).map(wordOf);
    const [before, after] = [texts(runs(ids, [])), texts(runs(ids, state.off))];
    const flags = changed(before, after);
    const count = flags.filter(Boolean).length;
    const lost = before.length - after.length + count;
    lines[0].text.replaceChildren(...sentenceOf(before));
    for (const each of Object.values(lines[1])) each.hidden = !state.off.length;
    setText(lines[1].title, fill(words.broken, { count: state.off.length }));
    lines[1].text.replaceChildren(...sentenceOf(after, flags));
    lines[2].text.replaceChildren(...(sentence ? sentenceOf(sentence.target) : ["–"]));
    const values = { count, lost, whole: before.length };
    const judged = lost || count ? fill(words.changes, values) : words.unbroken;
    setText(verdict, state.off.length ? judged : "");
  };
  breaks.addEventListener("toggle", () => change(model, { comparing: breaks.open }));

  return watch(model, el, () => {
    const state = read(model, KEYS);
    const { pieces, ids, unknown, sentence } = cut(state.text);
    const fine = ids.length > 0 && ids.length <= MOST && !unknown.length;
    const run = fine ? runOf(state, ids) : null;
    if (fine && (!run || (state.comparing && !net)) && !state.told) load();
    tell(tellOf(ids, unknown, state.told));
    const place = sentences.indexOf(sentence);
    if (picker.value !== String(place)) picker.value = String(place);
    if (input.value !== state.text) input.value = state.text;
    const seen = run && seenOf(state, run);
    draw(state, pieces, run, seen, sentence);
    compared.hidden = !(fine && net);
    if (fine && net && state.comparing) compare(state, ids, sentence);
  });

  function draw(state, pieces, run, seen, sentence) {
    const { kind, layer, head, off } = state;
    const from = Math.min(state.from, pieces.length - 1);
    kinds.show(kind);
    layers.show(String(layer));
    heads.show(String(head));
    switches.show(off);
    const stuck = (is) => (is ? "true" : "false");
    set(buttons.step, { "aria-disabled": stuck(!run || seen.done) });
    set(buttons.back, { "aria-disabled": stuck(!run || !seen.shown) });
    set(buttons.again, { "aria-disabled": stuck(!run || !seen.shown) });
    const names = pieces.map(({ word }) => word);
    const written = run ? run.written.slice(0, seen.shown).map(wordOf) : [];
    if (run && !seen.done) written.push(words.next);
    const before = run ? [words.start, ...run.written.slice(0, seen.at).map(wordOf)] : [];
    // The weights of each head at the chosen place, and the words that they are for.
    const weightsOf = () => {
      if (!run) return null;
      if (kind === "encoder") return run.encoder[layer].map((rows) => rows[from]);
      return run.places[seen.at].weights[kind][layer];
    };
    const all = weightsOf();
    const keys = kind === "decoder" ? before : names;
    const average = all && keys.map((_, j) => mean(all.map((row) => row[j])));
    const row = all && (head < 0 ? average : all[head]);
    const golden =
      run && kind === "cross" && sentence && sentence.alignment && sentence.target
        ? goldAt(sentence, run.written, seen.at, targetWords)
        : null;
    source.show(
      pieces.map(({ word, id }, j) => ({
        text: word,
        unknown: id === undefined,
        weight: row && kind !== "decoder" ? row[j] : undefined,
        gold: golden && golden.includes(j),
        chosen: j === from,
      })),
      kind === "encoder",
      (i) => change(model, { from: i }),
    );
    const lead = kind === "decoder" ? [{ text: words.start, fixed: true }] : [];
    const after = written.map((text) => ({ text, fixed: false }));
    target.show(
      [...lead, ...after].map((each, j) => ({
        ...each,
        weight: row && kind === "decoder" ? row[j] : undefined,
        chosen: kind !== "encoder" && run && j - lead.length === seen.at,
        faint: run && kind === "decoder" && j >= before.length,
      })),
      kind !== "encoder",
      (i) => change(model, { at: i - lead.length }),
    );
    legend.style.visibility = golden ? "" : "hidden";
    const candidates = run ? run.places[seen.at].candidates : [];
    likely.show(candidates, wordOf);
    if (run) said.say(sentenceFor(state, run, seen, keys, row, golden, names));
    else said.say(words.waiting);
    folded.show(() => [
      all
        ? keys.map((word, j) => [
            word,
            number(average[j], 4),
            ...all.map((each) => number(each[j], 4)),
            golden && golden.length ? (golden.includes(j) ? words.yes : words.no) : "–",
          ])
        : [],
      candidates.map(([id, chance]) => [wordOf(id), number(chance, 4)]),
    ]);
  }

  function sentenceFor(state, run, seen, keys, row, golden, names) {
    const { kind, layer, head, off } = state;
    const most = largest(row);
    const chosen = run.places[seen.at].candidates[0];
    const values = {
      who: fill(head < 0 ? words.who_mean : words.who, { head: head + 1, layer: layer + 1 }),
      word: wordOf(chosen[0]),
      chance: percent(chosen[1]),
      at: names[Math.min(state.from, names.length - 1)],
      most: keys[most],
      weight: percent(row[most]),
      gold: golden ? golden.map((j) => names[j]).join(words.join) : "",
    };
    const main = fill(kind === "encoder" ? words.says_encoder : words.says, values);
    const isOff = off.includes(`${kind}.${layer}.${head}`) ? words.is_off : "";
    const told = golden && golden.length;
    const about = told ? (golden.includes(most) ? words.agrees : words.differs) : "";
    return [main, fill(about, values), isOff]
      .filter(Boolean)
      .reduce((first, second) => fill(words.then, { first, second }));
  }
}

// The places of the source words that the gold alignment has for a written word: those of the same
// word of the reference, at the same place, or at the only place where it stands.
function goldAt({ target, alignment }, written, at, targetWords) {
  const word = targetWords[written[at]];
  const places = indices(target.length).filter((t) => target[t] === word);
  const place = places.includes(at) ? at : places.length === 1 ? places[0] : -1;
  return alignment.filter(([t]) => t === place).map(([, s]) => s);
}

export default { render };
