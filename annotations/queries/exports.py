"""A study's rows for export, as a stream: what was shown, who answered, the answer, and when."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import (
    Case,
    Count,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Cast

from annotations.kinds.registry import kind_of
from annotations.kinds.viewing import SUMMARY, VIEWING, summary_cells, viewing_cells
from annotations.models import Assignment, Item, ItemImage, LateAnswer, Response, Study
from annotations.queries.raters.viewing import summaries
from annotations.queries.studies import n_rows, raters_with_progress
from annotations.questions import names_sides
from exchange.export import Column
from generation.models import Method

ROWS_AT_ONCE = 2_000
Rows = Iterator[Sequence[object]]
IS_RATING = Q(assignment__purpose=Assignment.Purpose.RATING)
MOMENTS = ("shown_at", "answered_at", "received_at")
YES = frozenset((True, "1"))
TRUTHS = ("is_unable", "is_current", "assignment__is_further")
DOCUMENTS = {"answer_text": "answer", "viewing_text": "viewing"}
COUNTS = IS_RATING & Q(is_current=True, assignment__rater__excluded_at=None)

RESPONSES = (
    Column("item", "text", "", "Name of what was shown at once: one image, a pair, or all images of a prompt."),
    Column("image", "text", "", "Name of the image that the answer is about; empty: about all that was shown."),
    Column("image_sha256", "text", "hex", "SHA-256 of the image's original file; empty where it is held elsewhere."),
    Column("prompt_key", "text", "", "The prompt's identifier in its source, if it has one."),
    Column("prompt", "text", "", "The prompt's text."),
    Column("category", "text", "", "The prompt's category."),
    Column("sub_category", "text", "", "The prompt's sub-category."),
    Column("method", "text", "", "What made the image; empty for an answer about all that was shown."),
    Column("seed", "integer", "", "The seed with which the image was made, if known."),
    Column("round", "integer", "≥ 0", "How many refinements deep the image is."),
    Column("reference_sha256", "text", "hex", "SHA-256 of the reference image that was shown next to it, if one was."),
    Column("rater", "text", "", "The rater's name in this study."),
    Column("rater_kind", "text", "person, imported, simulated", "A person here, one elsewhere, or a program."),
    Column("dimension", "text", "", "Short name of the question."),
    Column("value", "text", "on the question's scale", "The answer, exact; empty for “unable to answer”."),
    Column("label", "text", "", "The answer's words; empty between the ends of a slider."),
    Column("answer", "json", "", "The answer to a question that no single level answers; see the kinds below."),
    Column("is_unable", "boolean", "", "Whether the answer was “unable to answer”."),
    Column("preferred_method", "text", "", "Of a preference between two sides: what made the image that was chosen."),
    Column("revision", "integer", "≥ 1", "1 is the first answer; each change is one more."),
    Column("is_current", "boolean", "", "Whether this revision counts."),
    Column("shown_at", "timestamp", "UTC", "When the card was shown, if known."),
    Column("answered_at", "timestamp", "UTC", "When it was given, as the rater's browser says."),
    Column("received_at", "timestamp", "UTC", "When it reached the server; empty: not recorded."),
    Column("active_ms", "integer", "ms", "Active time on the card; one figure for all its questions."),
    Column("sequence", "integer", "≥ 0", "The card's place in what this rater saw."),
    Column(
        "shown_position",
        "integer",
        "≥ 1",
        "The image's place from the left; on an upright phone, which of a pair was seen first; empty: single, unknown.",
    ),
    Column("flag", "text", "", "What the rater noted when flagging the card."),
    Column("language", "text", "language tag", "Language in which the rater read the question; empty: not recorded."),
    Column("is_further", "boolean", "", "Whether the rater came because of earlier answers; figures leave these out."),
    Column(
        "probability", "number", "(0, 1]", "Chance that the item got this rater, given those answers; 1 for first ones."
    ),
    Column("look", "integer", "≥ 1", "Look at the comparison for which the item was given out; 1: from the start."),
    *VIEWING,
)

CHECKS = (
    Column("purpose", "text", "repeat, mirror, gold, check", "Why the rater got the card; raters cannot see it."),
    *RESPONSES,
)

RATERS = (
    Column("rater", "text", "", "The rater's name in this study."),
    Column("kind", "text", "person, imported, simulated", "A person here, one elsewhere, or a program."),
    Column("consented_at", "timestamp", "UTC", "When the rater gave their consent here."),
    Column("consent_version", "integer", "≥ 1", "Which version of the consent text they agreed to."),
    Column("group", "text", "", "The group that the rater named, if the study asks and they answered."),
    Column("screened_out", "text", "", "Why the rater was screened out before the first card."),
    Column("n_cards", "integer", "≥ 0", "How many cards the rater answered."),
    Column("last_answer_at", "timestamp", "UTC", "When the rater answered their latest card."),
    Column("excluded_at", "timestamp", "UTC", "When the rater was excluded from the results; empty: they count."),
    Column("excluded_reason", "text", "", "Why the rater was excluded."),
    *SUMMARY,
)

LATE = (
    Column("item", "text", "", "Name of what was shown."),
    Column("image", "text", "", "Name of the image that the answer is about; empty: about all that was shown."),
    Column("rater", "text", "", "The rater's name in this study."),
    Column("dimension", "text", "", "Short name of the question."),
    Column("value", "text", "on the question's scale", "The answer, exact; empty for “unable to answer”."),
    Column("answer", "json", "", "The answer to a question that no single level answers."),
    Column("is_unable", "boolean", "", "Whether the answer was “unable to answer”."),
    Column("answered_at", "timestamp", "UTC", "When it was given."),
    Column("received_at", "timestamp", "UTC", "When it reached the server."),
    Column("active_ms", "integer", "ms", "How long the rater was active on the card, if known."),
    Column("language", "text", "language tag", "Language in which the rater read the question; empty: not recorded."),
)


def check_rows(study: Study) -> Rows:
    """Current answers to repeats and checks, with the card's purpose first; they do not enter any result."""
    yield from response_rows(study, all_revisions=True, of_checks=True)


def response_rows(study: Study, *, all_revisions: bool, of_checks: bool = False) -> Rows:
    """The answers that count in order of arrival; with `all_revisions` also those that were changed later, and those of
    excluded raters. `of_checks`: instead, the answers to repeats and checks, with the card's purpose first.

    Five queries for any size; rows come in batches, on PostgreSQL through a server-side cursor.
    """
    answers = Response.objects.filter(~IS_RATING if of_checks else IS_RATING)
    for purpose, _does_count, row in _rows(study, answers if all_revisions else answers.filter(COUNTS)):
        yield (purpose, *row) if of_checks else row


def marked_rows(study: Study) -> Iterator[tuple[bool, Sequence[object]]]:
    """The rows of `response_rows` with `all_revisions`, each with whether it would also be included without; read in
    one pass."""
    for _purpose, does_count, row in _rows(study, Response.objects.filter(IS_RATING)):
        yield does_count, row


def _rows(study: Study, answers: QuerySet[Response]) -> Iterator[tuple[str, bool, Sequence[object]]]:
    """For each of the study's answers among these: its card's purpose, whether it counts, its cells of RESPONSES."""
    dimensions = {dimension.pk: dimension for dimension in study.dimensions.all()}
    answers_of = {pk: list(zip(one.values, one.labels, strict=True)) for pk, one in dimensions.items()}
    methods = dict(Method.objects.values_list("pk", "name"))
    with_sides = {pk for pk, dimension in dimensions.items() if names_sides(dimension)}
    nothing = Value(None, output_field=TextField())
    slot = _slot() if study.item_kind != Study.ItemKind.IMAGE else nothing
    plain = _plain((*MOMENTS, *TRUTHS))
    is_unable_, is_current_, is_further_ = (f"{name}_plain" if plain else name for name in TRUTHS)
    has_references = Item.with_checks.filter(study=study, frozen__has_key="reference").exists()
    reference_ = KeyTransform("sha256", KeyTransform("reference", "assignment__item__frozen"))
    fields = (
        answers.filter(dimension__in=dimensions)
        .annotate(
            slot=slot,
            chosen=_chosen_method() if with_sides else nothing,
            reference=reference_ if has_references else nothing,
            # As text: Django would convert every row although only a few have one.
            **{name: Cast(stored, TextField()) for name, stored in DOCUMENTS.items()},
            **plain,
        )
        .values_list(
            *("dimension_id", "assignment__item__key", "image_id", "image__key", "image__sha256"),
            *("assignment__item__prompt__key", "assignment__item__prompt__text", "assignment__item__prompt__category"),
            *("assignment__item__prompt__sub_category", "image__method_id", "image__seed", "image__round"),
            *("assignment__rater__name", "assignment__rater__kind", "level", "answer_text", is_unable_, "chosen"),
            *("revision", is_current_, *(f"{name}_plain" if plain else name for name in MOMENTS), "active_ms"),
            *("assignment__sequence", "slot", "assignment__shown_order", "assignment__flag", "assignment__purpose"),
            *(
                "language",
                is_further_,
                "assignment__probability",
                "assignment__item__look",
                "viewing_text",
                "reference",
            ),
            "assignment__rater__excluded_at",
        )
    )
    unseen = viewing_cells(None, None)
    for (
        dimension_id, item, image, key, sha256, prompt_key, prompt, category, sub_category, method, seed, round_,
        rater, kind, level, answer_text, is_unable, chosen, revision, is_current, shown_at, answered_at, received_at,
        active_ms, sequence, at, shown_order, flag, purpose, language, is_further, probability, look, viewing_text,
        reference, excluded_at,
    ) in fields.order_by("pk").iterator(chunk_size=ROWS_AT_ONCE):  # fmt: skip
        dimension = dimensions[dimension_id]
        answer = None if answer_text is None else json.loads(answer_text)
        value, label = (None, None) if level is None else answers_of[dimension_id][level]
        if answer is not None:
            label = kind_of(dimension).in_words(dimension, answer)
        is_current = is_current in YES
        position = _position(at, shown_order)
        viewing = unseen
        if viewing_text is not None:
            viewing = viewing_cells(json.loads(viewing_text), None if at is None else (position or 1) - 1)
        yield purpose, is_current and excluded_at is None, (
            item, image_name(image, key), sha256 or "", prompt_key, prompt, category, sub_category,
            methods.get(method, ""), seed, round_, reference or "", rater, kind, dimension.name, value, label, answer,
            is_unable in YES, methods.get(chosen, "") if dimension_id in with_sides else "", revision, is_current,
            _moment(shown_at), _moment(answered_at), _moment(received_at), active_ms, sequence, position, flag,
            language, is_further in YES, probability, look, *viewing,
        )  # fmt: skip


def _plain(names: Sequence[str]) -> dict[str, Cast]:
    """On SQLite the columns as stored, since Django takes longer to convert them than to read all others."""
    return {f"{name}_plain": Cast(name, TextField()) for name in names} if connection.vendor == "sqlite" else {}


def _moment(stored: datetime | str | None) -> datetime | None:
    return _utc(stored) if isinstance(stored, str) else stored


@lru_cache(maxsize=1_000)
def _utc(stored: str) -> datetime:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)


def with_names(answers: QuerySet[Response]) -> QuerySet[Response]:
    """Answers with their item, prompt, rater and image, and `chosen_method`: the method of the image on the chosen
    side."""
    related = ("assignment__item__prompt", "assignment__rater", "image__method")
    chosen = Method.objects.filter(pk=OuterRef("chosen")).values("name")[:1]
    rows = answers.select_related(*related).annotate(chosen=_chosen_method())
    return rows.annotate(chosen_method=Subquery(chosen))


def rater_rows(study: Study) -> Rows:
    """Everybody who rates or rated, including excluded raters, in order of arrival."""
    raters = (
        raters_with_progress(study)
        .order_by("pk")
        .values_list(
            *("pk", "name", "kind", "consented_at", "consent__number", "group", "screened_out_reason"),
            *("n_answered", "last_answer_at", "excluded_at", "excluded_reason"),
        )
    )
    seen = summaries(study)
    for pk, *row in raters.iterator(chunk_size=ROWS_AT_ONCE):
        yield *row, *summary_cells(seen.get(pk))


def image_name(pk: int | None, key: str | None) -> str:
    """The name of an image in results and exports: its source's name for it, or else its number here."""
    return "" if pk is None else key or f"image {pk}"


def _slot() -> Subquery:
    shown = ItemImage.objects.filter(item=OuterRef("assignment__item"), image=OuterRef("image"))
    return Subquery(shown.order_by("slot").values("slot")[:1])


def _chosen_method() -> Case:
    """The method of the image on the side that was chosen; null for any other answer.

    The left side showed the image whose slot comes first in `shown_order`; without one, slot 0.
    """
    is_turned = Q(assignment__shown_order__startswith="1")

    def method(slot: int) -> Subquery:
        shown = ItemImage.objects.filter(item=OuterRef("assignment__item"), slot=slot)
        return Subquery(shown.values("image__method_id")[:1])

    return Case(
        When(Q(level=0) & ~is_turned | Q(level=1) & is_turned, then=method(0)),
        When(Q(level=1) & ~is_turned | Q(level=0) & is_turned, then=method(1)),
        output_field=IntegerField(),
    )


def _position(slot: int | None, shown_order: str) -> int | None:
    if slot is None or not shown_order:
        return None
    return shown_order.split(",").index(str(slot)) + 1


def late_rows(study: Study) -> Rows:
    """The single answers of cards that came too late."""
    dimensions = {dimension.pk: dimension for dimension in study.dimensions.all()}
    late = LateAnswer.objects.filter(assignment__study=study).order_by("pk")
    keys = dict(
        ItemImage.objects.filter(item__assignments__late_answers__in=late.order_by()).values_list(
            "image_id", "image__key"
        )
    )
    for item, rater, record, received_at in late.values_list(
        "assignment__item__key", "assignment__rater__name", "answers", "received_at"
    ).iterator(chunk_size=ROWS_AT_ONCE):
        for answer in record.get("answers", ()):
            dimension = dimensions[answer["dimension"]]
            level, image, structure = answer["level"], answer["image"], answer.get("answer")
            yield (
                *(item, image_name(image, keys.get(image)), rater, dimension.name),
                None if level is None else dimension.value_of(level),
                *(structure, level is None and structure is None),
                *(_time(record), received_at, record.get("active_ms"), answer.get("language", "")),
            )


def _time(record: dict[str, Any]) -> datetime | None:
    text = record.get("answered_at")
    return datetime.fromisoformat(text) if text else None


def counts(study: Study, *, is_counted: bool = True) -> dict[str, int | None]:
    """The number of answers, with late ones counted by card; see `queries.studies.n_rows`."""
    answers = Response.objects.filter(dimension__in=list(study.dimensions.values_list("pk", flat=True)))
    late = LateAnswer.objects.filter(assignment__study=study).count()
    n_raters = study.raters.count()
    if not is_counted:
        purposes = [purpose for purpose in Assignment.Purpose if purpose != Assignment.Purpose.RATING]
        # Filtered by rater, since few of many answers are to cards of other purposes.
        of_checks = Assignment.with_checks.filter(rater__in=study.raters.all(), purpose__in=purposes).order_by()
        checks = Response.objects.filter(assignment__in=of_checks.values("pk"))
        return {
            "answers": n_rows(answers.filter(COUNTS), is_counted=False),
            "answers-all-revisions": n_rows(answers.filter(IS_RATING), is_counted=False),
            "checks": n_rows(checks, is_counted=False),
            "late-answers": late,
            "raters": n_raters,
        }
    every = answers.aggregate(
        n=Count("pk", filter=IS_RATING), counting=Count("pk", filter=COUNTS), checks=Count("pk", filter=~IS_RATING)
    )
    return {
        "answers": every["counting"],
        "answers-all-revisions": every["n"],
        "checks": every["checks"],
        "late-answers": late,
        "raters": n_raters,
    }
