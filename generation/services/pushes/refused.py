"""Why nothing of a call was saved; and functions that all kinds of calls share."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from exchange.rejects import BadFile, Reject, RejectLog
from generation.models import Activity, PromptSet
from generation.queries.importers import Counts
from generation.services.origin import not_yours

CALL = "the call"
"""The name that rejects give to the file where there is no file."""
MOST_TRIES = 8
T = TypeVar("T")


class Refused(Exception):
    """Rows that were refused. Nothing of the call was saved."""

    def __init__(self, rejects: Sequence[Reject]) -> None:
        super().__init__("; ".join(map(str, rejects)))
        self.rejects = sorted(rejects, key=lambda reject: reject.row or 0)


def all_or_nothing(save: Callable[[RejectLog], T]) -> T:
    """Run `save` in a transaction. Raises Refused, with nothing saved, where it refuses a row or all of them.

    Another process that saves the same row at the same moment makes the database refuse ours: then everything is done
    once more, and finds that row there.
    """
    for attempt in range(MOST_TRIES):
        log = RejectLog(keep=200)
        try:
            with transaction.atomic():
                saved = save(log)
                if log:
                    raise Refused(log.first)
                return saved
        except BadFile as bad:
            raise Refused([bad.reject]) from bad
        except IntegrityError:
            if attempt == MOST_TRIES - 1:
                raise
    raise AssertionError("unreachable")


def refuse_others(prompt_set: str, user: User) -> None:
    """Raises Refused if a set of this name exists and this person may not add to it."""
    there = PromptSet.objects.select_related("owner").filter(name=prompt_set).first()
    if there is not None and not there.may_be_changed_by(user):
        raise Refused([Reject(CALL, None, "prompt_set", prompt_set, *not_yours(there))])


def put_on_record(counts: Counts, *, user: User, kind: str) -> None:
    """Record who added how many rows to what."""
    for touched, n in counts.touched.items():
        if n:
            Activity.note(
                actor=user,
                action=Activity.Action.ADDED,
                subject=touched.subject,
                key=touched.key,
                name=touched.name,
                kind=kind,
                rows=n,
                file="API",
            )
