"""Existing human ratings from a table into a study: raters, assignments and responses."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from annotations.models import Assignment, Dimension, Item, ItemImage, Rater, Response, Study
from annotations.models.studies import new_tokens
from annotations.services.imports.items import Found, NewItems, items_of
from annotations.services.imports.rows import FirstLook, RatingRow, read_ratings
from annotations.services.imports.study import Dimensions, imported_study
from annotations.services.sqlite_writes import write_turn
from exchange.labels import CONTRADICTION_CURE
from exchange.ratings.mapping import Mapping as GivenMapping
from exchange.ratings.reading import opened_ratings
from exchange.rejects import BadFile, RejectLog
from exchange.tables.cells import Cells
from exchange.tables.values import BadValue, parse_answer
from generation.models import Activity
from generation.models.among import among
from generation.models.bulk import add_to, insert_rows, new_ids, set_column
from generation.queries.images import NearKeys, image_keys
from generation.queries.importers import Counts, Progress, Source, Touched, batches, no_progress
from generation.queries.seen_rows import SeenRows

# Small enough that people who rate meanwhile wait a fraction of a second for their turn to write.
ROWS_AT_ONCE = 5_000
UNABLE = -1
ASSIGNMENT = ("id", "token", "study_id", "item_id", "rater_id", "sequence", "state", "answered_at")
RESPONSE = ("assignment_id", "dimension_id", "image_id", "level", "is_unable", "answered_at", "active_ms")
MOST_RATERS_PER_ITEM = 1_000


def import_ratings(
    source: Source,
    *,
    study: str,
    owner: User,
    scales: Sequence[str] = (),
    prompt_set: str = "",
    known: AbstractSet[str] = frozenset(),
    mapping: GivenMapping | None = None,
    dry_run: bool = False,
    progress: Progress = no_progress,
    log: RejectLog,
    rows_at_once: int = ROWS_AT_ONCE,
) -> Counts:
    """Add the ratings of a file, of any form that `exchange.ratings` reads, to the owner's study of this title.

    The study is made if it is new.

    scales      as declared on a command line: "1-5", "0,0.5,1", "speed=1-3"; needed for dimensions that are new
    prompt_set  where images are looked for that no item of the study shows yet: an item is made of each
    known       in a dry run: keys of images that earlier steps would have made
    mapping     what the user says of the file's columns and words

    Raters are new ones of kind "imported", or those that an earlier import made; for a person who rates here nobody
    else can answer. Every rater of an item raises what it wants and has by one. The same answer again is unchanged;
    another answer to the same item, by the same rater, in the same dimension is refused with both rows named, and
    nothing is overwritten. "unable to answer" is an answer without a level.
    Saved in batches of `rows_at_once`, each in a transaction. Memory: 24 bytes per rating, 400 per item, one batch.
    A new study of which no rating can be taken is not made. Raises BadFile where the file, or the study, cannot be
    taken.
    """
    with opened_ratings([(source.name, source.content)], mapping=mapping, log=log) as given:
        for sentence in given.says:
            log.remark(sentence)
        log.reading = given.shown()
        target = imported_study(study, owner=owner)
        if given.is_paired:
            given.name_by([*known, *image_keys(prompt_set)])
        is_new = target.pk is None and not dry_run
        new_items = NewItems(target, prompt_set, known)
        look = FirstLook(given)
        keys = look.items()
        new_items.look_through(keys, progress, dry_run=dry_run, file=source.name, spellings=log.spellings)
        dimensions = Dimensions(
            target, scales, file=source.name, labels=look.labels, choices=given.choices, mapping=given.mapping
        )
        if is_new:
            target.save()  # not before: a file that cannot be read leaves no empty study
        work = _Batches(target, dimensions, prompt_set, dry=new_items.dry, dry_run=dry_run, file=source.name, log=log)
        try:
            work.counts.made["items"] = len(new_items.dry) if dry_run else new_items.save()
            for rows in batches(read_ratings(given, log), rows_at_once):
                with ExitStack() as stack:
                    if not dry_run:
                        stack.enter_context(write_turn())
                        stack.enter_context(transaction.atomic())
                    work.save(rows)
                    work.counts.skipped = Counter(given.tally.skipped)
                    progress(work.counts)
        except BadFile:
            if _take_back_if_unanswered(target, is_new=is_new):
                del work.counts.made["items"]
                progress(work.counts)
            raise
        work.counts.skipped = Counter(given.tally.skipped)
    if _take_back_if_unanswered(target, is_new=is_new):
        del work.counts.made["items"]
    if target.pk is not None and not dry_run and target.state == Study.State.CLOSED:
        most = target.items.aggregate(most=Max("wanted"))["most"] or 1
        Study.objects.filter(pk=target.pk, most_raters_per_item=None).update(
            raters_per_item=min(max(most, 1), MOST_RATERS_PER_ITEM)
        )
    return work.counts


def _take_back_if_unanswered(study: Study, *, is_new: bool) -> bool:
    """A new study for which no rating was taken is not made, and neither are its items; whether that was so."""
    if not is_new or study.assignments.exists():
        return False
    with transaction.atomic():
        ItemImage.objects.filter(item__study=study).delete()
        study.items.all().delete()
        study.delete()
    return True


class _Placed(NamedTuple):
    """A row whose item, dimension and level are known. level: UNABLE for "unable to answer"."""

    rating: RatingRow
    item: Found
    dimension: Dimension
    level: int


@dataclass
class _Before:
    """What the database has of a batch's items and raters."""

    raters: dict[str, Rater]
    assignments: dict[tuple[int | str, str], int]
    levels: dict[tuple[int | str, str, str], int]


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
        self._near = NearKeys(prompt_set)
        self._seen = SeenRows()
        self._levels: dict[tuple[str, str], int] = {}  # (dimension's name, cell's text) → level, for good cells
        self._scales: dict[str, list[float]] = {}
        self._dry_raters: set[str] = set()
        self._now = timezone.now()
        if study.pk is not None:
            log.spellings.know("rater", study.raters.values_list("name", flat=True).iterator())

    def save(self, ratings: Sequence[RatingRow]) -> None:
        """Judge the rows and save what is new; call it in a transaction."""
        if not self._dry_run:
            # One import at a time writes into a study: the next numbers of its raters are read here.
            Study.objects.select_for_update(no_key=True).get(pk=self._study.pk)
        given = [rating for rating in ratings if not rating.is_missing]
        self.counts.n_missing += len(ratings) - len(given)
        items = items_of(self._study, {rating.item for rating in given}, self._prompt_set)
        placed = [one for rating in given if (one := self._place(rating, items)) is not None]
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
        if not self._dry_run:
            self.counts.touched[Touched(Activity.Subject.STUDY, self._study.token, self._study.title)] += len(new)
        if self._dry_run:
            self._count_raters({one.rating.rater for one in new} - set(before.raters))
        else:
            self._write(new, before)

    def _place(self, rating: RatingRow, items: dict[str, Found]) -> _Placed | None:
        item = items.get(rating.item)
        if item is None and rating.item in self._dry:
            item = Found(rating.item, (0,))
        if item is None:
            Cells(rating.row, self._log).reject("item", *self._unknown_item(rating.item))
            return None
        dimension = self._dimensions.get(rating.dimension)
        if isinstance(dimension, tuple):
            Cells(rating.row, self._log).reject("dimension", *dimension)
            return None
        if len(item.images) > 1 and dimension.about == Dimension.About.IMAGE:
            problem = f"the item shows {len(item.images)} images, and this question is about each of them"
            Cells(rating.row, self._log).reject("item", problem, "import ratings of single images only")
            return None
        cell = rating.row.values.get("value")
        level = self._levels.get((dimension.name, cell)) if isinstance(cell, str) else None
        if level is None:
            level = self._level(Cells(rating.row, self._log), dimension, is_unable=rating.is_unable)
        return None if level is None else _Placed(rating, item, dimension, level)

    def _unknown_item(self, name: str) -> tuple[str, str]:
        where = f'"{self._prompt_set}"' if self._prompt_set else "this site"
        problem = f"the study has no such item, and {where} has no image of this name, or several"
        cure = "give the items table (item, prompt, method), import the images first, or correct the name"
        return problem + self._near.hint(name), cure

    def _level(self, cells: Cells, dimension: Dimension, *, is_unable: bool) -> int | None:
        """The index of the level that a cell names; None after it was refused."""
        cell = cells.row.values.get("value")
        unclear = self._dimensions.contradiction(dimension, cell) if isinstance(cell, str) else ""
        if unclear:
            cells.reject("value", unclear, CONTRADICTION_CURE)
            return None
        scale = self._scales.setdefault(dimension.name, [float(value) for value in dimension.values])
        try:
            value = None if is_unable else parse_answer(cell, scale, self._dimensions.words_of(dimension))
        except BadValue as bad:
            cells.reject("value", bad.problem, self._dimensions.cure_of_words(dimension) or bad.cure)
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
        raters = {rater.name: rater for rater in Rater.objects.filter(among("name", names), study=self._study)}
        by_id = {rater.pk: rater.name for rater in raters.values()}
        ids = {one.item.pk for one in placed if isinstance(one.item.pk, int)}
        # By item alone: by rater as well, SQLite would look up every item with every rater.
        there = Assignment.objects.filter(among("item_id", ids)).values_list("item", "rater", "pk")
        assignments: dict[tuple[int | str, str], int] = {
            (item, by_id[rater]): pk for item, rater, pk in there if rater in by_id
        }
        if not assignments:
            return _Before(raters, {}, {})
        pairs = {assignment: pair for pair, assignment in assignments.items()}
        answers = Response.objects.filter(among("assignment_id", pairs), is_current=True)
        levels: dict[tuple[int | str, str, str], int] = {
            (*pairs[assignment], dimension): UNABLE if level is None else level
            for assignment, dimension, level in answers.values_list("assignment", "dimension__name", "level")
        }
        return _Before(raters, assignments, levels)

    def _may_answer(self, one: _Placed, before: _Before) -> bool:
        rater = before.raters.get(one.rating.rater)
        if rater is not None and rater.kind == Rater.Kind.PERSON:
            problem = "a person who rates in this study has this name, and nobody answers in their place"
            cure = "give the rater another name"
        elif rater is not None and rater.excluded_at is not None:
            problem = f"this rater is excluded from the study ({rater.excluded_reason})"
            cure = "leave the row out, or include the rater again on the study's page Raters first"
        else:
            return True
        row = one.rating.row
        self._log.note(row.file, row.number, "rater", one.rating.rater, problem, cure, place=row.place)
        return False

    def _refuse_second(self, one: _Placed, where: str, level: int) -> None:
        text = "unable to answer" if level == UNABLE else one.dimension.levels[level]["value"]
        problem = f"{where} {text} for the same item, rater and dimension; nothing was overwritten"
        row = one.rating.row
        value, field = row.values.get("value"), row.field or "value"
        self._log.note(row.file, row.number, field, value, problem, "keep one of the two answers", place=row.place)

    def _count_raters(self, names: AbstractSet[str]) -> None:
        self.counts.made["raters"] += len(names - self._dry_raters)
        self._dry_raters |= names

    def _write(self, new: Sequence[_Placed], before: _Before) -> None:
        self._dimensions.save({one.dimension.name: one.dimension for one in new}.values())
        missing = sorted({one.rating.rater for one in new} - set(before.raters))
        for rater in Rater.objects.bulk_create(
            Rater(study=self._study, name=name, kind=Rater.Kind.IMPORTED) for name in missing
        ):
            before.raters[rater.name] = rater
        self.counts.made["raters"] += len(missing)
        first: dict[tuple[int | str, str], _Placed] = {}
        for one in new:
            pair = one.item.pk, one.rating.rater
            if pair not in before.assignments:
                first.setdefault(pair, one)
        ids = dict(zip(first, new_ids(Assignment, len(first)), strict=True))
        insert_rows(Assignment, ASSIGNMENT, self._assignments(first, ids, before.raters))
        insert_rows(Response, RESPONSE, self._responses(new, before.assignments | ids))
        answered = {rater for _item, rater in first}
        set_column(Rater, "next_sequence", {before.raters[r].pk: before.raters[r].next_sequence for r in answered})
        # Every new rater of an item raises both what it wants and what it has: no place of a person is used up.
        add_to(Item, ("wanted", "taken"), Counter(item for item, _rater in first if isinstance(item, int)))

    def _assignments(
        self,
        first: Mapping[tuple[int | str, str], _Placed],
        ids: Mapping[tuple[int | str, str], int],
        raters: Mapping[str, Rater],
    ) -> Iterator[tuple[object, ...]]:
        """The rows of new assignments; counts on each rater's next sequence number."""
        study, state, now = self._study.pk, Assignment.State.ANSWERED.value, self._now
        known = {name: (rater.pk, rater) for name, rater in raters.items()}
        for (pair, one), token in zip(first.items(), new_tokens(len(first)), strict=True):
            rating = one.rating
            pk, rater = known[rating.rater]
            sequence = rater.next_sequence
            rater.next_sequence = sequence + 1
            yield ids[pair], token, study, one.item.pk, pk, sequence, state, rating.answered_at or now

    def _responses(
        self, new: Sequence[_Placed], assignments: Mapping[tuple[int | str, str], int]
    ) -> Iterator[tuple[object, ...]]:
        now = self._now
        about_images = {one.dimension.pk: one.dimension.about == Dimension.About.IMAGE for one in new}
        for rating, item, dimension, level in new:
            is_unable, question = level == UNABLE, dimension.pk
            yield (
                assignments[item.pk, rating.rater],
                question,
                item.images[0] if about_images[question] else None,
                None if is_unable else level,
                is_unable,
                rating.answered_at or now,
                rating.active_ms,
            )
