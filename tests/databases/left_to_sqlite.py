"""What `pytest --postgres` leaves out, and why: tests whose outcome cannot depend on which database holds the rows.

Everything else that touches the database runs on both: locking, constraints, JSON, order, collation, COPY, aggregation,
imports, allocation, what the API writes, and every page's queries. Leave out a file only if what it is about comes
after the queries (rendering, rights, files, processes), and its queries are run on PostgreSQL by the tests named here.
"""

import re
from pathlib import PurePosixPath

ANY_DATABASE = {
    "tests/annotations/audits/test_blindness.py": "what pages show to whom; audits/test_view runs their queries",
    "tests/annotations/results/test_old_snapshots.py": "reads stored documents; results/test_results_task stores some",
    "tests/annotations/results/test_same_figures.py": "compares two ways to analyse; test_results_data reads the rows",
    "tests/annotations/demo": "what the demo's people answer; studies, ratings and audits have their own tests",
    "tests/annotations/views/test_design.py": "a form; designs and studies/test_study_service write what it asks for",
    "tests/annotations/views/test_dimension_form.py": "a form; studies/test_study_service writes what it asks for",
    "tests/annotations/views/test_formatted.py": "markup",
    "tests/annotations/views/test_paper.py": "files made of a stored document",
    "tests/annotations/views/test_renditions.py": "files made of images",
    "tests/background/test_folder_broker.py": "messages in a folder",
    "tests/background/test_two_workers.py": "messages in a folder",
    "tests/client": "a client of the API, which tests/api asks directly",
    "tests/evalsite": "processes, headers, files and settings",
    "tests/generation/runs/test_design.py": "a form; runs/test_planning stores what it asks for",
    "tests/generation/runs/test_tiny_engines.py": "what small models make; runs/test_work stores it",
    "tests/generation/test_image_page.py": "how one image is shown",
    "tests/languages": "texts",
    "tests/runs/test_end_to_end.py": "a worker process and a broker; generation/runs does the same work here",
    "tests/runs/test_restarts.py": "a broker; its other test has a PostgreSQL of its own, in the run on SQLite",
    "tests/runs/test_scenes.py": "what the demo's models draw",
    "tests/security/test_blindness.py": "what pages show to whom",
    "tests/security/test_markup.py": "markup and the cells of files",
    "tests/security/test_permissions.py": "rights of each address; it has a test that asks each once on PostgreSQL",
    "tests/security/test_requests.py": "headers and forms",
    "tests/without_generation": "what happens without torch",
}
"""Folder or file → what it is about, and what covers its queries."""

STILL_ON_POSTGRES = {
    "tests/evalsite/test_api_description.py": "what the API refuses: each database has its own longest number and text",
    "tests/evalsite/test_health.py": "whether the database answers",
    "tests/evalsite/test_unavailable.py": "a database that does not answer",
}
"""Exceptions within the folders above."""

NO_DATABASE = (
    "tests/browser",
    "tests/engines",
    "tests/exchange",
    "tests/reports",
    "tests/stats",
    "tests/training",
)
"""Rooms without rows, and journeys in the browser, whose queries are those of the view tests."""

_FOR_POSTGRES = re.compile(r"\bmark\.postgres\b")


def has_nothing_for_postgres(path: str, source: str) -> bool:
    """Whether `pytest --postgres` can choose no test of a file. It is then not even imported: many import torch."""
    folders = {str(parent) for parent in PurePosixPath(path).parents}
    is_left_out = bool(folders & set(NO_DATABASE)) or is_the_same_on_any_database(path)
    return is_left_out and not _FOR_POSTGRES.search(source)


def is_the_same_on_any_database(path: str) -> bool:
    """Whether the tests of a file, by its path from the project's root, are left to SQLite."""
    folders = [path, *(str(parent) for parent in PurePosixPath(path).parents)]
    return path not in STILL_ON_POSTGRES and any(folder in ANY_DATABASE for folder in folders)
