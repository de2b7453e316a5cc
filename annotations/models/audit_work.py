"""The work for auditors, and who took each part of it."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from annotations.models.answers import Rater
from annotations.models.studies import Study, new_token
from generation.models import Claim, Image


class Auditor(models.Model):
    """One judge of a critic in one study. Separate from raters: an auditor has seen the claims and must not rate."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="auditors")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="auditors")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Rater.Kind, default=Rater.Kind.PERSON)
    next_sequence = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["study", "user"], name="auditor_once_per_user"),
            models.UniqueConstraint(fields=["study", "name"], name="auditor_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class AuditPlan(models.Model):
    """How the critics of a study are audited. It is fixed once created: only its state changes."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")

    study = models.OneToOneField(Study, models.CASCADE, related_name="audit_plan")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    auditors_per_image = models.PositiveSmallIntegerField(
        _("auditors per image"), default=2, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    lists_first_share = models.FloatField(
        _("share of images with the auditor’s own list first"),
        default=0.5,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("On this share of images, drawn for each auditor, errors are listed before the claims are shown."),
    )
    seed = models.PositiveBigIntegerField(_("seed"), default=0)
    critics = models.JSONField(default=list, blank=True)
    with_elements = models.BooleanField(_("the prompt's parts as a check list"), default=True)
    with_wrong_image = models.BooleanField(_("claims made about another image"), default=True)
    with_planted = models.BooleanField(_("planted false claims"), default=True)
    with_repair = models.BooleanField(_("before and after refinement"), default=False)
    lease_minutes = models.PositiveSmallIntegerField(
        _("minutes an image stays reserved"), default=60, validators=[MinValueValidator(1)]
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(auditors_per_image__gte=1), name="audit_plan_wants_an_auditor"),
            models.CheckConstraint(
                condition=Q(lists_first_share__gte=0, lists_first_share__lte=1), name="audit_plan_share_in_0_1"
            ),
            models.CheckConstraint(condition=Q(lease_minutes__gte=1), name="audit_plan_lease_not_empty"),
        ]

    def __str__(self) -> str:
        return f"audit of {self.study}"


class AuditItem(models.Model):
    """One image whose claims are judged, or one pair whose repair is, at its place in the plan's seeded order.

    `taken` counts the audits that hold or have used one of the `wanted` places; the database refuses one too many.
    """

    class Kind(models.TextChoices):
        CLAIMS = "claims", _("claims about one image")
        REPAIR = "repair", _("before and after refinement")

    class Control(models.TextChoices):
        NONE = "", _("none")
        CLEAN = "clean", _("known to hold no error")
        DEFECT = "defect", _("a defect was planted in it")
        PLACEBO = "placebo", _("the same image twice")

    plan = models.ForeignKey(AuditPlan, models.CASCADE, related_name="items")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.CLAIMS)
    position = models.PositiveIntegerField()
    image = models.ForeignKey(Image, models.PROTECT, related_name="audit_items")
    refined = models.ForeignKey(Image, models.PROTECT, null=True, blank=True, related_name="audit_items_as_refined")
    control = models.CharField(max_length=10, choices=Control, blank=True, default=Control.NONE)
    # What is known to be wrong with a control: a list of {"text", "kind", "about", "x", "y", "width", "height"}.
    known_defects = models.JSONField(default=list, blank=True)
    wanted = models.PositiveSmallIntegerField()
    taken = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["plan", "position"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "position"], name="audit_item_position_once"),
            models.UniqueConstraint(
                fields=["plan", "image"], condition=Q(kind="claims"), name="audit_item_once_per_image"
            ),
            models.UniqueConstraint(
                fields=["plan", "image", "refined"], condition=Q(kind="repair"), name="audit_item_once_per_pair"
            ),
            models.CheckConstraint(
                condition=Q(kind="claims", refined=None) | Q(kind="repair", refined__isnull=False),
                name="audit_item_pair_for_repair",
            ),
            models.CheckConstraint(
                condition=~Q(control="placebo") | Q(kind="repair"), name="audit_item_placebo_is_a_pair"
            ),
            models.CheckConstraint(condition=Q(taken__lte=F("wanted")), name="audit_item_never_taken_too_often"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.image}"


class Audit(models.Model):
    """One auditor's work on one item. `claim_order` holds the ids of the claims in the order this auditor sees them.

    LATE: finished after the place was given to and used by another auditor: kept, but not counted.
    """

    class State(models.TextChoices):
        LEASED = "leased", _("reserved")
        FINISHED = "finished", _("finished")
        RETURNED = "returned", _("given back")
        LATE = "late", _("finished too late")

    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    plan = models.ForeignKey(AuditPlan, models.CASCADE, related_name="audits")
    item = models.ForeignKey(AuditItem, models.CASCADE, related_name="audits")
    auditor = models.ForeignKey(Auditor, models.CASCADE, related_name="audits")
    sequence = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.LEASED)
    lists_first = models.BooleanField(default=False)
    claim_order = models.JSONField(default=list)
    # Whether a pair is shown with the refined image on the left.
    is_mirrored = models.BooleanField(default=False)
    lease_until = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    sealed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    active_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["auditor", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["item", "auditor"], name="audit_item_once_per_auditor"),
            models.UniqueConstraint(fields=["auditor", "sequence"], name="audit_sequence_once"),
            models.CheckConstraint(
                condition=Q(state="leased", finished_at=None, lease_until__isnull=False)
                | Q(state="returned", finished_at=None, lease_until=None)
                | Q(state__in=["finished", "late"], finished_at__isnull=False, lease_until=None),
                name="audit_state_has_its_times",
            ),
            models.CheckConstraint(
                condition=Q(sealed_at=None) | Q(lists_first=True), name="audit_sealed_if_it_lists_first"
            ),
        ]
        indexes = [models.Index(fields=["plan", "lease_until"], name="audit_lease", condition=Q(state="leased"))]

    def __str__(self) -> str:
        return f"{self.auditor} on {self.item}"

    @property
    def may_see_claims(self) -> bool:
        """Whether this auditor may see the critic's claims now: not before their own list is sealed."""
        return not self.lists_first or self.sealed_at is not None

    @property
    def has_ended(self) -> bool:
        return self.state in (self.State.FINISHED, self.State.LATE)


class Adjudication(models.Model):
    """A claim on which auditors disagree, and the third auditor who decides it without seeing their verdicts."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        LEASED = "leased", _("reserved")
        DECIDED = "decided", _("decided")

    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    plan = models.ForeignKey(AuditPlan, models.CASCADE, related_name="adjudications")
    item = models.ForeignKey(AuditItem, models.CASCADE, related_name="adjudications")
    claim = models.ForeignKey(Claim, models.PROTECT, related_name="adjudications")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    adjudicator = models.ForeignKey(Auditor, models.CASCADE, null=True, blank=True, related_name="adjudications")
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["plan", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "claim"], name="adjudication_once_per_claim"),
            models.CheckConstraint(
                condition=Q(state="waiting", adjudicator=None, lease_until=None, decided_at=None)
                | Q(state="leased", adjudicator__isnull=False, lease_until__isnull=False, decided_at=None)
                | Q(state="decided", adjudicator__isnull=False, lease_until=None, decided_at__isnull=False),
                name="adjudication_state_has_its_times",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}: {self.claim}"
