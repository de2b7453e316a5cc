// The pictures of a rating card: real pixels and back, and two images laid over each other with a slider between them.
window.ratePictures = (stage) => {
  "use strict";
  const zoom = () => stage.querySelector(".pictures").classList.toggle("is-zoomed");

  function cover(slider) {
    const pictures = slider.closest(".pictures");
    const right = pictures.querySelectorAll(".picture img")[1];
    right.style.clipPath = pictures.classList.contains("has-slider") ? `inset(0 0 0 ${slider.value}%)` : "";
  }

  function overlay() {
    const pictures = stage.querySelector(".pictures--2");
    if (!pictures) return;
    const on = pictures.classList.toggle("has-slider");
    const slider = pictures.querySelector(".slider");
    slider.hidden = !on;
    if (on) slider.focus();
    cover(slider);
  }

  stage.addEventListener("click", (event) => {
    if (event.target.closest(".picture img")) zoom();
  });
  stage.addEventListener("input", (event) => {
    if (event.target.matches(".slider")) cover(event.target);
  });
  return { zoom, overlay };
};
