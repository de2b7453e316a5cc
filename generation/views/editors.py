"""A prompt set's owner says who else may add to it."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from generation.models import PromptSet
from generation.services import editors as services
from generation.views.rights import may_import, signed_in


@may_import
@require_POST
def add(request: HttpRequest, set_id: int) -> HttpResponse:
    prompt_set = _own(request, set_id)
    try:
        services.add_editor(
            prompt_set=prompt_set, username=request.POST.get("username", "").strip(), by=signed_in(request)
        )
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
    else:
        messages.success(request, _("Added."))
    return _back(prompt_set)


@may_import
@require_POST
def remove(request: HttpRequest, set_id: int, user_id: int) -> HttpResponse:
    prompt_set = _own(request, set_id)
    services.remove_editor(prompt_set=prompt_set, user_id=user_id, by=signed_in(request))
    messages.success(request, _("Removed. Everything they added is kept."))
    return _back(prompt_set)


def _own(request: HttpRequest, set_id: int) -> PromptSet:
    prompt_set = get_object_or_404(PromptSet, pk=set_id)
    if not prompt_set.is_owned_by(signed_in(request)):
        raise PermissionDenied
    return prompt_set


def _back(prompt_set: PromptSet) -> HttpResponse:
    return redirect(reverse("prompt-set", args=[prompt_set.pk]) + "#rights")
