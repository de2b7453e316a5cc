"""`manage.py generate`: everything that the run pages do, from a terminal."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils import timezone

from generation import availability, dispatch
from generation.models import Prompt, PromptSet, Run, Step
from generation.queries.runs import overview as queries
from generation.queries.runs.plans import category_for, prompts_of
from generation.recipes.engine_spec import EngineSpec
from generation.recipes.matrix.experiments import EXPERIMENTS
from generation.recipes.matrix.matrix import BadMatrix, Matrix
from generation.recipes.matrix.methods import BadMethod
from generation.services.disk import is_full
from generation.services.runs import steering
from generation.services.runs.steering import NotNow

POLL_S = 1.0


class Command(BaseCommand):
    help = (
        "Start, watch and steer runs of the generator. "
        "`generate start --prompt-set NAME --experiment tiny --here` needs no worker."
    )
    requires_system_checks: tuple[str, ...] = ()  # they load every page of the site

    _started: int | None = None

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="what")
        start = verbs.add_parser("start", help="create a run and start it")
        start.add_argument("--prompt-set", required=True, help="the set's name")
        start.add_argument(
            "--category",
            default="",
            help="only its prompts of this category; by default the experiment's category, if the set has it",
        )
        start.add_argument("--first", type=int, help="only this many prompts, the first ones")
        what = start.add_mutually_exclusive_group(required=True)
        what.add_argument("--experiment", choices=sorted(EXPERIMENTS), help="one that is ready to start")
        what.add_argument("--matrix", type=Path, help="a JSON file: methods, seeds, engines, metrics, drawing")
        start.add_argument("--language", help='an engine as JSON, such as {"engine": "chat", "options": {…}}')
        start.add_argument("--critic", help="the same for the critic")
        start.add_argument("--name", default="", help="a name for the run")
        start.add_argument("--owner", help="user name of the person whose run it is")
        start.add_argument("--priority", type=int, default=0, help="higher goes first")
        start.add_argument("--anew", action="store_true", help="make again what earlier runs have made already")
        start.add_argument(
            "--check", action="store_true", help="report what is missing on this machine, and start nothing"
        )
        self._add_ways_to_follow(start)
        verbs.add_parser("list", help="the latest runs")
        for verb, help_text in {
            "show": "show how far a run is",
            "pause": "pause a run: steps in progress are finished, and no new ones start",
            "resume": "resume a paused run",
            "cancel": "cancel a run; everything made before is kept",
            "retry": "retry failed steps",
            "failures": "list what failed, why, and how to fix it",
        }.items():
            steer = verbs.add_parser(verb, help=help_text)
            steer.add_argument("run", type=int, help="the run's number")
            if verb in ("show", "resume", "retry"):
                self._add_ways_to_follow(steer)

    def _add_ways_to_follow(self, parser: Any) -> None:
        parser.add_argument("--watch", action="store_true", help="show progress until it ends or pauses")
        parser.add_argument("--here", action="store_true", help="do the work in this process, without a worker")

    def handle(self, *, verb: str, **options: Any) -> None:
        try:
            getattr(self, f"_{verb}")(options)
        except NotNow as problem:
            raise CommandError(str(problem)) from problem
        except (OSError, DatabaseError) as error:
            if not is_full(error):
                raise
            number = options.get("run") or self._started
            how = f"`generate show {number} --here`" if number else "the same command"
            raise CommandError(
                f"The disk is full. Everything saved is kept. Free space, then continue with {how}."
            ) from error

    # --- verbs -------------------------------------------------------------------------------------------------------
    def _start(self, options: dict[str, Any]) -> None:
        try:
            matrix = _matrix(options)
            prompts = _prompts(options)
            if self._say_missing(matrix) and options["check"]:
                raise CommandError("Nothing was started.")
            if options["check"]:
                self.stdout.write("Nothing is missing.")
                return
            run = dispatch.start_run(
                name=options["name"] or options["experiment"] or options["matrix"].stem,
                owner=_owner(options["owner"]),
                prompt_set=PromptSet.objects.get(name=options["prompt_set"]),
                prompts=prompts,
                matrix=matrix,
                priority=options["priority"],
                may_reuse=not options["anew"],
            )
        except (BadMatrix, BadMethod) as problem:
            raise CommandError(str(problem)) from problem
        self._started = run.pk
        self.stdout.write(f"Run {run.pk}: {run.name}, {prompts.count()} prompts.")
        self._follow(run, options)

    def _list(self, options: dict[str, Any]) -> None:
        for run in queries.runs()[:20]:
            failed = f", {run.n_failed} failed" if run.n_failed else ""
            self.stdout.write(
                f"{run.pk:>5}  {run.get_state_display():<14} {run.n_done}/{run.n_steps} steps{failed}  {run.name}"
            )

    def _show(self, options: dict[str, Any]) -> None:
        run = _run(options)
        self._follow(run, options)
        if not (options["watch"] or options["here"]):
            self._say_progress(run)
        if waiting := queries.patience(run, timezone.now()):
            until = timezone.localtime(waiting.until).isoformat(sep=" ", timespec="minutes")
            self.stdout.write(f"    {waiting.n} steps are waiting for a server, the first until {until}.")
            self.stdout.write(f"    {waiting.message}\n    {waiting.cure}")

    def _pause(self, options: dict[str, Any]) -> None:
        steering.pause(run=_run(options))
        self.stdout.write("Paused. Steps in progress are finished and saved.")

    def _resume(self, options: dict[str, Any]) -> None:
        run = _run(options)
        if run.state in (Run.State.PLANNING, Run.State.RUNNING):
            if not (options["here"] or options["watch"]):
                raise CommandError(
                    f"Run {run.pk} is not paused: {run.get_state_display()}. A worker is carrying it out; "
                    f"`generate show {run.pk} --here` does so in this process."
                )
            self._follow(run, options)
            return
        dispatch.resume_run(run=run)
        self.stdout.write("Resumed.")
        self._follow(run, options)

    def _cancel(self, options: dict[str, Any]) -> None:
        steering.cancel(run=_run(options))
        self.stdout.write("Cancelled. Everything made before is kept.")

    def _retry(self, options: dict[str, Any]) -> None:
        run = _run(options)
        self.stdout.write(f"Steps that will be retried: {dispatch.retry_run(run=run)}.")
        self._follow(run, options)

    def _failures(self, options: dict[str, Any]) -> None:
        failed = Step.objects.filter(run=_run(options), state=Step.State.FAILED).select_related("prompt", "method")
        for step in failed.order_by("position"):
            self.stdout.write(f"{step.get_kind_display()}, {step.method or ''}: {step.prompt.text[:80]}")
            self.stdout.write(f"    {step.message}\n    {step.cure}")

    # --- following ---------------------------------------------------------------------------------------------------
    def _follow(self, run: Run, options: dict[str, Any]) -> None:
        if options["here"]:
            dispatch.work_here(run=run, after_each=self._progress_printer(run))
        elif options["watch"]:
            print_progress = self._progress_printer(run)
            while not (run.has_ended or run.state == Run.State.PAUSED):
                print_progress()
                time.sleep(POLL_S)
                run.refresh_from_db()
        if options["here"] or options["watch"]:
            run.refresh_from_db()
            self._say_progress(run)
            if run.state != Run.State.DONE or run.message:
                raise CommandError("\n".join(filter(None, [run.get_state_display(), run.message, run.cure])))

    def _progress_printer(self, run: Run) -> Callable[[], None]:
        """Says how far the run is, when that has changed."""
        said: list[tuple[int, ...]] = [()]

        def print_progress() -> None:
            counts = _counts(run)
            if counts != said[0]:
                said[0] = counts
                n_done, n_failed, n_all = counts
                failed = f", {n_failed} failed" if n_failed else ""
                self.stdout.write(f"  {n_done}/{n_all} steps{failed}")
                self.stdout.flush()

        return print_progress

    def _say_progress(self, run: Run) -> None:
        n_done, n_failed, n_all = _counts(run)
        n_images = Step.objects.filter(run=run, kind=Step.Kind.DRAW, state=Step.State.DONE).count()
        self.stdout.write(
            f"Run {run.pk}, {run.get_state_display()}: {n_done} of {n_all} steps, {n_images} images, {n_failed} failed."
        )

    def _say_missing(self, matrix: Matrix) -> bool:
        missing = availability.missing_for(matrix)
        for part in missing:
            self.stderr.write(f"Missing here: {part.what}\n    {part.cure}")
        return bool(missing)


def _counts(run: Run) -> tuple[int, int, int]:
    steps = Step.objects.filter(run=run)
    return (
        steps.filter(state=Step.State.DONE).count(),
        steps.filter(state=Step.State.FAILED).count(),
        steps.count(),
    )


def _run(options: dict[str, Any]) -> Run:
    run = Run.objects.filter(pk=options["run"]).first()
    if run is None:
        raise CommandError(f"There is no run {options['run']}. `generate list` shows all runs.")
    return run


def _owner(username: str | None) -> User | None:
    if not username:
        return None
    owner = User.objects.filter(username=username).first()
    if owner is None:
        raise CommandError(f"There is no user {username!r}.")
    return owner


def _prompts(options: dict[str, Any]) -> "QuerySet[Prompt]":
    name, category = options["prompt_set"], options["category"]
    if not PromptSet.objects.filter(name=name).exists():
        there = ", ".join(PromptSet.objects.values_list("name", flat=True)[:20]) or "none yet: import prompts first"
        raise CommandError(f"There is no prompt set {name!r}. There are: {there}.")
    prompt_set = PromptSet.objects.get(name=name)
    if not category and options["experiment"]:
        category = category_for(prompt_set, EXPERIMENTS[options["experiment"]].category)
    prompts = prompts_of(prompt_set, category)
    if options["first"] is not None:
        prompts = Prompt.objects.filter(pk__in=list(prompts.values_list("pk", flat=True)[: options["first"]]))
    if not prompts.exists():
        raise CommandError(f"No prompt of {name!r} fits --category or --first.")
    return prompts


def _matrix(options: dict[str, Any]) -> Matrix:
    language, critic = _engine(options, "language"), _engine(options, "critic")
    if options["experiment"]:
        experiment = EXPERIMENTS[options["experiment"]]
        if options["first"] is None:
            options["first"] = experiment.n_prompts
        return experiment.matrix(language=language, critic=critic)
    try:
        return Matrix.from_json(json.loads(options["matrix"].read_text()))
    except OSError as error:
        raise CommandError(f"{options['matrix']}: {error.strerror}.") from error
    except ValueError as error:
        raise CommandError(f"{options['matrix']}: {error}") from error


def _engine(options: dict[str, Any], role: str) -> EngineSpec | None:
    if not options[role]:
        return None
    try:
        return EngineSpec.from_json(json.loads(options[role]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(f'--{role}: give JSON such as {{"engine": "chat", "options": {{…}}}} ({error}).') from error
