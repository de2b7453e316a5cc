// Light or dark: the choice is kept in this browser. Loaded before the first paint, so that the page does not flash.
(() => {
  "use strict";
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let choice = null;
  try {
    choice = localStorage.getItem("theme");
  } catch {
    // Storage is refused in some private windows: the system's choice stands, and the button works until reload.
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
