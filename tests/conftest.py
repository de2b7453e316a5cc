"""What every test can ask for: real servers, a worker process, the live site, a browser.

Nothing here needs Django until a fixture that does is asked for, so tests of the pure rooms run with `-p no:django`.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

from tests import dsg_tifa160 as dsg_tifa160_data
from tests import servers
from tests.databases.left_to_sqlite import has_nothing_for_postgres, is_the_same_on_any_database

pytest_plugins = ["tests.browsing", "tests.serving"]

DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup", "live_site", "celery_worker_process"}
DATA = Path(__file__).resolve().parent / "data"


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    parser.addoption("--postgres", action="store_true", help="run the tests that touch the database, on PostgreSQL")
    if not pluginmanager.hasplugin("django"):  # -p no:django: pure rooms only, so nobody asks for the settings
        parser.addini("DJANGO_SETTINGS_MODULE", "unused without pytest-django")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "django_db: touches the database")
    # On a busy machine an example may take longer than Hypothesis's usual limits.
    patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("patient", parent=patient)
    settings.load_profile("patient")


def pytest_report_header(config: pytest.Config) -> str:
    return "database: " + ("PostgreSQL" if config.getoption("--postgres") else "SQLite")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if not config.getoption("--postgres") or not collection_path.name.startswith("test_"):
        return None  # for others to say
    path = collection_path.relative_to(config.rootpath).as_posix()
    return has_nothing_for_postgres(path, collection_path.read_text()) or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With --postgres keep what depends on the database; without it leave out what only PostgreSQL can do."""
    kept, left_out = [], []
    for item in items:
        wants_postgres = item.get_closest_marker("postgres") is not None
        if config.getoption("--postgres"):
            # A journey in the browser exercises the same queries as the view tests, so it runs once, on SQLite.
            on_sqlite = item.get_closest_marker("browser") or item.get_closest_marker("sqlite")
            path = item.path.relative_to(config.rootpath).as_posix()
            elsewhere = bool(on_sqlite) or is_the_same_on_any_database(path)
            keep = wants_postgres or (touches_database(item) and not elsewhere)
        else:
            keep = not wants_postgres
        (kept if keep else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    # The longest tests start processes and wait for them. Were one of them the last, the other worker would be idle.
    items[:] = sorted(kept, key=lambda item: item.get_closest_marker("worker") is None)


def touches_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())):
        return True
    try:
        from django.test import TransactionTestCase
    except ImportError:
        return False
    return issubclass(getattr(item, "cls", None) or object, TransactionTestCase)


def unavailable(reason: object) -> NoReturn:
    """Skip the test and say how to have it run; on CI, where nothing is skipped, fail it."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (CI skips nothing)", pytrace=False)
    pytest.skip(str(reason))


@pytest.fixture(scope="session")
def dsg_tifa160(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with items.csv, ratings.csv and metrics.csv of published human ratings."""
    return dsg_tifa160_data.write_files(tmp_path_factory.mktemp("dsg_tifa160"))


@pytest.fixture(scope="session")
def sld_pairs() -> Path:
    """A folder with eight pairs of baseline and refined images, and their manifest."""
    return DATA / "sld_pairs"


@pytest.fixture(scope="session")
def prompt_files() -> Path:
    """A folder with prompts in the formats of InterActing (three files) and AcT2I."""
    return DATA / "prompts"


@pytest.fixture(autouse=True)
def _no_counts_left(request: pytest.FixtureRequest) -> None:
    """Let no test meet a limit by what another one did."""
    if touches_database(request.node):
        from django.conf import settings

        from evalsite.requests.limits import FILE_NAME

        (Path(settings.DATA_DIR) / FILE_NAME).unlink(missing_ok=True)


@pytest.fixture(autouse=True)
def _no_files_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Empty the media folder after a test that wrote into it. Tests without the database write none."""
    yield
    if touches_database(request.node):
        from django.conf import settings

        if settings.MEDIA_ROOT and Path(settings.MEDIA_ROOT).is_dir():
            shutil.rmtree(settings.MEDIA_ROOT)


# --- servers ---------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """A real Redis on a free loopback port; `url` is its first database."""
    try:
        server = servers.start_redis(tmp_path_factory.mktemp("redis"))
    except servers.Unavailable as reason:
        unavailable(reason)
    yield server
    server.stop()


def database_url() -> str:
    """The test database as a DATABASE_URL for another process."""
    from django.db import connection

    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    host = str(settings["HOST"]).replace("/", "%2F")
    password = f":{settings['PASSWORD']}" if settings["PASSWORD"] else ""
    port = f":{settings['PORT']}" if settings["PORT"] else ""
    return f"postgres://{settings['USER']}{password}@{host}{port}/{settings['NAME']}"


def site_environment(**changes: str) -> dict[str, str]:
    """The environment in which another process sees this test's database, files and secret."""
    from django.conf import settings

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EVALSITE_", "PYTEST_"))}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "evalsite.settings",
        "DATABASE_URL": database_url(),
        "EVALSITE_DATA_DIR": str(settings.DATA_DIR),
        "CELERY_BROKER_URL": "memory://localhost",
        **changes,
    }


@pytest.fixture
def celery_worker_process(
    request: pytest.FixtureRequest, transactional_db: None, tmp_path: Path
) -> Iterator[Callable[..., servers.Server]]:
    """Call it to start a real worker process on a real broker; tasks sent by this test then go to that worker.

    `broker` is "filesystem", "redis" or a URL; further keywords are its environment. The worker shares the test
    database and files and is stopped at the end.
    """
    from django.conf import settings

    started: list[servers.Server] = []
    pointed = ExitStack()

    def start(
        broker: str = "filesystem", *, queues: str = "cpu,imports", concurrency: int = 1, **environment: str
    ) -> servers.Server:
        if broker == "redis":
            broker = request.getfixturevalue("redis_server").url
        messages = Path(settings.DATA_DIR) / "broker" / "messages"
        options: dict[str, Any] = {}
        if broker == "filesystem":
            broker = "filesystem://localhost"
            options = {
                "data_folder_in": str(messages),
                "data_folder_out": str(messages),
                "control_folder": str(messages.parent / "control"),
            }
            for folder in ("data_folder_in", "control_folder"):
                shutil.rmtree(options[folder], ignore_errors=True)
                Path(options[folder]).mkdir(parents=True)
        pointed.enter_context(point_celery_at(broker_url=broker, broker_transport_options=options))
        server = servers.start_celery_worker(
            site_environment(CELERY_BROKER_URL=broker, **environment),
            folder=tmp_path,
            queues=queues,
            concurrency=concurrency,
        )
        started.append(server)
        return server

    yield start
    for server in started:
        # Nothing it might still do is of interest, and a worker takes seconds to end in good order.
        if server.process.poll() is None:
            server.crash()
    pointed.close()


@contextmanager
def point_celery_at(**broker: Any) -> Iterator[None]:
    """Within this block, this process's Celery application sends to another broker."""
    import kombu.pools

    from evalsite import celery_app

    def use(**settings: Any) -> None:
        celery_app.conf.update(**settings)
        kombu.pools.reset()
        celery_app._pool = None
        celery_app.amqp._producer_pool = None

    before = {name: celery_app.conf[name] for name in broker}
    use(**broker)
    yield
    use(**before)


@pytest.fixture(scope="session")
def _site_process(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    # Tests that ask thousands of things from one address are not what the limit is for; tests/security has the limits.
    environment = site_environment(EVALSITE_API_STRANGER_CALLS_PER_MINUTE="100000")
    server = servers.start_site(environment, folder=tmp_path_factory.mktemp("site"))
    yield server
    server.stop()


@pytest.fixture
def live_site(transactional_db: None, _site_process: servers.Server) -> str:
    """The address of the real site, served by gunicorn; it shows the rows that a test makes."""
    return _site_process.url
