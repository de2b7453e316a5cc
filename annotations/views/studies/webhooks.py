"""Addresses that get a study's events, and the log of what was sent."""

from http import HTTPStatus

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotations.forms.benchmarks import WebhookForm
from annotations.models import Delivery, Study
from annotations.services.hooks.deliveries import make_webhook, send_again
from annotations.views.rights import researcher_of_study, signed_in

DELIVERIES_PER_PAGE = 50


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def index(request: HttpRequest, study: Study) -> HttpResponse:
    """The addresses, a form for another one, and the log. A new address's secret is shown only in the response."""
    form, secret = WebhookForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        try:
            secret = make_webhook(study=study, by=signed_in(request), **form.cleaned_data).secret
            form = WebhookForm()
        except ValidationError as problem:
            form.add_error(None, problem)
    deliveries = Delivery.objects.filter(webhook__study=study).select_related("webhook")
    page = Paginator(deliveries, DELIVERIES_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "study": study,
        "tab": "settings",
        "hooks": list(study.webhooks.all()),
        "form": form,
        "secret": secret,
        "page": page,
        "deliveries": list(page.object_list),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "annotations/study/webhooks.html", context, status=status)


@researcher_of_study
@require_POST
def remove(request: HttpRequest, study: Study, webhook_id: int) -> HttpResponse:
    get_object_or_404(study.webhooks, pk=webhook_id).delete()
    messages.success(request, _("Removed. Nothing more is sent there."))
    return redirect("study-webhooks", study.token)


@researcher_of_study
@require_POST
def again(request: HttpRequest, study: Study, delivery_id: int) -> HttpResponse:
    send_again(delivery=get_object_or_404(Delivery, webhook__study=study, pk=delivery_id))
    messages.success(request, _("The event is sent again within seconds."))
    return redirect("study-webhooks", study.token)
