// What was answered and not yet acknowledged, in local storage: it survives a lost network, a closed window and a
// crash, and is sent in the order in which it was given.
window.auditOutbox = (key, csrf, hooks) => {
  "use strict";
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

  // A later answer to the same question replaces the one still waiting, at its place.
  function add(entry) {
    const entries = read();
    const full = { id: `${Date.now()}-${Math.random()}`, answeredAt: Date.now(), ...entry };
    const at = entry.name ? entries.findIndex((other) => other.url === entry.url && other.name === entry.name) : -1;
    if (at >= 0) entries[at] = full;
    else entries.push(full);
    write(entries);
    flush();
  }

  async function send(entry) {
    const body = new URLSearchParams(entry.body);
    body.set("answered_ms_ago", Date.now() - entry.answeredAt);
    let response;
    try {
      response = await fetch(entry.url, {
        method: "POST",
        body,
        headers: { Accept: "application/json", "X-CSRFToken": csrf },
        redirect: "manual",
      });
    } catch {
      return "retry";
    }
    if (response.ok) {
      remove(entry);
      return "sent";
    }
    if (response.status === 400) {
      remove(entry);
      hooks.refused((await response.json()).problem);
      return "sent";
    }
    return response.status >= 500 || response.status === 429 ? "retry" : "stop";
  }

  async function flush() {
    if (sending) return;
    sending = true;
    try {
      for (let entry = read()[0]; entry; entry = read()[0]) {
        hooks.status("sending", read().length);
        const result = await send(entry);
        if (result === "retry") {
          hooks.status("offline", read().length);
          setTimeout(flush, retryMs);
          retryMs = Math.min(retryMs * 2, 30000);
          return;
        }
        if (result === "stop") {
          hooks.status("stopped", read().length);
          return;
        }
        retryMs = 1000;
        if (!read().length) hooks.status("saved", 0);
      }
    } finally {
      sending = false;
    }
    if (!read().length) hooks.empty();
  }

  window.addEventListener("online", flush);
  window.addEventListener("beforeunload", (event) => {
    if (read().length) event.preventDefault();
  });
  return { add, flush, read };
};
