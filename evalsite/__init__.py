import os

# Before NumPy is loaded: our matrices are small, and a thread pool in every web thread and worker only makes them wait.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from evalsite.celery import app as celery_app

__all__ = ["celery_app"]
