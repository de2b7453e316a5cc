"""The command-line arguments for the format of a file of ratings and the meaning of its columns and words."""

from argparse import ArgumentParser
from collections.abc import Mapping as Dictionary
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from exchange.ratings.mapping import BadMapping, Mapping, check_encoding, parse_mapping
from exchange.rejects import BadFile


def add_mapping_arguments(parser: ArgumentParser) -> None:
    """`--mapping`, `--columns`, `--labels`, `--encoding`, `--sheet`: how a file is to be read."""
    parser.add_argument(
        "--mapping", type=Path, metavar="FILE", help="how the ratings are to be read: a small JSON file"
    )
    parser.add_argument(
        "--columns",
        nargs="+",
        action="extend",
        default=[],
        metavar="PART=COLUMN",
        help="what the columns of the ratings are: item=image rater=worker value=score; raters=Ann,Ben or "
        "questions=quality,alignment where each is a column; items=… and methods=… likewise",
    )
    parser.add_argument(
        "--labels",
        action="append",
        default=[],
        metavar="WORD=NUMBER,…",
        help='what the words of the ratings mean: "Poor=1,Fair=2,Good=3", for one question "quality:Poor=1,…"',
    )
    parser.add_argument(
        "--encoding",
        default="",
        help="the encoding of the ratings, votes or rankings, such as windows-1252; UTF-8 by default",
    )
    parser.add_argument("--sheet", default="", help="the name of the sheet to read from a workbook")


def mapping_of(options: Dictionary[str, Any]) -> Mapping:
    """The mapping that the arguments define together. Raises CommandError."""
    try:
        mapping = Mapping()
        if options["mapping"]:
            path: Path = options["mapping"]
            if not path.is_file():
                raise CommandError(f"--mapping: there is no file {path}")
            mapping = parse_mapping(path.read_text(encoding="utf-8"), file=path.name)
        mapping = mapping.with_columns(options["columns"]).with_labels(options["labels"])
        if options["encoding"]:
            check_encoding(options["encoding"])
            mapping = replace(mapping, encoding=options["encoding"])
        return replace(mapping, sheet=options["sheet"]) if options["sheet"] else mapping
    except (BadMapping, BadFile) as problem:
        raise CommandError(str(problem)) from None
    except UnicodeDecodeError:
        raise CommandError("--mapping: the file is not UTF-8; save it as UTF-8") from None
