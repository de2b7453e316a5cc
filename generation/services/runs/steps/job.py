"""A claim being carried out: gets engines, settles one step after another, and keeps errors to their step."""

import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, transaction
from django.utils.translation import gettext as _

from generation.models import ModelCall, Step
from generation.queries.runs.steps import Given, given_to
from generation.recipes.contract import Call, EngineError, OnStep, OutOfMemory, Stopped, Unusable
from generation.recipes.engine_spec import EngineSpec
from generation.services.disk import is_full
from generation.services.runs.claiming import Claim, LeaseLost, complete, fail

EngineFor = Callable[[EngineSpec], Any]
MakeRoom = Callable[[EngineSpec], int]
Do = Callable[[Sequence[Step]], None]
LONGEST_TEXT = 500


class Job:
    """What anyone who carries out a claim works with.

    engine_for  gives a loaded engine
    on_step     raises Stopped when the steps are no longer wanted
    make_room   frees what lies idle next to an engine that ran out of memory; how much that was, 0 for nothing
    """

    def __init__(self, claim: Claim, engine_for: EngineFor, on_step: OnStep, make_room: MakeRoom) -> None:
        self.claim, self.run, self.on_step = claim, claim.steps[0].run, on_step
        self._engine_for, self._make_room = engine_for, make_room
        self.given: Mapping[int, Given] = given_to(claim.steps)
        self.unexpected: Exception | None = None  # the first error that is nobody's fault but the site's
        self._settled: set[int] = set()

    def spec(self, step: Step) -> EngineSpec:
        if step.engine is None:
            raise ValueError(f"{step} has no engine")
        return EngineSpec.from_json(step.engine)

    def engine(self, spec: EngineSpec) -> Any:
        """The engine of this spec. Raises Unusable also where there is no room for it: then no step could be done."""
        try:
            return self._engine_for(spec)
        except OutOfMemory as error:
            cure = error.cure or _("Choose a smaller model, quantization or offload; then resume.")
            raise Unusable(
                _("There is not enough memory for %(engine)s: %(problem)s")
                % {"engine": spec.engine, "problem": error.problem},
                cure,
            ) from error

    # --- settling ----------------------------------------------------------------------------------------------------
    def close(
        self,
        step: Step,
        save: Callable[[], Mapping[str, Any]],
        *,
        seconds: float | None = None,
        is_reused: bool = False,
    ) -> None:
        """Save a step's results and end it, both or neither. `save` makes the rows: fields of the step → row.

        When the step is no longer ours nothing is saved, and the others go on.
        """
        try:
            for is_last_try in (False, True):
                try:
                    with transaction.atomic():
                        complete(step=step, token=self.claim.token, seconds=seconds, is_reused=is_reused, **save())
                    break
                except IntegrityError:
                    # Another worker made the same row at the same moment: the second time it is found.
                    if is_last_try:
                        raise
        except LeaseLost:
            pass
        self._settled.add(step.pk)

    def fail(self, step: Step, message: str, cure: str = "") -> None:
        fail(step=step, token=self.claim.token, message=without_keys(message), cure=without_keys(cure))
        self._settled.add(step.pk)

    def note_calls(self, step: Step, calls: Collection[Call]) -> None:
        """Put calls into the ledger immediately, whether or not the step succeeds: they are paid for."""
        ModelCall.objects.bulk_create(
            ModelCall(
                run_id=step.run_id,
                step=step,
                engine=call.engine[:50],
                model=call.model[:200],
                outcome=call.outcome[:50],
                n_tokens_in=call.n_tokens_in,
                n_tokens_out=call.n_tokens_out,
                cost=None if call.cost is None else Decimal(str(call.cost)),
                seconds=call.seconds,
            )
            for call in calls
        )

    # --- in chunks ---------------------------------------------------------------------------------------------------
    def each(self, steps: Sequence[Step], size: int, do: Do) -> None:
        """Do steps `size` at a time. `do` settles every step of its chunk, or raises.

        Out of memory: half as many at once, then one at a time, then that step fails. Another error of a step: each of
        its chunk is done by itself, so that only the culprit fails. What concerns all steps is re-raised.
        """
        left = deque(steps)
        while left:
            self.on_step(0, 1)
            chunk = [left.popleft() for _n in range(min(size, len(left)))]
            try:
                do(chunk)
                continue
            except (Stopped, OperationalError, InterfaceError):
                raise
            except EngineError as error:
                self.note_calls(chunk[0], error.calls)
                if error.scope != "step":
                    raise
                trouble: Exception = error
            except Exception as error:
                if is_full(error):
                    raise
                trouble = error
            chunk = [step for step in chunk if step.pk not in self._settled]
            if isinstance(trouble, OutOfMemory) and chunk:
                has_room = chunk[0].engine and self._make_room(self.spec(chunk[0]))
                if has_room or len(chunk) > 1:
                    # What fits stays the size for the rest.
                    size = size if has_room else len(chunk) // 2
                    left.extendleft(reversed(chunk))
                    continue
            if len(chunk) > 1:
                self.each(chunk, 1, do)
            elif chunk:
                self._give_up(chunk[0], trouble)

    def _give_up(self, step: Step, trouble: Exception) -> None:
        if isinstance(trouble, OutOfMemory):
            cure = trouble.cure or _("Draw at a smaller size, or set the engine's offload or forward_size.")
            self.fail(step, _("Even one at a time does not fit into memory: %s") % trouble.problem, cure)
        elif isinstance(trouble, EngineError):
            self.fail(step, trouble.problem, trouble.cure)
        else:
            text = f"{type(trouble).__name__}: {trouble}"[:LONGEST_TEXT]
            self.fail(step, text, _("The server's log has the details. Fix the cause, then retry failed steps."))
            self.unexpected = self.unexpected or trouble


class Stopwatch:
    """Shares out the time of a chunk among its steps."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def share(self, n: int) -> float:
        return (time.monotonic() - self._began) / n


def without_keys(text: str) -> str:
    """The text with every endpoint's key masked."""
    for _address, key in settings.GENERATION_ENDPOINTS.values():
        if key:
            text = text.replace(key, "…")
    return text
