"""Where messages may be sent: to the public internet by HTTPS, and to hosts that the operator of the site names.

An address is looked up once and checked, and the connection goes to the checked address: a name that resolves
differently a moment later gets nothing.
"""

import http.client
import ipaddress
import socket
import ssl
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

TIMEOUT_S = 10
MOST_READ = 300


class Unreachable(Exception):
    """The address cannot be sent to; the message says why."""


def checked(url: str) -> SplitResult:
    """The parts of an address that messages may be sent to. Raises ValidationError, which says how to fix it."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValidationError(_("This is not an address: %(problem)s.") % {"problem": error}) from error
    if not parts.hostname or parts.username is not None or parts.fragment or not url.isascii() or not url.isprintable():
        raise ValidationError(_("Give an address such as https://example.org/hook, without a name or a password."))
    if " " in url or "\\" in url:
        raise ValidationError(_("Give an address such as https://example.org/hook, without a name or a password."))
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_named(parts)):
        raise ValidationError(_("Messages are sent only over HTTPS. Give an address that begins with https://."))
    if not _is_named(parts) and port not in (None, 443):
        raise ValidationError(_("Messages are sent only to port 443. Leave the port out."))
    return parts


def post(url: str, *, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    """(status, beginning of the response). Redirects are not followed. Raises Unreachable."""
    try:
        parts = checked(url)
    except ValidationError as problem:
        raise Unreachable(" ".join(problem.messages)) from problem
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    address = _address_of(host, port, is_named=_is_named(parts))
    kind = _PinnedTls if parts.scheme == "https" else _Pinned
    connection = kind(host, port, address)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, body, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read(MOST_READ).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"{type(error).__name__}: {error}"[:MOST_READ]) from error
    finally:
        connection.close()


def _is_named(parts: SplitResult) -> bool:
    """Whether the operator allows this host and port, private or not."""
    return f"{parts.hostname}:{parts.port}" in settings.WEBHOOK_HOSTS or parts.hostname in settings.WEBHOOK_HOSTS


def _address_of(host: str, port: int, *, is_named: bool) -> str:
    """The IP address to connect to. Raises Unreachable if the name has none, or leads into a private network."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}"[:MOST_READ]) from error
    addresses = [str(place[0]) for *_rest, place in found]
    if not is_named:
        for address in addresses:
            ip = ipaddress.ip_address(address.partition("%")[0])
            mapped = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None) or ip
            if not mapped.is_global or mapped.is_multicast:
                raise Unreachable(
                    _(
                        "This host is in a private network, where no messages are sent. An administrator can allow it "
                        "in EVALSITE_WEBHOOK_HOSTS."
                    )
                )
    return addresses[0]


class _Pinned(http.client.HTTPConnection):
    """A connection to the address that was checked, even if its name now resolves differently."""

    def __init__(self, host: str, port: int, address: str) -> None:
        super().__init__(host, port, timeout=TIMEOUT_S)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), TIMEOUT_S)


class _PinnedTls(_Pinned):
    """The same over TLS; the certificate must match the name."""

    def connect(self) -> None:
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
