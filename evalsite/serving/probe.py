"""Asks a running site whether it is well: `python -m evalsite.serving.probe` ends with status 0 if it is."""

import http.client
import sys

from django.conf import settings

from evalsite.environment import Environment

ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - only compared with


def is_healthy(host: str, port: int) -> bool:
    """Whether the health page answers 200, asked as a browser, or the proxy before the site, would ask."""
    allowed = [name.removeprefix(".") for name in settings.ALLOWED_HOSTS if name != "*"]
    headers = {"Host": allowed[0] if allowed else "localhost"}
    if settings.HTTPS:
        headers["X-Forwarded-Proto"] = "https"
    request = http.client.HTTPConnection("127.0.0.1" if host == ANY_ADDRESS else host, port, timeout=2)
    try:
        request.request("GET", "/healthz/", headers=headers)
        return request.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        request.close()


if __name__ == "__main__":
    env = Environment()
    address = env.text("EVALSITE_HOST", "127.0.0.1"), env.integer("EVALSITE_PORT", 8000, low=1, high=65_535)
    env.close(program="evalsite.serving.probe")
    sys.exit(0 if is_healthy(*address) else 1)
