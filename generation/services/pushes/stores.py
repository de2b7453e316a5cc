"""Images at addresses of stores that the operator of the site allows."""

import urllib.error
import urllib.request
from http.client import HTTPException, HTTPMessage
from typing import IO, NoReturn
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from exchange.bundles.limits import Limits
from exchange.rejects import Reject
from generation.services.pushes.refused import CALL, Refused

TIMEOUT_S = 30


class _Stays(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it could lead out of the store."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> NoReturn:
        raise urllib.error.HTTPError(req.full_url, code, "it redirects elsewhere", headers, fp)


_opener = urllib.request.build_opener(_Stays)


def is_allowed(url: str) -> bool:
    """Whether an address lies in one of the stores that `EVALSITE_IMAGE_STORES` lists."""
    parts = urlsplit(url)
    steps = unquote(unquote(parts.path)).replace("\\", "/").split("/")
    if parts.username is not None or parts.fragment or ".." in steps or "." in steps or not url.isprintable():
        return False
    return " " not in url and any(url.startswith(store) for store in settings.IMAGE_STORES)


def fetched(url: str, *, row: int, most_bytes: int = Limits().max_entry_bytes) -> bytes:
    """The file at an address. Raises Refused if it is not in an allowed store, or does not give a file."""
    if not is_allowed(url):
        cure = _("ask the operator of this site to add its store to EVALSITE_IMAGE_STORES, or upload the file")
        raise Refused([Reject(CALL, row, "url", url, _("this address is in no store that the site may read"), cure)])
    try:
        # The address begins with one that the operator wrote down, http or https.
        with _opener.open(url, timeout=TIMEOUT_S) as answer:
            content: bytes = answer.read(most_bytes + 1)
    except (OSError, HTTPException, ValueError) as error:
        cure = _("check that the file is there and can be read without signing in, then send the row again")
        raise Refused([Reject(CALL, row, "url", url, f"{error}"[:200], cure)]) from error
    if len(content) > most_bytes:
        cure = _("send a smaller image")
        raise Refused([Reject(CALL, row, "url", url, _("the file is larger than any image here may be"), cure)])
    return content
