import { button, change, choices, element, fill, rich, setText, stage, watch } from "../kit.js";

const [OPEN, SKIP, READ] = [0, 1, 2];

// How many questions are answered, how many of them right, and what to do with each section: an
// answer that is not right sends the reader there.
export function compute({ sections, questions, answers }) {
  const right = questions.map(({ options }, i) => Boolean(options[answers[i]]?.right));
  const advice = sections.map((_, section) => {
    const mine = questions.map((_, i) => i).filter((i) => questions[i].section === section);
    if (mine.some((i) => answers[i] >= 0 && !right[i])) return READ;
    return mine.every((i) => right[i]) ? SKIP : OPEN;
  });
  return {
    answered: answers.filter((answer) => answer >= 0).length,
    right: right.filter(Boolean).length,
    advice,
  };
}

function render({ model, el }) {
  const words = model.get("words");
  const sections = model.get("sections");
  const questions = model.get("questions");
  const last = questions.length - 1;
  // All questions lie on one another, so that the tallest gives the room and nothing jumps.
  const asked = questions.map(({ question, options }, i) => {
    const texts = [...options.map((option) => option.text), words.unsure];
    return choices(question, texts, (choice) =>
      change(model, { answers: model.get("answers").map((old, j) => (j === i ? choice : old)) }),
    );
  });
  const progress = element("p", { class: "ac-progress-text" });
  const told = element("p", { class: "ac-told", role: "status" });
  const go = (step) => () => change(model, { at: model.get("at") + step });
  const back = button(words.back, go(-1));
  const next = button(words.next, go(1));
  const again = button(words.again, () => change(model, { at: 0, answers: answers() }));
  const answers = () => questions.map(() => -1);
  const advice = sections.map(() => element("b"));
  const rows = sections.map((name, i) =>
    element("li", {}, element("span", {}, ...rich(name)), advice[i]),
  );
  const result = element("p", { class: "ac-route-head" });
  stage(
    model,
    el,
    progress,
    element("div", { class: "ac-deck" }, ...asked.map((each) => each.root)),
    told,
    element("div", { class: "ac-buttons" }, back, next, again),
    result,
    element("ul", { class: "ac-route" }, ...rows),
  );
  return watch(model, el, () => {
    const at = model.get("at");
    const given = model.get("answers");
    const found = compute({ sections, questions, answers: given });
    setText(progress, fill(words.progress, { number: at + 1, count: questions.length }));
    asked.forEach(({ root, rows: options, show }, i) => {
      root.classList.toggle("ac-away", i !== at);
      show(given[i]);
      options.forEach((row, k) => {
        // The first answer counts: what is known after the explanation was not known before.
        row.input.disabled = given[i] >= 0;
        const right = questions[i].options[k]?.right;
        if (given[i] === k) row.root.dataset.tone = right ? "good" : "bad";
        else delete row.root.dataset.tone;
      });
    });
    back.disabled = at === 0;
    next.disabled = at === last;
    const { options } = questions[at];
    const answer = given[at];
    const correct = options.find((option) => option.right);
    if (answer < 0) told.replaceChildren();
    else if (options[answer]?.right) {
      told.replaceChildren(element("b", {}, `✓ ${words.right}`), " ", ...rich(correct.why));
    } else {
      const why = options[answer] ? options[answer].why : correct.why;
      told.replaceChildren(element("b", {}, `✗ ${words.wrong}`), " ", ...rich(why));
    }
    const left = questions.length - found.answered;
    const known = { right: found.right, count: questions.length, left };
    setText(result, fill(left ? words.so_far : words.done, known));
    rows.forEach((row, i) => {
      row.dataset.advice = found.advice[i];
      setText(advice[i], [words.open, words.skip, words.read][found.advice[i]]);
    });
  });
}

export default { render };
