"""Every periodic task that the schedule names exists: a misspelt one would never run, and nobody would notice."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from evalsite import celery_app
from evalsite.models import BrowserSession
from evalsite.tasks import clear_sessions


def test_the_schedule_names_tasks_that_exist() -> None:
    celery_app.loader.import_default_modules()

    named = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert clear_sessions.name in named
    assert named <= set(celery_app.tasks)


@pytest.mark.django_db
def test_expired_sessions_are_deleted_and_others_stay() -> None:
    for key, days in (("expired", -1), ("alive", 1)):
        BrowserSession.objects.create(
            session_key=key, session_data="", expire_date=timezone.now() + timedelta(days=days)
        )
    clear_sessions()
    assert list(BrowserSession.objects.values_list("session_key", flat=True)) == ["alive"]
