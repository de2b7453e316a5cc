"""Pairs of images of one prompt by two methods: all possible ones, and those that a study shows."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from django.db.models import Count, QuerySet
from numpy.typing import NDArray

from annotations import allocation
from annotations.models import Study
from generation.models import Image

ROWS_AT_ONCE = 10_000
Row = tuple[int, int, int, int | None, int | None]
"""image, prompt, method, seed, parent"""


@dataclass(frozen=True)
class Pairing:
    """Which pairs of methods meet.

    rule        one of `Study.Pairing`
    baseline    for the rule "baseline": the method that meets each of the others
    per_prompt  for the rule "sample": how many pairs of each prompt are shown
    """

    rule: str = Study.Pairing.ALL
    baseline: int | None = None
    per_prompt: int = 1


def method_pairs(methods: Sequence[int], pairing: Pairing) -> list[tuple[int, int]]:
    """The pairs of methods that meet, the first of each in slot 0."""
    if pairing.rule == Study.Pairing.BASELINE:
        others = sorted(set(methods) - {pairing.baseline})
        return [(pairing.baseline, other) for other in others] if pairing.baseline is not None else []
    return list(combinations(sorted(set(methods)), 2))


def n_pairs(images: QuerySet[Image], methods: Sequence[int], pairing: Pairing) -> int:
    """How many pairs `pairs` finds, from the number of images of each prompt and method."""
    column = {method: place for place, method in enumerate(sorted(set(methods)))}
    row: dict[int, int] = {}
    cells = []
    counted = images.order_by().values_list("prompt", "method").annotate(n=Count("pk"))
    for prompt, method, n in counted.iterator(chunk_size=ROWS_AT_ONCE):
        cells.append((row.setdefault(prompt, len(row)), column[method], n))
    if not cells:
        return 0
    table = np.zeros((len(row), len(column)), np.int64)
    at = np.array(cells)
    table[at[:, 0], at[:, 1]] = at[:, 2]
    of_prompt = np.zeros(len(row), np.int64)
    for first, second in method_pairs(methods, pairing):
        if first in column:
            of_prompt += np.minimum(table[:, column[first]], table[:, column[second]])
    if pairing.rule == Study.Pairing.SAMPLE:
        of_prompt = np.minimum(of_prompt, pairing.per_prompt)
    return int(of_prompt.sum())


def pairs(images: QuerySet[Image], methods: Sequence[int], pairing: Pairing, *, seed: int) -> NDArray[np.int64]:
    """(n, 5) first image, second image, prompt, first method, second method.

    If two methods have several images of a prompt, an image meets the one that it was made from, or else one with the
    same seed, or else the next one left; each image once per pair of methods.
    """
    found = [
        (*match, prompt, first, second)
        for prompt, by_method in _by_prompt(images)
        for first, second in method_pairs(methods, pairing)
        for match in _matched(by_method.get(first, []), by_method.get(second, []))
    ]
    rows = np.array(found, np.int64).reshape(-1, 5)
    if pairing.rule == Study.Pairing.SAMPLE and len(rows):
        kinds = np.unique(rows[:, 3:], axis=0, return_inverse=True)[1].ravel()
        prompts = np.unique(rows[:, 2], return_inverse=True)[1]
        rows = rows[allocation.sample_pairs(kinds, prompts, per_prompt=pairing.per_prompt, seed=seed)]
    return rows


def sets(images: QuerySet[Image]) -> Iterator[tuple[int, list[int]]]:
    """(prompt, one image of each method that has one) prompt by prompt, two methods at least; by method within a set.

    If a method has several images, the first set has the one with the lowest seed, the next set the next one.
    """
    for prompt, by_method in _by_prompt(images):
        queues = {
            method: sorted(rows, key=lambda row: (row[3] is None, row[3] or 0, row[0]))
            for method, rows in sorted(by_method.items())
        }
        for turn in range(max(map(len, queues.values()))):
            found = [rows[turn][0] for rows in queues.values() if turn < len(rows)]
            if len(found) > 1:
                yield prompt, found


def n_sets(images: QuerySet[Image]) -> int:
    """How many sets `sets` finds: of each prompt, the number of images of the method with the second most."""
    counts: dict[int, list[int]] = defaultdict(list)
    counted = images.order_by().values_list("prompt", "method").annotate(n=Count("pk"))
    for prompt, _method, n in counted.iterator(chunk_size=ROWS_AT_ONCE):
        counts[prompt].append(n)
    return sum(sorted(of_prompt)[-2] for of_prompt in counts.values() if len(of_prompt) > 1)


def first_pair(images: QuerySet[Image], methods: Sequence[int], pairing: Pairing) -> tuple[int, int] | None:
    """The two images of an example."""
    for _prompt, by_method in _by_prompt(images):
        for first, second in method_pairs(methods, pairing):
            if found := _matched(by_method.get(first, []), by_method.get(second, [])):
                return found[0]
    return None


def _by_prompt(images: QuerySet[Image]) -> Iterator[tuple[int, dict[int, list[Row]]]]:
    """Prompt by prompt, its images by method."""
    by_method: dict[int, list[Row]] = defaultdict(list)
    before: int | None = None
    rows = images.order_by("prompt_id", "pk").values_list("pk", "prompt_id", "method_id", "seed", "parent_id")
    for row in rows.iterator(chunk_size=ROWS_AT_ONCE):
        if before is not None and row[1] != before:
            yield before, by_method
            by_method = defaultdict(list)
        before = row[1]
        by_method[row[2]].append(row)
    if before is not None:
        yield before, by_method


def _matched(first: list[Row], second: list[Row]) -> list[tuple[int, int]]:
    """Images of the first method matched with images of the second, as many as the method with fewer images has."""
    if len(first) == 1 and len(second) == 1:
        return [(first[0][0], second[0][0])]
    found: dict[int, int] = {}
    left = list(second)

    def is_made_from(one: Row, other: Row) -> bool:
        return one[4] == other[0] or other[4] == one[0]

    def has_same_seed(one: Row, other: Row) -> bool:
        return one[3] is not None and one[3] == other[3]

    for belong in (is_made_from, has_same_seed, lambda _one, _other: True):
        for one in first:
            if one[0] not in found and (match := next((other for other in left if belong(one, other)), None)):
                found[one[0]] = match[0]
                left.remove(match)
    return [(one[0], found[one[0]]) for one in first if one[0] in found]
