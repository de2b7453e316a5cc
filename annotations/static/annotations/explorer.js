// The explorer by keyboard, and a selection that is kept from page to page of one study in this window.
const form = document.getElementById("selection");
const study = document.querySelector("[data-study]")?.dataset.study ?? "";
const key = `explorer-${study}`;
const most = Number(form?.dataset.most ?? 60);

function read() {
  try {
    return new Set(JSON.parse(sessionStorage.getItem(key) ?? "[]"));
  } catch {
    return new Set();
  }
}

function write(selected) {
  try {
    sessionStorage.setItem(key, JSON.stringify([...selected]));
  } catch {
    // Without storage the selection is that of this page.
  }
}

const boxes = [...document.querySelectorAll('input[name="unit"][type="checkbox"]')];
const output = document.getElementById("n-selected");
const clear = document.getElementById("clear-selection");

function show() {
  const selected = read();
  for (const box of boxes) {
    box.checked = selected.has(box.value);
    box.disabled = !box.checked && selected.size >= most;
  }
  if (output) output.textContent = selected.size ? `${selected.size} / ${most}` : "";
  if (clear) clear.hidden = !selected.size;
}

for (const box of boxes) {
  box.addEventListener("change", () => {
    const selected = read();
    if (box.checked) selected.add(box.value);
    else selected.delete(box.value);
    write(selected);
    show();
  });
}

clear?.addEventListener("click", () => {
  write(new Set());
  show();
});

form?.addEventListener("formdata", ({ formData }) => {
  const selected = read();
  if (!selected.size) return;
  formData.delete("unit");
  for (const value of selected) formData.append("unit", value);
});

// Arrow keys walk over the wall: to the sides by one, up and down to the nearest image of the next row.
const tiles = [...document.querySelectorAll("[data-tile] > a")];

function neighbour(from, down) {
  const here = from.getBoundingClientRect();
  const middle = here.left + here.width / 2;
  let best = null;
  let least = Infinity;
  for (const tile of tiles) {
    const there = tile.getBoundingClientRect();
    const rows = down ? there.top - here.top : here.top - there.top;
    if (rows < 8) continue;
    const distance = rows * 10 + Math.abs(there.left + there.width / 2 - middle);
    if (distance < least) [best, least] = [tile, distance];
  }
  return best;
}

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.target.closest?.("input:not([type=checkbox]), select, textarea")) return;
  const tile = event.target.closest?.("[data-tile]");
  if (tiles.length) {
    const at = tile ? tiles.indexOf(tile.querySelector(":scope > a")) : -1;
    const toRight = getComputedStyle(document.documentElement).direction === "rtl" ? -1 : 1;
    let next = null;
    if (event.key === "ArrowRight") next = tiles[at + toRight] ?? (at < 0 ? tiles[0] : null);
    else if (event.key === "ArrowLeft") next = at < 0 ? null : (tiles[at - toRight] ?? null);
    else if (at >= 0 && event.key === "ArrowDown") next = neighbour(tiles[at], true);
    else if (at >= 0 && event.key === "ArrowUp") next = neighbour(tiles[at], false);
    else if (at >= 0 && event.key === " " && event.target === tiles[at]) {
      event.preventDefault();
      tile.querySelector('input[name="unit"]')?.click();
      return;
    }
    if (next) {
      event.preventDefault();
      next.focus();
    }
    return;
  }
  const link = document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`);
  if (link) {
    event.preventDefault();
    link.click();
  } else if (event.key === " " && event.target === document.body) {
    const pick = document.querySelector("input[data-pick]");
    if (pick) {
      event.preventDefault();
      pick.click();
    }
  }
});

show();
window.addEventListener("pageshow", show);
