// An auditing page in the browser: one question after another by single keys, errors listed and marked, every answer
// saved as it is given. Without this script the same forms post and the server leads on.
(() => {
  "use strict";
  const page = document.getElementById("audit");
  const words = page.dataset;
  const byId = (id) => document.getElementById(id);
  const form = byId("answers");
  const asks = [...form.querySelectorAll(".ask")];
  const missed = byId("missed");
  const adding = byId("add");
  const end = byId("end");
  const problem = page.querySelector(".problem");
  const said = byId("said");
  const TWICE_MS = 400; // "not there" and "nothing more" are the same key: a bounce of the one must not be the other
  const decides = words.stage === "decide";
  const fill = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const percent = (share) => Math.round(share * 100);
  let active = -1; // the question that keys answer; asks.length once all are answered
  let leaving = ""; // "seal" or "finish" while what was answered is on its way
  let reloads = false;
  let lastAnswer = { key: "", at: 0 };
  const time = window.activeTime();

  // --- the image ----------------------------------------------------------------------------------------------------
  const atEnd = () => active >= asks.length;
  const pictures = window.auditPictures(page.querySelector(".look"), {
    mayDraw: () => adding !== null && atEnd(),
    zoomed: (scale) => {
      byId("zoom").setAttribute("aria-pressed", String(scale > 1));
      said.textContent = `${scale}×`;
    },
    marking: (on) => {
      byId("mark")?.setAttribute("aria-pressed", String(on));
      if (on) said.textContent = words.marking;
    },
    at: ({ x, y }) => {
      said.textContent = fill(words.at, { x: percent(x), y: percent(y) });
    },
    marked: (mark, place) => {
      setMark(mark, place);
      const text = byId("missed-text");
      (text.value ? adding.querySelector(".add-button") : text).focus();
    },
  });

  function setMark(mark, place) {
    for (const name of ["x", "y", "width", "height"]) adding.elements[name].value = mark?.[name]?.toFixed(4) ?? "";
    if (mark && adding.elements.side) adding.elements.side.value = place === 0 ? "left" : "right";
    const values = mark && Object.fromEntries(Object.entries(mark).map(([name, share]) => [name, percent(share)]));
    byId("mark-text").textContent = !mark ? words.none : fill(mark.width ? words.box : words.point, values);
    byId("unmark").hidden = !mark;
    if (!mark) pictures.erase(".mark.is-pending");
  }

  // --- sending ------------------------------------------------------------------------------------------------------
  const outbox = window.answerOutbox(`evalsite-audit-${words.outbox}`, words, {
    refused: async (_, response) => {
      leaving = "";
      tell((await response.json()).problem);
    },
    empty: () => {
      if (leaving) submit();
      else if (reloads) window.location.reload();
    },
  });

  function tell(text) {
    problem.textContent = text;
    problem.hidden = !text;
    if (text) problem.scrollIntoView({ block: "nearest" });
  }

  function submit() {
    const then = document.createElement("input");
    Object.assign(then, { type: "hidden", name: "then", value: leaving });
    form.append(then);
    const activeMs = document.createElement("input");
    Object.assign(activeMs, { type: "hidden", name: "active_ms", value: String(time.ms()) });
    if (decides) form.append(activeMs);
    form.submit();
  }

  function save(ask) {
    if (decides) return;
    const body = new URLSearchParams();
    ask.querySelectorAll("input:checked").forEach((input) => body.set(input.name, input.value));
    body.set("active_ms", String(time.ms()));
    outbox.add({ url: form.action, name: ask.dataset.name, body: body.toString() });
  }

  // --- questions ----------------------------------------------------------------------------------------------------
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

  // --- the list of errors -------------------------------------------------------------------------------------------
  const rows = () => [...byId("listed").children];

  function nameEnd() {
    if (!missed || page.dataset.ended) return;
    end.querySelector(".label").textContent = rows().length || byId("missed-text").value.trim() ? words.enough : words.nothing;
  }

  function number() {
    rows().forEach((row, i) => {
      row.querySelector(".listed-number").textContent = i + 1;
      const text = page.querySelector(`.mark[data-key="${row.dataset.key}"] text`);
      if (text) text.textContent = i + 1;
    });
    nameEnd();
  }

  const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

  function addError() {
    const text = byId("missed-text").value.trim();
    if (!text) {
      tell(words.wordsMissing);
      byId("missed-text").focus();
      return;
    }
    tell("");
    const body = new URLSearchParams(new FormData(adding));
    body.delete("csrfmiddlewaretoken");
    const key = body.get("key");
    outbox.add({ url: adding.action, name: `add-${key}`, body: body.toString() });
    const row = byId("listed-row").content.firstElementChild.cloneNode(true);
    row.dataset.key = key;
    row.querySelector(".listed-text").textContent = text;
    const details = [...adding.querySelectorAll("select")].filter((select) => select.value);
    row.querySelector(".listed-details").textContent = details.map((select) => select.selectedOptions[0].text).join(" · ");
    row.querySelector("button").value = key;
    row.querySelector("button").setAttribute("aria-label", `${words.withdraw}: ${text}`);
    byId("listed").append(row);
    if (adding.elements.x.value) {
      const mark = {};
      for (const name of ["x", "y", "width", "height"]) {
        if (adding.elements[name].value) mark[name] = Number(adding.elements[name].value);
      }
      const canvas = pictures.canvases[adding.elements.side?.value === "right" ? 1 : 0];
      pictures.draw(canvas, mark, { key, number: rows().length });
    }
    adding.reset();
    adding.elements.key.value = newKey();
    setMark(null);
    number();
    byId("missed-text").focus();
  }

  function withdraw(row) {
    const key = row.dataset.key;
    const url = row.querySelector("form").action;
    outbox.add({ url, name: `withdraw-${key}`, body: new URLSearchParams({ key }).toString() });
    pictures.erase(`.mark[data-key="${key}"]`);
    row.remove();
    number();
    byId("missed-text").focus();
  }

  // --- the end ------------------------------------------------------------------------------------------------------
  function leave() {
    const open = firstOpen();
    if (open < asks.length) {
      activate(open);
      tell(words.missing);
      return;
    }
    if (adding && byId("missed-text").value.trim()) addError();
    leaving = end.value;
    if (outbox.read().length) outbox.flush();
    else submit();
  }

  // --- keys and pointers --------------------------------------------------------------------------------------------
  function answerKey(key) {
    if (atEnd()) return false;
    const ask = asks[active];
    const more = followUp(ask);
    const within = /^[0-9]$/.test(key) ? more : ask.querySelector(":scope > .options");
    const input = within?.querySelector(`input[data-key="${key}"]`);
    if (input) {
      choose(ask, input);
      lastAnswer = { key, at: performance.now() };
    }
    return Boolean(input);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (pictures.key(event)) return;
    if (event.target.matches("input:not([type=radio]), select, textarea")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const key = event.key.toLowerCase();
    const bounces = key === lastAnswer.key && performance.now() - lastAnswer.at < TWICE_MS;
    if (event.repeat && !event.key.startsWith("Arrow")) return;
    if (answerKey(key)) {
      event.preventDefault();
    } else if (event.key === "Enter" && !event.target.matches("a, button, summary")) {
      event.preventDefault();
      if (!atEnd() && isDone(asks[active])) advance();
      else if (atEnd() && decides) leave();
    } else if (event.key === "Backspace" || key === "u") {
      event.preventDefault();
      if (active > 0) activate(active - 1);
      else page.querySelector(".back")?.click();
    } else if (key === "z") {
      pictures.zoom();
    } else if (key === "a" && adding) {
      event.preventDefault();
      byId("missed-text").focus();
    } else if (key === "m" && adding) {
      event.preventDefault();
      pictures.start();
    } else if (key === "n" && atEnd()) {
      event.preventDefault();
      if (!bounces) leave();
    } else if (event.key === "?") {
      byId("help").showModal();
    } else if (pictures.isZoomed() && event.key.startsWith("Arrow") && !event.target.matches("input")) {
      event.preventDefault();
      const moves = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] };
      pictures.pan(...moves[event.key]);
    }
  });

  form.addEventListener("click", (event) => {
    const closed = event.target.closest(".ask:not(.is-active)");
    if (closed && !event.target.closest("input")) activate(asks.indexOf(closed));
    const input = event.target.closest("input[type=radio]");
    if (!input) return;
    const ask = input.closest(".ask");
    // A click that an arrow key makes has no detail: walking through the choices saves, and does not move on.
    if (event.detail > 0 || event.pointerType) choose(ask, input);
    else save(ask);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    leave();
  });
  adding?.addEventListener("submit", (event) => {
    event.preventDefault();
    addError();
  });
  adding?.addEventListener("input", nameEnd);
  byId("listed")?.addEventListener("submit", (event) => {
    event.preventDefault();
    withdraw(event.target.closest(".listed-row"));
  });
  byId("mark")?.addEventListener("click", (event) => {
    // A click by keyboard has no detail; a finger or a mouse then draws on the image itself.
    const byPointer = event.detail > 0;
    if (pictures.isMarking()) pictures.stop();
    else pictures.start(undefined, byPointer);
    if (byPointer) page.querySelector(".look").scrollIntoView({ block: "nearest" });
  });
  byId("unmark")?.addEventListener("click", () => setMark(null));
  byId("zoom").addEventListener("click", () => pictures.zoom());

  document.documentElement.classList.add("has-script");
  for (const id of ["zoom", "mark", "mark-text"]) if (byId(id)) byId(id).hidden = false;
  reloads = outbox.read().some((entry) => entry.url.includes(words.token));
  // From the top at first; who comes back goes on where they stopped.
  activate(firstOpen(), { focus: asks.some(isDone) });
  if (!asks.some(isDone)) page.querySelector(asks.length ? ".ask.is-active" : ".prompt").focus({ preventScroll: true });
  outbox.flush();
})();
