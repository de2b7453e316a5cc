"""Workers that end themselves by SIGKILL at a chosen moment: `python -m tests.runs.dying_worker`.

For each line `RUN [STEP MOMENT]` that it reads, it forks a worker, waits for its end, and writes the exit status. So
Django and torch are imported once, and not by each worker.

STEP    a kind of step; "draw-0" and "draw-1" are drawings of round 0 and 1
MOMENT  "claimed": it holds the step and has done nothing; "saving": files are written, rows are not committed

Without a step a worker goes on until the run has ended.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402

from generation import tasks  # noqa: E402
from generation.engines import torchvision_schema  # noqa: E402
from generation.models import Run, Step  # noqa: E402
from generation.services.runs import claiming, work  # noqa: E402

LONGEST_LIFE_S = 120
SLOW_TO_IMPORT = (
    "diffusers.pipelines.stable_diffusion_3.pipeline_stable_diffusion_3",
    "open_clip",
)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def name_of(step: Step) -> str:
    return f"{step.kind}-{step.round}" if step.kind == Step.Kind.DRAW else str(step.kind)


def live(run_id: int, wanted: str = "", moment: str = "") -> None:
    carry_out = work.carry_out

    def until_then(*, claim: claiming.Claim, **rest: Any) -> None:
        is_it = name_of(claim.steps[0]) == wanted
        if is_it and moment == "claimed":
            die()

        def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
            result = execute(sql, params, many, context)
            # The statement that closes a step is the last one before the commit that saves its result.
            if is_it and sql.startswith('UPDATE "generation_step"') and Step.State.DONE in (params or ()):
                die()
            return result

        with connection.execute_wrapper(watch):
            carry_out(claim=claim, **rest)

    work.carry_out = until_then
    while Run.objects.get(pk=run_id).state == Run.State.RUNNING:
        if not sum(tasks.advance(queue, hints=False) for queue in ("cpu", "gpu")):
            time.sleep(0.1)
            claiming.reap()


def fork(run_id: str, *until: str) -> int:
    """The exit status of a new process that lives so; −N where signal N ended it."""
    pid = os.fork()
    if not pid:
        signal.alarm(LONGEST_LIFE_S)
        try:
            live(int(run_id), *until)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    torchvision_schema.prepare()
    for module in SLOW_TO_IMPORT:
        import_module(module)
    for line in sys.stdin:
        print(fork(*line.split()), flush=True)  # noqa: T201 (the answer)
