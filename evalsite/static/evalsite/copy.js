// A copy button next to a field whose text can be selected anyway. The button shows only where copying can work.
(() => {
  "use strict";
  if (!navigator.clipboard) return;
  for (const box of document.querySelectorAll("[data-copy]")) {
    const field = box.querySelector("input");
    const button = box.querySelector("button");
    const word = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {
        return; // the text is selected: the keyboard's own copy still works
      }
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = word; }, 2000);
    });
  }
})();
