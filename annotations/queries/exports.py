"""A study's rows for export, in a stream: what was shown, who answered, what, when."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, IntegerField, OuterRef, Q, Subquery, Value, When

from annotations.models import ItemImage, LateAnswer, Response, Study
from annotations.presets import names_sides
from exchange.export import Column
from generation.models import Method

ROWS_AT_ONCE = 2_000
Rows = Iterator[Sequence[object]]

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
    Column("rater", "text", "", "The rater's name in this study."),
    Column("rater_kind", "text", "person, imported, simulated", "A person here, one elsewhere, or a program."),
    Column("dimension", "text", "", "Short name of the question."),
    Column("value", "text", "on the question's scale", "The answer, exact; empty for “unable to answer”."),
    Column("label", "text", "", "The answer's words."),
    Column("is_unable", "boolean", "", "Whether the answer was “unable to answer”."),
    Column("preferred_method", "text", "", "Of a preference between two sides: what made the image that was chosen."),
    Column("revision", "integer", "≥ 1", "1 is the first answer; each change is one more."),
    Column("is_current", "boolean", "", "Whether this revision counts."),
    Column("shown_at", "timestamp", "UTC", "When the card was shown, if known."),
    Column("answered_at", "timestamp", "UTC", "When the answer reached the server, or was given elsewhere."),
    Column("active_ms", "integer", "ms", "Active time on the card; one figure for all its questions."),
    Column("sequence", "integer", "≥ 0", "The card's place in what this rater saw."),
    Column("shown_position", "integer", "≥ 1", "The image's place from the left; empty where single or unknown."),
    Column("flag", "text", "", "What the rater noted when flagging the card."),
)

LATE = (
    Column("item", "text", "", "Name of what was shown."),
    Column("image", "text", "", "Name of the image that the answer is about; empty: about all that was shown."),
    Column("rater", "text", "", "The rater's name in this study."),
    Column("dimension", "text", "", "Short name of the question."),
    Column("value", "text", "on the question's scale", "The answer, exact; empty for “unable to answer”."),
    Column("is_unable", "boolean", "", "Whether the answer was “unable to answer”."),
    Column("answered_at", "timestamp", "UTC", "When it was given."),
    Column("received_at", "timestamp", "UTC", "When it reached the server."),
    Column("active_ms", "integer", "ms", "How long the rater was active on the card, if known."),
)


def response_rows(study: Study, *, all_revisions: bool) -> Rows:
    """Every answer in the order it came; with `all_revisions` also those that were changed later.

    Four queries whatever the size; rows come in batches, on PostgreSQL by a cursor of the server.
    """
    dimensions = {dimension.pk: dimension for dimension in study.dimensions.all()}
    methods = dict(Method.objects.values_list("pk", "name"))
    answers = Response.objects.filter(dimension__in=dimensions)
    if not all_revisions:
        answers = answers.filter(is_current=True)
    has_sides = any(map(names_sides, dimensions.values()))
    slot = _slot() if study.item_kind != Study.ItemKind.IMAGE else Value(None, output_field=IntegerField())
    fields = answers.annotate(
        slot=slot, chosen=_chosen_method() if has_sides else Value(None, output_field=IntegerField())
    ).values_list(
        *("dimension_id", "assignment__item__key", "image_id", "image__key", "image__sha256"),
        *("assignment__item__prompt__key", "assignment__item__prompt__text", "assignment__item__prompt__category"),
        *("assignment__item__prompt__sub_category", "image__method_id", "image__seed", "image__round"),
        *("assignment__rater__name", "assignment__rater__kind", "level", "is_unable", "chosen", "revision"),
        *("is_current", "shown_at", "answered_at", "active_ms", "assignment__sequence", "slot"),
        *("assignment__shown_order", "assignment__flag"),
    )
    for row in fields.order_by("pk").iterator(chunk_size=ROWS_AT_ONCE):
        dimension_id, item, image, key, sha256, prompt_key, prompt, category, sub_category, method, *rest = row
        seed, round_, rater, kind, level, is_unable, chosen, revision, is_current, *times = rest
        shown_at, answered_at, active_ms, sequence, at, shown_order, flag = times
        dimension = dimensions[dimension_id]
        answer = {"value": None, "label": None} if level is None else dimension.levels[level]
        yield (
            *(item, image_name(image, key), sha256 or "", prompt_key, prompt, category, sub_category),
            *(methods.get(method, ""), seed, round_, rater, kind, dimension.name, answer["value"], answer["label"]),
            *(is_unable, methods.get(chosen, "") if names_sides(dimension) else "", revision, is_current),
            *(shown_at, answered_at, active_ms, sequence, _position(at, shown_order), flag),
        )


def image_name(pk: int | None, key: str | None) -> str:
    """What results and exports call an image: its source's name for it, else its number here."""
    return "" if pk is None else key or f"image {pk}"


def _slot() -> Subquery:
    shown = ItemImage.objects.filter(item=OuterRef("assignment__item"), image=OuterRef("image"))
    return Subquery(shown.order_by("slot").values("slot")[:1])


def _chosen_method() -> Case:
    """The method of the image on the side that was chosen; null for any other answer.

    The left side showed the image whose slot stands first in `shown_order`; without one, slot 0.
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
            level, image = answer["level"], answer["image"]
            yield (
                *(item, image_name(image, keys.get(image)), rater, dimension.name),
                *(None if level is None else dimension.levels[level]["value"], level is None),
                *(_time(record), received_at, record.get("active_ms")),
            )


def _time(record: dict[str, Any]) -> datetime | None:
    text = record.get("answered_at")
    return datetime.fromisoformat(text) if text else None


def counts(study: Study) -> dict[str, int]:
    """How many answers there are, late ones by card."""
    answers = Response.objects.filter(dimension__in=list(study.dimensions.values_list("pk", flat=True)))
    every = answers.aggregate(n=Count("pk"), current=Count("pk", filter=Q(is_current=True)))
    late = LateAnswer.objects.filter(assignment__study=study).count()
    return {"answers": every["current"], "answers-all-revisions": every["n"], "late-answers": late}
