"""Which cards of a rater are checks, and what could become one."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from annotations import allocation
from annotations.models import Assignment, Item, Rater, Study
from annotations.models.participation import RaterPlan
from annotations.queries.raters.shown_again import alike, items_per_prompt, leaves_half, shown_again

Purpose = Assignment.Purpose
SESSION_PAUSE = timedelta(minutes=30)
"""A rater who has not answered for this long begins a new session."""
ITEM_ROLES = {Purpose.GOLD.value: Item.Role.GOLD, Purpose.CHECK.value: Item.Role.CHECK}
KIND_OF = {role.value: kind for kind, role in ITEM_ROLES.items()}


@dataclass(frozen=True)
class Hidden:
    """The gold items and checks of a study, and which of them its raters may get.

    items     by kind, pk and prompt of each
    n_images  by pk
    again     by pk, the rated items that show the same (`shown_again.shown_again`); checks without any are left out
    n_rated   how many items a rater rates at most, of the study's `n_items`
    n_of_prompt  how often a rater sees a rated prompt, at most where they rate more than half of the items
    """

    items: dict[str, list[tuple[int, int]]]
    n_images: dict[int, int]
    again: dict[int, frozenset[int]]
    n_rated: int
    n_items: int
    n_of_prompt: int

    @classmethod
    def read(cls, study: Study, n_items: int) -> "Hidden":
        """Always three queries."""
        rows = Item.with_checks.filter(study=study, role__in=ITEM_ROLES.values()).order_by("pk")
        items: dict[str, list[tuple[int, int]]] = {kind: [] for kind in ITEM_ROLES}
        n_images: dict[int, int] = {}
        for pk, role, prompt, n in rows.annotate(n=Count("item_images")).values_list("pk", "role", "prompt_id", "n"):
            items[KIND_OF[role]].append((pk, prompt))
            n_images[pk] = n
        again = shown_again(study, n_images)
        n_rated = min(n_items, study.items_per_rater or n_items)
        n_of_prompt = items_per_prompt(study)
        if leaves_half(n_rated=n_rated, n_items=n_items):
            n_of_prompt = max(1, round(n_of_prompt * n_rated / max(1, n_items)))
        return cls(items, n_images, again, n_rated, n_items, n_of_prompt)

    @property
    def is_shared(self) -> bool:
        """Whether raters leave enough items to others that a rater can get a check instead of the items that show the
        same."""
        return leaves_half(n_rated=self.n_rated, n_items=self.n_items)

    @property
    def available(self) -> dict[str, int]:
        """By kind, the most that one rater gets; of checks whose items are also rated, half or none."""
        found = {}
        for kind, own in self.items.items():
            n_again = sum(pk in self.again for pk, _prompt in own)
            n = len(own) - n_again + (-(-n_again // 2) if self.is_shared else 0)
            found[kind] = n - n % self.together[kind] if n >= self.together[kind] else n
        return found

    @property
    def together(self) -> dict[str, int]:
        """By kind, how many a rater gets or none: all checks of a prompt that they are to see, or the prompt would come
        less often than others do. A gold item's prompt has rated items besides."""
        if self.share < 1:
            return dict.fromkeys(self.items, 1)
        most = max(Counter(prompt for _pk, prompt in self.items[Purpose.CHECK]).values(), default=1)
        return {kind: min(self.n_of_prompt, most) if kind == Purpose.CHECK else 1 for kind in self.items}

    @property
    def share(self) -> float:
        """Of the prompts' items, how many a rater gets who gets more than half and not all of them; else 1."""
        return 1.0 if self.is_shared or not self.n_items else self.n_rated / self.n_items

    def is_drawn(self, study: Study) -> bool:
        """Whether a rater's items come in an order drawn for them, not in the study's. There a prompt comes again when
        all others have come; gold items and checks, whose places are drawn, would be known by theirs."""
        return self.n_of_prompt > 1 and bool(self.n_images) and study.order == Study.Order.SHUFFLED

    def closed_by(self, checks: Iterable[int]) -> frozenset[int]:
        """Rated items that a rater who got these checks never gets; none if everyone is meant to rate everything."""
        if not self.is_shared:
            return frozenset()
        return frozenset(item for check in checks for item in self.again.get(check, ()))


def _shares(study: Study, plan: RaterPlan) -> dict[str, int]:
    """The plan's shares, without mirrored repeats if cards do not have two sides."""
    is_pair = study.item_kind == Study.ItemKind.PAIR
    return {kind: share for kind, share in plan.shares.items() if is_pair or kind != Purpose.MIRROR}


def _schedule(rater: Rater, study: Study, plan: RaterPlan, hidden: Hidden) -> list[tuple[int, str]]:
    shares = _shares(study, plan)
    if not shares:
        return []
    return allocation.check_schedule(
        shares,
        available=hidden.available,
        together=hidden.together,
        gap=plan.repeat_gap,
        n_rated=hidden.n_rated,
        seed=study.seed,
        rater=rater.pk,
    )


def next_purposes(rater: Rater, study: Study, plan: RaterPlan, n: int, hidden: Hidden) -> list[str]:
    """The purposes of the next n cards, decided by the study's seed."""
    first = rater.next_sequence
    checks = dict(_schedule(rater, study, plan, hidden))
    return [checks.get(place, Purpose.RATING.value) for place in range(first, first + n)]


def n_cards(rater: Rater, study: Study, plan: RaterPlan, n_items: int) -> int:
    """How many cards the rater sees in all, if the study has `n_items` to rate."""
    hidden = Hidden.read(study, n_items)
    return allocation.n_cards(hidden.n_rated, _schedule(rater, study, plan, hidden))


def n_cards_planned(plan: RaterPlan, n_rated: int) -> int:
    """About how many cards a rater of `n_rated` items sees, including checks and repeats."""
    return -(-100 * n_rated // (100 - sum(plan.shares.values())))


def n_checks_given(rater: Rater) -> int:
    return Assignment.with_checks.filter(rater=rater).exclude(purpose=Purpose.RATING).count()


def _given(rater: Rater) -> set[int]:
    """Gold items and checks that this rater has got."""
    mine = Assignment.with_checks.filter(rater=rater, purpose__in=ITEM_ROLES)
    return set(mine.values_list("item_id", flat=True))


def closed_to(rater: Rater, study: Study, n_items: int) -> frozenset[int]:
    """Rated items that this rater never gets, because a check showed them the same."""
    given = _given(rater)
    return Hidden.read(study, n_items).closed_by(given) if given else frozenset()


class Candidates:
    """The cards that can become a check for this rater now, and the rated items kept from them because of these.

    The seed decides beforehand which gold items and checks a rater gets: as many as the schedule has places. If a check
    shows what is also rated, a rater gets either the check or those items, never both: half of such checks are drawn
    for each rater, less those whose items the rater has met. The items are kept from the rater as long as others are
    left, and for good once the check is assigned. If raters rate most of the items, nobody gets such a check, because
    nobody else could take the items.
    Rated items that look like a check in another way (see `alike`) are deferred, so that prompts come as often on
    checks as on other cards. Each check is assigned once: `take` removes what it returns. The queries are always the
    same.
    """

    def __init__(self, rater: Rater, study: Study, plan: RaterPlan, hidden: Hidden) -> None:
        self._rng = np.random.default_rng([study.seed, 6, rater.pk, rater.next_sequence])
        self._study, self._rater, self._hidden = study, rater, hidden
        given, coming = _given(rater), set[int]()
        schedule = _schedule(rater, study, plan, hidden)
        n_planned = allocation.n_of_kinds(hidden.n_rated, schedule, available=hidden.available)
        self._alike = alike(study, list(hidden.n_images), again=hidden.again, n_of_prompt=hidden.n_of_prompt)
        similar = {item for items in self._alike.values() for item in items}
        met = Assignment.objects.filter(rater=rater, item__in=similar)
        self._met = dict(met.values_list("item_id", "sequence"))
        self._left: dict[str, list[int]] = {}
        for kind, own in hidden.items.items():
            drawn = allocation.spread_out(
                [prompt for _pk, prompt in own],
                n=n_planned[kind],
                together=hidden.n_of_prompt,
                is_mixed=hidden.is_drawn(study),
                share=hidden.share,
                seed=study.seed,
                rater=rater.pk,
            )
            order = [own[place][0] for place in drawn]
            twice = [pk for pk in order if pk in hidden.again]
            kept_back = set(twice[-(-len(twice) // 2) :] if hidden.is_shared else twice)
            kept_back.update(pk for pk in twice if not hidden.again[pk].isdisjoint(self._met))
            left = [pk for pk in order if pk not in given and pk not in kept_back]
            coming.update(left[: max(0, n_planned[kind] - sum(pk in given for pk in order))])
            self._left[kind] = left
        self._given, self._taken, self._coming = frozenset(given), set[int](), coming
        again = Assignment.with_checks.filter(
            item=OuterRef("item"), rater=rater, purpose__in=(Purpose.REPEAT, Purpose.MIRROR)
        )
        answered = Assignment.objects.filter(~Exists(again), rater=rater, state=Assignment.State.ANSWERED)
        self._answered = list(answered.order_by("sequence").values_list("sequence", "item_id", "shown_order"))

    @property
    def avoided(self) -> tuple[frozenset[int], ...]:
        """Rated items to keep from this rater, including checks already taken: first all that look like one of their
        checks; if nothing else is left, those whose check is still to come; and then only those that they never get."""
        got = self._given | self._taken
        closed = self._hidden.closed_by(got)
        return closed | self._of(got | self._coming), closed | self._of(self._coming), closed

    @property
    def avoided_without(self) -> tuple[frozenset[int], ...]:
        """The same without the checks taken, and if nothing else is left."""
        return (self._hidden.closed_by(self._given),)

    def shows_again(self, item: int) -> bool:
        """Whether rated items show what this card shows."""
        return item in self._hidden.again

    def _of(self, checks: Iterable[int]) -> frozenset[int]:
        return frozenset(item for check in checks for item in self._alike.get(check, ()))

    def take(self, purpose: str, *, place: int, gap: int) -> tuple[int, str] | None:
        """(item, order shown) of a check at this place among the rater's cards; None if there is none to assign."""
        if purpose in self._left:
            left = self._left[purpose]
            if not left:
                return None
            # If the rater has seen items like all of them, take the check whose item was shown longest ago.
            item = min(left, key=lambda check: (self._last_met(check), check not in self._coming))
            left.remove(item)
            self._taken.add(item)
            return item, self._drawn_order(item)
        far = [row for row in self._answered if row[0] < place - gap]
        if not far:
            return None
        chosen = far[int(self._rng.integers(len(far)))]
        self._answered.remove(chosen)
        _sequence, item, order = chosen
        return item, ",".join(reversed(order.split(","))) if purpose == Purpose.MIRROR else order

    def _last_met(self, check: int) -> int:
        """The position of the last card on which this rater saw an item like this check; −1 if there is none."""
        return max((self._met[item] for item in self._alike.get(check, ()) if item in self._met), default=-1)

    def _drawn_order(self, item: int) -> str:
        n_images = self._hidden.n_images[item]
        if n_images < 2:
            return ""
        order = allocation.shown_order(n_images, seed=self._study.seed, rater=self._rater.pk, item=item)
        return ",".join(map(str, order))


def n_left(rater: Rater, plan: RaterPlan, now: datetime) -> int | None:
    """How many cards this rater may still answer today and in this session; None without a cap."""
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
