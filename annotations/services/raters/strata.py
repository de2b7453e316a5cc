"""The number of raters for the items of a prompt category: quotas by stratum."""

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, F, IntegerField, Max, Value
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from annotations.models import Item, Study
from annotations.services.activity import Action, note
from annotations.services.sqlite_writes import write_turn

MOST_RATERS = 1000


def strata(study: Study) -> list[tuple[str, int, int]]:
    """(category, items, raters per item) of the study's prompts, by name."""
    rows = study.items.order_by().values("prompt__category").annotate(n=Count("pk"), wanted=Max("wanted"))
    return sorted((row["prompt__category"], row["n"], row["wanted"]) for row in rows)


def set_quota(*, study: Study, category: str, wanted: int, by: User | None) -> int:
    """Give every item of a category `wanted` raters; returns how many items changed.

    An item keeps the places that raters have already. Raises ValidationError for a number out of range.
    """
    if not 1 <= wanted <= MOST_RATERS:
        raise ValidationError(_("Give a number of raters from 1 to %d.") % MOST_RATERS)
    with write_turn(), transaction.atomic():
        Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        of_category = Item.objects.filter(study=study, prompt__category=category).exclude(wanted=wanted)
        keys = list(of_category.values_list("pk", flat=True))
        for first in range(0, len(keys), 500):
            Item.objects.filter(pk__in=keys[first : first + 500]).update(
                wanted=Greatest(Value(wanted), F("taken"), output_field=IntegerField())
            )
        if keys:
            note(study=study, actor=by, action=Action.CHANGED, settings=["raters per item"], kind=category)
    return len(keys)
