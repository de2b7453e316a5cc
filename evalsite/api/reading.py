"""What a request may contain: JSON that every part of the site can handle, without a choice of formats."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from exchange.tables.strictjson import StrictDecoder

MOST_LEVELS = 32
"""Depth of nested lists and objects. The API does not need ten levels anywhere."""
LARGEST_INTEGER = 2**63 - 1
BLANK = " \t\n\r"


class StrictJson(BaseParser):
    """JSON that can be stored and returned: see `exchange.tables.strictjson`, MOST_LEVELS and LARGEST_INTEGER."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            text = stream.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ParseError(_("The body is not UTF-8: %(problem)s") % {"problem": error}) from error
        return decoded(text)


def decoded(text: str) -> Any:
    """The value that the text is. Raises ParseError, naming what is wrong."""
    decoder = StrictDecoder()
    try:
        value, end = decoder.decode(text, len(text) - len(text.lstrip(BLANK)))
    except json.JSONDecodeError as error:
        raise ParseError(_("The body is not JSON: %(problem)s") % {"problem": error}) from error
    except RecursionError as error:
        raise ParseError(_too_deep()) from error
    if text[end:].strip(BLANK):
        raise ParseError(_("The body is not JSON: something follows its end at character %(n)s.") % {"n": end})
    if decoder.faults:
        fault = decoder.faults[0]
        raise ParseError(f"{fault.problem}: {fault.cure}")
    _check(value)
    return value


def _check(value: Any) -> None:
    """Raises ParseError for too deep nesting and for numbers that no column can hold. Walks without recursion."""
    level = [value]
    for _depth in range(MOST_LEVELS + 1):
        for part in level:
            if isinstance(part, int) and abs(part) > LARGEST_INTEGER:
                raise ParseError(_("A whole number is larger than %(most)s.") % {"most": LARGEST_INTEGER})
        level = [child for part in level for child in _children(part)]
        if not level:
            return
    raise ParseError(_too_deep())


def _children(part: Any) -> Sequence[Any]:
    if isinstance(part, dict):
        return list(part.values())
    return part if isinstance(part, list) else ()


def _too_deep() -> str:
    return _("Lists and objects are nested more than %(most)s levels deep.") % {"most": MOST_LEVELS}


class AlwaysTheSame(BaseContentNegotiation):
    """A view answers in its only format, whatever `Accept` says (RFC 9110, 12.4.1 allows it).

    So `Accept: text/csv` gets a CSV, and no header, however odd, prevents an answer.
    """

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        given = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == given), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)
