// The words of the prompt: arrow keys walk, a digit marks the word and goes on to the next, Enter says that all others
// are as the first mark says. Only then is the question answered: an unmarked word may also be one not looked at.
import { labelOf, printed } from "../keys.js";

const words = (question) => [...question.querySelectorAll(".word")];
const field = (question) => question.querySelector("input[type=hidden]");
const unableOf = (question) => question.querySelector(".answer-choice--unable input");
const names = (question) => [...question.querySelectorAll(".mark-name .label")].map((label) => label.textContent.trim());
const marks = (question) => words(question).map((word) => word.dataset.code).join("");
const at = (question) => Math.max(0, words(question).findIndex((word) => word.tabIndex === 0));

function show(question) {
  const [labels, said] = [names(question), question.dataset.said];
  for (const word of words(question)) {
    word.setAttribute("aria-label", said.replace("{word}", word.textContent).replace("{mark}", labels[word.dataset.code]));
  }
  question.querySelector(".rest").setAttribute("aria-pressed", String(field(question).value !== ""));
}

function set(question, word, code) {
  word.dataset.code = code;
  if (unableOf(question)) unableOf(question).checked = false;
  if (field(question).value !== "") field(question).value = marks(question);
  show(question);
}

function walk(question, to, focus = true) {
  const all = words(question);
  const place = Math.max(0, Math.min(to, all.length - 1));
  all.forEach((word, i) => (word.tabIndex = i === place ? 0 : -1));
  if (focus) all[place].focus();
}

function confirm(question) {
  if (unableOf(question)) unableOf(question).checked = false;
  field(question).value = marks(question);
  show(question);
}

function unable(question) {
  unableOf(question).checked = true;
  field(question).value = "";
  for (const word of words(question)) word.dataset.code = 0;
  show(question);
}

export const marking = {
  isAnswered: (question) => field(question).value !== "" || Boolean(unableOf(question)?.checked),
  spoken(question) {
    if (unableOf(question)?.checked) return labelOf(unableOf(question));
    const labels = names(question);
    const told = words(question).filter((word) => word.dataset.code !== "0");
    return told.map((word) => `${word.textContent}: ${labels[word.dataset.code]}`).join(", ") || labels[0];
  },
  draw(question) {
    for (const other of question.querySelectorAll(".words select, .without-script")) other.remove();
    const stored = field(question).value;
    if (stored) words(question).forEach((word, i) => (word.dataset.code = stored[i]));
    walk(question, at(question), false);
    show(question);
  },
  enter: (question) => walk(question, at(question)),
  key(question, event, hands) {
    const key = printed(event);
    const isMark = /^[1-9]$/.test(key) && Number(key) <= names(question).length;
    const isUnable = key === "0" && unableOf(question);
    const forward = getComputedStyle(question.querySelector(".words")).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    const isWalk = ["ArrowLeft", "ArrowRight"].includes(key);
    const isEnter = key === "Enter" && !event.target.matches("a, summary, .send, textarea");
    const isBack = key === "Backspace" && field(question).value !== "";
    if (!isMark && !isUnable && !isWalk && !isEnter && !isBack) return false;
    if (isWalk) {
      event.preventDefault();
      walk(question, at(question) + (key === forward ? 1 : -1));
      return true;
    }
    if (!hands.lets(event)) return true;
    event.preventDefault();
    hands.changed(question);
    if (isMark) {
      set(question, words(question)[at(question)], Number(key) - 1);
      walk(question, at(question) + 1);
    } else if (isBack) {
      field(question).value = "";
      show(question);
    } else if (isUnable) {
      unable(question);
    } else {
      if (!unableOf(question)?.checked) confirm(question);
      hands.confirmed(question);
    }
    return true;
  },
  click(question, event, hands) {
    const word = event.target.closest(".word");
    if (word) {
      walk(question, words(question).indexOf(word), false);
      set(question, word, (Number(word.dataset.code) + 1) % names(question).length);
    } else if (event.target.closest(".rest")) {
      confirm(question);
      hands.confirmed(question);
    } else if (event.target === unableOf(question)) {
      if (event.target.checked) unable(question);
      else show(question);
    }
  },
};
