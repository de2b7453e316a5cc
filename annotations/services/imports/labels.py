"""Labels added later to an imported scale without them: words for levels, which change no answer."""

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from annotations.models import Dimension, Rater, Study
from annotations.questions import names_sides
from annotations.services.activity import Action, note
from exchange.labels import same_label
from generation.models import Activity

LONGEST = 100
"""The most letters of a label."""


def questions_to_label(study: Study) -> list[Dimension]:
    """The questions whose levels may get labels: those that an import created without words, and those labelled since.

    None if raters have answered on this site, or may do so, since they read the levels as they are.
    """
    if study.state != Study.State.CLOSED or study.raters.exclude(kind=Rater.Kind.IMPORTED).exists():
        return []
    added = _labelled_here(study)
    return [
        dimension
        for dimension in study.dimensions.filter(kind__in=(Dimension.Kind.ORDINAL, Dimension.Kind.NOMINAL))
        if dimension.name in added or all(level["label"] == level["value"] for level in dimension.levels)
    ]


def label_levels(*, study: Study, labels: Mapping[int, Sequence[str]], by: User | None) -> None:
    """Give the levels of these questions, by primary key, their labels; an empty one leaves the level its value.

    Values, their order and all answers stay as they are. All or nothing; each question that changes is an entry in the
    activity record. Raises ValidationError for a question that may get no labels, and for labels that two levels share,
    that are another level's value, or that are the sides of a pair.
    """
    with transaction.atomic():
        # Locked, so that nobody opens the study or imports into it in the meantime.
        study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        found = {dimension.pk: dimension for dimension in questions_to_label(study)}
        for key, given in labels.items():
            dimension = found.get(key)
            if dimension is None or len(given) != len(dimension.levels):
                raise ValidationError(_("The levels of this question stay as they are: people have read them."))
            levels = [
                {"value": level["value"], "label": " ".join(label.split()) or level["value"]}
                for level, label in zip(dimension.levels, given, strict=True)
            ]
            if levels == dimension.levels:
                continue
            _check(levels)
            dimension.levels = levels
            if names_sides(dimension):
                raise ValidationError(
                    _("These labels are the sides of a pair. Import the ratings as preferences instead.")
                )
            dimension.save(update_fields=["levels"])
            note(study=study, actor=by, action=Action.CHANGED, settings=["labels"], question=dimension.name)


def _labelled_here(study: Study) -> set[str]:
    """Names of the questions whose labels were added after the import."""
    lines = Activity.objects.filter(
        subject=Activity.Subject.STUDY, subject_key=study.token, action=Action.CHANGED, details__has_key="question"
    )
    return {str(details["question"]) for details in lines.values_list("details", flat=True)}


def _check(levels: Sequence[Mapping[str, str]]) -> None:
    values = [level["value"] for level in levels]
    words = [same_label(level["label"]) for level in levels]
    for at, level in enumerate(levels):
        where = {"label": level["label"]}
        if len(level["label"]) > LONGEST:
            raise ValidationError(
                _("“%(label)s”: shorten the label to at most %(n)d characters.") % (where | {"n": LONGEST})
            )
        if words[at] in words[:at]:
            raise ValidationError(_("“%(label)s”: two levels cannot have the same label.") % where)
        if level["label"] in values and level["label"] != level["value"]:
            raise ValidationError(_("“%(label)s”: this is the value of another level.") % where)
