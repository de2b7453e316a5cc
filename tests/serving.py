"""`manage.py serve` for tests, and the processes below it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import servers

Serve = Callable[..., servers.Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts `manage.py serve` on the test database, from the given port on."""
    from tests.conftest import site_environment

    started: list[servers.Server] = []

    def start(*arguments: str, **environment: str) -> servers.Server:
        environment = {"CELERY_BROKER_URL": "", "EVALSITE_WEB_WORKERS": "1"} | environment
        command = [sys.executable, "manage.py", "serve", *arguments]
        server = servers.start(command, log=tmp_path / f"serve-{len(started)}.log", env=site_environment(**environment))
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@contextmanager
def sending_to_serve() -> Iterator[Path]:
    """Within this block, this process's messages go to the broker in the data folder, as those of `serve` do.

    Gives the broker's folder.
    """
    from django.conf import settings

    from tests.conftest import point_celery_at

    folder = Path(settings.DATA_DIR) / "broker"
    messages = str(folder / "messages")
    options = {"data_folder_in": messages, "data_folder_out": messages, "control_folder": str(folder / "control")}
    with point_celery_at(broker_url="filesystem://localhost", broker_transport_options=options):
        yield folder


def children(pid: int) -> list[int]:
    """The running processes whose parent is this one, from Linux's own list."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    if not found.exists():
        pytest.skip("this kernel keeps no list of a process's children")
    return [int(child) for child in found.read_text().split()]


def descendants(pid: int) -> list[int]:
    found = children(pid)
    return found + [lower for child in found for lower in descendants(child)]


def is_ready(server: servers.Server) -> bool:
    return "==> Ready: http://127.0.0.1:" in server.says()
