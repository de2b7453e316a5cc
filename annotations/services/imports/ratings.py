"""Existing human ratings from a table into a study: raters, assignments and responses."""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from annotations.models import Dimension, ItemImage, Rater, Study
from annotations.reports.study.scales import Scales
from annotations.services.imports.answers import UNABLE, Before, KnownRater, Placed, add_answers, before_these
from annotations.services.imports.items import Found, NewItems, items_of
from annotations.services.imports.rows import FirstLook, Ratings, read_ratings
from annotations.services.imports.study import Dimensions, imported_study
from annotations.services.sqlite_writes import write_turn
from exchange.labels import CONTRADICTION_CURE
from exchange.ratings.mapping import Mapping as GivenMapping
from exchange.ratings.reading import opened_ratings
from exchange.rejects import BadFile, RejectLog
from exchange.tables.cells import Cells
from exchange.tables.row import JsonValue, Row
from exchange.tables.values import BadValue, parse_answer
from generation.models import Activity
from generation.queries.images import NearKeys, image_keys
from generation.queries.importers import Counts, Progress, Source, Touched, no_progress
from generation.queries.seen_rows import SeenRows

# So small that raters at work wait only a fraction of a second for their turn to write.
ROWS_AT_ONCE = 5_000
PERSON = Rater.Kind.PERSON.value
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

    The study is created if it does not exist.

    scales      as declared on a command line: "1-5", "0,0.5,1", "speed=1-3"; needed for dimensions that are new
    prompt_set  where to find images that no item of the study shows yet; each becomes an item
    known       in a dry run: keys of images that earlier steps would have made
    mapping     the user's account of the file's columns and words

    Raters are new ones of kind "imported", or those of an earlier import; an import cannot answer for a person who
    rates on this site. Every rater of an item raises both the wanted and the present number of raters by one. The same
    answer again is unchanged; another answer to the same item, by the same rater, in the same dimension is refused with
    both rows named, and nothing is overwritten. "unable to answer" is an answer without a level.
    Saved in batches of `rows_at_once`, each in a transaction. Memory: 24 bytes per rating, 400 per item, one batch. A
    new study without any valid rating is not created. Raises BadFile if the file, or the study, cannot be used.
    """
    declared = Scales.parse(scales).by_dimension.keys()
    with opened_ratings([(source.name, source.content)], mapping=mapping, log=log, declared=declared) as given:
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
            target.save()  # not earlier, so that an unreadable file leaves no empty study
        work = _Batches(target, dimensions, prompt_set, dry=new_items.dry, dry_run=dry_run, file=source.name, log=log)
        try:
            work.counts.made["items"] = len(new_items.dry) if dry_run else new_items.save()
            for rows in read_ratings(given, log, rows_at_once):
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
    """Do not create a new study without any valid rating, nor its items; returns whether that was so."""
    if not is_new or study.assignments.exists():
        return False
    with transaction.atomic():
        ItemImage.objects.filter(item__study=study).delete()
        study.items.all().delete()
        study.delete()
    return True


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
        self._levels: dict[tuple[str, JsonValue], int] = {}  # (dimension, cell) as the file has them → level
        self._called: dict[str, str] = {}  # the file's name for a dimension → the dimension's name
        self._questions: dict[str, Dimension] = {}  # by name
        self._scales: dict[str, list[float]] = {}
        self._dry_raters: set[str] = set()
        self._now = timezone.now()
        if study.pk is not None:
            log.spellings.know("rater", study.raters.values_list("name", flat=True).iterator())

    def save(self, ratings: Ratings) -> None:
        """Check the answers and save the new ones; call it in a transaction."""
        if not self._dry_run:
            # Only one import at a time writes into a study, since the next numbers of its raters are read here.
            Study.objects.select_for_update(no_key=True).get(pk=self._study.pk)
        given = ratings
        if any(ratings.is_missing):
            given = ratings.only([i for i, is_missing in enumerate(ratings.is_missing) if not is_missing])
        self.counts.n_missing += len(ratings) - len(given)
        placed = self._placed(given)
        if not len(placed.level):
            return
        before = before_these(self._study, placed)
        new = self._new(placed, before)
        if len(new) < len(placed.level):
            placed = placed.only(new)
        self.counts.n_created += len(new)
        self.counts.made["ratings"] += len(new)
        if self._dry_run:
            self._count_raters(set(placed.given.rater) - set(before.raters))
        else:
            self.counts.touched[Touched(Activity.Subject.STUDY, self._study.token, self._study.title)] += len(new)
        if new and not self._dry_run:
            asked = {name: self._questions[name] for name in dict.fromkeys(placed.dimension)}
            self._dimensions.save(asked.values())
            self.counts.made["raters"] += add_answers(self._study, placed, before, questions=asked, now=self._now)

    def _new(self, placed: Placed, before: Before) -> list[int]:
        """The places of the answers that are new; errors of the others are noted."""
        raters, given = placed.given.rater, placed.given
        earlier = self._seen.look(zip(placed.pk, raters, placed.dimension, strict=True), given.number, placed.level)
        closed = {name for name, rater in before.raters.items() if rater.kind == PERSON or rater.excluded_reason}
        if not (earlier or closed or before.levels):
            return list(range(len(given)))
        new: list[int] = []
        for i, key in enumerate(zip(placed.pk, raters, placed.dimension, strict=True)):
            level, first = before.levels.get(key), earlier.get(i)
            if level is None and first is not None:
                level = int(first.value)
            if level is None:
                if raters[i] in closed:
                    self._refuse_for(before.raters[raters[i]], raters[i], given.row(i))
                else:
                    new.append(i)
            elif level == placed.level[i]:
                self.counts.n_unchanged += 1
            else:
                where = f"row {first.row} has" if first is not None and int(first.value) == level else "the study has"
                self._refuse_second(given.row(i), self._questions[placed.dimension[i]], where, level)
        return new

    def _placed(self, given: Ratings) -> Placed:
        """The answers whose item, question and level are known; the others are refused."""
        items = items_of(self._study, set(given.item), self._prompt_set)
        if self._dry:
            items |= {name: Found(name, (0,)) for name in self._dry & set(given.item) if name not in items}
        found = [items.get(name) for name in given.item]
        try:
            levels = [self._levels.get(key) for key in zip(given.dimension, given.cell, strict=True)]
        except TypeError:  # a list or an object in place of a value
            levels = [None] * len(given)
        pairs = {name for name, item in items.items() if len(item.images) > 1}
        refused: set[int] = set()
        for i, (item, level) in enumerate(zip(found, levels, strict=True)):
            if item is None or level is None or (pairs and given.item[i] in pairs):
                levels[i] = self._level(given, i, item)
                if levels[i] is None:
                    refused.add(i)
        if refused:
            good = [i for i in range(len(given)) if i not in refused]
            given, found, levels = given.only(good), [found[i] for i in good], [levels[i] for i in good]
        dimensions = [self._called[name] for name in given.dimension]
        return Placed(given, [item for item in found if item], dimensions, [n for n in levels if n is not None])

    def _level(self, given: Ratings, i: int, item: Found | None) -> int | None:
        """The level that an answer names; None after it was refused."""
        cell, name = given.cell[i], given.dimension[i]
        if item is None:
            Cells(given.row(i), self._log).reject("item", *self._unknown_item(given.item[i]))
            return None
        dimension = self._dimensions.get(name)
        if isinstance(dimension, tuple):
            Cells(given.row(i), self._log).reject("dimension", *dimension)
            return None
        if len(item.images) > 1 and dimension.about == Dimension.About.IMAGE:
            problem = f"the item shows {len(item.images)} images, and this question is about each of them"
            Cells(given.row(i), self._log).reject("item", problem, "import ratings of single images only")
            return None
        known = self._levels.get((name, cell)) if isinstance(cell, str) else None
        if known is not None:
            return known
        level = self._read_level(Cells(given.row(i), self._log), dimension, is_unable=given.is_unable[i])
        if level is not None:
            self._called[name], self._questions[dimension.name] = dimension.name, dimension
            if isinstance(cell, str) and len(self._levels) < 10_000:
                self._levels[name, cell] = level
        return level

    def _unknown_item(self, name: str) -> tuple[str, str]:
        where = f'"{self._prompt_set}"' if self._prompt_set else "this site"
        problem = f"the study has no such item, and {where} has no image of this name, or several"
        cure = "give the items table (item, prompt, method), import the images first, or correct the name"
        return problem + self._near.hint(name), cure

    def _read_level(self, cells: Cells, dimension: Dimension, *, is_unable: bool) -> int | None:
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
        return level

    def _refuse_for(self, rater: KnownRater, name: str, row: Row) -> None:
        """Refuses an answer by a person for whom an import cannot answer."""
        if rater.kind == PERSON:
            problem = "a person who rates in this study has this name, and nobody answers in their place"
            cure = "give the rater another name"
        else:
            problem = f"this rater is excluded from the study ({rater.excluded_reason})"
            cure = "leave the row out, or include the rater again on the study's page Raters first"
        self._log.note(row.file, row.number, "rater", name, problem, cure, place=row.place)

    def _refuse_second(self, row: Row, dimension: Dimension, where: str, level: int) -> None:
        text = "unable to answer" if level == UNABLE else dimension.levels[level]["value"]
        problem = f"{where} {text} for the same item, rater and dimension; nothing was overwritten"
        value, field = row.values.get("value"), row.field or "value"
        self._log.note(row.file, row.number, field, value, problem, "keep one of the two answers", place=row.place)

    def _count_raters(self, names: AbstractSet[str]) -> None:
        self.counts.made["raters"] += len(names - self._dry_raters)
        self._dry_raters |= names
