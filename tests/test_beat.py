"""Every periodic task that the schedule names exists: a misspelt one would never run, and nobody would be told."""

from django.conf import settings

from evalsite import celery_app


def test_the_schedule_names_tasks_that_exist() -> None:
    celery_app.loader.import_default_modules()

    named = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert named
    assert named <= set(celery_app.tasks)
