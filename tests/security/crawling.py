"""Follows every link from an address on, as one person, and keeps all that the site answers."""

import html
import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from django.http import HttpResponseBase
from django.test import Client

LINKS = re.compile(r'(?:(?:href|src|action|hx-get|hx-post)="(?=[^"#])|(?:content|data-[a-z-]+)="(?=/))([^"#]+)')
"""Other attributes hold texts: only what begins as an address does is followed."""


@dataclass(frozen=True)
class Answer:
    """One answer: where, its status, its headers as lines, and its body."""

    url: str
    status: int
    headers: str
    body: bytes

    @property
    def everything(self) -> str:
        """All that somebody with the browser's developer tools could read. Of images, whose bytes have a test of their
        own, the headers."""
        body = "" if self.body.startswith(b"RIFF") else self.body.decode()
        return "\n".join((self.url, self.headers, body))


def answer_of(url: str, response: HttpResponseBase) -> Answer:
    """The whole answer. "Cache-Control" goes by another name: "control" is a word that is looked for."""
    body = response.getvalue() if response.streaming else response.content  # type: ignore[attr-defined]
    headers = "\n".join(f"{name}: {value}" for name, value in response.headers.items() if name != "Cache-Control")
    return Answer(url, response.status_code, headers, body)


def crawl(client: Client, start: list[str], *, most: int = 1_500) -> dict[str, Answer]:
    """Every address of this site that GET reaches from `start`, by address. Not followed: other sites, static files
    (the same for everybody), and signing in or out."""
    found: dict[str, Answer] = {}
    queue = list(start)
    while queue and len(found) < most:
        url = queue.pop(0)
        parts = urlsplit(url)
        if (
            url in found
            or parts.netloc
            or parts.path.startswith(("/static/", "/s/", "/sign-"))
            or parts.path[:1] != "/"
        ):
            continue
        response = client.get(url)
        found[url] = answer = answer_of(url, response)
        if location := response.headers.get("Location"):
            queue.append(urljoin(url, location))
        if response.headers.get("Content-Type", "").startswith(("text/html", "application/json")):
            text = answer.body.decode().replace('\\"', '"')
            queue += [urljoin(url, html.unescape(link)) for link in LINKS.findall(text)]
    assert len(found) < most, "the crawl did not come to an end"
    return found
