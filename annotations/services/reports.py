"""A study's results as frozen snapshots: requested once, computed once."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.models import ReportSnapshot, Study
from annotations.queries import reports as queries
from annotations.queries.explorer.frozen import FrozenTable, frozen_tables
from annotations.queries.planning.present import reported_registration
from annotations.queries.provenance import score_sources, study_design
from annotations.queries.raters.rules import declared_rule
from annotations.queries.raters.viewing import reported_viewing
from annotations.queries.reports import Comparisons, Inputs
from annotations.queries.result_units import linked_methods
from annotations.queries.results import StudyRows, study_rows
from annotations.queries.structured.counted import counted_data
from annotations.reports.anchors import slug
from annotations.reports.documents.conversion import to_json
from annotations.reports.documents.study import Asked, DisputedUnit, StudyDocument, WithExcluded
from annotations.reports.study.counted import counted_part
from annotations.reports.study.data import StudyData
from annotations.reports.study.disputed import most_disputed
from annotations.reports.study.excluded import with_excluded
from annotations.services.explorer.columns import keep_tables, let_go_of_older, packed
from annotations.services.sqlite_writes import write_turn
from annotations.version import code_version
from generation import jobs
from generation.jobs import MOST_TRIES, LeaseLost

MOST_RATINGS_AT_ONCE = 20_000
MOST_METRICS_AT_ONCE = 10
"""A study up to this size takes at most about five seconds of one core, and is computed while the page waits. Each
comparison costs about as much as everything else, so ratings count once more for each."""
WAITS_LONG = timedelta(minutes=2)
"""A message may wait behind others in its queue; it counts as lost only after this time."""
MOST_DISPUTED = 8
MOST_COMPARISONS = 12
DEFAULT_SEED = 0

WorkOut = Callable[[ReportSnapshot], tuple[StudyDocument, list[FrozenTable]]]
State = ReportSnapshot.State
OPEN = (State.WAITING, State.RUNNING)


def is_small(inputs: Inputs, comparisons: Comparisons) -> bool:
    work = inputs.n_ratings * (1 + len(comparisons))
    return work <= MOST_RATINGS_AT_ONCE and inputs.n_metrics <= MOST_METRICS_AT_ONCE


def ask_report(
    *, study: Study, inputs: Inputs, comparisons: Comparisons, user: User | None = None, seed: int = DEFAULT_SEED
) -> tuple[ReportSnapshot, bool]:
    """The snapshot of these results, and whether it is a new one, which waits for `build_report`.

    Two simultaneous requests get the same one: the database has at most one that is waiting, running or done. A failed
    one is left unchanged and a new one made.
    """
    same = {"inputs_hash": inputs.inputs_hash, "seed": seed, "code_version": code_version()}
    try:
        with transaction.atomic():
            snapshot = ReportSnapshot.objects.create(
                study=study,
                created_by=user,
                n_ratings=inputs.n_ratings,
                lease_until=timezone.now() + WAITS_LONG,
                results={"asked": to_json(Asked(comparisons=tuple(comparisons), excluded=inputs.excluded))},
                **same,
            )
            return snapshot, True
    except IntegrityError:
        return study.snapshots.exclude(state=State.FAILED).get(**same), False


def is_overdue(snapshot: ReportSnapshot) -> bool:
    """Whether its worker died or its message was lost, so that any worker may take it."""
    is_late = snapshot.lease_until is None or snapshot.lease_until < timezone.now()
    return snapshot.state in OPEN and is_late


def take_abandoned(*, now: datetime) -> list[int]:
    """Reports whose worker died or whose message was lost, by their ids, to be sent again.

    Each waiting report is handed out once per WAITS_LONG. A report that has outlived several workers fails.
    """
    ReportSnapshot.overdue(now).filter(n_tries__gte=MOST_TRIES).update(
        state=State.FAILED,
        lease_until=None,
        ended_at=now,
        results=None,
        message=_("The worker died %(n)s times during the calculation. Check its log and its memory, then try again.")
        % {"n": MOST_TRIES},
    )
    waiting = ReportSnapshot.objects.filter(jobs.expired(now), state=State.WAITING)
    found = sorted([*waiting.values_list("pk", flat=True), *ReportSnapshot.overdue(now).values_list("pk", flat=True)])
    # The condition is repeated: a worker may have begun since we looked.
    waiting.filter(pk__in=found).update(lease_until=now + WAITS_LONG)
    return found


def claim(*, snapshot_id: int, now: datetime | None = None) -> ReportSnapshot | None:
    """Take a snapshot that waits, or whose worker died; None if another worker has it or it has ended."""
    now = now or timezone.now()
    free = Q(state=State.WAITING) | Q(jobs.expired(now), state=State.RUNNING)
    claim = jobs.take(ReportSnapshot.objects.filter(free, pk=snapshot_id), now=now)
    return ReportSnapshot.held(claim).select_related("study").first() if claim else None


def renew(*, snapshot: ReportSnapshot) -> bool:
    """Renew the lease of a claimed snapshot; False if another worker has it now."""
    return jobs.renew(ReportSnapshot.held(snapshot.claim))


def build_report(*, snapshot: ReportSnapshot, work_out: WorkOut | None = None) -> None:
    """Compute a claimed snapshot and freeze it; on an error it is FAILED, says why, and the error is re-raised.

    Nothing is written if another worker has taken it over. `inputs_hash` is that of the state at the time of the
    request. The figures are computed from the answers at the time when the work began; the document identifies these by
    a hash of every array (`made.inputs_hash`). `work_out` makes the document; by default it analyses the study.
    """
    try:
        document, tables = (work_out or _worked_out)(snapshot)
        results, columns = to_json(document), packed(tables)
    except LeaseLost:
        return
    except Exception as problem:
        why = _("It could not be calculated (%(kind)s: %(problem)s).") % {
            "kind": type(problem).__name__,
            "problem": str(problem)[:500],
        }
        _end(snapshot, State.FAILED, results=None, message=why)
        snapshot.refresh_from_db()
        raise
    # SQLite has one writer: slow work comes before or after this transaction, so that raters do not wait.
    with write_turn(), transaction.atomic():
        is_ours = _end(snapshot, State.DONE, results=results, message="", n_ratings=snapshot.n_ratings)
        if is_ours:
            keep_tables(snapshot=snapshot, tables=columns)
    snapshot.refresh_from_db()
    if is_ours:
        let_go_of_older(study_id=snapshot.study_id)


def _end(snapshot: ReportSnapshot, state: ReportSnapshot.State, **fields: Any) -> bool:
    """Close a snapshot if it is still ours; returns whether it was. The instance in memory does not change."""
    ended = {"state": state, "ended_at": timezone.now(), "lease_until": None, **fields}
    return bool(ReportSnapshot.held(snapshot.claim).update(**ended))


def default_comparisons(study: Study, data: StudyData) -> list[tuple[str, str]]:
    """The default comparisons of the results page: each refined method with the method that it refines, or else the
    only two methods with each other."""
    from annotations.reports.study.analysis import comparable, default_pair

    return comparable(data, linked_methods(study)[:MOST_COMPARISONS]) or default_pair(data)


def report_now(*, study: Study, comparisons: Comparisons, seed: int = DEFAULT_SEED) -> ReportSnapshot:
    """The finished snapshot of the study's current answers, computed here if there is none.

    For commands: it does not wait for a worker. If a worker is computing the same report, it is computed here as well.
    """
    inputs = queries.inputs_of(study, comparisons, fresh=True)
    newest = queries.newest_report(study, inputs.inputs_hash, seed, code_version())
    if newest is not None and newest.state == State.DONE:
        return newest
    snapshot, _is_new = ask_report(study=study, inputs=inputs, comparisons=comparisons, seed=seed)
    if snapshot.state == State.DONE:
        return snapshot
    claimed = claim(snapshot_id=snapshot.pk) or snapshot
    build_report(snapshot=claimed)
    return claimed


def _worked_out(snapshot: ReportSnapshot) -> tuple[StudyDocument, list[FrozenTable]]:
    """The document, and the figures of every unit."""
    # Here and above: every worker and the clock import this module, and the statistics would take half of their
    # start-up time.
    from annotations.reports.study.analysis import Options, analyse, comparable, default_pair
    from annotations.reports.study.document import document

    study, asked = snapshot.study, queries.asked_of(snapshot)
    rows = study_rows(study)
    comparisons = comparable(rows.data, asked.comparisons) or default_pair(rows.data)

    def report(what: str, share: float) -> None:
        if not ReportSnapshot.held(snapshot.claim).update(message=f"{share:.0%} · {what}"):
            raise LeaseLost

    results = analyse(rows.data, Options(seed=snapshot.seed, comparisons=comparisons), report)
    answers, methods = counted_data(study)
    snapshot.n_ratings = sum(len(one.ratings) + one.n_unable for one in rows.data.dimensions)
    snapshot.n_ratings += sum(len(one.rater) + one.n_unable for one in answers)
    made = document(
        results,
        title=study.title,
        key=f"{slug(study.title, 'study')}-{slug(study.token, '')[:6]}",
        code_version=snapshot.code_version,
        made_at=timezone.now().isoformat(timespec="seconds"),
    )
    compared = made.dimensions[0].comparisons if made.dimensions else ()
    beside: tuple[WithExcluded, ...] = ()
    if rows.data.excluded_raters and comparisons:
        everybody = _with_everybody(study)
        options = Options(seed=snapshot.seed, comparisons=comparable(everybody, comparisons))
        of_all = document(
            analyse(everybody, options), title=study.title, code_version=made.made.code_version, made_at=made.made.at
        )
        beside = with_excluded(made, of_all)
    complete = replace(
        made,
        asked=asked,
        exclusion_rule=declared_rule(study),
        n_late=queries.late_answers(study),
        with_excluded=beside,
        sources=tuple(score_sources(study)),
        disputed=_disputed(rows),
        viewing=reported_viewing(study),
        counted=tuple(counted_part(one, methods) for one in answers),
        design=study_design(study, rows.data.dimensions),
        registration=reported_registration(study, tuple((one.baseline, one.refined) for one in compared)),
    )
    return complete, frozen_tables(study, rows)


def _with_everybody(study: Study) -> StudyData:
    """The ratings of all raters, including excluded ones; without metrics, since exclusions are not judged by them."""
    data = study_rows(study, with_excluded=True).data
    return replace(data, metrics=[], scores=np.empty((0, len(data.units))), facets={})


def _disputed(rows: StudyRows) -> dict[str, tuple[DisputedUnit, ...]]:
    """By question, the units about which raters disagree most, with how often each level was given."""
    chosen = {one.name: most_disputed(one, MOST_DISPUTED) for one in rows.data.dimensions}
    items = [int(rows.item[unit]) for found in chosen.values() for unit, _distance, _counts in found]
    shown = queries.shown_units(items)

    def unit_shown(unit: int, distance: float, counts: Sequence[int]) -> DisputedUnit:
        item, image = int(rows.item[unit]), int(rows.image[unit])
        behind = shown[item]
        return DisputedUnit(
            unit=rows.data.units[unit],
            item=behind.item_key,
            prompt=behind.prompt,
            images=tuple(pk for pk in behind.images if image in (0, pk)),
            distance=distance,
            counts=tuple(counts),
        )

    return {name: tuple(unit_shown(*one) for one in found) for name, found in chosen.items()}
