"""Who may add to a prompt set besides its owner."""

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from generation.models import Activity, PromptSet


def add_editor(*, prompt_set: PromptSet, username: str, by: User) -> None:
    """Let somebody add to this set. Raises ValidationError if there is no such researcher."""
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None or not user.has_perm("annotations.add_study"):
        raise ValidationError(
            _("No researcher here signs in as “%(name)s”. An administrator can make an account a researcher’s.")
            % {"name": username}
        )
    if prompt_set.may_be_changed_by(user):
        return
    with transaction.atomic():
        prompt_set.editors.add(user)
        _note(prompt_set, Activity.Action.MEMBER_ADDED, user, by)


def remove_editor(*, prompt_set: PromptSet, user_id: int, by: User) -> None:
    """End somebody's right to add to this set. Rows that they added stay."""
    user = prompt_set.editors.filter(pk=user_id).first()
    if user is not None:
        with transaction.atomic():
            prompt_set.editors.remove(user)
            _note(prompt_set, Activity.Action.MEMBER_REMOVED, user, by)


def _note(prompt_set: PromptSet, action: Activity.Action, user: User, by: User) -> None:
    Activity.note(
        actor=by,
        action=action,
        subject=Activity.Subject.PROMPT_SET,
        key=prompt_set.pk,
        name=prompt_set.name,
        person=user.get_username(),
        role="editor",
    )
