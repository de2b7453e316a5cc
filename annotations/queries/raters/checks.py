"""Which cards of a rater are checks, and what could be one."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from annotations import allocation
from annotations.models import Assignment, Item, ItemImage, Rater, Study
from annotations.models.participation import RaterPlan

Purpose = Assignment.Purpose
SESSION_PAUSE = timedelta(minutes=30)
"""A rater who has not answered for so long begins a new session."""
ITEM_ROLES = {Purpose.GOLD.value: Item.Role.GOLD, Purpose.CHECK.value: Item.Role.CHECK}
FIRST_PROMPTS = 20
KIND_OF = {role.value: kind for kind, role in ITEM_ROLES.items()}


def _shares(study: Study, plan: RaterPlan) -> dict[str, int]:
    """The plan's shares, without mirrored repeats where there are no two sides."""
    is_pair = study.item_kind == Study.ItemKind.PAIR
    return {kind: share for kind, share in plan.shares.items() if is_pair or kind != Purpose.MIRROR}


def _schedule(rater: Rater, study: Study, plan: RaterPlan, n_rated: int) -> list[tuple[int, str]]:
    shares = _shares(study, plan)
    if not shares:
        return []
    roles = {f"n_{kind}": Count("pk", filter=Q(role=role)) for kind, role in ITEM_ROLES.items()}
    counts = Item.with_checks.filter(study=study, role__in=ITEM_ROLES.values()).aggregate(**roles)
    available = {kind: counts[f"n_{kind}"] for kind in ITEM_ROLES}
    return allocation.check_schedule(
        shares, available=available, gap=plan.repeat_gap, n_rated=n_rated, seed=study.seed, rater=rater.pk
    )


def next_purposes(rater: Rater, study: Study, plan: RaterPlan, n: int, *, n_rated: int) -> list[str]:
    """What the next n cards are for, as the study's seed has it for a rater who rates `n_rated` items in all."""
    first = rater.next_sequence
    checks = dict(_schedule(rater, study, plan, n_rated))
    return [checks.get(place, Purpose.RATING.value) for place in range(first, first + n)]


def n_cards(rater: Rater, study: Study, plan: RaterPlan, n_rated: int) -> int:
    """How many cards the rater sees in all if they rate `n_rated` items."""
    return allocation.n_cards(n_rated, _schedule(rater, study, plan, n_rated))


def n_cards_planned(plan: RaterPlan, n_rated: int) -> int:
    """About how many cards somebody sees who rates `n_rated` items, checks and repeats included."""
    return -(-100 * n_rated // (100 - sum(plan.shares.values())))


def n_checks_given(rater: Rater) -> int:
    return Assignment.with_checks.filter(rater=rater).exclude(purpose=Purpose.RATING).count()


class Candidates:
    """What can become a check for this rater now, and which rated items are put off because of it.

    Which gold items and checks a rater gets is drawn from the seed beforehand: as many as the schedule has places in
    `n_rated` rated cards, of the `n_items` that there are. Rated items that look like one of them (see `alike`) are
    put off, so that images and prompts come as often on checks as on other cards. Each check is given once: `take`
    removes what it returns. The same queries, whatever is needed of them.
    """

    def __init__(self, rater: Rater, study: Study, plan: RaterPlan, *, n_rated: int, n_items: int) -> None:
        self._rng = np.random.default_rng([study.seed, 6, rater.pk, rater.next_sequence])
        self._study, self._rater = study, rater
        rows = Item.with_checks.filter(study=study, role__in=ITEM_ROLES.values()).order_by("pk")
        items: dict[str, list[tuple[int, int]]] = {kind: [] for kind in ITEM_ROLES}
        self._n_images: dict[int, int] = {}
        for pk, role, prompt, n in rows.annotate(n=Count("item_images")).values_list("pk", "role", "prompt_id", "n"):
            items[KIND_OF[role]].append((pk, prompt))
            self._n_images[pk] = n
        mine = Assignment.with_checks.filter(rater=rater, purpose__in=ITEM_ROLES).values_list("item_id", flat=True)
        given, coming = set(mine), set[int]()
        available = {kind: len(own) for kind, own in items.items()}
        n_planned = allocation.n_of_kinds(n_rated, _schedule(rater, study, plan, n_rated), available=available)
        n_of_prompt = max(1, round(items_per_prompt(study) * n_rated / max(1, n_items)))
        self._left: dict[str, list[int]] = {}
        for kind, own in items.items():
            prompts = [prompt for _pk, prompt in own]
            drawn = allocation.spread_out(
                prompts, n=n_planned[kind], together=n_of_prompt, seed=study.seed, rater=rater.pk
            )
            left = [own[place][0] for place in drawn if own[place][0] not in given]
            coming.update(left[: max(0, n_planned[kind] - (len(own) - len(left)))])
            self._left[kind] = left
        self._coming = coming
        self._alike = alike(study, list(self._n_images), n_of_prompt=n_of_prompt)
        similar = {one for items in self._alike.values() for one in items}
        met = Assignment.objects.filter(rater=rater, item__in=similar)
        self._met = dict(met.values_list("item_id", "sequence"))
        again = Assignment.with_checks.filter(
            item=OuterRef("item"), rater=rater, purpose__in=(Purpose.REPEAT, Purpose.MIRROR)
        )
        answered = Assignment.objects.filter(~Exists(again), rater=rater, state=Assignment.State.ANSWERED)
        self._answered = list(answered.order_by("sequence").values_list("sequence", "item_id", "shown_order"))
        of_coming = self._of(coming)
        self.avoided = (self._of(given) | of_coming, of_coming, frozenset[int]())
        """Rated items not to be given to this rater: first all that look like one of their checks, where nothing else
        is left those whose check is still to come, and then none."""

    def _of(self, checks: Iterable[int]) -> frozenset[int]:
        return frozenset(item for check in checks for item in self._alike.get(check, ()))

    def take(self, purpose: str, *, place: int, gap: int) -> tuple[int, str] | None:
        """(item, order shown) of a check at this place among the rater's cards; None where there is none to give."""
        if purpose in self._left:
            left = self._left[purpose]
            if not left:
                return None
            # If the rater has seen an item like every one of them, the check whose item was shown longest ago.
            item = min(left, key=lambda check: (self._last_met(check), check not in self._coming))
            left.remove(item)
            return item, self._drawn_order(item)
        far = [row for row in self._answered if row[0] < place - gap]
        if not far:
            return None
        chosen = far[int(self._rng.integers(len(far)))]
        self._answered.remove(chosen)
        _sequence, item, order = chosen
        return item, ",".join(reversed(order.split(","))) if purpose == Purpose.MIRROR else order

    def _last_met(self, check: int) -> int:
        """The place of the last card that showed this rater an item like this check; −1 if there was none."""
        return max((self._met[item] for item in self._alike.get(check, ()) if item in self._met), default=-1)

    def _drawn_order(self, item: int) -> str:
        n_images = self._n_images[item]
        if n_images < 2:
            return ""
        order = allocation.shown_order(n_images, seed=self._study.seed, rater=self._rater.pk, item=item)
        return ",".join(map(str, order))


def items_per_prompt(study: Study) -> int:
    """How many rated items a prompt of the study has: the most that one of its first prompts has."""
    first = Item.objects.filter(study=study, position__lt=FIRST_PROMPTS).values("prompt")
    counted = Item.objects.filter(study=study, prompt__in=first).order_by().values("prompt").annotate(n=Count("pk"))
    return max((row["n"] for row in counted), default=1)


def alike(study: Study, checks: Sequence[int], *, n_of_prompt: int) -> dict[int, list[int]]:
    """By gold item or check, the rated items that somebody who compares cards could tell it by. Two queries.

    n_of_prompt  how often a rater sees a prompt

    These are the rated items that show one of its images, or with another prompt an image of the same prompt as such a
    one, which may look almost the same; and those of its prompt behind which the prompt would come more often than
    others do.
    """
    found: dict[int, list[int]] = {}
    sibling = "image__prompt__images"
    shared = ItemImage.objects.filter(
        Q(**{sibling: F("image")}) | ~Q(image__prompt=F("item__prompt")),
        item__in=checks,
        **{f"{sibling}__item_images__item__study": study, f"{sibling}__item_images__item__role": Item.Role.RATED},
    ).order_by()
    for check, item in shared.values_list("item_id", f"{sibling}__item_images__item_id").distinct():
        found.setdefault(check, []).append(item)
    of_prompt: dict[int, list[int]] = {}
    same = Item.with_checks.filter(
        pk__in=checks, prompt__items__study=study, prompt__items__role=Item.Role.RATED
    ).order_by("pk", "prompt__items__position")
    for check, item in same.values_list("pk", "prompt__items"):
        of_prompt.setdefault(check, []).append(item)
    for check, items in of_prompt.items():
        known = [item for item in items if item in found.get(check, ())]
        others = [item for item in items if item not in known]
        if excess := others[: max(0, len(items) + 1 - n_of_prompt - len(known))]:
            found.setdefault(check, []).extend(excess)
    return found


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
