"""The site without the extra `generation` starts, rates and reports, and its pages of runs say what to install."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import site_environment
from tests.servers import ROOT
from tests.without_generation.journey import EXTRA
from tests.without_generation.missing_packages import without_packages


def test_people_rate_get_their_report_and_see_what_runs_need(tmp_path: Path) -> None:
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
