import {
  button,
  change,
  clamp,
  element,
  fill,
  numbers,
  read,
  set,
  setText,
  stage,
  summary,
  table,
  watch,
} from "../kit.js";

const SIDES = ["encoder", "decoder"];
const ATTENTIONS = ["heads", "masked", "cross"];
const KEYS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

const same = (one, other) => one.side === other.side && one.part === other.part;
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const product = (sizes) => sizes.join(" × ");

// The parts as boxes, one column for each side, with the block that repeats in a frame and the way
// from the encoder's memory to cross-attention. `show(step)` lights the part and what feeds it.
function drawing(stages, layers, name, words, go) {
  const lines = [];
  const boxes = SIDES.flatMap((side, column) => {
    const own = stages.filter((each) => each.side === side && (each.layer || 1) === 1);
    const repeated = own.filter((each) => each.layer);
    const first = own.indexOf(repeated[0]) + 2;
    const frame = { class: "ac-repeat", "data-times": fill(words.repeated, { layers }) };
    lines.push(place(element("i", frame), first, 2 * column + 1, repeated.length));
    const head = element("b", { class: "ac-stack-name" }, name(side));
    lines.push(place(head, 1, 2 * column + 1));
    return own.map((each, row) => {
      const kind = ATTENTIONS.includes(each.part) ? "ac-box ac-attention" : "ac-box";
      const root = element(
        "button",
        { type: "button", class: each.origins.length ? `${kind} ac-fed` : kind },
        name(each.part),
      );
      root.addEventListener("click", () => go(each));
      return { ...each, row: row + 2, root: place(root, row + 2, 2 * column + 1) };
    });
  });
  const row = (part) => boxes.find((box) => box.part === part).row;
  const bridge = element("i", { class: "ac-bridge" });
  lines.push(place(bridge, row("cross"), 2, row("states") - row("cross") + 1));
  const root = element("div", { class: "ac-tower" }, ...lines, ...boxes.map((box) => box.root));
  const show = (step) => {
    const feeding = stages[step].origins.map((origin) => stages[origin]);
    for (const box of boxes) {
      const lit = same(box, stages[step]);
      set(box.root, { "aria-current": lit ? "step" : "false" });
      const feeds = !lit && feeding.some((each) => each && same(each, box));
      box.root.classList.toggle("ac-feeding", feeds);
    }
    bridge.classList.toggle("ac-flowing", stages[step].part === "cross");
  };
  return { root, show };
}

function place(node, row, column, rows = 1) {
  node.style.gridArea = `${row} / ${column} / ${row + rows} / ${column + 1}`;
  return node;
}

// A shape: each axis with its size and its name.
function sizes(shape, axes, words) {
  const name = (size) => Object.keys(axes).find((axis) => axes[axis] === size);
  return element(
    "span",
    { class: "ac-sizes" },
    ...shape.map((size) =>
      element(
        "span",
        { class: "ac-size", "data-axis": name(size) },
        element("b", {}, String(size)),
        " ",
        element("small", {}, words[name(size)]),
      ),
    ),
  );
}

// What flows in, a row each, and what comes out.
function flows({ part, origins, inputs, output }, stages, axes, name, words) {
  const qkv = ATTENTIONS.includes(part) ? [words.query, words.key, words.value] : [];
  const row = (title, from, shape) =>
    element(
      "div",
      { class: "ac-flow" },
      element("span", {}, element("b", {}, title), " ", element("small", {}, from)),
      sizes(shape, axes, words),
    );
  const origin = (i) =>
    origins[i] === null
      ? words.encoding
      : fill(words.origin, { part: name(stages[origins[i]].part) });
  return [
    ...inputs.map((shape, i) => row(qkv[i] || words.flows_in, origin(i), shape)),
    row(words.flows_out, "", output),
  ];
}

function render({ model, el }) {
  const words = model.get("words");
  const { stages, layers, axes, sentences, names } = read(model, [
    "stages",
    "layers",
    "axes",
    "sentences",
    "names",
  ]);
  const name = (part) => names[part] || words.linear_name;
  const go = (step) => change(model, { step: clamp(step, 0, stages.length - 1) });
  const pick = (box) => {
    const { layer } = stages[model.get("step")];
    const here = stages.findIndex((each) => same(each, box) && each.layer === layer);
    go(here < 0 ? stages.findIndex((each) => same(each, box)) : here);
  };
  const picture = drawing(stages, layers, name, words, pick);
  const back = button(words.back, () => go(model.get("step") - 1));
  const next = button(words.next, () => go(model.get("step") + 1));
  const at = element("span", { class: "ac-at" });
  const sentence = summary(5);
  const flow = element("div", { class: "ac-flows" });
  const table_ = table(words.table, [words.step, words.part, words.flows_in, words.flows_out]);
  const folded = numbers(words, [table_]);
  const steps = element("div", { class: "ac-controls" }, back, next, at);
  const root = element(
    "div",
    { class: "ac-pass" },
    picture.root,
    element("div", {}, steps, sentence.root, flow),
  );
  root.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    go(model.get("step") + KEYS[event.key]);
  });
  stage(model, el, root, folded.root);
  return watch(model, el, () => {
    const step = model.get("step");
    const { part, side, layer } = stages[step];
    picture.show(step);
    set(back, { "aria-disabled": String(step === 0) });
    set(next, { "aria-disabled": String(step === stages.length - 1) });
    const told = [fill(words.at, { step: step + 1, steps: stages.length })];
    if (layer) told.push(fill(words.layer, { side: name(side), layer, layers }));
    setText(at, told.join(" · "));
    const says = fill(words[part], { words: (sentences[part] || []).join(" ") });
    sentence.say(capital(fill(words.said, { part: name(part), says })));
    flow.replaceChildren(...flows(stages[step], stages, axes, name, words));
    folded.show(() => [
      stages.map((each, i) => [
        String(i + 1),
        name(each.part),
        each.inputs.map(product).join(words.join),
        product(each.output),
      ]),
    ]);
  });
}

export default { render };
