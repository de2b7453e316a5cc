"""The imports that this app offers; the generation app finds them here and runs them like its own."""

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.queries.studies import studies_run_by
from annotations.reports.scales import BadScale, Scales
from annotations.services.imports.ratings import import_ratings
from generation.queries.importers import Counts, FileRole, Importer, Job, Option

__all__ = ["IMPORTERS", "import_ratings"]


def _ratings(job: Job) -> Counts:
    if job.owner is None:  # `_check` has refused this
        raise ValueError("imported ratings need an owner for their study")
    return import_ratings(
        job.source,
        study=job.options["study"],
        owner=job.owner,
        scales=job.options.get("scale", "").split(),
        prompt_set=job.options.get("prompt_set", ""),
        known=job.known,
        dry_run=job.dry_run,
        progress=job.progress,
        log=job.log,
    )


def _check(options: Mapping[str, str], owner: User | None) -> None:
    if owner is None:
        raise ValidationError({"owner": _("Name the account that the study shall belong to.")})
    try:
        Scales.parse(options.get("scale", "").split())
    except BadScale as problem:
        raise ValidationError({"scale": str(problem)}) from problem


def _complete(options: Mapping[str, str]) -> Mapping[str, str]:
    """Without the name of a prompt set, the study's own is taken, which its items table fills."""
    return {**options, "prompt_set": options.get("prompt_set") or options["study"]}


def _titles(owner: User | None) -> Sequence[str]:
    return [] if owner is None else list(studies_run_by(owner).values_list("title", flat=True)[:200])


IMPORTERS = (
    Importer(
        kind="ratings",
        title=gettext_lazy("Human ratings"),
        help=gettext_lazy(
            "Answers that people gave elsewhere: the columns item, rater, dimension and value, one answer a row; "
            "“unable to answer” is an answer. Perhaps also answered_at and active_ms."
        ),
        files=(
            FileRole(
                "table",
                gettext_lazy("Ratings"),
                gettext_lazy("CSV, TSV, JSON lines, JSON or Parquet with item, rater, dimension, value."),
            ),
            FileRole(
                "items",
                gettext_lazy("Items"),
                gettext_lazy("What was rated: item, prompt (or prompt_id), method (or model); the rest is kept."),
                required=False,
            ),
            FileRole(
                "metrics",
                gettext_lazy("Metric scores"),
                gettext_lazy("Scores of the same items: item, metric, value."),
                required=False,
            ),
        ),
        options=(
            Option(
                "study",
                gettext_lazy("Study"),
                gettext_lazy("The title of a study that you run; a new title makes a new, closed one."),
                required=True,
                suggest=_titles,
            ),
            Option(
                "scale",
                gettext_lazy("Scale"),
                gettext_lazy("Such as 1-5, or 0,0.5,1. For one dimension alone: speed=1-3. One a line."),
                max_length=2_000,
                several=True,
            ),
            Option(
                "prompt_set",
                gettext_lazy("Prompt set"),
                gettext_lazy("Where the rated images are, or go. Empty: one with the study's title."),
            ),
        ),
        run=_ratings,
        check=_check,
        complete=_complete,
        before={"items": "items"},
        after={"metrics": "scores"},
        position=40,
    ),
)
