"""A study's examples, practice, quiz, gold items and attention checks, for its researchers."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.forms.raters import ExerciseForm, MismatchForm
from annotations.models import Item, Study
from annotations.queries import rating as queries
from annotations.queries.raters import known as known_queries
from annotations.queries.raters.checks import Hidden
from annotations.services.taking_part import exercises
from annotations.services.taking_part.mismatches import cure, make_mismatches
from annotations.views.raters.exercise_words import answers_in_words
from annotations.views.rights import researcher_of_study


@never_cache
@researcher_of_study
@require_safe
def index(request: HttpRequest, study: Study) -> HttpResponse:
    """All of them by use, with their right answers."""
    return _index(request, study, MismatchForm(study))


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, study: Study) -> HttpResponse:
    """Give one of the study's items a use and its right answers."""
    key = request.GET.get("item", "")
    item = get_object_or_404(study.items.select_related("prompt"), pk=int(key)) if key.isdecimal() else None
    if item is None:
        raise Http404
    images = queries.image_ids(item.pk)
    form = ExerciseForm(study, queries.dimensions_of(study.pk), images, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            is_removed = exercises.use_as_exercise(
                item=item,
                role=form.cleaned_data["role"],
                images=images,
                accepted=form.accepted(),
                reason=form.cleaned_data["reason"],
            )
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            if is_removed:
                messages.success(request, _("Added. The item is no longer rated, so nobody sees it twice."))
            else:
                messages.success(request, _("Added. The item has been given out before, so it is rated as well."))
            return redirect("study-exercises", study.token)
    context = {"study": study, "tab": "raters", "part": "exercises", "item": item, "images": images, "form": form}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "annotations/watching/exercise_new.html", context, status=status)


@researcher_of_study
@require_POST
def mismatches(request: HttpRequest, study: Study) -> HttpResponse:
    """Make attention checks of images shown with a wrong prompt."""
    form = MismatchForm(study, request.POST)
    if form.is_valid():
        try:
            made = make_mismatches(study=study, dimension=form.cleaned_data["dimension"], n=form.cleaned_data["n"])
        except ValidationError as problem:
            form.add_error("dimension", problem)
        else:
            made_n = ngettext("Made %d attention check.", "Made %d attention checks.", len(made))
            messages.success(request, made_n % len(made))
            if len(made) < form.cleaned_data["n"] and not queries.may_show_rated(study):
                messages.warning(request, cure(study, form.cleaned_data["n"] - len(made)))
            return redirect("study-exercises", study.token)
    return _index(request, study, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@researcher_of_study
@require_POST
def remove(request: HttpRequest, study: Study, item_id: int) -> HttpResponse:
    """Remove an exercise that nobody has met yet."""
    item = get_object_or_404(Item.with_checks.exclude(role=Item.Role.RATED), study=study, pk=item_id)
    if exercises.remove_exercise(item=item):
        messages.success(request, _("Removed."))
    else:
        messages.error(request, _("A rater has already seen it, so it stays: that rater’s answer belongs to it."))
    return redirect("study-exercises", study.token)


def _index(request: HttpRequest, study: Study, form: MismatchForm, *, status: int = HTTPStatus.OK) -> HttpResponse:
    items = known_queries.exercises(study)
    known = known_queries.known_answers(item.pk for item in items)
    roles: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        images = queries.image_ids(item.pk)
        row = {"item": item, "images": images, "answers": answers_in_words(known.get(item.pk, []), [], "", images)}
        roles.setdefault(item.get_role_display(), []).append(row)
    hidden = Hidden.read(study, queries.n_given_out(study))
    context = {"study": study, "tab": "raters", "part": "exercises", "roles": roles, "form": form, "hidden": hidden}
    return render(request, "annotations/watching/exercises.html", context, status=status)
