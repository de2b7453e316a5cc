"""What the database has about imported answers, and what is added: raters, assignments and responses."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from annotations.models import Assignment, Dimension, Item, Rater, Response, Study
from annotations.models.studies import new_tokens
from annotations.services.imports.items import Found
from annotations.services.imports.rows import Ratings
from generation.models.among import among
from generation.models.bulk import Same, add_to, insert_columns, new_ids, set_column

UNABLE = -1


@dataclass
class Placed:
    """Answers whose item, dimension and level are known, by columns. level: UNABLE for "unable to answer"."""

    given: Ratings
    item: list[Found]
    dimension: list[str]  # by the names that the study has
    level: list[int]

    def __post_init__(self) -> None:
        self.pk: list[int | str] = [found.pk for found in self.item]

    def only(self, places: Sequence[int]) -> "Placed":
        items, names, levels = self.item, self.dimension, self.level
        return Placed(
            self.given.only(places),
            [items[i] for i in places],
            [names[i] for i in places],
            [levels[i] for i in places],
        )


class KnownRater(NamedTuple):
    pk: int
    kind: str
    excluded_reason: str  # "" for those who are not excluded


@dataclass
class Before:
    """What the database has about a batch's items and its raters, the latter by name. sequences: each rater's next
    number."""

    raters: dict[str, KnownRater]
    sequences: dict[str, int]
    assignments: dict[tuple[int | str, str], int]
    levels: dict[tuple[int | str, str, str], int]


def before_these(study: Study, placed: Placed) -> Before:
    if study.pk is None:
        return Before({}, {}, {}, {})
    raters: dict[str, KnownRater] = {}
    sequences: dict[str, int] = {}
    there = Rater.objects.filter(among("name", set(placed.given.rater)), study=study)
    rows = there.values_list("name", "pk", "kind", "excluded_reason", "next_sequence")
    for name, pk, kind, reason, sequence in rows:
        raters[name], sequences[name] = KnownRater(pk, kind, reason), sequence
    by_id = {rater.pk: name for name, rater in raters.items()}
    ids = {pk for pk in placed.pk if isinstance(pk, int)}
    # Only by item: with the rater in the query, SQLite would look up every item with every rater.
    given_out = Assignment.objects.filter(among("item_id", ids)).values_list("item", "rater", "pk")
    assignments: dict[tuple[int | str, str], int] = {
        (item, by_id[rater]): pk for item, rater, pk in given_out if rater in by_id
    }
    if not assignments:
        return Before(raters, sequences, {}, {})
    pairs = {assignment: pair for pair, assignment in assignments.items()}
    answers = Response.objects.filter(among("assignment_id", pairs), is_current=True)
    levels: dict[tuple[int | str, str, str], int] = {
        (*pairs[assignment], dimension): UNABLE if level is None else level
        for assignment, dimension, level in answers.values_list("assignment", "dimension__name", "level")
    }
    return Before(raters, sequences, assignments, levels)


def add_answers(study: Study, new: Placed, before: Before, *, questions: Mapping[str, Dimension], now: datetime) -> int:
    """Add the answers, with the missing raters and assignments; returns how many raters were new.

    questions  those that are answered, by their names;  now  when answers without a time were given
    """
    names = new.given.rater
    missing = sorted(set(names) - set(before.raters))
    for rater in Rater.objects.bulk_create(Rater(study=study, name=name, kind=Rater.Kind.IMPORTED) for name in missing):
        before.raters[rater.name], before.sequences[rater.name] = KnownRater(rater.pk, rater.kind, ""), 0
    pairs = list(zip(new.pk, names, strict=True))
    times = [at or now for at in new.given.answered_at] if any(new.given.answered_at) else None
    first: dict[tuple[int | str, str], int] = {}
    for i, pair in enumerate(pairs):
        if pair not in before.assignments:
            first.setdefault(pair, i)
    ids = dict(zip(first, new_ids(Assignment, len(first)), strict=True))
    sequences = before.sequences
    places: list[int] = []
    for _item, name in first:
        places.append(sequences[name])
        sequences[name] += 1
    raters = {name: rater.pk for name, rater in before.raters.items()}
    assignments: dict[str, Sequence[Any] | Same] = {
        "id": list(ids.values()),
        "token": new_tokens(len(first)),
        "study_id": Same(study.pk),
        "item_id": [item for item, _name in first],
        "rater_id": [raters[name] for _item, name in first],
        "sequence": places,
        "state": Same(Assignment.State.ANSWERED.value),
        "answered_at": [times[i] for i in first.values()] if times else Same(now),
    }
    insert_columns(Assignment, assignments, len(first))
    insert_columns(Response, _responses(new, questions, times or now, pairs, before.assignments | ids), len(pairs))
    answered = {name for _item, name in first}
    set_column(Rater, "next_sequence", {raters[name]: sequences[name] for name in answered})
    # A further rater raises both the number wanted and the number taken, so the other raters' places stay free.
    add_to(Item, ("wanted", "taken"), Counter(item for item, _rater in first if isinstance(item, int)))
    return len(missing)


def _responses(
    new: Placed,
    questions: Mapping[str, Dimension],
    times: Sequence[datetime] | datetime,
    pairs: Sequence[tuple[int | str, str]],
    assignments: Mapping[tuple[int | str, str], int],
) -> dict[str, Sequence[Any] | Same]:
    """The columns of the new answers. times: when each was answered, or all of them"""
    about_image = {name for name, one in questions.items() if one.about == Dimension.About.IMAGE}
    images = [
        item.images[0] if name in about_image else None
        for item, name in zip(new.item, new.dimension, strict=True)
    ] if about_image else None  # fmt: skip
    keys = {name: question.pk for name, question in questions.items()}
    is_any_unable = UNABLE in new.level
    return {
        "assignment_id": [assignments[pair] for pair in pairs],
        "dimension_id": Same(keys[new.dimension[0]]) if len(keys) == 1 else [keys[name] for name in new.dimension],
        "image_id": images or Same(None),
        "level": [None if n == UNABLE else n for n in new.level] if is_any_unable else new.level,
        "is_unable": [n == UNABLE for n in new.level] if is_any_unable else Same(False),
        "answered_at": Same(times) if isinstance(times, datetime) else times,
        "active_ms": new.given.active_ms if any(ms is not None for ms in new.given.active_ms) else Same(None),
    }
