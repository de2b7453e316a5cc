// On every page but those where answers are given: what waits in this browser is sent, whatever the study, and the page
// says how much waits, and why. Where nothing waits, nothing happens.
import { signedIn, startDelivery } from "./delivery.js";
import { waiting } from "./outbox.js";

const AGAIN_MS = 5000;
const line = document.getElementById("waiting");
const words = document.getElementById("waiting-words").content;
const { session } = line.dataset;
const counts = { late: 0, refused: 0 };

function show(kind, n) {
  line.textContent = words.querySelector(`.${kind}`).textContent.replace("{n}", n);
  line.hidden = false;
}

async function begin() {
  let now;
  try {
    now = await signedIn(session);
  } catch {
    show("offline", waiting().length);
    setTimeout(begin, AGAIN_MS);
    return;
  }
  const others = () => waiting().filter((entry) => entry.user !== now.user).length;
  const delivery = startDelivery({
    ...now,
    session,
    tell: show,
    taken: (_, { outcome }) => outcome === "late" && (counts.late += 1),
    refused: () => (counts.refused += 1),
    empty() {
      if (others()) show("stopped", others());
      else if (counts.refused) show("refused", counts.refused);
      else if (counts.late) show("late", counts.late);
      else if (document.querySelector("[data-counts]")) window.location.reload(); // it counts what is saved
      else show("saved", 0);
    },
  });
  delivery.start();
}

if (waiting().length) begin();
