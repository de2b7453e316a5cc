"""The researcher's audit tab: planning an audit, following it, and managing claims and planted controls."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.forms.audits import PLAN_STATES, AuditorForm, ClaimsForm, PlanForm
from annotations.models import AuditPlan, Membership, Study
from annotations.queries.audits import overview as overviews
from annotations.queries.audits import work as queries
from annotations.services import studies as studies_services
from annotations.services.audits import plans
from annotations.views.rights import researcher_of_study, signed_in
from generation.models import Critique, Image, Method

IMAGES_PER_PAGE = 24


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def plan(request: HttpRequest, study: Study) -> HttpResponse:
    """The audit's state, or the form that plans it."""
    existing = AuditPlan.objects.select_related("study").filter(study=study).first()
    if existing is not None:
        return _state_page(request, study, existing, AuditorForm())
    images = queries.study_images(study)
    critics = queries.critics_of(study)
    methods = list(Method.objects.filter(images__in=images).distinct().order_by("name"))
    form = PlanForm(request.POST or None, critics=critics, methods=methods)
    if request.method == "POST" and form.is_valid():
        clean = images.filter(method__in=form.cleaned_data["error_free"]).values_list("pk", flat=True)
        try:
            made = plans.make_plan(study=study, created_by=signed_in(request), clean=list(clean), **form.plan_fields())
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            n = made.items.count()
            messages.success(
                request,
                _("The audit is planned, with %(n)d images and pairs to judge. Add auditors, then open it.") % {"n": n},
            )
            return redirect("study-audit", study.token)
    context = {
        "study": study,
        "tab": "audit",
        "form": form,
        "critics": critics,
        "n_images": len(queries.auditable_images(study, critics=(), images=None)) if critics else 0,
    }
    return render(request, "annotations/audit/plan.html", context)


def _state_page(request: HttpRequest, study: Study, plan: AuditPlan, form: AuditorForm) -> HttpResponse:
    members = study.memberships.filter(role=Membership.Role.AUDITOR).select_related("user").order_by("user__username")
    auditors = list(overviews.auditors_with_progress(study))
    came = {auditor.user_id for auditor in auditors}
    context = {
        "study": study,
        "tab": "audit",
        "plan": plan,
        "figures": overviews.figures(plan),
        "auditors": auditors,
        "invited": [member.user for member in members if member.user_id not in came],
        "form": form,
        "link": request.build_absolute_uri(reverse("audit", args=[study.token])),
    }
    return render(request, "annotations/audit/state.html", context)


@researcher_of_study
@require_POST
def change_state(request: HttpRequest, study: Study) -> HttpResponse:
    """Open or close; anything else asked for changes nothing."""
    plan = get_object_or_404(AuditPlan.objects.select_related("study"), study=study)
    wanted = request.POST.get("state", "")
    if wanted in PLAN_STATES:
        plans.set_state(plan=plan, state=wanted, by=signed_in(request))
        if wanted == AuditPlan.State.OPEN:
            messages.success(request, _("The audit is open. Send the link to your auditors."))
        else:
            messages.success(request, _("The audit is closed. Images already assigned can still be judged."))
    return redirect("study-audit", study.token)


@researcher_of_study
@require_POST
def add_auditor(request: HttpRequest, study: Study) -> HttpResponse:
    """Give somebody an auditor's right in this study."""
    plan = get_object_or_404(AuditPlan.objects.select_related("study"), study=study)
    form = AuditorForm(request.POST)
    if form.is_valid():
        try:
            studies_services.add_member(
                study=study,
                username=form.cleaned_data["username"],
                role=Membership.Role.AUDITOR,
                by=signed_in(request),
            )
        except ValidationError as problem:
            form.add_error("username", problem)
        else:
            messages.success(request, _("Added. The auditor will find the audit on their start page."))
            return redirect("study-audit", study.token)
    return _state_page(request, study, plan, form)


@never_cache
@researcher_of_study
@require_safe
def claims(request: HttpRequest, study: Study) -> HttpResponse:
    """The images with the claims about them."""
    page = Paginator(overviews.images_with_critiques(study), IMAGES_PER_PAGE).get_page(request.GET.get("page"))
    context = {"study": study, "tab": "audit", "page": page, "images": list(page.object_list)}
    return render(request, "annotations/audit/claims.html", context)


@never_cache
@researcher_of_study
@require_safe
def image_claims(request: HttpRequest, study: Study, image_id: int) -> HttpResponse:
    """One image: each original critique, its editable split, and a form to plant false claims."""
    return _image_page(request, study, _study_image(study, image_id), {}, ClaimsForm(prefix="plant"))


def _study_image(study: Study, image_id: int) -> Image:
    return get_object_or_404(queries.study_images(study).select_related("prompt__prompt_set", "method"), pk=image_id)


def _refuse_others(request: HttpRequest, study: Study, image: Image) -> None:
    if not plans.may_change_claims(study=study, user=signed_in(request), image=image):
        raise PermissionDenied


def _image_page(
    request: HttpRequest, study: Study, image: Image, split_forms: dict[int, ClaimsForm], plant_form: ClaimsForm
) -> HttpResponse:
    rows: list[dict[str, Any]] = []
    for critique in overviews.critiques_of(image):
        lines = "\n".join(claim.text for claim in critique.claims.all())
        form = split_forms.get(critique.pk) or ClaimsForm(prefix=f"split-{critique.pk}", initial={"claims": lines})
        rows.append({"critique": critique, "form": form, "claims": list(critique.claims.all())})
    context = {
        "study": study,
        "tab": "audit",
        "image": image,
        "rows": rows,
        "plant_form": plant_form,
        "is_given_out": overviews.is_given_out(image.pk),
        "may_change": plans.may_change_claims(study=study, user=signed_in(request), image=image),
    }
    return render(request, "annotations/audit/image.html", context)


@researcher_of_study
@require_POST
def split(request: HttpRequest, study: Study, critique_id: int) -> HttpResponse:
    """Split a critique by hand."""
    images = queries.study_images(study)
    critiques = Critique.objects.select_related("image__prompt__prompt_set")
    critique = get_object_or_404(critiques, pk=critique_id, image__in=images)
    _refuse_others(request, study, critique.image)
    form = ClaimsForm(request.POST, prefix=f"split-{critique.pk}")
    if form.is_valid():
        try:
            plans.replace_split(critique=critique, texts=form.texts(), by=signed_in(request))
        except plans.AlreadyJudged:
            messages.error(request, _("Auditors have been given this image, so its claims stay as they are."))
        else:
            messages.success(request, _("Saved. The original text is kept."))
        return redirect("study-audit-image", study.token, critique.image_id)
    return _image_page(request, study, _study_image(study, critique.image_id), {critique.pk: form}, ClaimsForm())


@researcher_of_study
@require_POST
def plant(request: HttpRequest, study: Study, image_id: int) -> HttpResponse:
    """Plant claims known to be false."""
    image = _study_image(study, image_id)
    _refuse_others(request, study, image)
    form = ClaimsForm(request.POST, prefix="plant")
    if form.is_valid() and form.texts():
        try:
            plans.plant_claims(image=image, texts=form.texts(), by=signed_in(request))
        except plans.AlreadyJudged:
            messages.error(request, _("Auditors have been given this image, so its claims stay as they are."))
        else:
            messages.success(request, _("Planted. Auditors cannot distinguish these claims from the others."))
        return redirect("study-audit-image", study.token, image.pk)
    return _image_page(request, study, image, {}, form)
