"""Reads for the rating page."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, F, Min, OuterRef, QuerySet

from annotations.models import Assignment, Dimension, Item, ItemImage, Rater, Response


@dataclass(frozen=True)
class Progress:
    """How far one rater is: answered, and out of how many at most."""

    answered: int
    total: int

    @property
    def percent(self) -> int:
        return min(100, 100 * self.answered // self.total) if self.total else 0


def rater_of(study_token: str, user: User | AnonymousUser) -> Rater | None:
    """The signed-in person as a rater of this study, with the study."""
    if user.pk is None:
        return None
    return Rater.objects.select_related("study").filter(study__token=study_token, user_id=user.pk).first()


def assignment_of(token: str, user: User | AnonymousUser) -> Assignment | None:
    """An assignment with its study and rater, for nobody but its own rater."""
    if user.pk is None:
        return None
    assignments = Assignment.objects.select_related("study", "rater")
    assignment = assignments.filter(token=token, rater__user_id=user.pk).first()
    if assignment is not None:
        assignment.rater.study = assignment.study
    return assignment


def sequence_of(token: str, rater: Rater) -> int | None:
    """The place of one of this rater's assignments in what they see."""
    return Assignment.objects.filter(token=token, rater=rater).values_list("sequence", flat=True).first()


def reserved(rater: Rater, *, after: int | None = None, limit: int = 1) -> list[Assignment]:
    """What waits for this rater, in their order, beginning behind the sequence number `after`."""
    waiting = Assignment.objects.select_related("item__prompt").filter(rater=rater, state=Assignment.State.LEASED)
    if after is not None:
        waiting = waiting.filter(sequence__gt=after)
    return list(waiting.order_by("sequence")[:limit])


def previous_answered(assignment: Assignment) -> Assignment | None:
    return (
        Assignment.objects.filter(
            rater=assignment.rater_id, state=Assignment.State.ANSWERED, sequence__lt=assignment.sequence
        )
        .order_by("-sequence")
        .first()
    )


def last_answered(rater: Rater) -> Assignment | None:
    return Assignment.objects.filter(rater=rater, state=Assignment.State.ANSWERED).order_by("-sequence").first()


def next_need(study_id: int, *, above: int) -> int | None:
    """The smallest number of raters, above a given one, that some open item has."""
    still_open = Item.objects.filter(study=study_id, taken__lt=F("wanted"), taken__gt=above)
    need: int | None = still_open.aggregate(need=Min("taken"))["need"]
    return need


def open_items(rater: Rater, *, taken: int, after_position: int, limit: int) -> QuerySet[Item]:
    """Items that `taken` raters have or had, this one not among them, behind a place in the global order."""
    return (
        Item.objects.filter(study=rater.study_id, taken=taken, taken__lt=F("wanted"), position__gt=after_position)
        .filter(~Exists(Assignment.objects.filter(item=OuterRef("pk"), rater=rater)))
        .order_by("position")[:limit]
    )


def returned_and_open(rater: Rater, *, limit: int) -> QuerySet[Assignment]:
    """What this rater once gave back and could still answer."""
    return Assignment.objects.filter(
        rater=rater, state=Assignment.State.RETURNED, item__taken__lt=F("item__wanted")
    ).order_by("sequence")[:limit]


def may_come_free(rater: Rater) -> bool:
    """Whether others hold items that this rater has not seen: they may yet give them back."""
    seen_by_me = Assignment.objects.filter(item=OuterRef("item"), rater=rater)
    return Assignment.objects.filter(~Exists(seen_by_me), study=rater.study_id, state=Assignment.State.LEASED).exists()


def overdue(study_id: int, now: datetime, limit: int) -> QuerySet[Assignment]:
    return Assignment.objects.filter(study=study_id, state=Assignment.State.LEASED, lease_until__lt=now)[:limit]


def n_assigned(rater: Rater) -> int:
    return Assignment.objects.filter(rater=rater).count()


def progress(rater: Rater) -> Progress:
    answered = Assignment.objects.filter(rater=rater, state=Assignment.State.ANSWERED).count()
    last = Item.objects.filter(study=rater.study_id).order_by("-position").values_list("position", flat=True)[:1]
    n_items = last[0] + 1 if last else 0
    return Progress(answered, max(answered, min(n_items, rater.study.items_per_rater or n_items)))


def dimensions_of(study_id: int) -> list[Dimension]:
    return list(Dimension.objects.filter(study=study_id).order_by("position"))


def image_ids(item_id: int) -> list[int]:
    """The item's images by slot."""
    return list(ItemImage.objects.filter(item=item_id).order_by("slot").values_list("image_id", flat=True))


def image_sizes(item_ids: list[int]) -> dict[int, list[tuple[int | None, int | None]]]:
    """Width and height of each item's images by slot, so that the page reserves their space."""
    sizes: dict[int, list[tuple[int | None, int | None]]] = {item_id: [] for item_id in item_ids}
    rows = ItemImage.objects.filter(item__in=item_ids).order_by("item", "slot")
    for item_id, width, height in rows.values_list("item_id", "image__width", "image__height"):
        sizes[item_id].append((width, height))
    return sizes


def current_answers(assignment: Assignment) -> list[Response]:
    return list(Response.objects.filter(assignment=assignment, is_current=True))
