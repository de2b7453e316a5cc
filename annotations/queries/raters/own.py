"""The data stored about one person as a rater, for that person."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, Max, Min, Q, Sum

from annotations.kinds.registry import kind_of
from annotations.models import Assignment, Dimension, Rater, RaterPlan, Response
from annotations.models.participation import plan_of
from annotations.queries.raters.pay import money

IS_ANSWERED = Q(state=Assignment.State.ANSWERED)


@dataclass(frozen=True)
class Own:
    """One of a person's studies. `earned` is empty without pay."""

    rater: Rater
    n_answered: int
    minutes: int
    first_at: datetime | None
    last_at: datetime | None
    earned: str


def own_studies(user: User) -> list[Own]:
    """The studies that this person rates or rated, the latest first; two queries for each study."""
    found = []
    raters = user.raters.select_related("study__rater_plan", "consent").order_by("-pk")
    for rater in raters:
        cards = Assignment.with_checks.filter(rater=rater).aggregate(
            n=Count("pk", filter=IS_ANSWERED), first=Min("answered_at"), last=Max("answered_at")
        )
        found.append(
            Own(rater, cards["n"], active_minutes(rater), cards["first"], cards["last"], _earned(plan_of(rater.study)))
        )
    return found


def active_minutes(rater: Rater) -> int:
    """Minutes of active time, each card's counted once."""
    cards = Response.objects.filter(assignment__rater=rater, is_current=True, active_ms__isnull=False)
    per_card = cards.order_by().values("assignment").annotate(ms=Max("active_ms"))
    return round((per_card.aggregate(total=Sum("ms"))["total"] or 0) / 60000)


def _earned(plan: RaterPlan) -> str:
    return money(plan.reward, plan.currency) if plan.reward is not None else ""


def own_data(user: User) -> list[dict[str, Any]]:
    """Everything stored about the person as a rater, without other people's data; the purposes of cards are left
    out."""
    return [_of_one(rater) for rater in user.raters.select_related("study", "consent").order_by("pk")]


def _of_one(rater: Rater) -> dict[str, Any]:
    answers = (
        Response.objects.filter(assignment__rater=rater)
        .order_by("assignment__sequence", "pk")
        .values(
            *("assignment__sequence", "assignment__item__prompt__text", "dimension_id", "level", "answer", "is_unable"),
            *("revision", "is_current", "shown_at", "answered_at", "received_at", "active_ms", "assignment__flag"),
        )
    )
    asked = {dimension.pk: dimension for dimension in rater.study.dimensions.all()}
    return {
        "study": rater.study.title,
        "name": rater.name,
        "joined_at": _text(rater.created_at),
        "consented_at": _text(rater.consented_at),
        "consent": None if rater.consent is None else {"version": rater.consent.number, "text": rater.consent.text},
        "group": rater.group,
        "withdrawn_at": _text(rater.withdrawn_at),
        "screened_out_reason": rater.screened_out_reason,
        "answers": [
            {
                "card": row["assignment__sequence"] + 1,
                "prompt": row["assignment__item__prompt__text"],
                "question": asked[row["dimension_id"]].question,
                "answer": _told(asked[row["dimension_id"]], row["level"], row["answer"]),
                "is_unable": row["is_unable"],
                "revision": row["revision"],
                "is_current": row["is_current"],
                "shown_at": _text(row["shown_at"]),
                "answered_at": _text(row["answered_at"]),
                "received_at": _text(row["received_at"]),
                "active_ms": row["active_ms"],
                "flag": row["assignment__flag"],
            }
            for row in answers.iterator(chunk_size=2000)
        ],
        "practice_and_quiz": [
            {"prompt": prompt, "answers": given, "answered_at": _text(at)}
            for prompt, given, at in rater.trials.values_list("item__prompt__text", "answers", "answered_at")
        ],
        "messages": [
            {"text": text, "created_at": _text(at)} for text, at in rater.messages.values_list("text", "created_at")
        ],
    }


def _told(dimension: Dimension, level: int | None, answer: Any) -> str | None:
    """An answer in words; None for "unable to answer"."""
    if level is not None:
        return dimension.label_of(level) or str(dimension.value_of(level))
    return None if answer is None else kind_of(dimension).in_words(dimension, answer)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
