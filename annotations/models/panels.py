"""The sources of paid raters, and the outcome of each of their visits."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotations.models.answers import Rater
from annotations.models.studies import Study


class Panel(models.Model):
    """A panel whose participants arrive with their identifiers in the link and return with a code.

    `return_address` may contain {code}, {participant}, {session} and {study}. Without one only the code is shown.
    """

    class Kind(models.TextChoices):
        PROLIFIC = "prolific", _("Prolific")
        CONNECT = "connect", _("CloudResearch Connect")
        SONA = "sona", _("SONA")
        MTURK = "mturk", _("Mechanical Turk or similar")
        OTHER = "other", _("another panel")

    study = models.OneToOneField(Study, models.CASCADE, related_name="panel")
    kind = models.CharField(_("panel"), max_length=10, choices=Kind, default=Kind.PROLIFIC)
    participant_parameter = models.CharField(_("parameter with the participant’s id"), max_length=60)
    session_parameter = models.CharField(_("parameter with the id of their visit"), max_length=60, blank=True)
    study_parameter = models.CharField(_("parameter with the study’s id"), max_length=60, blank=True)
    panel_study = models.CharField(
        _("the study’s id at the panel"),
        max_length=100,
        blank=True,
        help_text=_("Visits with another one are refused. Needed to ask Prolific who has returned."),
    )
    return_address = models.CharField(
        _("address that leads back"),
        max_length=500,
        blank=True,
        help_text=_("{code}, {participant}, {session} and {study} are filled in. Empty: the code is shown to copy."),
    )
    completed_code = models.CharField(_("code: completed"), max_length=60, blank=True)
    screened_out_code = models.CharField(_("code: screened out"), max_length=60, blank=True)
    no_consent_code = models.CharField(_("code: no consent"), max_length=60, blank=True)
    returned_code = models.CharField(_("code: stopped early"), max_length=60, blank=True)
    is_only_way = models.BooleanField(
        _("only people from the panel may join"),
        default=True,
        help_text=_("Otherwise the plain invitation works too."),
    )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.study}"


class PanelVisit(models.Model):
    """One person's visit from a panel. Exports contain only the rater's name on this site, never the panel's
    identifier.

    For a forgotten person `participant` is a keyed hash, and `session` is kept only until it is paid.
    """

    class State(models.TextChoices):
        ARRIVED = "arrived", _("arrived")
        JOINED = "joined", _("at work")
        DECLINED = "declined", _("declined")
        SCREENED_OUT = "screened_out", _("screened out")
        COMPLETED = "completed", _("completed")
        RETURNED = "returned", _("returned")
        TIMED_OUT = "timed_out", _("timed out")

    panel = models.ForeignKey(Panel, models.CASCADE, related_name="visits")
    participant = models.CharField(max_length=100)
    session = models.CharField(max_length=100, blank=True)
    rater = models.OneToOneField(Rater, models.CASCADE, null=True, blank=True, related_name="visit")
    state = models.CharField(max_length=20, choices=State, default=State.ARRIVED)
    is_forgotten = models.BooleanField(default=False)
    arrived_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["panel", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["panel", "participant"], name="panel_participant_once"),
            models.CheckConstraint(
                condition=Q(state__in=["arrived", "joined"], ended_at=None)
                | ~Q(state__in=["arrived", "joined"]) & Q(ended_at__isnull=False),
                name="panel_visit_ends_once",
            ),
        ]
        indexes = [models.Index(fields=["session"], name="panel_visit_session")]

    def __str__(self) -> str:
        return f"{self.get_state_display()} ({self.panel})"

    @property
    def shown_participant(self) -> str:
        """The panel's number of the person; empty for a forgotten person."""
        return "" if self.is_forgotten else self.participant
