// One line over the page that says why it waits, with a button where there is something to do.
export function noticeLine(element) {
  const text = element.querySelector("p");
  const button = element.querySelector("button");
  let press = null;
  button.addEventListener("click", () => press?.());

  return {
    show(words, action = null) {
      press = action;
      button.hidden = !action;
      if (text.textContent !== words) text.textContent = words; // a screen reader would say it again
      element.hidden = false;
    },
    hide() {
      press = null;
      element.hidden = true;
      text.textContent = "";
    },
  };
}
