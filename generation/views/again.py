"""Makes an image again from its record, and says how close the result is."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from generation import dispatch
from generation.models import Image
from generation.queries.reproductions import latest_of
from generation.views.image_facts import is_made_here
from generation.views.rights import may_import, signed_in


@never_cache
@may_import
@require_http_methods(["GET", "HEAD", "POST"])
def again(request: HttpRequest, image_id: int) -> HttpResponse:
    """POST requests it. GET shows its progress: a script gets only that part, a browser the whole page."""
    image = get_object_or_404(Image, pk=image_id)
    if request.method == "POST":
        _reproduction, is_new = dispatch.make_again(image=image, owner=signed_in(request))
        if not is_new:
            messages.info(request, _("It is already being made again."))
    elif "HX-Request" in request.headers:
        context = {
            "image": image,
            "reproduction": latest_of(image.pk),
            "may_ask": is_made_here(image) or image.steps.exists(),
        }
        return render(request, "generation/_reproduction.html", context)
    return redirect(reverse("image", args=[image.pk]) + "#again")
