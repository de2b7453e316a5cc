// Time that somebody was really looking: none while the page is out of sight, and no more than 30 seconds at a stretch
// without a sign of life.
const IDLE_MS = 30000;

export function activeTime() {
  let activeMs = 0;
  let lastSign = performance.now();

  function count() {
    const now = performance.now();
    activeMs += Math.min(now - lastSign, IDLE_MS);
    lastSign = now;
  }
  function note() {
    if (document.visibilityState === "visible") count();
    else lastSign = performance.now();
  }

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") count();
    else lastSign = performance.now();
  });
  for (const kind of ["pointermove", "pointerdown", "keydown", "scroll"]) {
    document.addEventListener(kind, note, { passive: true });
  }

  return {
    ms() {
      note();
      return Math.round(activeMs);
    },
    restart() {
      activeMs = 0;
      lastSign = performance.now();
    },
  };
}
