// What has to be known before the first paint, so that the page does not flash: light or dark, which this browser keeps,
// and whether it holds answers that the server does not have (annotations/waiting.js sends them).
(() => {
  "use strict";
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let choice = null;
  try {
    choice = localStorage.getItem("theme");
    const waits = Object.keys(localStorage).some((key) => /^evalsite-(outbox|audit)-/.test(key));
    root.classList.toggle("has-waiting", waits);
  } catch {
    // Storage is refused in some private windows: the system's choice applies, and the button works until reload.
  }
  if (choice === "light" || choice === "dark") root.dataset.theme = choice;

  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);

  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.hidden = false;
      const show = () => button.setAttribute("aria-pressed", String(isDark()));
      show();
      dark.addEventListener("change", show);
      button.addEventListener("click", () => {
        root.dataset.theme = isDark() ? "light" : "dark";
        try {
          localStorage.setItem("theme", root.dataset.theme);
        } catch {
          // as above
        }
        show();
      });
    }
  });
})();
