// Starts an explorable in its element, which holds its still picture, with the module at `address`.
// Anywidget's model is stood in for by a small one that keeps the state in the page.
//
// The still stays in sight until the module has drawn, however long that takes, and comes back with
// a sentence above it when something goes wrong, then or later. What `render` returns is called
// when the element leaves the page; when it returns, the module draws again.
(el, state, address) => {
  const still = el.firstElementChild;
  const listeners = new Map();
  const tell = (event) => [...(listeners.get(event) || [])].forEach((listener) => listener());
  const model = {
    get: (key) => state[key],
    set: (key, value) => {
      if (state[key] === value) return;
      state[key] = value;
      tell(`change:${key}`);
      tell("change");
    },
    save_changes: () => {},
    on: (event, listener) => listeners.set(event, [...(listeners.get(event) || []), listener]),
    off: (event, listener) => {
      const rest = (listeners.get(event) || []).filter((other) => listener && other !== listener);
      listeners.set(event, rest);
    },
  };

  let place = null;
  let cleanUp = null;
  const stop = () => {
    const undo = cleanUp;
    place?.remove();
    place = cleanUp = null;
    delete el.dataset.ready;
    if (!still.isConnected) el.append(still);
    undo?.();
  };
  const fail = (error) => {
    if (el.dataset.error) return;
    el.dataset.error = String(error);
    const problem = document.createElement("p");
    problem.className = "ac-problem";
    problem.setAttribute("role", "alert");
    problem.textContent = state.words.problem.replace("{error}", () => error);
    el.prepend(problem);
    el.style.height = "";
    stop();
  };
  const draw = async () => {
    const mine = (place = document.createElement("div"));
    mine.className = "ac-stage";
    mine.dataset.waiting = "true";
    el.style.height = el.style.getPropertyValue(el.clientWidth < 600 ? "--narrow" : "--wide");
    el.append(mine);
    try {
      const { default: explorable } = await import(address);
      const undo = await explorable.render({ model, el: mine });
      if (mine !== place) return undo?.();
      cleanUp = undo;
      const focused = still.contains(document.activeElement);
      delete mine.dataset.waiting;
      still.remove();
      el.style.height = "";
      el.dataset.ready = "true";
      if (focused) mine.querySelector("input, button, summary")?.focus({ preventScroll: true });
    } catch (error) {
      if (mine === place) fail(error);
    }
  };

  // What goes wrong in a handler, a timer or a promise is known by the module that it comes from,
  // and among those that share a module by which one the reader used last.
  const use = () => (el.used = performance.now());
  for (const event of ["pointerdown", "keydown", "input", "click"]) {
    el.addEventListener(event, use, true);
  }
  const alike = () => [...document.querySelectorAll(`[data-module="${el.dataset.module}"]`)];
  const blame = (error, file = "") => {
    if (!place || !(`${error?.stack}`.includes(`${address}:`) || file === address)) return;
    if (alike().every((other) => !(other.used > (el.used || 0)))) fail(error);
  };
  addEventListener("error", (event) => blame(event.error, event.filename));
  addEventListener("unhandledrejection", (event) => blame(event.reason));
  // An observer of sizes is told, too, when its element leaves the page and when it comes back.
  new ResizeObserver(() => {
    if (!el.isConnected && place) stop();
    else if (el.isConnected && !place && !el.dataset.error) draw();
  }).observe(el);
  return draw();
};
