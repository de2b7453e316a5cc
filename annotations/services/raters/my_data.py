"""Raters' rights over their own data: see it, download it, withdraw it, have it erased."""

import secrets
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from annotations.models import (
    Assignment,
    Erasure,
    LateAnswer,
    PanelVisit,
    Rater,
    RaterMessage,
    ReportSnapshot,
    Response,
    Study,
    Trial,
)
from annotations.queries.raters.own import own_data
from annotations.services.exclusions import exclude_rater
from annotations.services.exports import export_name
from annotations.services.raters.panel_visits import forget_visit
from annotations.services.sqlite_writes import empty_log, write_turn
from generation.models import Activity

NAMED = {"rater", "raters", "components"}
"""Keys of a report's document under which raters are named."""
OF_OTHERS = {
    *("aggregation", "allows_unable", "axis", "baseline", "refined", "category", "sub_category", "comparisons"),
    *("consent", "convention", "covers", "decision", "exclusion", "first", "second", "groups", "hypothesis"),
    *("instructions", "item", "item_kind", "key", "kind", "label", "labels", "letters", "method", "methods"),
    *("metric", "metric_a", "metric_b", "metrics", "model", "name", "option", "order", "prompt", "prompts"),
    *("question", "state", "statistic", "stats_version", "subset", "test", "title", "unit", "what", "words"),
}
"""Keys whose values name something else, although the words may be the same as a rater's name. Under every other key a
name is a rater's."""

CUT_SHORT = 40
"""A report shortens names longer than this; a shorter text that ends with “…” is left unchanged."""


def export(*, user: User) -> dict[str, Any]:
    """Everything that is stored about this person as a rater, as JSON."""
    return {"exported_at": timezone.now().isoformat(timespec="seconds"), "studies": own_data(user)}


def leave_word(*, rater: Rater, text: str) -> RaterMessage:
    """A message to the researchers who run the study."""
    return RaterMessage.objects.create(rater=rater, text=text.replace("\0", "").strip())


def withdraw(*, rater: Rater, now: datetime) -> None:
    """Leave this rater's answers out of the results from the next computation on. The answers are kept, and others rate
    the items.

    The report counts withdrawn raters and does not name them. Cards that the rater held are free for others at once.
    """
    with write_turn(), transaction.atomic():
        exclude_rater(rater=rater, reason="withdrew", by=None, now=now, is_withdrawal=True)
        Rater.objects.filter(pk=rater.pk, withdrawn_at=None).update(withdrawn_at=now)


def erase(*, rater: Rater, now: datetime) -> Erasure:
    """Withdraw, then delete the rater, every answer of theirs, and their account if it has no other use.

    Their name is removed from stored reports and from the activity record, and the study's exported file is deleted:
    the next one is written without them. Only one entry with counts remains and, for a rater from a panel, what
    `forget_visit` keeps.
    """
    _forget_visit(rater, now, PanelVisit.State.RETURNED)
    withdraw(rater=rater, now=now)
    with write_turn(), transaction.atomic():
        study, user, name = rater.study, rater.user, rater.name
        every = Assignment.with_checks.filter(rater=rater)
        n_cards = every.filter(state=Assignment.State.ANSWERED).count()
        LateAnswer.objects.filter(assignment__in=every).delete()
        Response.objects.filter(assignment__in=every).delete()
        every.delete()
        Trial.objects.filter(rater=rater).delete()
        Rater.objects.filter(pk=rater.pk).delete()
        forget_name(study, name, "erased rater")
        forget_account(user)
        erasure = Erasure.objects.create(study=study, kind=Erasure.Kind.EVERYTHING, n_cards=n_cards)
    default_storage.delete(export_name(study))
    empty_log()
    return erasure


def forget_identity(*, rater: Rater, now: datetime, by_rule: bool) -> Erasure:
    """Cut the link between a person and their answers: a random name, no account, no messages, no panel's number.

    The answers still count.
    """
    with write_turn(), transaction.atomic():
        name, user = rater.name, rater.user
        new_name = f"rater-{secrets.token_hex(4)}"
        RaterMessage.objects.filter(rater=rater).delete()
        _forget_visit(rater, now, PanelVisit.State.TIMED_OUT)
        Assignment.with_checks.filter(rater=rater).exclude(flag="").update(flag="")
        Rater.objects.filter(pk=rater.pk).update(name=new_name, user=None, group="")
        forget_name(rater.study, name, new_name)
        forget_account(user)
        n_cards = Assignment.with_checks.filter(rater=rater, state=Assignment.State.ANSWERED).count()
        erasure = Erasure.objects.create(
            study=rater.study, kind=Erasure.Kind.IDENTITY, by_rule=by_rule, n_cards=n_cards
        )
    default_storage.delete(export_name(rater.study))
    empty_log()
    return erasure


def _forget_visit(rater: Rater, now: datetime, state: str) -> None:
    visit = PanelVisit.objects.filter(rater=rater).select_related("panel", "rater").first()
    if visit is not None:
        forget_visit(visit, now=now, state=state)


def forget_name(study: Study, name: str, new_name: str) -> None:
    """Replace a rater's or an auditor's name in every stored report and in the activity record.

    A report that is being computed has read the old name: its worker loses the job, and another one starts again.
    """
    running = ReportSnapshot.objects.filter(study=study, state=ReportSnapshot.State.RUNNING)
    running.update(state=ReportSnapshot.State.WAITING, claim="", lease_until=None)
    for snapshot in ReportSnapshot.objects.filter(study=study, results__isnull=False).iterator(chunk_size=10):
        results = _renamed(snapshot.results, name, new_name)
        if results != snapshot.results:
            ReportSnapshot.objects.filter(pk=snapshot.pk).update(results=results)
    Activity.forget_rater(subject_key=study.token, name=name, new_name=new_name)


def _renamed(value: Any, name: str, new_name: str, *, is_theirs: bool = True, is_named: bool = False) -> Any:
    """A JSON value with the name replaced wherever it is a whole text, unless its key shows that it names something
    else.

    Names in a list that has a `kind`, as in "the fewest raters to change who leads", are of that kind.
    """
    if isinstance(value, dict):
        kind = value.get("kind")
        return {
            key: _renamed(
                one,
                name,
                new_name,
                is_theirs=key not in OF_OTHERS and not (key == "names" and kind not in (None, "raters")),
                is_named=is_named or key in NAMED,
            )
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [_renamed(one, name, new_name, is_theirs=is_theirs, is_named=is_named) for one in value]
    return new_name if (is_theirs or is_named) and _is_name(value, name) else value


def _is_name(value: Any, name: str) -> bool:
    """Whether a value is this name, or its beginning if a report has shortened a long name."""
    if not isinstance(value, str) or value == name:
        return value == name
    return value.endswith("…") and CUT_SHORT <= len(value) <= len(name) and name.startswith(value[:-1])


def forget_account(user: User | None) -> None:
    """Delete an account that was created only for rating and has no further use, and end its sessions."""
    if user is None or user.has_usable_password() or user.is_staff or user.is_superuser or user.email:
        return
    has_more = (
        user.raters.exists()
        or user.memberships.exists()
        or user.studies.exists()
        or user.auditors.exists()
        or user.groups.exists()
    )
    if has_more:
        return
    for session in Session.objects.filter(expire_date__gte=timezone.now()).iterator(chunk_size=500):
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            session.delete()
    user.delete()
