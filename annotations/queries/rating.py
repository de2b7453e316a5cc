"""Reads for the rating page."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Sum

from annotations.models import Assignment, Dimension, Item, ItemImage, LateAnswer, PanelVisit, Rater, Response, Study
from annotations.models.participation import plan_of
from annotations.queries.planning.close_pairs import is_stopped
from annotations.queries.raters import checks
from annotations.queries.raters.shown_again import leaves_half
from generation.queries.prepared import Prepared

MOST_COUNTED = 5000
"""Cards held by all raters of a study at once: about 200 raters with twenty-five each."""


@dataclass(frozen=True)
class Progress:
    """One rater's progress: cards answered, the most that they can answer, and answers that came too late to count."""

    answered: int
    total: int
    late: int = 0

    @property
    def percent(self) -> int:
        return min(100, 100 * self.answered // self.total) if self.total else 0


def rater_of(study_token: str, user: User | AnonymousUser) -> Rater | None:
    """The signed-in person as a rater of this study, with the study."""
    if user.pk is None:
        return None
    return Rater.objects.select_related("study__rater_plan").filter(study__token=study_token, user_id=user.pk).first()


def assignment_of(token: str, user: User | AnonymousUser) -> Assignment | None:
    """An assignment with its study and rater, only for its own rater."""
    if user.pk is None:
        return None
    assignment = _ASSIGNMENT.first(token=token, user=user.pk)
    if assignment is not None:
        assignment.rater.study = assignment.study
    return assignment


_ASSIGNMENT = Prepared(
    lambda token, user: Assignment.with_checks.select_related("study__rater_plan", "rater", "item").filter(
        token=token, rater__user_id=user
    ),
    token=str,
    user=int,
)


def over_since(rater: int) -> datetime | None:
    """When a panel said that this rater's visit is over, because they returned it or their time was up."""
    ends = (PanelVisit.State.RETURNED, PanelVisit.State.TIMED_OUT)
    over = PanelVisit.objects.filter(rater=rater, state__in=ends)
    return over.values_list("ended_at", flat=True).first()


def sequence_of(token: str, rater: Rater) -> int | None:
    """The place of one of this rater's assignments in their sequence."""
    return Assignment.with_checks.filter(token=token, rater=rater).values_list("sequence", flat=True).first()


def reserved(rater: Rater, *, after: int | None = None, limit: int = 1) -> list[Assignment]:
    """The cards that wait for this rater, in their order, starting after the sequence number `after`."""
    if limit == 1:  # as with most answers
        return _NEXT.rows(rater=rater.pk, after=-1 if after is None else after)
    return list(_waiting(rater.pk, -1 if after is None else after)[:limit])


def _waiting(rater: int, after: int) -> QuerySet[Assignment]:
    waiting = Assignment.with_checks.select_related("item__prompt").filter(rater=rater, state=Assignment.State.LEASED)
    return waiting.filter(sequence__gt=after).order_by("sequence")


_NEXT = Prepared(lambda rater, after: _waiting(rater, after)[:1], rater=int, after=int)


def previous_answered(assignment: Assignment) -> Assignment | None:
    return (
        Assignment.with_checks.filter(
            rater=assignment.rater_id, state=Assignment.State.ANSWERED, sequence__lt=assignment.sequence
        )
        .order_by("-sequence")
        .first()
    )


def last_answered(rater: Rater) -> Assignment | None:
    return Assignment.with_checks.filter(rater=rater, state=Assignment.State.ANSWERED).order_by("-sequence").first()


def next_need(study_id: int, *, above: int) -> int | None:
    """The smallest number of raters, above a given one, that some open item has."""
    still_open = Item.objects.filter(study=study_id, taken__lt=F("wanted"), taken__gt=above)
    need: int | None = still_open.aggregate(need=Min("taken"))["need"]
    return need


def open_items(
    rater: Rater, *, taken: int, after_position: int, limit: int, avoided: Collection[int] = ()
) -> QuerySet[Item]:
    """Items that `taken` raters, but not this one, have or had, after a place in the global order."""
    return (
        Item.objects.filter(study=rater.study_id, taken=taken, taken__lt=F("wanted"), position__gt=after_position)
        .filter(~Exists(Assignment.objects.filter(item=OuterRef("pk"), rater=rater)))
        .exclude(pk__in=avoided)
        .order_by("position")[:limit]
    )


def returned_and_open(rater: Rater, *, limit: int) -> QuerySet[Assignment]:
    """Cards that this rater gave back and could still answer."""
    rows = _returned(rater.pk)
    is_open = _open_of(rows)
    found = [pk for pk, *_ in rows if is_open[pk]][:limit]
    return Assignment.with_checks.filter(pk__in=found, state=Assignment.State.RETURNED).order_by("sequence")


def is_lost(check: Assignment) -> bool:
    """Whether a gold item, check or repeat that was given back cannot be answered any more; see `_open_of`."""
    return not _open_of(_returned(check.rater_id)).get(check.pk, True)


Returned = tuple[int, int, str, int]
"""A card that was given back: its pk, place and purpose, and how many raters its item lacks."""


def _returned(rater: int) -> list[Returned]:
    returned = Assignment.with_checks.filter(rater=rater, state=Assignment.State.RETURNED, skipped_at=None)
    lacks = F("item__wanted") - F("item__taken")
    return list(returned.order_by("sequence").values_list("pk", "sequence", "purpose", lacks))


def _open_of(rows: Sequence[Returned]) -> dict[int, bool]:
    """By card, whether its rater can still answer it: others may have taken the item since.

    They take no gold item, check or repeat, and one that always came back would be known by that. So each of these
    comes back if the item does that was given back nearest to it.
    """
    rated = [(place, lacks) for _pk, place, purpose, lacks in rows if purpose == Assignment.Purpose.RATING]
    found = {}
    for pk, place, purpose, lacks in rows:
        by_distance = [(abs(other - place), n) for other, n in rated]
        nearest = (0, lacks) if purpose == Assignment.Purpose.RATING else min(by_distance, default=(0, 1))
        found[pk] = nearest[1] > 0
    return found


def may_come_free(rater: Rater) -> bool:
    """Whether others hold items that this rater has not seen, or a look may release some, so that it is worth
    waiting."""
    if rater.study.n_released is not None and not is_stopped(rater.study):
        return True
    seen_by_me = Assignment.objects.filter(item=OuterRef("item"), rater=rater)
    held = Assignment.objects.filter(~Exists(seen_by_me), study=rater.study_id, state=Assignment.State.LEASED)
    if not held.exists() or not plan_of(rater.study).shares:
        return held.exists()
    return held.exclude(item__in=checks.closed_to(rater, rater.study, n_given_out(rater.study))).exists()


def overdue(study_id: int, now: datetime, limit: int) -> QuerySet[Assignment]:
    return Assignment.with_checks.filter(study=study_id, state=Assignment.State.LEASED, lease_until__lt=now)[:limit]


def n_held_and_answered(rater: Rater, *, most: int) -> tuple[int, int]:
    """How many items this rater holds, and has answered; of the latter, no more than `most` are counted."""
    held = Assignment.with_checks.filter(rater=rater, state=Assignment.State.LEASED).count()
    answered = Assignment.with_checks.filter(rater=rater, state=Assignment.State.ANSWERED).order_by()[:most].count()
    return held, answered


def has_plenty(study_id: int, n: int) -> bool:
    """Whether at least as many places are free for answers as all raters hold now, and n more. Two queries that read a
    bounded number of rows: if raters hold more than `MOST_COUNTED`, the study does not have plenty."""
    n_held = Assignment.objects.filter(study=study_id, state=Assignment.State.LEASED).order_by()[:MOST_COUNTED].count()
    if n_held == MOST_COUNTED:
        return False
    still_open = Item.objects.filter(study=study_id, taken__lt=F("wanted")).order_by()
    free = still_open.annotate(free=F("wanted") - F("taken"))[: n_held + n].aggregate(n=Sum("free"))["n"] or 0
    return bool(free >= n_held + n)


def n_given_out(study: Study) -> int:
    """How many items may be assigned. Positions have no gaps, so the last one gives the number."""
    last = Item.objects.filter(study=study).order_by("-position").values_list("position", flat=True)[:1]
    return study.n_released if study.n_released is not None else last[0] + 1 if last else 0


def most_rated(study: Study) -> int:
    """How many items one rater rates at most."""
    n_items = n_given_out(study)
    return min(n_items, study.items_per_rater or n_items)


def may_show_rated(study: Study) -> bool:
    """Whether checks may show what the study also rates: a rater who gets one then leaves the items to others."""
    return leaves_half(n_rated=most_rated(study), n_items=n_given_out(study))


def progress(rater: Rater) -> Progress:
    own = Assignment.with_checks.filter(rater=rater)
    is_late = Q(state=Assignment.State.RETURNED) & Q(Exists(LateAnswer.objects.filter(assignment=OuterRef("pk"))))
    n = own.aggregate(answered=Count("pk", filter=Q(state=Assignment.State.ANSWERED)), late=Count("pk", filter=is_late))
    answered = n["answered"]
    n_items = n_given_out(rater.study)
    plan = plan_of(rater.study)
    n_rated = min(n_items, rater.study.items_per_rater or n_items)
    total = checks.n_cards(rater, rater.study, plan, n_items) if plan.shares else n_rated
    return Progress(answered, max(answered, total), n["late"])


def dimensions_of(study_id: int) -> list[Dimension]:
    return _DIMENSIONS.rows(study=study_id)


_DIMENSIONS = Prepared(lambda study: Dimension.objects.filter(study=study).order_by("position"), study=int)


def image_ids(item_id: int) -> list[int]:
    """The item's images by slot."""
    return _IMAGE_IDS.rows(item=item_id)


_IMAGE_IDS = Prepared(
    lambda item: ItemImage.objects.filter(item=item).order_by("slot").values_list("image_id", flat=True), item=int
)


def image_sizes(item_ids: list[int]) -> dict[int, list[tuple[int | None, int | None]]]:
    """Width and height of each item's images by slot, so that the page reserves their space."""
    if len(item_ids) == 1:
        return {item_ids[0]: _SIZES.rows(item=item_ids[0])}
    sizes: dict[int, list[tuple[int | None, int | None]]] = {item_id: [] for item_id in item_ids}
    rows = ItemImage.objects.filter(item__in=item_ids).order_by("item", "slot")
    for item_id, width, height in rows.values_list("item_id", "image__width", "image__height"):
        sizes[item_id].append((width, height))
    return sizes


_SIZES = Prepared(
    lambda item: ItemImage.objects.filter(item=item).order_by("slot").values_list("image__width", "image__height"),
    item=int,
)


def methods_by_slot(item_ids: list[int]) -> dict[int, list[int]]:
    """The methods of each item's images by slot."""
    methods: dict[int, list[int]] = {item_id: [] for item_id in item_ids}
    rows = ItemImage.objects.filter(item__in=item_ids).order_by("item", "slot")
    for item_id, method in rows.values_list("item_id", "image__method_id"):
        methods[item_id].append(method)
    return methods


def turned_and_straight(item_ids: list[int]) -> dict[int, tuple[int, int]]:
    """How many raters have, or had answered, each item with the second image on the left, and with the first."""
    held = Assignment.objects.filter(item__in=item_ids).exclude(state=Assignment.State.RETURNED).order_by()
    is_turned = Q(shown_order__startswith="1")
    counted = held.values("item").annotate(
        turned=Count("pk", filter=is_turned), straight=Count("pk", filter=~is_turned)
    )
    return {row["item"]: (row["turned"], row["straight"]) for row in counted}


def current_answers(assignment: Assignment) -> list[Response]:
    return list(Response.objects.filter(assignment=assignment, is_current=True))
