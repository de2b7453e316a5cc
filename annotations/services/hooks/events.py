"""The messages sent when something happens to a study: one for each subscribed address."""

from typing import Any

from django.utils import timezone

from annotations.models import Delivery, Study
from annotations.models.webhooks import Event
from generation.models import Activity

EVENT_OF = {
    Activity.Action.OPENED: Event.OPENED,
    Activity.Action.CLOSED: Event.CLOSED,
}
"""Events that accompany an entry of the activity record."""


def emit(*, study: Study, event: Event, **data: Any) -> int:
    """Queue an event, in the transaction of what happened; returns the number of addresses.

    The messages are rows, which a worker sends within seconds of the transaction's end.
    """
    now = timezone.now()
    payload = {
        "type": event.value,
        "timestamp": now.isoformat(),
        "data": {"study": study.token, "title": study.title, **data},
    }
    hooks = [hook for hook in study.webhooks.filter(ended_at=None) if event.value in hook.events]
    Delivery.objects.bulk_create(
        Delivery(webhook=hook, event=event.value, payload=payload, due_at=now) for hook in hooks
    )
    return len(hooks)
