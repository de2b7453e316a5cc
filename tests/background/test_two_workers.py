"""Messages are each handled once, however many workers read and whatever lies among them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import servers
from tests.conftest import site_environment

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]
N_MESSAGES = 200
HANDLED = re.compile(r"Task annotations\.tasks\.resume_reports\[([0-9a-f-]+)\] succeeded")


def test_200_messages_are_each_handled_once_by_two_workers_among_unreadable_files(
    celery_worker_process: Callable[..., servers.Server], settings: Any, tmp_path: Path
) -> None:
    from annotations.tasks import resume_reports

    first = celery_worker_process()
    folder = tmp_path / "second"
    folder.mkdir()  # each worker has a log of its own
    second = servers.start_celery_worker(
        site_environment(CELERY_BROKER_URL=""), folder=folder, options=("--hostname", "second@%h")
    )
    messages = Path(settings.DATA_DIR) / "broker" / "messages"
    try:
        sent = set()
        for n in range(N_MESSAGES):
            sent.add(resume_reports.delay().id)
            if n % 20 == 0:
                (messages / f"{n}_empty.cpu.msg").write_bytes(b"")
                (messages / f"{n}_cut.cpu.msg").write_bytes(b'{"body": "W1tdLCB7fSw')
        both = (first, second)
        servers.wait_until(
            lambda: sum(len(HANDLED.findall(one.says())) for one in both) >= N_MESSAGES, first, timeout_s=120
        )
        handled = [HANDLED.findall(one.says()) for one in both]
    finally:
        second.stop()
    assert sorted(handled[0] + handled[1]) == sorted(sent)
    assert all(handled), "one worker did everything, so nothing was read at once"
    assert not list(messages.glob("*.cpu.msg"))
