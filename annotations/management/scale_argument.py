"""The command-line argument that declares scales."""

import re
from argparse import ArgumentParser, ArgumentTypeError

from exchange.tables.values import BadValue, parse_number


def add_scale_argument(parser: ArgumentParser, *, help: str, required: bool = False) -> None:
    """`--scale`, repeatable. Both `--scale -2-2` and `--scale=-2-2` are understood."""
    parser.add_argument("--scale", action="append", required=required, default=None if required else [], help=help)
    # argparse takes "-2-2" for an option, but accepts a negative number as a value: this makes it take the scale for
    # one.
    parser._negative_number_matcher = re.compile(r"-[0-9.]")


def number(text: str) -> float:
    """A number on a command line, in digits of any script, as files may have it. Raises ArgumentTypeError."""
    try:
        return parse_number(text)
    except BadValue as bad:
        raise ArgumentTypeError(f"{text!r} is not a number; write one such as 0.5") from bad
