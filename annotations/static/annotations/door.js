// The door through which every answer goes: keys, clicks, touch, Enter and the form's own submit. One press answers one
// card, and only one that has been seen. Neither a held key nor the second click of a double click is an answer, and
// the door opens once every image of the card is decoded and has been on the screen for a moment. Where a spot may be
// pressed twice at once and both are meant, the second click counts if it hits what the first one hit, on the same card,
// or another box of the same question: the card was scrolled between two taps. Two quick taps on neighbouring answers
// also come as a double click: each counts, as the finger has moved.
const SEEN_MS = 150;
const SLOW_MS = 1000;
const HANGS_MS = 10000;
const LONGEST_MS = 30000;
const SPOT = 16; // pixels: a click farther away than this is on another spot

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const frame = () => new Promise((done) => requestAnimationFrame(done));
const isThere = (image) => image.complete && image.naturalWidth > 0;
// Twice, as it fails where the picture is exchanged for a larger one meanwhile.
const decoded = (image) => image.decode().catch(() => image.decode());
const isBox = (element) => element.matches("input[type=checkbox]");
const areBoxesOfOneQuestion = (a, b) => a !== null && isBox(a) && isBox(b) && a.closest(".question") === b.closest(".question");
const loaded = (image) =>
  new Promise((done, failed) => {
    if (image.complete) (isThere(image) ? done : failed)();
    image.addEventListener("load", done, { once: true });
    image.addEventListener("error", failed, { once: true });
  });

// area is busy while the door is closed. notice says what it waits for: `loading`, or that an image is `missing`.
// pressedAgain: a selector of what may be pressed twice at once.
export function answerDoor(area, notice, words, pressedAgain = "") {
  let visit = 0; // counts what comes into view: what was awaited for an earlier card opens nothing
  let first = { visit, event: null }; // the first click of those that quickly follow each other on one spot
  let isOpen = false;

  function set(open) {
    isOpen = open;
    if (open) area.removeAttribute("aria-busy");
    else area.setAttribute("aria-busy", "true");
  }

  // True once all images came; false if something else has come into view meanwhile. An image that failed is asked for
  // again: by the button, when the network is back, and by itself now and then.
  async function arrived(images, come, isWanted) {
    for (let waitMs = 2000; ; waitMs = Math.min(2 * waitMs, LONGEST_MS)) {
      let again;
      const asked = new Promise((done) => {
        again = () => done("asked");
      });
      const slow = setTimeout(() => isWanted() && notice.show(words.loading), SLOW_MS);
      const hangs = setTimeout(() => isWanted() && notice.show(words.loading, again), HANGS_MS);
      const results = await Promise.race([Promise.allSettled(images.map(come)), asked]);
      clearTimeout(slow);
      clearTimeout(hangs);
      if (!isWanted()) return false;
      const failed = images.filter((image, i) => (results === "asked" ? !isThere(image) : results[i].status === "rejected"));
      if (results !== "asked") {
        if (!failed.length) return true;
        notice.show(words.missing, again);
        window.addEventListener("online", again, { once: true });
        await Promise.race([pause(waitMs), asked]);
        window.removeEventListener("online", again);
        if (!isWanted()) return false;
      }
      for (const image of failed) image.src = image.src; // once more
    }
  }

  document.addEventListener(
    "click",
    (event) => {
      if (event.detail <= 1 || isElsewhere(event)) first = { visit, event };
    },
    true,
  );

  // On the same card as the click before, and on something else.
  function isElsewhere({ clientX, clientY, target }) {
    const before = first.event;
    if (!before || first.visit !== visit || before.target === target) return false;
    return Math.hypot(clientX - before.clientX, clientY - before.clientY) > SPOT;
  }

  // The second click of a double click, or a later one.
  function isAgain(event) {
    const { type, detail, target } = event;
    if (type !== "click" || detail <= 1 || event === first.event) return false;
    const isMeant = pressedAgain && target.closest(pressedAgain);
    const before = first.event?.target ?? null;
    return !isMeant || first.visit !== visit || !(before === target || areBoxesOfOneQuestion(before, target));
  }

  return {
    get isOpen() {
      return isOpen;
    },
    close() {
      visit += 1;
      notice.hide();
      set(false);
    },
    // A card has come into view. One that came by itself (isNew) must be seen for a moment; one that was asked for by a
    // press of its own need only be there.
    async openFor(images, { isNew = true, seen, opened } = {}) {
      this.close();
      const mine = visit;
      const isWanted = () => mine === visit;
      if (isNew || !images.every(isThere)) {
        if (!(await arrived(images, isNew ? decoded : loaded, isWanted))) return;
        notice.hide();
      }
      if (isNew) {
        await frame();
        await frame();
      }
      if (!isWanted()) return;
      seen?.();
      if (isNew) await pause(SEEN_MS);
      if (!isWanted()) return;
      set(true);
      opened?.();
    },
    // Whether this key, click or submit may answer; if not, it does nothing at all.
    lets(event) {
      const isAnswer = isOpen && !event.repeat && !isAgain(event);
      if (!isAnswer) event.preventDefault();
      return isAnswer;
    },
  };
}
