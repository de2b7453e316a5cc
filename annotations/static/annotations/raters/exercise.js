// A practice or quiz card in the browser: it is answered as a rating card is, and then sent as the form that it is, so
// that the server leads on. Without this script the same form posts.
import { answerDoor } from "../door.js";
import { noticeLine } from "../notice.js";
import { answering } from "../rate/answering.js";
import { TAPPED_AGAIN } from "../rate/kinds.js";
import { ratePictures } from "../rate/pictures.js";
import { sidesOf } from "../rate/sides.js";

const stage = document.getElementById("stage");
const words = stage.dataset;
const form = stage.querySelector(".card");
const door = answerDoor(stage, noticeLine(document.getElementById("notice")), words, TAPPED_AGAIN);
const pictures = ratePictures(stage, { widths: [], enlarged: words.enlarged, said: document.getElementById("said") });

const answers = answering(stage, {
  card: () => form,
  door,
  pictures,
  sides: sidesOf(stage, { swiped: ".frame", isBusy: () => pictures.isZoomed }),
  words,
  send() {
    door.close(); // what follows on this page is not another answer
    form.submit();
  },
});

document.documentElement.classList.add("has-script");
stage.classList.add("is-opening");
answers.begin();
form.querySelector(".prompt").focus({ preventScroll: true });
// Back from the next page: the browser shows this one as it was left, closed.
window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());
