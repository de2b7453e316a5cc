"""A study's results as frozen snapshots: asked for once, worked out once."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.models import ReportSnapshot, Study
from annotations.queries import reports as queries
from annotations.queries.reports import Comparisons, Inputs
from annotations.queries.results import StudyRows, study_rows
from annotations.reports.analysis import Options, analyse
from annotations.reports.disputed import most_disputed
from annotations.reports.document import document
from annotations.version import code_version

MOST_RATINGS_AT_ONCE = 20_000
MOST_METRICS_AT_ONCE = 10
"""What is no larger takes at most about five seconds of one core, and is worked out while the page waits. Each
comparison costs about as much as all the rest, so ratings count once more for each."""
ABANDONED = timedelta(hours=1)
"""A report that has been at work for longer has lost its worker."""
WAITS_LONG = timedelta(minutes=2)
MOST_DISPUTED = 8
DEFAULT_SEED = 0

State = ReportSnapshot.State


def is_small(inputs: Inputs, comparisons: Comparisons) -> bool:
    work = inputs.n_ratings * (1 + len(comparisons))
    return work <= MOST_RATINGS_AT_ONCE and inputs.n_metrics <= MOST_METRICS_AT_ONCE


def ask_report(
    *, study: Study, inputs: Inputs, comparisons: Comparisons, user: User | None = None, seed: int = DEFAULT_SEED
) -> tuple[ReportSnapshot, bool]:
    """The snapshot of these results, and whether it is a new one, which waits for `build_report`.

    Two who ask at once get the same one: the database has at most one that waits, is at work or is done. A failed one
    is left as it is and a new one made.
    """
    give_up_abandoned(study=study)
    same = {"inputs_hash": inputs.inputs_hash, "seed": seed, "code_version": code_version()}
    try:
        with transaction.atomic():
            snapshot = ReportSnapshot.objects.create(
                study=study,
                created_by=user,
                n_ratings=inputs.n_ratings,
                results={"asked": {"comparisons": [list(pair) for pair in comparisons]}},
                **same,
            )
            return snapshot, True
    except IntegrityError:
        return study.snapshots.exclude(state=State.FAILED).get(**same), False


def is_abandoned(snapshot: ReportSnapshot) -> bool:
    return snapshot.ended_at is None and snapshot.created_at < timezone.now() - ABANDONED


def give_up_abandoned(*, study: Study) -> int:
    """Mark as failed what a dead worker left; how many."""
    at_work = study.snapshots.filter(state__in=(State.WAITING, State.RUNNING))
    return at_work.filter(created_at__lt=timezone.now() - ABANDONED).update(
        state=State.FAILED, ended_at=timezone.now(), message=_("Its worker died. Nothing is lost; try again.")
    )


def lost_messages(*, now: datetime) -> list[int]:
    """What has waited so long that its message may be lost; to send it again does no harm."""
    waiting = ReportSnapshot.objects.filter(state=State.WAITING, created_at__lt=now - WAITS_LONG)
    return list(waiting.order_by("pk").values_list("pk", flat=True))


def claim(*, snapshot_id: int) -> ReportSnapshot | None:
    """Take a waiting snapshot by one conditional update; None when another worker has it or it has ended."""
    if not ReportSnapshot.objects.filter(pk=snapshot_id, state=State.WAITING).update(state=State.RUNNING):
        return None
    return ReportSnapshot.objects.select_related("study").get(pk=snapshot_id)


def build_report(*, snapshot: ReportSnapshot) -> None:
    """Work out a claimed snapshot and freeze it; on an error it is FAILED, says why, and the error is raised on.

    `inputs_hash` is that of the state in which it was asked for. The figures are of the answers there were when the
    work began, which the document itself names by a hash of every array (`made.inputs_hash`).
    """
    try:
        snapshot.finish(_worked_out(snapshot))
    except Exception as problem:
        snapshot.results = None
        snapshot.fail(
            _("It could not be worked out (%(kind)s: %(problem)s).")
            % {"kind": type(problem).__name__, "problem": str(problem)[:500]}
        )
        raise


def _worked_out(snapshot: ReportSnapshot) -> dict[str, Any]:
    study, asked = snapshot.study, (snapshot.results or {}).get("asked", {})
    rows = study_rows(study)
    known = set(rows.data.methods)
    comparisons = [(old, new) for old, new in asked.get("comparisons", ()) if old in known and new in known]
    can_compare = rows.data.has_methods and rows.data.has_prompts

    def tell(what: str, share: float) -> None:
        ReportSnapshot.objects.filter(pk=snapshot.pk).update(message=f"{share:.0%} · {what}")

    results = analyse(rows.data, Options(seed=snapshot.seed, comparisons=comparisons if can_compare else ()), tell)
    snapshot.message = ""
    snapshot.n_ratings = sum(len(one.ratings) + one.n_unable for one in rows.data.dimensions)
    made = document(
        results,
        title=study.title,
        code_version=snapshot.code_version,
        made_at=timezone.now().isoformat(timespec="seconds"),
    )
    # What every unit shares is no property to tell units apart by; nobody misses it.
    told = {name: len(set(column)) > 1 for name, column in rows.data.facets.items()}
    made["facets_left_out"] = {name: why for name, why in made["facets_left_out"].items() if told[name]}
    made["asked"] = asked
    made["raters_by_kind"] = rows.rater_kinds
    made["n_late"] = queries.late_answers(study)
    made["disputed"] = _disputed(rows)
    return made


def _disputed(rows: StudyRows) -> dict[str, list[dict[str, Any]]]:
    """By question, the units about which raters disagree most, with how often each level was given."""
    chosen = {one.name: most_disputed(one, MOST_DISPUTED) for one in rows.data.dimensions}
    items = [int(rows.item[unit]) for found in chosen.values() for unit, _distance, _counts in found]
    shown = queries.shown_units(items)
    out: dict[str, list[dict[str, Any]]] = {}
    for name, found in chosen.items():
        out[name] = []
        for unit, distance, counts in found:
            item, image = int(rows.item[unit]), int(rows.image[unit])
            behind = shown[item]
            out[name].append(
                {
                    "unit": rows.data.units[unit],
                    "item": behind.item_key,
                    "prompt": behind.prompt,
                    "images": [pk for pk in behind.images if image in (0, pk)],
                    "distance": distance,
                    "counts": counts,
                }
            )
    return out
