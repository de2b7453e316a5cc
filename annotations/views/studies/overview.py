"""A study's pages for its researchers: state, settings, members, its end."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.forms.studies import InviteMemberForm, MemberForm, SettingsForm
from annotations.models import Study
from annotations.queries import studies as queries
from annotations.queries.live.kept import LARGE, kept
from annotations.queries.reports import current_answers
from annotations.services import studies as services
from annotations.services.imports.labels import questions_to_label
from annotations.services.invitations import why_closed
from annotations.services.reports import DEFAULT_SEED, MOST_COMPARISONS
from annotations.views.rights import researcher_of_study, signed_in
from annotations.views.studies.invitations import invitation_link


@never_cache
@researcher_of_study
@require_safe
def overview(request: HttpRequest, study: Study, *, large: int = LARGE) -> HttpResponse:
    """The study's progress and its invitation; with more than `large` cards the figures are up to half a minute old."""
    figures, counted_at = kept(
        "overview",
        study,
        lambda: queries.overview(study, timezone.now()),
        is_dear=lambda figures: figures.n_answered > large,
    )
    answers: list[str] = []
    if figures.n_answered:
        answers, _counted_at = kept(
            "answers",
            study,
            lambda: current_answers(study, seed=DEFAULT_SEED, most_comparisons=MOST_COMPARISONS),
            is_dear=lambda _answers: figures.n_answered > large,
        )
    context = {
        "study": study,
        "tab": "overview",
        "figures": figures,
        "answers": answers,
        "counted_at": counted_at,
        "dimensions": list(study.dimensions.all()),
        "invitation": invitation_link(request, study),
        "why_closed": why_closed(study),
    }
    return render(request, "annotations/study/overview.html", context)


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, study: Study) -> HttpResponse:
    """The study's words and pace, its members, and the link to its deletion."""
    form = SettingsForm(request.POST or None, instance=study)
    if request.method == "POST" and form.is_valid():
        services.change_settings(study=study, fields=form.changed_data, by=signed_in(request))
        messages.success(request, _("Saved."))
        return redirect("study-settings", study.token)
    return settings_page(request, study, form, MemberForm())


@researcher_of_study
@require_POST
def add_member(request: HttpRequest, study: Study) -> HttpResponse:
    form = MemberForm(request.POST)
    if form.is_valid():
        try:
            services.add_member(study=study, by=signed_in(request), **form.cleaned_data)
        except ValidationError as problem:
            form.add_error("username", problem)
        else:
            messages.success(request, _("Added."))
            return redirect(reverse("study-settings", args=[study.token]) + "#members")
    return settings_page(request, study, SettingsForm(instance=study), form)


@researcher_of_study
@require_POST
def remove_member(request: HttpRequest, study: Study, membership_id: int) -> HttpResponse:
    services.remove_member(study=study, membership_id=membership_id, by=signed_in(request))
    messages.success(request, _("Removed. Their work is kept."))
    if not queries.may_run(signed_in(request), study):
        return redirect("home")
    return redirect(reverse("study-settings", args=[study.token]) + "#members")


@researcher_of_study
@require_POST
def change_state(request: HttpRequest, study: Study) -> HttpResponse:
    """Open or close the study; any other request changes nothing."""
    wanted = request.POST.get("state", "")
    if wanted == Study.State.OPEN:
        try:
            services.open_study(study=study, by=signed_in(request), seen=_number(request.POST.get("seen", "")))
        except ValidationError as problem:
            messages.error(request, " ".join(problem.messages))
        else:
            messages.success(request, _("The study is open. Send the invitation to your raters."))
    elif wanted == Study.State.CLOSED:
        services.close_study(study=study, by=signed_in(request))
        messages.success(request, _("The study is closed. Answers to cards that raters already have are still saved."))
    return redirect(study)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def settings_page(
    request: HttpRequest, study: Study, form: SettingsForm, member_form: MemberForm, *, invitation_link: str = ""
) -> HttpResponse:
    """The page of settings; `invitation_link` is a new member's link, which is shown only once."""
    if form.errors:
        # The form has already changed its own study instance: the page's head shows the saved values.
        study = Study.objects.select_related("owner").get(pk=study.pk)
    context = {
        "study": study,
        "tab": "settings",
        "form": form,
        "member_form": member_form,
        "memberships": list(study.memberships.select_related("user").order_by("user__username", "role")),
        "invite_form": InviteMemberForm(),
        "invitations": list(study.member_invitations.usable().select_related("made_by")),
        "invitation_link": invitation_link,
        "dimensions": list(study.dimensions.all()),
        "may_label": bool(questions_to_label(study)),
        "may_delete": queries.may_delete(signed_in(request), study),
    }
    return render(request, "annotations/study/settings.html", context)
