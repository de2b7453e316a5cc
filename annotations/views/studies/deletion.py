"""Deleting a study: its owner requests it, downloads the answers, and confirms."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from annotations.forms.studies import DeletionForm
from annotations.models import Study
from annotations.queries import studies as queries
from annotations.services import deletion as services
from annotations.services.exports import export_name
from annotations.views.rights import researcher_of_study, signed_in


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, study: Study) -> HttpResponse:
    """Two steps, only for the owner. `step` is ask, cancel or confirm; reading the page changes nothing."""
    user = signed_in(request)
    if not queries.may_delete(user, study):
        raise PermissionDenied
    step = request.POST.get("step", "")
    form = DeletionForm()
    if step == "ask":
        services.ask_deletion(study=study, by=user)
        return redirect("study-delete", study.token)
    if step == "cancel":
        services.cancel_deletion(study=study, by=user)
        messages.success(request, _("The study is kept. It is closed; you can open it again at any time."))
        return redirect(study)
    if step == "confirm":
        form = DeletionForm(request.POST)
        if form.is_valid():
            try:
                kept = services.delete_study(study=study, typed_title=form.cleaned_data["title"], by=user)
            except ValidationError as problem:
                form.add_error("title", problem)
            else:
                done = _("“%(title)s” is deleted. Its answers are kept on the server in %(file)s.")
                messages.success(request, done % {"title": study.title, "file": kept})
                return redirect("home")
    context = {
        "study": study,
        "tab": "settings",
        "form": form,
        "n_answered": study.assignments.filter(answered_at__isnull=False).count(),
    }
    return render(request, "annotations/study/delete.html", context)


@never_cache
@researcher_of_study
@require_safe
def answers_file(request: HttpRequest, study: Study) -> HttpResponseBase:
    """The file that was written when deletion was requested, for the owner."""
    if not queries.may_delete(signed_in(request), study):
        raise PermissionDenied
    if study.deletion_asked_at is None or not default_storage.exists(export_name(study)):
        raise Http404
    return FileResponse(
        default_storage.open(export_name(study)),
        as_attachment=True,
        filename=f"study-{study.pk}.zip",
        content_type="application/zip",
    )
