"""Requests that the web server refuses before the site sees them are answered as the API answers."""

import http.client
import json
import sys
from pathlib import Path

import pytest

from tests import servers
from tests.conftest import site_environment

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]
REFUSED = [("/api/v1/images/?method=" + 5_000 * "x", {}, 414), ("/api/v1/images/", {"Accept-Language": "\x7f"}, 400)]


def test_a_request_that_cannot_be_read_gets_a_problem(tmp_path: Path) -> None:
    port = servers.free_port()
    options = ["--config", "python:evalsite.serving.web_server", "--bind", f"127.0.0.1:{port}"]
    command = [sys.executable, "-m", "gunicorn", "evalsite.wsgi", *options]
    server = servers.start(command, log=tmp_path / "web.log", env=site_environment())
    try:
        servers.wait_until(lambda: servers.answers(port), server)
        for path, headers, status in REFUSED:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            assert (response.status, response.headers["Content-Type"]) == (status, "application/problem+json")
            assert json.loads(response.read())["status"] == status
    finally:
        server.stop()
