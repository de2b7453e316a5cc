"""Auditors' verdicts on critics → all figures about these critics, in one reproducible run."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from annotations.reports.critic.anchoring import Anchoring, anchoring
from annotations.reports.critic.audits import audit_of, settled
from annotations.reports.critic.data import NOT_STATED, ORDINARY, CriticData, Flags, Labels
from annotations.reports.critic.figures import MOST_GROUPS, CriticResult, Options, critic_result
from annotations.reports.critic.repairs import RepairResults, repair_results
from annotations.stats.agreement.alpha import krippendorff_alpha
from annotations.stats.agreement.chance_corrected import gwet_ac, percent_agreement
from annotations.stats.arrays import IntArray
from annotations.stats.critic.audit import (
    CANNOT_TELL,
    CRITIC,
    PLANTED,
    WRONG,
    Settled,
)
from annotations.stats.critic.comparison import Difference, compare_critics
from annotations.stats.estimate import Estimate
from annotations.stats.intervals.cluster_sums import clustered_share
from annotations.stats.intervals.wilson import proportion
from annotations.stats.ratings import Ratings

MOST_COMPARED = 12


@dataclass(frozen=True)
class Pair:
    """Two critics on the images that both were shown; figures by "precision", "recall", "f1"."""

    first: str
    second: str
    n_images: int
    figures: dict[str, Difference]


@dataclass(frozen=True)
class CriticResults:
    data: CriticData
    options: Options
    settled: Settled
    critics: Sequence[CriticResult]
    agreement: Sequence[tuple[str, Sequence[Estimate]]]
    """By critic ("" over all of them)."""
    pairs: Sequence[Pair]
    planted: Estimate
    """Share of planted false claims that auditors accepted as right: how easily they are misled."""
    repairs: RepairResults | None
    anchoring: Anchoring | None
    facets_left_out: dict[str, str] = field(default_factory=dict)


def analyse_critics(data: CriticData, options: Options) -> CriticResults:
    """All results of an audit. The same data, options and code version give the same figures."""
    data, left_out = _with_usable_facets(data)
    verdict = settled(data)

    def rng(*place: int) -> np.random.Generator:
        words = np.random.SeedSequence((options.seed, *place)).generate_state(1, np.uint64)
        return np.random.default_rng(int(words[0] >> np.uint64(1)))

    critics = [critic_result(data, verdict.verdict, i, options, rng) for i in range(len(data.critics))]
    agreement = [
        (name, [*_agreement(data, mask, rng(2, i)), *_settlement(verdict, mask)])
        for i, (name, mask) in enumerate(_speakers(data))
    ]
    compared = range(min(len(data.critics), MOST_COMPARED))
    pairs = [_pair(data, verdict.verdict, a, b, options, rng(3, a, b)) for a, b in combinations(compared, 2)]
    repairs = repair_results(data, verdict.verdict, rng(4), options.n_resamples) if len(data.repairs) else None
    anchored = anchoring(data, verdict.verdict, options.partly, rng(5), options.n_resamples)
    planted = _planted(data, verdict.verdict, rng(7), options.n_resamples)
    return CriticResults(data, options, verdict, critics, agreement, pairs, planted, repairs, anchored, left_out)


def _planted(data: CriticData, verdict: IntArray, rng: np.random.Generator, n_resamples: int) -> Estimate:
    """Over all images, controls included: this is a figure about the auditors, not about a critic."""
    judged = np.flatnonzero((data.claims.source == PLANTED) & (verdict >= 0) & (verdict != CANNOT_TELL))
    kept, image = np.unique(data.claims.image[judged], return_inverse=True)
    return clustered_share(
        "planted_claims_accepted",
        (verdict[judged] != WRONG).astype(float),
        image,
        n_clusters=len(kept),
        rng=rng,
        items="claims",
        covers="images",
        method="planted false claims judged right or partly right, over those with a verdict",
        n_resamples=n_resamples,
    )


def _speakers(data: CriticData) -> list[tuple[str, Flags]]:
    """The critics whose claims agreement is computed on: all of them together, then each."""
    is_real = data.claims.source == CRITIC
    every = [("", is_real)]
    if len(data.critics) > 1:
        every += [(name, is_real & (data.claims.critic == i)) for i, name in enumerate(data.critics)]
    return every


def _agreement(data: CriticData, mask: Flags, rng: np.random.Generator) -> list[Estimate]:
    """Agreement of auditors on verdicts ("cannot tell" is not a verdict); controls are left out."""
    verdicts = data.verdicts
    rows = np.flatnonzero(mask[verdicts.claim] & (verdicts.value != CANNOT_TELL))
    claims, unit = np.unique(verdicts.claim[rows], return_inverse=True)
    people, rater = np.unique(verdicts.auditor[rows], return_inverse=True)
    # Right 1, partly ½, wrong 0; if "partly right" was not offered, the scale is wrong and right.
    scale = np.array([0.0, 0.5, 1.0] if verdicts.has_partly else [0.0, 1.0])
    level = (len(scale) - 1) - np.minimum(verdicts.value[rows], len(scale) - 1)
    ratings = Ratings(unit, rater, level, scale, len(claims), len(people))
    return [
        krippendorff_alpha(ratings, "nominal", rng=rng),
        gwet_ac(ratings, rng=rng),
        percent_agreement(ratings, rng=rng),
    ]


def _settlement(verdict: Settled, mask: Flags) -> list[Estimate]:
    """Among claims with several verdicts: the share on which all agree, the share that an adjudicator decided, and the
    share still open."""
    several = mask & (verdict.n_judged > 1)
    parts = (
        ("unanimous_share", verdict.unanimous, "all verdicts the same"),
        ("adjudicated_share", verdict.adjudicated, "decided by an adjudicator"),
        ("open_share", verdict.open, "auditors tied, nobody has decided"),
    )
    n = int(several.sum())
    return [
        proportion(
            name, int((several & hits).sum()), n, covers="claims", method=f"claims with several verdicts: {words}"
        )
        for name, hits, words in parts
    ]


def _pair(data: CriticData, verdict: IntArray, a: int, b: int, options: Options, rng: np.random.Generator) -> Pair:
    shared = data.seen[a] & data.seen[b] & (data.control == ORDINARY)
    first, second = (
        audit_of(data, verdict, one, images=shared, with_controls=False, pooled_with=other).audit
        for one, other in ((a, b), (b, a))
    )
    figures = compare_critics(
        first,
        second,
        rng=rng,
        partly=options.partly,
        n_resamples=options.n_resamples,
        n_permutations=options.n_permutations,
    )
    return Pair(data.critics[a], data.critics[b], int(shared.sum()), figures)


def _with_usable_facets(data: CriticData) -> tuple[CriticData, dict[str, str]]:
    """Without the facets that have no label or too many, and why."""
    left_out = dict(data.facets_left_out)

    def usable(facets: Labels) -> Labels:
        kept: dict[str, NDArray[np.object_]] = {}
        for name, labels in facets.items():
            n = len(set(labels))
            if n > MOST_GROUPS:
                left_out[name] = f"it has {n} values, more than {MOST_GROUPS}"
            elif n == 1 and NOT_STATED in labels:
                left_out[name] = "nothing is stated"
            else:
                kept[name] = labels
        return kept

    claims = replace(data.claims, facets=usable(data.claims.facets))
    verdicts = replace(data.verdicts, facets=usable(data.verdicts.facets))
    return replace(data, claims=claims, verdicts=verdicts), left_out
