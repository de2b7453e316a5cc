// Keys on a practice or quiz card: digits answer the first open question, Enter sends. Without this script the form
// works by Tab, the arrow keys and Enter.
const form = document.querySelector("#stage .card");
const questions = [...form.querySelectorAll(".question")];
const isAnswered = (question) => question.querySelector("input:checked") !== null;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.matches("textarea, select, input[type=range]")) return;
  const question = questions.find((one) => !isAnswered(one)) ?? questions.at(-1);
  const input = /^[0-9]$/.test(event.key) ? question?.querySelector(`input[data-key="${event.key}"]`) : null;
  if (input) {
    event.preventDefault();
    input.checked = true;
    (questions.find((one) => !isAnswered(one))?.querySelector("input") ?? form.querySelector(".send")).focus();
  }
});
