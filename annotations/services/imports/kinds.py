"""The imports that this app offers; the generation app finds them here and runs them like its own."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.queries.studies import studies_run_by
from annotations.reports.study.scales import BadScale, Scales
from annotations.services.imports.ratings import import_ratings
from exchange.ratings.mapping import Mapping as GivenMapping
from exchange.ratings.mapping import parse_mapping
from exchange.ratings.reading import opened_ratings
from exchange.rejects import BadFile, RejectLog
from exchange.tables.values import text_of
from generation.queries.importers import TABLES, Counts, FileRole, Importer, Job, Option, Source


def _ratings(job: Job) -> Counts:
    if job.owner is None:  # `_check` has refused this
        raise ValueError("imported ratings need an owner for their study")
    return import_ratings(
        job.source,
        study=job.options["study"],
        owner=job.owner,
        scales=job.options.get("scale", "").splitlines(),
        prompt_set=job.options.get("prompt_set", ""),
        mapping=_mapping(job.options),
        known=job.known,
        dry_run=job.dry_run,
        progress=job.progress,
        log=job.log,
    )


def _mapping(options: Mapping[str, str]) -> GivenMapping:
    """Raises BadFile."""
    text = options.get("mapping", "")
    return parse_mapping(text) if text.strip() else GivenMapping()


@contextmanager
def _items_within(files: Mapping[str, Source], options: Mapping[str, str]) -> Iterator[Mapping[str, Source]]:
    """The items, if the ratings themselves contain prompts and methods and no table of items is given.

    Raises BadFile where the ratings cannot be read, before anything is written.
    """
    source = files["table"]
    begin = None if isinstance(source.content, Path) else source.content.tell()
    found: dict[str, tuple[str, str]] = {}
    nowhere = RejectLog(keep=0)
    declared = Scales.parse(options.get("scale", "").splitlines()).by_dimension.keys()
    sources = [(source.name, source.content)]
    with opened_ratings(sources, mapping=_mapping(options), log=nowhere, declared=declared) as given:
        for row in given.rows(nowhere) if given.says_items and "items" not in files else ():
            prompt, method = (text_of(row.values.get(part)) for part in ("prompt", "method"))
            if prompt.strip():
                found.setdefault(text_of(row.values["item"]), (prompt, method))
    if begin is not None and not isinstance(source.content, Path):
        source.content.seek(begin)
    if not found:
        yield {}
        return
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(("item", "prompt", "method"))
    writer.writerows((item, *about) for item, about in found.items())
    yield {"items": Source(source.name, io.BytesIO(table.getvalue().encode()))}


def _check(options: Mapping[str, str], owner: User | None) -> None:
    if owner is None:
        raise ValidationError({"owner": _("Name the account that should own the study.")})
    scales = options.get("scale", "").splitlines()
    try:
        Scales.parse(scales)
    except BadScale as problem:
        raise ValidationError({"scale": str(problem)}) from problem
    try:
        _mapping(options)
    except BadFile as problem:
        raise ValidationError({"mapping": str(problem)}) from problem
    if not scales and not studies_run_by(owner).filter(title=options["study"]).exists():
        raise ValidationError({"scale": _("Declare the scale of the answers, such as 1-5: the study is new.")})


def _complete(options: Mapping[str, str]) -> Mapping[str, str]:
    """Without the name of a prompt set, the study's own is used, which its items table fills."""
    return {**options, "prompt_set": options.get("prompt_set") or options["study"]}


def _titles(owner: User | None) -> Sequence[str]:
    return [] if owner is None else list(studies_run_by(owner).values_list("title", flat=True)[:200])


IMPORTERS = (
    Importer(
        kind="ratings",
        title=gettext_lazy("Human ratings"),
        help=gettext_lazy(
            "Answers that people gave elsewhere: one answer per row (item, rater, dimension, value), a column for each "
            "rater, question or image, or the export of a labelling or survey program, which is recognised."
        ),
        files=(
            FileRole(
                "table",
                gettext_lazy("Ratings"),
                gettext_lazy(
                    "CSV, TSV, JSON lines, JSON, Parquet, Excel or OpenDocument; also packed (gzip), or a zip with "
                    "a table for each rater."
                ),
                accepts=f"{TABLES},.zip",
                example="annotations/examples/ratings.csv",
            ),
            FileRole(
                "items",
                gettext_lazy("Items"),
                gettext_lazy("What was rated: item, prompt (or prompt_id), method (or model); the rest is kept."),
                required=False,
                example="annotations/examples/items.csv",
            ),
            FileRole(
                "metrics",
                gettext_lazy("Metric scores"),
                gettext_lazy("Scores of the same items: item, metric, value."),
                required=False,
                example="annotations/examples/metrics.csv",
            ),
        ),
        options=(
            Option(
                "study",
                gettext_lazy("Study"),
                gettext_lazy("The title of one of your studies. A new title makes a new study, which is closed."),
                required=True,
                suggest=_titles,
            ),
            Option(
                "scale",
                gettext_lazy("Scale"),
                gettext_lazy("Such as 1-5, or 0,0.5,1. For one dimension only: speed=1-3. One per line."),
                max_length=2_000,
                several=True,
            ),
            Option(
                "mapping",
                gettext_lazy("Mapping"),
                gettext_lazy(
                    "How to read the file, as JSON. If you leave it empty, this is detected, and you can correct it "
                    "after the trial run."
                ),
                max_length=20_000,
                several=True,
            ),
            Option(
                "prompt_set",
                gettext_lazy("Prompt set"),
                gettext_lazy(
                    "The set that has the rated images or will receive them. Empty: one with the study's title."
                ),
            ),
        ),
        run=_ratings,
        check=_check,
        complete=_complete,
        derive=_items_within,
        before={"items": "items"},
        after={"metrics": "scores"},
        position=40,
    ),
)
