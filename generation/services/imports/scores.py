"""Scores of automatic metrics from a table: one image, one metric, one version, one value."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import nullcontext
from math import nan
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction

from exchange.rejects import RejectLog
from exchange.study_tables import SCORES
from exchange.tables.cells import Cells
from exchange.tables.rows import read_rows
from generation.models import ImportRun, MetricScore
from generation.queries.importers import Counts, Progress, Source, batches, no_progress
from generation.queries.seen_rows import SeenRows
from generation.services.imports.targets import NEW, Target
from generation.services.origin import Origin

ROWS_AT_ONCE = 2_000


class _Score(NamedTuple):
    number: int
    image: str
    metric: str
    version: str
    value: float


def import_scores(
    source: Source,
    *,
    prompt_set: str = "",
    owner: User | None = None,
    import_run: ImportRun | None = None,
    by_api: bool = False,
    known: AbstractSet[str] = frozenset(),
    dry_run: bool = False,
    progress: Progress = no_progress,
    log: RejectLog,
) -> Counts:
    """Add the scores of a table with image (or item, key, sha256, file), metric, value and optionally version.

    prompt_set  only that set's images are meant; needed where a key occurs in several sets
    owner, import_run   who adds, and by which import: only images of prompt sets that they may add to are meant
    by_api      a call of the API: the owner's rights bound it without an import
    known       in a dry run: keys of images that earlier steps would have made

    Saved in batches of 2,000 rows, each in a transaction. The same score again is unchanged; another value for the
    same image, metric and version is refused and nothing is overwritten. Memory: 24 bytes per row and one batch.
    Raises BadFile where the file cannot be read, or nothing may be added to the named set.
    """
    counts, seen = Counts(), SeenRows()
    target = Target.of(prompt_set, Origin(owner, import_run, by_api), file=source.name)
    for rows in batches(_parsed(source, counts, log), ROWS_AT_ONCE):
        with nullcontext() if dry_run else transaction.atomic():
            _save(rows, seen, counts, source.name, target, known, dry_run=dry_run, log=log)
            progress(counts)
    return counts


def _parsed(source: Source, counts: Counts, log: RejectLog) -> Iterator[_Score]:
    """The scores of the file; rows without a value are counted and skipped."""
    for row in read_rows(source.content, name=source.name, columns=SCORES, log=log):
        cells = Cells(row, log)
        has_value = cells.has("value")
        score = _Score(
            row.number,
            cells.text("item", max_length=1_024),
            cells.name("metric", max_length=100),
            cells.name("version", max_length=100, required=False),
            cells.number("value") if has_value else nan,
        )
        if cells.ok and not has_value:
            counts.n_missing += 1
        elif cells.ok:
            yield score


def _save(
    rows: Sequence[_Score],
    seen: SeenRows,
    counts: Counts,
    file: str,
    target: Target,
    known: AbstractSet[str],
    *,
    dry_run: bool,
    log: RejectLog,
) -> None:
    images = target.images({row.image for row in rows})
    placed: list[tuple[_Score, int]] = []
    for row in rows:
        ids = images.get(row.image, [])
        if len(ids) == 1:
            placed.append((row, ids[0]))
        elif not ids and row.image in known:
            placed.append((row, NEW))
        else:
            log.note(file, row.number, "item", row.image, *target.unplaced(row.image, ids))
    stored = {
        (image, metric, version): value
        for image, metric, version, value in MetricScore.objects.filter(
            image__in={image for _, image in placed}, metric__in={row.metric for row, _ in placed}
        ).values_list("image", "metric", "version", "value")
    }
    earlier = seen.look(
        [(row.image if image == NEW else image, row.metric, row.version) for row, image in placed],
        [row.number for row, _ in placed],
        [row.value for row, _ in placed],
    )
    new: list[MetricScore] = []
    for place, (row, image) in enumerate(placed):
        before = earlier.get(place)
        value = stored.get((image, row.metric, row.version))
        if value is None and before is not None:
            value = before.value
        if value is None:
            new.append(
                MetricScore(
                    image_id=image, metric=row.metric, version=row.version, value=row.value, **target.origin.fields
                )
            )
            counts.n_created += 1
        elif value == row.value:
            counts.n_unchanged += 1
        else:
            where = f"row {before.row} has" if before is not None and before.value == value else "stored is"
            problem = f"{where} {value!r} for this image, metric and version; nothing was overwritten"
            log.note(file, row.number, "value", row.value, problem, "keep one of the two, or name the versions")
    if not dry_run:
        MetricScore.objects.bulk_create(new)
    counts.made["scores"] += len(new)
    target.note_touched(counts, [image for _, image in placed], [score.image_id for score in new])
