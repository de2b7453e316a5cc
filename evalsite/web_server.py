"""How gunicorn serves the site: `gunicorn -c python:evalsite.web_server evalsite.wsgi`.

Threads wait for the database and for slow clients, processes use the cores. A long download holds a thread only:
gunicorn's time-out watches the process, which goes on answering meanwhile.
"""

import gc
import sys
from pathlib import Path

from evalsite.environment import Environment

env = Environment()
workers = env.integer("EVALSITE_WEB_WORKERS", 2, low=1, high=64)
threads = env.integer("EVALSITE_WEB_THREADS", 8, low=1, high=256)
bind = f"{env.text('EVALSITE_HOST', '127.0.0.1')}:{env.integer('EVALSITE_PORT', 8000, low=1, high=65_535)}"
env.close(program="gunicorn")

worker_class = "gthread"
keepalive = 30
timeout = 60
graceful_timeout = 10
loglevel = "warning"
control_socket_disable = True  # nobody steers it at run time, and a container's disk may be read-only
memory = Path("/dev/shm")  # noqa: S108 - gunicorn makes a private file there
if memory.is_dir():
    worker_tmp_dir = str(memory)  # the heartbeat file: touching it on a busy disk could block a worker


def post_worker_init(worker: object) -> None:
    """Make threads hand over quickly, and keep the garbage collector off what never becomes garbage.

    A thread that comes back from the database waits for another's turn in Python to end, 5 ms by default, several
    times while it holds the turn to write. And a process that has loaded everything holds half a million objects
    which each full collection would walk through in vain.
    """
    sys.setswitchinterval(0.0005)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
