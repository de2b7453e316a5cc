from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

RESEARCHERS = "Researchers"


def ensure_researchers(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """The group whose members may add studies and import. Created after each migrate, since a flush also deletes
    groups."""
    from django.contrib.auth.models import Group, Permission

    group, _created = Group.objects.using(using).get_or_create(name=RESEARCHERS)
    permission = Permission.objects.using(using).filter(content_type__app_label="annotations", codename="add_study")
    group.permissions.add(*permission)


class AnnotationsConfig(AppConfig):
    name = "annotations"

    def ready(self) -> None:
        # django.contrib.auth is before us in INSTALLED_APPS, so that the permission is there when this runs.
        post_migrate.connect(ensure_researchers, sender=self)
