"""`manage.py demo`: a study to look at and to rate immediately, with one sign-in link for each persona."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from annotations.services.demo.study import make_demo_study
from evalsite.accounts.links import life_of_links, link_to
from generation.queries.demo import demo_set_name
from generation.recipes.scenes.demo import PROMPTS_PER_CATEGORY


class Command(BaseCommand):
    help = "Make the demo study (simulated pictures, raters and auditors), unless it is there, and print sign-in links."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--base-url", default="http://localhost:8000", help="where the site will answer")
        parser.add_argument("--seed", type=int, default=0, help="another seed makes another demo study")
        parser.add_argument(
            "--prompts-per-category",
            type=int,
            default=PROMPTS_PER_CATEGORY,
            help="how large the study is: each prompt of the three categories has two pictures",
        )

    def handle(self, **options: Any) -> None:
        seed = options["seed"]
        # Drawing is the other app's own business; this one knows only where the result is.
        size = {"prompts_per_category": options["prompts_per_category"]}
        call_command("draw_demo", seed=seed, **size, stdout=self.stdout, stderr=self.stderr)
        study, people = make_demo_study(prompt_set=demo_set_name(seed), seed=seed, say=self._say)
        self._say(f"The demo study is ready: “{study.title}”, {study.items.count()} pictures.")
        days, fewer = (life_of_links(user).days for user in (people.annotator, people.researcher))
        self._say("Sign in by one of these links. Anyone who has a link is that person.")
        self._say(f"The researcher's link works for {fewer} days, the other links for {days}.")
        for persona, user in (
            ("annotator", people.annotator),
            ("auditor", people.auditor),
            ("researcher", people.researcher),
        ):
            self._say(f"  {persona:<11} {link_to(user, options['base_url'])}")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
