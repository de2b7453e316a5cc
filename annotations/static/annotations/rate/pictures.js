// The pictures of a rating card: as many pixels of each as the screen shows, enlarged in steps about the point under the
// pointer, all together or the reference alone, and two laid over each other with a slider between them.
const LEVELS = [1, 2, 4];
const PAN = 0.1; // of the frame, for one press of an arrow key

const full = (image) => image.dataset.src;

// widths: the widths in which the server has every image, rising. said: where the enlargement is shown.
export function ratePictures(stage, { widths, enlarged, said }) {
  let level = 0;
  let largest = 1; // zoom that was used on the card in view
  let alone = null; // the frame that alone is enlarged
  let pointer = null; // { frame, x, y }: where it last was over a picture, in pixels of the frame
  const framesOf = (card) => [...card.querySelectorAll(".frame")];
  const frames = () => framesOf(stage);

  // --- as many pixels as are shown ----------------------------------------------------------------------------------
  // What a card like the one in view has room for, in CSS pixels: the prompt may be shorter there.
  function room(place) {
    const all = frames();
    const frame = all[place] || all[0];
    if (!frame) return null;
    const limit = parseFloat(getComputedStyle(frame.querySelector("img")).maxHeight);
    const prompt = stage.querySelector(".prompt");
    return { width: frame.clientWidth, height: limit || frame.clientHeight + prompt.offsetHeight };
  }

  function address(image, shown) {
    const [width, height] = [Number(image.getAttribute("width")), Number(image.getAttribute("height"))];
    if (!width || !height || !shown) return full(image);
    const needed = Math.min(shown.width, (shown.height * width) / height) * window.devicePixelRatio;
    const step = widths.find((one) => one >= needed);
    return step && step < width ? `${full(image)}?width=${step}` : full(image);
  }

  // For a card that is not in the document yet.
  function prepare(card) {
    const isGrid = card.classList.contains("card--prompt");
    card.querySelectorAll(".frame img").forEach((image, place) => {
      image.dataset.src = image.getAttribute("src");
      const shown = room(place);
      image.setAttribute("src", address(image, shown && isGrid ? { ...shown, height: Infinity } : shown));
    });
  }

  // Larger than it was fetched for: the window has grown, or the picture is enlarged. What is shown stays until then.
  async function sharpen(image, wanted) {
    const better = new Image();
    better.src = wanted;
    try {
      await better.decode();
    } catch {
      return; // without a network what is there has to do
    }
    if (image.isConnected && better.naturalWidth > image.naturalWidth) image.src = wanted;
  }

  function fit() {
    for (const image of stage.querySelectorAll(".frame img[data-src]")) {
      const box = image.getBoundingClientRect();
      const wanted = level > 0 ? full(image) : address(image, box);
      if (image.complete && image.naturalWidth < Number(image.getAttribute("width"))) sharpen(image, wanted);
    }
  }

  // --- larger -------------------------------------------------------------------------------------------------------
  function size() {
    const scale = LEVELS[level];
    // Measured before the frames may scroll: from then on they would take the height of what is in them.
    const sizes = new Map(frames().map((frame) => [frame, [frame.clientWidth, frame.clientHeight]]));
    stage.querySelector(".pictures").classList.toggle("is-zoomed", level > 0);
    for (const [frame, [width, height]] of sizes) {
      const image = frame.querySelector("img");
      if (level === 0) {
        frame.style.height = image.style.width = image.style.height = "";
        frame.removeAttribute("tabindex");
        frame.removeAttribute("role");
        frame.removeAttribute("aria-label");
        continue;
      }
      frame.style.height ||= `${height}px`;
      if (alone && frame !== alone) continue;
      image.style.width = `${width * scale}px`;
      image.style.height = `${height * scale}px`;
      frame.tabIndex = 0;
      frame.setAttribute("role", "group");
      frame.setAttribute("aria-label", `${image.alt}: ${enlarged}`);
    }
  }

  const referenceFrame = () => stage.querySelector(".reference .frame");

  // The reference alone, where the pointer is on it.
  function zoom(at = pointer) {
    const here = at?.frame.isConnected ? at.frame : frames()[0];
    zoomAt(here, at, here === referenceFrame() ? here : null);
  }

  function zoomReference() {
    const frame = referenceFrame();
    if (frame) zoomAt(frame, pointer, frame);
  }

  function zoomAt(here, at, only) {
    if (alone !== only) reset();
    alone = only;
    const { x, y } = here === at?.frame ? at : { x: here.clientWidth / 2, y: here.clientHeight / 2 };
    const before = LEVELS[level];
    const place = { x: here.scrollLeft + x, y: here.scrollTop + y };
    level = (level + 1) % LEVELS.length;
    largest = Math.max(largest, LEVELS[level]);
    size();
    const grown = LEVELS[level] / before;
    here.scrollTo(place.x * grown - x, place.y * grown - y);
    follow(here);
    if (level > 0) fit();
    said.textContent = `${LEVELS[level]}×`;
  }

  function follow(frame) {
    if (alone) return;
    for (const other of frames()) {
      const [left, top] = [
        (frame.scrollLeft * other.clientWidth) / frame.clientWidth,
        (frame.scrollTop * other.clientHeight) / frame.clientHeight,
      ];
      if (Math.abs(other.scrollLeft - left) > 1 || Math.abs(other.scrollTop - top) > 1) other.scrollTo(left, top);
    }
  }

  function reset() {
    if (level === 0) return;
    level = 0;
    size();
    alone = null;
  }

  // --- one over the other -------------------------------------------------------------------------------------------
  function cover(slider) {
    const pictures = slider.closest(".pictures");
    const right = pictures.querySelectorAll(".frame")[1];
    right.style.clipPath = pictures.classList.contains("has-slider") ? `inset(0 0 0 ${slider.value}%)` : "";
  }

  function overlay() {
    const pictures = stage.querySelector(".pictures--2");
    if (!pictures) return;
    reset();
    const on = pictures.classList.toggle("has-slider");
    const slider = pictures.querySelector(".slider");
    slider.hidden = !on;
    if (on) slider.focus();
    cover(slider);
  }

  function at(event) {
    const frame = event.target.closest?.(".frame");
    const box = frame?.getBoundingClientRect();
    return frame ? { frame, x: event.clientX - box.left, y: event.clientY - box.top } : null;
  }

  stage.addEventListener("click", (event) => {
    if (event.target.closest(".picture img")) zoom(at(event));
    else if (event.target.closest(".reference-name")) zoomReference();
  });
  stage.addEventListener("pointermove", (event) => (pointer = at(event)));
  stage.addEventListener("pointerleave", () => (pointer = null));
  stage.addEventListener("scroll", (event) => event.target.matches?.(".frame") && level > 0 && follow(event.target), true);
  stage.addEventListener("input", (event) => {
    if (event.target.matches(".slider")) cover(event.target);
  });
  window.addEventListener("resize", () => {
    reset();
    fit();
  });

  return {
    zoom,
    zoomReference,
    overlay,
    prepare,
    reset,
    fit,
    get scale() {
      return LEVELS[level];
    },
    get largest() {
      return largest;
    },
    begin() {
      largest = 1;
    },
    get isZoomed() {
      return level > 0;
    },
    pan(dx, dy) {
      const frame = alone || frames()[0];
      frame.scrollBy(dx * PAN * frame.clientWidth, dy * PAN * frame.clientHeight);
    },
  };
}
