// Buttons that open a dialog of their page: `data-dialog` names it. Without a script they stay hidden.
(() => {
  "use strict";
  for (const button of document.querySelectorAll("[data-dialog]")) {
    button.hidden = false;
    button.addEventListener("click", () => document.getElementById(button.dataset.dialog).showModal());
  }
})();
