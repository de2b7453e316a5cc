"""What a study shows at once."""

from django.db import models
from django.db.models import F, Q

from annotations.models.studies import Study
from generation.models import Image, Prompt


class Item(models.Model):
    """One image, a pair, or all images of one prompt, at its place in the study's seeded order.

    `taken` counts the assignments that hold or have used one of the `wanted` places. The database refuses a
    (`wanted` + 1)th, whoever comes at once; allocation reads (study, taken, position) and nothing else.
    """

    study = models.ForeignKey(Study, models.CASCADE, related_name="items")
    position = models.PositiveIntegerField()
    key = models.CharField(max_length=200)
    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="items")
    images = models.ManyToManyField(Image, through="ItemImage", related_name="items")
    wanted = models.PositiveSmallIntegerField()
    taken = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["study", "position"]
        constraints = [
            models.UniqueConstraint(fields=["study", "position"], name="item_position_once"),
            models.UniqueConstraint(fields=["study", "key"], name="item_key_once"),
            models.CheckConstraint(condition=Q(taken__lte=F("wanted")), name="item_never_taken_too_often"),
        ]
        indexes = [
            models.Index(
                fields=["study", "taken", "position"], name="item_open_by_need", condition=Q(taken__lt=F("wanted"))
            )
        ]

    def __str__(self) -> str:
        return self.key


class ItemImage(models.Model):
    """An image's fixed place in an item; the side on which a rater sees it is the assignment's."""

    item = models.ForeignKey(Item, models.CASCADE, related_name="item_images")
    image = models.ForeignKey(Image, models.PROTECT, related_name="item_images")
    slot = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["item", "slot"]
        constraints = [
            models.UniqueConstraint(fields=["item", "slot"], name="item_slot_once"),
        ]

    def __str__(self) -> str:
        return f"{self.item} {self.slot}"
