"""Auditors' answers: verdicts on claims, errors that no claim named, and the effect of refinement."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotations.models.audit_work import Audit, Auditor
from annotations.models.studies import Study
from generation.models import Claim, Image


class Revised(models.Model):
    """An answer whose revisions are all kept: a change is a new row, and one of them is current."""

    revision = models.PositiveSmallIntegerField(default=1)
    is_current = models.BooleanField(default=True)
    answered_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True, null=True)
    active_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        abstract = True


class Verdict(Revised):
    """An auditor's judgement of one claim. Every revision is kept.

    `audit` is the work it was given in; an adjudicator's verdict (`is_adjudication`) and an imported one have none.
    Verdicts of audits that are not finished are kept and not counted.
    """

    class Value(models.TextChoices):
        RIGHT = "right", _("right")
        PARTLY = "partly", _("partly right")
        WRONG = "wrong", _("wrong")
        CANNOT_TELL = "cannot_tell", _("cannot tell")

    class Reason(models.TextChoices):
        NONE = "", _("no reason")
        NOT_THERE = "not_there", _("what it names is not there")
        MISREAD = "misread", _("it misread the image")
        ELSEWHERE = "elsewhere", _("it is about something else")
        CONTRADICTS = "contradicts", _("it contradicts the prompt")

    study = models.ForeignKey(Study, models.CASCADE, related_name="verdicts")
    audit = models.ForeignKey(Audit, models.CASCADE, null=True, blank=True, related_name="verdicts")
    claim = models.ForeignKey(Claim, models.PROTECT, related_name="verdicts")
    auditor = models.ForeignKey(Auditor, models.PROTECT, related_name="verdicts")
    is_adjudication = models.BooleanField(default=False)
    value = models.CharField(max_length=20, choices=Value)
    severity = models.CharField(max_length=10, choices=Claim.Severity, blank=True)
    reason = models.CharField(max_length=20, choices=Reason, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "claim", "auditor"], condition=Q(is_current=True), name="verdict_current_once"
            ),
            models.CheckConstraint(condition=Q(reason="") | Q(value__in=["wrong", "partly"]), name="verdict_reason"),
            models.CheckConstraint(
                condition=Q(severity="") | Q(value__in=["right", "partly"]), name="verdict_severity_of_an_error"
            ),
            models.CheckConstraint(
                condition=Q(is_adjudication=False) | Q(audit=None), name="verdict_adjudication_has_no_audit"
            ),
        ]

    def __str__(self) -> str:
        return self.get_value_display()


class MissedErrorGroup(models.Model):
    """One distinct error of one image: the listed errors that name it, and the claims that do. A person decided it."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="missed_error_groups")
    image = models.ForeignKey(Image, models.PROTECT, related_name="missed_error_groups")
    number = models.PositiveSmallIntegerField()
    text = models.CharField(max_length=1000)
    kind = models.CharField(max_length=50, blank=True)
    about = models.CharField(max_length=300, blank=True)
    claims = models.ManyToManyField(Claim, related_name="error_groups", blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["study", "image", "number"]
        constraints = [models.UniqueConstraint(fields=["study", "image", "number"], name="error_group_number_once")]

    def __str__(self) -> str:
        return self.text


class MissedError(models.Model):
    """An error in an image that the critic did not name, in an auditor's words and marked where it is.

    x, y, width and height are fractions of the image from its top left; a point has no width and height. Rows are never
    changed or deleted; an auditor can withdraw one. Errors listed BEFORE the claims were seen may be the same as a
    claim's; a group that holds the claim says so.
    """

    class Stage(models.TextChoices):
        BEFORE = "before", _("listed before the claims were seen")
        AFTER = "after", _("listed after the claims were seen")
        REPAIR = "repair", _("seen when two images were compared")

    study = models.ForeignKey(Study, models.CASCADE, related_name="missed_errors")
    audit = models.ForeignKey(Audit, models.CASCADE, null=True, blank=True, related_name="missed_errors")
    image = models.ForeignKey(Image, models.PROTECT, related_name="missed_errors")
    auditor = models.ForeignKey(Auditor, models.PROTECT, related_name="missed_errors")
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.AFTER)
    # In a repair audit: the error is in the refined image. A placebo's two images are the same, so `image` does not
    # say.
    is_in_refined = models.BooleanField(default=False)
    # Chosen by the page that sends it, so that the same entry sent twice is stored once.
    key = models.CharField(max_length=40, blank=True)
    text = models.CharField(max_length=1000)
    kind = models.CharField(max_length=50, blank=True)
    about = models.CharField(max_length=300, blank=True)
    severity = models.CharField(max_length=10, choices=Claim.Severity, blank=True)
    x = models.FloatField(null=True, blank=True)
    y = models.FloatField(null=True, blank=True)
    width = models.FloatField(null=True, blank=True)
    height = models.FloatField(null=True, blank=True)
    group = models.ForeignKey(MissedErrorGroup, models.SET_NULL, null=True, blank=True, related_name="missed_errors")
    answered_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True, null=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["audit", "key"], condition=~Q(key=""), name="missed_error_sent_once"),
            models.CheckConstraint(
                condition=Q(x=None, y=None, width=None, height=None)
                | Q(x__gte=0, x__lte=1, y__gte=0, y__lte=1, width=None, height=None)
                | Q(x__gte=0, x__lte=1, y__gte=0, y__lte=1, width__gt=0, width__lte=1, height__gt=0, height__lte=1),
                name="missed_error_point_or_box",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="missed_error_has_text"),
            models.CheckConstraint(
                condition=Q(is_in_refined=False) | Q(stage="repair"), name="missed_error_refined_if_compared"
            ),
        ]

    def __str__(self) -> str:
        return self.text


class ElementCheck(Revised):
    """Whether a part that the prompt asks for is present. Every revision is kept; a repair audit says in which
    image."""

    class Answer(models.TextChoices):
        PRESENT = "present", _("there")
        ABSENT = "absent", _("not there")
        CANNOT_TELL = "cannot_tell", _("cannot tell")
        BASELINE = "baseline", _("in the baseline alone")
        REFINED = "refined", _("in the refined image alone")
        BOTH = "both", _("in both")
        NONE = "none", _("in neither")

    audit = models.ForeignKey(Audit, models.CASCADE, related_name="element_checks")
    element = models.CharField(max_length=60, help_text=_("The element's id in the prompt's decomposition."))
    text = models.CharField(max_length=500)
    answer = models.CharField(max_length=20, choices=Answer)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["audit", "element"], condition=Q(is_current=True), name="element_check_current_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.text}: {self.get_answer_display()}"


class RepairJudgement(Revised):
    """What refinement did to the error that one claim names. Every revision is kept.

    The auditor says on which side the error is; the meaning of that for baseline → refined is stored. WORSE: the error
    is only in the refined image, or is worse there. IMPROVED: it is in both, but less severe in the refined one.
    """

    class Outcome(models.TextChoices):
        FIXED = "fixed", _("fixed")
        IMPROVED = "improved", _("less than before, not fixed")
        UNCHANGED = "unchanged", _("unchanged")
        WORSE = "worse", _("worse")
        NO_ERROR = "no_error", _("in neither image")
        CANNOT_TELL = "cannot_tell", _("cannot tell")

    audit = models.ForeignKey(Audit, models.CASCADE, related_name="repair_judgements")
    claim = models.ForeignKey(Claim, models.PROTECT, related_name="repair_judgements")
    outcome = models.CharField(max_length=20, choices=Outcome)
    # Where the error is: "baseline", "refined", "both", "none" or "cannot_tell".
    place = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["audit", "claim"], condition=Q(is_current=True), name="repair_judgement_current_once"
            ),
        ]

    def __str__(self) -> str:
        return self.get_outcome_display()
