"""The default broker: files are there whole or not at all, and one that cannot be read stops nobody."""

import base64
import json
import os
import queue
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Exchange, Queue
from kombu.exceptions import OperationalError
from kombu.pools import connections

from evalsite import celery_app
from evalsite.background import folder_broker, whole_files
from tests import servers

TASK_HEADERS = {"task": "generation.tasks.resume_imports", "id": "1"}


def options(folder: Path) -> dict[str, str]:
    messages = str(folder / "messages")
    return {"data_folder_in": messages, "data_folder_out": messages, "control_folder": str(folder / "control")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "broker"


@pytest.fixture
def connection(folder: Path) -> Iterator[Connection]:
    with Connection("filesystem://", transport_options=options(folder)) as opened:
        yield opened
    folder_broker.Transport.global_state.clear()  # what this process knows of exchanges


def envelope(body: object = ((), {}, {}), **changes: Any) -> dict[str, Any]:
    """A message as Celery writes it, with changes; what is None is left out."""
    text = base64.b64encode(json.dumps(body).encode()).decode()
    message = {
        "body": text,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": TASK_HEADERS,
        "properties": {
            "delivery_tag": "a",
            "body_encoding": "base64",
            "delivery_info": {"exchange": "", "routing_key": "cpu"},
        },
    } | changes
    return {name: part for name, part in message.items() if part is not None}


def properties(**changes: Any) -> dict[str, Any]:
    return {name: part for name, part in (envelope()["properties"] | changes).items() if part is not None}


WHOLE = json.dumps(envelope()).encode()
UNREADABLE: dict[str, bytes] = {
    "empty": b"",
    "cut off": WHOLE[:-20],
    "cut off in a character": "ä".encode()[:1],
    "garbage": bytes(range(256)),
    "zeros": bytes(4096),
    "text": b"hello",
    "null": b"null",
    "a number": b"17",
    "a list": b"[]",
    "an empty object": b"{}",
    "nested without end": b"[" * 100_000,
    "an odd type": b'{"__type__": "no such", "__value__": 1}',
    "larger than any message": b" " * (whole_files.LARGEST_BYTES + 1),
} | {
    name: json.dumps(message).encode()
    for name, message in {
        "no properties": envelope(properties=None),
        "properties of the wrong type": envelope(properties=[]),
        "no delivery tag": envelope(properties=properties(delivery_tag=None)),
        "no way": envelope(properties=properties(delivery_info=None)),
        "a way of the wrong type": envelope(properties=properties(delivery_info="cpu")),
        "a way to nowhere": envelope(properties=properties(delivery_info={})),
        "an unknown body encoding": envelope(properties=properties(body_encoding="rot13")),
        "a body that is not base64": envelope(body="%"),
        "a body that is not JSON": envelope(body=base64.b64encode(b"{").decode()),
        "a body of the wrong shape": envelope(body=base64.b64encode(b"[1]").decode()),
        "no body": envelope(body=None),
        "a pickle": envelope(**{"content-type": "application/x-python-serialize"}),
        "headers of the wrong type": envelope(headers=[]),
        "a task without an id": envelope(headers={"task": "x"}),
        "a task whose name is a list": envelope(headers={"task": [], "id": "1"}),
        "a task of the old protocol": envelope({"task": "x"}, headers={}),
    }.items()
}


def drop(folder: Path, name: str, content: bytes) -> Path:
    """Put a file into the folder of messages."""
    path = folder / "messages" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def take(channel: Any, name: str = "cpu") -> dict[str, Any] | None:
    try:
        return channel._get(name)
    except queue.Empty:
        return None


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_set_aside_and_the_next_message_read(
    folder: Path, connection: Connection, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    drop(folder, "1_a.cpu.msg", content)
    channel = connection.default_channel
    channel._put("cpu", envelope())
    assert take(channel) == envelope()
    assert take(channel) is None
    assert [path.read_bytes() for path in (folder / "unreadable").iterdir()] == [content]
    assert len(caplog.records) == 1
    assert "1_a.cpu.msg" in caplog.text
    assert list((folder / "messages").iterdir()) == []


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/etc/hostname")])
def test_what_is_not_a_file_is_set_aside(folder: Path, connection: Connection, make: Callable[[Path], object]) -> None:
    drop(folder, "other.msg", b"").unlink()
    make(folder / "messages" / "1_a.cpu.msg")
    channel = connection.default_channel
    channel._put("cpu", envelope())
    assert (take(channel), take(channel)) == (envelope(), None)
    assert len(list((folder / "unreadable").iterdir())) == 1


def test_messages_come_in_the_order_of_sending_and_to_their_queue(connection: Connection) -> None:
    channel = connection.default_channel
    for n in range(12):
        channel._put(("cpu", "gpu")[n % 2], envelope([[n], {}, {}]))
    assert channel._size("gpu") == 6
    assert [channel._get("cpu")["body"] for _ in range(6)] == [envelope([[n], {}, {}])["body"] for n in range(0, 12, 2)]
    assert take(channel) is None


def test_what_a_killed_process_left_is_removed_after_a_while(folder: Path, connection: Connection) -> None:
    old, fresh = drop(folder, ".x.draft", b"{"), drop(folder, ".1_a.cpu.msg.taken", b"{")
    long_ago = time.time() - 2 * whole_files.LEFTOVER_S
    os.utime(old, (long_ago, long_ago))
    assert take(connection.default_channel) is None
    assert (old.exists(), fresh.exists()) == (False, True)


def test_without_its_folders_it_makes_them(folder: Path, connection: Connection) -> None:
    channel = connection.default_channel
    assert (take(channel), channel._size("cpu")) == (None, 0)
    channel._put("cpu", envelope())
    assert take(channel) == envelope()


def test_a_folder_that_cannot_be_written_is_a_broker_that_does_not_answer(folder: Path) -> None:
    """Which the site expects: the row waits, and is sent later."""
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file where the folder should be")
    with Connection("filesystem://", transport_options=options(folder)) as connection, pytest.raises(OperationalError):
        celery_app.send_task("x", connection=connection, queue="cpu", retry=False)
    connections.clear()


# --- exchanges -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("content", [b"", b'[["', b"{}", b"[1]", b'[["a", "b"]]', b"[[1, 2, 3]]", bytes(range(256))])
def test_an_unreadable_table_is_set_aside_and_the_living_bind_again(
    folder: Path, connection: Connection, content: bytes
) -> None:
    fan = Exchange("news", type="fanout")
    reader = Queue("reader", fan)(connection.default_channel)
    reader.declare()
    table = folder / "control" / "news.exchange"
    table.write_bytes(content)
    assert connection.default_channel.get_table("news") == []
    assert len(list((folder / "unreadable").iterdir())) == 1

    connection.default_channel.bindings_checked_every_s = 0
    assert take(connection.default_channel, "reader") is None
    with Connection("filesystem://", transport_options=options(folder)) as sender:
        sender.Producer().publish({"method": "ping"}, exchange=fan, declare=[fan])
    assert reader.get() is not None


def test_messages_are_read_while_tables_cannot_be_written(
    folder: Path, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk: a worker that reads tasks must not end because of a table."""
    channel = connection.default_channel
    Queue("reader", Exchange("news"), "key")(channel).declare()
    channel._put("cpu", envelope())
    (folder / "control" / "news.exchange").unlink()

    def fail(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_broker, "write_whole", fail)
    channel.bindings_checked_every_s = 0
    assert take(channel) == envelope()


def test_an_unreadable_table_is_rewritten_by_the_next_binding(folder: Path, connection: Connection) -> None:
    channel = connection.default_channel
    (folder / "control").mkdir(parents=True)
    (folder / "control" / "news.exchange").write_bytes(b"")
    Queue("reader", Exchange("news"), "key")(channel).declare()
    assert [row.queue for row in channel.get_table("news")] == ["reader"]


def test_a_binding_is_dropped_with_its_queue(connection: Connection) -> None:
    channel = connection.default_channel
    bound = [Queue(name, Exchange("news"), "key")(channel) for name in ("first", "second")]
    for one in bound:
        one.declare()
    bound[0].delete()
    assert [row.queue for row in channel.get_table("news")] == ["second"]


# --- many processes at once ------------------------------------------------------------------------------------------
READER = """
import queue, sys
from kombu import Connection
import evalsite.celery
messages, control = sys.argv[1:]
options = {"data_folder_in": messages, "data_folder_out": messages, "control_folder": control}
with Connection("filesystem://", transport_options=options) as connection:
    channel = connection.default_channel
    print("ready", flush=True)
    while True:
        try:
            task = channel._get("cpu")["headers"]["id"]
        except queue.Empty:
            continue
        print(task, flush=True)
        if task == "end":
            break
"""


def test_two_readers_in_a_tight_loop_get_each_of_many_messages_once(folder: Path, connection: Connection) -> None:
    arguments = [str(folder / "messages"), str(folder / "control")]
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, *arguments], cwd=servers.ROOT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
    channel = connection.default_channel
    names = [str(n) for n in range(1_000)]
    for name in [*names, "end", "end"]:
        channel._put("cpu", envelope(headers=TASK_HEADERS | {"id": name}))
    read = [reader.communicate(timeout=60)[0].split() for reader in readers]
    assert sorted(read[0] + read[1]) == sorted([*names, "end", "end"])
    assert not (folder / "unreadable").exists()


@pytest.mark.worker
@pytest.mark.django_db(transaction=True)
def test_a_worker_outlives_every_unreadable_file(
    celery_worker_process: Callable[..., servers.Server], settings: Any
) -> None:
    from generation.tasks import resume_imports

    worker = celery_worker_process()
    broker = Path(settings.DATA_DIR) / "broker"
    for n, content in enumerate(UNREADABLE.values()):
        drop(broker, f"{n}_a.cpu.msg", content)
    for exchange in list((broker / "control").glob("*.exchange")):
        exchange.write_bytes(b"")
    resume_imports.delay()
    servers.wait_until(lambda: "Task generation.tasks.resume_imports" in worker.says(), worker)
    servers.wait_until(lambda: worker.says().count("Skipped an unreadable message") == len(UNREADABLE), worker)
    pings = (celery_app.control.ping(timeout=2, limit=1) for _ in range(10))
    assert any(pings), "the worker no longer hears what is sent to all"
