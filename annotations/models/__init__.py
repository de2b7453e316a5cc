from annotations.models.answers import Assignment, LateAnswer, Rater, Response
from annotations.models.audit_work import Adjudication, Audit, AuditItem, Auditor, AuditPlan
from annotations.models.audits import ElementCheck, MissedError, MissedErrorGroup, RepairJudgement, Verdict
from annotations.models.items import Item, ItemImage
from annotations.models.reports import ReportSnapshot
from annotations.models.studies import Dimension, Membership, Study

__all__ = [
    "Adjudication",
    "Assignment",
    "Audit",
    "AuditItem",
    "AuditPlan",
    "Auditor",
    "Dimension",
    "ElementCheck",
    "Item",
    "ItemImage",
    "LateAnswer",
    "Membership",
    "MissedError",
    "MissedErrorGroup",
    "Rater",
    "RepairJudgement",
    "ReportSnapshot",
    "Response",
    "Study",
    "Verdict",
]
