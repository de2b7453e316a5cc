// Counts the other windows of this browser in which the same work is open.
export function countWindows(name, changed) {
  if (!("BroadcastChannel" in window)) return;
  const me = Math.random().toString(36).slice(2);
  const others = new Set();
  const channel = new BroadcastChannel(name);

  channel.addEventListener("message", ({ data: { from, says } }) => {
    const before = others.size;
    if (says === "gone") others.delete(from);
    else others.add(from);
    if (says === "hello") channel.postMessage({ from: me, says: "here" });
    if (others.size !== before) changed(others.size);
  });
  window.addEventListener("pagehide", () => channel.postMessage({ from: me, says: "gone" }));
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) channel.postMessage({ from: me, says: "hello" });
  });
  channel.postMessage({ from: me, says: "hello" });
}
