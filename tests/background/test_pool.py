"""A worker whose process is killed goes on, whatever the process was doing."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests import servers

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]


def children_of(server: servers.Server) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True, check=False)
    return [int(number) for number in listed.stdout.split()]


def test_a_worker_whose_idle_process_is_killed_ends_to_be_started_again(
    celery_worker_process: Callable[..., servers.Server],
) -> None:
    """The dead process holds the lock of the pipe with tasks, so its successor would wait for ever."""
    from annotations.tasks import resume_reports

    worker = celery_worker_process()
    resume_reports.delay()
    servers.wait_until(lambda: " succeeded in " in worker.says(), worker)
    [idle] = children_of(worker)
    os.kill(idle, signal.SIGKILL)
    assert worker.process.wait(30) == 1
    assert "this worker ends, to be started again" in worker.says()
    assert children_of(worker) == []

    assert worker.begin is not None
    resume_reports.delay()
    worker.start_again(lambda: worker.says().count(" succeeded in ") == 2)


GOES_ON = """
import os, signal, time
from evalsite.background.pool import WatchedPool
pool = WatchedPool(processes=1)
pool.apply_async(os.getpid).get(timeout=30)
accepted = []
pool.apply_async(time.sleep, (300,), accept_callback=lambda pid, _: accepted.append(pid))
while not accepted:
    time.sleep(0.05)
os.kill(accepted[0], signal.SIGKILL)
print(pool.apply_async(os.getpid).get(timeout=30) != accepted[0], flush=True)
os._exit(0)
"""


def test_a_pool_whose_busy_process_is_killed_goes_on() -> None:
    """A process at work holds no lock: its successor does the next task, and nothing begins anew."""
    done = subprocess.run([sys.executable, "-c", GOES_ON], cwd=servers.ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "True\n"
