// How the images of the card in view were seen: their size on the screen, how long, how large, and what was pressed. It
// goes with the answer in one short field, which annotations/kinds/viewing.py reads.
const INPUTS = { mouse: "m", touch: "t", pen: "p" };

export function viewingOf(pictures, images) {
  const spent = { visible: 0, hidden: 0 };
  let state = document.visibilityState;
  let since = performance.now();
  let input = "";
  let sizes = ""; // as measured when the card came into view; "" where they have to be measured anew

  function count() {
    const now = performance.now();
    spent[state === "hidden" ? "hidden" : "visible"] += now - since;
    [since, state] = [now, document.visibilityState];
  }

  document.addEventListener("visibilitychange", count);
  window.addEventListener("resize", () => (sizes = ""));
  document.addEventListener("pointerdown", (event) => (input = INPUTS[event.pointerType] ?? ""), true);
  document.addEventListener("keydown", () => (input = "k"), true);

  // What is seen of a picture in its box, without the bars at its sides.
  function size(image) {
    const { scale } = pictures;
    const [width, height] = [image.clientWidth / scale, image.clientHeight / scale];
    const shrunk = Math.min(width / (image.naturalWidth || 1), height / (image.naturalHeight || 1));
    return [image.naturalWidth, image.naturalHeight].map((side) => Math.round(side * shrunk)).join("x");
  }

  return {
    restart() {
      count();
      spent.visible = spent.hidden = 0;
      sizes = images().map(size).join();
    },
    told() {
      count();
      const ratio = Number(window.devicePixelRatio.toFixed(2));
      const isDecoded = images().every((image) => image.complete && image.naturalWidth > 0);
      const times = [spent.visible, spent.hidden].map(Math.round);
      return [sizes || images().map(size).join(), ratio, pictures.largest, isDecoded ? 1 : 0, ...times, input].join(";");
    },
  };
}
