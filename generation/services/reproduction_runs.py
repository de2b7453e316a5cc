"""Making a stored image again in a worker: a row is asked for, claimed, carried out with a lease, and ended.

No image is stored: the new one is compared and discarded.
"""

import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from generation import jobs
from generation.jobs import MOST_TRIES, Pulse, lease
from generation.models import Image, Reproduction
from generation.recipes.contract import OnStep, Stopped
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix import manifest
from generation.recipes.matrix.manifest import BadManifest
from generation.services.manifests import file_of, records
from generation.services.reproduction import reproduce

State = Reproduction.State
# A message may be behind a long run in its queue: only after this time is it considered lost.
PATIENCE = timedelta(minutes=10)


def ask(*, image: Image, owner: User | None) -> tuple[Reproduction, bool]:
    """The attempt that waits or runs for an image, made if there is none; and whether it is new."""
    fresh = {"owner": owner, "lease_until": timezone.now() + PATIENCE}
    # Of two who ask at the same moment, the constraint lets one make it, and the other finds that one.
    return Reproduction.objects.get_or_create(image=image, state__in=Reproduction.OPEN, defaults=fresh)


def was_not_sent(*, reproduction_id: int) -> None:
    """The broker did not answer: the message is sent as soon as somebody looks for lost ones."""
    Reproduction.objects.filter(pk=reproduction_id, state=State.WAITING).update(lease_until=timezone.now())


def claim(*, reproduction_id: int, now: datetime | None = None) -> Reproduction | None:
    """Take an attempt by one conditional update; None when another worker has it or it has ended."""
    now = now or timezone.now()
    free = Q(state=State.WAITING) | Q(jobs.expired(now), state=State.RUNNING)
    claim = jobs.take(Reproduction.objects.filter(free, pk=reproduction_id), now=now, started_at=now)
    return Reproduction.held(claim).first() if claim else None


def carry_out(*, reproduction: Reproduction, engine_for: Callable[[EngineSpec], Any]) -> None:
    """Make a claimed attempt's image again, with those that it began from, and end the row with the verdict.

    FAILED where the image cannot be made, with the reason. Any unexpected error ends it as FAILED too and is raised
    on. Nothing is written when another worker has taken it over.
    """
    report: list[dict[str, Any]] = []
    problem, error = "", None
    renew = partial(jobs.renew, Reproduction.held(reproduction.claim))
    try:
        with Pulse(renew, lease=lease(), name=f"image-{reproduction.image_id}") as pulse:
            report = _report(reproduction.image_id, engine_for, pulse.on_step)
    except Stopped:
        return
    except BadManifest:
        problem = _("An image that it started from is no longer on this site.")
    except Exception as unexpected:
        # What is not a picture is an OSError without a number; those of files and disks have one.
        if isinstance(unexpected, OSError) and unexpected.errno is None:
            problem = _("The stored file can no longer be read as an image.")
        else:
            error = unexpected
            problem = _("The site failed (%(kind)s), not the record. Try again; the server's log has the details.") % {
                "kind": type(unexpected).__name__
            }
    _end(reproduction, report, problem)
    if error is not None:
        raise error


def _report(image_id: int, engine_for: Callable[[EngineSpec], Any], on_step: OnStep) -> list[dict[str, Any]]:
    """What came of each record, the image's own among them. Raises Stopped when the lease is lost."""
    found = {record.id: record for record in records([image_id])}
    report = []
    with tempfile.TemporaryDirectory() as folder:
        for result in reproduce(
            list(manifest.in_order(found)),
            engine_for=engine_for,
            original=lambda record: file_of(int(record.id)),
            folder=Path(folder),
            on_step=on_step,
        ):
            report.append(result.as_json() | {"is_made": bool(result.png)})
    return report


def _end(reproduction: Reproduction, report: list[dict[str, Any]], problem: str) -> None:
    """Write the verdict, if the row is still ours."""
    own = next((row for row in report if row["id"] == str(reproduction.image_id)), None)
    is_made = own is not None and own["is_made"]
    Reproduction.held(reproduction.claim).update(
        state=State.DONE if is_made else State.FAILED,
        is_equal=own["is_equal"] if own else None,
        difference=own["difference"] if own else None,
        problem=own["problem"] if own else problem,
        report=report,
        lease_until=None,
        ended_at=timezone.now(),
    )


def take_abandoned(*, now: datetime) -> list[int]:
    """Attempts whose worker died or whose message was lost, by their ids, to be sent again.

    One that waits is handed out once in PATIENCE; one that was running waits again. An attempt that has outlived
    several workers fails.
    """
    overdue = Reproduction.objects.filter(lease_until__lt=now)
    dead = overdue.filter(state=State.RUNNING)
    dead.filter(n_tries__gte=MOST_TRIES).update(
        state=State.FAILED,
        lease_until=None,
        ended_at=now,
        problem=_("The worker died %(n)s times while making it. Check its log and its memory.") % {"n": MOST_TRIES},
    )
    found = sorted(overdue.values_list("pk", flat=True))
    # The condition again: since we looked, a worker may have come back to life or begun.
    overdue.filter(pk__in=found).update(state=State.WAITING, lease_until=now + PATIENCE)
    return found
