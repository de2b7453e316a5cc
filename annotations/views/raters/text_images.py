"""The images in the texts that raters read."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from annotations.forms.raters import TextImageForm
from annotations.models import Study, TextImage
from annotations.queries.raters.text_images import named_images
from annotations.services.raters import text_images as services
from annotations.views.rights import researcher_of_study, signed_in
from generation.queries.stored_files import opened

SECONDS = 3_600
"""How long a browser may keep one of them."""


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest, study: Study) -> HttpResponse:
    """The existing images, what to type for each, and a form to add one."""
    form = TextImageForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        taken = set(study.text_images.values_list("name", flat=True))
        name = form.cleaned_data["name"] or services.name_for(file.name, taken)
        try:
            services.add_text_image(
                study=study, name=name, content=file.read(services.MOST_BYTES + 1), by=signed_in(request)
            )
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            messages.success(request, _("Added. Type its line where the image should be."))
            return redirect("study-text-images", study.token)
    named, images = named_images(study), list(study.text_images.all())
    context: dict[str, Any] = {
        "study": study,
        "tab": "raters",
        "part": "images",
        "form": form,
        "rows": [(one, one.name in named) for one in images],
        "missing": sorted(named - {one.name for one in images}),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "annotations/watching/text_images.html", context, status=status)


@researcher_of_study
@require_POST
def remove(request: HttpRequest, study: Study, text_image_id: int) -> HttpResponse:
    image = get_object_or_404(study.text_images, pk=text_image_id)
    is_used = image.name in named_images(study)
    services.remove_text_image(image=image, by=signed_in(request))
    if is_used:
        messages.warning(request, _("Removed. A text still names it: delete its line there."))
    else:
        messages.success(request, _("Removed."))
    return redirect("study-text-images", study.token)


@require_GET
def image(request: HttpRequest, image_token: str) -> HttpResponseBase:
    """The image's pixels, for anyone who was shown its address: an invitation is read before anybody signs in."""
    found = get_object_or_404(TextImage, token=image_token)
    response = FileResponse(opened(found.file), content_type="image/webp", filename="image.webp")
    response.headers["Cache-Control"] = f"private, max-age={SECONDS}, immutable"
    return response
