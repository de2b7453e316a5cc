// Any number of choices, each switched on and off by its key; "none of these" and "unable" go with nothing else.
import { labelOf, printed } from "../keys.js";

const inputs = (question) => [...question.querySelectorAll("input")];
const isAlone = (input) => input.value !== "1";

function settle(question, input) {
  if (!input.checked) return;
  for (const other of inputs(question)) if (other !== input && (isAlone(input) || isAlone(other))) other.checked = false;
}

export const many = {
  isAnswered: (question) => inputs(question).some((input) => input.checked),
  spoken: (question) => inputs(question).filter((input) => input.checked).map(labelOf).join(", "),
  key(question, event, hands) {
    if (event.key === "Enter") {
      if (!many.isAnswered(question)) return false;
      if (!hands.lets(event)) return true;
      event.preventDefault();
      hands.confirmed(question);
      return true;
    }
    const input = question.querySelector(`input[data-key="${CSS.escape(printed(event))}"]`);
    if (!input) return false;
    if (!hands.lets(event)) return true;
    event.preventDefault();
    input.checked = !input.checked;
    settle(question, input);
    hands.changed(question);
    return true;
  },
  click(question, event) {
    if (event.target.matches("input")) settle(question, event.target);
  },
};
