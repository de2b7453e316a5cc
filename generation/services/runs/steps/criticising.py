"""Steps that criticise an image: by a model that sees, or by asking the decomposition's questions."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from generation.models import Critique, Image, Step
from generation.recipes.contract import EngineError, Json
from generation.recipes.critique.by_model import critique, refine_plainly
from generation.recipes.critique.by_questions import critique_by_questions
from generation.recipes.critique.outcome import CritiqueOutcome
from generation.recipes.decomposition.decomposition import Decomposition as Graph
from generation.recipes.engine_spec import QUESTIONS, EngineSpec
from generation.services.originals import original_of
from generation.services.runs.steps.job import Job, Stopwatch
from generation.services.runs.steps.results import copy_critique, made_by, model_label, save_critique


def criticise_images(job: Job, steps: Sequence[Step]) -> None:
    job.each(steps, 1, lambda chunk: _criticise(job, chunk[0]))


def _criticise(job: Job, step: Step) -> None:
    watch = Stopwatch()
    image = job.given[step.pk].image("image")
    if image is None or not image.sha256:
        raise EngineError(_("The image was deleted."), _("Start the run again."))
    if (same := _said_before(step, image)) is not None:
        job.close(step, lambda: {"critique": copy_critique(step, same, image)}, seconds=watch.share(1))
        return
    spec = job.spec(step)
    outcome, identity = _ask(job, step, spec, original_of(image))
    critic, version = model_label(identity, spec)
    origin = Critique.Origin.QUESTIONS if spec.is_recipe else Critique.Origin.MODEL
    provenance = made_by(step, engine=identity, spec=spec.as_json(), critic=step.parameters["critic"])
    job.close(
        step,
        lambda: {
            "critique": save_critique(
                step, image, outcome, critic=critic, critic_version=version, origin=origin, provenance=provenance
            )
        },
        seconds=watch.share(1),
    )


def _ask(job: Job, step: Step, spec: EngineSpec, content: bytes) -> tuple[CritiqueOutcome, Json]:
    """What the critic says, and what it is. The prompt is the original one in every round."""
    manner, prompt = step.parameters["critic"], step.prompt.text
    graph = _graph(job, step) if manner == "structured" else None
    if spec.is_recipe:
        if graph is None:
            raise EngineError(
                _("This critic asks a decomposition's questions, and this method has none."),
                _("Choose a model that sees as critic."),
            )
        asked = spec.answerer
        if asked is None:
            raise EngineError(
                _('The critic "questions" needs an answerer, such as "blip-vqa", among its options.'),
                _("Start a new run."),
            )
        answerer = job.engine(asked)
        options = {name: float(spec.options[name]) for name in ("threshold",) if name in spec.options}
        found = critique_by_questions(answerer, content, prompt, graph, **options)
        return found, {"engine": QUESTIONS, "model": f"questions to {asked.engine}", "answerer": answerer.identity}
    engine = job.engine(spec)
    if manner == "plain":
        outcome, plain = refine_plainly(engine, content, prompt)
        job.note_calls(step, plain.calls)
    else:
        outcome, answer = critique(engine, content, prompt, graph)
        job.note_calls(step, answer.calls)
    return outcome, engine.identity


def _graph(job: Job, step: Step) -> Graph:
    given = job.given[step.pk].one("decomposition")
    if given is None or given.decomposition is None:
        raise EngineError(_("The prompt's decomposition was deleted."), _("Start the run again."))
    return Graph.from_json(given.decomposition.graph)


def _said_before(step: Step, image: Image) -> Critique | None:
    """What this very critic said of the same picture: a round that ended early kept it because nothing was wrong."""
    stopped_by = image.provenance.get("stopped_by")
    if stopped_by is None:
        return None
    said = Critique.objects.filter(pk=stopped_by).first()
    if said is None or said.provenance.get("spec") != step.engine:
        return None
    return said if said.provenance.get("critic") == step.parameters["critic"] else None
