"""Baseline against refined: every figure of one comparison of two methods on the same prompts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from annotations.stats.comparison.effects import effect_sizes
from annotations.stats.comparison.over_raters import NO_SPREAD, Spread, rater_spreads
from annotations.stats.comparison.paired import differences_of, paired_cells
from annotations.stats.comparison.paired_tests import Zeros, paired_t_test, sign_flip_test, wilcoxon_signed_rank
from annotations.stats.estimate import STATS_VERSION, Estimate, seed_of
from annotations.stats.ratings import Ratings


@dataclass(frozen=True)
class Comparison:
    """Refined against baseline on the prompts that have rated images of both; differences are refined − baseline.

    n                prompts compared
    counts           "prompts", "units", "raters", "ratings", "prompts_baseline_only", "prompts_refined_only",
                     and "raters_both": raters who rated both methods
    mean_diff        with intervals over "prompts" (t, then bootstrap), "raters", and "prompts and raters"
    wins, ties, losses   prompts on which refined is strictly better, exactly equal, strictly worse
    wilcoxon_w, wilcoxon_p, wilcoxon_method   min(R₊, R₋), two-sided, and the conventions in words
    permutation_p, permutation_mid_p, permutation_method   two-sided sign-flip test of the mean
    t, t_df, t_p     Student's paired t
    both_p, raters_p two-sided t tests of no mean difference that hold for other prompts and raters, and for other
                     raters on these prompts; both_df: Satterthwaite's. NaN where there is no such interval
    detectable       the smallest true difference that a study of this size finds in 80% of cases, for other prompts and
                     raters
    rank_biserial, prob_superiority           with intervals over "prompts"
    prompts, differences   (n,) the prompts' codes and their differences, for a chart
    notes            what a reader must know to interpret the figures
    reason           why nothing could be compared; empty otherwise
    """

    baseline: int
    refined: int
    n: int
    counts: Mapping[str, int]
    mean_diff: Estimate
    wins: int
    ties: int
    losses: int
    wilcoxon_w: float
    wilcoxon_p: float
    wilcoxon_method: str
    permutation_p: float
    permutation_mid_p: float
    permutation_method: str
    t: float
    t_df: int
    t_p: float
    rank_biserial: Estimate
    prob_superiority: Estimate
    prompts: NDArray[np.int64]
    differences: NDArray[np.float64]
    seed: int | None
    notes: tuple[str, ...] = ()
    reason: str = ""
    both: Spread = NO_SPREAD
    over_raters: Spread = NO_SPREAD
    version: str = STATS_VERSION

    @property
    def both_p(self) -> float:
        return self.both.p(self.mean_diff.value)

    @property
    def both_df(self) -> float:
        return self.both.df

    @property
    def raters_p(self) -> float:
        return self.over_raters.p(self.mean_diff.value)

    @property
    def detectable(self) -> float:
        return self.both.detectable()

    @property
    def note(self) -> str:
        """The reason and the notes as one sentence each, for a table's last column."""
        return "; ".join(part for part in (self.reason, *self.notes) if part)


def compare(
    ratings: Ratings,
    *,
    prompt: NDArray[np.integer],
    method: NDArray[np.integer],
    baseline: int,
    refined: int,
    rng: np.random.Generator,
    n_resamples: int = 1000,
    n_permutations: int = 10_000,
    zeros: Zeros = "drop",
    level: float = 0.95,
) -> Comparison:
    """Compare two methods on the same prompts.

    prompt, method (n_units,) int: codes per unit; a negative prompt leaves the unit out. Several images (seeds) per
    prompt and several raters per image are averaged within the image first. Ratings of other methods are ignored.
    zeros: Wilcoxon's treatment of zero differences, "drop" or "pratt".
    Raises BadRatings for codes that do not fit the ratings; data with nothing to compare give NaN and a reason.
    """
    cells = paired_cells(ratings, prompt=prompt, method=method, baseline=baseline, refined=refined)
    paired = differences_of(ratings, cells)
    student = paired_t_test(paired.differences)
    ranks = wilcoxon_signed_rank(paired.numerators, zeros=zeros)
    flips = sign_flip_test(paired.numerators, n_permutations=n_permutations, rng=rng)
    mean_diff, biserial, superiority = effect_sizes(paired, student, rng=rng, n_resamples=n_resamples, level=level)
    counts, notes = _counts(ratings, cells.unit, cells.cell)
    counts |= {
        "prompts": len(paired),
        "prompts_baseline_only": paired.n_baseline_only,
        "prompts_refined_only": paired.n_refined_only,
    }
    over_raters = both = NO_SPREAD
    if len(paired):
        over_raters, both = rater_spreads(ratings, cells, paired.differences)
        mean = float(np.mean(paired.differences))
        span = float(ratings.values[-1] - ratings.values[0])
        intervals = (
            interval.within(-span, span)
            for interval in (*mean_diff.intervals, over_raters.interval(mean, level), both.interval(mean, level))
        )
        mean_diff = replace(mean_diff, intervals=tuple(intervals), n=counts)
    if paired.n_baseline_only or paired.n_refined_only:
        notes.append(
            f"prompts left out, with images of one method alone: {paired.n_baseline_only} with the baseline, "
            f"{paired.n_refined_only} with the refined method"
        )
    if student.reason and len(paired):
        notes.append(f"no t: {student.reason}")
    if ranks.reason and len(paired):
        notes.append(f"no Wilcoxon test: {ranks.reason}")
    return Comparison(
        baseline=baseline,
        refined=refined,
        n=len(paired),
        counts=counts,
        mean_diff=mean_diff,
        wins=paired.wins,
        ties=paired.ties,
        losses=paired.losses,
        wilcoxon_w=ranks.w,
        wilcoxon_p=ranks.p,
        wilcoxon_method=ranks.method,
        permutation_p=flips.p,
        permutation_mid_p=flips.mid_p,
        permutation_method=flips.method,
        t=student.t,
        t_df=student.df,
        t_p=student.p,
        rank_biserial=biserial,
        prob_superiority=superiority,
        prompts=paired.prompts,
        differences=paired.differences,
        seed=seed_of(rng),
        notes=tuple(notes),
        both=both,
        over_raters=over_raters,
        reason="" if len(paired) else "no prompt has rated images of both methods",
    )


def _counts(ratings: Ratings, unit: NDArray[np.int64], cell: NDArray[np.int64]) -> tuple[dict[str, int], list[str]]:
    """Counts behind a comparison, and warnings that follow from them."""
    side_of_unit = np.full(ratings.n_units, -1, dtype=np.int64)
    side_of_unit[unit] = cell % 2
    side = side_of_unit[ratings.unit]
    on_baseline = np.bincount(ratings.rater[side == 0], minlength=ratings.n_raters) > 0
    on_refined = np.bincount(ratings.rater[side == 1], minlength=ratings.n_raters) > 0
    counts = {
        "units": len(unit),
        "ratings": int(np.count_nonzero(side >= 0)),
        "raters": int(np.count_nonzero(on_baseline | on_refined)),
        "raters_both": int(np.count_nonzero(on_baseline & on_refined)),
    }
    notes = []
    if counts["raters_both"] < counts["raters"]:
        n_one = counts["raters"] - counts["raters_both"]
        notes.append(
            f"{n_one} of {counts['raters']} raters rated only one of the two methods, so their severity is part of the "
            "difference"
        )
    return counts, notes
