"""The Celery application: brokers by environment, tasks found in each app's tasks.py."""

import os

from celery import Celery

from evalsite.background import folder_broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evalsite.settings")

folder_broker.use_for_filesystem_urls()
app = Celery("evalsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
