// Yes or no to each part of the prompt. What depends on a "no" folds away, is not answered, and not asked.
import { levels } from "./levels.js";

const all = (question) => [...question.closest(".parts").querySelectorAll(".part")];

function fold(question) {
  const parts = all(question);
  for (const part of parts) {
    const after = part.dataset.after.split(" ").filter(Boolean);
    part.hidden = after.some((place) => parts[place].hidden || parts[place].querySelector("input[value=n]").checked);
    if (part.hidden) for (const input of part.querySelectorAll("input:checked")) input.checked = false;
  }
}

export const parts = {
  ...levels,
  draw: fold,
  key: (question, event, hands) => levels.key(question, event, { ...hands, answered: () => answered(question, hands) }),
  click: (question, event, hands) =>
    levels.click(question, event, { ...hands, answered: () => answered(question, hands) }) ?? fold(question),
};

function answered(question, hands) {
  fold(question);
  hands.answered(question);
}
