from annotations.models.answers import Assignment, LateAnswer, Rater, Response
from annotations.models.audits import MissedError, Verdict
from annotations.models.items import Item, ItemImage
from annotations.models.reports import ReportSnapshot
from annotations.models.studies import Dimension, Membership, Study

__all__ = [
    "Assignment",
    "Dimension",
    "Item",
    "ItemImage",
    "LateAnswer",
    "Membership",
    "MissedError",
    "Rater",
    "ReportSnapshot",
    "Response",
    "Study",
    "Verdict",
]
