"""A study's results for papers: the report in every format, single figures, and everything in one zip."""

import tempfile
import zipfile
from collections.abc import Callable, Sequence

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotations.models import ReportSnapshot, Study
from annotations.queries import reports as queries
from annotations.reports.documents.study import StudyDocument
from annotations.reports.outputs import FORMATS, file_name, picture, report_files
from annotations.reports.paper.figures import named_figures, paper_figures
from annotations.reports.paper.manuscript import Manuscript, manuscript
from annotations.reports.paper.markdown import markdown
from annotations.reports.paper.pdf import report_pdf
from annotations.reports.paper.references.bibliography import bibliography
from annotations.reports.paper.tex_files import methods_tex
from annotations.reports.parts import parts_of
from annotations.reports.rendering import Links
from annotations.reports.view import Figure, Section
from annotations.services.exports import NothingToRelease
from annotations.services.release import has_few_images, is_quickly_released, write_release
from annotations.views.downloads import file_name as download_name
from annotations.views.rights import researcher_of_study


def report_docx(paper: Manuscript) -> bytes:
    """The report as a Word file."""
    from annotations.reports.paper import word  # python-docx is slow to import, and few requests ask for it

    return word.report_docx(paper)


TYPES = {
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "png": "image/png",
}
ALREADY_SMALL = (".png", ".pdf", ".docx")
FILES: dict[str, tuple[str, Callable[[Manuscript], bytes]]] = {
    "report.pdf": ("application/pdf", report_pdf),
    "report.docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", report_docx),
    "report.md": ("text/markdown; charset=utf-8", lambda paper: markdown(paper).encode()),
    "methods.tex": ("application/x-tex; charset=utf-8", lambda paper: methods_tex(paper).encode()),
    "references.bib": (
        "application/x-bibtex; charset=utf-8",
        lambda paper: bibliography(one.key for one in paper.references).encode(),
    ),
}
"""By name: the content type, and the function that writes the file."""


@never_cache
@researcher_of_study
@require_safe
def file(request: HttpRequest, study: Study, snapshot_id: int, name: str) -> HttpResponseBase:
    """The report as one file, or its methods or references."""
    if name not in FILES:
        raise Http404
    kind, made = FILES[name]
    return bytes_attachment(made(manuscript(finished(study, snapshot_id))), download_name(study, name), kind)


@never_cache
@researcher_of_study
@require_safe
def figure(request: HttpRequest, study: Study, snapshot_id: int, name: str, ending: str) -> HttpResponseBase:
    """One figure as SVG, PDF or PNG at 300 dots per inch, for the width of a page; `?column` for one column of two."""
    if ending not in FORMATS:
        raise Http404
    document = finished(study, snapshot_id)
    chosen = next((one for one in paper_figures(parts_of(document)) if one.name == name), None)
    if chosen is None:
        raise Http404
    is_wide = "column" not in request.GET
    content = picture(chosen, ending, document.made.at, is_wide=is_wide)
    return bytes_attachment(content, download_name(study, file_name(chosen, ending, is_wide=is_wide)), TYPES[ending])


@never_cache
@researcher_of_study
@require_safe
def everything(request: HttpRequest, study: Study, snapshot_id: int) -> HttpResponseBase:
    """Every file that `manage.py report` writes, in one zip."""
    document = finished(study, snapshot_id)
    target = tempfile.TemporaryFile("w+b")  # noqa: SIM115 (the response closes it)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in report_files(document):
            kind = zipfile.ZIP_STORED if name.endswith(ALREADY_SMALL) else zipfile.ZIP_DEFLATED
            archive.writestr(name, content, kind)
    target.seek(0)
    return FileResponse(
        target, as_attachment=True, filename=download_name(study, "paper.zip"), content_type="application/zip"
    )


@never_cache
@researcher_of_study
@require_safe
def release(request: HttpRequest, study: Study) -> HttpResponseBase:
    """The release bundle of a study of moderate size, `?images` with its image files; a larger one by command."""
    with_images = "images" in request.GET
    if not is_quickly_released(study) or (with_images and not has_few_images(study)):
        return HttpResponse(_("This study is large. Make its release with the command manage.py release."), status=409)
    target = tempfile.TemporaryFile("w+b")  # noqa: SIM115 (the response closes it)
    try:
        write_release(study=study, target=target, with_images=with_images)
    except NothingToRelease as problem:
        target.close()
        raise Http404(str(problem)) from None
    target.seek(0)
    return FileResponse(
        target, as_attachment=True, filename=download_name(study, "release.zip"), content_type="application/zip"
    )


def figure_links(study: Study, snapshot: ReportSnapshot, sections: Sequence[Section]) -> Links:
    """The addresses of the files of each figure in these sections; a figure of none of them has no files."""
    names = {id(shown): name for name, _of, shown in named_figures(sections)}

    def links(shown: Figure) -> list[tuple[str, str]]:
        return [
            (ending.upper(), reverse("study-figure", args=[study.token, snapshot.pk, names[id(shown)], ending]))
            for ending in FORMATS
            if id(shown) in names
        ]

    return links


def finished(study: Study, snapshot_id: int) -> StudyDocument:
    """The document of a finished snapshot that this version can show, or 404."""
    document = queries.readable(get_object_or_404(queries.finished(study), pk=snapshot_id))
    if document is None:
        raise Http404
    return document


def bytes_attachment(content: bytes, name: str, kind: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
