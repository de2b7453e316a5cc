"""How commands on the server are written on pages: with the interpreter that runs this site."""

import shlex
import sys
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest


def manage_py() -> str:
    """The beginning of a command that can be pasted in the project's folder: ".venv/bin/python manage.py"."""
    python = Path(sys.executable)
    if python.is_relative_to(settings.BASE_DIR):
        python = python.relative_to(settings.BASE_DIR)
    return f"{shlex.quote(str(python))} manage.py"


def context(_request: HttpRequest) -> dict[str, str]:
    """For every template."""
    return {"manage_py": manage_py()}
