import os
from typing import TYPE_CHECKING, Any

# Before NumPy is loaded: our matrices are small, and a thread pool in every web thread and worker only slows them down.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

if TYPE_CHECKING:
    from evalsite.celery import app as celery_app

__all__ = ["celery_app"]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """`celery_app` when it is first asked for: most commands need no Celery, which takes a while to load."""
        if name != "celery_app":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from evalsite.celery import app

        return app
