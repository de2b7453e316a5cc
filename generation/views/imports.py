"""The researcher's import pages: what can be imported, the form, and how far a run is."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generation import dispatch
from generation.forms import ImportForm, described
from generation.models import ImportRun
from generation.queries.import_runs import runs_of
from generation.services.import_runs import ask_to_cancel
from generation.services.importers import importers
from generation.views.rights import is_too_large, may_import, signed_in, too_large

RUNS_PER_PAGE = 20


@never_cache
@may_import
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every kind of import, and this person's latest runs."""
    page = Paginator(runs_of(signed_in(request)), RUNS_PER_PAGE).get_page(request.GET.get("page"))
    titles = {kind: importer.title for kind, importer in importers().items()}
    runs = [(run, titles.get(run.kind, run.kind)) for run in page.object_list]
    return render(request, "generation/imports.html", {"importers": importers().values(), "page": page, "runs": runs})


# The token stands in the body: whoever looks for it reads the whole upload. So its size is judged first.
@csrf_exempt
@never_cache
@may_import
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The form of one kind of import."""
    return too_large(request) if is_too_large(request) else _new(request, kind)


@csrf_protect
def _new(request: HttpRequest, kind: str) -> HttpResponse:
    importer = importers().get(kind)
    if importer is None:
        raise Http404
    owner = signed_in(request)
    initial = {o.name: request.GET[o.name] for o in importer.options if o.name in request.GET}
    form = ImportForm(importer, owner, request.POST or None, request.FILES or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        run = dispatch.start_import(
            importer=importer,
            uploads=form.uploads(),
            options=form.options(),
            owner=owner,
            dry_run=form.cleaned_data["dry_run"],
        )
        return redirect("import-run", run.pk)
    status = 422 if form.is_bound else 200
    return render(request, "generation/import_new.html", {"importer": importer, "form": form}, status=status)


@never_cache
@may_import
@require_safe
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """How far a run is; what it refused. A request by script gets the changing part alone."""
    row = _own(request, run_id)
    importer = importers().get(row.kind)
    context = {"run": row, "title": importer.title if importer else row.kind, "given": described(row)}
    template = "generation/_import_run.html" if "HX-Request" in request.headers else "generation/import_run.html"
    return render(request, template, context)


@never_cache
@may_import
@require_safe
def rejects(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """Every refused row as CSV."""
    row = _own(request, run_id)
    if not row.rejects:
        raise Http404
    name = f"rejected-rows-{row.pk}.csv"
    return FileResponse(row.rejects.open("rb"), as_attachment=True, filename=name, content_type="text/csv")


@may_import
@require_POST
def cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    row = _own(request, run_id)
    ask_to_cancel(run=row)
    return redirect("import-run", row.pk)


@may_import
@require_POST
def again(request: HttpRequest, run_id: int) -> HttpResponse:
    """The same files and options once more, for real."""
    row = _own(request, run_id)
    if not row.has_ended:
        messages.warning(request, _("It is still running. Wait for its end, or cancel it."))
        return redirect("import-run", row.pk)
    return redirect("import-run", dispatch.repeat_import(run=row, dry_run=False).pk)


def _own(request: HttpRequest, run_id: int) -> ImportRun:
    return get_object_or_404(runs_of(signed_in(request)), pk=run_id)
