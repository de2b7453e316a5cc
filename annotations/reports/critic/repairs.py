"""The effects of refinement: repair rates of claimed errors, where gains come from, and the bias that a placebo
shows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from annotations.reports.critic.data import (
    FIXED,
    IMPROVED,
    IN_BASELINE,
    IN_NEITHER,
    IN_REFINED,
    NO_ERROR,
    NOT_SURE,
    OUTCOMES,
    UNCHANGED,
    UNSURE,
    WORSE,
    CriticData,
    Flags,
)
from annotations.stats.arrays import IntArray
from annotations.stats.critic.audit import CRITIC, PARTLY, RIGHT
from annotations.stats.estimate import Estimate
from annotations.stats.intervals.cluster_sums import clustered_share
from annotations.stats.intervals.wilson import proportion

NAMED_RIGHTLY, NAMED_WRONGLY, UNNAMED = range(3)
NAMED = ("a right claim names it", "only claims not judged right name it", "no claim names it")


@dataclass(frozen=True)
class RepairRow:
    """A share of the repair audit, over all claims (facet and label empty) or those of one label."""

    facet: str
    label: str
    rate: Estimate


@dataclass(frozen=True)
class Gains:
    """Parts of the prompt (elements) that are in only one image of a pair, by what claims said about them."""

    gained: tuple[int, int, int]
    """Present only in the refined image: a right claim named it, only other claims did, no claim did."""
    lost: tuple[int, int, int]
    lacking: tuple[int, int, int]
    """Absent from the baseline, whether or not it was gained."""
    from_right_claims: Estimate
    """Share of the gained elements that a right claim named."""
    mended: tuple[Estimate, Estimate, Estimate]
    """Share of the elements absent from the baseline that the refined image has, by what claims said."""


@dataclass(frozen=True)
class RepairResults:
    """`outcomes`: settled outcome of each (pair, claim) by whether the claim is right: (2, n_outcomes) counts, and
    `n_open` on which auditors are tied."""

    n_pairs: int
    rows: Sequence[RepairRow]
    improved: Estimate
    worse: Estimate
    outcomes: tuple[tuple[int, ...], tuple[int, ...]]
    n_open: int
    gains: Gains | None
    placebo_differences: Estimate
    placebo_left: Estimate


def repair_results(data: CriticData, verdict: IntArray, rng: np.random.Generator, n_resamples: int) -> RepairResults:
    """Everything from the side-by-side audit. Placebo pairs count only in their own two figures.

    The repair rate is the share of right or partly right claims whose error is fixed, among those on which the vote
    of the auditors is fixed, less, unchanged or worse; in neither image, cannot tell and ties are left out and counted.
    """
    repairs = data.repairs
    real = ~repairs.pair_is_placebo[repairs.pair]
    n_claims = max(len(data.claims), 1)
    key, cell = np.unique(repairs.pair[real] * n_claims + repairs.claim[real], return_inverse=True)
    outcome = majority(cell, repairs.outcome[real], n_cells=len(key), n_codes=len(OUTCOMES), unsure=UNSURE)
    pair, claim = np.divmod(key, n_claims)
    image = repairs.pair_image[pair]
    is_right = _is_right(data, verdict)[claim]
    decided = is_right & np.isin(outcome, (FIXED, IMPROVED, UNCHANGED, WORSE))

    def share(name: str, mask: Flags, code: int, what: str) -> Estimate:
        return clustered_share(
            name,
            (outcome[mask] == code).astype(float),
            image[mask],
            n_clusters=len(data.images),
            rng=rng,
            items="claims",
            covers="images",
            method=f"right and partly right claims whose error is {what}, over those with a settled outcome",
            n_resamples=n_resamples,
        )

    rows = [RepairRow("", "", share("repair_rate", decided, FIXED, "fixed"))]
    facets = {name: labels[claim] for name, labels in data.claims.facets.items() if name != "method"}
    if len(data.critics) > 1:
        facets["critic"] = np.array([*data.critics, ""], object)[data.claims.critic[claim]]
    facets["refined by"] = repairs.pair_method[pair]
    for name, labels in facets.items():
        for label in sorted(set(labels[decided])):
            rows.append(RepairRow(name, str(label), share("repair_rate", decided & (labels == label), FIXED, "fixed")))
    counts = [
        tuple(int(n) for n in np.bincount(outcome[mask & (outcome >= 0)], minlength=len(OUTCOMES)))
        for mask in (is_right, ~is_right)
    ]
    return RepairResults(
        int((~repairs.pair_is_placebo).sum()),
        rows,
        share("improved_rate", decided, IMPROVED, "less than before, not fixed"),
        share("worse_rate", decided, WORSE, "worse than before"),
        (counts[0], counts[1]),
        int((outcome < 0).sum()),
        _gains(data, verdict, rng, n_resamples),
        *_placebo(data, rng, n_resamples),
    )


def majority(cell: IntArray, code: IntArray, *, n_cells: int, n_codes: int, unsure: int) -> IntArray:
    """(n_cells,) the code with the most votes; `unsure` counts only if there is no other vote; −1 for a tie."""
    votes = np.bincount(cell * n_codes + code, minlength=n_cells * n_codes).reshape(n_cells, n_codes)
    decisive = votes.copy()
    decisive[:, unsure] = 0
    best = decisive.max(axis=1, initial=0)
    tied = (decisive == best[:, None]).sum(axis=1) > 1
    return np.where(best == 0, unsure, np.where(tied, -1, decisive.argmax(axis=1)))


def _is_right(data: CriticData, verdict: IntArray) -> Flags:
    return (data.claims.source == CRITIC) & ((verdict == RIGHT) | (verdict == PARTLY))


def _gains(data: CriticData, verdict: IntArray, rng: np.random.Generator, n_resamples: int) -> Gains | None:
    repairs = data.repairs
    real = ~repairs.pair_is_placebo[repairs.element_pair]
    if not real.any():
        return None
    names, element = np.unique(repairs.element[real].astype(str), return_inverse=True)
    key, cell = np.unique(repairs.element_pair[real] * len(names) + element, return_inverse=True)
    answer = majority(cell, repairs.answer[real], n_cells=len(key), n_codes=NOT_SURE + 1, unsure=NOT_SURE)
    pair, which = np.divmod(key, len(names))
    image = repairs.pair_image[pair]
    is_critic = data.claims.source == CRITIC
    right = _is_right(data, verdict)
    named = np.full(len(key), UNNAMED)
    for mask, code in ((is_critic, NAMED_WRONGLY), (right, NAMED_RIGHTLY)):
        about = set(zip(data.claims.image[mask].tolist(), data.claims.about[mask].astype(str).tolist(), strict=True))
        here = [pair_of in about for pair_of in zip(image.tolist(), names[which].tolist(), strict=True)]
        named[np.array(here, bool)] = code
    gained, lost = answer == IN_REFINED, answer == IN_BASELINE
    lacking = gained | (answer == IN_NEITHER)

    def share(name: str, hits: Flags, mask: Flags, method: str) -> Estimate:
        return clustered_share(
            name,
            hits[mask].astype(float),
            image[mask],
            n_clusters=len(data.images),
            rng=rng,
            items="elements",
            covers="images",
            method=method,
            n_resamples=n_resamples,
        )

    def counts(mask: Flags) -> tuple[int, int, int]:
        a, b, c = (int(n) for n in np.bincount(named[mask], minlength=3))
        return a, b, c

    mended = [
        share("element_mended", gained, lacking & (named == code), f"elements gained over those lacking; {words}")
        for code, words in enumerate(NAMED)
    ]
    from_right = share(
        "gain_from_right_claims",
        named == NAMED_RIGHTLY,
        gained,
        "parts of the prompt in the refined image alone that a right or partly right claim names, over all such parts",
    )
    return Gains(counts(gained), counts(lost), counts(lacking), from_right, (mended[0], mended[1], mended[2]))


def _placebo(data: CriticData, rng: np.random.Generator, n_resamples: int) -> tuple[Estimate, Estimate]:
    repairs = data.repairs
    rows = np.flatnonzero(repairs.pair_is_placebo[repairs.pair] & (repairs.outcome != UNSURE))
    differs = ~np.isin(repairs.outcome[rows], (UNCHANGED, NO_ERROR))
    seen = clustered_share(
        "placebo_differences",
        differs.astype(float),
        repairs.pair[rows],
        n_clusters=len(repairs.pair_image),
        rng=rng,
        items="judgements",
        covers="pairs",
        method="judgements that see a difference between two copies of one image",
        n_resamples=n_resamples,
    )
    sides = repairs.on_left[rows][repairs.on_left[rows] >= 0]
    left = proportion(
        "placebo_left",
        float(sides.sum()),
        len(sides),
        covers="judgements",
        method="errors put on the left alone, over those put on one side alone; a half without side bias",
    )
    return seen, left
