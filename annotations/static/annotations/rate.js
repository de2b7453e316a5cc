// The rating card in the browser: keys, the next cards fetched ahead, and an outbox that survives a lost network,
// a closed window and a crash. Without this script the same form posts and the server leads on.
(() => {
  "use strict";
  const stage = document.getElementById("stage");
  if (!stage) return;
  const words = stage.dataset;
  const status = document.getElementById("status");
  const echo = document.getElementById("echo");
  const bar = document.getElementById("progress");
  const barText = document.getElementById("progress-text");
  const IDLE_MS = 30000;
  const AHEAD = 2;
  const fill = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  // --- the outbox: what is answered and not yet acknowledged, in local storage --------------------------------------
  const outbox = {
    key: `evalsite-outbox-${words.outbox}`,
    read() {
      try {
        return JSON.parse(localStorage.getItem(this.key)) || [];
      } catch {
        return [];
      }
    },
    write(entries) {
      localStorage.setItem(this.key, JSON.stringify(entries));
    },
    add(entry) {
      // A later answer to the same card replaces the one still waiting, at its place.
      const entries = this.read();
      const at = entries.findIndex((other) => other.url === entry.url);
      if (at >= 0) entries[at] = entry;
      else entries.push(entry);
      this.write(entries);
    },
    remove(entry) {
      this.write(this.read().filter((other) => other.id !== entry.id));
    },
  };

  // --- cards ------------------------------------------------------------------------------------------------------------
  const ahead = []; // fetched, not yet shown: {token, element}
  const behind = []; // answered in this window, newest last
  const paces = []; // milliseconds for each of the last cards
  let current = { token: stage.querySelector(".card").dataset.token, element: stage.querySelector(".card") };
  let shownAt = performance.now();
  let activeMs = 0;
  let lastSign = performance.now();
  let waitingForCard = false;
  let active = 0;

  const questions = () => [...current.element.querySelectorAll(".question")];
  const isAnswered = (question) => question.querySelector("input:checked") !== null;

  function toElement(html) {
    const template = document.createElement("template");
    template.innerHTML = html.trim();
    const element = template.content.firstElementChild;
    element.querySelectorAll("img").forEach((img) => {
      new Image().src = img.getAttribute("src");
    });
    return element;
  }

  function receive(cards) {
    for (const card of cards) {
      const known = [current, ...ahead, ...behind].some((other) => other && other.token === card.token);
      if (!known) ahead.push({ token: card.token, element: toElement(card.html) });
    }
    if (waitingForCard && ahead.length) showNext();
  }

  function show(card) {
    current = card;
    waitingForCard = false;
    stage.replaceChildren(card.element);
    stage.removeAttribute("aria-busy");
    shownAt = lastSign = performance.now();
    activeMs = 0;
    setUp();
    window.scrollTo(0, 0);
    card.element.querySelector(".prompt").focus({ preventScroll: true });
  }

  function showNext() {
    const next = ahead.shift();
    if (next) return show(next);
    waitingForCard = true;
    stage.setAttribute("aria-busy", "true");
    if (outbox.read().length === 0) askForMore();
    return undefined;
  }

  function activate(index) {
    const all = questions();
    active = Math.max(0, Math.min(index, all.length - 1));
    all.forEach((question, i) => question.classList.toggle("is-active", i === active && all.length > 1));
    if (all.length > 1) all[active].scrollIntoView({ block: "nearest" });
  }

  function setUp() {
    const all = questions();
    const firstOpen = all.findIndex((question) => !isAnswered(question));
    activate(firstOpen < 0 ? 0 : firstOpen);
    current.element.querySelectorAll(".back").forEach((link) => {
      link.addEventListener("click", (event) => {
        if (!behind.length) return; // the server knows what came before this window
        event.preventDefault();
        goBack();
      });
    });
  }

  function goBack() {
    const card = behind.pop();
    if (!card) {
      window.location.assign(current.element.querySelector(".back").href);
      return;
    }
    if (!waitingForCard) ahead.unshift(current); // while waiting, the card in view is the answered one itself
    echo.hidden = true;
    show(card);
  }

  // --- answering ----------------------------------------------------------------------------------------------------------
  function choose(question, input) {
    input.checked = true;
    clearProblem();
    const all = questions();
    if (all.length === 1) {
      complete();
      return;
    }
    const here = all.indexOf(question);
    const next = all.findIndex((other, i) => i > here && !isAnswered(other));
    const any = all.findIndex((other) => !isAnswered(other));
    activate(next >= 0 ? next : any >= 0 ? any : here);
  }

  function clearProblem() {
    const problem = current.element.querySelector(".problem");
    problem.textContent = "";
    problem.hidden = true;
  }

  function showProblem(text) {
    const problem = current.element.querySelector(".problem");
    problem.textContent = text;
    problem.hidden = false;
  }

  function complete() {
    const all = questions();
    const open = all.findIndex((question) => !isAnswered(question));
    if (open >= 0) {
      activate(open);
      showProblem(words.missing);
      return;
    }
    note();
    const form = current.element;
    const sent = new URLSearchParams(new FormData(form));
    sent.delete("csrfmiddlewaretoken");
    sent.delete("shown_at");
    const wasNew = form.dataset.answered !== "true";
    outbox.add({
      id: `${current.token}-${Date.now()}-${Math.random()}`,
      url: form.action,
      body: sent.toString(),
      answeredAt: Date.now(),
      shownMs: Math.round(performance.now() - shownAt),
      activeMs: Math.round(activeMs),
    });
    if (wasNew) {
      bar.value += 1;
      paces.push(performance.now() - shownAt);
      if (paces.length > 10) paces.shift();
    }
    form.dataset.answered = "true";
    tellProgress();
    tellAnswer(all);
    behind.push(current);
    if (behind.length > 20) behind.shift();
    showNext();
    flush();
  }

  function tellAnswer(all) {
    const answers = all.map((question) => {
      const chosen = question.querySelector("input:checked");
      return chosen.closest("label").querySelector(".label").textContent.trim();
    });
    echo.querySelector(".answer").textContent = answers.join(" · ");
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

  // --- sending --------------------------------------------------------------------------------------------------------------
  let sending = false;
  let retryMs = 1000;

  function tellStatus(kind) {
    const n = outbox.read().length;
    status.dataset.kind = kind;
    if (kind === "saved") status.textContent = words.saved;
    else if (kind === "stopped") status.textContent = fill(words.signin, { n });
    else status.textContent = kind === "offline" ? fill(words.waiting, { n }) : words.sending;
  }

  async function flush() {
    if (sending) return;
    sending = true;
    try {
      for (let entry = outbox.read()[0]; entry; entry = outbox.read()[0]) {
        tellStatus("sending");
        const verdict = await send(entry);
        if (verdict === "retry") {
          tellStatus("offline");
          setTimeout(flush, retryMs);
          retryMs = Math.min(retryMs * 2, 30000);
          return;
        }
        if (verdict === "stop") {
          tellStatus("stopped");
          return;
        }
        retryMs = 1000;
      }
      if (status.dataset.kind) tellStatus("saved");
      if (waitingForCard) askForMore();
    } finally {
      sending = false;
    }
  }

  async function send(entry) {
    const body = new URLSearchParams(entry.body);
    const ago = Date.now() - entry.answeredAt;
    body.set("answered_ms_ago", ago);
    body.set("shown_ms_ago", ago + entry.shownMs);
    body.set("active_ms", entry.activeMs);
    const last = ahead.length ? ahead[ahead.length - 1] : current;
    if (last) body.set("after", last.token);
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
      outbox.remove(entry);
      const answer = await response.json();
      receive(answer.cards);
      return "sent";
    }
    if (response.status === 400) {
      // The server refuses what this page offered: keep the answer, show the card with the reason.
      outbox.remove(entry);
      window.location.assign(entry.url.replace("/answer/", "/card/"));
      return "sent";
    }
    return response.status >= 500 || response.status === 429 ? "retry" : "stop";
  }

  async function askForMore() {
    const last = ahead.length ? ahead[ahead.length - 1] : current;
    try {
      const response = await fetch(`${words.upcoming}?after=${encodeURIComponent(last.token)}&n=${AHEAD}`, {
        headers: { Accept: "application/json" },
      });
      if (!response.ok) return;
      receive((await response.json()).cards);
      if (waitingForCard && !outbox.read().length) window.location.assign(words.home);
    } catch {
      if (waitingForCard) setTimeout(flush, 2000);
    }
  }

  // --- time that somebody was really looking ------------------------------------------------------------------------------
  function note() {
    const now = performance.now();
    if (document.visibilityState === "visible") activeMs += Math.min(now - lastSign, IDLE_MS);
    lastSign = now;
  }
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") lastSign = performance.now();
    else {
      activeMs += Math.min(performance.now() - lastSign, IDLE_MS);
      lastSign = performance.now();
    }
  });
  for (const kind of ["pointermove", "pointerdown", "keydown", "scroll"]) {
    document.addEventListener(kind, note, { passive: true });
  }

  // --- keys and pointers ------------------------------------------------------------------------------------------------------
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("textarea, input[type=text], input[type=range]") || document.querySelector("dialog[open]")) return;
    if (waitingForCard) {
      if (event.key === "Backspace" || event.key.toLowerCase() === "u") goBack();
      return;
    }
    const question = questions()[active];
    if (/^[0-9]$/.test(event.key) && question) {
      const input = question.querySelector(`input[data-key="${event.key}"]`);
      if (!input) return;
      event.preventDefault();
      choose(question, input);
    } else if (event.key === "Enter" && !event.target.matches("a, button, summary")) {
      event.preventDefault();
      complete();
    } else if (event.key === "Backspace" || event.key.toLowerCase() === "u") {
      event.preventDefault();
      goBack();
    } else if (event.key.toLowerCase() === "z") {
      current.element.querySelector(".pictures").classList.toggle("is-zoomed");
    } else if (event.key.toLowerCase() === "s") {
      toggleSlider();
    } else if (event.key === "?") {
      document.getElementById("help").showModal();
    } else if (["ArrowDown", "ArrowUp"].includes(event.key) && !event.target.matches("input[type=radio]")) {
      if (questions().length < 2) return;
      event.preventDefault();
      activate(active + (event.key === "ArrowDown" ? 1 : -1));
    } else if (["ArrowLeft", "ArrowRight"].includes(event.key) && !event.target.matches("input[type=radio]")) {
      moveToPicture(event.key === "ArrowRight" ? 1 : -1, event);
    }
  });

  function moveToPicture(step, event) {
    const pictures = [...current.element.querySelectorAll(".picture")];
    if (pictures.length < 2) return;
    const here = pictures.findIndex((picture) => picture.contains(questions()[active]));
    const target = pictures[here + step];
    if (!target || !target.querySelector(".question")) return;
    event.preventDefault();
    activate(questions().indexOf(target.querySelector(".question")));
  }

  stage.addEventListener("click", (event) => {
    const zoomable = event.target.closest(".picture img");
    if (zoomable) zoomable.closest(".pictures").classList.toggle("is-zoomed");
    const input = event.target.closest("input[type=radio]");
    if (!input) return;
    // A click that an arrow key makes has no detail: walking through the choices must not send one.
    const question = input.closest(".question");
    if (event.detail > 0 || event.pointerType) choose(question, input);
    else activate(questions().indexOf(question));
  });
  stage.addEventListener("focusin", (event) => {
    const question = event.target.closest(".question");
    if (question) {
      const all = questions();
      active = all.indexOf(question);
      all.forEach((other) => other.classList.toggle("is-active", other === question && all.length > 1));
    }
  });
  stage.addEventListener("submit", (event) => {
    event.preventDefault();
    complete();
  });

  // --- two images, one over the other -----------------------------------------------------------------------------------------
  function toggleSlider() {
    const pictures = current.element.querySelector(".pictures--2");
    if (!pictures) return;
    const on = pictures.classList.toggle("has-slider");
    const slider = pictures.querySelector("input[type=range]");
    slider.hidden = !on;
    if (on) slider.focus();
    moveSlider(slider);
  }
  function moveSlider(slider) {
    const pictures = slider.closest(".pictures");
    const right = pictures.querySelectorAll(".picture img")[1];
    right.style.clipPath = pictures.classList.contains("has-slider") ? `inset(0 0 0 ${slider.value}%)` : "";
  }
  stage.addEventListener("input", (event) => {
    if (event.target.matches(".slider")) moveSlider(event.target);
  });

  document.getElementById("undo").addEventListener("click", (event) => {
    if (!behind.length) return;
    event.preventDefault();
    goBack();
  });
  document.querySelectorAll("[data-dialog]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", () => document.getElementById(button.dataset.dialog).showModal());
  });
  window.addEventListener("online", flush);
  window.addEventListener("beforeunload", (event) => {
    if (outbox.read().length) event.preventDefault();
  });

  document.documentElement.classList.add("has-script");
  setUp();
  tellProgress();
  flush();
  askForMore();
})();
