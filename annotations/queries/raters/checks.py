"""Which cards of a rater are checks, and what could be one."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile

import numpy as np
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from annotations import allocation
from annotations.models import Assignment, Item, Rater, Study
from annotations.models.participation import RaterPlan

Purpose = Assignment.Purpose
SESSION_PAUSE = timedelta(minutes=30)
"""A rater who has not answered for so long begins a new session."""
ITEM_ROLES = {Purpose.GOLD.value: Item.Role.GOLD, Purpose.CHECK.value: Item.Role.CHECK}


def _shares(study: Study, plan: RaterPlan) -> dict[str, int]:
    """The plan's shares, without mirrored repeats where there are no two sides."""
    is_pair = study.item_kind == Study.ItemKind.PAIR
    return {kind: share for kind, share in plan.shares.items() if is_pair or kind != Purpose.MIRROR}


def _schedule(rater: Rater, study: Study, plan: RaterPlan) -> Iterator[tuple[int, str]]:
    shares = _shares(study, plan)
    if not shares:
        return iter(())
    roles = {f"n_{kind}": Count("pk", filter=Q(role=role)) for kind, role in ITEM_ROLES.items()}
    counts = Item.with_checks.filter(study=study, role__in=ITEM_ROLES.values()).aggregate(**roles)
    available = {kind: counts[f"n_{kind}"] for kind in ITEM_ROLES}
    return allocation.check_schedule(shares, available=available, gap=plan.repeat_gap, seed=study.seed, rater=rater.pk)


def next_purposes(rater: Rater, study: Study, plan: RaterPlan, n: int) -> list[str]:
    """What the rater's next n cards are for, as the study's seed has it."""
    first = rater.next_sequence
    checks = dict(takewhile(lambda check: check[0] < first + n, _schedule(rater, study, plan)))
    return [checks.get(place, Purpose.RATING.value) for place in range(first, first + n)]


def n_cards(rater: Rater, study: Study, plan: RaterPlan, n_rated: int) -> int:
    """How many cards the rater sees in all if they rate `n_rated` items."""
    return allocation.n_cards(n_rated, _schedule(rater, study, plan))


def n_cards_planned(plan: RaterPlan, n_rated: int) -> int:
    """About how many cards somebody sees who rates `n_rated` items, checks and repeats included."""
    return -(-100 * n_rated // (100 - sum(plan.shares.values())))


def n_checks_given(rater: Rater) -> int:
    return Assignment.with_checks.filter(rater=rater).exclude(purpose=Purpose.RATING).count()


class Candidates:
    """What can become a check for this rater now. The same three queries, whatever is needed of them.

    Each is given once: `take` removes what it returns.
    """

    def __init__(self, rater: Rater, study: Study) -> None:
        self._rng = np.random.default_rng([study.seed, 6, rater.pk, rater.next_sequence])
        mine = Assignment.with_checks.filter(item=OuterRef("pk"), rater=rater)
        items = Item.with_checks.filter(~Exists(mine), study=study, role__in=ITEM_ROLES.values()).order_by("pk")
        self._items: dict[str, list[tuple[int, str]]] = {kind: [] for kind in ITEM_ROLES}
        kind_of = {role.value: kind for kind, role in ITEM_ROLES.items()}
        for pk, role, n_images in items.annotate(n=Count("item_images")).values_list("pk", "role", "n"):
            self._items[kind_of[role]].append((pk, self._drawn_order(study, rater, pk, n_images)))
        again = Assignment.with_checks.filter(
            item=OuterRef("item"), rater=rater, purpose__in=(Purpose.REPEAT, Purpose.MIRROR)
        )
        answered = Assignment.objects.filter(~Exists(again), rater=rater, state=Assignment.State.ANSWERED)
        self._answered = list(answered.order_by("sequence").values_list("sequence", "item_id", "shown_order"))

    def take(self, purpose: str, *, place: int, gap: int) -> tuple[int, str] | None:
        """(item, order shown) of a check at this place among the rater's cards; None where there is none to give."""
        if purpose in self._items:
            left = self._items[purpose]
            return left.pop(int(self._rng.integers(len(left)))) if left else None
        far = [row for row in self._answered if row[0] < place - gap]
        if not far:
            return None
        chosen = far[int(self._rng.integers(len(far)))]
        self._answered.remove(chosen)
        _sequence, item, order = chosen
        return item, ",".join(reversed(order.split(","))) if purpose == Purpose.MIRROR else order

    @staticmethod
    def _drawn_order(study: Study, rater: Rater, item: int, n_images: int) -> str:
        if n_images < 2:
            return ""
        return ",".join(map(str, allocation.shown_order(n_images, seed=study.seed, rater=rater.pk, item=item)))


def n_left(rater: Rater, plan: RaterPlan, now: datetime) -> int | None:
    """How many cards this rater may still answer today and in this session; None where there is no cap."""
    left = []
    if plan.most_per_day is not None:
        midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
        left.append(plan.most_per_day - _answered(rater).filter(answered_at__gte=midnight).count())
    if plan.most_per_session is not None:
        left.append(plan.most_per_session - _n_in_session(rater, now, most=plan.most_per_session))
    return max(0, min(left)) if left else None


def _n_in_session(rater: Rater, now: datetime, *, most: int) -> int:
    n, after = 0, now
    for at in _answered(rater).order_by("-answered_at").values_list("answered_at", flat=True)[:most]:
        if at is None or after - at > SESSION_PAUSE:
            break
        n, after = n + 1, at
    return n


def _answered(rater: Rater) -> QuerySet[Assignment]:
    return Assignment.with_checks.filter(rater=rater, state=Assignment.State.ANSWERED)
