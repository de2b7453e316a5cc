"""A living benchmark: methods that join a study later, with a record of every addition."""

from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotations.forms.benchmarks import JoiningForm
from annotations.models import Study
from annotations.queries.benchmarks import methods_of, methods_that_may_join, tries_of
from annotations.services.benchmarks.joining import add_methods
from annotations.views.rights import researcher_of_study, signed_in


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def benchmark(request: HttpRequest, study: Study) -> HttpResponse:
    """The additions so far, and a form for the next one."""
    form = JoiningForm(request.POST or None, methods=list(methods_that_may_join(study)))
    if request.method == "POST" and form.is_valid():
        try:
            made = add_methods(
                study=study,
                methods=list(form.cleaned_data["methods"]),
                by=signed_in(request),
                remark=form.cleaned_data["note"],
            )
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            said = ngettext(
                "The methods joined, with %(n)d new item.", "The methods joined, with %(n)d new items.", made.n_items
            )
            messages.success(request, said % {"n": made.n_items})
            return redirect("study-benchmark", study.token)
    tries = tries_of(study)
    joined = {method.pk for one in tries for method in one.methods.all()}
    context = {
        "study": study,
        "tab": "settings",
        "form": form,
        "tries": tries,
        "first_methods": [method for method in methods_of(study) if method.pk not in joined],
        "may_join": study.item_kind != Study.ItemKind.PROMPT,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "annotations/study/benchmark.html", context, status=status)
