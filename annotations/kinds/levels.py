"""Questions that are answered by one of their levels: worded scales, choices, sliders, and orders of images."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from annotations.kinds.base import (
    UNABLE,
    Answer,
    BadAnswers,
    Design,
    Measured,
    QuestionKind,
    field_name,
    unanswered,
    unknown,
    whole,
)
from annotations.models import Dimension, Response
from annotations.questions import BEST, NEITHER, RANKING, SIDES, WORST, names_sides, side_named

LEFT, RIGHT = SIDES
BARS = 10
"""The most bars in a histogram of a slider's answers."""
MOST_STEPS = 1001
"""The most levels of a slider, which is what statistics of a scale accept: 0 to 100 by tenths."""


class Scale(QuestionKind):
    """Ordered levels, each with its words."""

    key = Dimension.Kind.ORDINAL
    measured_as: Measured | None = "ordinal"
    parameters = ("names_sides",)

    def designed(self, design: Design, parse: Callable[[str, str], list[dict[str, str]]]) -> tuple[Any, dict[str, Any]]:
        levels, parameters = super().designed(design, parse)
        if not design.names_sides:
            return levels, parameters
        sides = [side_named(level["label"]) for level in levels]
        if sides[0] == RIGHT or LEFT in sides[1:] or RIGHT in sides[2:]:
            raise ValidationError(
                _(
                    "Put the answer for the left image first and the one for the right image second. If the answers "
                    "are not a choice between the two, untick “%(box)s”."
                )
                % {"box": _("The first two answers are the left and the right image")}
            )
        return levels, {**parameters, "names_sides": True}

    def typed(self, dimension: Dimension) -> dict[str, Any]:
        return {"names_sides": names_sides(dimension)}

    def context(self, dimension: Dimension, name: str, given: Mapping[str, str], frozen: Any) -> dict[str, Any]:
        return {"options": dimension.options()}

    def read(
        self, dimension: Dimension, name: str, data: Mapping[str, str], frozen: Any
    ) -> tuple[int | None, Any] | None:
        code = data.get(name, "")
        if code == "":
            raise unanswered(dimension)
        level = whole(code)
        if level is None or level >= len(dimension.levels):
            raise unknown(dimension)
        return level, None


class Choice(Scale):
    """Levels without an order, one of which is chosen."""

    key = Dimension.Kind.NOMINAL
    measured_as = "nominal"


class Slider(QuestionKind):
    """A value between two worded ends, by a fixed step; its levels are all values that the step reaches."""

    key = Dimension.Kind.SLIDER
    measured_as = "interval"
    parameters = ("step", "shows_value")
    template = "annotations/rate/kinds/slider.html"
    module = "slider"
    answers_by_press = False

    def designed(self, design: Design, parse: Callable[[str, str], list[dict[str, str]]]) -> tuple[Any, dict[str, Any]]:
        levels = super().designed(design, parse)[0]
        if len(levels) != 2:
            raise ValidationError(_("A slider has two lines, its ends: 0 = not at all, and 100 = completely."))
        low, high = (Decimal(level["value"]) for level in levels)
        step = design.step or Decimal(1)
        if step <= 0 or (high - low) % step:
            raise ValidationError(
                _(
                    "Steps of %(step)s do not lead from %(low)s to %(high)s: choose a step that divides the range "
                    "evenly."
                )
                % {"step": step, "low": low, "high": high}
            )
        if (n := int((high - low) / step) + 1) > MOST_STEPS:
            raise ValidationError(
                _(
                    "From %(low)s to %(high)s in steps of %(step)s makes %(n)d levels; at most %(most)d are possible. "
                    "Choose a larger step."
                )
                % {"step": step, "low": low, "high": high, "n": n, "most": MOST_STEPS}
            )
        return levels, {"step": format(step.normalize(), "f"), "shows_value": design.shows_value}

    def typed(self, dimension: Dimension) -> dict[str, Any]:
        parameters = dimension.parameters
        return {"step": parameters["step"], "shows_value": parameters.get("shows_value", True)}

    def context(self, dimension: Dimension, name: str, given: Mapping[str, str], frozen: Any) -> dict[str, Any]:
        low, high = dimension.levels
        return {
            "low": low,
            "high": high,
            "step": dimension.parameters["step"],
            "shows_value": dimension.parameters.get("shows_value", True),
        }

    def read(
        self, dimension: Dimension, name: str, data: Mapping[str, str], frozen: Any
    ) -> tuple[int | None, Any] | None:
        text = data.get(name, "").strip()
        if not text:
            raise unanswered(dimension)
        try:
            value = Decimal(text) if len(text) < 20 else None
        except InvalidOperation:
            value = None
        low, high = (Decimal(level["value"]) for level in dimension.levels)
        step = Decimal(dimension.parameters["step"])
        if value is None or not value.is_finite() or not low <= value <= high or (value - low) % step:
            raise BadAnswers(
                _("“%(question)s” takes values from %(low)s to %(high)s in steps of %(step)s.")
                % {"question": dimension.question, "low": low, "high": high, "step": step}
            )
        return int((value - low) / step), None

    def bars(self, dimension: Dimension) -> list[tuple[str, str]]:
        values = dimension.values
        per_bar = -(-len(values) // BARS)
        groups = [values[first : first + per_bar] for first in range(0, len(values), per_bar)]
        return [(f"{group[0]:f}", f"{group[0]:f}–{group[-1]:f}") for group in groups]

    def in_bars(self, dimension: Dimension, level: int | None, answer: Any) -> list[int]:
        return [] if level is None else [level // -(-len(dimension.values) // BARS)]

    def fields(self, dimension: Dimension, name: str, response: Response) -> dict[str, str]:
        if response.level is None:
            return {name: UNABLE}
        return {name: str(dimension.value_of(response.level))}


class Ranking(QuestionKind):
    """All images of a card in order, ties allowed: each has a place, without gaps; 0 is the best."""

    key = Dimension.Kind.RANKING
    measured_as = "ranking"
    template = "annotations/rate/kinds/ordering.html"
    module = "ordering"
    answers_by_press = False  # the order may still be undone
    about = (Dimension.About.IMAGE,)

    def designed(self, design: Design, parse: Callable[[str, str], list[dict[str, str]]]) -> tuple[Any, dict[str, Any]]:
        return RANKING.level_rows(), {}

    def context(self, dimension: Dimension, name: str, given: Mapping[str, str], frozen: Any) -> dict[str, Any]:
        return {
            "options": dimension.options(),
            "kind": dimension.kind,
            "is_ranking": dimension.kind == Dimension.Kind.RANKING,
        }

    def parse(
        self, dimension: Dimension, data: Mapping[str, str], images: Sequence[int], frozen: Any = None
    ) -> list[Answer]:
        if dimension.allows_unable and data.get(field_name(dimension, None)) == UNABLE:
            return [Answer(dimension.pk, image, None) for image in images]
        codes = [data.get(field_name(dimension, place), "") for place in range(len(images))]
        levels = self.put_in_order(dimension, codes)
        return [Answer(dimension.pk, image, level) for image, level in zip(images, levels, strict=True)]

    def put_in_order(self, dimension: Dimension, codes: list[str]) -> list[int]:
        """The level of each image. Raises BadAnswers."""
        levels = self._levels(dimension, codes)
        places = sorted(set(levels))
        return [places.index(level) for level in levels]

    def _levels(self, dimension: Dimension, codes: list[str]) -> list[int]:
        if "" in codes:
            raise unanswered(dimension)
        levels = [level for code in codes if (level := whole(code)) is not None and level < len(dimension.levels)]
        if len(levels) < len(codes):
            raise unknown(dimension)
        return levels


class BestWorst(Ranking):
    """Best for one image, worst for one, and neither for all others."""

    key = Dimension.Kind.BEST_WORST
    answers_by_press = True

    def designed(self, design: Design, parse: Callable[[str, str], list[dict[str, str]]]) -> tuple[Any, dict[str, Any]]:
        levels, parameters = QuestionKind.designed(self, design, parse)
        if len(levels) != 3:
            raise ValidationError(_("Best and worst have three levels, in this order: best, neither, worst."))
        return levels, parameters

    def put_in_order(self, dimension: Dimension, codes: list[str]) -> list[int]:
        levels = self._levels(dimension, [code or str(NEITHER) for code in codes] if any(codes) else codes)
        if levels.count(BEST) != 1 or levels.count(WORST) != 1:
            raise BadAnswers(_("“%s” needs one best and one worst image.") % dimension.question)
        return levels
