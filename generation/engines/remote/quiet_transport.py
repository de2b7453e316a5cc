"""Keeps the address of an endpoint, and its server's headers, out of the log.

The HTTP library logs each request's full address and each answer's headers. An address may hold a password, and a
server may repeat the key. While one of our calls is under way in a thread, that library does not log.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_calling: ContextVar[bool] = ContextVar("calling", default=False)
# A logger's filter sees only what is logged by that very name, so each is named.
_PARTS = ("connection", "http11", "http2", "proxy", "socks")
_LOGGERS = ("httpx", "httpx2", *(f"{library}.{part}" for library in ("httpcore", "httpcore2") for part in _PARTS))


def _may_speak(record: logging.LogRecord) -> bool:
    return not _calling.get()


@contextmanager
def quiet_transport() -> Iterator[None]:
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_may_speak)  # a second time does nothing
    token = _calling.set(True)
    try:
        yield
    finally:
        _calling.reset(token)
