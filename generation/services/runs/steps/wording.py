"""Steps that word a prompt differently: as it is stored, or by a language model."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from generation.models import PromptVariant, Step
from generation.recipes.contract import EngineError
from generation.recipes.enrich import enrich
from generation.services.runs.steps.decomposing import GIVEN
from generation.services.runs.steps.job import Job, Stopwatch
from generation.services.runs.steps.results import made_by, save_variant


def word_prompts(job: Job, steps: Sequence[Step]) -> None:
    job.each(steps, 1, lambda chunk: _word(job, chunk[0]))


def _word(job: Job, step: Step) -> None:
    watch = Stopwatch()
    kind = step.parameters["words"]
    if step.parameters.get("use_stored") and (row := _stored(job, step, kind)) is not None:
        job.close(step, lambda: {"variant": row}, seconds=watch.share(1))
        return
    spec = job.spec(step)
    if spec.is_recipe:
        raise EngineError(
            _("No %(kind)s wording of this prompt is stored, and rules write none.") % {"kind": kind},
            _("Import the wordings, or start a run with a language model."),
        )
    engine = job.engine(spec)
    text, answer = enrich(engine, step.prompt.text, kind)
    job.note_calls(step, answer.calls)
    provenance = made_by(step, engine=engine.identity, spec=spec.as_json())
    job.close(
        step,
        lambda: {"variant": save_variant(step, kind, text, origin=PromptVariant.Origin.MODEL, provenance=provenance)},
        seconds=watch.share(1),
    )


def _stored(job: Job, step: Step, kind: str) -> PromptVariant | None:
    """The newest wording by a person or by this very engine; another engine's would be a different experiment."""
    for row in PromptVariant.objects.filter(prompt=step.prompt_id, kind=kind).order_by("-pk"):
        if row.origin in GIVEN or (job.run.may_reuse and row.provenance.get("spec") == step.engine):
            return row
    return None
