"""Designing a study: the form, what raters will see, and what it will cost."""

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms.models import model_to_dict
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotations.forms.dimensions import (
    MOST_DIMENSIONS,
    TICKED,
    DimensionForm,
    DimensionFormSet,
    dimension_fields,
    preset_fields,
)
from annotations.forms.studies import StudyForm, new_seed
from annotations.kinds.protocols import PROTOCOLS
from annotations.kinds.registry import frozen_of
from annotations.models import Dimension, Study
from annotations.queries import candidates as queries
from annotations.queries.studies import may_run, planned_seconds
from annotations.questions import DEFAULT, PRESETS, has_unmarked_sides
from annotations.services import studies as services
from annotations.services.raters.text_images import copy_text_images
from annotations.views.cards import asked_on_card, letter
from annotations.views.rights import may_add_studies, researcher_of_study, signed_in
from generation.models import Image

FilledIn = tuple[dict[str, Any], list[dict[str, Any]]]
"""The values of the form, and of each question's."""
MULTIPLE = ("prompt_sets", "methods")
SHORTEST_TELLING_NAME = 3


@never_cache
@may_add_studies
@require_http_methods(["GET", "HEAD", "POST"])
def new_study(request: HttpRequest) -> HttpResponse:
    """One address for everything: the empty form, a changed one (`action` adds or removes a question), and creating the
    study.

    With `copy`, a study's token, the form is filled in with that study's values. A script's request gets only the parts
    that depend on the form: preview, cost and warnings.
    """
    if "copy" in request.GET and request.method != "POST":
        study = _to_copy(request)
        return _design(request, lambda: _copied(study))
    return _design(request, lambda: (_first_values(), [preset_fields(DEFAULT)]))


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def change_draft(request: HttpRequest, study: Study) -> HttpResponse:
    """The form of a draft, filled in with its values. A study that has been open cannot be changed: copy it."""
    if study.state != Study.State.DRAFT:
        messages.error(request, _("Only a draft can be changed. Copy the study to make another one like it."))
        return redirect(study)
    return _design(request, lambda: _stored(study), draft=study)


def _design(request: HttpRequest, at_first: Callable[[], FilledIn], *, draft: Study | None = None) -> HttpResponse:
    """at_first: the form and the questions when the page is opened; draft: the study to change, if there is one.

    `seen` is the draft's revision when the page was opened, which comes back with the form.
    """
    if request.method != "POST":
        values, rows = at_first()
        form, questions = StudyForm(initial=values), DimensionFormSet(initial=rows)
        live = _live(StudyForm(data=_as_data(form)), *_readable(DimensionFormSet(data=_rows_as_data(rows))))
        return _page(request, form, questions, live, draft, draft.revision if draft else "")
    action = request.POST.get("action", "")
    bound, questions = StudyForm(data=request.POST, instance=_like(draft)), DimensionFormSet(data=request.POST)
    if action == "create":
        if bound.is_valid() and questions.is_valid():
            try:
                return _saved(request, bound, questions, draft)
            except ValidationError as problem:
                bound.add_error(None, problem)
        seen = request.POST.get("seen", "")
        return _page(request, bound, questions, _live(bound, *_readable(questions)), draft, seen)
    if request.headers.get("HX-Request"):
        live = _live(bound, *_readable(questions)) | {"images_of": draft or _original(request)}
        return render(request, "annotations/design/_live.html", live)
    rows = [_typed(form.prefix or "", request.POST) for form in questions.forms]
    rows = _changed(rows, action)
    chosen = PROTOCOLS.get(action.removeprefix("protocol:")) if action.startswith("protocol:") else None
    values = _initial(request.POST)
    if chosen is not None:
        rows, values = (
            [preset_fields(question) for question in chosen.questions],
            values | {"item_kind": chosen.item_kind},
        )
        bound = StudyForm(data=_as_data(StudyForm(initial=values)), instance=_like(draft))
    live = _live(bound, *_readable(DimensionFormSet(data=_rows_as_data(rows))))
    return _page(
        request, StudyForm(initial=values), DimensionFormSet(initial=rows), live, draft, request.POST.get("seen", "")
    )


def warn_of_lost(request: HttpRequest, names: Sequence[str]) -> None:
    """Name the images that a copied study did not get, because their files are gone."""
    if names:
        words = _("The files of these images in texts are missing, so the copy does not have them: %(names)s.")
        messages.warning(request, words % {"names": ", ".join(names)})


def _like(draft: Study | None) -> Study | None:
    """A copy for the form's values: pages show the draft as stored."""
    return copy(draft) if draft is not None else None


def _saved(request: HttpRequest, form: StudyForm, questions: Any, draft: Study | None) -> HttpResponse:
    study: Study = form.save(commit=False)
    dimensions = [question.dimension() for question in questions.forms]
    refuse_misfits(study, dimensions)
    if draft is None:
        study.owner = signed_in(request)
        original = _original(request)
        study.words = original.words if original else {}  # those of what the copy still asks apply; see `queries.words`
        services.create_study(study=study, dimensions=dimensions, selection=form.selection())
        if original:
            warn_of_lost(request, copy_text_images(source=original, target=study))
        messages.success(request, _("The study was created. Check its items, then open it and send the invitation."))
        return redirect(study)
    seen = request.POST.get("seen", "")
    services.change_draft(
        study=study,
        fields=StudyForm.Meta.fields,
        dimensions=dimensions,
        selection=form.selection(),
        seen=int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else -1,
        by=signed_in(request),
    )
    messages.success(request, _("The draft was changed. Its items were replaced by the present selection."))
    return redirect(study)


def _original(request: HttpRequest) -> Study | None:
    """The study that is copied, if this person may."""
    token = request.POST.get("copy", "") or request.GET.get("copy", "")
    original = Study.objects.filter(token=token).first() if token else None
    return original if original is not None and may_run(signed_in(request), original) else None


def refuse_misfits(study: Study, dimensions: Iterable[Dimension]) -> None:
    """Raises ValidationError for a question that the cards cannot be asked, or whose choices would not count."""
    is_pair = study.item_kind == Study.ItemKind.PAIR
    for dimension in dimensions:
        if dimension.is_ordering:
            continue  # the service reports what it needs
        for preset in PRESETS.values():
            is_misfit = preset.only_for == Study.ItemKind.PAIR and preset.level_rows() == dimension.levels
            if not is_pair and (is_misfit or dimension.parameters.get("names_sides")):
                raise ValidationError(
                    _("“%(question)s” needs two images: choose pairs, or another question.")
                    % {"question": dimension.question}
                )
        if is_pair and has_unmarked_sides(dimension):
            raise ValidationError(
                _(
                    "“%(question)s” has answers that seem to be the left and the right image. Put these two first, and "
                    "tick “%(box)s” (in the API: names_sides). Otherwise no choice counts for a method."
                )
                % {
                    "question": dimension.question,
                    "box": _("The first two answers are the left and the right image"),
                }
            )


def _changed(rows: list[dict[str, Any]], action: str) -> list[dict[str, Any]]:
    """The questions after `add:PRESET`, `add:blank` or `remove:INDEX`; anything else leaves them unchanged."""
    verb, _sign, what = action.partition(":")
    if verb == "add" and len(rows) < MOST_DIMENSIONS:
        if what == "blank":
            return [*rows, dict.fromkeys(TICKED, True) | {"names_sides": False}]
        if what in PRESETS:
            return [*rows, preset_fields(PRESETS[what])]
    if verb == "remove" and what.isdecimal() and len(rows) > 1:
        return [row for index, row in enumerate(rows) if index != int(what)]
    return rows


def _live(form: StudyForm, dimensions: list[Dimension], problems: tuple[str, ...]) -> dict[str, Any]:
    """The consequences of the form's current values, valid or not: an example card, the cost, and texts that would
    unblind."""
    form.is_valid()
    values = form.cleaned_data
    kind, selection = values.get("item_kind") or Study.ItemKind.IMAGE, form.selection()
    selection = replace(selection, one_per_method=any(dimension.is_ordering for dimension in dimensions))
    if n_prompts := values.get("n_prompts"):
        selection = queries.sampled(kind, selection, n_prompts=n_prompts, seed=values.get("seed") or 0)
    k, most = values.get("raters_per_item") or 0, values.get("items_per_rater")
    n_items = queries.n_items(kind, selection)
    seconds = planned_seconds(len(dimensions))
    images = queries.example(kind, selection)
    return {
        "n_items": n_items,
        "k": k,
        "n_answers": n_items * k,
        "most_answers": n_items * (values.get("most_raters_per_item") or 0),
        "seconds": round(seconds),
        "minutes": max(1, round(n_items * k * seconds / 60)) if n_items * k else 0,
        "fewest_raters": max(k, -(-n_items * k // most)) if most and n_items else k,
        "minutes_each": max(1, round(min(n_items, most or n_items) * seconds / 60)) if n_items else 0,
        "pay": _pay(values.get("pay_per_hour"), n_items * k * seconds),
        "currency": values.get("currency", ""),
        "consent": values.get("consent", ""),
        "instructions": values.get("instructions", ""),
        "problems": problems,
        "telling": _telling(values, dimensions),
        "card": _preview(kind, images, dimensions) if images else None,
        "reference_of": _reference_of(images) if values.get("shows_reference") else None,
    }


def _pay(per_hour: Decimal | None, seconds: float) -> Decimal | None:
    """The cost of all raters' time, to two decimals; None without a pay per hour."""
    return round(per_hour * Decimal(seconds) / 3600, 2) if per_hour else None


def _preview(item_kind: str, images: list[Image], dimensions: list[Dimension]) -> dict[str, Any]:
    """A rating card from its own templates, in the words that raters read."""

    pictures: list[dict[str, Any]] = [
        {"image": image, "place": place, "name": "", "letter": letter(place)} for place, image in enumerate(images)
    ]
    for number, dimension in enumerate(dimensions):
        dimension.pk = -1 - number  # unsaved questions need distinct field names, too
    asked = asked_on_card(dimensions, pictures, {}, _frozen(dimensions, images[0].prompt_id))
    return {"kind": item_kind, "prompt": images[0].prompt.text, "pictures": pictures, **asked}


def _reference_of(images: list[Image]) -> int | None:
    """The prompt of these images, if it has a reference image."""
    prompt = images[0].prompt_id if images else 0
    return prompt if queries.references_of([prompt]) else None


def _frozen(dimensions: list[Dimension], prompt: int) -> dict[str, Any]:
    """The facts that an item of this prompt would store; nothing if it cannot be made yet."""
    try:
        return frozen_of(dimensions, [prompt]).get(prompt, {})
    except ValidationError:
        return {}


def _telling(values: dict[str, Any], dimensions: list[Dimension]) -> list[str]:
    """Names of chosen methods that raters could read somewhere."""
    read = [values.get("title", ""), values.get("consent", ""), values.get("instructions", "")]
    read += [dimension.question for dimension in dimensions]
    text = " ".join(read).casefold()
    names = [str(method) for method in values.get("methods", ())]
    return [name for name in names if len(name) >= SHORTEST_TELLING_NAME and name.casefold() in text]


def _readable(questions: Any) -> tuple[list[Dimension], tuple[str, ...]]:
    """The questions that can already be shown, and the errors of the others."""
    questions.is_valid()
    dimensions, problems = [], []
    for form in questions.forms:
        if form.is_valid():
            dimensions.append(form.dimension())
        else:
            problems += [error for errors in form.errors.values() for error in errors]
    return dimensions, tuple(problems)


def _first_values() -> dict[str, Any]:
    """Everything available is chosen at first; a researcher removes what they do not want."""
    return {
        "seed": new_seed(),
        "prompt_sets": [row.pk for row in queries.prompt_sets_with_counts()],
        "methods": [row.pk for row in queries.methods_with_counts()],
    }


def _to_copy(request: HttpRequest) -> Study:
    study = get_object_or_404(Study, token=request.GET["copy"])
    if not may_run(signed_in(request), study):
        raise PermissionDenied
    return study


def _copied(study: Study) -> FilledIn:
    """The form and the questions of this study, with a new random order."""
    values, rows = _stored(study)
    title = _("%(title)s (copy)") % {"title": Truncator(study.title).chars(180)}
    return values | {"title": title, "seed": new_seed()}, rows


def _stored(study: Study) -> FilledIn:
    """The form and the questions of this study."""
    of_study = Image.objects.filter(item_images__item__study=study).order_by()
    values = model_to_dict(study, StudyForm.Meta.fields) | {
        "prompt_sets": list(of_study.values_list("prompt__prompt_set", flat=True).distinct()),
        "methods": list(of_study.values_list("method", flat=True).distinct()),
    }
    return values, [dimension_fields(dimension) for dimension in study.dimensions.all()]


def _as_data(form: StudyForm) -> QueryDict:
    data = QueryDict(mutable=True)
    for field in form:
        value = field.value()
        if isinstance(value, list):
            data.setlist(field.name, [str(entry) for entry in value])
        elif value is not None:
            data[field.name] = str(value)
    return data


def _initial(data: QueryDict) -> dict[str, Any]:
    return {name: data.getlist(name) if name in MULTIPLE else data[name] for name in data}


def _typed(prefix: str, data: QueryDict) -> dict[str, Any]:
    """One question as typed, valid or not."""
    values: dict[str, Any] = {name: data.get(f"{prefix}-{name}", "") for name in DimensionForm.base_fields}
    return values | {name: f"{prefix}-{name}" in data for name in TICKED}


def _rows_as_data(rows: list[dict[str, Any]]) -> QueryDict:
    data = QueryDict(mutable=True)
    data["form-TOTAL_FORMS"], data["form-INITIAL_FORMS"] = str(len(rows)), "0"
    for index, row in enumerate(rows):
        for name, value in row.items():
            if value is not False:
                data[f"form-{index}-{name}"] = str(value)
    return data


def _page(
    request: HttpRequest, form: StudyForm, questions: Any, live: dict[str, Any], draft: Study | None, seen: int | str
) -> HttpResponse:
    context = {
        "form": form,
        "questions": questions,
        "presets": PRESETS.values(),
        "protocols": PROTOCOLS.values(),
        "draft": draft,
        "images_of": draft or _original(request),
        "seen": seen,
        "copied": request.GET.get("copy", "") or request.POST.get("copy", ""),
        "here": reverse("study-design", args=[draft.token]) if draft else reverse("study-new"),
        **live,
    }
    return render(request, "annotations/design/page.html", context)
