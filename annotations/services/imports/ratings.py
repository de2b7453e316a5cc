"""Existing human ratings from a table into a study: raters, assignments and responses."""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from annotations.models import Assignment, Dimension, Item, Rater, Response, Study
from annotations.services.imports.items import Found, NewItems, items_of
from annotations.services.imports.rows import RatingRow, SeekedSource, item_keys, read_ratings
from annotations.services.imports.study import Dimensions, imported_study
from annotations.services.turnstile import write_turn
from exchange.cells import Cells
from exchange.tables import RejectLog
from generation.queries.importers import Counts, Progress, Source, batches, no_progress
from generation.queries.seen_rows import SeenRows

# Small enough that people who rate meanwhile wait a fraction of a second for their turn to write.
ROWS_AT_ONCE = 2_000
UNABLE = -1
MOST_RATERS_PER_ITEM = 1_000


def import_ratings(
    source: Source,
    *,
    study: str,
    owner: User,
    scales: Sequence[str] = (),
    prompt_set: str = "",
    known: AbstractSet[str] = frozenset(),
    dry_run: bool = False,
    progress: Progress = no_progress,
    log: RejectLog,
) -> Counts:
    """Add the ratings of a table (item, rater, dimension, value) to the owner's study of this title, made if new.

    scales      as declared on a command line: "1-5", "0,0.5,1", "speed=1-3"; needed for dimensions that are new
    prompt_set  where images are looked for that no item of the study shows yet: an item is made of each
    known       in a dry run: keys of images that earlier steps would have made

    Raters are new ones of kind "imported", or those that an earlier import made; for a person who rates here nobody
    else can answer. Every rater of an item raises what it wants and has by one. The same answer again is unchanged;
    another answer to the same item, by the same rater, in the same dimension is refused with both rows named, and
    nothing is overwritten. "unable to answer" is an answer without a level.
    Saved in batches of 2,000 rows, each in a transaction. Memory: 24 bytes a rating, 150 bytes an item, one batch.
    Raises BadFile where the file, or the study, cannot be taken.
    """
    reading = SeekedSource.of(source)
    target = imported_study(study, owner=owner)
    dimensions = Dimensions(target, scales, file=source.name, dry_run=dry_run)
    new_items = NewItems(target, prompt_set, known)
    new_items.look_through(item_keys(reading.again()), progress, dry_run=dry_run)
    if target.pk is None and not dry_run:
        target.save()  # not before: a file that cannot be read leaves no empty study
    work = _Batches(target, dimensions, prompt_set, dry=new_items.dry, dry_run=dry_run, file=source.name, log=log)
    work.counts.made["items"] = len(new_items.dry) if dry_run else new_items.save()
    for rows in batches(read_ratings(reading.again(), log), ROWS_AT_ONCE):
        with ExitStack() as stack:
            if not dry_run:
                stack.enter_context(write_turn())
                stack.enter_context(transaction.atomic())
            work.save(rows)
            progress(work.counts)
    if not dry_run and target.state == Study.State.CLOSED:
        most = target.items.aggregate(most=Max("wanted"))["most"] or 1
        Study.objects.filter(pk=target.pk).update(raters_per_item=min(max(most, 1), MOST_RATERS_PER_ITEM))
    return work.counts


@dataclass(frozen=True)
class _Placed:
    """A row whose item, dimension and level are known. level: UNABLE for "unable to answer"."""

    rating: RatingRow
    item: Found
    dimension: Dimension
    level: int


@dataclass
class _Before:
    """What the database has of a batch's items and raters."""

    raters: dict[str, Rater]
    assignments: dict[tuple[int | str, str], Assignment]
    levels: dict[tuple[int | str, str, str], int]
    new_raters: list[Rater] = field(default_factory=list)


class _Batches:
    def __init__(
        self,
        study: Study,
        dimensions: Dimensions,
        prompt_set: str,
        *,
        dry: AbstractSet[str],
        dry_run: bool,
        file: str,
        log: RejectLog,
    ) -> None:
        self.counts = Counts()
        self._study, self._dimensions, self._prompt_set = study, dimensions, prompt_set
        self._dry, self._dry_run, self._file, self._log = dry, dry_run, file, log
        self._seen = SeenRows()
        self._levels: dict[tuple[str, str], int] = {}  # (dimension's name, cell's text) → level, for good cells
        self._scales: dict[str, list[float]] = {}
        self._dry_raters: set[str] = set()
        self._now = timezone.now()

    def save(self, ratings: Sequence[RatingRow]) -> None:
        """Judge the rows and save what is new; call it in a transaction."""
        if not self._dry_run:
            # One import at a time writes into a study: the next numbers of its raters are read here.
            Study.objects.select_for_update(no_key=True).get(pk=self._study.pk)
        items = items_of(self._study, {rating.item for rating in ratings}, self._prompt_set)
        placed = [one for rating in ratings if (one := self._place(rating, items)) is not None]
        if not placed:
            return
        before = self._before(placed)
        earlier = self._seen.look(
            [(one.item.pk, one.rating.rater, one.dimension.name) for one in placed],
            [one.rating.row.number for one in placed],
            [one.level for one in placed],
        )
        new: list[_Placed] = []
        for one, first in zip(placed, earlier, strict=True):
            level = before.levels.get((one.item.pk, one.rating.rater, one.dimension.name))
            if level is None and first is not None:
                level = int(first.value)
            if level is None:
                if self._may_answer(one, before):
                    new.append(one)
            elif level == one.level:
                self.counts.n_unchanged += 1
            else:
                where = f"row {first.row} has" if first is not None and int(first.value) == level else "the study has"
                self._refuse_second(one, where, level)
        self.counts.n_created += len(new)
        self.counts.made["ratings"] += len(new)
        if self._dry_run:
            self._count_raters({one.rating.rater for one in new} - set(before.raters))
        else:
            self._write(new, before)

    def _place(self, rating: RatingRow, items: dict[str, Found]) -> _Placed | None:
        item = items.get(rating.item)
        if item is None and rating.item in self._dry:
            item = Found(rating.item, (0,))
        cells = Cells(rating.row, self._log)
        if item is None:
            cells.reject("item", *self._unknown_item())
            return None
        dimension = self._dimensions.get(rating.dimension)
        if isinstance(dimension, tuple):
            cells.reject("dimension", *dimension)
            return None
        if len(item.images) > 1 and dimension.about == Dimension.About.IMAGE:
            problem = f"the item shows {len(item.images)} images, and this question is about each of them"
            cells.reject("item", problem, "import ratings of single images only")
            return None
        level = self._level(cells, dimension)
        return None if level is None else _Placed(rating, item, dimension, level)

    def _unknown_item(self) -> tuple[str, str]:
        where = f'"{self._prompt_set}"' if self._prompt_set else "this site"
        problem = f"the study has no such item, and {where} has no image of this name, or several"
        return problem, "give the items table (item, prompt, method), import the images first, or correct the name"

    def _level(self, cells: Cells, dimension: Dimension) -> int | None:
        """The index of the level that a cell names; None after it was refused."""
        cell = cells.row.values.get("value")
        if isinstance(cell, str):
            known = self._levels.get((dimension.name, cell))
            if known is not None:
                return known
        scale = self._scales.setdefault(dimension.name, [float(value) for value in dimension.values])
        value = cells.answer("value", scale)
        if not cells.ok:
            return None
        level = UNABLE if value is None else scale.index(value)
        if level == UNABLE and not dimension.allows_unable:
            cells.reject("value", "this question has no answer “unable”", "leave the row out")
            return None
        if isinstance(cell, str) and len(self._levels) < 10_000:
            self._levels[dimension.name, cell] = level
        return level

    def _before(self, placed: Sequence[_Placed]) -> _Before:
        if self._study.pk is None:
            return _Before({}, {}, {})
        names = {one.rating.rater for one in placed}
        raters = {rater.name: rater for rater in Rater.objects.filter(study=self._study, name__in=names)}
        by_id = {rater.pk: rater.name for rater in raters.values()}
        ids = [one.item.pk for one in placed if isinstance(one.item.pk, int)]
        assignments: dict[tuple[int | str, str], Assignment] = {
            (assignment.item_id, by_id[assignment.rater_id]): assignment
            for assignment in Assignment.objects.filter(item__in=set(ids), rater__in=by_id)
        }
        pairs = {assignment.pk: pair for pair, assignment in assignments.items()}
        answers = Response.objects.filter(assignment__in=pairs, is_current=True)
        levels: dict[tuple[int | str, str, str], int] = {
            (*pairs[assignment], dimension): UNABLE if level is None else level
            for assignment, dimension, level in answers.values_list("assignment", "dimension__name", "level")
        }
        return _Before(raters, assignments, levels)

    def _may_answer(self, one: _Placed, before: _Before) -> bool:
        rater = before.raters.get(one.rating.rater)
        if rater is None or rater.kind != Rater.Kind.PERSON:
            return True
        problem = "a person who rates in this study has this name, and nobody answers in their place"
        self._log.note(self._file, one.rating.row.number, "rater", rater.name, problem, "give the rater another name")
        return False

    def _refuse_second(self, one: _Placed, where: str, level: int) -> None:
        text = "unable to answer" if level == UNABLE else one.dimension.levels[level]["value"]
        problem = f"{where} {text} for the same item, rater and dimension; nothing was overwritten"
        value = one.rating.row.values.get("value")
        self._log.note(self._file, one.rating.row.number, "value", value, problem, "keep one of the two rows")

    def _count_raters(self, names: AbstractSet[str]) -> None:
        self.counts.made["raters"] += len(names - self._dry_raters)
        self._dry_raters |= names

    def _write(self, new: Sequence[_Placed], before: _Before) -> None:
        missing = sorted({one.rating.rater for one in new} - set(before.raters))
        for rater in Rater.objects.bulk_create(
            Rater(study=self._study, name=name, kind=Rater.Kind.IMPORTED) for name in missing
        ):
            before.raters[rater.name] = rater
        self.counts.made["raters"] += len(missing)
        made: dict[tuple[int | str, str], Assignment] = {}
        for one in new:
            pair = one.item.pk, one.rating.rater
            if pair not in before.assignments and pair not in made:
                made[pair] = self._assignment(one, before.raters[one.rating.rater])
        Assignment.objects.bulk_create(made.values())
        assignments = before.assignments | made
        Response.objects.bulk_create(
            Response(
                # By ids: a million times, Django's bookkeeping of related objects would be noticed.
                assignment_id=assignments[one.item.pk, one.rating.rater].pk,
                dimension_id=one.dimension.pk,
                image_id=one.item.images[0] if one.dimension.about == Dimension.About.IMAGE else None,
                level=None if one.level == UNABLE else one.level,
                is_unable=one.level == UNABLE,
                answered_at=one.rating.answered_at or self._now,
                active_ms=one.rating.active_ms,
            )
            for one in new
        )
        answered = {assignment.rater_id for assignment in made.values()}
        Rater.objects.bulk_update(
            [rater for rater in before.raters.values() if rater.pk in answered], ["next_sequence"], batch_size=200
        )
        _raise_wanted(Counter(assignment.item_id for assignment in made.values()))

    def _assignment(self, one: _Placed, rater: Rater) -> Assignment:
        at: datetime = one.rating.answered_at or self._now
        assignment = Assignment(
            study_id=self._study.pk,
            item_id=one.item.pk,
            rater_id=rater.pk,
            sequence=rater.next_sequence,
            state=Assignment.State.ANSWERED,
            answered_at=at,
        )
        rater.next_sequence += 1
        return assignment


def _raise_wanted(n_new: Counter[int]) -> None:
    """Every new rater of an item raises both what it wants and what it has: no place of a person is used up."""
    for n in set(n_new.values()):
        items = Item.objects.filter(pk__in=[item for item, count in n_new.items() if count == n])
        items.update(wanted=F("wanted") + n, taken=F("taken") + n)
