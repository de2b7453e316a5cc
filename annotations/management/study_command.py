"""The base of commands whose argument is a study's token."""

import re
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

LIKE_A_TOKEN = re.compile(r"-[\w-]{21}", re.ASCII)


class TokenParser(CommandParser):
    """Reads a token that begins with "-" as a token. One in 64 older tokens does; no option has 22 characters."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        return super().parse_known_args(args if args is None else tokens_last(args), namespace)


class StudyCommand(BaseCommand):
    """A command that takes a study's token, including one that begins with "-"."""

    requires_system_checks: tuple[str, ...] = ()  # they load every page of the site

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.__class__ = TokenParser  # Django creates the parser itself, and offers no other way to choose its class
        return parser


def tokens_last(arguments: Sequence[str]) -> list[str]:
    """The same arguments with what looks like an option, but is a token, moved to the end, behind "--"."""
    arguments = list(arguments)
    if "--" in arguments:
        return arguments
    tokens = [argument for argument in arguments if LIKE_A_TOKEN.fullmatch(argument)]
    others = [argument for argument in arguments if not LIKE_A_TOKEN.fullmatch(argument)]
    return [*others, "--", *tokens] if tokens else arguments
