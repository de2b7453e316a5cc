"""The part of a study's document about two methods, and about all of them in one model."""

from dataclasses import dataclass, field

from annotations.reports.documents.estimates import ReportedEstimate
from annotations.reports.documents.supporting import ReportedFewest


@dataclass(frozen=True, kw_only=True)
class Wilcoxon:
    """The signed-rank test over prompts."""

    w: float | None
    p: float | None
    method: str


@dataclass(frozen=True, kw_only=True)
class Permutation:
    """The sign-flip test of the mean; in mid_p, outcomes exactly as extreme count half."""

    p: float | None
    mid_p: float | None = None
    method: str


@dataclass(frozen=True, kw_only=True)
class OverBoth:
    """The test for other prompts and other raters.

    df            Satterthwaite's degrees of freedom
    detectable    the difference that a study of this size finds in 80% of cases
    """

    p: float | None = None
    df: float | None = None
    detectable: float | None = None


@dataclass(frozen=True, kw_only=True)
class TTest:
    """Student's paired t over prompts."""

    t: float | None
    df: int
    p: float | None


@dataclass(frozen=True, kw_only=True)
class ReportedEquivalence:
    """The two one-sided tests against a margin in scale units; low and high are the ends of the 90% interval."""

    margin: float
    covers: str
    low: float | None
    high: float | None
    p_equivalent: float | None
    p_not_inferior: float | None
    words: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ReportedOrdinal:
    """The cumulative link mixed model of the raw levels; low and high are the ends of the odds ratio's interval."""

    effect: ReportedEstimate
    odds_ratio: float | None
    low: float | None
    high: float | None
    p: float | None
    deviations: dict[str, float | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReportedChoice:
    """One option of one choice of analysis (`axis`), over all analyses that use it."""

    axis: str
    option: str
    n_universes: int
    n_defined: int
    n_same_sign: int
    n_same_significance: int


@dataclass(frozen=True, kw_only=True)
class ReportedUniverse:
    """The mean difference under one combination of choices; n_excluded counts raters."""

    exclusion: str
    aggregation: str
    subset: str
    n_excluded: int
    n_units: int
    value: float | None
    low: float | None
    high: float | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class ReportedMultiverse:
    """Whether the conclusion survives other choices of analysis; None where there is no conclusion."""

    words: str
    survives: bool | None
    n: int
    n_same_sign: int
    n_same_conclusion: int
    choices: tuple[ReportedChoice, ...]
    universes: tuple[ReportedUniverse, ...]


@dataclass(frozen=True, kw_only=True)
class PlannedSize:
    """What the next study needs for an interval this narrow; n_prompts is None if it cannot be reached."""

    half_width: float
    raters_per_prompt: int
    n_raters: int
    n_prompts: int | None
    n_ratings: int | None = None


@dataclass(frozen=True, kw_only=True)
class ReportedSequence:
    """Bounds of the mean difference that hold at every look, after all prompts."""

    low: float | None
    high: float | None
    stopped_at: int | None
    decision: str
    method: str


@dataclass(frozen=True, kw_only=True)
class ReportedInteraction:
    """Method × category: the F test of equal effects in all categories (Welch's, or Welch and James' of several).

    left_out  categories that the test does not use, each with its reason
    """

    f: float | None
    df_above: float | None
    df_below: float | None
    p: float | None
    reason: str = ""
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReportedCategory:
    """The comparison on the prompts of one category."""

    category: str
    n: int
    mean_baseline: float | None
    mean_refined: float | None
    mean_diff: ReportedEstimate
    wins: int
    ties: int
    losses: int
    win_rate: float | None
    p: float | None
    p_holm: float | None
    p_covers: str


@dataclass(frozen=True, kw_only=True)
class ReportedCategories:
    """The comparison within every value of one facet."""

    facet: str
    interaction: ReportedInteraction
    effects: tuple[ReportedCategory, ...]


@dataclass(frozen=True, kw_only=True)
class ReportedComparison:
    """Two methods on the same prompts; a positive difference means that `refined` is rated higher.

    n             prompts on which both were rated
    wins          prompts on which refined is rated higher; ties, losses likewise
    raters_p      for other raters on these prompts
    equivalence   None unless a margin was given
    differences   (difference of mean ratings, number of prompts), ascending
    gains         what studies of other sizes would give, that of this size first: half_width is expected, not asked for
    fewest        prompts, raters and ratings that decide which method leads
    over_seeds    the difference for other images of the same prompts; None where prompts have one image per method
    """

    baseline: str
    refined: str
    n: int
    counts: dict[str, int]
    mean_diff: ReportedEstimate
    wins: int
    ties: int
    losses: int
    wilcoxon: Wilcoxon
    permutation: Permutation
    both: OverBoth = field(default_factory=OverBoth)
    raters_p: float | None = None
    equivalence: ReportedEquivalence | None = None
    t: TTest
    rank_biserial: ReportedEstimate
    prob_superiority: ReportedEstimate
    differences: tuple[tuple[float, int], ...]
    note: str
    ordinal: ReportedOrdinal
    multiverse: ReportedMultiverse
    sizes: tuple[PlannedSize, ...]
    gains: tuple[PlannedSize, ...] = ()
    sequence: ReportedSequence
    categories: tuple[ReportedCategories, ...] = ()
    fewest: tuple[ReportedFewest, ...] = ()
    over_seeds: ReportedEstimate | None = None


@dataclass(frozen=True, kw_only=True)
class ModelledMethod:
    """effect: log odds of a higher rating. Methods that share a letter are not distinguished."""

    method: str
    effect: float | None
    letters: str


@dataclass(frozen=True, kw_only=True)
class ModelledPair:
    """Two methods, the better one first.

    p_simultaneous  adjusted for all pairs as the interval is, which it agrees with; None before statistics 12
    """

    first: str
    second: str
    log_odds: ReportedEstimate
    odds_ratio: float | None
    p: float | None
    p_holm: float | None
    p_simultaneous: float | None = None


@dataclass(frozen=True, kw_only=True)
class ReportedModel:
    """All methods in one ordinal model; its intervals hold together, over what `covers` names.

    deviations  standard deviations of the random effects by factor, in log odds; 0 where one was estimated as zero
    thresholds  cut points between the levels in use, ascending, for a method of effect 0
    """

    covers: str
    reason: str
    notes: tuple[str, ...]
    convention: str
    methods: tuple[ModelledMethod, ...]
    pairs: tuple[ModelledPair, ...]
    deviations: dict[str, float | None] = field(default_factory=dict)
    thresholds: tuple[float | None, ...] = ()

    @property
    def has_simultaneous_p(self) -> bool:
        """Whether letters follow the simultaneous p, as of statistics 12; before, Holm's."""
        return any(pair.p_simultaneous is not None for pair in self.pairs)
