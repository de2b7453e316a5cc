// The image of an auditing page: zoom, pan, and a point or box marked by mouse, touch or keyboard.
// Positions are fractions of the image from its top left; an SVG's own coordinates keep marks in place at any zoom.
const SVG = "http://www.w3.org/2000/svg";
const LEVELS = [1, 2, 4];
const SMALL = 8; // pixels on the screen: a shorter drag is a click

const clamp = (value, low = 0, high = 1) => Math.min(high, Math.max(low, value));
const size = (canvas) => [Number(canvas.dataset.width), Number(canvas.dataset.height)];

export function auditPictures(look, hooks) {
  const canvases = [...look.querySelectorAll(".canvas")];
  let level = 0;
  let centre = { x: 0.5, y: 0.5 };
  let marking = null; // by keyboard or touch: {canvas, x, y, corner}
  let pointed = null; // where the pointer is over an image, as a fraction of it

  function view() {
    const scale = LEVELS[level];
    const half = 0.5 / scale;
    centre = { x: clamp(centre.x, half, 1 - half), y: clamp(centre.y, half, 1 - half) };
    for (const canvas of canvases) {
      const [width, height] = size(canvas);
      const box = [(centre.x - half) * width, (centre.y - half) * height, width / scale, height / scale];
      canvas.setAttribute("viewBox", box.map((value) => Number(value.toFixed(3))).join(" "));
      canvas.classList.toggle("is-zoomed", level > 0);
    }
    hooks.zoomed(scale);
  }

  function zoom(at = pointed) {
    level = (level + 1) % LEVELS.length;
    centre = level === 0 ? { x: 0.5, y: 0.5 } : at || (level === 1 ? { x: 0.5, y: 0.5 } : centre);
    view();
  }

  function pan(dx, dy) {
    centre = { x: centre.x + dx / LEVELS[level], y: centre.y + dy / LEVELS[level] };
    view();
  }

  function fraction(canvas, event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(canvas.getScreenCTM().inverse());
    const [width, height] = size(canvas);
    return { x: clamp(point.x / width), y: clamp(point.y / height) };
  }

  const boxOf = (a, b) => ({ x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(a.x - b.x), height: Math.abs(a.y - b.y) });

  function add(parent, name, attributes) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    parent.append(element);
    return element;
  }

  // Twice: dark below, light above, so that a mark shows on any picture.
  function draw(canvas, mark, { key = "", number = "", pending = false } = {}) {
    const [width, height] = size(canvas);
    const unit = Math.max(width, height) / 100;
    const group = add(canvas.querySelector(".marks"), "g", { class: pending ? "mark is-pending" : "mark", "data-key": key });
    for (const layer of ["under", "over"]) {
      if (mark.width && mark.height) {
        const shape = { x: mark.x * width, y: mark.y * height, width: mark.width * width, height: mark.height * height };
        add(group, "rect", { class: layer, ...shape });
      } else {
        add(group, "circle", { class: layer, cx: mark.x * width, cy: mark.y * height, r: 1.5 * unit });
      }
    }
    if (number) {
      const x = mark.x * width + (mark.width ? 0 : 2 * unit);
      const y = mark.y * height + (mark.y > 0.05 ? -unit : 4 * unit);
      add(group, "text", { x, y, "font-size": 3.5 * unit }).textContent = number;
    }
    return group;
  }

  const erase = (selector) => look.querySelectorAll(selector).forEach((element) => element.remove());

  function pending(canvas, mark) {
    erase(".mark.is-pending");
    if (mark) draw(canvas, mark, { pending: true });
  }

  function crosshair() {
    erase(".crosshair");
    if (!marking || marking.touch) return;
    const { canvas, x, y, corner } = marking;
    const [width, height] = size(canvas);
    const group = add(canvas.querySelector(".marks"), "g", { class: "crosshair" });
    for (const layer of ["under", "over"]) {
      add(group, "line", { class: layer, x1: x * width, x2: x * width, y1: 0, y2: height });
      add(group, "line", { class: layer, x1: 0, x2: width, y1: y * height, y2: y * height });
    }
    if (corner) pending(canvas, boxOf(corner, { x, y }));
  }

  function start(canvas = canvases[0], touch = false) {
    marking = { canvas, x: centre.x, y: centre.y, corner: null, touch };
    look.classList.add("is-marking");
    if (!touch) canvas.focus({ preventScroll: true });
    crosshair();
    hooks.marking(true);
  }

  function stop() {
    if (!marking) return;
    marking = null;
    look.classList.remove("is-marking");
    erase(".crosshair");
    hooks.marking(false);
  }

  function set(canvas, mark) {
    stop();
    pending(canvas, mark);
    hooks.marked(mark, Number(canvas.dataset.place));
  }

  // One key while marking; true when it was used.
  function key(event) {
    if (!marking) return false;
    const step = event.shiftKey ? 0.1 : 0.02;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (moves[event.key]) {
      marking.x = clamp(marking.x + moves[event.key][0]);
      marking.y = clamp(marking.y + moves[event.key][1]);
      if (level > 0) {
        centre = { x: marking.x, y: marking.y };
        view();
      }
      crosshair();
      hooks.at(marking);
    } else if (event.key === " ") {
      marking.corner = { x: marking.x, y: marking.y };
      crosshair();
    } else if (event.key === "Enter") {
      const { canvas, corner, x, y } = marking;
      const box = corner && boxOf(corner, { x, y });
      set(canvas, box && box.width && box.height ? box : { x, y });
    } else if (event.key === "Escape") {
      pending(marking.canvas, null);
      stop();
      hooks.marked(null, 0);
    } else if (canvases.length > 1 && ["l", "r"].includes(event.key.toLowerCase())) {
      marking.canvas = canvases[event.key.toLowerCase() === "l" ? 0 : 1];
      marking.canvas.focus({ preventScroll: true });
      crosshair();
    } else {
      return false;
    }
    event.preventDefault();
    return true;
  }

  for (const canvas of canvases) {
    let from = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      const draws = marking !== null || (event.pointerType === "mouse" && level === 0 && hooks.mayDraw());
      from = { ...fraction(canvas, event), clientX: event.clientX, clientY: event.clientY, draws, centre };
      if (draws || level > 0) {
        event.preventDefault();
        canvas.setPointerCapture(event.pointerId);
      }
    });
    canvas.addEventListener("pointerleave", () => {
      pointed = null;
    });
    canvas.addEventListener("pointermove", (event) => {
      pointed = event.pointerType === "mouse" ? fraction(canvas, event) : null;
      if (!from) return;
      if (from.draws) {
        pending(canvas, boxOf(from, fraction(canvas, event)));
      } else if (level > 0) {
        const bounds = canvas.getBoundingClientRect();
        const scale = LEVELS[level];
        centre = {
          x: from.centre.x - (event.clientX - from.clientX) / bounds.width / scale,
          y: from.centre.y - (event.clientY - from.clientY) / bounds.height / scale,
        };
        view();
      }
    });
    canvas.addEventListener("pointerup", (event) => {
      if (!from) return;
      const moved = Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) > SMALL;
      const to = fraction(canvas, event);
      const box = boxOf(from, to);
      if (from.draws) set(canvas, moved && box.width && box.height ? box : { x: to.x, y: to.y });
      else if (!moved) zoom(to);
      from = null;
    });
    canvas.addEventListener("pointercancel", () => {
      from = null;
    });
  }

  const images = () => canvases.map((canvas) => canvas.querySelector("image"));

  // An image in an SVG cannot be asked whether it can be seen: one of the same address can. The reference can.
  function probes() {
    const own = images().map((image) => Object.assign(new Image(), { src: image.getAttribute("href") }));
    return [...own, ...look.querySelectorAll(".reference img")];
  }

  function refresh() {
    for (const image of images()) image.setAttribute("href", image.getAttribute("href"));
  }

  // True where they are hidden now.
  const toggleMarks = () => look.classList.toggle("has-no-marks");

  return {
    probes,
    refresh,
    toggleMarks,
    zoom,
    pan,
    start,
    stop,
    key,
    draw,
    pending,
    erase,
    canvases,
    isMarking: () => marking !== null,
    isZoomed: () => level > 0,
  };
}
