"""The format of the log's lines: the id of the request, no traceback for a refusal, JSON if wanted."""

import json
import logging
import time
from contextvars import ContextVar
from http import HTTPStatus

NO_REQUEST = "-"
current_request: ContextVar[str] = ContextVar("request_id", default=NO_REQUEST)


def add_request_id(record: logging.LogRecord) -> bool:
    record.request_id = current_request.get()
    return True


def leave_out_harmless_traceback(record: logging.LogRecord) -> bool:
    """A refusal (4xx) is intended behaviour, so its line has no traceback."""
    if getattr(record, "status_code", HTTPStatus.INTERNAL_SERVER_ERROR) < HTTPStatus.INTERNAL_SERVER_ERROR:
        record.exc_info = record.exc_text = None
    return True


class JsonLines(logging.Formatter):
    """One JSON object per line, for programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "request": getattr(record, "request_id", NO_REQUEST),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
