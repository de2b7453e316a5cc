"""Further raters for disputed items: which items get one is decided as answers arrive, in the same transaction."""

import numpy as np
from django.db.models import F
from django.db.models.functions import Abs

from annotations.models import Assignment, Item, Study
from annotations.queries.raters.disputed import has_dispute, n_base_places


def consider(*, assignment: Assignment) -> bool:
    """Request further raters for an item if it is complete and the study's rule calls it disputed; returns whether it
    did.

    Call it with each saved answer, in its transaction. It takes six queries for a study of any size, and none in a
    study without such a rule. The queries are the same for every card, so that response times do not reveal checks:
    after a check or a repeat they concern the nearest rated card, and change nothing.
    """
    study = assignment.study
    most = study.most_raters_per_item
    if most is None:
        return False
    cards = Assignment.objects.filter(rater=assignment.rater_id).exclude(state=Assignment.State.RETURNED)
    nearest = cards.order_by(Abs(F("sequence") - assignment.sequence), "sequence").values_list("item_id", flat=True)
    # Locked: if two raters give an item's last answers at once, the second call sees the first answer.
    item = Item.objects.select_for_update(no_key=True, of=("self",)).filter(pk=nearest.first() or 0).first()
    if item is None:
        return False
    is_held = Assignment.objects.filter(item=item, state=Assignment.State.LEASED).exists()
    is_disputed = has_dispute(study, item, most=most)
    is_open_rule = study.disputed_rule == Study.Disputed.OPEN
    probability = 1.0 if is_disputed else 0.0 if is_open_rule else study.undisputed_percent / 100
    is_complete = item.wanted <= item.taken and item.wanted < most and not is_held
    is_extended = is_complete and (is_disputed or lot(study, item) < probability)
    # "Open" adds one rater at a time. An item whose raters differ gets all at once, since further raters cannot bring
    # the answers closer.
    added = 0 if not is_extended else 1 if is_open_rule else most - item.wanted
    Item.objects.filter(pk=item.pk).update(
        wanted=F("wanted") + added,
        n_further=F("n_further") + added,
        further_probability=probability if is_extended else F("further_probability"),
    )
    return is_extended


def lot(study: Study, item: Item) -> float:
    """An undisputed item's draw in [0, 1): the same whenever it is asked."""
    return float(np.random.default_rng([study.seed, 6, item.position]).random())


def further_probabilities(study: Study, items: list[Item]) -> dict[int, float]:
    """For each item whose next place is a further one, the probability with which it got further raters; others are
    base places.

    items  as they were before the place was taken, locked. A place that a base rater gave up is a base place again. One
           query, and none in a study without further raters.
    """
    if study.most_raters_per_item is None:
        return {}
    extended = [item for item in items if item.n_further]
    n_base = n_base_places([item.pk for item in extended]) if extended else {}
    return {
        item.pk: item.further_probability or 1.0
        for item in extended
        if n_base.get(item.pk, 0) >= item.wanted - item.n_further
    }
