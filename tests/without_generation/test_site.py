"""The site without the extra `generation` starts, rates and reports, and its pages of runs say what to install."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from tests.conftest import site_environment
from tests.databases.tables import tables_of
from tests.servers import ROOT
from tests.without_generation.journey import EXTRA
from tests.without_generation.missing_packages import without_packages


@pytest.mark.sqlite
def test_people_rate_get_their_report_and_see_what_runs_need(tmp_path: Path, django_db_setup: None) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    environment = site_environment(
        EVALSITE_DATA_DIR=str(data),
        DATABASE_URL="",
        CELERY_BROKER_URL="",
        **without_packages(tmp_path, *EXTRA),
    )
    command = [sys.executable, "-m", "tests.without_generation.journey"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.strip() == "System check identified no issues (0 silenced)."

    # That site ran all migrations. The test database has the tables of the models (tests/databases/management).
    assert tables_of(data / "evalsite.sqlite3") == tables_of(Path(connection.settings_dict["NAME"]))
