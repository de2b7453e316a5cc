"""What auditors say of the critic: a verdict on each claim, and the errors that no claim named."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotations.models.answers import Rater
from annotations.models.studies import Study
from generation.models import Claim, Image


class Verdict(models.Model):
    """An auditor's judgement of one claim. Every revision is kept."""

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
    claim = models.ForeignKey(Claim, models.PROTECT, related_name="verdicts")
    auditor = models.ForeignKey(Rater, models.PROTECT, related_name="verdicts")
    value = models.CharField(max_length=20, choices=Value)
    severity = models.CharField(max_length=10, choices=Claim.Severity, blank=True)
    reason = models.CharField(max_length=20, choices=Reason, blank=True)
    revision = models.PositiveSmallIntegerField(default=1)
    is_current = models.BooleanField(default=True)
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["study", "claim", "auditor"], condition=Q(is_current=True), name="verdict_current_once"
            ),
            models.CheckConstraint(condition=Q(reason="") | Q(value__in=["wrong", "partly"]), name="verdict_reason"),
        ]

    def __str__(self) -> str:
        return self.get_value_display()


class MissedError(models.Model):
    """An error in an image that the critic did not name, in an auditor's words and marked where it is.

    x, y, width and height are fractions of the image from its top left; a point has no width and height.
    """

    study = models.ForeignKey(Study, models.CASCADE, related_name="missed_errors")
    image = models.ForeignKey(Image, models.PROTECT, related_name="missed_errors")
    auditor = models.ForeignKey(Rater, models.PROTECT, related_name="missed_errors")
    text = models.CharField(max_length=1000)
    kind = models.CharField(max_length=50, blank=True)
    about = models.CharField(max_length=300, blank=True)
    severity = models.CharField(max_length=10, choices=Claim.Severity, blank=True)
    x = models.FloatField(null=True, blank=True)
    y = models.FloatField(null=True, blank=True)
    width = models.FloatField(null=True, blank=True)
    height = models.FloatField(null=True, blank=True)
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(x=None, y=None, width=None, height=None)
                | Q(x__gte=0, x__lte=1, y__gte=0, y__lte=1, width=None, height=None)
                | Q(x__gte=0, x__lte=1, y__gte=0, y__lte=1, width__gt=0, width__lte=1, height__gt=0, height__lte=1),
                name="missed_error_point_or_box",
            ),
            models.CheckConstraint(condition=~Q(text=""), name="missed_error_has_text"),
        ]

    def __str__(self) -> str:
        return self.text
