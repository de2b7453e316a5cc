"""Members without an account: a researcher creates a link, and the first person to open it gets an account and the
role."""

from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotations.forms.studies import AccountForm, InviteMemberForm, MemberForm, SettingsForm
from annotations.models import MemberInvitation, Study
from annotations.services import invitations as services
from annotations.views.rights import researcher_of_study, signed_in
from annotations.views.studies.overview import settings_page


@never_cache
@researcher_of_study
@require_POST
def invite(request: HttpRequest, study: Study) -> HttpResponse:
    """A new link, shown once in the response and never again."""
    form = InviteMemberForm(request.POST)
    if not form.is_valid():
        return settings_page(request, study, SettingsForm(instance=study), MemberForm())
    secret = services.invite_member(study=study, role=form.cleaned_data["role"], by=signed_in(request))
    link = request.build_absolute_uri(reverse("member-accept", args=[secret]))
    return settings_page(request, study, SettingsForm(instance=study), MemberForm(), invitation_link=link)


@researcher_of_study
@require_POST
def revoke(request: HttpRequest, study: Study, invitation_id: int) -> HttpResponse:
    services.revoke_member_invitation(study=study, invitation_id=invitation_id, by=signed_in(request))
    messages.success(request, _("Revoked. The link no longer works."))
    return redirect(reverse("study-settings", args=[study.token]) + "#members")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, secret: str) -> HttpResponse:
    """The invitation. A signed-in user accepts it; anybody else creates an account with it."""
    found = MemberInvitation.objects.usable().with_secret(secret).select_related("study", "made_by").first()
    if found is None:
        return render(request, "annotations/study/member_invitation.html", status=HTTPStatus.NOT_FOUND)
    user = request.user if isinstance(request.user, User) else None
    form = None if user else AccountForm(request.POST or None)
    problem: ValidationError | None = None
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            with transaction.atomic():
                member = user or form.save()  # type: ignore[union-attr]  # without a user there is a form
                services.accept_membership(invitation=found, user=member)
        except ValidationError as error:
            problem = error
        else:
            if user is None:
                login(request, member, backend="django.contrib.auth.backends.ModelBackend")
            messages.success(request, _("Welcome. You now take part in this study."))
            return redirect("home")
    context = {"invitation": found, "form": form, "problem": problem}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem or (form and form.errors) else HTTPStatus.OK
    return render(request, "annotations/study/member_invitation.html", context, status=status)
