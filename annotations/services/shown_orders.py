"""The order in which a rater sees the images of the items reserved for them."""

from collections.abc import Sequence

from annotations import allocation
from annotations.models import Rater, Study
from annotations.queries import rating as queries


def shown_orders(rater: Rater, study: Study, items: Sequence[int]) -> dict[int, str]:
    """By item, its images' slots from left to right ("1,0"), as `Assignment.shown_order` has them.

    The sides of two images are balanced: for each pair of methods, this rater sees either on the left equally often,
    give or take one, and an item's raters are split between both orders. `rater.side_excess` is updated, and the
    caller, who has locked the rater's row, saves it. If the study shows the same order to all, an item's first rater
    decides for the others. Three or more images are shuffled. Two queries; none where single images are shown.
    """
    if study.item_kind == Study.ItemKind.IMAGE:
        return {}
    methods = queries.methods_by_slot(list(items))
    is_fixed = study.order == Study.Order.FIXED
    found = {
        item: ",".join(
            map(str, allocation.shown_order(n, seed=study.seed, rater=0 if is_fixed else rater.pk, item=item))
        )
        for item in items
        if (n := len(methods[item])) > 2
    }
    two = [item for item in items if len(methods[item]) == 2]
    if not two:
        return found
    before = queries.turned_and_straight(two)
    excess = [turned - straight for turned, straight in (before.get(item, (0, 0)) for item in two)]
    kinds = ["-".join(map(str, methods[item])) for item in two]
    turned = allocation.turned_sides(
        kinds, rater_excess=rater.side_excess, item_excess=excess, key=[study.seed, 3, rater.pk, rater.next_sequence]
    )
    for item, kind, of_others, is_turned in zip(two, kinds, excess, turned, strict=True):
        if is_fixed and of_others:
            is_turned = of_others > 0
        found[item] = "1,0" if is_turned else "0,1"
        rater.side_excess[kind] = rater.side_excess.get(kind, 0) + (1 if is_turned else -1)
    rater.side_excess = {kind: n for kind, n in rater.side_excess.items() if n}
    return found
