"""Designing a run: a preset or a matrix of one's own, and its estimate, before anything is started."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from generation import availability, dispatch
from generation.forms.method_choices import GROUPS
from generation.forms.run_experiments import first_values
from generation.forms.runs import RunForm
from generation.models import Step
from generation.queries.runs import plans as run_plans
from generation.queries.runs.overview import prices_per_call
from generation.recipes.contract import Missing
from generation.recipes.matrix.estimate import Estimate, engines_of, estimate, guessed_price, paid_model
from generation.recipes.matrix.experiments import EXPERIMENTS
from generation.recipes.matrix.matrix import BadMatrix, Matrix
from generation.recipes.matrix.methods import OFFERED
from generation.views.durations import in_words
from generation.views.rights import may_import, signed_in

ROLES = ("image_", "language_", "critic_", "judge_", "images_")
_KINDS = {
    Step.Kind.DECOMPOSE: gettext_lazy("Decompositions"),
    Step.Kind.WORDS: gettext_lazy("Other wordings"),
    Step.Kind.DRAW: gettext_lazy("Images"),
    Step.Kind.CRITIQUE: gettext_lazy("Critiques"),
    Step.Kind.SCORE: gettext_lazy("Scores"),
    Step.Kind.CHOOSE: gettext_lazy("Choices"),
}


@dataclass(frozen=True)
class Preview:
    """What the form's present values would start."""

    n_prompts: int
    n_methods: int
    n_seeds: int
    takes: Estimate
    is_price_guessed: bool
    missing: list[Missing]


@never_cache
@may_import
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """One address for all: the form, empty or of a preset (`?preset=`), its preview, and the start.

    A request by script gets only what depends on the form.
    """
    if request.method != "POST":
        chosen = request.GET.get("preset", "")
        values = first_values(chosen, _number(request.GET.get("prompt_set", "")))
        form = RunForm(initial=values)
        return _page(request, form, RunForm(data=_as_data(form)), chosen)
    form = RunForm(data=request.POST)
    is_valid = form.is_valid()
    if request.headers.get("HX-Request"):
        return render(request, "generation/runs/_estimate.html", _live(form))
    if request.POST.get("action") == "start" and is_valid and form.matrix is not None:
        try:
            run = dispatch.start_run(
                name=form.cleaned_data["name"],
                owner=signed_in(request),
                prompts=run_plans.prompts_by_id(form.prompt_ids),
                prompt_set=form.cleaned_data["prompt_set"],
                matrix=form.matrix,
                priority=form.cleaned_data["priority"],
                may_reuse=form.cleaned_data["may_reuse"],
            )
        except BadMatrix as problem:
            form.add_error(None, str(problem))
        else:
            return redirect("run", run.pk)
    return _page(request, form, form, request.POST.get("preset", ""))


def _page(request: HttpRequest, form: RunForm, bound: RunForm, chosen: str) -> HttpResponse:
    bound.is_valid()
    ticked = set(form["methods"].value() or ())
    context = {
        "form": form,
        "chosen": chosen,
        "experiments": EXPERIMENTS.values(),
        "groups": [
            (group, [(key, OFFERED[key].label, text, key in ticked) for key, text in group.sentences.items()])
            for group in GROUPS
        ],
        "categories": run_plans.categories(None),
        "has_prompts": run_plans.prompt_sets_with_counts().exists(),
        **_live(bound),
    }
    status = 422 if form.is_bound and form.errors and request.POST.get("action") == "start" else 200
    return render(request, "generation/runs/new.html", context, status=status)


def _live(form: RunForm) -> dict[str, Any]:
    """What follows from the form's present values, valid or not."""
    problems = [
        (_title(form, name), error)
        for name, errors in form.errors.items()
        for error in errors
        if name != "name"  # that it has no name yet is not a problem before it is started
    ]
    preview = _preview(form)
    takes = preview and preview.takes
    return {
        "preview": preview,
        "kinds": [(label, n) for kind, label in _KINDS.items() if (n := takes.n_steps.get(kind, 0))] if takes else [],
        "computing": in_words(takes.seconds) if takes else "",
        "refusals": form.refusals,
        "problems": _without(problems, form),
    }


def _title(form: RunForm, name: str) -> str:
    """A field's label, behind that of the choice it belongs to: several models have an endpoint."""
    if name not in form.fields:
        return ""
    role, _sign, rest = name.partition("_")
    above = {"judge": _("Judge"), "images": _("OpenAI images")}.get(role) if rest else ""
    if rest and role in ("image", "language", "critic"):
        above = str(form.fields[role].label)
    label = str(form.fields[name].label)
    return f"{above}: {label}" if above else label


def _without(problems: list[tuple[Any, Any]], form: RunForm) -> list[tuple[Any, Any]]:
    """Problems that are not shown as a refused method already."""
    refused = {refusal.reason for refusal in form.refusals}
    return [(label, error) for label, error in problems if str(error) not in refused]


def _preview(form: RunForm) -> Preview | None:
    matrix, n_prompts = form.matrix, len(form.prompt_ids)
    if matrix is None or not n_prompts:
        return None
    prices, is_guessed = _prices(matrix)
    takes = estimate(
        matrix,
        n_prompts=n_prompts,
        stored=run_plans.stored(form.prompt_ids),
        seconds_per_unit=run_plans.seconds_per_unit(engines_of(matrix)),
        price_per_call=prices,
    )
    # A model that is not named yet is missing for a reason that the form gives.
    is_named = not any(name.startswith(ROLES) for name in form.errors)
    missing = availability.missing_for(matrix) if is_named else []
    return Preview(n_prompts, len(matrix.methods), len(matrix.seeds), takes, is_guessed, missing)


def _prices(matrix: Matrix) -> tuple[dict[tuple[str, str], float | None], bool]:
    """By engine and model the price of a call: the ledger's mean, or a guess by the stated prices; and whether a guess
    is among them."""
    specs = [(spec, role != "language") for role, spec in (*matrix.engines.items(), *matrix.metrics.items())]
    guessed = {
        model: guessed_price(spec, with_image=with_image)
        for spec, with_image in specs
        if (model := paid_model(spec)) is not None
    }
    known = prices_per_call(guessed)
    is_guessed = any(price is not None and model not in known for model, price in guessed.items())
    return {**guessed, **known}, is_guessed


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 18 else None


def _as_data(form: RunForm) -> QueryDict:
    """The form's first values as if they had been sent."""
    data = QueryDict(mutable=True)
    for field in form:
        value = field.value()
        if isinstance(value, list | tuple):
            data.setlist(field.name, [str(entry) for entry in value])
        elif value is not None and value is not False:
            data[field.name] = str(value)
    return data
