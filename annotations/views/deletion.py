"""The end of a study: its owner asks for it, gets the answers, and confirms."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotations.forms.studies import DeletionForm
from annotations.models import Study
from annotations.queries import studies as queries
from annotations.services import studies as services
from annotations.views.rights import researcher_of_study, signed_in


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, study: Study) -> HttpResponse:
    """Two steps, the owner's alone. `step` is ask, cancel or confirm; reading the page changes nothing."""
    if not queries.may_delete(signed_in(request), study):
        raise PermissionDenied
    step = request.POST.get("step", "")
    form = DeletionForm()
    if step == "ask":
        services.ask_deletion(study=study)
        return redirect("study-delete", study.token)
    if step == "cancel":
        services.cancel_deletion(study=study)
        messages.success(request, _("The study stays. It is closed; open it again when you like."))
        return redirect(study)
    if step == "confirm":
        form = DeletionForm(request.POST)
        if form.is_valid():
            try:
                services.delete_study(study=study, typed_title=form.cleaned_data["title"])
            except ValidationError as problem:
                form.add_error("title", problem)
            else:
                messages.success(request, _("“%(title)s” and its answers are deleted.") % {"title": study.title})
                return redirect("home")
    context = {
        "study": study,
        "tab": "settings",
        "form": form,
        "n_answered": study.assignments.filter(answered_at__isnull=False).count(),
    }
    return render(request, "annotations/study_delete.html", context)
