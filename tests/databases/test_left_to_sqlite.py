"""What is left to SQLite is there, and what must run on both databases is not left to it."""

import re
from pathlib import Path

import pytest

from tests.databases.left_to_sqlite import (
    ANY_DATABASE,
    NO_DATABASE,
    STILL_ON_POSTGRES,
    has_nothing_for_postgres,
    is_the_same_on_any_database,
)

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("path", [*ANY_DATABASE, *STILL_ON_POSTGRES])
def test_every_path_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("path", STILL_ON_POSTGRES)
def test_an_exception_is_one(path: str) -> None:
    assert str(Path(path).parent) in ANY_DATABASE


@pytest.mark.parametrize(
    "path",
    [
        "tests/annotations/test_rating_at_once.py",
        "tests/annotations/results/test_results_data.py",
        "tests/api/test_make_studies.py",
        "tests/evalsite/test_health.py",
        "tests/generation/imports/test_items.py",
        "tests/generation/runs/test_work.py",
        "tests/runs/test_killed_worker.py",
        "tests/annotations/designs/test_at_once.py",
    ],
)
def test_what_can_differ_runs_on_both(path: str) -> None:
    assert (ROOT / path).exists()
    assert not is_the_same_on_any_database(path)


def test_a_folder_holds_for_all_in_it() -> None:
    assert is_the_same_on_any_database("tests/client/test_client.py")
    assert is_the_same_on_any_database("tests/languages/test_languages.py")
    assert not is_the_same_on_any_database("tests/clients.py")


@pytest.mark.parametrize("folder", NO_DATABASE)
def test_a_file_that_postgresql_never_imports_has_no_test_for_it(folder: str) -> None:
    wants_rows = re.compile(r"django_db|transactional_db|\bdb: None|live_site|celery_worker_process")
    files = sorted((ROOT / folder).rglob("test_*.py"))
    assert files
    for path in files:
        source = path.read_text()
        assert "mark.browser" in source or not wants_rows.search(source), path


def test_a_test_for_postgresql_is_found_in_files_that_are_otherwise_left_out() -> None:
    path = "tests/security/test_permissions.py"
    assert is_the_same_on_any_database(path)
    assert not has_nothing_for_postgres(path, (ROOT / path).read_text())
    assert has_nothing_for_postgres("tests/security/test_markup.py", "")
    assert has_nothing_for_postgres("tests/stats/agreement/test_icc.py", "")
    assert not has_nothing_for_postgres("tests/generation/runs/test_work.py", "")
