"""Progress of a running study by method, category and rater, and points that need attention."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.models import Assignment, Rater, Study
from annotations.queries.studies import COUNTS, raters_with_progress

MOST_STRATA = 24
MOST_RATERS = 50
BEHIND = 0.15
"""A stratum is behind if its share of answered cards is this much lower than the study's."""
MUCH_UNABLE = 0.2
FEWEST = 20


@dataclass(frozen=True)
class Stratum:
    """Cards of one method or category: those answered, and those wanted."""

    kind: str
    name: str
    answered: int
    wanted: int

    @property
    def share(self) -> float:
        return self.answered / self.wanted if self.wanted else 0.0

    @property
    def percent(self) -> int:
        return round(100 * self.share)


def strata(study: Study) -> list[Stratum]:
    """Progress by the items' methods and by category, the one furthest behind first; four queries.

    An item of several methods counts for each of them.
    """
    found = []
    answered = Assignment.objects.filter(COUNTS, study=study).order_by()
    for kind, of_items, of_answers in (
        ("category", "prompt__category", "item__prompt__category"),
        ("method", "item_images__image__method__name", "item__item_images__image__method__name"),
    ):
        wanted = dict(study.items.order_by().values_list(of_items).annotate(n=Sum("wanted")))
        counts = dict(answered.values_list(of_answers).annotate(n=Count("pk")))
        found += [Stratum(kind, name, counts.get(name, 0), n) for name, n in wanted.items() if name]
    single = {kind for kind in ("category", "method") if sum(one.kind == kind for one in found) < 2}
    return sorted((one for one in found if one.kind not in single), key=lambda one: (one.kind, one.share, one.name))[
        :MOST_STRATA
    ]


def latest_raters(study: Study) -> QuerySet[Rater, Any]:
    """Raters by their last answer, at most MOST_RATERS, with `n_answered` and `last_answer_at`."""
    return raters_with_progress(study).order_by(F("last_answer_at").desc(nulls_last=True), "pk")[:MOST_RATERS]


def needs_a_look(
    study: Study, parts: Iterable[Stratum], *, answered: int, wanted: int, active: int, now: datetime
) -> list[str]:
    """Sentences about points that need a researcher's attention; none if all is well."""
    return [
        *_quiet(study, answered=answered, wanted=wanted, active=active, now=now),
        *_behind(parts, answered / wanted if wanted else 0.0),
        *_flagged(study),
        *_unable(study),
    ]


def _quiet(study: Study, *, answered: int, wanted: int, active: int, now: datetime) -> list[str]:
    if study.state != Study.State.OPEN or answered >= wanted:
        return []
    overdue = study.assignments.filter(state=Assignment.State.LEASED, lease_until__lt=now).count()
    said = [_("Nobody has answered in the last 24 hours.")] if answered and not active else []
    if overdue:
        said.append(
            ngettext(
                "%(n)s reserved card is overdue: the next rater who asks gets it.",
                "%(n)s reserved cards are overdue: the next raters who ask get them.",
                overdue,
            )
            % {"n": overdue}
        )
    return said


def _behind(parts: Iterable[Stratum], share: float) -> list[str]:
    late = [one for one in parts if one.wanted >= FEWEST and one.share < share - BEHIND]
    return [
        _("“%(name)s” is behind: %(percent)s%% of its cards are answered.") % {"name": one.name, "percent": one.percent}
        for one in late
    ]


def _flagged(study: Study) -> list[str]:
    flagged = study.assignments.exclude(flag="").count()
    if not flagged:
        return []
    return [
        ngettext("%(n)s card has a comment.", "%(n)s cards have comments.", flagged) % {"n": flagged},
    ]


def _unable(study: Study) -> list[str]:
    counted = Q(responses__is_current=True, responses__assignment__rater__excluded_at=None)
    said = []
    for dimension in study.dimensions.annotate(
        n=Count("responses", filter=counted), unable=Count("responses", filter=counted & Q(responses__is_unable=True))
    ):
        if dimension.n >= FEWEST and dimension.unable > MUCH_UNABLE * dimension.n:
            said.append(
                _("“%(question)s”: %(percent)s%% could not answer. Is the question clear?")
                % {"question": dimension.question, "percent": round(100 * dimension.unable / dimension.n)}
            )
    return said
