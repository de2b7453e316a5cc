"""A study's settings for its raters, for its researchers."""

from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotations.forms.raters import RaterPlanForm
from annotations.models import Study
from annotations.models.participation import plan_of
from annotations.queries.raters.pay import hourly_pay
from annotations.services.raters import strata as services
from annotations.services.taking_part.plans import save_plan
from annotations.views.rights import researcher_of_study, signed_in


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: HttpRequest, study: Study) -> HttpResponse:
    """Practice, checks, breaks, pay and retention, and what the pay amounts to."""
    form = RaterPlanForm(request.POST or None, instance=plan_of(study))
    if request.method == "POST" and form.is_valid():
        save_plan(plan=form.save(commit=False), changed=form.changed_data, by=signed_in(request))
        messages.success(request, _("Saved."))
        return redirect("study-rater-plan", study.token)
    strata = services.strata(study)
    context = {
        "strata": strata if len(strata) > 1 else [],
        "study": study,
        "tab": "raters",
        "part": "plan",
        "form": form,
        "pay": hourly_pay(study, plan_of(Study.objects.get(pk=study.pk))),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "annotations/watching/plan.html", context, status=status)


@researcher_of_study
@require_POST
def quota(request: HttpRequest, study: Study) -> HttpResponse:
    """Give the items of one prompt category another number of raters."""
    text, category = request.POST.get("wanted", ""), request.POST.get("category", "")
    wanted = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    try:
        n = services.set_quota(study=study, category=category, wanted=wanted, by=signed_in(request))
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        messages.success(request, ngettext("Changed %d item.", "Changed %d items.", n) % n)
    return redirect("study-rater-plan", study.token)
