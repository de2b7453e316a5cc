"""Prompts and scores as rows of a call."""

import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from django.contrib.auth.models import User

from exchange.rejects import RejectLog
from generation.models import Activity, PromptSet
from generation.queries.importers import Counts, Source
from generation.services.imports.prompts import import_prompts
from generation.services.imports.scores import import_scores
from generation.services.pushes.refused import CALL, all_or_nothing, put_on_record, refuse_others

Rows = Sequence[Mapping[str, Any]]


def make_prompt_set(*, name: str, user: User, source: str = "", licence: str = "") -> tuple[PromptSet, bool]:
    """A set of this name, and whether it is new. An existing one is unchanged.

    Raises Refused if it is somebody else's.
    """

    def save(log: RejectLog) -> tuple[PromptSet, bool]:
        refuse_others(name, user)
        fresh = {"owner": user, "source": source, "licence": licence}
        made, is_new = PromptSet.objects.get_or_create(name=name, defaults=fresh)
        if is_new:
            subject = Activity.Subject.PROMPT_SET
            Activity.note(actor=user, action=Activity.Action.MADE, subject=subject, key=made.pk, name=made.name)
        return made, is_new

    return all_or_nothing(save)


def push_prompts(*, prompt_set: str, rows: Rows, user: User) -> Counts:
    """Add prompts to the set of this name. rows: as `exchange.known_files` reads them. Raises Refused."""

    def save(log: RejectLog) -> Counts:
        refuse_others(prompt_set, user)
        counts = import_prompts(_source(rows), prompt_set=prompt_set, owner=user, log=log)
        put_on_record(counts, user=user, kind="prompts")
        return counts

    return all_or_nothing(save)


def push_scores(*, prompt_set: str, rows: Rows, user: User) -> Counts:
    """Add scores of images. rows: image, metric, version, value. Raises Refused.

    prompt_set  only that set's images are meant; empty: those of all sets that this person may add to
    """

    def save(log: RejectLog) -> Counts:
        counts = import_scores(_source(rows), prompt_set=prompt_set, owner=user, by_api=True, log=log)
        put_on_record(counts, user=user, kind="scores")
        return counts

    return all_or_nothing(save)


def _source(rows: Rows) -> Source:
    return Source(CALL, BytesIO(json.dumps(list(rows), ensure_ascii=False).encode()))
