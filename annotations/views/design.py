"""Designing a study: the form, what raters will see, and what it will cost."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotations.forms.dimensions import MOST_DIMENSIONS, DimensionForm, DimensionFormSet, preset_fields
from annotations.forms.studies import StudyForm, new_seed
from annotations.models import Dimension, Study
from annotations.presets import DEFAULT, PRESETS
from annotations.queries import candidates as queries
from annotations.queries.studies import planned_seconds
from annotations.services import studies as services
from annotations.views.rights import may_add_studies, signed_in
from generation.models import Image

MULTIPLE = ("prompt_sets", "methods")
SHORTEST_TELLING_NAME = 3


@never_cache
@may_add_studies
@require_http_methods(["GET", "HEAD", "POST"])
def new_study(request: HttpRequest) -> HttpResponse:
    """One address for all: the empty form, a changed one (`action` adds or removes a question), and making the study.

    A request by script gets only what depends on the form: preview, cost and warnings.
    """
    if request.method != "POST":
        form, questions = StudyForm(initial=_first_values()), DimensionFormSet(initial=[preset_fields(DEFAULT)])
        bound = StudyForm(data=_as_data(form))
        return _page(request, form, questions, _live(bound, [Dimension(**DEFAULT.fields())], ()))
    action = request.POST.get("action", "")
    bound, questions = StudyForm(data=request.POST), DimensionFormSet(data=request.POST)
    if action == "create":
        if bound.is_valid() and questions.is_valid():
            try:
                return _created(request, bound, questions)
            except ValidationError as problem:
                bound.add_error(None, problem)
        return _page(request, bound, questions, _live(bound, *_readable(questions)))
    if request.headers.get("HX-Request"):
        return render(request, "annotations/_design_live.html", _live(bound, *_readable(questions)))
    rows = [_typed(form.prefix or "", request.POST) for form in questions.forms]
    rows = _changed(rows, action)
    live = _live(bound, *_readable(DimensionFormSet(data=_rows_as_data(rows))))
    return _page(request, StudyForm(initial=_initial(request.POST)), DimensionFormSet(initial=rows), live)


def _created(request: HttpRequest, form: StudyForm, questions: Any) -> HttpResponse:
    study: Study = form.save(commit=False)
    study.owner = signed_in(request)
    dimensions = [question.dimension() for question in questions.forms]
    _refuse_misfits(study, dimensions)
    services.create_study(study=study, dimensions=dimensions, selection=form.selection())
    messages.success(request, _("The study is made. Look at its items, then open it and send the invitation."))
    return redirect(study)


def _refuse_misfits(study: Study, dimensions: Iterable[Dimension]) -> None:
    for dimension in dimensions:
        for preset in PRESETS.values():
            if preset.only_for and preset.level_rows() == dimension.levels and preset.only_for != study.item_kind:
                raise ValidationError(
                    _("“%(question)s” needs two images: choose pairs, or another question.")
                    % {"question": dimension.question}
                )


def _changed(rows: list[dict[str, Any]], action: str) -> list[dict[str, Any]]:
    """The questions after `add:PRESET`, `add:blank` or `remove:INDEX`; anything else leaves them."""
    verb, _sign, what = action.partition(":")
    if verb == "add" and len(rows) < MOST_DIMENSIONS:
        if what == "blank":
            return [*rows, {"allows_unable": True}]
        if what in PRESETS:
            return [*rows, preset_fields(PRESETS[what])]
    if verb == "remove" and what.isdecimal() and len(rows) > 1:
        return [row for index, row in enumerate(rows) if index != int(what)]
    return rows


def _live(form: StudyForm, dimensions: list[Dimension], problems: tuple[str, ...]) -> dict[str, Any]:
    """What follows from the form as it stands, valid or not: an example card, the cost, and what would unblind."""
    form.is_valid()
    values = form.cleaned_data
    kind, selection = values.get("item_kind") or Study.ItemKind.IMAGE, form.selection()
    k, most = values.get("raters_per_item") or 0, values.get("items_per_rater")
    n_items = queries.n_items(kind, selection)
    seconds = planned_seconds(len(dimensions))
    images = queries.example(kind, selection)
    return {
        "n_items": n_items,
        "k": k,
        "n_answers": n_items * k,
        "seconds": round(seconds),
        "minutes": round(n_items * k * seconds / 60),
        "fewest_raters": max(k, -(-n_items * k // most)) if most and n_items else k,
        "minutes_each": round(min(n_items, most or n_items) * seconds / 60),
        "problems": problems,
        "telling": _telling(values, dimensions),
        "card": _preview(kind, images, dimensions) if images else None,
    }


def _preview(item_kind: str, images: list[Image], dimensions: list[Dimension]) -> dict[str, Any]:
    """A rating card as its own templates draw it, in the words that raters get."""

    def questions(about: str, place: int | None) -> list[dict[str, Any]]:
        return [
            {
                "name": f"preview-{index}-{place}",
                "text": d.question,
                "options": d.options(),
                "allows_unable": d.allows_unable,
            }
            for index, d in enumerate(dimensions)
            if d.about == about
        ]

    return {
        "kind": item_kind,
        "prompt": images[0].prompt.text,
        "pictures": [
            {"image": image, "questions": questions(Dimension.About.IMAGE, place)} for place, image in enumerate(images)
        ],
        "questions": questions(Dimension.About.ITEM, None),
    }


def _telling(values: dict[str, Any], dimensions: list[Dimension]) -> list[str]:
    """Names of chosen methods that raters would read somewhere."""
    read = [values.get("title", ""), values.get("consent", ""), values.get("instructions", "")]
    read += [dimension.question for dimension in dimensions]
    text = " ".join(read).casefold()
    names = [str(method) for method in values.get("methods", ())]
    return [name for name in names if len(name) >= SHORTEST_TELLING_NAME and name.casefold() in text]


def _readable(questions: Any) -> tuple[list[Dimension], tuple[str, ...]]:
    """The questions that can be shown already, and what keeps the others from it."""
    questions.is_valid()
    dimensions, problems = [], []
    for form in questions.forms:
        if form.is_valid():
            dimensions.append(form.dimension())
        else:
            problems += [error for errors in form.errors.values() for error in errors]
    return dimensions, tuple(problems)


def _first_values() -> dict[str, Any]:
    """Everything that is there is chosen at first; a researcher takes away what they do not want."""
    return {
        "seed": new_seed(),
        "prompt_sets": [row.pk for row in queries.prompt_sets_with_counts()],
        "methods": [row.pk for row in queries.methods_with_counts()],
    }


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
    """One question as it was typed, valid or not."""
    values: dict[str, Any] = {name: data.get(f"{prefix}-{name}", "") for name in DimensionForm.base_fields}
    return values | {"allows_unable": f"{prefix}-allows_unable" in data}


def _rows_as_data(rows: list[dict[str, Any]]) -> QueryDict:
    data = QueryDict(mutable=True)
    data["form-TOTAL_FORMS"], data["form-INITIAL_FORMS"] = str(len(rows)), "0"
    for index, row in enumerate(rows):
        for name, value in row.items():
            if value is not False:
                data[f"form-{index}-{name}"] = str(value)
    return data


def _page(request: HttpRequest, form: StudyForm, questions: Any, live: dict[str, Any]) -> HttpResponse:
    context = {"form": form, "questions": questions, "presets": PRESETS.values(), **live}
    return render(request, "annotations/study_new.html", context)
