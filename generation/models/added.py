"""Who put a row here, and by which import."""

from django.conf import settings
from django.db import models


class Added(models.Model):
    """A row on which several people's work is built: it says who added it, and by which import.

    `added_by` is empty for what a command on the server added without an owner, and for rows older than this column;
    `import_run` also for what a run of the generator made, which its provenance names.

    Without indexes: rows come by the million, and both are read by image alone.
    """

    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        editable=False,
    )
    import_run = models.ForeignKey(
        "generation.ImportRun",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        editable=False,
    )

    class Meta:
        abstract = True
