"""What raters read in other languages: a study's words, one language at a time."""

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
from annotations.views.rights import researcher_of_study, signed_in

LONGEST = 20_000


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def words(request: HttpRequest, study: Study, language: str = "") -> HttpResponse:
    """Each text with a field for its translation. What is left empty comes in the study's main language."""
    others = [(code, name) for code, name in settings.LANGUAGES if code != study.main_language]
    if not language:
        return redirect("study-words", study.token, next(iter(study.words), others[0][0]))
    if language not in dict(others):
        raise Http404
    texts = texts_of(study, study.dimensions.all())
    if request.method == "POST":
        # The fields go by the texts that the page showed: those that were changed meanwhile get no wrong translation.
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
