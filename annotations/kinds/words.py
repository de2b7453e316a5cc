"""The words of the prompt, each marked by one of a few levels, such as shown, wrong or missing."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from annotations.kinds.base import UNABLE, BadAnswers, Count, Design, QuestionKind, unanswered, unknown
from annotations.models import Dimension, Response
from generation.models import Prompt

MOST_MARKS = 5
_INSIDE = "'’-.·"
"""Characters that belong to a word if there are letters on both sides: don't, well-lit, 3.5."""


def tokens(text: str) -> list[str]:
    """Separator, word, separator, …: a list of odd length whose words are at odd indices.

    A word is a run of letters, digits and their accents; each Chinese character is a separate word. Joined, the tokens
    give the text again.
    """
    found = [""]
    for place, character in enumerate(text):
        is_word = _is_letter(character) or (
            character in _INSIDE
            and 0 < place < len(text) - 1
            and _is_letter(text[place - 1])
            and _is_letter(text[place + 1])
        )
        was_word = len(found) % 2 == 0
        if is_word and _stands_alone(character):
            found += ["", character] if was_word else [character]
        elif is_word and was_word and _stands_alone(found[-1][-1]) and not unicodedata.combining(character):
            found += ["", character]
        elif is_word == was_word:
            found[-1] += character
        else:
            found.append(character)
    return [*found, ""] if len(found) % 2 == 0 else found


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNM"


def _stands_alone(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\U00020000" <= character <= "\U0003ffff"


class Words(QuestionKind):
    """The level of each word of the prompt, in the order of its words; the first level is that of unmarked words."""

    key = Dimension.Kind.WORDS
    template = "annotations/rate/kinds/words.html"
    module = "words"
    has_levels = False
    in_files = "the mark of each word of the prompt in its order, as a place in the question's list, from 0"
    scored_as = "share of words with the first mark"
    answers_by_press = False

    def designed(self, design: Design, parse: Callable[[str, str], list[dict[str, str]]]) -> tuple[Any, dict[str, Any]]:
        levels = super().designed(design, parse)[0]
        if len(levels) > MOST_MARKS:
            raise ValidationError(
                _("There can be at most %(n)d marks. The first one is for all words that a rater does not mark.")
                % {"n": MOST_MARKS}
            )
        return levels, {}

    def frozen(self, prompts: Sequence[int]) -> dict[int, Any]:
        texts = Prompt.objects.filter(pk__in=prompts).values_list("pk", "text")
        return {pk: {"tokens": tokens(text)} for pk, text in texts}

    def context(self, dimension: Dimension, name: str, given: Mapping[str, str], frozen: Any) -> dict[str, Any]:
        parts = (frozen or {}).get("tokens", [""])
        alone = [given.get(f"{name}.{place}") for place in range(len(parts) // 2)]  # as a form without a script came
        marks = given.get(name, "") if None in alone else "".join(mark or "0" for mark in alone)
        words = [
            {
                "before": parts[place - 1],
                "text": parts[place],
                "name": f"{name}.{place // 2}",
                "code": int(marks[place // 2])
                if marks.isascii() and marks.isdigit() and place // 2 < len(marks)
                else 0,
            }
            for place in range(1, len(parts), 2)
        ]
        return {
            "options": dimension.options(),
            "words": words,
            "after": parts[-1],
            "has_looked": given.get(f"{name}.looked") == "1" or given.get(name, "").isdigit(),
        }

    def read(
        self, dimension: Dimension, name: str, data: Mapping[str, str], frozen: Any
    ) -> tuple[int | None, Any] | None:
        n = len((frozen or {}).get("tokens", [""])) // 2
        alone = [data.get(f"{name}.{place}") for place in range(n)]  # without a script, a list next to each word
        if n and None not in alone:
            marks = "".join(mark or "0" for mark in alone)
            if not marks.strip("0") and data.get(f"{name}.looked") != "1":  # perhaps nobody touched it
                raise BadAnswers(
                    _("“%s” has no marks. Tick that you have looked at every word, or mark some.") % dimension.question
                )
        else:
            marks = data.get(name, "")
        if not marks and n:
            raise unanswered(dimension)
        if len(marks) != n or not marks.isascii() or not all(mark.isdigit() for mark in marks):
            raise unknown(dimension)
        codes = [int(mark) for mark in marks]
        if any(code >= len(dimension.levels) for code in codes):
            raise unknown(dimension)
        return None, codes

    def fields(self, dimension: Dimension, name: str, response: Response) -> dict[str, str]:
        return {name: UNABLE if response.answer is None else "".join(map(str, response.answer))}

    def in_words(self, dimension: Dimension, answer: Any) -> str:
        n_of = [answer.count(code) for code in range(len(dimension.levels))]
        return "; ".join(f"{level['label']}: {n}" for level, n in zip(dimension.levels, n_of, strict=True))

    def score(self, dimension: Dimension, answer: Any) -> float | None:
        return answer.count(0) / len(answer) if answer else None

    def counts(self, dimension: Dimension) -> list[Count]:
        def marked(code: int) -> Callable[[Any], tuple[float, float]]:
            return lambda answer: (float(answer.count(code)), float(len(answer)))

        return [Count(level["value"], level["label"], marked(code)) for code, level in enumerate(dimension.levels)]

    def parts(self, dimension: Dimension, answer: Any, frozen: Any) -> list[tuple[str, str, Any]]:
        words = frozen["tokens"][1::2]
        return [
            (f"word {place}", word, dimension.levels[code]["label"])
            for place, (word, code) in enumerate(zip(words, answer, strict=True), start=1)
        ]
