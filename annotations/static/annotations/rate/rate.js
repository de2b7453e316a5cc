// The rating card in the browser: answers by key, touch or mouse, and the next card at once. Without this script the
// same form posts and the server leads on.
import "../../evalsite/dialog.js";
import { activeTime } from "../active_time.js";
import { startDelivery } from "../delivery.js";
import { answerDoor } from "../door.js";
import { noticeLine } from "../notice.js";
import { cardDeck } from "./deck.js";
import { kindOf, TAPPED_AGAIN } from "./kinds.js";
import { printed } from "./keys.js";
import { orderingOf } from "./kinds/ordering.js";
import { ratePictures } from "./pictures.js";
import { viewingOf } from "./viewing.js";
import { countWindows } from "../windows.js";

const byId = (id) => document.getElementById(id);
const stage = byId("stage");
const words = stage.dataset;
const echo = byId("echo");
const status = byId("status");
const bar = byId("progress");
const barText = byId("progress-text");
const outbox = `evalsite-outbox-${words.outbox}`;
const fill = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const paces = []; // milliseconds for each of the last cards
const AFTER_MS = 50; // by then the next card is painted: what can wait does not delay it
let shownAt = performance.now();
let active = 0; // the question that keys answer
let isStale = false;
let isByKey = false; // whether the last thing pressed was a key
let telling = null; // the timer that shows the answer just given

const time = activeTime();
const notice = noticeLine(byId("notice"));
const door = answerDoor(stage, notice, words, TAPPED_AGAIN);
const pictures = ratePictures(stage, {
  widths: words.widths.split(" ").map(Number),
  enlarged: words.enlarged,
  said: byId("said"),
});

const viewing = viewingOf(pictures, () => deck.images());

// --- sending --------------------------------------------------------------------------------------------------------
const addressOf = (token) => words.answer.replace("TOKEN", token);
const waits = (token) => delivery.mine().find((entry) => entry.url.endsWith(addressOf(token)));

const delivery = startDelivery({
  ...words,
  tell(kind, n) {
    const text = fill(words[kind], { n });
    status.dataset.kind = kind;
    if (status.textContent !== text) status.textContent = text; // a screen reader would say it again
  },
  fields: (entry) => (entry.key.startsWith(`${outbox}/`) ? deck.wanted() : null),
  taken(entry, { outcome, cards, feedback }) {
    isStale ||= outcome === "late";
    if (feedback) notice.show(feedback);
    if (entry.key.startsWith(`${outbox}/`)) deck.receive(cards);
  },
  // The server refuses what was offered: show the card with the reason.
  refused: (entry) => window.location.assign(entry.url.replace("/answer/", "/card/")),
  empty() {
    // An answer came too late: others have been given the cards that this window still holds. The page says so.
    if (isStale) window.location.assign(words.home);
    else if (deck.isWaiting) deck.fetchAhead();
  },
});

const deck = cardDeck(stage, {
  ...words,
  waits,
  prepare: pictures.prepare,
  isEmpty: () => !delivery.mine().length,
  shown: begin,
  stuck(isOffline) {
    door.close();
    tellProgress();
    setTimeout(() => deck.isWaiting && notice.show(words.nothingHere, tryAgain), isOffline ? 0 : 1000);
    if (isOffline) setTimeout(() => deck.isWaiting && tryAgain(), 3000);
  },
});

function tryAgain() {
  delivery.flush();
  deck.fetchAhead();
}

// --- the card in view -----------------------------------------------------------------------------------------------
const questions = () => [...deck.card.querySelectorAll(".question:not([hidden])")];
const isAnswered = (question) => kindOf(question).isAnswered(question);

// A card has come into view.
function begin({ isNew = true } = {}) {
  questions().forEach((question) => kindOf(question).draw?.(question));
  activate(questions().findIndex((question) => !isAnswered(question)));
  door.openFor(deck.images(), {
    isNew,
    seen() {
      shownAt = performance.now();
      time.restart();
      viewing.restart();
      const prompt = deck.card.querySelector(".prompt");
      prompt.tabIndex = prompt.scrollHeight > prompt.clientHeight ? 0 : -1; // what scrolls can be scrolled by keyboard
      pictures.begin();
      pictures.fit();
    },
    opened() {
      stage.classList.remove("is-opening");
      tellProgress();
    },
  });
}

function mark(index) {
  const all = questions();
  active = Math.max(0, Math.min(index, all.length - 1));
  all.forEach((question, i) => question.classList.toggle("is-active", i === active && all.length > 1));
}

function activate(index) {
  mark(index);
  const question = questions()[active];
  if (questions().length > 1) question.scrollIntoView({ block: "nearest" });
  const typing = document.activeElement;
  if (!typing.matches(".question :is(textarea, .range, .word), .layer .mark") || question.contains(typing)) return;
  deck.card.querySelector(".prompt").focus({ preventScroll: true }); // its keys are no longer meant for it
}

// As `activate`, and what is typed goes there. Not by touch: a keyboard would open over the card.
function enter(index) {
  activate(index);
  if (isByKey) kindOf(questions()[active]).enter?.(questions()[active]);
}

// --- answering ------------------------------------------------------------------------------------------------------
const hands = {
  lets: (event) => door.lets(event),
  isOpen: () => door.isOpen,
  isOnly: () => questions().length === 1,
  answered,
  changed(question) {
    tellProblem("");
    mark(questions().indexOf(question));
  },
  // The answer is as it is meant to be: on to the next question, or to the next card.
  confirmed(question) {
    if (questions().every(isAnswered)) complete();
    else answered(question);
  },
};

function answered(question) {
  tellProblem("");
  const all = questions();
  if (all.length === 1) {
    complete();
    return;
  }
  const here = all.indexOf(question);
  const next = all.findIndex((other, i) => i > here && !isAnswered(other));
  const any = all.findIndex((other) => !isAnswered(other));
  enter(next >= 0 ? next : any >= 0 ? any : here);
}

function complete() {
  const form = deck.card;
  const open = questions().findIndex((question) => !isAnswered(question));
  if (open >= 0) {
    enter(open);
    tellProblem(words.missingAnswer);
    return;
  }
  const shownMs = performance.now() - shownAt;
  const body = new URLSearchParams(new FormData(form));
  body.delete("csrfmiddlewaretoken");
  body.delete("shown_at");
  body.set("seen", viewing.told());
  const isRevision = form.dataset.answered === "true";
  delivery.add(outbox, {
    url: new URL(form.action).pathname,
    body: body.toString(),
    shownMs: Math.round(shownMs),
    activeMs: time.ms(),
    isRevision,
  });
  if (!isRevision) {
    bar.value += 1;
    paces.push(shownMs);
    if (paces.length > 10) paces.shift();
  }
  form.dataset.answered = "true";
  const said = questions().map((question) => kindOf(question).spoken(question));
  pictures.reset();
  deck.advance();
  clearTimeout(telling);
  telling = setTimeout(tellAnswer, AFTER_MS, said.filter(Boolean).join(" · "));
}

function goBack() {
  pictures.reset();
  const went = deck.back();
  if (went) {
    clearTimeout(telling);
    echo.hidden = true;
  }
  return went;
}

function tellProblem(text) {
  const problem = deck.card.querySelector(".problem");
  problem.textContent = text;
  problem.hidden = !text;
}

function tellAnswer(said) {
  echo.querySelector(".answer").textContent = said;
  echo.hidden = false;
  echo.classList.remove("is-fading");
  void echo.offsetWidth;
  echo.classList.add("is-fading");
}

function tellProgress() {
  let text = fill(words.progress, { answered: bar.value, total: bar.max });
  if (paces.length >= 3) {
    const sorted = [...paces].sort((a, b) => a - b);
    const left = (sorted[Math.floor(sorted.length / 2)] * (bar.max - bar.value)) / 60000;
    text += ` · ${left < 1 ? words.soon : fill(words.left, { minutes: Math.round(left) })}`;
  }
  barText.textContent = text;
}

// --- keys and pointers ----------------------------------------------------------------------------------------------
const PANS = { arrowleft: [-1, 0], arrowright: [1, 0], arrowup: [0, -1], arrowdown: [0, 1] };

document.addEventListener("pointerdown", () => (isByKey = false), true);
document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  isByKey = true;
  const isTyping = event.target.matches("textarea, select, input[type=range], input[type=number]");
  const own = event.target.closest(".question");
  const key = printed(event).toLowerCase();
  if (isTyping && !own && !(key === "s" && event.target.matches(".slider"))) return; // which opened this slider
  const onRadio = event.target.matches("input[type=radio]");
  const isArrow = key in PANS;
  const question = (isTyping && own) || questions()[active];
  if (event.repeat && !isArrow && !event.target.matches("textarea")) {
    if (/^([0-9a-z=]|enter|backspace)$/.test(key)) event.preventDefault(); // a held key is pressed once
    return;
  }
  const pans = isArrow && pictures.isZoomed; // then arrow keys are the picture's
  if (question && !pans && kindOf(question).key?.(question, event, hands)) return;
  if (event.target.matches("textarea")) return;
  if (key === "backspace" || key === "u") {
    event.preventDefault();
    if (!goBack()) window.location.assign(deck.card.querySelector(".back").href);
  } else if (key === "enter" && !event.target.matches("a, button, summary")) {
    if (!door.lets(event)) return;
    event.preventDefault();
    complete();
  } else if (key === "z") {
    pictures.zoom();
  } else if (key === "r") {
    pictures.zoomReference();
  } else if (key === "s") {
    pictures.overlay();
  } else if (key === "?") {
    byId("help").showModal();
  } else if (isArrow && !onRadio && pictures.isZoomed) {
    event.preventDefault();
    pictures.pan(...PANS[key]);
  } else if (["arrowdown", "arrowup"].includes(key) && !onRadio && questions().length > 1) {
    if (event.target.matches(".prompt[tabindex='0']")) return; // there it scrolls
    event.preventDefault();
    enter(active + (key === "arrowdown" ? 1 : -1));
  } else if (["arrowleft", "arrowright"].includes(key) && !onRadio) {
    if (moveToPicture(key === "arrowright" ? 1 : -1)) event.preventDefault();
  }
});

function moveToPicture(step) {
  const all = [...deck.card.querySelectorAll(".picture")];
  const here = all.findIndex((picture) => picture.contains(questions()[active]));
  const question = all[here + step]?.querySelector(".question");
  if (question) enter(questions().indexOf(question));
  return Boolean(question);
}

stage.addEventListener("click", (event) => {
  if (event.target.closest(".back") && goBack()) event.preventDefault();
  if (event.target.closest(".question :is(input, button), .answer-choice, .send, .place") && !door.lets(event)) return;
  const place = event.target.closest(".place");
  const question = place ? orderingOf(deck.card, place) : event.target.closest(".question");
  if (!question) return;
  hands.changed(question);
  kindOf(question).click?.(question, event, hands);
});
stage.addEventListener("input", (event) => {
  const question = event.target.closest(".question");
  if (!question) return;
  tellProblem("");
  if (door.isOpen || event.target.matches("textarea")) kindOf(question).input?.(question, event);
  else kindOf(question).draw?.(question); // it has not been seen yet
});
stage.addEventListener("focusin", (event) => {
  const layer = event.target.closest(".layer"); // of places on a picture
  const field = layer && deck.card.querySelector(`input[name="${CSS.escape(layer.dataset.of)}"]`);
  const question = (field || event.target).closest(".question");
  if (question) mark(questions().indexOf(question));
});
stage.addEventListener("submit", (event) => {
  if (event.submitter?.matches(".skip-card")) return; // the form itself goes there
  event.preventDefault();
  if (door.lets(event)) complete();
});
byId("undo").addEventListener("click", (event) => {
  if (goBack()) event.preventDefault();
});

// --- the first card -------------------------------------------------------------------------------------------------
document.documentElement.classList.add("has-script");
stage.classList.add("is-opening");
bar.value += delivery.mine().filter((entry) => entry.key.startsWith(`${outbox}/`) && !entry.isRevision).length;
const onItsWay = waits(deck.card.dataset.token);
const isPassed = onItsWay && window.location.pathname === words.home;
if (onItsWay) deck.pass(onItsWay, { isShown: !isPassed });
if (isPassed) door.close();
else begin();
tellProgress();
delivery.start();
deck.fetchAhead();
countWindows(outbox, (n) => (byId("windows").hidden = n === 0));
