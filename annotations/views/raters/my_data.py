"""My data: the data stored about a rater, and their rights over it."""

from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotations.models import Auditor, PanelVisit, Rater
from annotations.queries.raters.own import own_studies
from annotations.services.panels.visits import ended
from annotations.services.raters import my_data as services
from annotations.services.raters.my_audits import erase_auditor, own_audits
from annotations.views.rights import signed_in

LONGEST_WORD = 4000


@never_cache
@login_required
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The studies that this person rates, with progress and earnings, and the ways to see, download or delete their
    data."""
    user = signed_in(request)
    audits = user.auditors.select_related("study").annotate(n=Count("audits", filter=Q(audits__state="finished")))
    return render(request, "annotations/raters/my_data.html", {"own": own_studies(user), "audits": list(audits)})


@never_cache
@login_required
@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Everything that is stored about this person as a rater or an auditor, as a JSON file."""
    user = signed_in(request)
    response = JsonResponse(
        services.export(user=user) | {"audits": own_audits(user)},
        json_dumps_params={"indent": 1, "ensure_ascii": False},
    )
    response.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response


@login_required
@require_POST
def withdraw(request: HttpRequest, study_token: str) -> HttpResponse:
    """Withdraw one's answers from the results."""
    rater, now = _rater(request, study_token), timezone.now()
    services.withdraw(rater=rater, now=now)
    if (panel_end := ended(rater, state=PanelVisit.State.RETURNED, now=now)) is not None:
        context = {"study": rater.study, "panel_end": panel_end}
        return render(request, "annotations/raters/stopped.html", context)
    messages.success(request, _("Withdrawn. Your answers are left out the next time the results are computed."))
    return redirect("my-data")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest, study_token: str) -> HttpResponse:
    """Explain what erasing does, and erase when the box is ticked."""
    rater = _rater(request, study_token)
    is_from_panel = PanelVisit.objects.filter(rater=rater).exists()
    if request.method != "POST" or "sure" not in request.POST:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if request.method == "POST" else HTTPStatus.OK
        context = {"rater": rater, "study": rater.study, "is_refused": request.method == "POST"}
        context |= {"is_from_panel": is_from_panel}
        return render(request, "annotations/raters/erase.html", context, status=status)
    user_id = signed_in(request).pk
    services.erase(rater=rater, now=timezone.now())
    if User.objects.filter(pk=user_id).exists():
        messages.success(request, _("Erased. Nothing about your part in that study is stored here any more."))
        return redirect("my-data")
    request.session.flush()
    response = render(request, "annotations/raters/erased.html", {"is_from_panel": is_from_panel})
    for name in request.COOKIES:
        if name.startswith("joined-"):
            response.delete_cookie(name, path="/join/")
    return response


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def erase_audits(request: HttpRequest, study_token: str) -> HttpResponse:
    """The same for a person's work as an auditor."""
    auditors = Auditor.objects.select_related("study", "user")
    auditor = get_object_or_404(auditors, study__token=study_token, user=signed_in(request))
    if request.method != "POST" or "sure" not in request.POST:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if request.method == "POST" else HTTPStatus.OK
        context = {"study": auditor.study, "is_refused": request.method == "POST"}
        return render(request, "annotations/raters/erase.html", context, status=status)
    user_id = signed_in(request).pk
    erase_auditor(auditor=auditor, now=timezone.now())
    if User.objects.filter(pk=user_id).exists():
        messages.success(request, _("Erased. Nothing about your part in that study is stored here any more."))
        return redirect("my-data")
    request.session.flush()
    return render(request, "annotations/raters/erased.html")


@login_required
@require_http_methods(["POST"])
def word(request: HttpRequest, study_token: str) -> HttpResponse:
    """Send a message to the researchers who run the study."""
    rater, text = _rater(request, study_token), request.POST.get("text", "").strip()[:LONGEST_WORD]
    if text:
        services.leave_word(rater=rater, text=text)
        messages.success(request, _("Sent. The people who run the study can read it now."))
    return redirect("my-data")


def _rater(request: HttpRequest, study_token: str) -> Rater:
    raters = Rater.objects.select_related("study", "user")
    return get_object_or_404(raters, study__token=study_token, user=signed_in(request))
