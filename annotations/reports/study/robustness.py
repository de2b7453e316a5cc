"""Supporting analyses of a comparison of two methods: a model of the raw levels, other choices of analysis, other study
sizes, and every look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from annotations.stats.arrays import IntArray
from annotations.stats.comparison.compare import Comparison
from annotations.stats.comparison.effects import t_interval
from annotations.stats.comparison.multiverse import AGGREGATIONS, Aggregation, Multiverse, exclusion_rules, multiverse
from annotations.stats.comparison.paired_tests import paired_t_test
from annotations.stats.comparison.power import Plan, pilot_components, plan_table, plans_around
from annotations.stats.comparison.sequential import ConfidenceSequence, confidence_sequence
from annotations.stats.estimate import Estimate
from annotations.stats.ordinal_model.effect import OrdinalEffect, ordinal_effect
from annotations.stats.raters.sums import mean_by
from annotations.stats.raters.table import RaterRow
from annotations.stats.ratings import Ratings

HALF_WIDTHS = (0.025, 0.05, 0.075)
"""Shares of the scale's span that a planned interval may reach to either side: 0.1, 0.2 and 0.3 on 1–5."""
RATERS_A_PROMPT = (1, 3, 5)
MOST_PROMPTS_BET_ON = 5_000
"""With more prompts than this the always-valid interval is the asymptotic one, which is a sum; the exact one needs a
grid per prompt."""
MOST_RATINGS_REFITTED = 200_000
"""Above this size, Dawid–Skene (which is fitted once for every rule) is left out of the aggregations."""


@dataclass(frozen=True)
class Depth:
    """The supporting analyses of one comparison.

    effect      cumulative link mixed model of the levels themselves
    robustness  the mean difference under every exclusion rule, aggregation and subset
    sizes       (half width, raters per prompt, raters, the smallest plan or None), from this study as the pilot
    gains       what other numbers of prompts and raters would give, from this study as the pilot
    sequence    bounds that hold at every look, prompts taken in an order drawn from the seed
    """

    effect: OrdinalEffect
    robustness: Multiverse
    sizes: Sequence[tuple[float, int, int, Plan | None]]
    gains: Sequence[Plan]
    sequence: ConfidenceSequence


def depth(
    ratings: Ratings,
    comparison: Comparison,
    *,
    prompt: IntArray,
    method: IntArray,
    rater_rows: Sequence[RaterRow],
    facets: Mapping[str, NDArray[np.object_]],
    rng: np.random.Generator,
) -> Depth:
    """Everything that shows how far one comparison can be relied on. facets: (n_units,) texts by name."""
    baseline, refined = comparison.baseline, comparison.refined

    span = float(ratings.values[-1] - ratings.values[0])

    def conclude(scores: NDArray[np.float64]) -> Estimate:
        found = paired_mean(scores, prompt=prompt, method=method, baseline=baseline, refined=refined)
        return replace(found, intervals=tuple(interval.within(-span, span) for interval in found.intervals))

    aggregations: tuple[Aggregation, ...] = AGGREGATIONS
    if len(ratings) > MOST_RATINGS_REFITTED:
        aggregations = tuple(one for one in AGGREGATIONS if one != "dawid_skene")
    subsets = {
        f"{name}: {value}": np.array([text == value for text in column], bool)
        for name, column in facets.items()
        for value in sorted({text for text in column if text})
    }
    pilot = pilot_components(ratings, prompt=prompt, method=method, baseline=baseline, refined=refined)
    sizes: Sequence[tuple[float, int, int, Plan | None]] = ()
    if not pilot.reason:
        raters = [ratings.n_raters, 4 * ratings.n_raters]
        per_prompt = [n for n in RATERS_A_PROMPT if n <= raters[0]]
        widths = [round(share * span, 12) for share in HALF_WIDTHS]
        sizes = plan_table(pilot, half_widths=widths, raters_per_prompt=per_prompt, n_raters=raters)
    n = len(comparison.differences)
    effect = ordinal_effect(ratings, prompt=prompt, method=method, baseline=baseline, refined=refined, rng=rng)
    return Depth(
        effect,
        multiverse(
            ratings, conclude, exclusions=exclusion_rules(rater_rows), aggregations=aggregations, subsets=subsets
        ),
        sizes,
        plans_around(pilot, n_raters=pilot.n_raters, raters_per_prompt=pilot.n_pairs / max(pilot.n_prompts, 1)),
        confidence_sequence(
            comparison.differences[rng.permutation(n)],
            bound=max(span, 1e-9),
            kind="bounded" if n <= MOST_PROMPTS_BET_ON else "asymptotic",
            aim=max(n, 1),
        ),
    )


def paired_mean(
    scores: NDArray[np.float64], *, prompt: IntArray, method: IntArray, baseline: int, refined: int
) -> Estimate:
    """Mean over prompts of refined − baseline from one score per unit, with Student's t interval over prompts.

    scores (n_units,), NaN for a unit without one; prompt, method (n_units,) codes, a negative prompt leaves the unit
    out. Several units of a prompt and method are averaged first. Undefined without a prompt that has both methods. A
    mean without an interval if there is only one difference or all are equal.
    """
    n_prompts = int(prompt.max(initial=-1)) + 1
    means = []
    for code in (baseline, refined):
        chosen = (method == code) & (prompt >= 0) & ~np.isnan(scores)
        means.append(mean_by(prompt[chosen], scores[chosen], n_prompts))
    difference = means[1] - means[0]
    # Means that are equal in exact arithmetic differ by rounding in floats, which is not variation.
    difference = np.round(difference[~np.isnan(difference)], 12)
    convention = "mean over prompts of refined − baseline, from one score per image"
    counts = {"prompts": len(difference)}
    if len(difference) == 0:
        return Estimate.undefined("mean_diff", convention, "no prompt has scores of both methods", counts)
    value = float(difference.mean())
    return Estimate("mean_diff", value, convention, counts, (t_interval(value, paired_t_test(difference)),))
