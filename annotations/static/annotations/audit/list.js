// The auditor's own list of errors: each in words, with details and a mark on the image; added and taken back.
const fill = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const percent = (share) => Math.round(share * 100);
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// send(entry): to the outbox. tell(text): what is wrong with what was typed. changed(n): how many are on the list.
export function errorList(page, { words, pictures, send, tell, changed }) {
  const byId = (id) => document.getElementById(id);
  const form = byId("add");
  const field = byId("missed-text");
  const rows = () => [...byId("listed").children];

  function setMark(mark, place) {
    for (const name of ["x", "y", "width", "height"]) form.elements[name].value = mark?.[name]?.toFixed(4) ?? "";
    if (mark && form.elements.side) form.elements.side.value = place === 0 ? "left" : "right";
    const values = mark && Object.fromEntries(Object.entries(mark).map(([name, share]) => [name, percent(share)]));
    byId("mark-text").textContent = !mark ? words.none : fill(mark.width ? words.box : words.point, values);
    byId("unmark").hidden = !mark;
    if (!mark) pictures.erase(".mark.is-pending");
  }

  function number() {
    rows().forEach((row, i) => {
      row.querySelector(".listed-number").textContent = i + 1;
      const text = page.querySelector(`.mark[data-key="${row.dataset.key}"] text`);
      if (text) text.textContent = i + 1;
    });
    changed();
  }

  function add() {
    const text = field.value.trim();
    if (!text) {
      tell(words.wordsMissing);
      field.focus();
      return;
    }
    tell("");
    const body = new URLSearchParams(new FormData(form));
    body.delete("csrfmiddlewaretoken");
    const key = body.get("key");
    send({ url: new URL(form.action).pathname, question: `add-${key}`, body: body.toString() });
    const row = byId("listed-row").content.firstElementChild.cloneNode(true);
    row.dataset.key = key;
    row.querySelector(".listed-text").textContent = text;
    const details = [...form.querySelectorAll("select")].filter((select) => select.value);
    row.querySelector(".listed-details").textContent = details.map((select) => select.selectedOptions[0].text).join(" · ");
    row.querySelector("button").value = key;
    row.querySelector("button").setAttribute("aria-label", `${words.withdraw}: ${text}`);
    byId("listed").append(row);
    if (form.elements.x.value) {
      const mark = {};
      for (const name of ["x", "y", "width", "height"]) {
        if (form.elements[name].value) mark[name] = Number(form.elements[name].value);
      }
      const canvas = pictures.canvases[form.elements.side?.value === "right" ? 1 : 0];
      pictures.draw(canvas, mark, { key, number: rows().length });
    }
    form.reset();
    form.elements.key.value = newKey();
    setMark(null);
    number();
    field.focus();
  }

  function toggleMarks() {
    byId("hide-marks").setAttribute("aria-pressed", String(pictures.toggleMarks()));
  }

  function withdraw(row) {
    const key = row.dataset.key;
    const url = new URL(row.querySelector("form").action).pathname;
    send({ url, question: `withdraw-${key}`, body: new URLSearchParams({ key }).toString() });
    pictures.erase(`.mark[data-key="${key}"]`);
    row.remove();
    number();
    field.focus();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    add();
  });
  form.addEventListener("input", changed);
  byId("listed").addEventListener("submit", (event) => {
    event.preventDefault();
    withdraw(event.target.closest(".listed-row"));
  });
  byId("mark").addEventListener("click", (event) => {
    // A click by keyboard has no detail; a finger or a mouse then draws on the image itself.
    const byPointer = event.detail > 0;
    if (pictures.isMarking()) pictures.stop();
    else pictures.start(undefined, byPointer);
    if (byPointer) page.querySelector(".look").scrollIntoView({ block: "nearest" });
  });
  byId("unmark").addEventListener("click", () => setMark(null));
  byId("hide-marks").addEventListener("click", toggleMarks);
  for (const id of ["mark", "mark-text", "hide-marks"]) byId(id).hidden = false;

  return {
    add,
    hasWords: () => field.value.trim() !== "",
    isEmpty: () => rows().length === 0,
    write: () => field.focus(),
    toggleMarks,
    marked(mark, place) {
      setMark(mark, place);
      (field.value ? form.querySelector(".add-button") : field).focus();
    },
    say: ({ x, y }) => fill(words.at, { x: percent(x), y: percent(y) }),
  };
}
