"""The states that drawings left for others: read from the storage, and drawn again if they are lost."""

from dataclasses import replace

from django.db import transaction
from django.utils.translation import gettext as _

from generation.models import Image, Latents
from generation.queries.runs.steps import drawing_steps, given_to
from generation.recipes.contract import Drawn, DrawRequest, EngineError, Json
from generation.services.latents import LatentsLost, attach, fields_of, read_latents, store_latents
from generation.services.runs.steps.job import Job
from generation.services.runs.steps.orders import order_for


def state_of(job: Job, image: Image, n_done: int) -> bytes:
    """An image's latents after this many steps. What is lost or was never kept is drawn once more, and kept this time.

    Raises EngineError if there is no record of how the image was made.
    """
    row = next((row for row in image.latents.all() if row.n_done == n_done), None)
    if row is not None:
        try:
            return read_latents(row)
        except LatentsLost:
            pass  # drawn again below
    states = _states_again(job, image, n_done)
    with transaction.atomic():
        Latents.objects.filter(image=image, n_done=n_done).delete()
        attach(image=image, states=states)
    return read_latents(Latents.objects.get(image=image, n_done=n_done))


def _states_again(job: Job, image: Image, n_done: int) -> dict[int, Json]:
    if source := image.provenance.get("copied_from"):
        original = Image.objects.filter(pk=source).first()
        if original is not None:
            state_of(job, original, n_done)
            return fields_of(original.latents.all())
    step = drawing_steps(image).first()
    if step is None or "stopped" in image.provenance:
        raise EngineError(
            _("The latents of image %(image)s no longer exist, nor does what it was generated from.")
            % {"image": image.pk},
            _("Start a run that generates it again, without reuse."),
        )
    spec = job.spec(step)
    order = order_for(step, given_to([step])[step.pk], lambda other, n: state_of(job, other, n))
    n_steps = order.request.n_steps
    keep = set(order.request.keep_after) | ({n_done} if n_done < n_steps else set())
    request = replace(order.request, keep_after=tuple(sorted(keep)))
    (drawn,) = job.engine(spec).draw([request], job.on_step)
    states = stored_states(request, drawn)
    if n_done not in states:
        raise EngineError(
            _("This engine does not return latents to start from."),
            _('Refine by drawing from scratch: the mode "redraw".'),
        )
    return states


def stored_states(request: DrawRequest, drawn: Drawn) -> dict[int, Json]:
    """A drawing's latents, put into the storage, by how many steps were done; none where the engine gives none."""
    states = {n_done: store_latents(state) for n_done, state in drawn.kept.items()}
    if drawn.latents:
        states[request.n_steps] = store_latents(drawn.latents)
    return states
