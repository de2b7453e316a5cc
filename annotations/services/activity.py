"""Entries about studies in the activity record."""

from typing import Any

from django.contrib.auth.models import User

from annotations.models import Study
from annotations.services.hooks.events import EVENT_OF, emit
from generation.models import Activity

Action = Activity.Action


def note(*, study: Study, actor: User | None, action: Action, **details: Any) -> Activity:
    """Add an entry about a study, in the transaction of what it reports, and send its event, if it has one.

    Without an actor it is a command on the server.
    """
    if action in EVENT_OF and "part" not in details:
        emit(study=study, event=EVENT_OF[action])
    return Activity.note(
        actor=actor,
        action=action,
        subject=Activity.Subject.STUDY,
        key=study.token,
        name=study.title,
        **details,
    )
