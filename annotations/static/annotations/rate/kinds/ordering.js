// Questions that put the images of a card in order: letters from the best to the worst, or the best and the worst alone.
// The places are kept in the select of each image, as the form without a script has them.
import { printed } from "../keys.js";

const BEST = "0";
const NEITHER = "1";
const WORST = "2";

const isRanking = (question) => question.dataset.ordering === "ranking";
const selectsOf = (question) => [...question.closest(".card").querySelectorAll(`select[name^="${question.dataset.name}-"]`)];
const unableOf = (question) => question.querySelector("input[type=checkbox]");
const tieOf = (question) => question.querySelector("[data-act=tie]");
const isPlaced = (select) => select.value !== "";
const letterOf = (select) => select.closest(".place").querySelector("kbd").textContent;
const nameOf = (select) => select.selectedOptions[0].textContent.trim();

// The letters in each place, the best first.
function groups(question) {
  const found = new Map();
  for (const select of selectsOf(question).filter(isPlaced)) {
    const level = Number(select.value);
    found.set(level, [...(found.get(level) || []), select]);
  }
  const byTurn = (selects) => selects.sort((a, b) => Number(a.dataset.turn ?? 0) - Number(b.dataset.turn ?? 0));
  return [...found].sort(([a], [b]) => a - b).map(([, selects]) => byTurn(selects));
}

// In words: "C > A = B", or "best: C, worst: A".
function spoken(question) {
  if (unableOf(question)?.checked) return question.querySelector(".answer-choice--unable .label").textContent.trim();
  if (isRanking(question)) {
    return groups(question).map((group) => group.map(letterOf).join(" = ")).join(" > ");
  }
  const told = selectsOf(question).filter((select) => [BEST, WORST].includes(select.value));
  told.sort((a, b) => Number(a.value) - Number(b.value));
  return told.map((select) => `${nameOf(select)}: ${letterOf(select)}`).join(", ");
}

const isOrdered = (question) => unableOf(question)?.checked || selectsOf(question).every(isPlaced);

const hasPlaces = (question) => selectsOf(question).some(isPlaced);

function draw(question) {
  for (const select of selectsOf(question)) {
    const place = select.closest(".place");
    const isShown = isPlaced(select) && (isRanking(question) || select.value !== NEITHER);
    place.classList.toggle("is-placed", isShown);
    place.querySelector(".label").textContent = isShown ? nameOf(select) : "";
  }
  const soFar = question.querySelector(".so-far");
  const text = spoken(question);
  if (soFar.textContent !== text) soFar.textContent = text;
}

function setTie(question, on) {
  tieOf(question)?.setAttribute("aria-pressed", String(on));
}

// The next image tied with the last one placed.
function tie(question) {
  if (!isRanking(question) || !hasPlaces(question) || isOrdered(question)) return;
  setTie(question, tieOf(question).getAttribute("aria-pressed") !== "true");
}

// One more image placed; true where this answered the question.
function place(question, select) {
  if (unableOf(question)?.checked) unableOf(question).checked = false;
  const all = selectsOf(question);
  if (isPlaced(select)) return false;
  const placed = all.filter(isPlaced);
  select.dataset.turn = placed.length;
  if (isRanking(question)) {
    const isTied = tieOf(question).getAttribute("aria-pressed") === "true";
    select.value = String(groups(question).length - (isTied ? 1 : 0));
    setTie(question, false);
  } else if (!placed.length) {
    select.value = BEST;
  } else {
    select.value = WORST;
    for (const other of all) if (!isPlaced(other)) other.value = NEITHER;
  }
  draw(question);
  return isOrdered(question);
}

// The image that a letter names; null for any other key.
const named = (question, event) => selectsOf(question).find((select) => letterOf(select) === printed(event)) ?? null;

// Take back the last image placed; false where none is.
function takeBack(question) {
  const unable = unableOf(question);
  if (unable?.checked) {
    unable.checked = false;
    draw(question);
    return true;
  }
  const all = selectsOf(question);
  const placed = all.filter(isPlaced);
  if (!placed.length) return false;
  if (tieOf(question)?.getAttribute("aria-pressed") === "true") {
    setTie(question, false);
    return true;
  }
  if (isRanking(question)) {
    const turn = (select) => Number(select.dataset.turn ?? select.value);
    placed.sort((a, b) => Number(a.value) - Number(b.value) || turn(a) - turn(b));
    placed.at(-1).value = "";
  } else {
    const isWhole = all.some((select) => select.value === WORST);
    for (const select of all) if (select.value !== BEST || !isWhole) select.value = "";
  }
  draw(question);
  return true;
}

function cannot(question) {
  for (const select of selectsOf(question)) select.value = "";
  setTie(question, false);
  unableOf(question).checked = true;
  draw(question);
}

// What its images are answered with lies outside the question, under each image.
export function orderingOf(card, element) {
  const name = element.closest(".place").querySelector("select").name.replace(/-\d+$/, "");
  return card.querySelector(`.ordering[data-name="${name}"]`);
}

// An image has been given its place, or all that could be said has been.
function put(question, act, hands) {
  hands.changed(question);
  if (act() && !isRanking(question)) hands.answered(question);
}

export const ordering = {
  isAnswered: isOrdered,
  spoken,
  draw,
  key(question, event, hands) {
    const key = printed(event);
    const select = named(question, event);
    const isBack = key === "Backspace" && (hasPlaces(question) || unableOf(question)?.checked);
    const isUnable = key === "0" && Boolean(unableOf(question));
    if (!select && !isBack && !isUnable && key !== "=") return false;
    if (!hands.lets(event)) return true;
    event.preventDefault();
    if (isBack) takeBack(question);
    else if (key === "=") tie(question);
    else if (isUnable) put(question, () => cannot(question) ?? true, hands);
    else put(question, () => place(question, select), hands);
    return true;
  },
  click(question, event, hands) {
    const inPlace = event.target.closest(".place button");
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (inPlace) put(question, () => place(question, inPlace.closest(".place").querySelector("select")), hands);
    else if (act === "tie") tie(question);
    else if (act === "back") takeBack(question);
    else if (event.target === unableOf(question)) {
      if (event.target.checked) put(question, () => cannot(question) ?? true, hands);
      else draw(question);
    }
  },
};
