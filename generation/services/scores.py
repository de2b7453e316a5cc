"""Scores of automatic metrics from a table: one image, one metric, one version, one value."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import nullcontext
from typing import NamedTuple

from django.db import transaction

from exchange.cells import Cells
from exchange.headers import Columns
from exchange.tables import RejectLog, read_rows
from generation.models import MetricScore
from generation.queries.images import images_by_reference
from generation.queries.importers import Counts, Progress, Source, batches, no_progress
from generation.queries.seen_rows import SeenRows

ROWS_AT_ONCE = 2_000
COLUMNS = Columns(
    ("image", "metric", "value"),
    ("version",),
    {
        "item": "image",
        "key": "image",
        "image_key": "image",
        "sha256": "image",
        "file": "image",
        "file_name": "image",
        "score": "value",
        "metric_version": "version",
    },
    extra="drop",
)
NEW = -1


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
    known: AbstractSet[str] = frozenset(),
    dry_run: bool = False,
    progress: Progress = no_progress,
    log: RejectLog,
) -> Counts:
    """Add the scores of a table with image (or item, key, sha256, file), metric, value and perhaps version.

    prompt_set  only that set's images are meant; needed where a key occurs in several sets
    known       in a dry run: keys of images that earlier steps would have made

    Saved in batches of 2,000 rows, each in a transaction. The same score again is unchanged; another value for the
    same image, metric and version is refused and nothing is overwritten. Memory: 24 bytes a row and one batch.
    Raises BadFile where the file cannot be read.
    """
    counts, seen = Counts(), SeenRows()
    for rows in batches(_parsed(source, log), ROWS_AT_ONCE):
        with nullcontext() if dry_run else transaction.atomic():
            _save(rows, seen, counts, source.name, prompt_set, known, dry_run=dry_run, log=log)
            progress(counts)
    return counts


def _parsed(source: Source, log: RejectLog) -> Iterator[_Score]:
    for row in read_rows(source.content, name=source.name, columns=COLUMNS, log=log):
        cells = Cells(row, log)
        score = _Score(
            row.number,
            cells.text("image", max_length=1_024),
            cells.text("metric", max_length=100),
            cells.text("version", max_length=100, required=False),
            cells.number("value"),
        )
        if cells.ok:
            yield score


def _save(
    rows: Sequence[_Score],
    seen: SeenRows,
    counts: Counts,
    file: str,
    prompt_set: str,
    known: AbstractSet[str],
    *,
    dry_run: bool,
    log: RejectLog,
) -> None:
    images = images_by_reference({row.image for row in rows}, prompt_set)
    placed: list[tuple[_Score, int]] = []
    for row in rows:
        ids = images.get(row.image, [])
        if len(ids) == 1:
            placed.append((row, ids[0]))
        elif not ids and row.image in known:
            placed.append((row, NEW))
        else:
            log.note(file, row.number, "image", row.image, *unplaced(ids, prompt_set))
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
    for (row, image), before in zip(placed, earlier, strict=True):
        value = stored.get((image, row.metric, row.version))
        if value is None and before is not None:
            value = before.value
        if value is None:
            new.append(MetricScore(image_id=image, metric=row.metric, version=row.version, value=row.value))
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


def unplaced(ids: Sequence[int], prompt_set: str) -> tuple[str, str]:
    """(problem, cure) for a reference that no image, or more than one, answers to."""
    where = f'"{prompt_set}"' if prompt_set else "this site"
    if not ids:
        return f"no image of {where} has this key, sum or file name", "import the images first, or correct the name"
    cure = "give keys that only one image has" if prompt_set else "say which prompt set is meant"
    return f"{len(ids)} images of {where} are called so", cure
