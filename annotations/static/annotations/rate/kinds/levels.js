// One of several levels, each with its key.
import { labelOf, printed } from "../keys.js";

const chosen = (question) => question.querySelector("input:checked");

export const levels = {
  isAnswered: (question) => chosen(question) !== null,
  spoken: (question) => labelOf(chosen(question)),
  key(question, event, hands) {
    const input = question.querySelector(`input[data-key="${CSS.escape(printed(event))}"]`);
    if (!input) return false;
    if (!hands.lets(event)) return true;
    event.preventDefault();
    input.checked = true;
    hands.answered(question);
    return true;
  },
  click(question, event, hands) {
    if (!event.target.matches("input")) return;
    // A click that an arrow key makes has no detail: walking through the choices must not send one.
    if (event.detail > 0 || event.pointerType) hands.answered(question);
  },
};
