"""From a run of the generator to a study of its images."""

import secrets

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from annotations.models import Dimension, Study
from annotations.queries.candidates import Selection
from annotations.questions import DEFAULT
from annotations.services.studies import create_study
from generation.models import Run
from generation.queries.runs.images import asked_methods

LARGEST_SEED = 2**32


def study_of_run(*, run: Run, owner: User) -> Study:
    """A draft that shows every image of the run's methods, one at a time, with the default question.

    Its title, which raters read, names neither the run nor a method. Raises ValidationError while there is no image.
    """
    methods = asked_methods(run)
    if not methods:
        raise ValidationError(_("This run has no images yet."))
    study = Study(
        title=_("Do these images match their prompts?"),
        notes=_("The images of the run “%(name)s” (number %(number)s).") % {"name": run.name, "number": run.pk},
        owner=owner,
        seed=secrets.randbelow(LARGEST_SEED),
    )
    selection = Selection((run.prompt_set_id,), tuple(method.pk for method in methods), run=run.pk)
    return create_study(study=study, dimensions=[Dimension(**DEFAULT.fields())], selection=selection)
