"""Sends waiting messages, retrying with growing pauses, and keeps a log of them."""

import json
import time
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations.models import Delivery, Study, Webhook
from annotations.models.webhooks import Event
from annotations.services.hooks.addresses import Unreachable, checked, post
from annotations.services.hooks.signatures import signed_headers
from generation import jobs

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 60, 300, 1800, 7200, 21600, 86400))
"""The pause before each retry; after the last one the message is given up."""
MOST_HOOKS = 10
SENT_AT_ONCE = 50
KEPT_DAYS = 30
GONE = 410


def make_webhook(*, study: Study, url: str, events: list[str], by: User | None) -> Webhook:
    """Send these events there from now on. Raises ValidationError ({field: message})."""
    unknown = sorted(set(events) - set(Event.values))
    if unknown or not events:
        raise ValidationError(
            {"events": _("Choose at least one of: %(events)s.") % {"events": ", ".join(Event.values)}}
        )
    try:
        checked(url)
    except ValidationError as problem:
        raise ValidationError({"url": problem.messages}) from problem
    if study.webhooks.count() >= MOST_HOOKS:
        raise ValidationError({"url": _("A study has at most %(n)d webhooks. Remove one first.") % {"n": MOST_HOOKS}})
    in_order = [event for event in Event.values if event in events]
    return Webhook.objects.create(study=study, url=url, events=in_order, made_by=by)


def send_again(*, delivery: Delivery) -> None:
    """Send a finished message again, with all its retries."""
    ended = (Delivery.State.DONE, Delivery.State.FAILED)
    Delivery.objects.filter(pk=delivery.pk, state__in=ended).update(
        state=Delivery.State.WAITING, due_at=timezone.now(), n_tries=0, ended_at=None, lease_until=None
    )


def send_due(*, now: datetime | None = None) -> int:
    """Send the messages that are due; returns how many were tried. Each worker takes one at a time."""
    now = now or timezone.now()
    waiting = Q(state=Delivery.State.WAITING, due_at__lte=now)
    left_behind = Q(jobs.expired(now), state=Delivery.State.RUNNING)
    due = Delivery.objects.filter(waiting | left_behind).order_by("due_at").values_list("pk", flat=True)
    n_tried = 0
    for pk in list(due[:SENT_AT_ONCE]):
        claim = jobs.take(Delivery.objects.filter(waiting | left_behind, pk=pk), now=now)
        delivery = Delivery.held(claim).select_related("webhook").first() if claim else None
        if delivery is not None:
            _send(delivery)
            n_tried += 1
    return n_tried


def _send(delivery: Delivery) -> None:
    hook = delivery.webhook
    body = json.dumps(delivery.payload, ensure_ascii=False).encode()
    headers = signed_headers(secret=hook.secret, message=delivery.token, body=body, timestamp=int(time.time()))
    status, said = None, ""
    if hook.ended_at is None:
        try:
            status, said = post(hook.url, body=body, headers={"User-Agent": "evalsite-webhooks", **headers})
        except Unreachable as problem:
            said = str(problem)
    now = timezone.now()
    fields = {"status": status, "said": "".join(letter for letter in said if letter.isprintable())[:300]}
    ours = Delivery.held(delivery.claim)
    if status is not None and 200 <= status < 300:
        ours.update(state=Delivery.State.DONE, ended_at=now, lease_until=None, **fields)
    elif status == GONE or hook.ended_at is not None or delivery.n_tries > len(PAUSES):
        ours.update(state=Delivery.State.FAILED, ended_at=now, lease_until=None, **fields)
        if status == GONE:
            Webhook.objects.filter(pk=hook.pk).update(ended_at=now)
    else:
        due_at = now + PAUSES[delivery.n_tries - 1]
        ours.update(state=Delivery.State.WAITING, due_at=due_at, lease_until=None, **fields)


def forget_old(*, now: datetime) -> int:
    """Delete the log of messages that ended long ago; returns how many."""
    old = Delivery.objects.filter(ended_at__lt=now - timedelta(days=KEPT_DAYS))
    return old.delete()[0]
