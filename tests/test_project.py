"""The ground itself: the servers that tests start, the live site, the browser, migrations and the lock file."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command, get_commands, load_command_class
from django.db import DatabaseError, connection
from django.test import Client
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from playwright.sync_api import Page

from tests import servers
from tests.browsing import Watch, assert_accessible
from tests.conftest import unavailable

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.django_db
def test_health_page_answers_when_the_database_does(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    response = client.get("/healthz/")
    assert (response.status_code, response.json()["database"]) == (200, "ok")

    def unreachable() -> None:
        raise DatabaseError

    monkeypatch.setattr(connection, "cursor", unreachable)
    response = client.get("/healthz/")
    assert (response.status_code, response.json()["database"]) == (503, "unreachable")


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.postgres
@pytest.mark.django_db
def test_postgres_run_is_on_a_real_postgres_server() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        assert cursor.fetchone()[0].startswith("PostgreSQL ")


@pytest.mark.worker
@pytest.mark.sqlite  # it asks nothing of the database
@pytest.mark.parametrize("broker", ["filesystem", "redis"])
def test_worker_process_hears_us_over_a_real_broker(
    broker: str, celery_worker_process: Callable[..., servers.Server]
) -> None:
    from evalsite import celery_app

    worker = celery_worker_process(broker)
    replies = celery_app.control.ping(timeout=20, limit=1)
    assert [list(reply.values()) for reply in replies] == [[{"ok": "pong"}]]
    assert worker.stop() == 0


@pytest.mark.browser
def test_browser_sees_the_live_site(page: Page) -> None:
    response = page.goto("/healthz/")
    assert response is not None
    assert response.json()["database"] == "ok"


@pytest.mark.browser
def test_browser_notices_a_missing_page_and_a_script_error(page: Page, watch: Watch) -> None:
    page.goto("/no-such-page/")
    page.evaluate("setTimeout(() => { throw new Error('a fault on the page') })")
    page.wait_for_timeout(50)
    kinds = {trouble.split(":")[0] for trouble in watch.troubles}
    assert kinds == {"console", "response", "uncaught"}
    for part in ("no-such-page", "404", "a fault on the page"):
        watch.expect_trouble(part)


@pytest.mark.browser
def test_accessibility_is_judged_by_element_and_rule(page: Page) -> None:
    fine = "<html lang=en><title>Rate</title><main><h1>Rate</h1><button>Next</button></main></html>"
    page.set_content(fine)
    assert_accessible(page)
    page.set_content(fine.replace("<button>", "<button style='color: #aaa; background: #fff'>"))
    with pytest.raises(pytest.fail.Exception, match=r"color-contrast(?s:.*)<button"):
        assert_accessible(page)
    page.set_content(fine.replace("<button>Next", "<button>"))
    with pytest.raises(pytest.fail.Exception, match=r"button-name"):
        assert_accessible(page)


def test_commands_on_data_load_no_pages() -> None:
    """The system checks import all of them, which takes longer than most of what these commands do."""
    commands = [(name, app) for name, app in get_commands().items() if app in ("annotations", "generation")]
    assert len(commands) > 20
    assert [name for name, app in commands if load_command_class(app, name).requires_system_checks] == []


def test_what_is_missing_skips_here_and_fails_on_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Chromium"):
        unavailable("no Chromium")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no Chromium"):
        unavailable("no Chromium")


def test_a_browser_is_found_or_its_absence_names_the_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EVALSITE_BROWSER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(servers.Unavailable, match="apt-get install chromium"):
        servers.browser_executable()
    (tmp_path / "chromium").touch(mode=0o755)
    assert servers.browser_executable() == str(tmp_path / "chromium")
    monkeypatch.setenv("EVALSITE_BROWSER", "/no/such/browser")
    with pytest.raises(servers.Unavailable, match="EVALSITE_BROWSER='/no/such/browser'"):
        servers.browser_executable()


def test_lock_holds_every_direct_dependency_within_its_bounds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    locked: dict[str, list[Version]] = {}
    for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE):
        locked.setdefault(canonicalize_name(name), []).append(Version(version))
    for line in wanted:
        requirement = Requirement(line)
        if requirement.name == project["name"]:
            continue  # one extra that holds another
        versions = locked.get(canonicalize_name(requirement.name), [])
        assert versions, f"{requirement.name} is not in requirements.lock: run make lock"
        assert all(requirement.specifier.contains(version) for version in versions), f"{line}: run make lock"


def test_lock_names_no_package_index() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text()


# --- containers: what can be checked without an engine ---------------------------------------------------------------
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
OWN_SERVICES = {name: service for name, service in COMPOSE["services"].items() if "build" in service}


def test_every_service_is_healthy_or_says_why_not() -> None:
    """Our own images carry their health check in the Dockerfile; others have it in the compose file."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    stages = {stage.split()[0]: stage for stage in re.split(r"^FROM \S+ AS ", dockerfile, flags=re.MULTILINE)[1:]}
    for service in OWN_SERVICES.values():
        assert "HEALTHCHECK" in stages[service["build"]["target"]]
    for name in set(COMPOSE["services"]) - set(OWN_SERVICES):
        assert COMPOSE["services"][name]["healthcheck"]["test"][0] == "CMD"


def test_our_containers_are_locked_down_and_only_the_gpu_worker_has_torch() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "\nUSER evalsite\n" in dockerfile.partition(" AS base")[2].partition("FROM")[0]
    for service in OWN_SERVICES.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "tmp:/tmp" in service["volumes"], "large files would lie in memory"
    with_torch = re.findall(r"^FROM base AS (\S+)\nCOPY --from=install-generation", dockerfile, re.MULTILINE)
    assert with_torch == ["worker-gpu"]


def test_compose_file_holds_no_secret_and_every_variable_in_it_is_known() -> None:
    from evalsite.settings import env

    environment = COMPOSE["x-site"]["environment"]
    assert {name for name in environment if not name.startswith("AWS_")} <= env.names
    for name in ("DATABASE_URL", "CELERY_BROKER_URL", "EVALSITE_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"):
        assert "${" in environment[name]
    example = re.findall(r"^(?:# )?([A-Z_0-9]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    used = set(re.findall(r"\$\{([A-Z_0-9]+)", (ROOT / "docker-compose.yml").read_text()))
    assert set(example) <= used
