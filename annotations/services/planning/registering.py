"""Freezes a study's plan before its first answer, and saves its researchers' statements."""

from collections.abc import Mapping
from typing import Literal

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.models import Registration, Statement, Study
from annotations.queries.planning.present import has_answers, present_plan, registration_of
from annotations.reports.registration.plan import Plan, digest_of, registration_file
from annotations.services.activity import Action, note


def save_statement(
    *, study: Study, part: Literal["intentions", "facts"], texts: Mapping[str, str], by: User | None
) -> list[str]:
    """Save the researchers' texts of one part; returns the keys that changed. Other keys stay unchanged."""
    with transaction.atomic():
        statement, _is_new = Statement.objects.select_for_update().get_or_create(study=study)
        before = getattr(statement, part)
        changed = [key for key, text in texts.items() if before.get(key, "") != text]
        if changed:
            setattr(statement, part, {**before, **texts})
            statement.save(update_fields=[part, "updated_at"])
            note(study=study, actor=by, action=Action.CHANGED, settings=changed)
    return changed


def register(*, study: Study, by: User | None) -> Registration:
    """Freeze the plan with the current settings, a hash and the time.

    Raises ValidationError once there is an answer, without items or questions, and if nothing has changed since the
    last registration.
    """
    with transaction.atomic():
        study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        if has_answers(study):
            raise ValidationError(
                _("Answers have been given already, so this study can no longer be registered before its first answer.")
            )
        if not study.dimensions.exists() or not study.items.exists():
            raise ValidationError(_("A study needs a question and an item before it can be registered."))
        plan, last = present_plan(study), registration_of(study)
        made_at, number = timezone.now().replace(microsecond=0), 1 if last is None else last.number + 1
        if last is not None and last.content == _content(plan, last.made_at.isoformat(), last.number):
            raise ValidationError(_("Nothing has changed since the last registration."))
        registration = Registration.objects.create(
            study=study,
            number=number,
            content=_content(plan, made_at.isoformat(), number),
            digest=digest_of(plan, made_at=made_at.isoformat(), number=number),
            made_at=made_at,
            made_by=by,
        )
        note(study=study, actor=by, action=Action.REGISTERED, digest=registration.digest[:16])
    return registration


def _content(plan: Plan, made_at: str, number: int) -> str:
    return registration_file(plan, made_at=made_at, number=number).decode()
