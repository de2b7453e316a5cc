// Sends what waits in the outboxes of the person who is signed in, whatever the study, in the order in which it was
// given; again and again until the server has it.
import { add as keep, remove, waiting } from "./outbox.js";

const LIMIT_MS = 10000; // a request that takes longer hangs
const SOON_MS = 300; // the first new try: a hiccup is not worth a word
const AFTER_MS = 50; // an answer is kept at once and sent when the next card is painted
const LONGEST_MS = 30000;

// Who is signed in (empty: nobody) and a token for what they send, as the server knows it now.
export async function signedIn(session) {
  const response = await fetch(session, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(LIMIT_MS) });
  if (!response.ok) throw new Error(response.statusText);
  const { user, csrf } = await response.json();
  return { user: String(user ?? ""), csrf };
}

// user, csrf, session: who is signed in, their token, and the address that gives a fresh one.
// tell(kind, n): "sending", "offline" or "stopped" with what still waits, and "saved". fields(entry): what else to send.
// taken(entry, reply), refused(entry, problem), empty(): what came of an entry, and of all.
export function startDelivery({ user, csrf, session, tell, fields, taken, refused, empty }) {
  let isSending = false;
  let failures = 0;
  let timer = null;
  let hasTold = false;
  let hasAdded = false;
  let isOffline = false; // the last that was said

  const mine = () => waiting().filter((entry) => entry.user === user);

  function say(kind) {
    hasTold = true;
    isOffline = kind === "offline";
    tell(kind, mine().length);
  }

  async function post(entry) {
    const agoMs = Math.max(0, Date.now() - entry.answeredAt);
    const body = new URLSearchParams(entry.body);
    const more = { answered_ms_ago: agoMs };
    // A card of the rating page. It asks for no further cards, unless the page that shows it does.
    if ("shownMs" in entry) Object.assign(more, { shown_ms_ago: agoMs + entry.shownMs, active_ms: entry.activeMs, n: 0 });
    Object.assign(more, fields?.(entry));
    for (const [name, value] of Object.entries(more)) body.set(name, value);
    return fetch(entry.url, {
      method: "POST",
      body,
      headers: { Accept: "application/json", "X-CSRFToken": csrf },
      redirect: "manual",
      signal: AbortSignal.timeout(LIMIT_MS),
    });
  }

  // Signed out, or signed in again, which makes the page's token stale.
  const isShutOut = (response) => response.status === 403 || response.type === "opaqueredirect";

  async function freshToken() {
    const now = await signedIn(session);
    if (now.user !== user) return false;
    csrf = now.csrf;
    return true;
  }

  // "sent", "passed" (this one fails: go on with the others), or what stops all: "offline", "stopped".
  async function send(entry) {
    let response = await post(entry);
    if (isShutOut(response)) {
      if (!(await freshToken())) return "stopped";
      response = await post(entry);
      if (isShutOut(response)) return "stopped";
    }
    const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
    if (isJson && (response.ok || response.status === 400 || response.status === 404)) {
      const reply = await response.json();
      remove(entry);
      if (response.ok) await taken?.(entry, reply);
      else refused(entry, reply.problem);
      return "sent";
    }
    return response.status >= 400 && response.status < 500 && response.status !== 429 ? "passed" : "offline";
  }

  async function sendAll() {
    const passed = new Set();
    const next = () => mine().find((entry) => !passed.has(entry.key));
    for (let entry = next(); entry; entry = next()) {
      let outcome;
      try {
        outcome = await send(entry);
      } catch (error) {
        outcome = error.name === "TimeoutError" ? "hangs" : "offline";
      }
      if (outcome === "passed") passed.add(entry.key);
      else if (outcome !== "sent") return outcome;
      else if ((failures || isOffline) && mine().length) say("sending");
      if (outcome === "sent") failures = 0;
    }
    return passed.size ? "offline" : "sent";
  }

  // Of several windows one sends at a time, so that two answers to one question arrive in their order.
  async function alone(work) {
    if (!navigator.locks) return work(); // not a secure context
    let began = false;
    try {
      return await navigator.locks.request("evalsite-delivery", { signal: AbortSignal.timeout(LIMIT_MS) }, () => {
        began = true;
        return work();
      });
    } catch (error) {
      if (began) throw error;
      return work(); // the other window sleeps; the server takes the same answer twice without harm
    }
  }

  async function flush() {
    if (isSending) return;
    isSending = true;
    clearTimeout(timer);
    let outcome;
    try {
      outcome = await alone(sendAll);
    } finally {
      isSending = false;
    }
    if (outcome === "sent") {
      failures = 0;
      if (hasTold) say("saved");
      empty?.();
      return;
    }
    failures += 1;
    if (outcome === "stopped") say("stopped");
    else if (outcome === "hangs" || failures > 1) say("offline");
    const laterMs = failures === 1 ? SOON_MS : Math.min(1000 * 2 ** (failures - 2), LONGEST_MS);
    timer = setTimeout(flush, outcome === "stopped" ? LONGEST_MS : laterMs);
  }

  function again() {
    if (document.visibilityState === "visible" && mine().length) flush();
  }

  window.addEventListener("online", flush);
  document.addEventListener("visibilitychange", again);
  window.addEventListener("focus", again);
  // Another window has sent something, or all.
  window.addEventListener("storage", () => {
    if (!isSending && !mine().length && hasTold) flush();
  });
  window.addEventListener("beforeunload", (event) => {
    if (hasAdded && mine().length) event.preventDefault();
  });

  return {
    mine,
    flush,
    // What was there before this page: it says so at once.
    start() {
      if (mine().length) say("sending");
      flush();
    },
    add(name, entry) {
      keep(name, entry);
      failures = 0;
      hasAdded = true;
      say(isOffline ? "offline" : "sending"); // until one has arrived, nothing says that this one will
      setTimeout(flush, AFTER_MS);
    },
  };
}
