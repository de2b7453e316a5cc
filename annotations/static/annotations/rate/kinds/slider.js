// A value on a line with two worded ends. It has no starting position: nothing is there before it is set, by a press
// on the line, by arrow keys, or by typing the value. The form's field is a number, as it is without a script.
import { labelOf, printed } from "../keys.js";

const TYPED_MS = 1500; // digits typed within this time are one number
const rangeOf = (question) => question.querySelector(".range");
const numberOf = (question) => question.querySelector("input[type=number]");
const unableOf = (question) => question.querySelector("input[type=checkbox]");
let typed = { question: null, text: "", at: 0 };

function draw(question) {
  const [range, value] = [rangeOf(question), numberOf(question).value];
  range.hidden = false;
  range.classList.toggle("is-unset", value === "");
  if (value !== "") range.value = value;
  range.setAttribute("aria-valuetext", value === "" ? range.dataset.unset : value);
  question.querySelector(".shown").textContent = "showsValue" in question.dataset ? value : "";
}

// The nearest step of a value that may lie beyond the ends; "" takes it back.
function set(question, value) {
  const range = rangeOf(question);
  if (value !== "") {
    if (unableOf(question)) unableOf(question).checked = false;
    range.value = Number(value); // the browser keeps it within the ends and on a step
  }
  numberOf(question).value = value === "" ? "" : range.value;
  draw(question);
}

function step(question, by, to) {
  const { min, max, step: width } = rangeOf(question);
  const middle = Number(min) + Math.round((max - min) / width / 2) * width;
  const value = numberOf(question).value;
  if (to !== undefined) set(question, to);
  else set(question, value === "" ? middle : Number(value) + by * width);
}

function type(question, character, now) {
  const { min, max } = rangeOf(question);
  const before = typed.question === question && now - typed.at < TYPED_MS ? typed.text : "";
  const fits = (text) => Number(text) <= Number(max) && (Number(text) >= Number(min) || text.length < max.length);
  const text = fits(before + character) ? before + character : character;
  typed = { question, text, at: now };
  if (text !== "-" && Number(text) >= Number(min)) set(question, text);
}

const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 };

export const slider = {
  isAnswered: (question) => numberOf(question).value !== "" || Boolean(unableOf(question)?.checked),
  spoken: (question) => (unableOf(question)?.checked ? labelOf(unableOf(question)) : numberOf(question).value),
  draw,
  enter: (question) => rangeOf(question).focus({ preventScroll: true }),
  key(question, event, hands) {
    const key = printed(event);
    const isUp = ["ArrowUp", "ArrowDown"].includes(key) && hands.isOnly(question);
    const isKnown =
      key in STEPS || isUp || ["Home", "End"].includes(key) || /^[0-9.,-]$/.test(key) || (key === "X" && unableOf(question));
    const isBack = key === "Backspace" && slider.isAnswered(question);
    const isOn = key === "Enter" && slider.isAnswered(question);
    if (!isKnown && !isBack && !isOn) return false;
    if (!(hands.isOpen() && key in STEPS) && !hands.lets(event)) return true; // a held arrow key goes on
    event.preventDefault();
    if (isOn) hands.confirmed(question);
    else if (isBack) back(question, event.timeStamp);
    else if (key === "X") unable(question, true);
    else if (key in STEPS) step(question, STEPS[key]);
    else if (isUp) step(question, key === "ArrowUp" ? 1 : -1);
    else if (key === "Home") step(question, 0, rangeOf(question).min);
    else if (key === "End") step(question, 0, rangeOf(question).max);
    else type(question, key === "," ? "." : key, event.timeStamp);
    if (!isOn) hands.changed(question);
    return true;
  },
  // A press where the line's own value lies changes nothing there, but is still an answer.
  click(question, event) {
    if (event.target === rangeOf(question)) set(question, rangeOf(question).value);
    if (event.target === unableOf(question)) unable(question, event.target.checked);
  },
  input(question, event) {
    if (event.target === rangeOf(question)) set(question, rangeOf(question).value);
  },
};

function unable(question, on) {
  unableOf(question).checked = on;
  if (on) set(question, "");
}

function back(question, now) {
  if (unableOf(question)?.checked) {
    unable(question, false);
    return;
  }
  const text = typed.question === question && now - typed.at < TYPED_MS ? typed.text.slice(0, -1) : "";
  typed = { question, text, at: now };
  set(question, text);
}
