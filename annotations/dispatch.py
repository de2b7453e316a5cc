"""Finds a study's report, or has it computed: at once if that is quick, otherwise by a worker."""

import logging
from datetime import timedelta
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from annotations.models import ReportSnapshot, Study
from annotations.queries import reports as queries
from annotations.queries.reports import Comparisons
from annotations.services import reports
from annotations.tasks import send_report
from annotations.version import code_version

logger = logging.getLogger(__name__)

STAYS_FRESH = timedelta(minutes=10)
"""How long a large study's results are shown before newer answers are included automatically."""


class Found(NamedTuple):
    """A snapshot, and whether it is of the study's current answers."""

    snapshot: ReportSnapshot
    is_current: bool


def find_report(
    *,
    study: Study,
    comparisons: Comparisons,
    user: User | None,
    seed: int = reports.DEFAULT_SEED,
    again: bool = False,
) -> Found:
    """The snapshot of the study's current answers: done, failed, or held by a worker. For a large study that changes
    constantly, one that is a few minutes old.

    An unchanged study costs the queries of `inputs_of` and one more. The report on a changed small study is computed
    before this returns. `again` computes a failed one again, and one on a large study even if there are fresh results.
    """
    inputs = queries.inputs_of(study, comparisons, fresh=again)
    newest = queries.newest_report(study, inputs.inputs_hash, seed, code_version())
    is_small = reports.is_small(inputs, comparisons)
    if newest is not None and reports.is_overdue(newest):
        if is_small:
            return Found(_at_once(newest), True)
        transaction.on_commit(lambda: send_report(newest.pk))
    if newest is not None and (newest.state != ReportSnapshot.State.FAILED or not again):
        return Found(newest, True)
    if not is_small and not again:
        for earlier in (queries.report_at_work(study), queries.last_finished(study, seed)):
            if earlier is not None and is_enough(earlier, comparisons, inputs.excluded):
                return Found(earlier, False)
    snapshot, is_new = reports.ask_report(study=study, inputs=inputs, comparisons=comparisons, user=user, seed=seed)
    if is_new and is_small:
        return Found(_at_once(snapshot), True)
    if is_new:
        transaction.on_commit(lambda: send_report(snapshot.pk))
    return Found(snapshot, True)


def is_enough(snapshot: ReportSnapshot, comparisons: Comparisons, excluded: tuple[tuple[int | str, str], ...]) -> bool:
    """Whether an earlier report answers the same question about the same raters, and is being computed or fresh."""
    asked = queries.asked_of(snapshot)
    is_fresh = snapshot.ended_at is None or snapshot.ended_at > timezone.now() - STAYS_FRESH
    is_same = asked.comparisons == tuple(comparisons)
    return is_fresh and is_same and asked.excluded == excluded


def _at_once(snapshot: ReportSnapshot) -> ReportSnapshot:
    claimed = reports.claim(snapshot_id=snapshot.pk)
    if claimed is None:
        return snapshot
    try:
        reports.build_report(snapshot=claimed)
    except Exception:
        # The page says what happened, and shows the previous results; the log has the rest.
        logger.exception("Report %s of study %s failed", snapshot.pk, snapshot.study_id)
    return claimed
