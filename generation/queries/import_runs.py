"""Reads about imports: whose they are."""

from django.contrib.auth.models import User
from django.db.models import QuerySet

from generation.models import ImportRun


def runs_of(user: User) -> QuerySet[ImportRun]:
    """The imports that this person may see: their own; all, for an administrator. A run shows its file's values."""
    runs = ImportRun.objects.select_related("owner")
    return runs if user.is_superuser else runs.filter(owner=user)


def sent_together(run: ImportRun) -> list[ImportRun]:
    """The imports of the files that came with this one's, itself among them, in their order; [] where it came alone."""
    group = run.options.get("group")
    if not group:
        return []
    return list(ImportRun.objects.filter(owner=run.owner, options__group=group).order_by("pk"))
