"""A study's pages for its researchers: state, raters, settings, members, its end."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.forms.studies import MemberForm, SettingsForm
from annotations.models import Study
from annotations.queries import studies as queries
from annotations.services import studies as services
from annotations.views.rights import researcher_of_study, signed_in

RATERS_PER_PAGE = 50


@never_cache
@researcher_of_study
@require_safe
def overview(request: HttpRequest, study: Study) -> HttpResponse:
    """How far the study is, and its invitation."""
    context = {
        "study": study,
        "tab": "overview",
        "figures": queries.overview(study, timezone.now()),
        "dimensions": list(study.dimensions.all()),
        "invitation": invitation_link(request, study),
    }
    return render(request, "annotations/study.html", context)


@never_cache
@researcher_of_study
@require_safe
def raters(request: HttpRequest, study: Study) -> HttpResponse:
    """Who rates, and how far each is."""
    page = Paginator(queries.raters_with_progress(study), RATERS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "study": study,
        "tab": "raters",
        "page": page,
        "raters": list(page.object_list),
        "invitation": invitation_link(request, study),
    }
    return render(request, "annotations/study_raters.html", context)


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, study: Study) -> HttpResponse:
    """Words and pace of the study; its members; the way to its end."""
    form = SettingsForm(request.POST or None, instance=study)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("study-settings", study.token)
    return _settings_page(request, study, form, MemberForm())


@researcher_of_study
@require_POST
def add_member(request: HttpRequest, study: Study) -> HttpResponse:
    form = MemberForm(request.POST)
    if form.is_valid():
        try:
            services.add_member(study=study, **form.cleaned_data)
        except ValidationError as problem:
            form.add_error("username", problem)
        else:
            messages.success(request, _("Added."))
            return redirect(reverse("study-settings", args=[study.token]) + "#members")
    return _settings_page(request, study, SettingsForm(instance=study), form)


@researcher_of_study
@require_POST
def remove_member(request: HttpRequest, study: Study, membership_id: int) -> HttpResponse:
    services.remove_member(study=study, membership_id=membership_id)
    messages.success(request, _("Removed. What they did stays."))
    if not queries.may_run(signed_in(request), study):
        return redirect("home")
    return redirect(reverse("study-settings", args=[study.token]) + "#members")


@researcher_of_study
@require_POST
def change_state(request: HttpRequest, study: Study) -> HttpResponse:
    """Open or close; anything else asked for changes nothing."""
    wanted = request.POST.get("state", "")
    if wanted == Study.State.OPEN:
        try:
            services.open_study(study=study)
        except ValidationError as problem:
            messages.error(request, " ".join(problem.messages))
        else:
            messages.success(request, _("The study is open. Send the invitation to your raters."))
    elif wanted == Study.State.CLOSED:
        services.close_study(study=study)
        messages.success(
            request, _("The study is closed. What raters had before them is still saved when they answer.")
        )
    return redirect(study)


def invitation_link(request: HttpRequest, study: Study) -> str:
    return request.build_absolute_uri(reverse("join", args=[study.invitation]))


def _settings_page(request: HttpRequest, study: Study, form: SettingsForm, member_form: MemberForm) -> HttpResponse:
    if form.errors:
        # The form has already put what was typed into its study: the page's head shows what is saved.
        study = Study.objects.select_related("owner").get(pk=study.pk)
    context = {
        "study": study,
        "tab": "settings",
        "form": form,
        "member_form": member_form,
        "memberships": list(study.memberships.select_related("user").order_by("user__username", "role")),
        "dimensions": list(study.dimensions.all()),
        "may_delete": queries.may_delete(signed_in(request), study),
    }
    return render(request, "annotations/study_settings.html", context)
