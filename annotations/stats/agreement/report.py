"""Everything about agreement on one dimension, in one call."""

from dataclasses import dataclass

import numpy as np

from annotations.stats.agreement.alpha import AlphaFamily
from annotations.stats.agreement.chance_corrected import OF_CATEGORIES, ChanceFamily
from annotations.stats.agreement.cohen import CohenMatrix, cohen_matrix
from annotations.stats.agreement.concordance import kendall_w
from annotations.stats.agreement.connected_raters import connected_raters
from annotations.stats.agreement.intraclass.icc import icc_family
from annotations.stats.agreement.intraclass.icc_one_way import OneWayFamily
from annotations.stats.estimate import STATS_VERSION, Estimate, seed_of
from annotations.stats.intervals.pattern_families import Exchanged, Joined, PatternFamily
from annotations.stats.intervals.unit_resampling import estimates
from annotations.stats.ratings import Ratings

__all__ = ["AgreementReport", "CohenMatrix", "agreement_report", "cohen_matrix"]


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """What `agreement_report` found.

    estimates   every statistic, in the order in which tables show them
    components  rater codes in groups that share units, largest first; more than one group is a warning
    values, histogram  the full scale and how often each of its levels was given
    seed, version      what reproduces the figures
    """

    estimates: tuple[Estimate, ...]
    components: tuple[tuple[int, ...], ...]
    values: tuple[float, ...]
    histogram: tuple[int, ...]
    seed: int | None
    version: str = STATS_VERSION

    def __getitem__(self, statistic: str) -> Estimate:
        """The estimate of this name. Raises KeyError, which lists the available names."""
        for estimate in self.estimates:
            if estimate.statistic == statistic:
                return estimate
        raise KeyError(f"{statistic!r}; there are {', '.join(one.statistic for one in self.estimates)}")

    @property
    def is_connected(self) -> bool:
        """False when raters fall into groups that share no unit, so that no figure compares them."""
        return len(self.components) <= 1


def agreement_report(
    ratings: Ratings,
    *,
    rng: np.random.Generator,
    is_ordinal: bool = True,
    n_resamples: int = 1000,
    level: float = 0.95,
    exchanged: tuple[int, int] | None = None,
) -> AgreementReport:
    """Every statistic of agreement between raters, with intervals over units, raters and both where they exist.

    In this order: the four alphas of Krippendorff; Fleiss' kappa, Gwet's AC1 and AC2 (linear, quadratic, ordinal),
    Brennan–Prediger, percent agreement exact and within one step of the scale; the one-way ICC of unbalanced ratings;
    the six ICCs of complete units; Kendall's W. Read them together: where one level holds nearly all ratings, kappas
    and alphas are near 0 while almost all raters agree. For kappas of single pairs of raters see `cohen_matrix`.

    Where levels have no order (`is_ordinal` false) there are only the statistics of categories: nominal alpha, Fleiss'
    kappa, AC1, Brennan–Prediger and percent agreement. `exchanged` names two of these levels that mean something else
    in each unit, such as the first and the second image where units show several pairs of methods.

    All that depend on count patterns share the same resamples of units. A million units take a few seconds and
    memory in proportion to the ratings. Degenerate ratings give undefined estimates with reasons, never exceptions.
    """
    seed = seed_of(rng)
    values = ratings.values
    if is_ordinal:
        family = Joined([AlphaFamily(values), ChanceFamily(values), OneWayFamily(values)])
    else:
        of_categories: list[PatternFamily] = [AlphaFamily(values, ("nominal",)), ChanceFamily(values, OF_CATEGORIES)]
        family = Joined([Exchanged(one, exchanged) for one in of_categories] if exchanged else of_categories)
    found = estimates(ratings, family, rng=rng, n_resamples=n_resamples, level=level)
    if is_ordinal:
        found = (*found, *icc_family(ratings, level=level), kendall_w(ratings, level=level))
    return AgreementReport(
        found,
        connected_raters(ratings),
        tuple(float(value) for value in ratings.values),
        tuple(int(count) for count in ratings.histogram),
        seed,
    )
