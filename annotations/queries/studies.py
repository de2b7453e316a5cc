"""Reads about studies: rights and progress."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from annotations.models import Assignment, Dimension, Item, Membership, Rater, Response, Study
from generation.models import Activity, PromptSet
from generation.queries.activity import about, everything

# A planning figure for studies without answers; as soon as there are some, their own median is used.
ASSUMED_SECONDS_PER_QUESTION = 15
ANSWERS_FOR_PACE = 200
FEWEST_ANSWERS_FOR_PACE = 20
COUNTS = Q(state=Assignment.State.ANSWERED, rater__excluded_at=None)
"""Assignments whose answers count: an excluded rater's do not, and their places are free for others."""


def studies_run_by(user: User) -> QuerySet[Study]:
    """The studies in which this person has a researcher's rights: their own, those they are a member of."""
    if user.is_superuser:
        return Study.objects.all()
    is_member = Membership.objects.filter(study=OuterRef("pk"), user=user, role=Membership.Role.RESEARCHER)
    return Study.objects.filter(Q(owner=user) | Exists(is_member))


def n_rows(rows: QuerySet[Any, Any], *, is_counted: bool) -> int | None:
    """The number of rows. If they are not counted: 0 for none, None for some."""
    return rows.count() if is_counted else None if rows.exists() else 0


def may_run(user: User | AnonymousUser, study: Study) -> bool:
    """Whether this person has a researcher's rights in this study."""
    return isinstance(user, User) and studies_run_by(user).filter(pk=study.pk).exists()


def is_researcher(user: User) -> bool:
    """Whether this person runs a study or may create one, and so may see more than their own answers."""
    return user.has_perm("annotations.add_study") or studies_run_by(user).exists()


def has_answers_of_excluded_alone(study: Study) -> bool:
    """Whether everyone who answered is excluded, or has withdrawn: no figure then has a rating."""
    answered = study.raters.filter(assignments__state=Assignment.State.ANSWERED)
    return answered.exists() and not answered.filter(excluded_at=None).exists()


def may_delete(user: User | AnonymousUser, study: Study) -> bool:
    """Only the owner may delete a study: members and administrators must ask."""
    return user.pk is not None and study.owner_id == user.pk


def may_read_activity(user: User | AnonymousUser, study: Study) -> bool:
    """Only the owner and administrators may read the activity record, since it is about the members, too."""
    return user.pk is not None and (study.owner_id == user.pk or user.is_superuser)


def activity_of(study: Study) -> QuerySet[Activity]:
    """Entries about the study and about the prompt sets of its images, the newest first."""
    sets = PromptSet.objects.filter(prompts__items__study=study).distinct().values_list("pk", flat=True)
    own = about(Activity.Subject.STUDY, [study.token])
    return everything().filter(own | about(Activity.Subject.PROMPT_SET, list(sets)))


def may_see_image(user: User, image_id: int) -> bool:
    """Original files, with everything in their metadata: for researchers of the whole site, and of the study.

    Raters and auditors may not: they see only the pixels, under separate addresses.
    """
    if user.has_perm("annotations.add_study"):
        return True
    is_researcher = Membership.objects.filter(study=OuterRef("study"), user=user, role=Membership.Role.RESEARCHER)
    ours = Q(study__owner=user) | Exists(is_researcher)
    return Item.objects.filter(ours, item_images__image=image_id).exists()


def with_progress(studies: QuerySet[Study]) -> QuerySet[Study, Any]:
    """Studies with `n_answered` and `n_wanted`, both in answered assignments, in one query."""

    def counted(rows: QuerySet[Any], aggregate: Count | Sum) -> Coalesce:
        per_study = rows.filter(study=OuterRef("pk")).order_by().values("study").annotate(n=aggregate).values("n")
        return Coalesce(Subquery(per_study, output_field=IntegerField()), 0)

    return studies.annotate(
        n_answered=counted(Assignment.objects.filter(COUNTS), Count("pk")),
        n_wanted=counted(Item.objects.all(), Sum("wanted")),
    )


def _or_zero(counted: QuerySet[Any, Any]) -> Coalesce:
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def raters_of(user: User) -> QuerySet[Rater, Any]:
    """This person as a rater in each study, with the study, the number of answered items (`n_answered`) and of those
    answered too late to count (`n_late`), open studies first."""
    own = Assignment.with_checks.filter(rater=OuterRef("pk")).order_by().values("rater")
    answered = own.filter(state=Assignment.State.ANSWERED)
    late = own.filter(state=Assignment.State.RETURNED, late_answers__isnull=False)
    return (
        user.raters.select_related("study")
        .exclude(study__state=Study.State.DRAFT)
        .annotate(
            n_answered=_or_zero(answered.annotate(n=Count("pk")).values("n")),
            n_late=_or_zero(late.annotate(n=Count("pk", distinct=True)).values("n")),
        )
        .order_by("-study__state", "-pk")
    )


def raters_with_progress(study: Study) -> QuerySet[Rater, Any]:
    """The study's raters with `n_answered` and `last_answer_at` (None before the first), in one query."""
    answered = Assignment.objects.filter(rater=OuterRef("pk"), state=Assignment.State.ANSWERED).order_by()
    return study.raters.annotate(
        n_answered=_or_zero(answered.values("rater").annotate(n=Count("pk")).values("n")),
        last_answer_at=Subquery(answered.order_by("-answered_at").values("answered_at")[:1]),
    ).order_by("-n_answered", "pk")


def audits_of(user: User) -> QuerySet[Study]:
    is_auditor = Membership.objects.filter(study=OuterRef("pk"), user=user, role=Membership.Role.AUDITOR)
    return Study.objects.filter(Exists(is_auditor))


@dataclass(frozen=True)
class Overview:
    """A study's state in figures. Counts are of answered assignments unless their name says otherwise; excluded raters
    do not count."""

    n_items: int
    n_complete: int
    n_answered: int
    n_wanted: int
    n_raters: int
    n_active: int
    last_hour: int
    last_day: int
    last_answer_at: datetime | None
    done_at: datetime | None

    @property
    def percent(self) -> int:
        return 100 * self.n_answered // self.n_wanted if self.n_wanted else 0


def overview(study: Study, now: datetime) -> Overview:
    """Three queries for any size, which read only indexes. `done_at` is extrapolated from the last 24 hours; None if
    there were no answers."""
    is_full = Q(taken__gte=F("wanted"))
    items = study.items.aggregate(
        n=Count("pk"), n_wanted=Coalesce(Sum("wanted"), 0), n_full=Count("pk", filter=is_full)
    )
    reserved = study.assignments.filter(state=Assignment.State.LEASED, item__taken__gte=F("item__wanted"))
    n_reserved = reserved.aggregate(n=Count("item", distinct=True))["n"]
    own = Assignment.objects.filter(rater=OuterRef("pk"), state=Assignment.State.ANSWERED).order_by()

    def counted(since: timedelta | None) -> Coalesce:
        rows = own if since is None else own.filter(answered_at__gte=now - since)
        return _or_zero(rows.values("rater").annotate(n=Count("pk")).values("n"))

    latest = own.order_by("-answered_at").values("answered_at")[:1]
    rows = study.raters.order_by().values_list(
        "excluded_at", counted(None), counted(timedelta(hours=1)), counted(timedelta(days=1)), Subquery(latest)
    )
    every = list(rows)
    counting = [counts for excluded_at, *counts in every if excluded_at is None]
    n_answered, last_hour, last_day = (sum(counts[at] for counts in counting) for at in range(3))
    remaining = items["n_wanted"] - n_answered
    is_moving = study.state == Study.State.OPEN and last_day > 0 and remaining > 0
    return Overview(
        n_items=items["n"],
        n_complete=items["n_full"] - n_reserved,
        n_answered=n_answered,
        n_wanted=items["n_wanted"],
        n_raters=len(counting),
        n_active=sum(counts[2] > 0 for counts in counting),
        last_hour=last_hour,
        last_day=last_day,
        last_answer_at=max((row[-1] for row in every if row[-1] is not None), default=None),
        done_at=now + timedelta(days=remaining / last_day) if is_moving else None,
    )


def complete_items(study: Study) -> QuerySet[Item]:
    """Items with as many answers as are wanted: every place is taken by an answer, not only reserved."""
    reserved = Assignment.objects.filter(item=OuterRef("pk"), state=Assignment.State.LEASED)
    return study.items.filter(~Exists(reserved), taken__gte=F("wanted"))


def seconds_per_item(study: Study) -> tuple[float, bool]:
    """How long one item takes, in seconds, and whether that was measured.

    Measured: the median active time of the latest 200 cards, once there are 20 of them. Before that, a planning figure.
    """
    dimensions = list(study.dimensions.all())
    if dimensions:
        answers = Response.objects.filter(dimension=dimensions[0], is_current=True)
        latest = answers.filter(assignment__rater__excluded_at=None).order_by("-pk")[:ANSWERS_FOR_PACE]
        times = sorted(ms for ms in latest.values_list("active_ms", flat=True) if ms is not None)
        if len(times) >= FEWEST_ANSWERS_FOR_PACE:
            return median(times) / 1000, True
    return planned_seconds(len(dimensions)), False


def planned_seconds(n_dimensions: int) -> float:
    return float(ASSUMED_SECONDS_PER_QUESTION * max(1, n_dimensions))


def current_responses(
    dimensions: Iterable[Dimension], *, with_excluded: bool = False, with_further: bool = False
) -> QuerySet[Response]:
    """The answers that count: the current revision of every answer of an answered assignment, unless its rater is
    excluded.

    Answers to repeats and checks never count. Answers of further raters, who were added because of earlier answers,
    would bias means and agreement: `with_further` includes them. `with_excluded`: also the answers of raters who were
    excluded, but not of those who withdrew.
    """
    counts = {"withdrawn_at": None} if with_excluded else {"excluded_at": None}
    first = {} if with_further else {"assignment__is_further": False}
    return Response.objects.filter(
        dimension__in=[dimension.pk for dimension in dimensions],
        is_current=True,
        assignment__state=Assignment.State.ANSWERED,
        assignment__purpose=Assignment.Purpose.RATING,
        **{f"assignment__rater__{name}": value for name, value in counts.items()},
        **first,
    )
