"""Raters, the cards assigned to them, and every answer that they ever gave."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from annotations.models.items import Item
from annotations.models.participation import ConsentText
from annotations.models.studies import Dimension, Study, new_token
from generation.models import Image


class Rater(models.Model):
    """One judge in one study: a person who accepted the invitation, an imported identifier, or a simulation."""

    class Kind(models.TextChoices):
        PERSON = "person", _("person")
        IMPORTED = "imported", _("imported")
        SIMULATED = "simulated", _("simulated")

    study = models.ForeignKey(Study, models.CASCADE, related_name="raters")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="raters")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.PERSON)
    consented_at = models.DateTimeField(null=True, blank=True)
    consent = models.ForeignKey(ConsentText, models.PROTECT, null=True, blank=True, related_name="raters")
    # Examples, practice and quiz come before the first card: true until they are done.
    must_prepare = models.BooleanField(default=False)
    examples_seen_at = models.DateTimeField(null=True, blank=True)
    warning_seen_at = models.DateTimeField(null=True, blank=True)
    screened_out_at = models.DateTimeField(null=True, blank=True)
    screened_out_reason = models.CharField(max_length=500, blank=True)
    # A withdrawn rater is also an excluded one; the report counts them and does not name them.
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    group = models.CharField(max_length=100, blank=True)
    # Anybody may join through an invitation: until they have answered, few items are reserved for them at once.
    came_by_invitation = models.BooleanField(default=False)
    # Where this rater's search for open items continues: everything before it, at this need, has already been passed.
    cursor_taken = models.PositiveSmallIntegerField(default=0)
    cursor_position = models.IntegerField(default=-1)
    next_sequence = models.PositiveIntegerField(default=0)
    # By two methods ("3-7"): how often this rater had the second on the left, less how often the first. Zeros are left
    # out.
    side_excess = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # An excluded rater's answers are kept but do not count in any figure; `Item.taken` does not count their places.
    excluded_at = models.DateTimeField(null=True, blank=True)
    excluded_reason = models.CharField(max_length=500, blank=True)
    excluded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )

    class Meta:
        ordering = ["study", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(excluded_at=None, excluded_reason="")
                | Q(excluded_at__isnull=False) & ~Q(excluded_reason=""),
                name="rater_excluded_with_a_reason",
            ),
            models.UniqueConstraint(fields=["study", "user"], name="rater_once_per_user"),
            models.UniqueConstraint(fields=["study", "name"], name="rater_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Ratings(models.Manager["Assignment"]):
    """Assignments of ratings, without repeats and checks, so that these are never counted by mistake."""

    def get_queryset(self) -> models.QuerySet["Assignment"]:
        return super().get_queryset().filter(purpose=Assignment.Purpose.RATING)


class Assignment(models.Model):
    """One rater's work on one item. `sequence` is its place among the cards that this rater sees.

    Cards of another purpose than "rating" look the same to the rater, take no place on their item and do not enter any
    result. `objects`, `study.assignments` and `rater.assignments` leave them out; `with_checks` has them all.
    """

    class Purpose(models.TextChoices):
        RATING = "rating", _("rating")
        REPEAT = "repeat", _("repeat")
        MIRROR = "mirror", _("mirrored repeat")
        GOLD = "gold", _("gold item")
        CHECK = "check", _("attention check")

    class State(models.TextChoices):
        LEASED = "leased", _("reserved")
        ANSWERED = "answered", _("answered")
        RETURNED = "returned", _("given back")

    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    study = models.ForeignKey(Study, models.CASCADE, related_name="assignments")
    # Constraints below have indexes that begin with these two: they need none of their own.
    item = models.ForeignKey(Item, models.CASCADE, related_name="assignments", db_index=False)
    rater = models.ForeignKey(Rater, models.CASCADE, related_name="assignments", db_index=False)
    sequence = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.LEASED)
    lease_until = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    # The images' slots in the order in which this rater sees them, left to right: "1,0". One image needs none.
    shown_order = models.CharField(max_length=200, blank=True)
    flag = models.CharField(max_length=1000, blank=True)
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.RATING)
    # Assigned because of earlier raters' answers; figures leave these out. The probability is the one with which the
    # item got further raters, given those answers; it is 1 for the first raters, who come in any case.
    is_further = models.BooleanField(default=False)
    probability = models.FloatField(default=1.0)
    # The rater chose not to answer it. It is not offered to them again.
    skipped_at = models.DateTimeField(null=True, blank=True)

    objects = Ratings()
    with_checks: models.Manager["Assignment"] = models.Manager()

    class Meta:
        ordering = ["rater", "sequence"]
        constraints = [
            models.UniqueConstraint(fields=["item", "rater", "purpose"], name="item_once_per_rater"),
            models.UniqueConstraint(fields=["rater", "sequence"], name="assignment_sequence_once"),
            models.CheckConstraint(
                condition=Q(state="answered", answered_at__isnull=False, lease_until=None)
                | Q(state="leased", answered_at=None, lease_until__isnull=False)
                | Q(state="returned", answered_at=None, lease_until=None),
                name="assignment_state_has_its_times",
            ),
            models.CheckConstraint(
                condition=Q(is_further=False, probability=1)
                | Q(is_further=True, probability__gt=0, probability__lte=1),
                name="assignment_first_raters_are_certain",
            ),
        ]
        indexes = [
            models.Index(fields=["study", "lease_until"], name="assignment_lease", condition=Q(state="leased")),
            models.Index(fields=["rater", "state", "sequence"], name="assignment_of_rater"),
            # Counts read only this index: see `queries.studies.overview`.
            models.Index(fields=["rater", "purpose", "state", "answered_at"], name="assignment_counts"),
        ]

    def __str__(self) -> str:
        return f"{self.rater} on {self.item}"


class Response(models.Model):
    """One answer to one dimension, about one image or (image empty) about everything shown.

    Rows are only ever added. A changed answer is the next revision; `is_current` moves on to it.
    `level` is the index of the dimension's level; "unable to answer" has none, and is never a number.
    `answer` is the answer to questions of other kinds, in the format that the kind in `annotations.kinds` defines.
    `viewing` is how the images were seen before this answer, as reported by the browser: see
    `annotations.kinds.viewing`.
    """

    assignment = models.ForeignKey(Assignment, models.CASCADE, related_name="responses")
    dimension = models.ForeignKey(Dimension, models.PROTECT, related_name="responses")
    image = models.ForeignKey(Image, models.PROTECT, null=True, blank=True, related_name="responses")
    revision = models.PositiveSmallIntegerField(default=1)
    is_current = models.BooleanField(default=True)
    level = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.JSONField(null=True, blank=True)
    is_unable = models.BooleanField(default=False)
    shown_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField()
    # By the server's clock; `answered_at` is reported by the browser. Empty: from before it was recorded.
    received_at = models.DateTimeField(auto_now_add=True, null=True)
    active_ms = models.PositiveIntegerField(null=True, blank=True)
    viewing = models.JSONField(null=True, blank=True)
    # The language in which the question was read. Empty: not recorded, as in imports.
    language = models.CharField(max_length=10, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["assignment", "dimension", "image"],
                condition=Q(is_current=True, image__isnull=False),
                name="response_current_once_per_image",
            ),
            models.UniqueConstraint(
                fields=["assignment", "dimension"],
                condition=Q(is_current=True, image=None),
                name="response_current_once_per_item",
            ),
            models.CheckConstraint(
                condition=Q(is_unable=True, level=None, answer__isnull=True)
                | Q(is_unable=False, level__isnull=False, answer__isnull=True)
                | Q(is_unable=False, level=None, answer__isnull=False),
                name="response_one_answer_or_unable",
            ),
        ]
        indexes = [models.Index(fields=["dimension", "id"], name="response_current", condition=Q(is_current=True))]

    def __str__(self) -> str:
        return "unable" if self.is_unable else str(self.answer if self.level is None else self.level)


class LateAnswer(models.Model):
    """An answer that came after its item was reassigned and answered in full: kept and shown, but not counted."""

    assignment = models.ForeignKey(Assignment, models.CASCADE, related_name="late_answers")
    answers = models.JSONField()
    received_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"late: {self.assignment}"
