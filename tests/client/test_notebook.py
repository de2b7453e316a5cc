"""docs/client.ipynb runs against a real site, with people who rate, and prints what it shows."""

import os
import threading
import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from evalsite_client import Evalsite
from tests.client.raters import answer_all
from tests.stats.test_face import printed

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = ROOT / "docs" / "client.ipynb"


def rate_when_it_is_there(site: str, key: str) -> None:
    """Two people join the first study and rate all of it."""
    with Evalsite(site, key) as researcher:
        while not (studies := researcher.studies()):
            time.sleep(0.1)
        invitation = researcher.study(studies[0]["token"]).invitation
    for code in ("3", "4"):
        answer_all(site, invitation, code=code)


@pytest.mark.slow
def test_the_notebook_runs_and_prints_what_it_shows(
    live_site: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVALSITE_URL", live_site)
    monkeypatch.setenv("EVALSITE_TOKEN", key)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    stored = nbformat.read(NOTEBOOK, as_version=4)
    fresh = nbformat.from_dict(stored)
    people = threading.Thread(target=rate_when_it_is_there, args=(live_site, key), daemon=True)
    people.start()
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(fresh, coalesce_streams=True, timeout=120, startup_timeout=300, resources=place).execute()
    people.join(30)
    assert printed(fresh) == printed(stored)
    assert len(printed(stored)) >= 4
