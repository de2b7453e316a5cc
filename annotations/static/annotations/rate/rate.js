// The rating card in the browser: answers by key, touch or mouse, and the next card at once. Without this script the
// same form posts and the server leads on.
import "../../evalsite/dialog.js";
import { activeTime } from "../active_time.js";
import { startDelivery } from "../delivery.js";
import { answerDoor } from "../door.js";
import { noticeLine } from "../notice.js";
import { cardDeck } from "./deck.js";
import { sidesOf } from "./sides.js";
import { TAPPED_AGAIN } from "./kinds.js";
import { answering } from "./answering.js";
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
let isStale = false;
let isOver = false; // the study has closed, or this rater's part in it has ended
let telling = null; // the timer that shows the answer just given

const time = activeTime();
const notice = noticeLine(byId("notice"));
const door = answerDoor(stage, notice, words, TAPPED_AGAIN);
const pictures = ratePictures(stage, {
  widths: words.widths.split(" ").map(Number),
  enlarged: words.enlarged,
  said: byId("said"),
});

const sides = sidesOf(stage, { swiped: ".frame", isBusy: () => pictures.isZoomed });
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
  taken(entry, { outcome, cards, feedback, is_over: ended }) {
    if (entry.key.startsWith(`${outbox}/`)) isOver ||= Boolean(ended);
    isStale ||= outcome === "late";
    if (feedback) notice.show(feedback);
    if (entry.key.startsWith(`${outbox}/`)) deck.receive(cards);
  },
  // The server refuses what was offered: show the card with the reason.
  refused: (entry) => window.location.assign(entry.url.replace("/answer/", "/card/")),
  empty() {
    // An answer came too late: others have been given the cards that this window still holds. The page says so, as it
    // does where no card will come any more.
    if (isStale || isOver) window.location.assign(words.home);
    else if (deck.isWaiting) deck.fetchAhead();
  },
});

const deck = cardDeck(stage, {
  ...words,
  waits,
  prepare: pictures.prepare,
  isEmpty: () => !delivery.mine().length,
  over() {
    isOver = true;
    if (!delivery.mine().length) window.location.assign(words.home);
  },
  shown: (options) => answers.begin(options),
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
const answers = answering(stage, {
  card: () => deck.card,
  door,
  pictures,
  sides,
  words,
  seen() {
    shownAt = performance.now();
    time.restart();
    viewing.restart();
  },
  opened: tellProgress,
  send,
  back(event) {
    const isKey = event.type === "keydown"; // a click goes where its link leads
    const went = goBack();
    if (went || isKey) event.preventDefault();
    if (!went && isKey) window.location.assign(deck.card.querySelector(".back").href);
  },
});

function send(said) {
  const form = deck.card;
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
  pictures.reset();
  deck.advance();
  clearTimeout(telling);
  telling = setTimeout(tellAnswer, AFTER_MS, said);
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
else answers.begin();
tellProgress();
delivery.start();
deck.fetchAhead();
countWindows(outbox, (n) => (byId("windows").hidden = n === 0));
