"""Steps that draw images: from words, or from what another drawing left."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from exchange.rejects import BadFile
from generation.models import Critique, PromptVariant, Step
from generation.queries.runs.steps import Given
from generation.recipes.contract import BadAnswer, Drawn, EngineError, ImageEngine
from generation.services.image_files import store_image
from generation.services.runs.steps.job import Job, Stopwatch
from generation.services.runs.steps.orders import Order, as_provenance, order_for
from generation.services.runs.steps.restoring import state_of, stored_states
from generation.services.runs.steps.results import copy_image, made_by, save_image, save_variant


def draw_images(job: Job, steps: Sequence[Step]) -> None:
    """Draw them, each saved as soon as its batch is there; where a critic found nothing wrong the image stays."""
    kept = [step for step in steps if _reason_to_stop(step, job.given[step.pk])]
    job.each(kept, 1, lambda chunk: _keep(job, chunk[0]))
    left = [step for step in steps if step not in kept]
    if left:
        engine: ImageEngine = job.engine(job.spec(left[0]))
        job.each(left, max(1, engine.batch_size), lambda chunk: _draw(job, engine, chunk))


def _reason_to_stop(step: Step, given: Given) -> str:
    """Why a further round would be idle; empty where it is to be drawn."""
    critique = _critique(given)
    if critique is None or not step.parameters.get("stop_early"):
        return ""
    reason: str = critique.provenance.get("finished", "")
    return reason


def _keep(job: Job, step: Step) -> None:
    given = job.given[step.pk]
    parent, critique = given.image("parent"), _critique(given)
    if parent is None or critique is None:
        raise EngineError(_("The image that this one starts from was deleted."), _("Start the run again."))
    why = {"stopped": _reason_to_stop(step, given), "stopped_by": critique.pk}
    job.close(step, lambda: {"image": copy_image(step, parent, parent=parent, **why)}, seconds=0.0)


def _draw(job: Job, engine: ImageEngine, steps: Sequence[Step]) -> None:
    watch = Stopwatch()
    orders = [order_for(step, job.given[step.pk], lambda image, n_done: state_of(job, image, n_done)) for step in steps]
    drawn = engine.draw([order.request for order in orders], job.on_step)
    seconds = watch.share(len(steps))
    for step, one in zip(steps, drawn, strict=True):
        job.note_calls(step, one.calls)
    for step, order, one in zip(steps, orders, drawn, strict=True):
        _save(job, engine, step, order, one, seconds)


def _save(job: Job, engine: ImageEngine, step: Step, order: Order, drawn: Drawn, seconds: float) -> None:
    """Files first: a row never lacks its file, and a file without a row is found again by its content."""
    try:
        fields = store_image(drawn.png, name=f"{step.method} {step.seed}")
    except BadFile as bad:
        raise BadAnswer(_("The engine did not return a complete image: %s") % bad, _("Retry it.")) from bad
    states = stored_states(order.request, drawn)
    provenance = made_by(
        step, engine=engine.identity, spec=step.engine, facts=dict(drawn.facts), **as_provenance(order)
    )

    def rows() -> Mapping[str, Any]:
        given = job.given[step.pk]
        return {
            "image": save_image(
                step,
                fields=fields,
                provenance=provenance,
                states=states,
                parent=given.image("parent"),
                variant=_variant(step, given),
            )
        }

    job.close(step, rows, seconds=seconds)


def _variant(step: Step, given: Given) -> PromptVariant | None:
    """The wording that it was drawn with; None for the prompt's own."""
    critique, words = _critique(given), given.one("words")
    if critique is not None:
        by_rules = critique.origin == Critique.Origin.QUESTIONS
        return save_variant(
            step,
            PromptVariant.Kind.REFINED,
            critique.refined_prompt or step.prompt.text,
            origin=PromptVariant.Origin.RULES if by_rules else PromptVariant.Origin.MODEL,
            provenance=made_by(step, critique=critique.pk),
        )
    return words.variant if words else None


def _critique(given: Given) -> Critique | None:
    step = given.one("critique")
    return step.critique if step else None
