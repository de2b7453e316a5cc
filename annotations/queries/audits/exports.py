"""Auditors' answers, for export, as a stream."""

from django.db.models import QuerySet

from annotations.models import ElementCheck, MissedError, RepairJudgement, Study, Verdict
from annotations.queries.exports import ROWS_AT_ONCE, Rows, image_name
from exchange.export import Column

IMAGE = (
    Column("image", "text", "", "Name of the image that is judged; of two, of the one before refinement."),
    Column("method", "text", "", "What made the image."),
    Column("prompt", "text", "", "The prompt's text."),
)
CLAIM = (
    Column("critic", "text", "", "Who made the claim."),
    Column("critic_version", "text", "", "The critic's version."),
    Column("critique_source", "text", "critic, wrong_image, planted …", "A critic's own critique, or a control."),
    Column("claim_rank", "integer", "≥ 1", "1 is what the critic thinks matters most."),
    Column("claim", "text", "", "What the critic says is wrong."),
    Column("claim_kind", "text", "", "The kind of error that the critic names."),
    Column("claim_confidence", "number", "0–1", "How sure the critic was, if it said so."),
)
WORK = (
    Column("auditor", "text", "", "The auditor's name in this study."),
    Column("auditor_kind", "text", "person, imported, simulated", "A person here, one elsewhere, or a program."),
    Column("audit_state", "text", "finished, leased …", "Only what was finished counts; empty outside an audit."),
    Column("lists_first", "boolean", "", "Whether the auditor listed errors before seeing the claims."),
)
REVISION = (
    Column("revision", "integer", "≥ 1", "1 is the first judgement; each change is one more."),
    Column("is_current", "boolean", "", "Whether this revision counts."),
    Column("answered_at", "timestamp", "UTC", "When the auditor judged, as their browser says."),
    Column("received_at", "timestamp", "UTC", "When it reached the server; empty: not recorded."),
    Column("active_ms", "integer", "ms", "How long the auditor was active on it, if known."),
)
VERDICTS = (
    *(*IMAGE, *CLAIM, *WORK),
    Column("verdict", "text", "right, partly, wrong, cannot_tell", "The auditor's judgement of the claim."),
    Column("severity", "text", "minor, major", "How severe the auditor finds the error."),
    Column("reason", "text", "", "Why a claim is wrong."),
    Column("is_adjudication", "boolean", "", "Whether it settles what auditors disagreed about."),
    *REVISION,
)
MISSED = (
    *(*IMAGE, *WORK),
    Column("error", "text", "", "The error, in the auditor's words."),
    Column("kind", "text", "", "The kind of error."),
    Column("about", "text", "", "What it is about."),
    Column("severity", "text", "minor, major", "How severe the auditor finds it."),
    Column("stage", "text", "before, after, repair", "Listed before or after the claims were seen, or comparing two."),
    Column("is_in_refined", "boolean", "", "Of two images: whether it is in the refined one."),
    Column("group", "integer", "≥ 1", "Errors of one image with the same number are one error; empty: not grouped."),
    Column("x", "number", "0–1", "Where it is: share of the image's width from the left."),
    Column("y", "number", "0–1", "Share of the image's height from the top."),
    Column("width", "number", "0–1", "Width of the box as a share of the image's; empty for a point."),
    Column("height", "number", "0–1", "Height of the box; empty for a point."),
    Column("answered_at", "timestamp", "UTC", "When the auditor wrote it, as their browser says."),
    Column("received_at", "timestamp", "UTC", "When it reached the server; empty: not recorded."),
    Column("withdrawn_at", "timestamp", "UTC", "When the auditor took it back; empty: it counts."),
)
REPAIRS = (
    *(*IMAGE, *CLAIM, *WORK),
    Column("outcome", "text", "fixed, improved, unchanged, worse …", "What refinement did to the claimed error."),
    Column("place", "text", "baseline, refined, both, none …", "Where the error is."),
    *REVISION,
)
ELEMENTS = (
    *(*IMAGE, *WORK),
    Column("element", "text", "", "The element's identifier in the prompt's decomposition."),
    Column("text", "text", "", "What the prompt asks for."),
    Column("answer", "text", "present, absent, cannot_tell …", "Whether it is there; of two images, in which."),
    *REVISION,
)


def image_fields(of: str) -> tuple[str, ...]:
    return (f"{of}_id", f"{of}__key", f"{of}__method__name", f"{of}__prompt__text")


CLAIM_FIELDS = (
    *("claim__critique__critic", "claim__critique__critic_version", "claim__critique__source"),
    *("claim__rank", "claim__text", "claim__kind", "claim__confidence"),
)
REVISION_FIELDS = ("revision", "is_current", "answered_at", "received_at", "active_ms")
OF_AUDIT = ("audit__auditor__name", "audit__auditor__kind", "audit__state", "audit__lists_first")
OWN_AUDITOR = ("auditor__name", "auditor__kind", "audit__state", "audit__lists_first")


def verdict_rows(study: Study) -> Rows:
    """Every judgement of a claim, with all its revisions."""
    own = ("value", "severity", "reason", "is_adjudication")
    rows = Verdict.objects.filter(study=study)
    return _rows(rows, *image_fields("claim__critique__image"), *CLAIM_FIELDS, *OWN_AUDITOR, *own, *REVISION_FIELDS)


def missed_rows(study: Study) -> Rows:
    """Every error that an auditor listed, including withdrawn ones."""
    own = ("text", "kind", "about", "severity", "stage", "is_in_refined", "group__number", "x", "y", "width", "height")
    rows = MissedError.objects.filter(study=study)
    return _rows(rows, *image_fields("image"), *OWN_AUDITOR, *own, "answered_at", "received_at", "withdrawn_at")


def repair_rows(study: Study) -> Rows:
    """Every judgement of what refinement did to a claimed error, with all its revisions."""
    rows = RepairJudgement.objects.filter(audit__plan__study=study)
    return _rows(
        rows, *image_fields("audit__item__image"), *CLAIM_FIELDS, *OF_AUDIT, "outcome", "place", *REVISION_FIELDS
    )


def element_rows(study: Study) -> Rows:
    """Every answer on whether a part of the prompt is present, with all its revisions."""
    rows = ElementCheck.objects.filter(audit__plan__study=study)
    own = ("element", "text", "answer")
    return _rows(rows, *image_fields("audit__item__image"), *OF_AUDIT, *own, *REVISION_FIELDS)


def _rows(rows: QuerySet, *fields: str) -> Rows:
    for image, key, *rest in rows.order_by("pk").values_list(*fields).iterator(chunk_size=ROWS_AT_ONCE):
        yield (image_name(image, key), *rest)


def audit_counts(study: Study) -> dict[str, int]:
    return {
        "verdicts": study.verdicts.count(),
        "missed-errors": study.missed_errors.count(),
        "repair-judgements": RepairJudgement.objects.filter(audit__plan__study=study).count(),
        "element-checks": ElementCheck.objects.filter(audit__plan__study=study).count(),
    }
