"""The start page: this person's studies and work, and the next thing to do."""

from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotations.models import Study
from annotations.queries import studies as queries
from generation.models import Image

STUDIES_PER_PAGE = 20


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Each persona sees only their own work; signed-out visitors read what this site is."""
    user = request.user
    if not isinstance(user, User):
        return render(request, "annotations/rate/welcome.html", {"has_accounts": User.objects.exists()})
    may_add = user.has_perm("annotations.add_study")
    run = queries.with_progress(queries.studies_run_by(user).select_related("owner"))
    page = Paginator(run, STUDIES_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "studies": list(page.object_list),
        "audits": list(queries.audits_of(user)),
        "raters": list(queries.raters_of(user)),
        "may_add": may_add,
        "has_images": may_add and Image.objects.exclude(file="").exists(),
        "open": Study.State.OPEN,
    }
    return render(request, "annotations/home.html", context)
