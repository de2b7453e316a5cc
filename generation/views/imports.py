"""The researcher's import pages: what can be imported, the form, and a run's progress."""

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
from generation.forms.mapping import MappingForm
from generation.models import ImportRun
from generation.queries.import_runs import runs_of, sent_together
from generation.queries.stored_files import opened
from generation.services.imports.import_runs import ask_to_cancel
from generation.services.imports.importers import importers
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
    context = {"importers": importers().values(), "page": page, "runs": runs}
    return render(request, "generation/imports/imports.html", context)


# The token is in the body: anyone who looks for it reads the whole upload. So its size is judged first.
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
    form = ImportForm(importer, owner, request.POST or None, request.FILES or None, several=True, initial=initial)
    if request.method == "POST" and form.is_valid():
        runs = dispatch.start_imports(
            importer=importer,
            uploads=form.uploads_of_each(),
            options=form.options(),
            owner=owner,
            dry_run=form.cleaned_data["dry_run"],
        )
        return redirect("import-run", runs[0].pk)
    if form.is_bound:
        form.ask_again_for_files()
    status = 422 if form.is_bound else 200
    return render(request, "generation/imports/new.html", {"importer": importer, "form": form}, status=status)


@never_cache
@may_import
@require_safe
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """A run's progress and its refused rows. A request by script gets only the changing part."""
    row = _own(request, run_id)
    return _shown(request, row, MappingForm(row.options.get("reading") or {}))


def _shown(request: HttpRequest, row: ImportRun, form: MappingForm, *, status: int = 200) -> HttpResponse:
    importer = importers().get(row.kind)
    title = importer.title if importer else row.kind
    reading = row.options.get("reading") or {}
    context = {"run": row, "title": title, "given": described(row), "form": form, "reading": reading}
    context |= {"told": row.options.get("told") or [], "together": sent_together(row)}
    template = "generation/imports/_run.html" if "HX-Request" in request.headers else "generation/imports/run.html"
    return render(request, template, context, status=status)


@never_cache
@may_import
@require_safe
def rejects(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """Every refused row as CSV."""
    row = _own(request, run_id)
    if not row.rejects:
        raise Http404
    name = f"rejected-rows-{row.pk}.csv"
    return FileResponse(opened(row.rejects), as_attachment=True, filename=name, content_type="text/csv")


@may_import
@require_POST
def cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    row = _own(request, run_id)
    ask_to_cancel(run=row)
    return redirect("import-run", row.pk)


@may_import
@require_POST
def again(request: HttpRequest, run_id: int) -> HttpResponse:
    """A real import of the same files and options."""
    row = _own(request, run_id)
    if not row.has_ended:
        messages.warning(request, _("It is still running. Wait until it has finished, or cancel it."))
        return redirect("import-run", row.pk)
    if not row.upload:
        messages.warning(request, _("This site does not hold its file. Upload the file again, or repeat the command."))
        return redirect("import-run", row.pk)
    return redirect("import-run", dispatch.repeat_import(run=row, dry_run=False).pk)


@may_import
@require_POST
def again_all(request: HttpRequest, run_id: int) -> HttpResponse:
    """A real import of all files that were tried together, without those of which no row could be imported."""
    row = _own(request, run_id)
    tried = [run for run in sent_together(row) if run.can_be_imported]
    if not tried or any(not run.has_ended for run in sent_together(row)):
        messages.warning(request, _("Wait until every trial has finished, then start the imports."))
        return redirect("import-run", row.pk)
    return redirect("import-run", dispatch.repeat_imports(runs=tried)[0].pk)


@may_import
@require_POST
def reread(request: HttpRequest, run_id: int) -> HttpResponse:
    """Another dry run of the same files, read as the form of the columns says."""
    row = _own(request, run_id)
    form = MappingForm(row.options.get("reading") or {}, request.POST)
    if not row.has_ended or not row.upload or not form.columns:
        messages.warning(request, _("This file cannot be read again. Upload it again."))
        return redirect("import-run", row.pk)
    if not form.is_valid():
        return _shown(request, row, form, status=422)
    return redirect("import-run", dispatch.repeat_import(run=row, dry_run=True, mapping=form.mapping()).pk)


def _own(request: HttpRequest, run_id: int) -> ImportRun:
    return get_object_or_404(runs_of(signed_in(request)), pk=run_id)
