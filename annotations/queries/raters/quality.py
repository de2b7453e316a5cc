"""Quality signals of raters while a study runs: one row per rater, every signal with its interval or its reason."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from annotations.models import Assignment, Rater, Response, Study
from annotations.queries.raters.known import known_answers, verdicts
from annotations.questions import names_sides
from annotations.reports.numbers import figure
from annotations.stats.raters import watching

Purpose = Assignment.Purpose
Key = tuple[int, int | None]
"""Dimension, and image or None."""
Levels = dict[Key, int | None]
FAST_SHARE = 0.1
SLOW_VARIATION = 0.15
RARE = 0.01


@dataclass(frozen=True)
class Signal:
    """One signal of one rater. `share` is 0…1 for a bar; None without a bar.

    `reason` explains the figure in words. `stands_out` asks the researcher to look; it is not a verdict.
    """

    key: str
    text: str
    reason: str
    share: float | None = None
    low: float | None = None
    high: float | None = None
    stands_out: bool = False


@dataclass
class Work:
    """One rater's work: (dimension, level) in order, times, and the hits of each kind of check."""

    gold: list[bool] = field(default_factory=list)
    check: list[bool] = field(default_factory=list)
    repeat: list[bool] = field(default_factory=list)
    levels: list[int] = field(default_factory=list)
    milliseconds: list[int] = field(default_factory=list)
    n_fast: int = 0


def work_of(study: Study, raters: Sequence[Rater]) -> dict[int, Work]:
    """The data for the signals, by rater's key; four queries for any number of raters."""
    dimensions = list(study.dimensions.order_by("position"))
    found = {rater.pk: Work() for rater in raters}
    given, structured, cards = _answers(raters)
    known = known_answers({card.item for card in cards.values() if card.purpose in (Purpose.GOLD, Purpose.CHECK)})
    originals = {(card.rater, card.item): key for key, card in cards.items() if card.purpose == Purpose.RATING}
    first = dimensions[0] if dimensions else None
    sided = {dimension.pk for dimension in dimensions if names_sides(dimension)}
    first_item = study.items.order_by("position").first()
    n_images = max(1, first_item.images.count()) if first_item is not None else 1
    for key, card in sorted(cards.items(), key=lambda pair: (pair[1].rater, pair[1].sequence)):
        work, answers = found[card.rater], given[key]
        if card.purpose in (Purpose.GOLD, Purpose.CHECK):
            hits = verdicts(known.get(card.item, ()), answers, card.order)
            (work.gold if card.purpose == Purpose.GOLD else work.check).append(bool(hits) and all(hits))
        elif card.purpose != Purpose.RATING:
            before = originals.get((card.rater, card.item))
            if before is not None:
                is_same = _is_same(given[before], answers, cards[before].order, card.order, sided)
                work.repeat.append(is_same and structured[before] == structured[key])
        else:
            work.levels += [
                level for (pk, _image), level in answers.items() if first and pk == first.pk and level is not None
            ]
        if card.milliseconds is not None:
            work.milliseconds.append(card.milliseconds)
            needed = watching.reading_seconds(card.words, n_images)
            work.n_fast += card.milliseconds < 1000 * needed
    return found


@dataclass(frozen=True)
class _Card:
    rater: int
    item: int
    purpose: str
    sequence: int
    order: str
    words: int
    milliseconds: int | None


def _answers(raters: Iterable[Rater]) -> tuple[dict[int, Levels], dict[int, dict[Key, Any]], dict[int, _Card]]:
    """By card: the level of each answer, the answers that are not levels, and the card."""
    given: dict[int, Levels] = defaultdict(dict)
    structured: dict[int, dict[Key, Any]] = defaultdict(dict)
    cards: dict[int, _Card] = {}
    rows = Response.objects.filter(
        is_current=True,
        assignment__rater__in=[rater.pk for rater in raters],
        assignment__state=Assignment.State.ANSWERED,
    ).order_by("pk")
    for key, dimension, image, level, answer, ms, *rest in rows.values_list(
        *("assignment_id", "dimension_id", "image_id", "level", "answer", "active_ms", "assignment__rater_id"),
        *("assignment__item_id", "assignment__purpose", "assignment__sequence", "assignment__shown_order"),
        "assignment__item__prompt__text",
    ).iterator(chunk_size=5000):
        given[key][dimension, image] = level
        if answer is not None:
            structured[key][dimension, image] = answer
        if key not in cards:
            rater, item, purpose, sequence, order, prompt = rest
            cards[key] = _Card(rater, item, purpose, sequence, order, len(prompt.split()), ms)
    return given, structured, cards


def _is_same(
    before: dict[tuple[int, int | None], int | None],
    after: dict[tuple[int, int | None], int | None],
    order_before: str,
    order_after: str,
    sided: set[int],
) -> bool:
    """Whether a repeat got the same answer as the first time; sides count as the images that were on them."""

    def image_level(key: tuple[int, int | None], level: int | None, order: str) -> int | None:
        turns = key[0] in sided and level is not None and level < 2 and order.startswith("1")
        return 1 - level if turns and level is not None else level

    return all(
        image_level(key, level, order_before) == image_level(key, after.get(key), order_after)
        for key, level in before.items()
    )


def signals(work: Work, agreement: dict[str, Any] | None = None) -> list[Signal]:
    """The signals of one rater in the order of the page's columns. `agreement`: from the newest results, if any."""
    return [
        _share("gold", work.gold, _("Gold items answered right"), low_below=0.7),
        _share("check", work.check, _("Attention checks passed"), low_below=0.8),
        _share("repeat", work.repeat, _("Repeats answered as the first time"), low_below=0.4),
        _speed(work),
        _straight(work),
        _agreement(agreement),
        _drift(work),
        _automation(work),
    ]


def _share(key: str, hits: list[bool], what: str, *, low_below: float) -> Signal:
    found = watching.share(sum(hits), len(hits))
    if not found.n:
        return Signal(key, "–", _("None yet."))
    reason = _("%(what)s: %(hits)d of %(n)d; 95%% interval %(low).0f%%–%(high).0f%%.") % {
        "what": what,
        "hits": found.hits,
        "n": found.n,
        "low": 100 * found.low,
        "high": 100 * found.high,
    }
    return Signal(
        key, f"{found.hits}/{found.n}", reason, found.value, found.low, found.high, stands_out=found.high < low_below
    )


def _speed(work: Work) -> Signal:
    n = len(work.milliseconds)
    if not n:
        return Signal("speed", "–", _("No times are known."))
    found = watching.share(work.n_fast, n)
    median = sorted(work.milliseconds)[n // 2] / 1000
    reason = _(
        "%(fast)d of %(n)d cards were answered faster than the prompt can be read and the image looked at "
        "(95%% interval %(low).0f%%–%(high).0f%%); the median is %(median).1f s."
    ) % {"fast": found.hits, "n": n, "low": 100 * found.low, "high": 100 * found.high, "median": median}
    return Signal(
        "speed", f"{median:.1f} s", reason, found.value, found.low, found.high, stands_out=found.low > FAST_SHARE
    )


def _straight(work: Work) -> Signal:
    length, chance = watching.longest_run(work.levels)
    if not length:
        return Signal("straight", "–", _("No answers yet."))
    if len(set(work.levels)) == 1 and len(work.levels) >= 20:
        reason = _("All %(n)d answers to the first question are the same.") % {"n": length}
        return Signal("straight", str(length), reason, stands_out=True)
    reason = _(
        "The longest run of one answer is %(n)d; in independent answers one as long has a chance of %(p).2g%%."
    ) % {
        "n": length,
        "p": 100 * chance,
    }
    return Signal("straight", str(length), reason, stands_out=chance < RARE)


def _agreement(found: dict[str, Any] | None) -> Signal:
    estimate = (found or {}).get("agreement") or {}
    value = estimate.get("value")
    if value is None:
        return Signal("agreement", "–", estimate.get("reason") or _("The newest results have no figure yet."))
    limits = (estimate.get("intervals") or [{}])[0]
    low, high, shown = limits.get("low"), limits.get("high"), figure(value, digits=2)
    if low is None or high is None:
        return Signal("agreement", shown, _("Kappa with the others’ answers; no interval."), max(0.0, value))
    reason = _("Kappa with the others’ answers, from the newest results; 95%% interval %(low)s to %(high)s.") % {
        "low": figure(low, digits=2),
        "high": figure(high, digits=2),
    }
    return Signal(
        "agreement",
        shown,
        reason,
        max(0.0, value),
        max(0.0, low),
        max(0.0, high),
        stands_out=high < 0.2,
    )


def _drift(work: Work) -> Signal:
    found = watching.drift(work.levels)
    if math.isnan(found.value):
        return Signal("drift", "–", _("This needs at least ten answers."))
    reason = _("Second half minus first half, in levels; 95%% interval %(low)s to %(high)s.") % {
        "low": figure(found.low, signed=True, digits=2),
        "high": figure(found.high, signed=True, digits=2),
    }
    return Signal(
        "drift",
        figure(found.value, signed=True, digits=2),
        reason,
        stands_out=min(abs(found.low), abs(found.high)) > 0.5 and found.low * found.high > 0,
    )


def _automation(work: Work) -> Signal:
    variation = watching.pace_variation(work.milliseconds)
    if math.isnan(variation):
        return Signal("automation", "–", _("This needs at least ten measured times."))
    n_same = len(work.milliseconds) - len(set(work.milliseconds))
    reason = _(
        "Times on cards vary by a factor of %(factor).2f (one standard deviation); %(n)d are equal to the millisecond. "
        "People’s times vary by a factor of 1.5 or more."
    ) % {"factor": math.exp(variation), "n": n_same}
    is_steady = variation < SLOW_VARIATION or n_same > len(work.milliseconds) / 2
    return Signal("automation", f"×{math.exp(variation):.2f}", reason, stands_out=is_steady)


def newest_agreement(study: Study) -> dict[str, dict[str, Any]]:
    """By rater's name, the row of the first question in the newest finished results."""
    snapshot = study.snapshots.filter(Q(state="done")).only("results").first()
    dimensions = (snapshot.results or {}).get("dimensions", ()) if snapshot else ()
    return {row["rater"]: row for row in dimensions[0].get("raters", ())} if dimensions else {}
