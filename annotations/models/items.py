"""What a study shows on one card."""

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from annotations.models.studies import Study
from generation.models import Image, Prompt


class RatedItems(models.Manager["Item"]):
    """The items that are rated: those that prepare or check raters are left out, so that they are never counted by
    mistake."""

    def get_queryset(self) -> models.QuerySet["Item"]:
        return super().get_queryset().filter(role=Item.Role.RATED)


class Item(models.Model):
    """One image, a pair, or all images of one prompt, at its place in the study's seeded order.

    `taken` counts the assignments that hold or have used one of the `wanted` places; those of excluded raters hold
    none. The database refuses a (`wanted` + 1)th, however many arrive at once; allocation reads only (study, taken,
    position).

    `n_further` of the wanted places are for further raters of a disputed item, who are added because of earlier
    answers. `further_probability` is the probability, given those answers, with which the item got them.

    `look` is the look at the comparison of two methods that releases the item; until then the item wants no raters.

    `frozen` holds the facts about the prompt that a question needs, by the question's kind: the words to be marked, or
    the questions of its decomposition. Its "reference" is the reference image that is shown. It stays as it was when
    the item was created, even if the prompt changes.

    Items with another role than "rated" want no raters, so they are never allocated. `objects` and `study.items` omit
    them; `with_checks` has them all.
    """

    class Role(models.TextChoices):
        RATED = "rated", _("rated")
        EXAMPLE = "example", _("worked example")
        PRACTICE = "practice", _("practice")
        QUIZ = "quiz", _("quiz")
        GOLD = "gold", _("gold item")
        CHECK = "check", _("attention check")

    # The index of `item_key_once` begins with it.
    study = models.ForeignKey(Study, models.CASCADE, related_name="items", db_index=False)
    position = models.PositiveIntegerField()
    key = models.CharField(max_length=200)
    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="items")
    images = models.ManyToManyField(Image, through="ItemImage", related_name="items")
    wanted = models.PositiveSmallIntegerField()
    taken = models.PositiveSmallIntegerField(default=0)
    n_further = models.PositiveSmallIntegerField(default=0)
    further_probability = models.FloatField(null=True, blank=True)
    look = models.PositiveSmallIntegerField(default=1)
    frozen = models.JSONField(default=dict, blank=True)
    role = models.CharField(max_length=10, choices=Role, default=Role.RATED)
    reason = models.TextField(blank=True)  # why the known answers are right: shown after practice

    objects = RatedItems()
    with_checks: models.Manager["Item"] = models.Manager()

    class Meta:
        ordering = ["study", "position"]
        constraints = [
            models.UniqueConstraint(fields=["study", "role", "position"], name="item_position_once"),
            models.UniqueConstraint(fields=["study", "key"], name="item_key_once"),
            models.CheckConstraint(condition=Q(taken__lte=F("wanted")), name="item_never_taken_too_often"),
            models.CheckConstraint(
                condition=Q(n_further=0, further_probability=None)
                | Q(n_further__gt=0, n_further__lte=F("wanted"), further_probability__gt=0, further_probability__lte=1),
                name="item_further_with_probability",
            ),
            models.CheckConstraint(condition=Q(role="rated") | Q(wanted=0), name="item_of_preparation_wants_nobody"),
        ]
        indexes = [
            models.Index(fields=["study", "role", "wanted", "taken"], name="item_counts"),
            models.Index(
                fields=["study", "taken", "position"], name="item_open_by_need", condition=Q(taken__lt=F("wanted"))
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def reference(self) -> dict[str, Any] | None:
        """The reference image that its cards show: id, width, height and sha256."""
        found: dict[str, Any] | None = self.frozen.get("reference")
        return found


class ItemImage(models.Model):
    """An image's fixed place in an item; the side on which a rater sees it is the assignment's."""

    # The index of `item_slot_once` begins with it.
    item = models.ForeignKey(Item, models.CASCADE, related_name="item_images", db_index=False)
    image = models.ForeignKey(Image, models.PROTECT, related_name="item_images")
    slot = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["item", "slot"]
        constraints = [
            models.UniqueConstraint(fields=["item", "slot"], name="item_slot_once"),
        ]

    def __str__(self) -> str:
        return f"{self.item} {self.slot}"
