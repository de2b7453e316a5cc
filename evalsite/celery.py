"""The Celery application: brokers by environment, tasks found in each app's tasks.py."""

import os
from pathlib import Path

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")

app = Celery("evalsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

for folder in ("data_folder_in", "control_folder"):
    if path := getattr(settings, "CELERY_BROKER_TRANSPORT_OPTIONS", {}).get(folder):
        Path(path).mkdir(parents=True, exist_ok=True)
