"""Periodic work of the whole site."""

from celery import shared_task
from django.core.management import call_command

from evalsite import celery  # noqa: F401 - loading it makes it the application that tasks belong to
from evalsite.api.idempotency import clear_old_calls


@shared_task
def clear_sessions() -> None:
    """Delete sessions that have expired: nobody can use them any more."""
    call_command("clearsessions")


@shared_task
def clear_idempotent_calls() -> int:
    """Delete named calls of the API that have expired; returns their number."""
    return clear_old_calls()
