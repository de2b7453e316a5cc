// Sends a call of the API from its form, as the person who is signed in, and shows the answer.
const token = document.querySelector("#csrf input").value;

function request(form) {
  const headers = { "X-CSRFToken": token };
  let path = form.dataset.path;
  const query = new URLSearchParams();
  const body = form.dataset.form === undefined ? null : new FormData();
  for (const field of form.querySelectorAll("[data-place]")) {
    const { place } = field.dataset;
    if (field.type === "file") {
      for (const file of field.files) body.append(field.name, file);
    } else if (field.value !== "") {
      if (place === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
      if (place === "query") query.append(field.name, field.value);
      if (place === "header") headers[field.name] = field.value;
      if (place === "form") body.append(field.name, field.value);
      if (place === "body") headers["Content-Type"] = "application/json";
    }
  }
  const text = form.querySelector("[data-place=body]");
  const address = query.size ? `${path}?${query}` : path;
  return [address, { method: form.dataset.method, headers, body: body ?? (text ? text.value : undefined) }];
}

async function shown(response) {
  const kind = response.headers.get("Content-Type") ?? "";
  if (!/json|text|csv/.test(kind)) return `${kind}, ${(await response.blob()).size} bytes`;
  const text = await response.text();
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

for (const form of document.querySelectorAll("form.try")) {
  const answer = form.querySelector("[data-answer]");
  form.querySelector("button").hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [address, options] = request(form);
    let status;
    let text = "";
    try {
      const response = await fetch(address, options);
      status = `${response.status} ${response.statusText}`;
      text = await shown(response);
    } catch (error) {
      status = String(error);
    }
    answer.querySelector("[data-status]").textContent = `${options.method} ${address}: ${status}`;
    answer.querySelector("code").textContent = text;
    answer.hidden = false;
  });
}
