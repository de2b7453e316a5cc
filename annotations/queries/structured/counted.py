"""A study's answers that are not a single level, as arrays of the content of each."""

import numpy as np
from django.db.models import Count, F

from annotations.kinds.registry import kind_of
from annotations.models import Dimension, Item, Study
from annotations.queries.result_units import study_methods
from annotations.queries.studies import current_responses
from annotations.reports.study.counted import CountedData
from annotations.stats.arrays import IntArray
from generation.models import Method

ROWS_AT_ONCE = 2_000


def counted_data(study: Study) -> tuple[list[CountedData], list[str]]:
    """(one entry for each such question that has an answer, names of methods); three queries and one per question.

    Answers are read in batches; only two numbers per answer and counted thing stay in memory.
    """
    asked = [dimension for dimension in study.dimensions.all() if not kind_of(dimension).has_levels]
    if not asked:
        return [], []
    names = study_methods(study)
    code_of = {pk: names.index(name) for pk, name in Method.objects.values_list("pk", "name") if name in names}
    single = _method_of_single_items(study)
    found = (_counted(dimension, code_of, single) for dimension in asked)
    return [data for data in found if data is not None], names


def _method_of_single_items(study: Study) -> dict[int, int]:
    """The method of each item with one image: answers about the item are answers about that image."""
    items = Item.objects.filter(study=study).order_by().annotate(n=Count("item_images")).filter(n=1)
    return dict(items.values_list("pk", F("item_images__image__method_id")))


def _counted(dimension: Dimension, code_of: dict[int, int], single: dict[int, int]) -> CountedData | None:
    counts = kind_of(dimension).counts(dimension)
    rows = current_responses([dimension]).order_by("pk")
    columns = ("assignment__item_id", "assignment__item__prompt_id", "assignment__rater_id", "image__method_id")
    codes: list[tuple[int, int, int]] = []
    parts: list[list[tuple[float, float]]] = []
    n_unable = 0
    for answer, item, prompt, rater, method in rows.values_list("answer", *columns).iterator(chunk_size=ROWS_AT_ONCE):
        if answer is None:
            n_unable += 1
            continue
        codes.append((prompt, rater, code_of.get(method or single.get(item, 0), -1)))
        parts.append([count.part(answer) for count in counts])
    if not codes and not n_unable:
        return None
    prompt, rater, method = np.array(codes, np.int64).reshape(-1, 3).T
    shares = np.array(parts, float).reshape(-1, len(counts), 2)
    return CountedData(
        dimension.name,
        dimension.question,
        dimension.kind,
        [count.key for count in counts],
        [count.label for count in counts],
        shares[:, :, 0],
        shares[:, :, 1],
        _codes(prompt),
        _codes(rater),
        method,
        n_unable,
    )


def _codes(keys: IntArray) -> IntArray:
    return np.unique(keys, return_inverse=True)[1].astype(np.int64)
