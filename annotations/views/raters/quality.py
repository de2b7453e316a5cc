"""Watching raters while a study runs: one row each, and the registered rules for excluding raters."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotations.forms.rules import RulesForm
from annotations.models import Study
from annotations.models.participation import plan_of
from annotations.queries.raters.groups import by_group
from annotations.queries.raters.quality import newest_agreement, signals, work_of
from annotations.queries.raters.repeats import within_oneself
from annotations.queries.raters.rules import rules_of
from annotations.queries.studies import raters_with_progress
from annotations.services.raters import rules as services
from annotations.views.rights import researcher_of_study, signed_in

RATERS_PER_PAGE = 25


@never_cache
@researcher_of_study
@require_safe
def quality(request: HttpRequest, study: Study) -> HttpResponse:
    """Each signal with its own interval or reason; never one score."""
    return _page(request, study, RulesForm(initial=_initial(study)))


@researcher_of_study
@require_POST
def register(request: HttpRequest, study: Study) -> HttpResponse:
    """Register rules before the study opens."""
    form = RulesForm(request.POST)
    if form.is_valid():
        try:
            services.register_rules(study=study, rules=form.rules(), by=signed_in(request))
        except ValidationError as problem:
            messages.error(request, " ".join(problem.messages))
        else:
            messages.success(request, _("Registered. The report states these rules."))
        return redirect("study-quality", study.token)
    return _page(request, study, form)


@researcher_of_study
@require_POST
def apply(request: HttpRequest, study: Study) -> HttpResponse:
    """Exclude raters who break a registered rule, each with the reason."""
    excluded = services.apply_rules(study=study, by=signed_in(request), now=timezone.now())
    text = ngettext(
        "%d rater excluded by the registered rules.", "%d raters excluded by the registered rules.", len(excluded)
    )
    messages.success(request, text % len(excluded))
    return redirect("study-quality", study.token)


def _initial(study: Study) -> dict[str, Any]:
    rules = rules_of(plan_of(study))
    return {f"{rule.signal}_{name}": getattr(rule, name) for rule in rules for name in ("limit", "fewest")}


def _page(request: HttpRequest, study: Study, form: RulesForm) -> HttpResponse:
    page = Paginator(raters_with_progress(study), RATERS_PER_PAGE).get_page(request.GET.get("page"))
    raters = list(page.object_list)
    works, agreement = work_of(study, raters), newest_agreement(study)
    rules = rules_of(plan_of(study))
    rows = []
    for rater in raters:
        work = works[rater.pk]
        breaks = [reason for rule in rules if (reason := rule.broken_by(work))]
        rows.append({"rater": rater, "signals": signals(work, agreement.get(rater.name)), "breaks": breaks})
    context = {
        "study": study,
        "tab": "raters",
        "part": "quality",
        "page": page,
        "rows": rows,
        "rules": rules,
        "form": form,
        "groups": by_group(study),
        "within": within_oneself(study),
        "may_register": study.state == Study.State.DRAFT,
    }
    return render(request, "annotations/watching/quality.html", context)
