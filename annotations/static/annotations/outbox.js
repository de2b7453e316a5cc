// What was answered and not yet acknowledged, in local storage: it survives a lost network, a closed window and a
// crash, and is sent in the order in which it was given. The line #status says how far it is.
window.answerOutbox = (key, words, hooks) => {
  "use strict";
  const status = document.getElementById("status");
  let sending = false;
  let retryMs = 1000;

  function read() {
    try {
      return JSON.parse(localStorage.getItem(key)) || [];
    } catch {
      return [];
    }
  }
  const write = (entries) => localStorage.setItem(key, JSON.stringify(entries));
  const remove = (entry) => write(read().filter((other) => other.id !== entry.id));

  function tell(kind) {
    const texts = { saved: words.saved, sending: words.sending, offline: words.waiting, stopped: words.signin };
    const text = texts[kind].replaceAll("{n}", read().length);
    status.dataset.kind = kind;
    if (status.textContent !== text) status.textContent = text; // a screen reader would say it again
  }

  // A later answer to the same question replaces the one still waiting, at its place. An entry's `name` tells apart
  // the questions that are answered at one `url`.
  function add(entry) {
    const entries = read();
    const full = { id: `${Date.now()}-${Math.random()}`, answeredAt: Date.now(), ...entry };
    const at = entries.findIndex((other) => other.url === entry.url && other.name === entry.name);
    if (at >= 0) entries[at] = full;
    else entries.push(full);
    write(entries);
    flush();
  }

  async function send(entry) {
    const agoMs = Date.now() - entry.answeredAt;
    const body = new URLSearchParams(entry.body);
    const more = hooks.fields?.(entry, agoMs);
    for (const [name, value] of Object.entries({ answered_ms_ago: agoMs, ...more })) body.set(name, value);
    let response;
    try {
      response = await fetch(entry.url, {
        method: "POST",
        body,
        headers: { Accept: "application/json", "X-CSRFToken": words.csrf },
        redirect: "manual",
      });
    } catch {
      return "retry";
    }
    if (response.ok) {
      remove(entry);
      await hooks.taken?.(response);
      return "sent";
    }
    if (response.status === 400) {
      remove(entry);
      await hooks.refused(entry, response);
      return "sent";
    }
    return response.status >= 500 || response.status === 429 ? "retry" : "stop";
  }

  async function flush() {
    if (sending) return;
    sending = true;
    try {
      for (let entry = read()[0]; entry; entry = read()[0]) {
        tell("sending");
        const result = await send(entry);
        if (result === "retry") {
          tell("offline");
          setTimeout(flush, retryMs);
          retryMs = Math.min(retryMs * 2, 30000);
          return;
        }
        if (result === "stop") {
          tell("stopped");
          return;
        }
        retryMs = 1000;
      }
      if (status.dataset.kind) tell("saved");
    } finally {
      sending = false;
    }
    hooks.empty();
  }

  window.addEventListener("online", flush);
  window.addEventListener("beforeunload", (event) => {
    if (read().length) event.preventDefault();
  });
  return { add, flush, read };
};
