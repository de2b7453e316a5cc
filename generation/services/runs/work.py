"""Carrying out claimed steps: earlier results are reused, the rest is done, saved as it comes, and settled."""

import logging
import random
from collections.abc import Callable, Sequence
from contextlib import suppress

from django.db import DatabaseError, InterfaceError, connection
from django.utils.translation import gettext as _

from generation.models import Run, Step
from generation.recipes.contract import EngineError, OnStep, RateLimited, Stopped
from generation.services.disk import is_full
from generation.services.runs import steering
from generation.services.runs.claiming import Claim, give_back
from generation.services.runs.steps import choosing, criticising, decomposing, drawing, scoring, wording
from generation.services.runs.steps.job import EngineFor, Job, MakeRoom, without_keys
from generation.services.runs.steps.reusing import reuse

logger = logging.getLogger(__name__)

_DO: dict[str, Callable[[Job, Sequence[Step]], None]] = {
    Step.Kind.DECOMPOSE: decomposing.decompose_prompts,
    Step.Kind.WORDS: wording.word_prompts,
    Step.Kind.DRAW: drawing.draw_images,
    Step.Kind.CRITIQUE: criticising.criticise_images,
    Step.Kind.SCORE: scoring.score_images,
    Step.Kind.CHOOSE: choosing.choose_images,
}
LONGEST_WAIT_S = 600.0
FIRST_WAIT_S = 5.0
# A server may ask for a day; we look again every hour, and the run's page says until when it waits.
LONGEST_PATIENCE_S = 3_600.0


def carry_out(*, claim: Claim, engine_for: EngineFor, on_step: OnStep, make_room: MakeRoom = lambda spec: 0) -> None:
    """Do the steps of a claim, whose engine and kind are the same, and settle each of them.

    A step that cannot be done is FAILED with reason and cure, and the others go on. What concerns all of them gives
    back what is left: at once where the work was stopped, after a while where a server asks for patience, and with the
    run paused where nothing can go on before somebody has acted. An error that is none of an engine's fails its step
    too and is re-raised when all is settled; so is a database that does not answer, with nothing failed.
    """
    try:
        job = Job(claim, engine_for, on_step, make_room)
        left = reuse(job, claim.steps)
        if left:
            _DO[left[0].kind](job, left)
    except Stopped:
        give_back(token=claim.token)
    except EngineError as error:
        if error.scope == "call":
            give_back(
                token=claim.token,
                wait_s=min(max(error.retry_after_s or 0.0, _wait_s(claim)), LONGEST_PATIENCE_S),
                message=without_keys(error.problem),
                cure=without_keys(error.cure),
                is_try=not isinstance(error, RateLimited),
            )
        else:
            _stop_all(claim, error.problem, error.cure)
    except (OSError, DatabaseError, InterfaceError) as error:
        if not is_full(error):
            _give_back_quietly(claim)
            raise
        with suppress(DatabaseError):  # where the database itself has no room, the lease ends by itself
            _stop_all(claim, _("The disk is full."), _("Free space, then resume."))
    except BaseException:
        _give_back_quietly(claim)
        raise
    else:
        if job.unexpected is not None:
            raise job.unexpected


def _stop_all(claim: Claim, problem: str, cure: str) -> None:
    """Pause the run, which can continue only after somebody has done what the cure says."""
    give_back(token=claim.token)
    with suppress(steering.NotNow):  # somebody paused or cancelled it before
        run = Run.objects.get(pk=claim.run_id)
        steering.pause(run=run, message=without_keys(problem), cure=without_keys(cure))


def _give_back_quietly(claim: Claim) -> None:
    """Return what is left as if nothing had been; where the database does not answer, the lease ends by itself."""
    try:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()  # one that broke is opened again
        give_back(token=claim.token)
    except (DatabaseError, InterfaceError):
        logger.warning("The database does not answer; %s steps wait for their lease to end", len(claim.steps))


def _wait_s(claim: Claim) -> float:
    """Twice as long with every try, and randomly different from other workers: up to LONGEST_WAIT_S."""
    n_tries = max(step.n_tries for step in claim.steps)
    longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0**n_tries)
    return random.uniform(longest / 2, longest)  # noqa: S311 (no secret hangs on it)
