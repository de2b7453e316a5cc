// A comment: Enter goes on, Shift and Enter begin a line, Escape leaves the text.
const SHORT = 40;
const textOf = (question) => question.querySelector("textarea");
const unableOf = (question) => question.querySelector("input[type=checkbox]");

export const comment = {
  isOptional: (question) => !("required" in question.dataset),
  isAnswered: (question) =>
    comment.isOptional(question) || textOf(question).value.trim() !== "" || Boolean(unableOf(question)?.checked),
  spoken(question) {
    const text = textOf(question).value.trim();
    return text.length > SHORT ? `${text.slice(0, SHORT)}…` : text;
  },
  enter: (question) => textOf(question).focus({ preventScroll: true }),
  key(question, event, hands) {
    if (event.target !== textOf(question)) return false;
    if (event.key === "Escape") question.closest(".card").querySelector(".prompt").focus({ preventScroll: true });
    if (event.key !== "Enter" || event.shiftKey) return true;
    event.preventDefault();
    if (hands.lets(event)) hands.confirmed(question);
    return true;
  },
  click(question, event) {
    if (event.target === unableOf(question) && event.target.checked) textOf(question).value = "";
  },
  input(question) {
    if (unableOf(question)) unableOf(question).checked = false;
  },
};
