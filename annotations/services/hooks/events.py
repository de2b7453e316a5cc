"""What is sent when something happens to a study: one message for each address that wants to know."""

from typing import Any

from django.utils import timezone

from annotations.models import Delivery, Study
from annotations.models.webhooks import Event
from generation.models import Activity

EVENT_OF = {
    Activity.Action.OPENED: Event.OPENED,
    Activity.Action.CLOSED: Event.CLOSED,
}
"""Events that go along with a line of the record."""


def emit(*, study: Study, event: Event, **data: Any) -> int:
    """Have an event sent, in the transaction of what happened; to how many addresses.

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
