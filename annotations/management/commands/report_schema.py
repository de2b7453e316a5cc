"""`manage.py report_schema`."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from annotations.reports.documents.conversion import json_schema


class Command(BaseCommand):
    help = "Write the JSON Schema of report.json, which the results of the API follow as well."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--out", type=Path, help="a file; without one it is printed")

    def handle(self, **options: Any) -> None:
        text = json.dumps(json_schema(), ensure_ascii=False, indent=1)
        if options["out"]:
            options["out"].write_text(f"{text}\n", encoding="utf-8")
        else:
            self.stdout.write(text)
