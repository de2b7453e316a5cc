"""A study's current answers as arrays, the start of every analysis of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import Count, F, IntegerField, Q, Value
from django.db.models.functions import Coalesce
from numpy.typing import NDArray

from annotations.kinds.registry import kind_of, with_levels
from annotations.models import Assignment, Dimension, Erasure, Item, ItemImage, Rater, Study
from annotations.queries.columns import ROWS_AT_ONCE, integers
from annotations.queries.preferences import is_turned, preferences
from annotations.queries.result_units import Units, load_units
from annotations.queries.studies import current_responses
from annotations.questions import names_sides
from annotations.reports.study.data import DimensionData, ExcludedRater, Kind, StudyData, dimension_data
from annotations.reports.votes.files import FACETS
from annotations.stats.arrays import IntArray
from annotations.stats.preferences.rankings import Rankings
from annotations.stats.preferences.votes import Votes

NONE = -1


@dataclass(frozen=True)
class StudyRows:
    """The arrays, and the database rows of their units.

    image, item      (n_units,) primary keys; image is 0 for a unit that is a whole item
    kind_of_rater    by name, for all raters of the study
    unable           by question, the (unit, rater's name) of each "unable to answer"
    """

    data: StudyData
    image: IntArray
    item: IntArray
    kind_of_rater: dict[str, str]
    unable: dict[str, list[tuple[int, str]]]


def study_data(study: Study) -> StudyData:
    """The study's current answers by dimension, with prompts, methods, facets and metric scores of what was rated."""
    return study_rows(study).data


def study_rows(study: Study, *, with_excluded: bool = False) -> StudyRows:
    """Like `study_data`, with the database rows of the units.

    with_excluded  also the ratings of raters who were excluded; votes and rankings are left out then

    A unit is an image as one item shows it, for questions about images; or the item, for questions about everything
    shown (an item of one image is that image). Units, raters, prompts, methods and metrics are in the order of their
    names, as in `annotations.reports.study.files.study`, so that the same ratings give the same figures from files and
    from the database.
    Where levels are sides of the screen they are turned back to the item's own images: slot 0 first.

    About ten queries for any size; 64 bytes per rating, and names and scores of the rated units.
    """
    dimensions = list(study.dimensions.all())
    scored = [dimension for dimension in dimensions if kind_of(dimension).scored_as]
    dimensions = with_levels(dimensions)
    answers = _answers(dimensions, with_excluded=with_excluded)
    answers, values = _with_scores(answers, scored, with_excluded=with_excluded)
    shown = integers(
        ItemImage.objects.filter(item__study=study, item__role=Item.Role.RATED)
        .order_by("item", "slot")
        .values_list("item_id", "image_id", "slot"),
        3,
    )
    image = _image_of(answers.item, answers.image, shown)
    units, unit = load_units(study, item=answers.item, image=image, shown=shown)
    names, rater, kinds, has_excluded = _raters(study, answers.rater)
    # The order and times of imported raters' answers are unknown; a place in a file says nothing.
    is_known = (kinds != Rater.Kind.IMPORTED)[rater] if len(rater) else np.zeros(0, bool)
    seconds = np.where(is_known & (answers.active_ms >= 0), answers.active_ms / 1000, np.nan)
    order = np.where(is_known, answers.sequence, np.nan)
    preferred = (
        {}
        if with_excluded
        else preferences(study, dimensions, {name: units.facets_of_prompts[name] for name in FACETS})
    )
    found = [
        _dimension(
            dimension,
            answers,
            unit=unit,
            rater=rater,
            seconds=seconds,
            order=order,
            units=units,
            rater_names=names,
            preferred=preferred.get(dimension.pk),
            scores=values.get(dimension.pk),
        )
        for dimension in [*dimensions, *scored]
    ]
    given = np.unique(rater)
    data = StudyData(
        units=units.names,
        dimensions=[one for one in found if one is not None],
        prompt=units.prompt,
        prompts=units.prompts,
        method=units.method,
        methods=units.methods,
        facets=units.facets,
        metrics=units.metrics,
        scores=units.scores,
        excluded_raters=excluded_raters(study) if has_excluded else (),
        n_further=n_further(study),
        n_withdrawn=n_withdrawn(study, has_excluded=has_excluded),
        rater_kinds={kind: n for kind in Rater.Kind.values if (n := int((kinds[given] == kind).sum()))},
    )
    unable = {}
    for dimension in [*dimensions, *scored]:
        rows = np.flatnonzero((answers.dimension == dimension.pk) & (answers.level < 0))
        unable[dimension.name] = [(int(unit[row]), names[rater[row]]) for row in rows]
    return StudyRows(data, units.image, units.item, dict(zip(names, kinds.tolist(), strict=True)), unable)


@dataclass(frozen=True)
class _Answers:
    """One entry per answer; image 0 for "about all that is shown", level −1 for "unable", active_ms −1 for unknown."""

    dimension: IntArray
    item: IntArray
    image: IntArray
    rater: IntArray
    level: IntArray
    active_ms: IntArray
    sequence: IntArray
    is_turned: IntArray


def _with_scores(
    answers: _Answers, scored: Sequence[Dimension], *, with_excluded: bool
) -> tuple[_Answers, dict[int, list[float]]]:
    """Adds the answers that have a score and, by question, its scores: 0, 1, and those that occur between them."""
    values: dict[int, list[float]] = {}
    for dimension in scored:
        kind = kind_of(dimension)
        rows: list[tuple[int, ...]] = []
        scores: list[float] = []
        columns = ("assignment__item_id", "image_id", "assignment__rater_id", "active_ms", "assignment__sequence")
        rows_of = current_responses([dimension], with_excluded=with_excluded)
        found = rows_of.order_by().values_list("answer", *columns)
        for answer, item, image, rater, active_ms, place in found.iterator(chunk_size=ROWS_AT_ONCE):
            score = None if answer is None else kind.score(dimension, answer)
            scores.append(np.nan if score is None else score)
            rows.append((dimension.pk, item, image or 0, rater, NONE if active_ms is None else active_ms, place))
        numbers = np.array(scores, float)
        levels = np.unique(np.r_[0.0, 1.0, numbers[np.isfinite(numbers)]])
        level = np.where(np.isfinite(numbers), np.searchsorted(levels, np.nan_to_num(numbers)), NONE)
        pk, item_of, image_of, rater_of, ms, sequence = np.array(rows, np.int64).reshape(-1, 6).T
        added = (pk, item_of, image_of, rater_of, level.astype(np.int64), ms, sequence, np.zeros(len(pk), np.int64))
        answers = _Answers(*(np.r_[old, new] for old, new in zip(vars(answers).values(), added, strict=True)))
        values[dimension.pk] = levels.tolist()
    return answers, values


def excluded_raters(study: Study) -> list[ExcludedRater]:
    """The raters that are left out, by name, with the reason and how many of their answers would count.

    Those who withdrew are only counted, see `n_withdrawn`.
    """
    counting = Q(
        assignments__responses__is_current=True,
        assignments__state=Assignment.State.ANSWERED,
        assignments__purpose=Assignment.Purpose.RATING,
    )
    left_out = study.raters.filter(excluded_at__isnull=False, withdrawn_at=None)
    rows = left_out.annotate(n=Count("assignments__responses", filter=counting))
    return [ExcludedRater(*row) for row in rows.order_by("name").values_list("name", "excluded_reason", "n")]


def n_further(study: Study) -> int:
    """The number of answers by further raters, which no figure counts; no query without a rule for them."""
    if study.most_raters_per_item is None:
        return 0
    asked = current_responses(study.dimensions.all(), with_further=True)
    return asked.filter(assignment__is_further=True).count()


def n_withdrawn(study: Study, *, has_excluded: bool = True) -> int:
    """How many raters withdrew their answers from the study, or had them erased."""
    erased = study.erasures.filter(kind=Erasure.Kind.EVERYTHING).count()
    return erased + (study.raters.filter(withdrawn_at__isnull=False).count() if has_excluded else 0)


def _answers(dimensions: Sequence[Dimension], *, with_excluded: bool) -> _Answers:
    rows = current_responses(dimensions, with_excluded=with_excluded).order_by()
    table = integers(
        rows.values_list(
            "dimension_id",
            F("assignment__item_id"),
            Coalesce("image_id", Value(0)),
            F("assignment__rater_id"),
            Coalesce("level", Value(NONE), output_field=IntegerField()),
            Coalesce("active_ms", Value(NONE), output_field=IntegerField()),
            F("assignment__sequence"),
            is_turned() if any(map(names_sides, dimensions)) else Value(0),
        ),
        8,
    )
    return _Answers(*table)


def _image_of(item: IntArray, image: IntArray, shown: Sequence[IntArray]) -> IntArray:
    """The image that each answer is about; for an item of one image, that image even if the answer names none."""
    items, first, count = np.unique(shown[0], return_index=True, return_counts=True)
    if not len(items):
        return image
    at = np.minimum(np.searchsorted(items, item), len(items) - 1)
    return np.where((image == 0) & (count[at] == 1), shown[1][first[at]], image)


def _raters(study: Study, rater: IntArray) -> tuple[list[str], IntArray, NDArray[np.str_], bool]:
    """(names in order, code of each answer's rater, (n_raters,) kinds, whether any is excluded)."""
    rows = sorted(study.raters.values_list("name", "pk", "kind", "excluded_reason").order_by())
    keys = np.array([pk for _name, pk, *_ in rows], np.int64)
    kinds = np.array([kind for _name, _pk, kind, _reason in rows], np.str_)
    by_key = np.argsort(keys)
    code = by_key[np.searchsorted(keys, rater, sorter=by_key)] if len(rater) else np.empty(0, np.int64)
    return [name for name, *_ in rows], code.astype(np.int64), kinds, any(reason for *_, reason in rows)


def _dimension(
    dimension: Dimension,
    answers: _Answers,
    *,
    unit: IntArray,
    rater: IntArray,
    seconds: NDArray[np.float64],
    order: NDArray[np.float64],
    units: Units,
    rater_names: Sequence[str],
    preferred: Votes | Rankings | None,
    scores: list[float] | None = None,
) -> DimensionData | None:
    """One question's answers; None without any."""
    rows = np.flatnonzero(answers.dimension == dimension.pk)
    if not len(rows):
        return None
    level = answers.level[rows]
    labels = [] if dimension.kind == Dimension.Kind.SLIDER or scores is not None else dimension.labels
    if names_sides(dimension):
        turned = (answers.is_turned[rows] == 1) & (level >= 0) & (level < 2)
        level = np.where(turned, 1 - level, level)
        labels[:2] = units.slot_names
    given = level >= 0
    rows, level = rows[given], level[given]
    return dimension_data(
        dimension.name,
        unit=unit[rows],
        rater=rater[rows],
        level=level,
        values=_values(dimension) if scores is None else scores,
        rater_names=rater_names,
        n_units=len(units.names),
        n_unable=int((~given).sum()),
        question=dimension.question if scores is None else f"{dimension.question} ({kind_of(dimension).scored_as})",
        labels=labels,
        seconds=_or_none(seconds[rows]),
        order=_or_none(order[rows]),
        kind=_kind(dimension) if scores is None else "interval",
        votes=preferred if isinstance(preferred, Votes) else None,
        rankings=preferred if isinstance(preferred, Rankings) else None,
        card=units.item if dimension.is_ordering else None,
    )


def _kind(dimension: Dimension) -> Kind:
    measured = kind_of(dimension).measured_as or "nominal"
    if dimension.kind == Dimension.Kind.BEST_WORST:
        return "best_worst"
    return "preference" if measured == "nominal" and names_sides(dimension) else measured


def _values(dimension: Dimension) -> list[float]:
    """The scale. A nominal question's values are only codes, which need not ascend."""
    values = [float(value) for value in dimension.values]
    if dimension.kind == Dimension.Kind.NOMINAL and values != sorted(set(values)):
        return [float(code) for code in range(len(values))]
    return values


def _or_none(values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    return values if np.isfinite(values).any() else None
