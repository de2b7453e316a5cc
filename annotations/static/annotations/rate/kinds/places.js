// Points and boxes of a kind on the image. A kind is chosen, then the image is pressed, or a box drawn on it; or a kind's
// key makes a place in the middle, which the arrow keys move. Places are buttons over the picture, in fractions of it.
import { labelOf, printed } from "../keys.js";

const SMALL = 8; // pixels: a shorter drag is a press
const STEP = 0.01;
const START = 0.2; // the size of a box made by a key
const DIGITS = 10000;

const clamp = (value, low = 0, high = 1) => Math.min(high, Math.max(low, value));
const round = (value) => Math.round(value * DIGITS) / DIGITS;
const field = (question) => question.querySelector("input[type=hidden]");
const boxes = (question) => [...question.querySelectorAll("input[type=checkbox]")];
const kinds = (question) => [...question.querySelectorAll(".kind")];
const chosen = (question) => kinds(question).find((kind) => kind.getAttribute("aria-pressed") === "true");
const read = (question) => (field(question).value ? JSON.parse(field(question).value) : []);
const nameOf = (question, place) => kinds(question)[place.kind].querySelector(".label").textContent.trim();

function frameOf(question) {
  const own = question.closest(".picture");
  return (own ?? question.closest(".card")).querySelector(".frame");
}

// The layer over what is seen of the picture, wherever the frame has put it and however large it is.
function layerOf(question) {
  const frame = frameOf(question);
  let layer = frame.querySelector(`.layer[data-of="${field(question).name}"]`);
  if (layer) return layer;
  layer = document.createElement("div");
  layer.className = "layer";
  layer.dataset.of = field(question).name;
  frame.append(layer);
  const image = frame.querySelector("img");
  const fit = () => {
    const [width, height] = [image.naturalWidth || 1, image.naturalHeight || 1];
    const scale = Math.min(image.clientWidth / width, image.clientHeight / height);
    layer.style.width = `${width * scale}px`;
    layer.style.height = `${height * scale}px`;
    layer.style.left = `${image.offsetLeft + (image.clientWidth - width * scale) / 2}px`;
    layer.style.top = `${image.offsetTop + (image.clientHeight - height * scale) / 2}px`;
  };
  new ResizeObserver(fit).observe(image);
  image.addEventListener("load", fit);
  fit();
  listen(question, layer);
  return layer;
}

function write(question, places) {
  field(question).value = places.length ? JSON.stringify(places) : "";
  if (places.length) for (const box of boxes(question)) box.checked = false;
  draw(question);
}

function draw(question) {
  const layer = layerOf(question);
  layer.replaceChildren();
  layer.classList.toggle("is-armed", Boolean(chosen(question)));
  const said = read(question).map((place, i) => {
    const text = question.dataset.said
      .replace("{number}", i + 1)
      .replace("{kind}", nameOf(question, place))
      .replace("{x}", Math.round(100 * place.x))
      .replace("{y}", Math.round(100 * place.y));
    const mark = document.createElement("button");
    mark.type = "button";
    mark.className = "width" in place ? "mark is-box" : "mark";
    mark.dataset.place = i;
    mark.textContent = i + 1;
    mark.setAttribute("aria-label", text);
    mark.style.left = `${100 * place.x}%`;
    mark.style.top = `${100 * place.y}%`;
    if ("width" in place) {
      mark.style.width = `${100 * place.width}%`;
      mark.style.height = `${100 * place.height}%`;
    }
    layer.append(mark);
    return `${i + 1} ${nameOf(question, place)}`;
  });
  question.querySelector(".so-far").textContent = said.join(" · ");
}

const markAt = (question, place) => layerOf(question).querySelector(`[data-place="${place}"]`);

function add(question, place) {
  const places = [...read(question), place];
  write(question, places);
  return places.length - 1;
}

function within(place) {
  const [width, height] = [place.width ?? 0, place.height ?? 0];
  const moved = { ...place, x: round(clamp(place.x, 0, 1 - width)), y: round(clamp(place.y, 0, 1 - height)) };
  if ("width" in place) Object.assign(moved, { width: round(width), height: round(height) });
  return moved;
}

function change(question, i, by) {
  const places = read(question);
  places[i] = within(by(places[i]));
  write(question, places);
  markAt(question, i).focus({ preventScroll: true });
}

function remove(question, i) {
  write(question, read(question).filter((_, other) => other !== i));
}

function choose(question, kind) {
  const isOn = kind && kind.getAttribute("aria-pressed") !== "true";
  for (const other of kinds(question)) other.setAttribute("aria-pressed", String(isOn && other === kind));
  draw(question);
}

// --- by mouse and touch ---------------------------------------------------------------------------------------------
function listen(question, layer) {
  let from = null;
  const at = (event) => {
    const box = layer.getBoundingClientRect();
    return { x: clamp((event.clientX - box.left) / box.width), y: clamp((event.clientY - box.top) / box.height) };
  };
  layer.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || layer.closest("#stage")?.hasAttribute("aria-busy")) return;
    const mark = event.target.closest(".mark");
    if (!mark && !chosen(question)) return;
    from = { ...at(event), clientX: event.clientX, clientY: event.clientY, place: mark && Number(mark.dataset.place) };
    from.before = mark && read(question)[from.place];
    event.preventDefault();
    layer.setPointerCapture(event.pointerId);
    mark?.focus({ preventScroll: true });
  });
  layer.addEventListener("pointermove", (event) => {
    if (!from?.before) return;
    const to = at(event);
    const mark = markAt(question, from.place);
    const moved = within({ ...from.before, x: from.before.x + to.x - from.x, y: from.before.y + to.y - from.y });
    mark.style.left = `${100 * moved.x}%`;
    mark.style.top = `${100 * moved.y}%`;
  });
  layer.addEventListener("pointerup", (event) => {
    if (!from) return;
    const [start, to] = [from, at(event)];
    from = null;
    const isDrag = Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > SMALL;
    if (start.before) {
      const by = (place) => ({ ...place, x: place.x + to.x - start.x, y: place.y + to.y - start.y });
      if (isDrag) change(question, start.place, by);
      return;
    }
    const kind = Number(chosen(question).dataset.code);
    const { shape } = question.dataset;
    const drawn = { x: Math.min(start.x, to.x), y: Math.min(start.y, to.y) };
    const size = { width: Math.abs(start.x - to.x), height: Math.abs(start.y - to.y) };
    if (isDrag && shape !== "point") add(question, within({ kind, ...drawn, ...size }));
    else if (shape === "box") add(question, around(kind, to));
    else add(question, within({ kind, ...to }));
    question.dispatchEvent(new Event("input", { bubbles: true }));
  });
  layer.addEventListener("pointercancel", () => {
    from = null;
    draw(question);
  });
  layer.addEventListener("click", (event) => event.stopPropagation()); // the picture would be enlarged
}

const around = (kind, { x, y }) => within({ kind, x: x - START / 2, y: y - START / 2, width: START, height: START });

// --- by keyboard ----------------------------------------------------------------------------------------------------
const MOVES = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };

function keyOnMark(question, i, key, event) {
  if (key in MOVES) {
    const [x, y] = MOVES[key];
    change(question, i, (place) =>
      event.shiftKey && "width" in place
        ? { ...place, width: clamp(place.width + x, STEP, 1 - place.x), height: clamp(place.height + y, STEP, 1 - place.y) }
        : { ...place, x: place.x + x, y: place.y + y },
    );
  } else if (["Delete", "Backspace"].includes(key)) {
    remove(question, i);
    question.closest(".card").querySelector(".prompt").focus({ preventScroll: true });
  } else if (["Escape", "Enter"].includes(key)) {
    question.closest(".card").querySelector(".prompt").focus({ preventScroll: true });
  } else {
    return false;
  }
  event.preventDefault();
  return true;
}

export const places = {
  isAnswered: (question) => field(question).value !== "" || boxes(question).some((box) => box.checked),
  spoken(question) {
    const box = boxes(question).find((one) => one.checked);
    return box ? labelOf(box) : read(question).map((place) => nameOf(question, place)).join(", ");
  },
  draw,
  key(question, event, hands) {
    const key = printed(event);
    const mark = event.target.closest?.(`.layer[data-of="${field(question).name}"] .mark`);
    if (mark && keyOnMark(question, Number(mark.dataset.place), key, event)) {
      hands.changed(question);
      return true;
    }
    if (key === "H") {
      layerOf(question).classList.toggle("is-hidden");
      return true;
    }
    const kind = /^[1-9A-K]$/.test(key) && kinds(question).find((one) => one.querySelector("kbd")?.textContent === key);
    const box = boxes(question).find((one) => one.dataset.key === key);
    const isBack = key === "Backspace" && field(question).value !== "";
    const isOn = key === "Enter" && places.isAnswered(question) && !event.target.matches("a, button, summary");
    if (!kind && !box && !isBack && !isOn) return false;
    if (!hands.lets(event)) return true;
    event.preventDefault();
    hands.changed(question);
    if (kind) {
      const middle = { x: 0.5, y: 0.5 };
      const code = Number(kind.dataset.code);
      const isBox = question.dataset.shape === "box" || (question.dataset.shape === "either" && event.shiftKey);
      markAt(question, add(question, isBox ? around(code, middle) : { kind: code, ...middle })).focus();
    } else if (box) {
      box.checked = !box.checked;
      alone(question, box);
    } else if (isBack) {
      remove(question, read(question).length - 1);
    } else {
      hands.confirmed(question);
    }
    return true;
  },
  click(question, event) {
    const kind = event.target.closest(".kind");
    if (kind) choose(question, kind);
    else if (event.target.closest(".take-back")) remove(question, read(question).length - 1);
    else if (event.target.matches("input[type=checkbox]")) alone(question, event.target);
  },
};

function alone(question, box) {
  if (!box.checked) return;
  for (const other of boxes(question)) if (other !== box) other.checked = false;
  field(question).value = "";
  draw(question);
}
