"""`manage.py demo_run`: the run that the demo's worker carries out, with the small model of scenes."""

from importlib.util import find_spec
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandParser

from generation import availability, dispatch
from generation.models import Prompt, PromptSet, Run
from generation.queries.demo_run import N_PROMPTS, RUN, demo_run
from generation.recipes.matrix.experiments import EXPERIMENTS
from generation.services.demo_run import make_demo_run_prompts

TINY_PROMPT_SET = "demo: try the generator"
TINY_RUN = "Try the machinery (random weights)"
# Our own, of the kind that InterActing asks for: who does what, with what, to what.
TEXTS = (
    "A hedgehog paints a pattern into a pumpkin with a small brush.",
    "A heron holds a lantern over a sleeping frog.",
    "Two otters carry a ladder across a narrow bridge.",
    "A hedgehog pours tea from a blue pot into a tiny cup.",
)


class Command(BaseCommand):
    help = (
        "Start the demo's run, unless it was started before: the small model draws scenes, a critic looks at them, and "
        "they are drawn again. Where the model's weights are missing, tiny random weights draw noise instead."
    )
    requires_system_checks: tuple[str, ...] = ()  # they load every page of the site

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--owner", help="user name of the person whose run it is")
        parser.add_argument("--prompts", type=int, default=N_PROMPTS, help="how many the small model draws")

    def handle(self, **options: Any) -> None:
        if missing := [name for name in ("torch", "diffusers", "open_clip") if find_spec(name) is None]:
            self._say(
                f"No run of the generator: {', '.join(missing)} not installed (`make demo` without GENERATION=0)."
            )
            return
        owner = User.objects.filter(username=options["owner"]).first() if options["owner"] else None
        if availability.missing_for(EXPERIMENTS["scenes"].matrix()):
            self._start_tiny(owner)
        elif demo_run() is None:
            self._start_scenes(owner, options["prompts"])

    def _start_scenes(self, owner: User | None, count: int) -> None:
        prompt_set = make_demo_run_prompts(owner=owner, count=count)
        run = dispatch.start_run(
            name=RUN,
            owner=owner,
            prompt_set=prompt_set,
            prompts=prompt_set.prompts.all(),
            matrix=EXPERIMENTS["scenes"].matrix(),
        )
        n_prompts = prompt_set.prompts.count()
        self._say(f"Started a run of the generator, number {run.pk}: {n_prompts} prompts, the small model of scenes.")

    def _start_tiny(self, owner: User | None) -> None:
        prompt_set, _is_new = PromptSet.objects.get_or_create(
            name=TINY_PROMPT_SET, defaults={"owner": owner, "source": "written for the demo"}
        )
        if Run.objects.filter(name=TINY_RUN, prompt_set=prompt_set).exists():
            return
        for text in TEXTS:
            Prompt.objects.get_or_create(
                prompt_set=prompt_set,
                digest=Prompt.digest_of(text, category="functional"),
                defaults={"text": text, "category": "functional"},
            )
        run = dispatch.start_run(
            name=TINY_RUN,
            owner=owner,
            prompt_set=prompt_set,
            prompts=prompt_set.prompts.all(),
            matrix=EXPERIMENTS["tiny"].matrix(),
        )
        self._say(f"Started a run of the generator, number {run.pk}: {len(TEXTS)} prompts, tiny random weights.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
