// The cards of the rating page: the one in view, the next ones with their images fetched ahead, and those answered in
// this window, to go back to.
window.rateDeck = (stage, outbox, shown) => {
  "use strict";
  const words = stage.dataset;
  const AHEAD = 2;
  const BEHIND = 20;
  const first = stage.querySelector(".card");
  let current = { token: first.dataset.token, element: first };
  const ahead = []; // fetched, not yet shown
  const behind = []; // answered, newest last
  let waiting = false; // the card in view is answered, and the next one is not there yet
  const last = () => ahead[ahead.length - 1] || current;

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
      const known = [current, ...ahead, ...behind].some((other) => other.token === card.token);
      if (!known) ahead.push({ token: card.token, element: toElement(card.html) });
    }
    if (waiting && ahead.length) next();
  }

  async function fetchAhead() {
    try {
      const response = await fetch(`${words.upcoming}?after=${encodeURIComponent(last().token)}&n=${AHEAD}`, {
        headers: { Accept: "application/json" },
      });
      if (!response.ok) return;
      receive((await response.json()).cards);
      if (waiting && !outbox.read().length) window.location.assign(words.home);
    } catch {
      if (waiting) setTimeout(outbox.flush, 2000);
    }
  }

  function show(card) {
    current = card;
    waiting = false;
    stage.replaceChildren(card.element);
    stage.removeAttribute("aria-busy");
    shown();
    window.scrollTo(0, 0);
    card.element.querySelector(".prompt").focus({ preventScroll: true });
  }

  function next() {
    if (ahead.length) {
      show(ahead.shift());
      return;
    }
    waiting = true;
    stage.setAttribute("aria-busy", "true");
    if (!outbox.read().length) fetchAhead();
  }

  return {
    receive,
    fetchAhead,
    get card() {
      return current.element;
    },
    get isWaiting() {
      return waiting;
    },
    get lastToken() {
      return last().token;
    },
    // The card in view is answered: on to the next one.
    advance() {
      behind.push(current);
      if (behind.length > BEHIND) behind.shift();
      next();
    },
    // False where only the server knows what came before this window.
    back() {
      const card = behind.pop();
      if (!card) return false;
      if (!waiting) ahead.unshift(current); // while waiting, the card in view is the answered one itself
      show(card);
      return true;
    },
  };
};
