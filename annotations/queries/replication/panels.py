"""Studies of the same images, and a comparison of two of them."""

from collections.abc import Sequence, Set

import numpy as np
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet

from annotations.models import Dimension, ItemImage, Study
from annotations.queries.reports import inputs_of
from annotations.queries.result_units import linked_methods
from annotations.queries.results import StudyRows, study_rows
from annotations.queries.studies import studies_run_by
from annotations.reports.replication.side_by_side import Panel, SideBySide, side_by_side
from annotations.stats.exact_means import unit_means
from annotations.version import code_version

MOST_RATINGS = 40_000
"""The most answers in both studies together for a page to compare them while somebody waits; beyond this, the command
does."""
MOST_STUDIES = 50
MOST_COMPARISONS = 6


def studies_of_same_images(study: Study, user: User) -> QuerySet[Study]:
    """Other studies that this person runs and that show an image of this one, the newest first."""
    ours = ItemImage.objects.filter(item__study=study, image=OuterRef("image"))
    shared = ItemImage.objects.filter(Exists(ours), item__study=OuterRef("pk"))
    return studies_run_by(user).exclude(pk=study.pk).filter(Exists(shared)).order_by("-pk")[:MOST_STUDIES]


def is_quickly_compared(first: Study, second: Study) -> bool:
    return inputs_of(first, []).n_ratings + inputs_of(second, []).n_ratings <= MOST_RATINGS


def state_of(first: Study, second: Study, questions: tuple[str, str] | None) -> str:
    """A short text that changes whenever the answers of either study change."""
    hashes = [inputs_of(study, []).inputs_hash[:24] for study in (first, second)]
    return "-".join([*hashes, *(questions or ()), code_version()])


def compared(first: Study, second: Study, questions: tuple[str, str] | None = None) -> SideBySide | None:
    """Both studies side by side; None if a question has no answers.

    questions: names in the first and the second study; None for the first of each
    """
    rows = study_rows(first), study_rows(second)
    one = _panel(first, rows[0], questions[0] if questions else "")
    other = _panel(second, rows[1], questions[1] if questions else "")
    if one is None or other is None:
        return None
    known = {*one.data.methods} & {*other.data.methods}
    common = [pair for pair in linked_methods(first) if set(pair) <= known] or _winner_and_others(one, known)
    people = same_people(first, second)
    return side_by_side(one, other, comparisons=common[:MOST_COMPARISONS], same_people=people)


def _winner_and_others(panel: Panel, known: Set[str]) -> list[tuple[str, str]]:
    """The method that this study rates highest, compared with each of the others, the next best first.

    For studies whose methods are not refined from one another. known: methods of both studies.
    """
    if not panel.dimension.is_ordinal:
        return []
    method = panel.data.method[panel.dimension.units]
    means = unit_means(panel.dimension.ratings)
    counted = (method >= 0) & means.rated
    n = np.bincount(method[counted], minlength=len(panel.data.methods))
    total = np.bincount(method[counted], weights=means.mean[counted], minlength=len(panel.data.methods))
    rated = [code for code, name in enumerate(panel.data.methods) if n[code] and name in known]
    best, *others = sorted(rated, key=lambda code: -total[code] / n[code]) or [-1]
    return [(panel.data.methods[other], panel.data.methods[best]) for other in others]


def same_people(first: Study, second: Study) -> dict[str, str]:
    """Raters of the first study → their names in the second, for those with one account in both."""
    names = dict(second.raters.filter(user__isnull=False).values_list("user", "name"))
    rows = first.raters.filter(user__in=names).values_list("user", "name")
    return {name: names[user] for user, name in rows if user is not None}


def questions_of(study: Study) -> list[Dimension]:
    return list(study.dimensions.all())


def _panel(study: Study, rows: StudyRows, question: str) -> Panel | None:
    dimensions = rows.data.dimensions
    chosen = next((one for one in dimensions if one.name == question), dimensions[0] if dimensions else None)
    return None if chosen is None else Panel(study.title, rows.data, chosen, _keys(study, rows))


def _keys(study: Study, rows: StudyRows) -> Sequence[str]:
    """What each unit shows: the image, or for a whole item its images by slot."""
    shown: dict[int, list[int]] = {}
    if (rows.image == 0).any():
        places = ItemImage.objects.filter(item__study=study).order_by("item", "slot")
        for item, image in places.values_list("item_id", "image_id").iterator(chunk_size=10_000):
            shown.setdefault(item, []).append(image)
    return [
        str(image) if image else "|".join(map(str, shown.get(item, ())))
        for item, image in zip(rows.item.tolist(), rows.image.tolist(), strict=True)
    ]
