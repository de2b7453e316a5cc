// Two images in a narrow window: one at a time, in the same place and as large as it goes. A button or a swipe shows the
// other, so that a difference jumps out. In a wide window both are seen, and the buttons are not there.
const SWIPE = 40; // pixels

export function auditSides(look, pictures) {
  const group = look.querySelector(".sides");
  const buttons = group ? [...group.querySelectorAll("button")] : [];
  const figures = [...look.querySelectorAll(".picture")];
  const seen = new Set();
  let front = 0;
  let from = null;

  const takesTurns = () => group !== null && group.offsetParent !== null;

  function show(place) {
    front = place;
    seen.add(place);
    figures.forEach((figure, i) => figure.classList.toggle("is-in-front", i === place));
    buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === place)));
  }

  function swiped(event) {
    const moved = from && { x: event.clientX - from.x, y: event.clientY - from.y };
    from = null;
    if (!moved || !takesTurns() || pictures.isZoomed() || pictures.isMarking()) return;
    if (Math.abs(moved.x) > SWIPE && Math.abs(moved.x) > 2 * Math.abs(moved.y)) show(moved.x < 0 ? 1 : 0);
  }

  if (group) {
    buttons.forEach((button, i) => button.addEventListener("click", () => show(i)));
    look.addEventListener("focusin", (event) => {
      const place = figures.findIndex((figure) => figure.contains(event.target));
      if (place >= 0) show(place);
    });
    look.addEventListener("pointerdown", (event) => {
      from = event.isPrimary && event.target.closest(".canvas") ? { x: event.clientX, y: event.clientY } : null;
    });
    look.addEventListener("pointerup", swiped);
    look.addEventListener("pointercancel", () => {
      from = null;
    });
    show(0);
  }

  return {
    // Whether every image has been in view; if not, the one that has not is shown now.
    areSeen() {
      if (!takesTurns() || seen.size === figures.length) return true;
      show(1 - front);
      return false;
    },
  };
}
