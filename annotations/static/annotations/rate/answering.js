// The card in view and how it is answered: which question's turn it is, its keys, and what is pressed. The page of
// rating cards and that of practice and quiz cards share it; where an answered card goes is theirs to say.
import { kindOf } from "./kinds.js";
import { printed } from "./keys.js";
import { orderingOf } from "./kinds/ordering.js";

const PANS = { arrowleft: [-1, 0], arrowright: [1, 0], arrowup: [0, -1], arrowdown: [0, 1] };

// card(): the form in view. words: what is said, as the page has it. seen(), opened(): its images have been painted, and
// it can be answered. send(said): it is answered, by this in words. back(event): to the card before; true where it went.
export function answering(stage, { card, door, pictures, sides, words, seen, opened, send, back }) {
  let active = 0; // the question that keys answer
  let isByKey = false; // whether the last thing pressed was a key
  const visited = new WeakSet(); // questions whose turn has come

  const questions = () => [...card().querySelectorAll(".question:not([hidden])")];
  const isAnswered = (question) => kindOf(question).isAnswered(question);
  // The first question that may be left empty and whose turn has not come, so nobody has chosen to leave it empty; -1
  // where there is none, and on a card that comes back answered.
  const leftOut = () =>
    card().dataset.answered === "true"
      ? -1
      : questions().findIndex((question) => kindOf(question).isOptional?.(question) && !visited.has(question));
  const images = () => [...card().querySelectorAll(".picture img")];

  // A card has come into view.
  function begin({ isNew = true } = {}) {
    questions().forEach((question) => kindOf(question).draw?.(question));
    sides.begin(card(), { areKnown: card().dataset.answered === "true" });
    const first = questions().findIndex((question) => !isAnswered(question));
    if (card().querySelector(".problem").hidden) mark(first);
    else activate(first); // sent back for what is missing: that is shown; any other card opens at its top
    door.openFor(images(), {
      isNew,
      seen() {
        seen?.();
        const prompt = card().querySelector(".prompt");
        prompt.tabIndex = prompt.scrollHeight > prompt.clientHeight ? 0 : -1; // what scrolls can be scrolled by keyboard
        pictures.begin();
        pictures.fit();
      },
      opened() {
        stage.classList.remove("is-opening");
        opened?.();
      },
    });
  }

  function mark(index) {
    const all = questions();
    active = Math.max(0, Math.min(index, all.length - 1));
    all.forEach((question, i) => question.classList.toggle("is-active", i === active && all.length > 1));
    if (all.length) {
      visited.add(all[active]);
      sides.showWith(all[active]);
    }
  }

  function activate(index) {
    mark(index);
    const question = questions()[active];
    if (questions().length > 1) question.scrollIntoView({ block: "nearest" });
    const typing = document.activeElement;
    if (!typing.matches(".question :is(textarea, .range, .word), .layer .mark") || question.contains(typing)) return;
    card().querySelector(".prompt").focus({ preventScroll: true }); // its keys are no longer meant for it
  }

  // As `activate`, and what is typed goes there. Not by touch: a keyboard would open over the card.
  function enter(index) {
    activate(index);
    if (isByKey) kindOf(questions()[active]).enter?.(questions()[active]);
  }

  // --- answering ----------------------------------------------------------------------------------------------------
  // Whether this press may answer: the images are there, and each of a pair has been in view, unless one alone is asked
  // about.
  function lets(event) {
    if (!door.lets(event)) return false;
    const question = event.target.closest(".question") ?? (event.type === "keydown" ? questions()[active] : null);
    if (question?.closest(".picture") || sides.areSeen()) return true;
    event.preventDefault();
    tellProblem(words.otherFirst);
    return false;
  }

  const hands = {
    lets,
    isOpen: () => door.isOpen,
    isOnly: () => questions().length === 1,
    answered,
    changed(question) {
      tellProblem("");
      mark(questions().indexOf(question));
    },
    // The answer is as it is meant to be: on to the next question, or to the next card.
    confirmed(question) {
      if (questions().every(isAnswered)) finish();
      else answered(question);
    },
  };

  function answered(question) {
    tellProblem("");
    const all = questions();
    if (all.length === 1) {
      complete();
      return;
    }
    const here = all.indexOf(question);
    const next = all.findIndex((other, i) => i > here && !isAnswered(other));
    const any = all.findIndex((other) => !isAnswered(other));
    enter(next >= 0 ? next : any >= 0 ? any : here);
  }

  // On to what has been left out, else to the next card.
  function finish() {
    const left = questions().every(isAnswered) ? leftOut() : -1;
    if (left >= 0) enter(left);
    else complete();
  }

  function complete() {
    const open = questions().findIndex((question) => !isAnswered(question));
    if (open >= 0) {
      enter(open);
      tellProblem(words.missingAnswer);
      return;
    }
    const said = questions().map((question) => kindOf(question).spoken(question));
    send(said.filter(Boolean).join(" · "));
  }

  function tellProblem(text) {
    const problem = card().querySelector(".problem");
    problem.textContent = text;
    problem.hidden = !text;
  }

  // --- keys and pointers --------------------------------------------------------------------------------------------
  document.addEventListener("pointerdown", () => (isByKey = false), true);
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    isByKey = true;
    const isTyping = event.target.matches("textarea, select, input[type=range], input[type=number]");
    const own = event.target.closest(".question");
    const key = printed(event).toLowerCase();
    if (isTyping && !own && !(key === "s" && event.target.matches(".slider"))) return; // which opened this slider
    const onRadio = event.target.matches("input[type=radio]");
    const isArrow = key in PANS;
    const question = (isTyping && own) || questions()[active];
    if (event.repeat && !isArrow && !event.target.matches("textarea")) {
      if (/^([0-9a-z=]|enter|backspace)$/.test(key)) event.preventDefault(); // a held key is pressed once
      return;
    }
    const pans = isArrow && pictures.isZoomed; // then arrow keys are the picture's
    if (question && !pans && kindOf(question).key?.(question, event, hands)) return;
    if (event.target.matches("textarea")) return;
    if (key === "backspace" || key === "u") {
      back?.(event);
    } else if (key === "enter" && !event.target.matches("a, button, summary")) {
      if (!lets(event)) return;
      event.preventDefault();
      finish();
    } else if (key === "z") {
      pictures.zoom();
    } else if (key === "r") {
      pictures.zoomReference();
    } else if (key === "s") {
      pictures.overlay();
    } else if (key === "?") {
      document.getElementById("help")?.showModal();
    } else if (isArrow && !onRadio && pictures.isZoomed) {
      event.preventDefault();
      pictures.pan(...PANS[key]);
    } else if (["arrowdown", "arrowup"].includes(key) && !onRadio && questions().length > 1) {
      if (event.target.matches(".prompt[tabindex='0']")) return; // there it scrolls
      event.preventDefault();
      enter(active + (key === "arrowdown" ? 1 : -1));
    } else if (["arrowleft", "arrowright"].includes(key) && !onRadio) {
      const by = key === "arrowright" ? 1 : -1;
      if (sides.turn(by) || moveToPicture(by)) event.preventDefault();
    }
  });

  function moveToPicture(step) {
    const all = [...card().querySelectorAll(".picture")];
    const here = all.findIndex((picture) => picture.contains(questions()[active]));
    const question = all[here + step]?.querySelector(".question");
    if (question) enter(questions().indexOf(question));
    return Boolean(question);
  }

  stage.addEventListener("click", (event) => {
    if (event.target.closest(".back")) back?.(event);
    if (event.target.closest(".question :is(input, button), .answer-choice, .send, .place") && !lets(event)) return;
    const place = event.target.closest(".place");
    const question = place ? orderingOf(card(), place) : event.target.closest(".question");
    if (!question) return;
    hands.changed(question);
    kindOf(question).click?.(question, event, hands);
  });
  stage.addEventListener("input", (event) => {
    const question = event.target.closest(".question");
    if (!question) return;
    tellProblem("");
    if (door.isOpen || event.target.matches("textarea")) kindOf(question).input?.(question, event);
    else kindOf(question).draw?.(question); // it has not been seen yet
  });
  stage.addEventListener("focusin", (event) => {
    const layer = event.target.closest(".layer"); // of places on a picture
    const field = layer && card().querySelector(`input[name="${CSS.escape(layer.dataset.of)}"]`);
    const question = (field || event.target).closest(".question");
    if (question) mark(questions().indexOf(question));
  });
  stage.addEventListener("submit", (event) => {
    if (event.submitter?.matches(".skip-card")) return; // the form itself goes there
    event.preventDefault();
    if (lets(event)) complete();
  });

  return { begin };
}
