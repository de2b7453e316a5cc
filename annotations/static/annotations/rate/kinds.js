// The kinds of question on a rating card. Each says how its answer is given by keys and clicks, and what is there:
//   isAnswered(question), spoken(question)   whether it is answered, and by what, in words
//   isOptional(question)                     whether it may be left empty, once its turn has come
//   draw(question)                           show what the form's fields hold, and take what only a script can do
//   enter(question)                          the question's turn has come, by keyboard
//   key(question, event, hands)              a key while it is this question's turn; true where it was used
//   click(question, event, hands)            a click on it, which the door has let through
//   input(question, event)                   something was typed or dragged
// hands: lets(event), answered(question) goes on to the next one, confirmed(question) too, or sends the card where the
// turn of each has come.
import { comment } from "./kinds/comment.js";
import { levels } from "./kinds/levels.js";
import { many } from "./kinds/many.js";
import { ordering } from "./kinds/ordering.js";
import { parts } from "./kinds/parts.js";
import { places } from "./kinds/places.js";
import { slider } from "./kinds/slider.js";
import { marking } from "./kinds/words.js";

const KINDS = { comment, levels, many, ordering, parts, places, slider, words: marking };

export const kindOf = (question) => KINDS[question.dataset.kind];

// What is pressed again on the same spot, and meant: not the second half of a double click.
export const TAPPED_AGAIN = ".send, .word, .take-back, .kind, .place, .order-tools button, .question input[type=checkbox], .range";
