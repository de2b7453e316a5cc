"""The work that happens in Celery workers: imports, and the steps of runs. Messages are hints, rows are the truth."""

import logging
from collections.abc import Mapping
from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError

from generation.engines import registry
from generation.models import Run
from generation.recipes.engine_spec import Endpoint, EngineSpec, Surroundings
from generation.recipes.matrix import Matrix
from generation.recipes.requests import EngineError, Missing
from generation.services import import_runs, reproduction_runs
from generation.services.runs import claiming, planning, steering, work
from generation.services.runs.pulse import Pulse

logger = logging.getLogger(__name__)


@shared_task
def run_import(run_id: int) -> None:
    """Carry out one import, unless another worker has it or it has ended: a message that comes twice does no harm."""
    run = import_runs.claim(run_id=run_id)
    if run is not None:
        import_runs.carry_out(run=run)


@shared_task
def resume_imports() -> int:
    """Send imports on their way again whose message was lost or whose worker died; how many."""
    abandoned = import_runs.take_abandoned(now=timezone.now())
    for run_id in abandoned:
        run_import.delay(run_id)
    return len(abandoned)


@shared_task
def plan_run(run_id: int) -> None:
    """Make a run's steps and have workers begin, unless another worker is at it or it was cancelled."""
    run = planning.claim_planning(run_id)
    if run is None:
        return
    planning.plan_run(run=run)
    steering.end_if_done(run_id=run_id)
    for queue in claiming.ready_queues():
        hint(queue)


@shared_task
def advance(queue: str, *, hints: bool = True) -> int:
    """Do what is next on a queue; how many steps that were. Nothing to do, or done by others: nothing happens.

    hints  whether to tell workers that there is more

    One message a queue keeps all its workers busy: who begins with something tells the next one that there is more.
    """
    claim = claiming.claim(queue=queue)
    if claim is None:
        return 0
    told = hints and queue in claiming.ready_queues() and hint(queue)
    try:
        with Pulse(lambda: claiming.renew(token=claim.token), name=claim.token[:6]) as pulse:
            if is_complete(claim.run_id, queue):
                work.carry_out(claim=claim, engine_for=engine_for, on_step=pulse.on_step, make_room=make_room)
            else:
                claiming.give_back(token=claim.token)
    finally:
        # Whatever is left is nobody's: without this it would wait for its lease to end.
        claiming.give_back(token=claim.token)
        steering.end_if_done(run_id=claim.run_id)
        for other in claiming.ready_queues() if hints else []:
            if not told if other == queue else not claiming.somebody_is_at_work(other):
                hint(other)
    return len(claim.steps)


@shared_task
def resume_runs() -> int:
    """Free what dead workers held, and remind workers of what can be done while nobody is at it; how many reminders."""
    n_freed = claiming.reap()
    for run_id in planning.waiting_for_planner():
        plan_run.delay(run_id)
    for run_id in claiming.running_runs():
        steering.end_if_done(run_id=run_id)
    queues = [queue for queue in claiming.ready_queues() if n_freed or not claiming.somebody_is_at_work(queue)]
    for reproduction_id in reproduction_runs.take_abandoned(now=timezone.now()):
        send_reproduction(reproduction_id)
    # A worker that is busy elsewhere shall not find a heap of reminders.
    return sum(hint(queue, expires_s=claiming.lease().total_seconds()) for queue in queues)


@shared_task
def reproduce_image(reproduction_id: int) -> None:
    """Make one image again and record how near it came, unless another worker has it or it has ended."""
    reproduction = reproduction_runs.claim(reproduction_id=reproduction_id)
    if reproduction is not None:
        reproduction_runs.carry_out(reproduction=reproduction, engine_for=engine_for)


def send_reproduction(reproduction_id: int) -> None:
    """Tell a worker that draws to make an image again. When the broker does not answer, `resume_runs` tries later."""
    try:
        reproduce_image.apply_async(args=(reproduction_id,), queue="gpu", retry=False)
    except OperationalError:
        logger.warning("The broker does not answer; reproduction %s waits", reproduction_id)
        reproduction_runs.was_not_sent(reproduction_id=reproduction_id)


def hint(queue: str, *, expires_s: float | None = None) -> bool:
    """Tell a worker of a queue that there is something to do; False when the broker does not answer."""
    try:
        options: dict[str, Any] = {} if expires_s is None else {"expires": expires_s}
        advance.apply_async(args=(queue,), queue=queue, retry=False, **options)
    except OperationalError:
        # The rows wait, and `resume_runs` sends a hint as soon as the broker is back.
        logger.warning("The broker does not answer; %s waits", queue)
        return False
    return True


# --- engines: this module alone asks for them ------------------------------------------------------------------------
def surroundings() -> Surroundings:
    """What this worker has: endpoints with their keys, and a device."""
    endpoints = {name: Endpoint(url, key) for name, (url, key) in settings.GENERATION_ENDPOINTS.items()}
    return Surroundings(endpoints, settings.GENERATION_DEVICE)


def engine_for(spec: EngineSpec) -> Any:
    """An engine, loaded at its first use and kept. Raises Unusable with the cure."""
    return registry.cached(spec, surroundings())


def make_room(spec: EngineSpec) -> int:
    """Free the engines that lie idle beside this one; how many."""
    return registry.forget(but=spec)


def missing_for(matrix: Mapping[str, Any], queue: str | None = None) -> list[Missing]:
    """All that the engines of a matrix (as JSON) need and that is not on this machine."""
    plan = Matrix.from_json(matrix)
    missing: dict[str, Missing] = {}
    for spec in [*plan.engines.values(), *plan.metrics.values()]:
        if queue is None or plan.queue(spec) == queue:
            missing |= {part.what: part for part in _missing(spec)}
    return list(missing.values())


def _missing(spec: EngineSpec) -> list[Missing]:
    if spec.engine == "rules":  # a recipe, which needs no engine
        return []
    if spec.engine == "questions":  # another, which asks one
        spec = EngineSpec.from_json(spec.options["answerer"])
    try:
        return registry.missing(spec, surroundings())
    except EngineError as error:
        return [Missing(error.problem, error.cure)]


_complete: set[tuple[int, str]] = set()


def is_complete(run_id: int, queue: str) -> bool:
    """Whether this worker has what a run needs on a queue. If not, the run is paused and says what would bring it."""
    if (run_id, queue) in _complete:
        return True
    run = Run.objects.get(pk=run_id)
    missing = missing_for(run.matrix, queue)
    if missing:
        try:
            steering.pause(
                run=run,
                message=" ".join(part.what for part in missing),
                cure="\n".join(dict.fromkeys(part.cure for part in missing)),
            )
        except steering.NotNow:
            logger.info("Run %s is no longer running", run_id)
        return False
    _complete.add((run_id, queue))
    return True
