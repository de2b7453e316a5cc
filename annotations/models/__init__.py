from annotations.models.answers import Assignment, LateAnswer, Rater, Response
from annotations.models.audit_work import Adjudication, Audit, AuditItem, Auditor, AuditPlan
from annotations.models.audits import ElementCheck, MissedError, MissedErrorGroup, RepairJudgement, Verdict
from annotations.models.checks import KnownAnswer, RaterMessage, Trial
from annotations.models.explorer import UnitColumn, UnitTable
from annotations.models.extensions import Extension
from annotations.models.items import Item, ItemImage
from annotations.models.member_invitations import MemberInvitation
from annotations.models.panels import Panel, PanelVisit
from annotations.models.participation import ConsentText, Erasure, RaterPlan, TextImage
from annotations.models.planning import PromptLook, Registration, Statement
from annotations.models.reports import ReportSnapshot
from annotations.models.studies import Dimension, Membership, Study
from annotations.models.webhooks import Delivery, Webhook

__all__ = [
    "Adjudication",
    "Assignment",
    "Audit",
    "AuditItem",
    "AuditPlan",
    "Auditor",
    "ConsentText",
    "Delivery",
    "Dimension",
    "ElementCheck",
    "Erasure",
    "Extension",
    "Item",
    "ItemImage",
    "KnownAnswer",
    "LateAnswer",
    "MemberInvitation",
    "Membership",
    "MissedError",
    "MissedErrorGroup",
    "Panel",
    "PanelVisit",
    "PromptLook",
    "Rater",
    "RaterMessage",
    "RaterPlan",
    "Registration",
    "RepairJudgement",
    "ReportSnapshot",
    "Response",
    "Statement",
    "Study",
    "TextImage",
    "Trial",
    "UnitColumn",
    "UnitTable",
    "Verdict",
    "Webhook",
]
