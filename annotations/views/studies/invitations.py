"""A study's invitation, for its researchers: its limit, deadline and code; closing and renewing it."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotations.forms.studies import InvitationForm
from annotations.models import Study
from annotations.services import invitations as services
from annotations.services.activity import Action
from annotations.services.studies import change_settings
from annotations.views.rights import researcher_of_study, signed_in


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, study: Study) -> HttpResponse:
    """The invitation and its limits."""
    form = InvitationForm(request.POST or None, instance=study)
    if request.method == "POST" and form.is_valid():
        change_settings(study=study, fields=form.changed_data, by=signed_in(request), action=Action.INVITATION)
        messages.success(request, _("Saved."))
        return redirect("study-invitation", study.token)
    if form.errors:
        # The form has already changed its own study instance: the page shows the saved values.
        study = Study.objects.select_related("owner").get(pk=study.pk)
    context = {
        "study": study,
        "tab": "raters",
        "form": form,
        "invitation": invitation_link(request, study),
        "why_closed": services.why_closed(study),
        "n_people": services.n_people(study),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "annotations/study/invitation.html", context, status=status)


@researcher_of_study
@require_POST
def renew(request: HttpRequest, study: Study) -> HttpResponse:
    """Creates a new address; the old one stops working."""
    services.renew_invitation(study=study, by=signed_in(request))
    messages.success(request, _("Here is the new invitation. The old one no longer works."))
    return redirect("study-invitation", study.token)


def invitation_link(request: HttpRequest, study: Study) -> str:
    return request.build_absolute_uri(reverse("join", args=[study.invitation]))
