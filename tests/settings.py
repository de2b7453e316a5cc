"""The site's own settings over a temporary data folder, on SQLite or, with `pytest --postgres`, on PostgreSQL.

This module is read before any conftest is (by pytest-django), so it is the one place that can choose the database.
What it decides goes into the environment, where the processes of pytest-xdist find it.
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.servers import Unavailable, start_postgres

if "--postgres" in sys.argv:
    os.environ["TEST_DATABASE"] = "postgres"
ON_POSTGRES = os.environ.get("TEST_DATABASE") == "postgres"

if "TEST_ROOT" not in os.environ:  # the first process: it makes the folder, starts the server, and ends both
    root = tempfile.mkdtemp(prefix="evalsite-tests-")
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    os.environ["TEST_ROOT"] = root
    for name in [name for name in os.environ if name.startswith("EVALSITE_") and name != "EVALSITE_BROWSER"]:
        del os.environ[name]  # what a developer set for their own site is not meant for the tests
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        os.environ.pop("DATABASE_URL", None)
        if ON_POSTGRES:
            try:
                server = start_postgres()
            except Unavailable as error:
                sys.exit(f"pytest --postgres cannot run: {error}")
            atexit.register(server.stop)
            os.environ["DATABASE_URL"] = server.url

# Each process has its own folder and database: tests never meet each other's files, rows or messages.
TEST_DATA_DIR = Path(os.environ["TEST_ROOT"]) / os.environ.get("PYTEST_XDIST_WORKER", "main")
os.environ["EVALSITE_DATA_DIR"] = str(TEST_DATA_DIR)
os.environ.pop("CELERY_BROKER_URL", None)  # Celery itself prefers the variable to the setting
_server_url = os.environ.get("DATABASE_URL", "")
if not ON_POSTGRES:
    os.environ.pop("DATABASE_URL", None)

(TEST_DATA_DIR / "static").mkdir(parents=True, exist_ok=True)  # or WhiteNoise warns of its absence

from evalsite.settings import *  # noqa: E402, F403
from evalsite.settings import DATABASES, INSTALLED_APPS, STORAGES  # noqa: E402

if not ON_POSTGRES:
    # A file, as in production: threads and worker processes share it, with the same locks and time-outs.
    DATABASES["default"]["TEST"] = {"NAME": str(TEST_DATA_DIR / "test.sqlite3")}
# Its command `flush` is quicker than Django's own.
INSTALLED_APPS = ["tests.databases", *INSTALLED_APPS]
# Messages go nowhere, unless a test starts a worker (the fixture celery_worker_process points Celery at its broker).
CELERY_BROKER_URL = "memory://localhost"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {}
# A slow hash protects stored passwords; the tests' need none.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Pages under test need no collected, hashed files. The live site has them: it runs under evalsite.settings.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
