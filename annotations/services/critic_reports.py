"""The report on a study's critics, computed once for each state of the auditors' answers."""

import hashlib
import json
from dataclasses import replace

from django.core.cache import cache
from django.utils import timezone

from annotations.models import Study
from annotations.queries.audits.critic import critic_data, state_of_audit
from annotations.queries.provenance import critique_sources
from annotations.reports.critic.analysis import analyse_critics
from annotations.reports.critic.document import critic_document
from annotations.reports.critic.figures import Options
from annotations.reports.documents.conversion import from_json, to_json
from annotations.reports.documents.critic import CriticDocument
from annotations.stats.critic.audit import PartlyCounts
from annotations.version import code_version

SEED = 0
KEPT_S = 24 * 3600


def find_critic_report(*, study: Study, partly: PartlyCounts) -> CriticDocument | None:
    """The document of the study's current state; None until somebody has judged a critic's claim.

    An unchanged study costs only the queries for its state. Verdicts are given by hand, claim by claim, so even a large
    audit can be computed while the page waits: a hundred thousand verdicts take a few seconds.
    """
    state = [*state_of_audit(study), partly, SEED, code_version()]
    digest = hashlib.sha256(json.dumps(state, sort_keys=True, default=str).encode()).hexdigest()
    key = f"critic-report-{study.pk}-{digest}"
    kept = cache.get(key)
    if kept is not None:
        return from_json(CriticDocument, kept) if kept else None
    found = _worked_out(study, partly)
    cache.set(key, to_json(found) if found else {}, KEPT_S)
    return found


def _worked_out(study: Study, partly: PartlyCounts) -> CriticDocument | None:
    data = critic_data(study)
    if not data.critics or not len(data.verdicts):
        return None
    results = analyse_critics(data, Options(seed=SEED, partly=partly))
    document = critic_document(
        results,
        title=study.title,
        code_version=code_version(),
        made_at=timezone.now().isoformat(timespec="seconds"),
    )
    return replace(document, sources=tuple(critique_sources(study)))
