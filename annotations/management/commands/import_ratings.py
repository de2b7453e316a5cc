"""`manage.py import_ratings`."""

import json
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from annotations.management.mapping_arguments import add_mapping_arguments, mapping_of
from annotations.management.scale_argument import add_scale_argument


class Command(BaseCommand):
    requires_system_checks: tuple[str, ...] = ()  # they load every page of the site
    help = "Import existing human ratings into a study, optionally with a table of items and metric scores."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ratings", nargs="+", help="a table with item, rater, dimension, value, or an export")
        parser.add_argument("--items", help="a table with item, prompt (or prompt_id), method; the rest is kept")
        parser.add_argument("--metrics", help="a table with item, metric, value")
        parser.add_argument("--study", required=True, help="the title of the owner's study; a new title makes one")
        parser.add_argument("--owner", required=True, help="the account that the study belongs to")
        add_mapping_arguments(parser)
        add_scale_argument(parser, help="1-5, or 0,0.5,1; speed=1-3 for one dimension; repeatable")
        parser.add_argument(
            "--prompt-set",
            help="the prompt set that has the rated images or will receive them; by default one with the study's title",
        )
        parser.add_argument("--dry-run", action="store_true", help="report what would happen, and write nothing")
        parser.add_argument("--rejects", help="write every refused row to this CSV file")

    def handle(self, **options: Any) -> None:
        others = [f"{role}={options[role]}" for role in ("items", "metrics") if options[role]]
        values = [f"study={options['study']}", *(f"scale={scale}" for scale in options["scale"])]
        mapping = mapping_of(options).to_json()
        if mapping:
            values.append(f"mapping={json.dumps(mapping, ensure_ascii=False)}")
        if options["prompt_set"]:
            values.append(f"prompt_set={options['prompt_set']}")
        call_command(
            "import_file",
            "ratings",
            *options["ratings"],
            others=others,
            values=values,
            owner=options["owner"],
            dry_run=options["dry_run"],
            rejects=options["rejects"],
            verbosity=options["verbosity"],
            stdout=self.stdout,
            stderr=self.stderr,
        )
