// Answers that the server has not acknowledged yet, each under a key of its own in local storage: they survive a lost
// network, a closed window and a crash, and two windows never overwrite each other's. What the storage refuses (it is
// full, or private) is held in this window.

const OUTBOX = /^evalsite-(?:outbox|audit)-.+-(\d+)$/; // of one study and one user
const held = new Map();
let lastOrder = 0;

function keys() {
  try {
    return Object.keys(localStorage);
  } catch {
    return [];
  }
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(entry) {
  try {
    localStorage.setItem(entry.key, JSON.stringify(entry));
  } catch {
    held.set(entry.key, entry);
  }
}

// A list under one key is what earlier versions of this page left.
function adoptLists() {
  for (const name of keys().filter((key) => OUTBOX.test(key))) {
    for (const old of read(name) || []) write({ ...old, question: old.name, ...keyOf(name) });
    localStorage.removeItem(name);
  }
}

function keyOf(name) {
  lastOrder = Math.max(Date.now(), lastOrder + 1, ...waiting().map((entry) => entry.order + 1));
  return { key: `${name}/${lastOrder}-${Math.random().toString(36).slice(2)}`, order: lastOrder };
}

// Everything that waits in this browser, oldest first. `user` is the id of the person who gave the answer.
export function waiting() {
  const found = [...held.values()];
  for (const key of keys()) {
    const user = OUTBOX.exec(key.split("/")[0])?.[1];
    const entry = user && key.includes("/") ? read(key) : null;
    if (entry) found.push({ ...entry, key, user });
  }
  return found.sort((a, b) => a.order - b.order);
}

export function remove(entry) {
  held.delete(entry.key);
  try {
    localStorage.removeItem(entry.key);
  } catch {
    // nothing was stored there
  }
}

// A later answer takes the place of one still waiting to the same `question` at the same `url`.
export function add(name, entry) {
  for (const other of waiting()) {
    if (other.key.startsWith(`${name}/`) && other.url === entry.url && other.question === entry.question) remove(other);
  }
  write({ answeredAt: Date.now(), user: OUTBOX.exec(name)[1], ...entry, ...keyOf(name) });
}

adoptLists();
