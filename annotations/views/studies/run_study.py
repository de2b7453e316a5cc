"""One click from a run's images to a study of them."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from annotations.services.run_studies import study_of_run
from annotations.views.rights import may_add_studies, signed_in
from generation.models import Run


@may_add_studies
@require_POST
def study_from_run(request: HttpRequest, run_id: int) -> HttpResponse:
    """Create the draft and go to it; if that is impossible, go back to the run with the reason."""
    run = get_object_or_404(Run, pk=run_id)
    try:
        study = study_of_run(run=run, owner=signed_in(request))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("run", run.pk)
    messages.success(request, _("The study was created. Check its items, then open it and send the invitation."))
    return redirect(study)
