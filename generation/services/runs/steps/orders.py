"""From a step to a drawing: which words, which seed, from where, and how that is put on record."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from generation.models import Image, Step
from generation.queries.runs.steps import Given
from generation.recipes.contract import DrawRequest, EngineError, Json, Renoise, Resume
from generation.services.latents import sum_of
from generation.services.runs.steps.results import drawn_seed

StateOf = Callable[[Image, int], bytes]


@dataclass(frozen=True)
class Order:
    """A drawing that can be asked for. start: where it begins, as provenance has it; empty: from noise alone."""

    request: DrawRequest
    start: Json


def order_for(step: Step, given: Given, state_of: StateOf) -> Order:
    """What to draw. state_of gives an image's latents after this many steps.

    Raises EngineError where what the step needs was deleted.
    """
    drawing = step.parameters["drawing"]
    request = DrawRequest(
        prompt=_words(step, given),
        seed=int(step.parameters["seed"]),
        n_steps=drawing["n_steps"],
        guidance=drawing["guidance"],
        width=drawing["width"],
        height=drawing["height"],
        negative_prompt=drawing.get("negative_prompt", ""),
        keep_after=tuple(step.keep_after),
    )
    mode = step.parameters.get("mode")
    if mode is None:
        return Order(request, {})
    parent = _image(given, "parent")
    request = replace(request, seed=drawn_seed(parent))
    if mode == "renoise":
        return _renoised(request, parent, step.parameters["k"], state_of)
    if mode == "switch":
        return _switched(request, _image(given, "prefix"), step.parameters, state_of)
    return Order(request, {})


def as_provenance(order: Order) -> Json:
    """The request as JSON: every field but the start's bytes, whose sum and image are in `start`."""
    fields = {name: value for name, value in asdict(replace(order.request, start=None)).items() if name != "start"}
    return {"request": {**fields, "keep_after": list(order.request.keep_after)}, "start": order.start or None}


def _renoised(request: DrawRequest, image: Image, k: int, state_of: StateOf) -> Order:
    """The finished image with the noise that it was drawn from, up to the time of step k."""
    latents = state_of(image, request.n_steps)
    start = Renoise(latents, k, request.seed)
    on_record = {"mode": "renoise", "image": image.pk, "n": k, "sha256": sum_of(latents), "noise_seed": request.seed}
    return Order(replace(request, start=start), on_record)


def _switched(request: DrawRequest, image: Image, parameters: dict[str, Any], state_of: StateOf) -> Order:
    """The prompt is replaced at the end of step k: k + 1 steps had the old one."""
    n_done = parameters["k"] + 1
    if n_done >= request.n_steps:
        return _renoised(request, image, request.n_steps, state_of)  # nothing is left to draw
    latents = state_of(image, n_done)
    earlier = image.provenance.get("request", {}).get("prompt", image.prompt.text)
    start = Resume(latents, n_done, earlier, parameters["swap_pooled"])
    on_record = {
        "mode": "resume",
        "image": image.pk,
        "n": n_done,
        "sha256": sum_of(latents),
        "earlier_prompt": earlier,
        "swap_pooled": start.swap_pooled,
    }
    return Order(replace(request, start=start), on_record)


def _words(step: Step, given: Given) -> str:
    critique = given.one("critique")
    if critique is not None:
        if critique.critique is None:
            raise EngineError(_("The critique was deleted."), _("Start the run again."))
        return critique.critique.refined_prompt or step.prompt.text
    words = given.one("words")
    if words is not None:
        if words.variant is None:
            raise EngineError(_("The prompt's other wording was deleted."), _("Start the run again."))
        return words.variant.text
    return step.prompt.text


def _image(given: Given, role: str) -> Image:
    image = given.image(role)
    if image is None:
        raise EngineError(_("The image that this one starts from was deleted."), _("Start the run again."))
    return image
