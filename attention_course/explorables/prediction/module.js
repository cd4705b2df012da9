import { button, change, choices, element, fill, rich, stage, watch } from "../kit.js";

// Where the guess is kept while the reader stays: some pages forbid it, then it is not kept.
function kept(key) {
  const name = `ac-guess:${key}`;
  const attempt = (action) => {
    try {
      return action();
    } catch {
      return null;
    }
  };
  return {
    load: () => Number(attempt(() => sessionStorage.getItem(name)) ?? -1),
    save: (guess) => attempt(() => sessionStorage.setItem(name, guess)),
  };
}

// The result card that answers the question: the first of its name further down the page.
const findCard = (el, card) =>
  [...document.querySelectorAll("[data-claim],[data-measure]")].find(
    (node) =>
      [node.dataset.claim, node.dataset.measure].includes(card) &&
      el.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING,
  );

// Keeps the guess beside the result card; in a notebook the card may come only later.
function besideCard(el, card) {
  const note = element("p", { class: "ac-guess" });
  let waiting = null;
  const stop = () => {
    if (waiting) waiting.disconnect();
    waiting = null;
  };
  const place = () => {
    const node = findCard(el, card);
    if (node) {
      stop();
      node.append(note);
    }
    return Boolean(node);
  };
  const show = (nodes) => {
    note.replaceChildren(...nodes);
    if (!nodes.length) {
      stop();
      note.remove();
    } else if (!note.isConnected && !place() && !waiting) {
      waiting = new MutationObserver(place);
      waiting.observe(document.body, { childList: true, subtree: true });
    }
  };
  return { show, stop };
}

function render({ model, el }) {
  const words = model.get("words");
  const options = model.get("options");
  const store = kept(model.get("key"));
  let picked = -1;
  const choice = choices(model.get("question"), options, (i) => (picked = i));
  const told = element("p", { role: "status" });
  const commit = button("", () => {
    if (model.get("guess") >= 0) change(model, { guess: -1 });
    else if (picked >= 0) change(model, { guess: picked });
    else told.replaceChildren(words.choose);
  });
  const card = besideCard(el, model.get("card"));
  choice.root.append(element("div", { class: "ac-answer" }, commit, told));
  stage(model, el, choice.root);
  const before = store.load();
  if (model.get("guess") < 0 && options[before]) change(model, { guess: before });
  const unwatch = watch(model, el, () => {
    const guess = model.get("guess");
    const done = guess >= 0;
    store.save(guess);
    if (done) {
      picked = guess;
      choice.show(guess);
    }
    choice.rows.forEach(({ input }) => (input.disabled = done));
    commit.textContent = done ? words.again : words.commit;
    const said = done ? rich(fill(words.your_guess, { guess: options[guess] })) : [];
    told.replaceChildren(...said, ...(done ? [element("br"), words.compare] : []));
    if (model.get("card")) card.show(said.map((node) => node.cloneNode?.(true) ?? node));
  });
  return () => {
    unwatch();
    card.stop();
  };
}

export default { render };
