"""JSON lines of chosen and rejected images with a confidence, from votes, rankings and ratings."""

import json
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from typing import IO

from annotations.kinds.registry import kind_of
from annotations.models import Dimension, ItemImage, Study
from annotations.queries.exports import image_name
from annotations.queries.preferences import is_turned
from annotations.queries.studies import current_responses
from annotations.questions import NEITHER, names_sides
from exchange.tables.row import JsonValue
from exchange.writing.pairs import Tallies, Tally, compare_ranked, confidence
from generation.models import Image

ROWS_AT_ONCE = 2_000
IDS_AT_ONCE = 500


def write(study: Study, target: IO[bytes]) -> None:
    """A line for each question and each pair of images of a prompt, if more raters preferred one of them.

    Votes and rankings are compared within a card. Ratings are compared within a rater: two images of a prompt on which
    the same person gave different levels of an ordered scale; a strict rater is never compared with a lenient one.
    Memory: the comparisons of one question.
    """
    shown = _shown(study)
    for dimension in study.dimensions.all():
        tallies = _tallies(dimension, shown)
        if tallies is None:
            continue
        for line in _lines(dimension, tallies):
            target.write(f"{json.dumps(line, ensure_ascii=False)}\n".encode())


def _shown(study: Study) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    rows = ItemImage.objects.filter(item__study=study).order_by("item", "slot").values_list("item", "image")
    for item, image in rows.iterator(chunk_size=ROWS_AT_ONCE):
        found[item].append(image)
    return found


def _tallies(dimension: Dimension, shown: dict[int, list[int]]) -> Tallies | None:
    """None for a question that does not say which image is better."""
    if names_sides(dimension):
        return _votes(dimension, shown)
    if dimension.is_ordering:
        return _rankings(dimension, shown)
    if kind_of(dimension).has_levels and dimension.kind != Dimension.Kind.NOMINAL:
        return _ratings(dimension, shown)
    return None


def _votes(dimension: Dimension, shown: dict[int, list[int]]) -> Tallies:
    tallies = Tallies("votes")
    rows = current_responses([dimension]).filter(level__isnull=False).order_by("pk")
    for item, level, turned in rows.values_list("assignment__item", "level", is_turned()).iterator(
        chunk_size=ROWS_AT_ONCE
    ):
        images = shown.get(item, [])
        if len(images) == 2:
            side = 1.0 if level == 0 else -1.0 if level == 1 else 0.0
            first, second = images
            tallies.add(first, second, -side if turned else side)
    return tallies


def _rankings(dimension: Dimension, shown: dict[int, list[int]]) -> Tallies:
    tallies = Tallies("rankings")
    rows = current_responses([dimension]).filter(level__isnull=False).order_by("assignment", "pk")
    fields = rows.values_list("assignment", "assignment__item", "image", "level")
    for (_card, item), answers in groupby(fields.iterator(chunk_size=ROWS_AT_ONCE), key=lambda row: row[:2]):
        level = {image: place for _card, _item, image, place in answers if place is not None}
        if dimension.kind == Dimension.Kind.RANKING:
            compare_ranked(tallies, level.items())
            continue
        ranks = {image: level.get(image, NEITHER) for image in shown.get(item, ())}  # best, neither, worst
        for one, rank in ranks.items():
            for other, other_rank in ranks.items():
                if rank < other_rank:  # nothing is known about two images between best and worst
                    tallies.add(one, other, other_rank - rank)
    return tallies


def _ratings(dimension: Dimension, shown: dict[int, list[int]]) -> Tallies:
    tallies = Tallies("ratings")
    values = [float(value) for value in dimension.values]
    rows = current_responses([dimension]).filter(level__isnull=False)
    fields = rows.order_by("assignment__item__prompt", "assignment__rater", "pk").values_list(
        "assignment__item__prompt", "assignment__rater", "assignment__item", "image", "level"
    )
    for _who, answers in groupby(fields.iterator(chunk_size=ROWS_AT_ONCE), key=lambda row: row[:2]):
        rated: dict[int, float] = {}
        for _prompt, _rater, item, image, level in answers:
            images = shown.get(item, [])
            if level is not None and (image is not None or len(images) == 1):
                rated[image or images[0]] = values[level]
        compare_ranked(tallies, ((image, -value) for image, value in rated.items()))
    return tallies


def _lines(dimension: Dimension, tallies: Tallies) -> Iterator[dict[str, JsonValue]]:
    decided = list(tallies.decided())
    for begin in range(0, len(decided), IDS_AT_ONCE):
        part = decided[begin : begin + IDS_AT_ONCE]
        ids = {pk for chosen, rejected, _tally in part for pk in (chosen, rejected)}
        images = Image.objects.select_related("prompt", "method").in_bulk(ids)
        for chosen, rejected, tally in part:
            yield _line(dimension, images[chosen], images[rejected], tallies, tally)


def _line(dimension: Dimension, chosen: Image, rejected: Image, tallies: Tallies, tally: Tally) -> dict[str, JsonValue]:
    said: dict[str, JsonValue] = {
        "prompt": chosen.prompt.text,
        "prompt_id": chosen.prompt.key or None,
        "chosen": image_name(chosen.pk, chosen.key),
        "rejected": image_name(rejected.pk, rejected.key),
        "chosen_method": chosen.method.name,
        "rejected_method": rejected.method.name,
        "chosen_sha256": chosen.sha256 or None,
        "rejected_sha256": rejected.sha256 or None,
        "question": dimension.name,
        "evidence": tallies.evidence,
        "n_raters": tally.n,
        "n_chosen": tally.n_first,
        "n_rejected": tally.n_second,
        "n_ties": tally.n_ties,
        "confidence": round(confidence(tally), 6),
    }
    if tallies.evidence == "ratings":
        said["mean_difference"] = round(tally.differences / tally.n, 6)
    return said
