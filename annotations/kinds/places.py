"""Points and boxes on the image, each of a kind."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from annotations.kinds.base import UNABLE, BadAnswers, Count, Design, QuestionKind, unanswered, unknown
from annotations.kinds.choices import NONE
from annotations.models import Dimension, Response

MOST_PLACES = 100
DIGITS = 4
"""The precision of a fraction of the image: a tenth of a pixel in 1,000."""
POINT, BOX, EITHER = "point", "box", "either"


class Places(QuestionKind):
    """[{"kind", "x", "y"}] of points and [{…, "width", "height"}] of boxes; marking none is an explicit answer.

    kind: the place of its level in the question's list. x, y: of a point, or of a box's corner at the top left, as
    fractions of the image's width and height from its top left.
    """

    key = Dimension.Kind.PLACES
    template = "annotations/rate/kinds/places.html"
    module = "places"
    parameters = ("shape", "is_required")
    has_levels = False
    in_files = (
        "for each, kind (a place in the question's list, from 0), x and y (of a box: of its top left), and width and "
        "height of a box; all as fractions of the image, from its top left"
    )
    answers_by_press = False
    about = (Dimension.About.IMAGE,)

    def designed(self, design: Design, parse: Callable[[str, str], list[dict[str, str]]]) -> tuple[Any, dict[str, Any]]:
        if not design.levels.strip():
            raise ValidationError(_("Name the kinds of places, one per line: 1 = artefact."))
        levels = parse(design.levels, Dimension.Kind.NOMINAL)
        return levels, {"shape": design.shape or EITHER, "is_required": design.is_required}

    def typed(self, dimension: Dimension) -> dict[str, Any]:
        parameters = dimension.parameters
        return {"shape": parameters.get("shape", EITHER), "is_required": parameters.get("is_required", False)}

    def context(self, dimension: Dimension, name: str, given: Mapping[str, str], frozen: Any) -> dict[str, Any]:
        return {
            "options": dimension.options(),
            "shape": dimension.parameters.get("shape", EITHER),
            "offers_none": not dimension.parameters.get("is_required", False),
            "none": NONE,
            "marks": given.get(f"{name}.marks", ""),
        }

    def read(
        self, dimension: Dimension, name: str, data: Mapping[str, str], frozen: Any
    ) -> tuple[int | None, Any] | None:
        text = data.get(f"{name}.marks", "")
        is_none = data.get(name) == NONE and not dimension.parameters.get("is_required", False)
        try:
            found = json.loads(text) if text else []
        except ValueError:
            raise unknown(dimension) from None
        if not isinstance(found, list):
            raise unknown(dimension)
        if len(found) > MOST_PLACES:
            raise BadAnswers(
                _("“%(question)s” takes %(most)d places at most. Take some back.")
                % {"question": dimension.question, "most": MOST_PLACES}
            )
        if found and is_none:
            raise BadAnswers(_("“%s” has places and “none” at once. Keep one of the two.") % dimension.question)
        if not found and not is_none:
            raise unanswered(dimension)
        return None, [self._place(dimension, place) for place in found]

    def _place(self, dimension: Dimension, place: Any) -> dict[str, Any]:
        if not isinstance(place, dict):
            raise unknown(dimension)
        kind, shape = place.get("kind"), dimension.parameters.get("shape", EITHER)
        is_box = "width" in place or "height" in place
        names = ("x", "y", "width", "height") if is_box else ("x", "y")
        numbers = [float(place[name]) for name in names if type(place.get(name)) in (int, float)]
        is_number = len(numbers) == len(names) and all(0 <= number <= 1 for number in numbers)
        if type(kind) is not int or not 0 <= kind < len(dimension.levels) or not is_number:
            raise unknown(dimension)
        if (is_box and shape == POINT) or (not is_box and shape == BOX):
            raise unknown(dimension)
        rounded = dict(zip(names, (round(number, DIGITS) for number in numbers), strict=True))
        if is_box and (rounded["x"] + rounded["width"] > 1.001 or rounded["y"] + rounded["height"] > 1.001):
            raise unknown(dimension)
        return {"kind": kind, **rounded}

    def fields(self, dimension: Dimension, name: str, response: Response) -> dict[str, str]:
        if response.answer is None:
            return {name: UNABLE}
        return {f"{name}.marks": json.dumps(response.answer)} if response.answer else {name: NONE}

    def in_words(self, dimension: Dimension, answer: Any) -> str:
        return "; ".join(dimension.levels[place["kind"]]["label"] for place in answer)

    def counts(self, dimension: Dimension) -> list[Count]:
        def has(code: int) -> Callable[[Any], tuple[float, float]]:
            return lambda answer: (float(any(place["kind"] == code for place in answer)), 1.0)

        rows = [Count(level["value"], level["label"], has(code)) for code, level in enumerate(dimension.levels)]
        return [*rows, Count(NONE, "none", lambda answer: (float(not answer), 1.0))]

    def parts(self, dimension: Dimension, answer: Any, frozen: Any) -> list[tuple[str, str, Any]]:
        return [
            (
                f"place {number}",
                dimension.levels[place["kind"]]["label"],
                {name: value for name, value in place.items() if name != "kind"},
            )
            for number, place in enumerate(answer, start=1)
        ]
