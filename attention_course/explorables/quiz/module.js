import { button, change, choices, element, rich, stage, watch } from "../kit.js";

// Whether the answer (-1: none yet) is right.
export const compute = ({ options, answer }) => ({ right: Boolean(options[answer]?.right) });

function render({ model, el }) {
  const words = model.get("words");
  const options = model.get("options");
  let picked = -1;
  const texts = options.map((option) => option.text);
  const choice = choices(model.get("question"), texts, (i) => (picked = i));
  const feedback = element("p", { role: "status" });
  const check = button(words.check, () => {
    if (picked < 0) feedback.replaceChildren(words.choose);
    else change(model, { answer: picked });
  });
  choice.root.append(element("div", { class: "ac-answer" }, check, feedback));
  stage(model, el, choice.root);
  return watch(model, el, () => {
    const answer = model.get("answer");
    const { right } = compute({ options, answer });
    picked = answer;
    choice.show(answer);
    choice.rows.forEach((row, i) => {
      if (i === answer) row.root.dataset.tone = right ? "good" : "bad";
      else delete row.root.dataset.tone;
    });
    if (answer < 0) return feedback.replaceChildren();
    const verdict = element("b", {}, right ? `✓ ${words.right}` : `✗ ${words.wrong}`);
    feedback.replaceChildren(verdict, ...rich(options[answer].why));
  });
}

export default { render };
