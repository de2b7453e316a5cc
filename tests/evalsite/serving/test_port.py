"""The port of `manage.py serve`: restarted at once it keeps its address, and it waits for nobody else."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from evalsite.serving.port import NoPort, listen, noted
from tests import servers
from tests.serving import Serve, children, is_ready


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


@contextmanager
def site() -> Iterator[tuple[socket.socket, int]]:
    """A socket that listens, as a site has one, and its port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener, listener.getsockname()[1]


@pytest.mark.worker
@pytest.mark.django_db(transaction=True)
def test_a_site_restarted_while_it_is_stopping_waits_and_keeps_its_port(serve: Serve) -> None:
    port = servers.free_port()
    first = serve("--port", str(port))
    servers.wait_until(lambda: is_ready(first), first, timeout_s=180)
    assert f"==> Ready: http://127.0.0.1:{port}/" in first.says()
    note = Path(settings.DATA_DIR) / f"serve-{port}.lock"
    assert note.exists()
    (slow,) = [pid for pid in children(first.process.pid) if "beat" in command_line(pid)]
    os.kill(slow, signal.SIGSTOP)  # it hears nothing now, so its site waits for it
    first.process.send_signal(signal.SIGINT)
    servers.wait_until(lambda: "==> Stopping" in first.says(), first)

    second = serve("--port", str(port))
    waits = f"==> The site on port {port} is still stopping; waiting for it"
    servers.wait_until(lambda: waits in second.says(), second, timeout_s=60)
    assert servers.is_running(slow), "the first must be stopping still, or this shows nothing"
    os.kill(slow, signal.SIGCONT)
    assert first.process.wait(60) == 0
    servers.wait_until(lambda: is_ready(second), second, timeout_s=180)
    assert f"==> Ready: http://127.0.0.1:{port}/" in second.says()
    assert note.exists()

    second.process.send_signal(signal.SIGTERM)
    assert second.process.wait(60) == 0
    assert not note.exists()


def test_a_site_that_runs_is_not_waited_for(tmp_path: Path) -> None:
    said: list[str] = []
    with site() as (_, port), noted(port, notes=tmp_path):
        began = time.monotonic()
        with closing(listen("127.0.0.1", port, notes=tmp_path, say=said.append)) as second:
            found = second.getsockname()[1]
    assert found > port
    assert said == [f"==> Port {port} is taken; using {found}"]
    assert time.monotonic() - began < 1


def test_the_note_of_a_killed_site_is_not_waited_for(tmp_path: Path) -> None:
    """The port may belong to anybody by now."""
    with site() as (_, port):
        (tmp_path / f"serve-{port}.lock").write_text("stopping")
        began = time.monotonic()
        with closing(listen("127.0.0.1", port, notes=tmp_path, say=lambda line: None)) as second:
            assert second.getsockname()[1] > port
    assert time.monotonic() - began < 1


def test_the_wait_for_a_site_that_never_ends_has_an_end(tmp_path: Path) -> None:
    with site() as (_, port), noted(port, notes=tmp_path) as note_stopping:
        note_stopping()
        began = time.monotonic()
        with closing(listen("127.0.0.1", port, notes=tmp_path, say=lambda line: None, patience_s=0.5)) as second:
            assert second.getsockname()[1] > port
    assert 0.5 <= time.monotonic() - began < 3


def test_a_connection_in_time_wait_does_not_hold_the_port(tmp_path: Path) -> None:
    with site() as (listener, port):
        client = socket.create_connection(("127.0.0.1", port))
        served, _ = listener.accept()
        served.close()  # who closes first waits
        client.close()
    waiting = f":{port:04X}"
    in_time_wait = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    assert any(row[1].endswith(waiting) and row[3] == "06" for row in in_time_wait), "none waits: this shows nothing"
    with closing(listen("127.0.0.1", port, notes=tmp_path, say=lambda line: None)) as second:
        assert second.getsockname()[1] == port


def test_a_site_without_a_note_runs_all_the_same(tmp_path: Path) -> None:
    with noted(8000, notes=tmp_path / "missing") as note_stopping:
        note_stopping()
    with noted(8000, notes=tmp_path), noted(8000, notes=tmp_path) as of_another_address:
        of_another_address()
        assert (tmp_path / "serve-8000.lock").read_text() == ""


def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoPort, match=r"Cannot listen on 192\.0\.2\.1, port 8000"):
        listen("192.0.2.1", 8000, notes=tmp_path, say=lambda line: None)
