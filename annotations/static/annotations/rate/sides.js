// Two images in a narrow window: one at a time, in the same place and as large as it goes. A button, an arrow key or a
// swipe shows the other, so that a difference jumps out. In a wide window both are seen, and the buttons are not there.
// Auditing pages and rating cards share it.
const SWIPE = 40; // pixels

// area: what the images come and go in. swiped: a selector of what can be swiped. isBusy(): fingers are for something else.
export function sidesOf(area, { swiped, isBusy }) {
  let group = null;
  let figures = [];
  let front = 0;
  let from = null;
  const seen = new Set();

  const buttons = () => [...group.querySelectorAll("button")];
  const takesTurns = () => group !== null && group.offsetParent !== null;
  const placeOf = (element) => figures.findIndex((figure) => figure.contains(element));

  function show(place) {
    front = place;
    seen.add(place);
    figures.forEach((figure, i) => figure.classList.toggle("is-in-front", i === place));
    buttons().forEach((button, i) => button.setAttribute("aria-pressed", String(i === place)));
  }

  function turn(by) {
    if (!takesTurns() || !figures[front + by]) return false;
    show(front + by);
    return true;
  }

  // The one with this in it.
  function showWith(element) {
    const place = group ? placeOf(element) : -1;
    if (place >= 0 && place !== front) show(place);
  }

  area.addEventListener("click", (event) => {
    const button = event.target.closest(".sides button");
    if (button) show(buttons().indexOf(button));
  });
  area.addEventListener("focusin", (event) => showWith(event.target));
  area.addEventListener("pointerdown", (event) => {
    from = event.isPrimary && event.target.closest(swiped) ? { x: event.clientX, y: event.clientY } : null;
  });
  area.addEventListener("pointerup", (event) => {
    const moved = from && { x: event.clientX - from.x, y: event.clientY - from.y };
    from = null;
    if (moved && !isBusy() && Math.abs(moved.x) > SWIPE && Math.abs(moved.x) > 2 * Math.abs(moved.y)) turn(moved.x < 0 ? 1 : -1);
  });
  area.addEventListener("pointercancel", () => {
    from = null;
  });

  return {
    // Two images have come into view, or others without turns. areKnown: both were seen when they were first answered.
    begin(look, { areKnown = false } = {}) {
      group = look.querySelector(".sides");
      figures = [...look.querySelectorAll(".picture:not(.reference)")];
      seen.clear();
      if (areKnown) figures.forEach((_, place) => seen.add(place));
      if (group) show(0);
    },
    turn,
    showWith,
    // Whether every image has been in view; if not, the one that has not is shown now.
    areSeen() {
      if (!takesTurns() || seen.size === figures.length) return true;
      show(1 - front);
      return false;
    },
  };
}
