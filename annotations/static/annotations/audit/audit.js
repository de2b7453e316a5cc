// An auditing page in the browser: one question after another by single keys, errors listed and marked, every answer
// saved as it is given. Without this script the same forms post and the server leads on.
import "../../evalsite/dialog.js";
import { activeTime } from "../active_time.js";
import { errorList } from "./list.js";
import { auditPictures } from "./picture.js";
import { startDelivery } from "../delivery.js";
import { answerDoor } from "../door.js";
import { noticeLine } from "../notice.js";
import { sidesOf } from "../rate/sides.js";
import { countWindows } from "../windows.js";

// "Not there" of one question is "not there" of the next and "nothing more" at the end: a bounce of the one key must
// not be the other answer, be it on the next page.
const TWICE_MS = 400;
const LAST_KEY = "evalsite-last-key";
const END = "end";

const byId = (id) => document.getElementById(id);
const page = byId("audit");
const words = page.dataset;
const form = byId("answers");
const asks = [...form.querySelectorAll(".ask")];
const missed = byId("missed");
const end = byId("end");
const problem = page.querySelector(".problem");
const said = byId("said");
const status = byId("status");
const outbox = `evalsite-audit-${words.outbox}`;
const decides = words.stage === "decide";
let active = -1; // the question that keys answer; asks.length once all are answered
let leaving = ""; // "seal" or "finish" while what was answered is on its way
let reloads = false;

const time = activeTime();
const door = answerDoor(page, noticeLine(byId("notice")), words);
const atEnd = () => active >= asks.length;

// --- the image ------------------------------------------------------------------------------------------------------
const pictures = auditPictures(page.querySelector(".look"), {
  mayDraw: () => list !== null && atEnd() && door.isOpen,
  zoomed: (scale) => {
    byId("zoom").setAttribute("aria-pressed", String(scale > 1));
    said.textContent = `${scale}×`;
  },
  marking: (on) => {
    byId("mark")?.setAttribute("aria-pressed", String(on));
    if (on) said.textContent = words.marking;
  },
  at: (place) => {
    said.textContent = list.say(place);
  },
  marked: (mark, place) => list.marked(mark, place),
});

const sides = sidesOf(page.querySelector(".look"), {
  swiped: ".canvas",
  isBusy: () => pictures.isZoomed() || pictures.isMarking(),
});
sides.begin(page.querySelector(".look"));

// Whether this press may answer: the images are there, and both of a pair have been in view.
function lets(event) {
  if (!door.lets(event)) return false;
  if (sides.areSeen()) return true;
  event.preventDefault();
  tell(words.otherFirst);
  return false;
}

// --- sending --------------------------------------------------------------------------------------------------------
const delivery = startDelivery({
  ...words,
  tell(kind, n) {
    const text = words[kind].replaceAll("{n}", n);
    status.dataset.kind = kind;
    if (status.textContent !== text) status.textContent = text; // a screen reader would say it again
  },
  taken(entry, { outcome }) {
    if (entry.question !== END || !entry.url.includes(words.token)) return;
    reloads = false;
    const address = entry.then === "seal" ? words.here : words.next;
    window.location.assign(outcome === "late" ? `${address}&late=1` : address);
  },
  refused(_, text) {
    leaving = "";
    tell(text);
  },
  empty() {
    if (leaving) submit();
    else if (reloads) window.location.reload();
  },
});
const send = (entry) => delivery.add(outbox, entry);

function tell(text) {
  problem.textContent = text;
  problem.hidden = !text;
  if (text) problem.scrollIntoView({ block: "nearest" });
}

// The end itself goes through the outbox, too: without a network it waits as every answer does.
function submit() {
  const body = new URLSearchParams(new FormData(form));
  body.delete("csrfmiddlewaretoken");
  body.set("then", leaving);
  if (decides) body.set("active_ms", String(time.ms()));
  leaving = "";
  send({ url: new URL(form.action).pathname, question: END, then: body.get("then"), body: body.toString() });
}

function save(ask) {
  if (decides) return;
  const body = new URLSearchParams();
  ask.querySelectorAll("input:checked").forEach((input) => body.set(input.name, input.value));
  body.set("active_ms", String(time.ms()));
  send({ url: new URL(form.action).pathname, question: ask.dataset.name, body: body.toString() });
}

// --- questions ------------------------------------------------------------------------------------------------------
const chosen = (ask) => ask.querySelector(":scope > .options input:checked");

function followUp(ask) {
  const value = chosen(ask)?.value;
  const isTrue = value === "right" || value === "partly";
  return [...ask.querySelectorAll(".more")].find((more) => {
    return more.dataset.for === value || (more.dataset.for === "true" && isTrue);
  });
}

function isDone(ask) {
  const more = followUp(ask);
  return chosen(ask) !== null && !(more && "required" in more.dataset && !more.querySelector("input:checked"));
}

function summary(ask) {
  const labels = [chosen(ask), followUp(ask)?.querySelector("input:checked")].filter(Boolean);
  return labels.map((input) => input.closest("label").querySelector(".label").textContent).join(" · ");
}

function activate(index, { focus = true } = {}) {
  active = Math.max(0, Math.min(index, asks.length));
  if (!decides) time.restart(); // a decision is one answer, sent whole at its end
  asks.forEach((ask, i) => {
    const done = isDone(ask);
    ask.classList.toggle("is-active", i === active);
    ask.classList.toggle("is-given", done);
    ask.classList.toggle("is-ahead", !done && i > active && ask.classList.contains("ask--claim"));
    const line = ask.querySelector(".given-line");
    if (!line) return;
    line.hidden = i === active || !done;
    line.querySelector(".given-text").textContent = done ? summary(ask) : "";
  });
  page.classList.toggle("is-at-end", atEnd());
  nameEnd();
  const target = atEnd() ? missed || end : asks[active];
  if (focus) target.focus({ preventScroll: true });
  if (focus) target.scrollIntoView({ block: "nearest" });
}

const firstOpen = () => {
  const index = asks.findIndex((ask) => !isDone(ask));
  return index < 0 ? asks.length : index;
};

function advance() {
  const next = asks.findIndex((ask, i) => i > active && !isDone(ask));
  activate(next >= 0 ? next : firstOpen());
}

function choose(ask, input) {
  const isMore = input.closest(".more") !== null;
  input.checked = true;
  if (!isMore) ask.querySelectorAll(".more input").forEach((other) => (other.checked = false));
  ask.classList.remove("is-open");
  tell("");
  save(ask);
  active = asks.indexOf(ask);
  const more = followUp(ask);
  if (isMore || !more) advance();
  else {
    asks.forEach((other, i) => other.classList.toggle("is-active", i === active));
    more.scrollIntoView({ block: "nearest" });
  }
}

// --- the end --------------------------------------------------------------------------------------------------------
// What the last button says is true: that nothing was missed is said once the last question is reached.
function nameEnd() {
  if (!missed || words.ended) return;
  const isNear = atEnd() || (active === asks.length - 1 && asks.some(isDone));
  const isListed = list && (!list.isEmpty() || list.hasWords());
  end.querySelector(".label").textContent = isListed ? words.enough : isNear ? words.nothing : words.later;
}

function leave() {
  const open = firstOpen();
  if (open < asks.length) {
    activate(open);
    tell(words.missingAnswer);
    return;
  }
  if (list?.hasWords()) list.add();
  leaving = end.value;
  if (delivery.mine().length) delivery.flush();
  else submit();
}

const list = byId("add") ? errorList(page, { words, pictures, send, tell, changed: () => nameEnd() }) : null;

// --- keys and pointers ----------------------------------------------------------------------------------------------
function bounces(key) {
  const last = JSON.parse(sessionStorage.getItem(LAST_KEY) || "{}");
  return key === last.key && Date.now() - last.at < TWICE_MS;
}

function noteKey(key) {
  sessionStorage.setItem(LAST_KEY, JSON.stringify({ key, at: Date.now() }));
}

// Undefined where the key answers nothing.
function answerTo(key) {
  if (atEnd()) return undefined;
  const more = followUp(asks[active]);
  const within = /^[0-9]$/.test(key) ? more : asks[active].querySelector(":scope > .options");
  return within?.querySelector(`input[data-key="${key}"]`);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (pictures.key(event)) return;
  if (event.target.matches("input:not([type=radio]), select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const key = event.key.toLowerCase();
  if (event.repeat && !event.key.startsWith("Arrow")) {
    if (!["tab", " ", "pagedown", "pageup"].includes(key)) event.preventDefault(); // a held key is pressed once
    return;
  }
  const input = answerTo(key);
  if (input) {
    event.preventDefault();
    // All elements are in view from the beginning; a claim is not before the one above it is judged.
    const isFresh = asks[active].classList.contains("ask--claim") || active === 0;
    if (!lets(event) || (isFresh && bounces(key))) return;
    choose(asks[active], input);
    noteKey(key);
  } else if (event.key === "Enter" && !event.target.matches("a, button, summary")) {
    event.preventDefault();
    if (!lets(event)) return;
    if (!atEnd() && isDone(asks[active])) advance();
    else if (atEnd() && decides) leave();
  } else if (event.key === "Backspace" || key === "u") {
    event.preventDefault();
    if (active > 0) activate(active - 1);
    else page.querySelector(".back")?.click();
  } else if (key === "z") {
    pictures.zoom();
  } else if (key === "h" && list) {
    list.toggleMarks();
  } else if (key === "a" && list) {
    event.preventDefault();
    list.write();
  } else if (key === "m" && list) {
    event.preventDefault();
    if (door.isOpen) pictures.start();
  } else if (key === "n" && atEnd()) {
    event.preventDefault();
    if (!lets(event) || bounces(key)) return;
    noteKey(key);
    leave();
  } else if (event.key === "?") {
    byId("help").showModal();
  } else if (pictures.isZoomed() && event.key.startsWith("Arrow") && !event.target.matches("input")) {
    event.preventDefault();
    const moves = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };
    pictures.pan(...moves[event.key]);
  }
});

form.addEventListener("click", (event) => {
  const isOption = event.target.closest(".option") !== null;
  if (isOption && !lets(event)) return;
  const closed = event.target.closest(".ask:not(.is-active)");
  if (closed && !event.target.closest("input")) activate(asks.indexOf(closed));
  const input = event.target.closest("input[type=radio]");
  if (!input) return;
  const ask = input.closest(".ask");
  // A click that an arrow key makes has no detail: walking through the choices saves, and does not move on.
  if (event.detail > 0 || event.pointerType) choose(ask, input);
  else save(ask);
});
end.addEventListener("click", (event) => lets(event));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (lets(event)) leave();
});
byId("zoom").addEventListener("click", () => pictures.zoom());

document.documentElement.classList.add("has-script");
byId("zoom").hidden = false;
reloads = delivery.mine().some((entry) => entry.url.includes(words.token));
// From the top at first; who comes back goes on where they stopped.
activate(firstOpen(), { focus: asks.some(isDone) });
if (!asks.some(isDone)) page.querySelector(asks.length ? ".ask.is-active" : ".prompt").focus({ preventScroll: true });
door.openFor(pictures.probes(), { isNew: false, seen: pictures.refresh });
delivery.start();
countWindows(outbox, (n) => (byId("windows").hidden = n === 0));
