from pathlib import Path

from django.apps import AppConfig


class EvalsiteConfig(AppConfig):
    name = "evalsite"

    def ready(self) -> None:
        from django.conf import settings

        from evalsite import checks  # noqa: F401 - importing registers them
        from evalsite.requests import catalogues

        catalogues.compile_changed(catalogues.SOURCES, Path(settings.LOCALE_PATHS[0]))
