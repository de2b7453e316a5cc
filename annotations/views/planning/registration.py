"""The registration of a study: intentions, the plan frozen before the first answer, deviations, documents."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from annotations.forms.planning import FactsForm, IntentionsForm
from annotations.models import Study
from annotations.queries.planning.facts import statement_of
from annotations.queries.planning.present import (
    has_answers,
    present_plan,
    registered_now,
    registration_of,
    registrations_of,
)
from annotations.reports.registration.documents import (
    REGISTRIES,
    answers,
    registration_markdown,
    registration_pdf,
)
from annotations.services.planning.registering import register, save_statement
from annotations.views.downloads import attachment, file_name
from annotations.views.rights import researcher_of_study, signed_in


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def registration(request: HttpRequest, study: Study) -> HttpResponse:
    """The texts that a registry asks for, the plan, and the registration with the deviations from it."""
    statement = statement_of(study)
    form = IntentionsForm(request.POST or None, initial=statement.intentions)
    if request.method == "POST" and form.is_valid():
        save_statement(study=study, part="intentions", texts=form.texts, by=signed_in(request))
        if "register" in request.POST:
            return _register(request, study)
        messages.success(request, _("Saved."))
        return redirect("study-registration", study.token)
    last = registration_of(study)
    shown = registered_now(study, last) if last is not None else None
    context = {
        "study": study,
        "tab": "settings",
        "form": form,
        "last": last,
        "registered": shown,
        "earlier": list(registrations_of(study)[1:]),
        "plan": answers(shown.plan if shown else present_plan(study, with_items=False), "osf"),
        "can_register": not has_answers(study),
        "registries": [(key, title) for key, (title, _answers) in REGISTRIES.items()],
    }
    return render(request, "annotations/planning/registration.html", context)


def _register(request: HttpRequest, study: Study) -> HttpResponse:
    try:
        register(study=study, by=signed_in(request))
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        messages.success(request, _("Registered: the plan is frozen. Download it and send it to a registry."))
    return redirect("study-registration", study.token)


@never_cache
@researcher_of_study
@require_safe
def document(request: HttpRequest, study: Study, name: str) -> HttpResponse:
    """The registered plan: registration.json, whose SHA-256 is the digest, or REGISTRY.md and REGISTRY.pdf."""
    last = registration_of(study)
    registry, _dot, ending = name.rpartition(".")
    if last is None:
        raise Http404
    if name == "registration.json":
        return attachment(last.content, file_name(study, name), "application/json")
    if registry not in REGISTRIES or ending not in ("md", "pdf"):
        raise Http404
    found = registered_now(study, last)
    if ending == "md":
        return attachment(registration_markdown(found, registry), file_name(study, name), "text/markdown")
    response = HttpResponse(registration_pdf(found, registry), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name(study, name)}"'
    return response


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def facts(request: HttpRequest, study: Study) -> HttpResponse:
    """Recruitment, pay, ethics and publication: asked once, used by checklists, methods section and data card."""
    form = FactsForm(request.POST or None, initial=statement_of(study).facts)
    if request.method == "POST" and form.is_valid():
        save_statement(study=study, part="facts", texts=form.texts, by=signed_in(request))
        messages.success(request, _("Saved. The next report uses it."))
        return redirect("study-facts", study.token)
    return render(request, "annotations/planning/facts.html", {"study": study, "tab": "settings", "form": form})
