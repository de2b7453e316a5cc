// The cards of the rating page: the one in view, the reserved ones behind it with their images fetched ahead, and those
// answered in this window, to go back to.
const AHEAD = 20; // with fewer than these waiting, more are asked for: as many can be answered without a network
const FEW = 5; // with fewer than these, every answer asks
const AT_ONCE = 20;
const AHEAD_SAVING = 5; // whose images are fetched ahead where the browser is to save data
const BEHIND = 20;
const LOADING_AT_ONCE = 2;
const LIMIT_MS = 15000;

const imagesOf = (element) => [...element.querySelectorAll(".picture img")];
const settled = (image) =>
  image.complete ||
  new Promise((done) => {
    image.addEventListener("load", done, { once: true });
    image.addEventListener("error", done, { once: true });
  });

// waits(card): what the outbox holds for a card, if anything. prepare(element): chooses its images' sizes.
// shown({ isNew }): a card has come into view. stuck(isOffline): none is waiting. over(): none will come any more.
export function cardDeck(stage, { upcoming, home, waits, prepare, shown, stuck, isEmpty, over }) {
  const first = stage.querySelector(".card");
  let current = { token: first.dataset.token, element: first, isLoading: false };
  const ahead = []; // fetched, not yet shown
  const behind = []; // answered, newest last
  let isWaiting = false; // the card in view is answered, and the next one is not there yet
  let isFetching = false;
  let asksBelow = AHEAD; // lower where the server had no more to give
  let hasAsked = false;
  const last = () => ahead[ahead.length - 1] || current;

  function toElement(html, isNext) {
    const template = document.createElement("template");
    template.innerHTML = html.trim();
    const inert = template.content.firstElementChild;
    prepare(inert);
    if (!isNext) imagesOf(inert).forEach((image) => (image.fetchPriority = "low"));
    return document.importNode(inert, true); // from here on its images load
  }

  // The next card's images alone, then those behind it, a few at a time: nothing slows what is wanted first.
  function load() {
    let n = 0;
    const most = navigator.connection?.saveData ? AHEAD_SAVING : ahead.length;
    for (const card of ahead.slice(0, most)) {
      const isNext = card === ahead[0];
      if (!card.element) {
        card.element = toElement(card.html, isNext);
        card.isLoading = true;
        Promise.all(imagesOf(card.element).map(settled)).then(() => {
          card.isLoading = false;
          if (card === ahead[0]) decode(card);
          load();
        });
      }
      n += card.isLoading ? 1 : 0;
      if (n >= LOADING_AT_ONCE || (isNext && card.isLoading)) return;
    }
  }

  const decode = (card) => imagesOf(card.element).forEach((image) => image.decode().catch(() => null));

  function receive(cards) {
    if (cards.length) asksBelow = AHEAD;
    else if (hasAsked) asksBelow = Math.min(asksBelow, Math.max(FEW, ahead.length - FEW));
    hasAsked = false;
    for (const card of cards) {
      if ([current, ...ahead, ...behind].some((other) => other.token === card.token)) continue;
      const one = { token: card.token, html: card.html, isLoading: false };
      if (waits(card.token)) setAside({ ...one, element: toElement(card.html, false) });
      else ahead.push(one);
    }
    if (isWaiting && ahead.length) next();
    else load();
  }

  // Answered before this window knew of it: the answer is still on its way.
  function setAside(card) {
    restore(card.element, waits(card.token));
    behind.push(card);
  }

  function restore(element, entry) {
    for (const [name, value] of new URLSearchParams(entry.body)) {
      if (name === "language") continue; // this card's own
      for (const field of element.elements[name] ? element.querySelectorAll(`[name="${CSS.escape(name)}"]`) : []) {
        if (["radio", "checkbox"].includes(field.type)) field.checked = field.value === value;
        else field.value = value;
      }
    }
    element.dataset.answered = "true";
  }

  async function fetchAhead() {
    if (isFetching) return;
    isFetching = true;
    try {
      const query = `?after=${encodeURIComponent(last().token)}&n=${AT_ONCE}`;
      const response = await fetch(upcoming + query, {
        headers: { Accept: "application/json" },
        signal: AbortSignal.timeout(LIMIT_MS),
      });
      if (!response.ok) throw new Error(response.statusText);
      const { cards, is_over: isOver } = await response.json();
      receive(cards);
      if (isOver) over();
      else if (isWaiting && isEmpty()) window.location.assign(home);
    } catch {
      if (isWaiting) stuck(true);
    } finally {
      isFetching = false;
    }
  }

  function show(card, options) {
    current = card;
    isWaiting = false;
    card.element ??= toElement(card.html, true);
    stage.classList.remove("is-waiting");
    stage.replaceChildren(card.element);
    shown(options);
    window.scrollTo(0, 0);
    card.element.querySelector(".prompt").focus({ preventScroll: true });
    if (ahead[0]?.element && !ahead[0].isLoading) decode(ahead[0]);
    load();
  }

  function next() {
    if (ahead.length) {
      show(ahead.shift());
      return;
    }
    isWaiting = true;
    stage.classList.add("is-waiting");
    stuck(false);
    if (isEmpty()) fetchAhead();
  }

  function leave() {
    behind.push(current);
    if (behind.length > BEHIND) behind.shift();
  }

  return {
    receive,
    fetchAhead,
    images: () => imagesOf(current.element),
    get card() {
      return current.element;
    },
    get isWaiting() {
      return isWaiting;
    },
    // What an answer asks for with its receipt.
    wanted() {
      hasAsked = ahead.length < asksBelow;
      return { after: last().token, n: hasAsked ? AT_ONCE : 0 };
    },
    // The card in view is answered: on to the next one.
    advance() {
      leave();
      next();
    },
    // The card in view has an answer on its way: it is shown with that answer, or, where the next one is wanted, passed.
    pass(entry, { isShown }) {
      restore(current.element, entry);
      if (isShown) return;
      leave();
      stage.replaceChildren();
      isWaiting = true;
      stage.classList.add("is-waiting");
    },
    // False where only the server knows what came before this window.
    back() {
      const card = behind.pop();
      if (!card) return false;
      if (!isWaiting) ahead.unshift(current); // while waiting, the card in view is the answered one itself
      show(card, { isNew: false });
      return true;
    },
  };
}
