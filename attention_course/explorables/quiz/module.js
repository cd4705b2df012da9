import { button, change, choices, element, fill, rich, stage, summary, watch } from "../kit.js";

// How many of the answers (-1: none yet) are right.
export function compute({ items, answers }) {
  const right = items.map(({ options }, i) => Boolean(options[answers[i]]?.right));
  return { right, count: right.filter(Boolean).length };
}

function questionOf(model, words, item, index) {
  let picked = -1;
  const texts = item.options.map((option) => option.text);
  const feedback = element("p", { role: "status" });
  const choice = choices(`${index + 1}. ${item.question}`, texts, (i) => (picked = i));
  const check = button(words.check, () => {
    if (picked < 0) {
      feedback.replaceChildren(words.choose);
      return;
    }
    change(model, { answers: model.get("answers").map((old, i) => (i === index ? picked : old)) });
  });
  choice.root.append(element("div", { class: "ac-answer" }, check, feedback));
  let shown = -1;
  const show = (answer) => {
    if (answer === shown) return;
    shown = answer;
    picked = answer;
    choice.show(answer);
    choice.rows.forEach((row, i) => {
      if (i === answer) row.root.dataset.tone = item.options[i].right ? "good" : "bad";
      else delete row.root.dataset.tone;
    });
    const option = item.options[answer];
    if (!option) return feedback.replaceChildren();
    const verdict = element("b", {}, option.right ? `✓ ${words.right}` : `✗ ${words.wrong}`);
    feedback.replaceChildren(verdict, ...rich(option.why));
  };
  return { root: choice.root, show };
}

function render({ model, el }) {
  const words = model.get("words");
  const items = model.get("items");
  const questions = items.map((item, i) => questionOf(model, words, item, i));
  const sentence = summary(1);
  stage(model, el, ...questions.map((question) => question.root), sentence.root);
  return watch(model, el, () => {
    const answers = model.get("answers");
    questions.forEach((question, i) => question.show(answers[i]));
    sentence.say(
      fill(words.count, { count: compute({ items, answers }).count, all: items.length }),
    );
  });
}

export default { render };
