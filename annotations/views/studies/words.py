"""A study's words: what raters read in other languages, and labels for the levels of an imported scale."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotations.models import Study
from annotations.queries.words import n_translated, texts_of
from annotations.services import studies as services
from annotations.services.imports.labels import LONGEST as LONGEST_LABEL
from annotations.services.imports.labels import label_levels, questions_to_label
from annotations.views.rights import researcher_of_study, signed_in

LONGEST = 20_000


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def words(request: HttpRequest, study: Study, language: str = "") -> HttpResponse:
    """Each text with a field for its translation. A text left empty is shown in the study's main language."""
    others = [(code, name) for code, name in settings.LANGUAGES if code != study.main_language]
    if not language:
        return redirect("study-words", study.token, next(iter(study.words), others[0][0]))
    if language not in dict(others):
        raise Http404
    texts = texts_of(study, study.dimensions.all())
    if request.method == "POST":
        # The fields refer to the texts that the page showed, so texts changed in the meantime do not get a wrong
        # translation.
        shown = request.POST.getlist("text")
        given = request.POST.getlist("translation")
        wanted = {one.text for one in texts}
        sent = {
            text: translation.strip()[:LONGEST]
            for text, translation in zip((text.replace("\r\n", "\n") for text in shown), given, strict=False)
        }
        kept = {text: own for text, own in study.words.get(language, {}).items() if text not in sent}
        try:
            services.change_words(
                study=study,
                language=language,
                words=kept | {text: own for text, own in sent.items() if text in wanted},
                by=signed_in(request),
            )
        except ValidationError as problem:
            messages.error(request, " ".join(problem.messages))
        else:
            messages.success(request, _("Saved."))
        return redirect("study-words", study.token, language)
    context = {
        "study": study,
        "tab": "settings",
        "language": language,
        "name": dict(others)[language],
        "main_name": dict(settings.LANGUAGES).get(study.main_language, study.main_language),
        "languages": [(code, name, n_translated(study, texts, code)) for code, name in others],
        "n_texts": len(texts),
        "rows": [(one, study.words.get(language, {}).get(one.text, "")) for one in texts],
        "is_draft": study.state == Study.State.DRAFT,
    }
    return render(request, "annotations/study/words.html", context)


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def labels(request: HttpRequest, study: Study) -> HttpResponse:
    """A field for every level of every question that was imported without words."""
    questions = questions_to_label(study)
    problem = ""
    if request.method == "POST":
        given = {
            one.pk: [request.POST.get(f"label-{one.pk}-{code}", "") for code in range(len(one.levels))]
            for one in questions
        }
        try:
            label_levels(study=study, labels=given, by=signed_in(request))
        except ValidationError as refused:
            problem = " ".join(refused.messages)
        else:
            messages.success(request, _("Saved."))
            return redirect("study-labels", study.token)
    rows = [
        (
            one,
            [
                (f"label-{one.pk}-{code}", level["value"], request.POST.get(f"label-{one.pk}-{code}", _shown(level)))
                for code, level in enumerate(one.levels)
            ],
        )
        for one in questions
    ]
    context = {"study": study, "tab": "settings", "questions": rows, "problem": problem, "longest": LONGEST_LABEL}
    return render(request, "annotations/design/labels.html", context, status=422 if problem else 200)


def _shown(level: dict[str, str]) -> str:
    """The level's label; empty if it has only its value."""
    return "" if level["label"] == level["value"] else level["label"]
