"""Any number of choices, and a comment."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from annotations.kinds.base import UNABLE, BadAnswers, Count, Design, QuestionKind, unanswered, unknown
from annotations.models import Dimension, Response

NONE = "none"
LONGEST_COMMENT = 2000


class Many(QuestionKind):
    """Any number of its choices: the codes of those chosen, ascending; choosing none is an explicit answer."""

    key = Dimension.Kind.MANY
    template = "annotations/rate/kinds/many.html"
    module = "many"
    parameters = ("is_required",)
    has_levels = False
    in_files = "the places of those chosen in the question's list, from 0; an empty list: “none of these”"
    answers_by_press = False

    def designed(self, design: Design, parse: Callable[[str, str], list[dict[str, str]]]) -> tuple[Any, dict[str, Any]]:
        return super().designed(design, parse)[0], {"is_required": design.is_required}

    def typed(self, dimension: Dimension) -> dict[str, Any]:
        return {"is_required": dimension.parameters.get("is_required", False)}

    def context(self, dimension: Dimension, name: str, given: Mapping[str, str], frozen: Any) -> dict[str, Any]:
        options = [
            option | {"name": f"{name}.{option['code']}", "is_given": given.get(f"{name}.{option['code']}") == "1"}
            for option in dimension.options()
        ]
        return {"options": options, "offers_none": not dimension.parameters.get("is_required", False), "none": NONE}

    def read(
        self, dimension: Dimension, name: str, data: Mapping[str, str], frozen: Any
    ) -> tuple[int | None, Any] | None:
        given = [data.get(f"{name}.{code}") for code in range(len(dimension.levels))]
        if any(value not in (None, "", "1") for value in given):
            raise unknown(dimension)
        chosen = [code for code, value in enumerate(given) if value == "1"]
        is_none = data.get(name) == NONE and not dimension.parameters.get("is_required", False)
        if chosen and is_none:
            raise BadAnswers(
                _("“%s” has choices and “none of these” at once. Keep one of the two.") % dimension.question
            )
        if not chosen and not is_none:
            raise unanswered(dimension)
        return None, chosen

    def fields(self, dimension: Dimension, name: str, response: Response) -> dict[str, str]:
        if response.answer is None:
            return {name: UNABLE}
        return {f"{name}.{code}": "1" for code in response.answer} or {name: NONE}

    def in_words(self, dimension: Dimension, answer: Any) -> str:
        return "; ".join(dimension.levels[code]["label"] for code in answer)

    def counts(self, dimension: Dimension) -> list[Count]:
        def has(code: int) -> Callable[[Any], tuple[float, float]]:
            return lambda answer: (float(code in answer), 1.0)

        rows = [Count(level["value"], level["label"], has(code)) for code, level in enumerate(dimension.levels)]
        if not dimension.parameters.get("is_required", False):
            rows.append(Count(NONE, "none of these", lambda answer: (float(not answer), 1.0)))
        return rows


class Comment(QuestionKind):
    """{"text": …} of at most LONGEST_COMMENT characters, as typed, without surrounding space."""

    key = Dimension.Kind.COMMENT
    template = "annotations/rate/kinds/comment.html"
    module = "comment"
    parameters = ("is_required",)
    has_levels = False
    in_files = "an object with its text"
    answers_by_press = False

    def designed(self, design: Design, parse: Callable[[str, str], list[dict[str, str]]]) -> tuple[Any, dict[str, Any]]:
        if design.levels.strip():
            raise ValidationError(_("A comment has no levels: leave this empty."))
        return [], {"is_required": design.is_required}

    def typed(self, dimension: Dimension) -> dict[str, Any]:
        return {"is_required": dimension.parameters.get("is_required", False)}

    def context(self, dimension: Dimension, name: str, given: Mapping[str, str], frozen: Any) -> dict[str, Any]:
        text = given.get(f"{name}.text", "")
        is_required = dimension.parameters.get("is_required", False)
        return {"is_required": is_required, "longest": LONGEST_COMMENT, "text_given": text}

    def read(
        self, dimension: Dimension, name: str, data: Mapping[str, str], frozen: Any
    ) -> tuple[int | None, Any] | None:
        # No database accepts a NUL in a text.
        text = data.get(f"{name}.text", "").replace("\0", "").replace("\r\n", "\n").strip()
        if len(text) > LONGEST_COMMENT:
            raise BadAnswers(
                _("“%(question)s” takes at most %(most)d characters; this has %(n)d. Nothing is lost: shorten it.")
                % {"question": dimension.question, "most": LONGEST_COMMENT, "n": len(text)}
            )
        if not text and dimension.parameters.get("is_required", False):
            raise unanswered(dimension)
        return None, {"text": text}

    def fields(self, dimension: Dimension, name: str, response: Response) -> dict[str, str]:
        return {name: UNABLE} if response.answer is None else {f"{name}.text": response.answer["text"]}

    def in_words(self, dimension: Dimension, answer: Any) -> str:
        return str(answer["text"])

    def counts(self, dimension: Dimension) -> list[Count]:
        return [Count("comment", "left a comment", lambda answer: (float(bool(answer["text"])), 1.0))]
