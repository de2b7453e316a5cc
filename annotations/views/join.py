"""Joining a study by its invitation."""

from http import HTTPStatus

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotations.forms.studies import JoinForm
from annotations.models import Study
from annotations.queries import studies as queries
from annotations.services import studies as services


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, invitation: str) -> HttpResponse:
    """What the study asks of a rater, and the consent that lets them begin. Who has joined before goes straight on."""
    study = get_object_or_404(Study, invitation=invitation)
    user = request.user if isinstance(request.user, User) else None
    if user is not None and study.state != Study.State.DRAFT and study.raters.filter(user=user).exists():
        return redirect("rate", study.token)
    if study.state != Study.State.OPEN:
        return render(request, "annotations/join_not_open.html", {"study": study}, status=HTTPStatus.FORBIDDEN)
    form = JoinForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            rater = services.join(study=study, user=user, name=form.cleaned_data["name"])
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            if user is None and rater.user is not None:
                login(request, rater.user, backend="django.contrib.auth.backends.ModelBackend")
            return redirect("rate", study.token)
    seconds, is_measured = queries.seconds_per_item(study)
    n_items = min(study.items.count(), study.items_per_rater or study.items.count())
    context = {
        "study": study,
        "form": form,
        "n_items": n_items,
        "n_questions": study.dimensions.count(),
        "minutes": max(1, round(n_items * seconds / 60)),
        "is_measured": is_measured,
    }
    return render(request, "annotations/join.html", context)
