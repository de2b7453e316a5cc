"""`manage.py draw_demo`: the pictures and critiques that `manage.py demo` makes its study of."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from generation.recipes.scenes.demo import PROMPTS_PER_CATEGORY
from generation.services.demo import make_demo_material


class Command(BaseCommand):
    help = "Draw the demo's pictures, with prompts, critiques and scores, all simulated from one seed."
    requires_system_checks: tuple[str, ...] = ()  # they load every page of the site

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--prompts-per-category", type=int, default=PROMPTS_PER_CATEGORY)

    def handle(self, **options: Any) -> None:
        make_demo_material(seed=options["seed"], say=self._say, prompts_per_category=options["prompts_per_category"])

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
