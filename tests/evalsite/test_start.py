"""Commands start without loading what they do not use: the libraries below take longer than Django itself."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("celery", "pandas", "pydantic", "scipy", "torch")
LOADED = f"""
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "evalsite.settings"
import django
django.setup()
from django.core.management import load_command_class
for app, name in (("annotations", "import_ratings"), ("generation", "import_file"), ("annotations", "export_study")):
    load_command_class(app, name).create_parser("manage.py", name)
    print(name, *(heavy for heavy in {HEAVY!r} if heavy in sys.modules))
"""


def test_imports_and_exports_load_nothing_heavy() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, check=True, capture_output=True, text=True, timeout=120
    )
    assert loaded.stdout.splitlines() == ["import_ratings", "import_file", "export_study"]


def test_what_is_sent_goes_by_the_application_of_the_settings() -> None:
    """Whatever module with tasks is loaded first."""
    for tasks in ("annotations.tasks", "generation.tasks", "evalsite.tasks"):
        asked = f"import django, importlib; django.setup(); importlib.import_module({tasks!r}); "
        asked += "from celery import current_app; print(current_app.main)"
        said = subprocess.run(
            [sys.executable, "-c", asked],
            cwd=ROOT, check=True, capture_output=True, text=True, timeout=120,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "evalsite.settings"},
        )  # fmt: skip
        assert said.stdout.split() == ["evalsite"], tasks
