// Called where it stands, right after the explorable's element: starts the module on this page.
// Anywidget's model is stood in for by a small one that keeps the state in the page.
async (id, state, source, [wide, narrow]) => {
  const here = document.currentScript && document.currentScript.parentElement;
  const find = (scope) => scope && scope.querySelector(`[id="${id}"]`);
  const el = find(here) || find(document);
  const still = [...el.childNodes];
  still.forEach((node) => (node.hidden = true));
  el.style.minHeight = `${el.clientWidth < 600 ? narrow : wide}px`;

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

  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  try {
    const { default: explorable } = await import(url);
    explorable.render({ model, el });
    el.dataset.ready = "true";
  } catch (error) {
    const problem = document.createElement("p");
    problem.className = "ac-problem";
    problem.setAttribute("role", "alert");
    problem.textContent = state.words.problem.replace("{error}", error);
    still.forEach((node) => (node.hidden = false));
    el.replaceChildren(problem, ...still);
    el.dataset.error = String(error);
  } finally {
    URL.revokeObjectURL(url);
    el.style.minHeight = "";
  }
};
