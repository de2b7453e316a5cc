// Two images on top of each other with a line between them. Without a script they are side by side.
(() => {
  "use strict";
  for (const box of document.querySelectorAll("[data-compare]")) {
    const pictures = box.querySelector(".compare-pictures");
    const control = box.querySelector(".compare-control");
    const range = control.querySelector("input");
    const move = () => {
      pictures.style.setProperty("--at", `${range.value}%`);
      range.setAttribute("aria-valuetext", range.value + range.dataset.before);
    };
    const follow = (event) => {
      const { left, width } = pictures.querySelector("img").getBoundingClientRect();
      range.value = Math.round((100 * (event.clientX - left)) / width);
      move();
    };
    box.classList.add("stacked");
    control.hidden = false;
    range.addEventListener("input", move);
    pictures.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.target.closest("a")) return;
      event.preventDefault();
      pictures.setPointerCapture(event.pointerId);
      range.focus({ preventScroll: true });
      follow(event);
    });
    pictures.addEventListener("pointermove", (event) => {
      if (pictures.hasPointerCapture(event.pointerId)) follow(event);
    });
    move();
  }
})();
