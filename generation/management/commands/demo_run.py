"""`manage.py demo_run`: a small run of the generator that the demo's worker carries out, with random weights."""

from importlib.util import find_spec
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandParser

from generation import dispatch
from generation.models import Prompt, PromptSet, Run
from generation.recipes.presets import EXPERIMENTS

PROMPT_SET = "demo: try the generator"
RUN = "Try the machinery (random weights)"
# Our own, of the kind that InterActing asks for: who does what, with what, to what.
TEXTS = (
    "A squirrel carves a pattern into an acorn with a small chisel.",
    "A heron holds a lantern over a sleeping frog.",
    "Two otters carry a ladder across a narrow bridge.",
    "A hedgehog pours tea from a blue pot into a tiny cup.",
)


class Command(BaseCommand):
    help = "Start the demo's run, unless it was started before: real libraries, tiny random weights, images of noise."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--owner", help="user name of the person whose run it is")

    def handle(self, **options: Any) -> None:
        if missing := [name for name in ("torch", "diffusers", "open_clip") if find_spec(name) is None]:
            self._say(
                f"No run of the generator: {', '.join(missing)} not installed (`make demo` without GENERATION=0)."
            )
            return
        owner = User.objects.filter(username=options["owner"]).first() if options["owner"] else None
        prompt_set, _is_new = PromptSet.objects.get_or_create(
            name=PROMPT_SET, defaults={"owner": owner, "source": "written for the demo"}
        )
        if Run.objects.filter(name=RUN, prompt_set=prompt_set).exists():
            return
        for text in TEXTS:
            Prompt.objects.get_or_create(
                prompt_set=prompt_set,
                digest=Prompt.digest_of(text, category="functional"),
                defaults={"text": text, "category": "functional"},
            )
        run = dispatch.start_run(
            name=RUN,
            owner=owner,
            prompt_set=prompt_set,
            prompts=prompt_set.prompts.all(),
            matrix=EXPERIMENTS["tiny"].matrix(),
        )
        self._say(f"Started a run of the generator, number {run.pk}: {len(TEXTS)} prompts, tiny random weights.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
