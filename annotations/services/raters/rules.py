"""Registering rules for excluding raters, and applying them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from annotations.models import Rater, RaterPlan, Study
from annotations.models.participation import plan_of
from annotations.queries.raters.quality import work_of
from annotations.queries.raters.rules import Rule, rules_of
from annotations.services.activity import Action, note
from annotations.services.exclusions import exclude_rater

RATERS_AT_ONCE = 50


def register_rules(*, study: Study, rules: Sequence[Rule], by: User | None) -> None:
    """Register rules, which replace the previous ones. Raises ValidationError once the study has opened."""
    study.refresh_from_db(fields=["state"])
    if study.state != Study.State.DRAFT:
        raise ValidationError(_("The study has opened: rules made now could be made to fit the answers."))
    rows: list[dict[str, Any]] = [{"signal": rule.signal, "limit": rule.limit, "fewest": rule.fewest} for rule in rules]
    RaterPlan.objects.update_or_create(study=study, defaults={"rules": rows})
    note(study=study, actor=by, action=Action.CHANGED, settings=["rules"])


def apply_rules(*, study: Study, by: User | None, now: datetime) -> list[Rater]:
    """Exclude raters who break a registered rule, with the reason; returns those excluded now. Applying again changes
    nothing.

    Raters are checked in batches, so memory does not grow with their number.
    """
    rules = rules_of(plan_of(study))
    if not rules:
        return []
    excluded = []
    keys = list(study.raters.filter(excluded_at=None).order_by("pk").values_list("pk", flat=True))
    for first in range(0, len(keys), RATERS_AT_ONCE):
        raters = list(Rater.objects.filter(pk__in=keys[first : first + RATERS_AT_ONCE]).select_related("study"))
        works = work_of(study, raters)
        for rater in raters:
            reasons = [reason for rule in rules if (reason := rule.broken_by(works[rater.pk]))]
            if reasons:
                exclude_rater(rater=rater, reason="; ".join(reasons)[:500], by=by, now=now)
                excluded.append(rater)
    return excluded
