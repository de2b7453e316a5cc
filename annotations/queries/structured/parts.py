"""One row for each part of an answer that is not a single level: a word, a question of a decomposition, a place."""

from collections.abc import Iterator, Sequence

from annotations.kinds.registry import KINDS, kind_of
from annotations.models import Item, Study
from annotations.queries.studies import current_responses, n_rows
from exchange.export import Column
from generation.models import Method

ROWS_AT_ONCE = 2_000
Rows = Iterator[Sequence[object]]

PARTS = (
    Column("item", "text", "", "Name of what was shown at once."),
    Column("image", "text", "", "Name of the image that the answer is about; empty: about all that was shown."),
    Column("method", "text", "", "What made the image; empty for an answer about all that was shown."),
    Column("rater", "text", "", "The rater's name in this study."),
    Column("dimension", "text", "", "Short name of the question."),
    Column("part", "text", "", "Which part of the answer: a word or place by its number, or a part's id."),
    Column("about", "text", "", "The word, the question that was asked, or the kind of place."),
    Column("answer", "json", "", "The word's mark; yes, no, cannot tell, not asked; or fractions of the image."),
)


def part_rows(study: Study) -> Rows:
    """The answers that count, in the order in which they were given; two queries, and one per question."""
    asked = [dimension for dimension in study.dimensions.all() if kind_of(dimension).has_parts]
    if not asked:
        return
    methods = dict(Method.objects.values_list("pk", "name"))
    frozen = dict(Item.objects.filter(study=study).exclude(frozen={}).order_by().values_list("pk", "frozen"))
    columns = ("assignment__item_id", "assignment__item__key", "image_id", "image__key", "image__method_id")
    for dimension in asked:
        kind = kind_of(dimension)
        rows = current_responses([dimension]).filter(answer__isnull=False).order_by("pk")
        given = rows.values_list("answer", "assignment__rater__name", *columns).iterator(chunk_size=ROWS_AT_ONCE)
        for answer, rater, item, key, image, image_key, method in given:
            name = "" if image is None else image_key or f"image {image}"
            kept = frozen.get(item, {}).get(dimension.kind)
            for part, about, said in kind.parts(dimension, answer, kept):
                value = {"answer": said} if isinstance(said, str) else said
                yield key, name, methods.get(method, ""), rater, dimension.name, part, about, value


def counts(study: Study, *, is_counted: bool = True) -> dict[str, int | None]:
    """The number of answers that have rows in the file; see `queries.studies.n_rows`."""
    kinds = [kind for kind, one in KINDS.items() if one.has_parts]
    asked = list(study.dimensions.filter(kind__in=kinds))
    rows = current_responses(asked).filter(answer__isnull=False)
    return {"parts": n_rows(rows, is_counted=is_counted) if asked else 0}
