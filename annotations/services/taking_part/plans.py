"""Saves a study's settings for its raters."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction

from annotations.models import RaterPlan
from annotations.services.activity import Action, note


def save_plan(*, plan: RaterPlan, changed: Sequence[str], by: User | None) -> None:
    """Save a plan, and note in the record which of its settings changed."""
    with transaction.atomic():
        plan.save()
        if changed:
            note(study=plan.study, actor=by, action=Action.CHANGED, settings=list(changed))
