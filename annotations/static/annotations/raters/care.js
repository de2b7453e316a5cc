// Images that stay blurred until somebody asks to see them, and a break that is proposed after a while.
const stage = document.getElementById("stage");
const veil = document.getElementById("veil");
const rest = document.getElementById("break");
const ANSWERS = ".answer-choice, .word, .rest, .kind, .place, .order-tools, .take-back, .comment, .send";
const AWAY_MS = 15 * 60 * 1000; // after so long without a sign of life the time at work begins again

// --- blur -----------------------------------------------------------------------------------------------------------
function cover() {
  stage.classList.add("is-blurred");
  veil.hidden = false;
}

function reveal() {
  stage.classList.remove("is-blurred");
  veil.hidden = true;
}

const isCovered = () => stage.classList.contains("is-blurred");

// Every key that could answer a question of some kind: digits and letters, what takes back, moves or sends.
function isAnswerKey({ key, target, ctrlKey, metaKey, altKey }) {
  if (ctrlKey || metaKey || altKey || target.closest("header, dialog, .flag")) return false;
  if (key === "Enter") return !target.closest("button, a, summary");
  return key.length === 1 ? !" vuz?".includes(key.toLowerCase()) : /^(Backspace|Arrow)/.test(key);
}

function guard(event) {
  const isAnswer = event.type === "keydown" ? isAnswerKey(event) : event.target.closest(ANSWERS);
  if (!isCovered() || !isAnswer) return;
  event.preventDefault();
  event.stopImmediatePropagation(); // what nobody has seen cannot be answered
  veil.querySelector("button").focus();
}

if (veil) {
  let token = stage.querySelector(".card").dataset.token;
  new MutationObserver(() => {
    const now = stage.querySelector(".card")?.dataset.token;
    if (now && now !== token) {
      token = now;
      cover();
    }
  }).observe(stage, { childList: true, subtree: true });
  veil.querySelector("button").addEventListener("click", reveal);
  document.addEventListener("keydown", guard, { capture: true });
  document.addEventListener("click", guard, { capture: true });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "v" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!event.target.matches("textarea, input[type=text]")) isCovered() ? reveal() : cover();
  });
}

// --- break ----------------------------------------------------------------------------------------------------------
if (rest) {
  const key = `evalsite-at-work-${rest.dataset.study}`;
  const read = () => JSON.parse(sessionStorage.getItem(key) ?? "null");
  const look = () => {
    const now = Date.now();
    const before = read();
    const since = before && now - before.last < AWAY_MS ? before.since : now;
    sessionStorage.setItem(key, JSON.stringify({ since, last: now }));
    rest.hidden = now - since < rest.dataset.minutes * 60 * 1000;
  };
  rest.querySelector("button[type=button]").addEventListener("click", () => {
    sessionStorage.setItem(key, JSON.stringify({ since: Date.now(), last: Date.now() }));
    rest.hidden = true;
  });
  rest.addEventListener("submit", () => sessionStorage.removeItem(key));
  document.addEventListener("keydown", look);
  document.addEventListener("click", look);
  look();
}
