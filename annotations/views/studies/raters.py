"""A study's raters for its researchers: their progress, what stands out, and who does not count."""

from http import HTTPStatus

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotations.forms.studies import ExclusionForm
from annotations.models import Rater, RaterMessage, Study
from annotations.queries import studies as queries
from annotations.queries.live.viewing import MOST_CARDS, viewing_on_page
from annotations.queries.reports import what_stands_out
from annotations.queries.results import n_withdrawn
from annotations.services.exclusions import exclude_rater, include_rater
from annotations.views.rights import researcher_of_study, signed_in
from annotations.views.studies.invitations import invitation_link

RATERS_PER_PAGE = 50
MOST_WORDS = 50


@never_cache
@researcher_of_study
@require_safe
def index(request: HttpRequest, study: Study, *, most_cards: int = MOST_CARDS) -> HttpResponse:
    """The raters, their progress, and what stands out about them.

    With more than `most_cards` cards, viewing conditions come from the latest results.
    """
    return _page(request, study, most_cards=most_cards)


@researcher_of_study
@require_POST
def exclude(request: HttpRequest, study: Study, rater_id: int) -> HttpResponse:
    """Leave a rater out of the results, with a reason."""
    rater = get_object_or_404(study.raters, pk=rater_id)
    form = ExclusionForm(request.POST)
    if not form.is_valid():
        return _page(request, study, refused=rater, form=form)
    exclude_rater(rater=rater, reason=form.cleaned_data["reason"], by=signed_in(request))
    messages.success(request, _("Excluded. The results are computed without this rater; the answers are kept."))
    return redirect("study-raters", study.token)


@researcher_of_study
@require_POST
def include(request: HttpRequest, study: Study, rater_id: int) -> HttpResponse:
    """Count an excluded rater's answers again."""
    include_rater(rater=get_object_or_404(study.raters, pk=rater_id), by=signed_in(request))
    messages.success(request, _("Included. The rater’s answers count again."))
    return redirect("study-raters", study.token)


def _page(
    request: HttpRequest,
    study: Study,
    *,
    refused: Rater | None = None,
    form: ExclusionForm | None = None,
    most_cards: int = MOST_CARDS,
) -> HttpResponse:
    page = Paginator(queries.raters_with_progress(study), RATERS_PER_PAGE).get_page(request.GET.get("page"))
    stands_out = what_stands_out(study)
    raters = list(page.object_list)
    seen = viewing_on_page(study, raters, most_cards=most_cards)
    context = {
        "study": study,
        "tab": "raters",
        "page": page,
        "raters": [{"rater": rater, "stands_out": stands_out.get(rater.name, [])} for rater in raters],
        "seen": seen,
        "viewings": [(rater, seen.by_rater[rater.pk]) for rater in raters if rater.pk in seen.by_rater],
        "refused": refused,
        "form": form,
        "invitation": invitation_link(request, study),
        "words": list(RaterMessage.objects.filter(rater__study=study).select_related("rater")[:MOST_WORDS]),
        "n_withdrawn": n_withdrawn(study),
    }
    return render(request, "annotations/study/raters.html", context, status=HTTPStatus.OK)
