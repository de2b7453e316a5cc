// The rating card in the browser: answers by key, touch or mouse, and the next card at once. Without this script the
// same form posts and the server leads on.
(() => {
  "use strict";
  const stage = document.getElementById("stage");
  const words = stage.dataset;
  const echo = document.getElementById("echo");
  const bar = document.getElementById("progress");
  const barText = document.getElementById("progress-text");
  const fill = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const paces = []; // milliseconds for each of the last cards
  let shownAt = performance.now();
  let active = 0; // the question that keys answer

  const time = window.activeTime();
  const pictures = window.ratePictures(stage);
  const outbox = window.answerOutbox(`evalsite-outbox-${words.outbox}`, words, {
    fields: (entry, agoMs) => ({
      shown_ms_ago: agoMs + entry.shownMs,
      active_ms: entry.activeMs,
      after: deck.lastToken,
    }),
    taken: async (response) => deck.receive((await response.json()).cards),
    // The server refuses what this page offered: show the card with the reason.
    refused: (entry) => window.location.assign(entry.url.replace("/answer/", "/card/")),
    empty: () => {
      if (deck.isWaiting) deck.fetchAhead();
    },
  });
  const deck = window.rateDeck(stage, outbox, begin);

  const questions = () => [...deck.card.querySelectorAll(".question")];
  const isAnswered = (question) => question.querySelector("input:checked") !== null;

  // A card has come into view.
  function begin() {
    shownAt = performance.now();
    time.restart();
    activate(questions().findIndex((question) => !isAnswered(question)));
  }

  function mark(index) {
    const all = questions();
    active = Math.max(0, Math.min(index, all.length - 1));
    all.forEach((question, i) => question.classList.toggle("is-active", i === active && all.length > 1));
  }

  function activate(index) {
    mark(index);
    const all = questions();
    if (all.length > 1) all[active].scrollIntoView({ block: "nearest" });
  }

  // --- answering ----------------------------------------------------------------------------------------------------
  function choose(question, input) {
    input.checked = true;
    tellProblem("");
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

  function complete() {
    const form = deck.card;
    const open = questions().findIndex((question) => !isAnswered(question));
    if (open >= 0) {
      activate(open);
      tellProblem(words.missing);
      return;
    }
    const shownMs = performance.now() - shownAt;
    const body = new URLSearchParams(new FormData(form));
    body.delete("csrfmiddlewaretoken");
    body.delete("shown_at");
    outbox.add({ url: form.action, body: body.toString(), shownMs: Math.round(shownMs), activeMs: time.ms() });
    if (form.dataset.answered !== "true") {
      bar.value += 1;
      paces.push(shownMs);
      if (paces.length > 10) paces.shift();
    }
    form.dataset.answered = "true";
    tellProgress();
    tellAnswer();
    deck.advance();
  }

  function goBack() {
    const went = deck.back();
    if (went) echo.hidden = true;
    return went;
  }

  function tellProblem(text) {
    const problem = deck.card.querySelector(".problem");
    problem.textContent = text;
    problem.hidden = !text;
  }

  function tellAnswer() {
    const chosen = questions().map((question) => question.querySelector("input:checked").closest("label"));
    const answers = chosen.map((label) => label.querySelector(".label").textContent.trim());
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

  // --- keys and pointers --------------------------------------------------------------------------------------------
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.matches("textarea, input[type=range]")) return;
    const key = event.key.toLowerCase();
    const onRadio = event.target.matches("input[type=radio]");
    if (key === "backspace" || key === "u") {
      event.preventDefault();
      if (!goBack()) window.location.assign(deck.card.querySelector(".back").href);
    } else if (deck.isWaiting) {
      return;
    } else if (/^[0-9]$/.test(key)) {
      const question = questions()[active];
      const input = question?.querySelector(`input[data-key="${key}"]`);
      if (!input) return;
      event.preventDefault();
      choose(question, input);
    } else if (key === "enter" && !event.target.matches("a, button, summary")) {
      event.preventDefault();
      complete();
    } else if (key === "z") {
      pictures.zoom();
    } else if (key === "s") {
      pictures.overlay();
    } else if (key === "?") {
      document.getElementById("help").showModal();
    } else if (["arrowdown", "arrowup"].includes(key) && !onRadio && questions().length > 1) {
      event.preventDefault();
      activate(active + (key === "arrowdown" ? 1 : -1));
    } else if (["arrowleft", "arrowright"].includes(key) && !onRadio) {
      if (moveToPicture(key === "arrowright" ? 1 : -1)) event.preventDefault();
    }
  });

  function moveToPicture(step) {
    const all = [...deck.card.querySelectorAll(".picture")];
    const here = all.findIndex((picture) => picture.contains(questions()[active]));
    const question = all[here + step]?.querySelector(".question");
    if (question) activate(questions().indexOf(question));
    return Boolean(question);
  }

  stage.addEventListener("click", (event) => {
    if (event.target.closest(".back") && goBack()) event.preventDefault();
    const input = event.target.closest("input[type=radio]");
    if (!input) return;
    // A click that an arrow key makes has no detail: walking through the choices must not send one.
    const question = input.closest(".question");
    if (event.detail > 0 || event.pointerType) choose(question, input);
    else activate(questions().indexOf(question));
  });
  stage.addEventListener("focusin", (event) => {
    const question = event.target.closest(".question");
    if (question) mark(questions().indexOf(question));
  });
  stage.addEventListener("submit", (event) => {
    event.preventDefault();
    complete();
  });
  document.getElementById("undo").addEventListener("click", (event) => {
    if (goBack()) event.preventDefault();
  });

  document.documentElement.classList.add("has-script");
  begin();
  tellProgress();
  outbox.flush();
  deck.fetchAhead();
})();
