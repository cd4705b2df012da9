import {
  button,
  change,
  clamp,
  dot,
  drag,
  element,
  fill,
  glide,
  leaders,
  mix,
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
  toggle,
  watch,
} from "../kit.js";

const KEYS = ["query", "key", "value", "scale"];
const SIDE = 340;
const STEP = 0.1;

export function compute({ query, key, value, scale }) {
  const products = key.map((each) => dot(query, each));
  const logits = products.map((product) => (scale ? product / Math.sqrt(query.length) : product));
  const weights = softmax(logits);
  return { products, logits, weights, output: mix(weights, value) };
}

// The corners of the smallest convex shape around the points, in order (Andrew's monotone chain).
function hull(points) {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const turn = (o, a, b) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
  const half = (list) => {
    const chain = [];
    for (const point of list) {
      while (chain.length > 1 && turn(chain.at(-2), chain.at(-1), point) <= 0) chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.reverse())];
}

const reach = (points) =>
  Math.max(1, Math.ceil(2.6 * Math.max(...points.flat().map(Math.abs))) / 2);

// A square with axes from −radius to radius. `at` turns a point into the drawing's coordinates.
function plane(radius, attributes) {
  const unit = SIDE / 2 / radius;
  const at = ([x, y]) => [SIDE / 2 + x * unit, SIDE / 2 - y * unit];
  const step = Math.ceil(radius / 4);
  const grid = [];
  for (let line = -Math.floor(radius / step) * step; line <= radius; line += step) {
    const kind = line ? "ac-grid" : "ac-axis";
    const [x, y] = at([line, line]);
    grid.push(shape("path", { class: kind, d: `M${x} 0V${SIDE}M0 ${y}H${SIDE}` }));
  }
  const root = shape("svg", { class: "ac-drawing", viewBox: `0 0 ${SIDE} ${SIDE}`, ...attributes });
  root.append(...grid);
  const point = (event) => {
    const box = root.getBoundingClientRect();
    const along = (offset, size) => ((2 * offset) / size - 1) * radius;
    return [
      along(event.clientX - box.left, box.width),
      -along(event.clientY - box.top, box.height),
    ];
  };
  return { root, at, unit, point };
}

// The width of a label never changes, and asking for it while moving would hold up the page.
const widths = new Map();
function widthOf(label) {
  if (!widths.get(label)) widths.set(label, label.getComputedTextLength());
  return widths.get(label);
}

// A label just beyond the end of an arrow, kept inside the drawing: where it would leave at the
// side it moves above or below the end instead.
function placeLabel(label, [x, y], [dx, dy], gap = 16) {
  const length = Math.hypot(dx, dy) || 1;
  const wide = widthOf(label);
  const middle = x + (dx / length) * (gap + wide / 2);
  const inside = clamp(middle, wide / 2 + 4, SIDE - wide / 2 - 4);
  const moved = Math.abs(middle - inside) > 2;
  const rise = moved ? (dy < 0 ? -1 : 1) * (gap + 6) : (dy / length) * (gap + 2);
  set(label, { x: inside, y: clamp(y - rise + 5, 15, SIDE - 6) });
}

// An arrow from the origin whose tip can be dragged, or moved with the arrow keys.
function arrow(space, radius, name, kind, move, pick) {
  const line = shape("line", { x1: SIDE / 2, y1: SIDE / 2, "stroke-linecap": "round" });
  const head = shape("path", { class: "ac-arrowhead" });
  const label = shape("text", {}, name);
  const handle = shape(
    "g",
    {
      class: "ac-handle",
      tabindex: "0",
      role: "slider",
      "aria-label": name,
      "aria-valuemin": -radius,
      "aria-valuemax": radius,
    },
    shape("circle", { class: "ac-target", r: 22 }),
    shape("circle", { class: "ac-ring", r: 11 }),
  );
  let now = [0, 0];
  const place = (point) => {
    const snap = (value) => Math.round(clamp(value, -radius, radius) / STEP) * STEP;
    now = point.map((value) => Number(snap(value).toFixed(4))); // two keys may come in one frame
    move(now);
  };
  drag(handle, (event) => {
    pick();
    place(space.point(event));
  });
  // A finger on a tip moves the tip, anywhere else on the drawing it scrolls the page. Browsers
  // heed `touch-action` on a whole drawing only, not on a shape in it.
  handle.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  handle.addEventListener("focus", pick);
  handle.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (!way[event.key]) return;
    event.preventDefault();
    const size = event.shiftKey ? 5 * STEP : STEP;
    place(now.map((value, axis) => value + size * way[event.key][axis]));
  });
  const body = shape("g", { class: `ac-arrow ac-${kind}` }, line, head, label);
  const show = (point, width, spoken) => {
    now = point;
    const [x, y] = space.at(point);
    const length = Math.hypot(...point) * space.unit;
    const size = Math.min(length, 7 + 1.6 * width);
    const [ux, uy] = length ? [(x - SIDE / 2) / length, (y - SIDE / 2) / length] : [0, 0];
    const [bx, by] = [x - ux * size, y - uy * size];
    const half = size * 0.5;
    set(line, { x2: bx, y2: by, "stroke-width": width });
    set(head, {
      d: `M${x} ${y}L${bx - uy * half} ${by + ux * half}L${bx + uy * half} ${by - ux * half}Z`,
    });
    set(handle, {
      transform: `translate(${x} ${y})`,
      "aria-valuenow": number(point[0], 1).replace("−", "-"),
      "aria-valuetext": spoken,
    });
    placeLabel(label, [x, y], point);
  };
  return { body, handle, show };
}

function keysPlane(model, words, radius, pick) {
  const tokens = model.get("tokens");
  const space = plane(radius, { role: "group", "aria-label": words.keys_plane });
  const ray = shape("path", { class: "ac-ray" });
  const drops = tokens.map(() => shape("path", { class: "ac-drop" }));
  const feet = tokens.map(() => shape("circle", { class: "ac-foot", r: 3.5 }));
  const keys = tokens.map((token, i) =>
    arrow(
      space,
      radius,
      token,
      "key",
      (point) => {
        change(model, { key: model.get("key").map((old, j) => (i === j ? point : old)) });
      },
      () => pick(i + 1),
    ),
  );
  const query = arrow(
    space,
    radius,
    words.query,
    "query",
    (point) => {
      change(model, { query: point });
    },
    () => pick(0),
  );
  const all = [...keys, query];
  space.root.append(
    ray,
    ...drops,
    ...feet,
    ...all.map((each) => each.body),
    ...all.map((each) => each.handle),
  );
  const show = (state, { products, weights }, picked) => {
    const size = Math.hypot(...state.query);
    const direction = size ? state.query.map((x) => x / size) : [0, 0];
    const far = direction.map((x) => 2 * radius * x);
    const ends = [far, far.map((x) => -x)].map(space.at);
    set(ray, { d: `M${ends[0]}L${ends[1]}` });
    const spoken = ([x, y]) => fill(words.at, { x: number(x, 1), y: number(y, 1) });
    state.key.forEach((key, i) => {
      const foot = size ? direction.map((x) => (x * products[i]) / size) : [0, 0];
      const [x, y] = space.at(foot);
      set(drops[i], { d: `M${space.at(key)}L${x} ${y}` });
      set(feet[i], { cx: x, cy: y });
      keys[i].show(key, 1.5 + 7 * weights[i], spoken(key));
      set(keys[i].body, { "stroke-opacity": 0.4 + 0.6 * weights[i] });
    });
    query.show(state.query, 3, spoken(state.query));
    all.forEach((each, i) =>
      each.handle.classList.toggle("ac-picked", (i + 1) % all.length === picked),
    );
  };
  return { root: space.root, show };
}

function valuesPlane(model, words, radius) {
  const tokens = model.get("tokens");
  const space = plane(radius, { role: "img", "aria-label": words.values_plane });
  const area = shape("polygon", { class: "ac-hull" });
  const pulls = tokens.map(() => shape("line", { class: "ac-pull" }));
  const dots = tokens.map(() => shape("circle", { class: "ac-value-dot" }));
  const labels = tokens.map((token) => shape("text", {}, token));
  const output = shape("circle", { class: "ac-output-dot", r: 8 });
  const name = shape("text", { class: "ac-output-name" }, words.output);
  space.root.append(area, ...pulls, ...dots, output, ...labels, name);
  const show = ({ value }, { weights, output: mixed }) => {
    const [x, y] = space.at(mixed);
    set(area, { points: hull(value).map(space.at).join(" ") });
    value.forEach((each, i) => {
      const [vx, vy] = space.at(each);
      set(pulls[i], { x1: vx, y1: vy, x2: x, y2: y, "stroke-width": 0.5 + 8 * weights[i] });
      set(dots[i], { cx: vx, cy: vy, r: Math.max(3, 20 * Math.sqrt(weights[i])) });
      placeLabel(labels[i], [vx, vy], each, 8 + 20 * Math.sqrt(weights[i]));
    });
    set(output, { cx: x, cy: y });
    // Values are named on their outer side: here the inner one is free.
    placeLabel(name, [x, y], mixed.some(Boolean) ? mixed.map((number) => -number) : [0, 1]);
  };
  return { root: space.root, show };
}

function render({ model, el }) {
  const words = model.get("words");
  const tokens = model.get("tokens");
  const start = read(model, ["query", "key", "scale"]);
  const radius = reach([start.query, ...start.key]);
  let picked = 0;
  let refresh = () => {};
  const pick = (which) => {
    if (which === picked) return;
    picked = which;
    refresh();
  };
  const left = keysPlane(model, words, radius, pick);
  const right = valuesPlane(model, words, reach(model.get("value")));

  const lines = tokens.map((token) => {
    const product = element("span", { class: "ac-output" });
    const logit = element("span", { class: "ac-output" });
    const bar = element("i");
    const share = element("span", { class: "ac-output" });
    const track = element("span", { class: "ac-track" }, bar);
    const weight = element("span", { class: "ac-weight" }, track, share);
    const name = element("b", {}, token);
    return { cells: [name, product, logit, weight], product, logit, bar, share };
  });
  const heads = [words.key, words.product, "", words.weight].map((text) =>
    element("span", {}, text),
  );
  const list = element(
    "div",
    { class: "ac-scores-list" },
    ...heads,
    ...lines.flatMap((line) => line.cells),
  );

  const axes = ["x", "y"].map((name, axis) =>
    slider({
      name,
      label: name,
      min: -radius,
      max: radius,
      step: STEP,
      onchange: (value) => {
        const moved = (point) => point.map((old, i) => (i === axis ? value : old));
        if (picked === 0) change(model, { query: moved(model.get("query")) });
        else
          change(model, { key: model.get("key").map((k, i) => (i === picked - 1 ? moved(k) : k)) });
      },
    }),
  );
  const chosen = element("span", { class: "ac-chosen" });
  const scale = toggle(words.scale, (on) => {
    glide(el);
    change(model, { scale: on });
  });
  const reset = button(words.reset, () => {
    glide(el);
    change(model, start);
  });
  const sentence = summary();
  const table_ = table(words.table, [
    words.token,
    words.key,
    words.product,
    words.logit,
    words.weight,
    words.value,
  ]);
  const folded = numbers(words, [table_]);
  const figure = (view, title) =>
    element("figure", {}, element("figcaption", {}, title), view.root);
  stage(
    model,
    el,
    element(
      "div",
      { class: "ac-planes" },
      figure(left, words.keys_plane),
      figure(right, words.values_plane),
    ),
    element("div", { class: "ac-controls" }, chosen, axes[0].root, axes[1].root),
    element("div", { class: "ac-controls" }, scale.root, reset),
    list,
    sentence.root,
    folded.root,
  );
  const draw = () => {
    const state = read(model, KEYS);
    const result = compute(state);
    const { products, logits, weights, output } = result;
    left.show(state, result, picked);
    right.show(state, result);
    const point = picked ? state.key[picked - 1] : state.query;
    const name = picked ? tokens[picked - 1] : words.query;
    setText(chosen, name);
    axes.forEach((axis, i) => {
      axis.show(point[i], number(point[i], 1));
      set(axis.input, { "aria-label": `${name} ${axis.title.textContent}` });
      axis.root.dataset.tone = picked ? "blue" : "orange";
    });
    scale.show(state.scale);
    setText(heads[2], state.scale ? `${words.product} / √2` : "");
    lines.forEach((line, i) => {
      setText(line.product, number(products[i]));
      setText(line.logit, state.scale ? number(logits[i]) : "");
      line.bar.style.width = `${100 * weights[i]}%`;
      setText(line.share, percent(weights[i]));
    });
    const ahead = leaders(tokens, weights, words);
    const product = number(Math.max(...products));
    sentence.say(fill(ahead.several ? words.most_shared : words.most, { ...ahead, product }));
    const pair = ([x, y], digits = 2) => `(${number(x, digits)}, ${number(y, digits)})`;
    folded.show(() => [
      [
        [words.query, pair(state.query), "", "", "", ""],
        ...tokens.map((token, i) => [
          token,
          pair(state.key[i]),
          number(products[i], 4),
          number(logits[i], 4),
          number(weights[i], 4),
          pair(state.value[i]),
        ]),
        [words.output, "", "", "", "", pair(output, 4)],
      ],
    ]);
  };
  refresh = draw;
  return watch(model, el, draw);
}

export default { render };
