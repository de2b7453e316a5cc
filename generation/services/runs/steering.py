"""Changes of a run's state by its owner or the site: pause, resume, cancel, retry, end."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generation.models import Run, Step

State = Run.State


class NotNow(Exception):
    """The run is in a state in which this cannot be done; the text says which."""


def pause(*, run: Run, message: str = "", cure: str = "") -> None:
    """Start no further steps. Steps in progress are finished and saved."""
    _move(run, {State.RUNNING}, State.PAUSED, message=message, cure=cure)


def resume(*, run: Run) -> None:
    """Resume a paused run, including steps that were put off."""
    with transaction.atomic():
        _move(run, {State.PAUSED}, State.RUNNING, message="", cure="")
        Step.objects.filter(run=run, state=Step.State.WAITING).exclude(not_before=None).update(not_before=None)


def cancel(*, run: Run) -> None:
    """End a run. Finished results are kept; work in progress stops at its next step."""
    with transaction.atomic():
        message = _("Cancelled. Everything made before is kept.")
        _move(
            run,
            {State.PLANNING, State.RUNNING, State.PAUSED},
            State.CANCELLED,
            ended_at=timezone.now(),
            message=message,
            cure="",
            lease_until=None,
        )
        Step.objects.filter(run=run, state=Step.State.WAITING).update(
            state=Step.State.CANCELLED, ended_at=timezone.now()
        )


def retry_failed(*, run: Run) -> int:
    """Retry failed steps, with those that wait for them; returns how many had failed."""
    with transaction.atomic():
        row = Run.objects.select_for_update().get(pk=run.pk)
        if row.state not in (State.RUNNING, State.PAUSED, State.DONE):
            raise NotNow(_("This run is %(state)s.") % {"state": row.get_state_display()})
        n = Step.objects.filter(run=row, state=Step.State.FAILED).update(
            state=Step.State.WAITING, message="", cure="", n_tries=0, ended_at=None, claim=""
        )
        if n and row.state == State.DONE:
            Run.objects.filter(pk=row.pk).update(state=State.RUNNING, ended_at=None, message="", cure="")
    run.refresh_from_db()
    return n


def end_if_done(*, run_id: int) -> bool:
    """End a run in which nothing is being done and nothing more can be; whether it has ended by this."""
    with transaction.atomic():
        run = Run.objects.select_for_update().filter(pk=run_id, state=State.RUNNING).first()
        if run is None:
            return False
        steps = Step.objects.filter(run=run)
        if steps.filter(state=Step.State.RUNNING).exists():
            return False
        if steps.filter(state=Step.State.WAITING, n_unmet=0).exists():
            return False
        n_failed = steps.filter(state=Step.State.FAILED).count()
        n_blocked = steps.filter(state=Step.State.WAITING).count()
        message, cure = "", ""
        if n_failed:
            message = ngettext("%(n)s step failed.", "%(n)s steps failed.", n_failed) % {"n": n_failed}
            if n_blocked:
                message += " " + ngettext(
                    "%(n)s other step needs what failed, so it is still waiting.",
                    "%(n)s other steps need what failed, so they are still waiting.",
                    n_blocked,
                ) % {"n": n_blocked}
            cure = _("See Failures for the reasons, fix them, and retry failed steps.")
        Run.objects.filter(pk=run.pk).update(
            state=State.DONE, ended_at=timezone.now(), message=message, cure=cure, lease_until=None
        )
        return True


def _move(run: Run, allowed: set[Run.State], to: Run.State, **fields: object) -> None:
    if not Run.objects.filter(pk=run.pk, state__in=allowed).update(state=to, **fields):
        run.refresh_from_db()
        raise NotNow(_("This run is %(state)s.") % {"state": run.get_state_display()})
    run.refresh_from_db()
