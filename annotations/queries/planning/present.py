"""A study's plan with its current settings, and its registration compared with it."""

import hashlib
import json
from typing import Any

from django.db.models import Count, QuerySet

from annotations.models import Assignment, Dimension, ItemImage, Registration, Response, Study
from annotations.models.participation import plan_of
from annotations.queries.items import methods_of
from annotations.queries.planning import close_pairs
from annotations.queries.planning.facts import statement_of
from annotations.queries.raters.disputed import rule_text
from annotations.queries.raters.rules import rules_of
from annotations.queries.result_units import linked_methods
from annotations.queries.studies import COUNTS
from annotations.reports.documents.study import ReportedRegistration
from annotations.reports.registration.deviations import Outcome, deviations
from annotations.reports.registration.documents import Registered
from annotations.reports.registration.plan import Plan, PlannedQuestion
from annotations.version import code_version

ROWS_AT_ONCE = 10_000
NOT_RULES = {"id", "study", "study_id", "reward", "currency", "pay_floor", "erase_after_days", "screen_out_text"}
"""Settings about raters that are not rules of the analysis: pay, and how long names are kept."""


def present_plan(study: Study, *, with_items: bool = True) -> Plan:
    """The plan that would be registered now. `with_items` reads every item once, for the digest."""
    counted = study.items.aggregate(n=Count("pk"), prompts=Count("prompt", distinct=True))
    return Plan(
        title=study.title,
        item_kind=study.item_kind,
        pairing=study.pairing if study.item_kind == Study.ItemKind.PAIR else "",
        methods=tuple(methods_of(study).order_by("name").values_list("name", flat=True)),
        n_items=counted["n"],
        n_prompts=counted["prompts"],
        items_digest=items_digest(study) if with_items else "",
        raters_per_item=study.raters_per_item,
        items_per_rater=study.items_per_rater,
        order=study.order,
        seed=study.seed,
        instructions=study.instructions,
        consent=study.consent,
        exclusion_rule=study.exclusion_rule,
        questions=tuple(map(_question, study.dimensions.all())),
        comparisons=tuple(linked_methods(study)),
        rater_rules=rater_rules(study),
        intentions={key: text for key, text in statement_of(study).intentions.items() if text},
        code_version=code_version(),
        further_raters=rule_text(study),
        further_prompts=close_pairs.rule_text(study),
        text_images=tuple(study.text_images.values_list("name", "sha256")),
    )


def items_digest(study: Study) -> str:
    """SHA-256 over each item's key and its images' digests, in the study's order."""
    hasher = hashlib.sha256()
    rows = ItemImage.objects.filter(item__study=study).order_by("item__position", "slot")
    for key, digest in rows.values_list("item__key", "image__digest").iterator(chunk_size=ROWS_AT_ONCE):
        hasher.update(f"{key}\0{digest}\n".encode())
    return hasher.hexdigest()


def rater_rules(study: Study) -> dict[str, Any]:
    """The rules for checking, capping, screening and excluding raters, by the settings' names."""
    plan = plan_of(study)
    fields = [field for field in plan._meta.concrete_fields if field.name not in NOT_RULES]
    values = {field.name: getattr(plan, field.attname) for field in fields}
    values["rules"] = [rule.text for rule in rules_of(plan)]
    return {name: value for name, value in values.items() if isinstance(value, str | int | float | bool | list | None)}


def _question(dimension: Dimension) -> PlannedQuestion:
    return PlannedQuestion(
        name=dimension.name,
        question=dimension.question,
        kind=dimension.kind,
        about=dimension.about,
        levels=tuple((str(level["value"]), str(level["label"])) for level in dimension.levels),
        allows_unable=dimension.allows_unable,
    )


def has_answers(study: Study) -> bool:
    """Whether there is any answer, counted or not."""
    return Response.objects.filter(assignment__study=study).exists()


def registrations_of(study: Study) -> QuerySet[Registration]:
    """All registrations, the newest first."""
    return Registration.objects.filter(study=study).order_by("-number")


def registration_of(study: Study) -> Registration | None:
    """The registration that counts, which is the last one."""
    return registrations_of(study).first()


def registered_plan(registration: Registration) -> Plan:
    return Plan.from_json(json.loads(registration.content)["plan"])


def outcome_of(study: Study, registration: Registration, *, comparisons: tuple[tuple[str, str], ...]) -> Outcome:
    """The outcome of a study so far. comparisons: those of the report."""
    before = Response.objects.filter(assignment__study=study, answered_at__lt=registration.made_at)
    return Outcome(
        n_answered=Assignment.objects.filter(COUNTS, study=study, is_further=False).count(),
        excluded=list(study.raters.exclude(excluded_reason="").values_list("excluded_reason", flat=True)),
        comparisons=comparisons,
        n_before=before.count(),
        is_closed=study.state == Study.State.CLOSED,
        is_stopped_by_rule=study.n_released is not None and close_pairs.is_stopped(study),
    )


def registered_now(
    study: Study,
    registration: Registration,
    *,
    with_items: bool = False,
    comparisons: tuple[tuple[str, str], ...] | None = None,
) -> Registered:
    """The registration as a document, with the current deviations.

    comparisons: those of a report; None for a report's default comparisons.
    """
    now = present_plan(study, with_items=with_items)
    compared = now.comparisons if comparisons is None else comparisons
    plan, outcome = registered_plan(registration), outcome_of(study, registration, comparisons=compared)
    return Registered(
        plan=plan,
        number=registration.number,
        made_at=registration.made_at.isoformat(timespec="seconds"),
        digest=registration.digest,
        deviations=deviations(plan, now, outcome),
    )


def reported_registration(study: Study, comparisons: tuple[tuple[str, str], ...]) -> ReportedRegistration | None:
    """The registration in the form of a report, with deviations down to single images; None without a registration."""
    registration = registration_of(study)
    if registration is None:
        return None
    found = registered_now(study, registration, with_items=True, comparisons=comparisons)
    return ReportedRegistration(
        number=found.number, made_at=found.made_at, digest=found.digest, deviations=tuple(found.deviations)
    )
