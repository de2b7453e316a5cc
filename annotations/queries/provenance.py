"""How a study was carried out, and the sources of its scores and critiques: for methods sections and notices."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

import numpy as np
from django.contrib.auth.models import User
from django.db.models import Count, F, Max, Min, Q, QuerySet

from annotations.models import Assignment, Dimension, ItemImage, Membership, Rater, Response, Study
from annotations.queries.planning.close_pairs import said_in_report
from annotations.queries.planning.facts import facts_of
from annotations.queries.raters.disputed import rule_text
from annotations.queries.result_units import images_of, scores_of
from annotations.queries.studies import current_responses
from annotations.reports.documents.design import Design
from annotations.reports.documents.provenance import Source
from annotations.reports.study.data import DimensionData
from generation.models import Critique, ImportRun

CUT = ": the prompt has "
"""Part of the note of an image whose prompt a text encoder read only in part (`generation.engines.read_words`)."""
ORIGIN = ("added_by", "import_run", "provenance__run")


def study_design(study: Study, dimensions: Iterable[DimensionData]) -> Design:
    """The design as planned and as used, in seven queries for any size, eight with questions about orders.

    dimensions: the answers that count
    """
    is_counted = Q(
        assignments__state=Assignment.State.ANSWERED,
        assignments__purpose=Assignment.Purpose.RATING,
        assignments__rater__excluded_at=None,
    )
    items = study.items.annotate(n_answered=Count("assignments", filter=is_counted))
    n_complete = items.filter(n_answered__gte=F("wanted")).count()
    raters = study.raters.aggregate(n=Count("pk"), consented=Count("pk", filter=Q(consented_at__isnull=False)))
    answers = Response.objects.filter(
        assignment__study=study, assignment__purpose=Assignment.Purpose.RATING, assignment__rater__excluded_at=None
    )
    is_current = Q(is_current=True, assignment__state=Assignment.State.ANSWERED)
    is_imported = is_current & Q(assignment__rater__kind=Rater.Kind.IMPORTED)
    found = answers.aggregate(
        n=Count("pk", filter=is_current),
        imported=Count("pk", filter=is_imported),
        changed=Count("pk", filter=is_current & Q(revision__gt=1)),
        first=Min("answered_at", filter=is_current & ~is_imported),
        last=Max("answered_at", filter=is_current & ~is_imported),
    )
    asked = list(study.dimensions.order_by("position"))
    orders = _orders([one for one in asked if one.is_ordering])
    return Design(
        item_kind=study.item_kind,
        raters_per_item=study.raters_per_item,
        items_per_rater=study.items_per_rater,
        order=study.order,
        seed=study.seed,
        batch_size=study.batch_size,
        lease_minutes=study.lease_minutes,
        instructions=study.instructions,
        consent=study.consent,
        exclusion_rule=study.exclusion_rule,
        n_items=study.items.count(),
        n_items_complete=n_complete,
        n_joined=raters["n"],
        n_consented=raters["consented"],
        imported_share=found["imported"] / found["n"] if found["n"] else 0.0,
        n_changed=found["changed"],
        allows_unable=tuple(one.name for one in asked if one.allows_unable),
        first_answer=_text(found["first"]),
        last_answer=_text(found["last"]),
        median_seconds=_median_seconds(dimensions),
        is_simulated=study.is_simulated,
        notes=dict(facts_of(study)) or None,
        further_raters=rule_text(study),
        further_prompts=said_in_report(study),
        cut_prompts=tuple(_cut_prompts(study)),
        n_orders={name: n for (name, is_unable), n in orders.items() if not is_unable},
        n_unable_orders={name: n for (name, is_unable), n in orders.items() if is_unable},
    )


def _orders(dimensions: Sequence[Dimension]) -> dict[tuple[str, bool], int]:
    """(question, whether it is “unable to answer”) → cards that count; one query, without such questions none."""
    if not dimensions:
        return {}
    answers = current_responses(dimensions).order_by().values("dimension__name", "is_unable")
    counts = answers.annotate(n=Count("assignment", distinct=True))
    return {(row["dimension__name"], row["is_unable"]): row["n"] for row in counts}


def _cut_prompts(study: Study) -> Iterator[tuple[str, int, int]]:
    """For each method with images whose prompt was read in part: its name, the number of these, and of all its
    images."""
    is_cut = Q(provenance__facts__notes__icontains=CUT)
    images = images_of(study).values("method__name").annotate(n=Count("pk"), cut=Count("pk", filter=is_cut))
    for row in images.filter(cut__gt=0).order_by("method__name"):
        yield row["method__name"], row["cut"], row["n"]


def _text(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


def _median_seconds(dimensions: Iterable[DimensionData]) -> float | None:
    known = [one.seconds[np.isfinite(one.seconds)] for one in dimensions if one.seconds is not None]
    together = np.concatenate(known) if known else np.empty(0)
    return round(float(np.median(together)), 3) if len(together) else None


# --- scores and critiques ---------------------------------------------------------------------------------------------
def score_sources(study: Study) -> list[Source]:
    """A source for each metric, version and origin of the scores of the study's images; five queries."""
    return list(_sources(study, "score", scores_of(study), "metric", "version"))


def critique_sources(study: Study) -> list[Source]:
    """The same for the critiques of the study's images, including planted and other controls."""
    images = ItemImage.objects.filter(item__study=study).values("image_id")
    critiques = Critique.objects.filter(image__in=images).order_by()
    return list(_sources(study, "critique", critiques, "critic", "critic_version"))


def _sources(
    study: Study, what: Literal["score", "critique"], rows: QuerySet[Any], name: str, version: str
) -> Iterator[Source]:
    own = Membership.objects.filter(study=study, role=Membership.Role.RESEARCHER)
    people = {study.owner_id, *own.values_list("user", flat=True)}
    # Millions of rows are grouped only by these few numbers; names and times are looked up for the groups.
    grouped = list(rows.values(name, version, *ORIGIN).annotate(n=Count("pk"), last=Max("pk")))
    newest = rows.model._default_manager.filter(pk__in=[row["last"] for row in grouped])
    times = dict(newest.values_list("pk", "created_at"))
    names = dict(User.objects.filter(pk__in={row["added_by"] for row in grouped}).values_list("pk", "username"))
    imports = ImportRun.objects.in_bulk({row["import_run"] for row in grouped if row["import_run"] is not None})
    for row in sorted(grouped, key=lambda row: (row[name], row[version], times[row["last"]])):
        run, imported = row["provenance__run"], imports.get(row["import_run"])
        is_run = isinstance(run, int) and imported is None
        yield Source(
            what=what,
            name=f"{row[name]} {row[version]}".strip(),
            n=row["n"],
            added_by=names.get(row["added_by"], ""),
            is_outsider=row["added_by"] is not None and row["added_by"] not in people,
            way=_way(imported, is_run=is_run),
            number=run if is_run else row["import_run"],
            file=imported.file_name if imported else "",
            at=times[row["last"]].isoformat(timespec="seconds"),
        )


def _way(imported: ImportRun | None, *, is_run: bool) -> Literal["import", "command", "run", ""]:
    if imported is not None:
        return "command" if imported.is_by_command else "import"
    return "run" if is_run else ""
