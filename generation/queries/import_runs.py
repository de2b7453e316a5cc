"""Reads about imports: whose they are."""

from django.contrib.auth.models import User
from django.db.models import QuerySet

from generation.models import ImportRun


def runs_of(user: User) -> QuerySet[ImportRun]:
    """The imports that this person may see: their own; all, for an administrator. A run shows its file's values."""
    runs = ImportRun.objects.select_related("owner")
    return runs if user.is_superuser else runs.filter(owner=user)
