"""How gunicorn serves the site: `gunicorn -c python:evalsite.serving.web_server evalsite.wsgi`.

Threads wait for the database and for slow clients, processes use the cores. A long download holds a thread only:
gunicorn's time-out watches the process, which still answers other requests.
"""

import gc
import json
import socket
import sys
from pathlib import Path

from django.urls import get_resolver
from gunicorn import util
from gunicorn.http import wsgi

from evalsite.environment import Environment

env = Environment()
workers = env.integer("EVALSITE_WEB_WORKERS", 2, low=1, high=64)
threads = env.integer("EVALSITE_WEB_THREADS", 8, low=1, high=256)
bind = f"{env.text('EVALSITE_HOST', '127.0.0.1')}:{env.integer('EVALSITE_PORT', 8000, low=1, high=65_535)}"
env.close(program="gunicorn")

worker_class = "gthread"
preload_app = True  # loaded once and forked: a worker that died is back immediately, a server in half the time
wsgi.SERVER = "evalsite"  # the header of every answer: the server's software should not be revealed
keepalive = 30

timeout = 60
graceful_timeout = 10
loglevel = "warning"
control_socket_disable = True  # nobody controls it at run time, and a container's disk may be read-only
memory = Path("/dev/shm")  # noqa: S108 - gunicorn makes a private file there
if memory.is_dir():
    worker_tmp_dir = str(memory)  # the heartbeat file: touching it on a busy disk could block a worker


def write_problem(client: socket.socket, status: int, reason: str, detail: str) -> None:
    """Answer a request that cannot be read (overlong address, malformed header) in the form of the API's refusals."""
    problem = {"type": "about:blank", "title": reason, "status": status, "detail": detail, "cure": "", "errors": []}
    body = json.dumps(problem).encode()
    head = f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
    util.write_nonblock(client, f"{head}Content-Length: {len(body)}\r\n\r\n".encode("latin1") + body)


util.write_error = write_problem  # gunicorn's own answer is a page of HTML


def when_ready(server: object) -> None:
    """Load the pages before the workers are forked, not in each worker at its first request."""
    get_resolver().url_patterns  # noqa: B018 - the look at them is what loads them


def post_worker_init(worker: object) -> None:
    """Make threads hand over quickly, and keep the garbage collector away from objects that never become garbage.

    A thread that comes back from the database waits for another's turn in Python to end, 5 ms by default, several
    times while it holds the turn to write. And a process that has loaded everything holds half a million objects,
    which every full collection would walk through for nothing.
    """
    sys.setswitchinterval(0.0005)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
