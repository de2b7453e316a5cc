"""The document of a study, or of files of ratings: the same for `analyze`, the results page and a release."""

from dataclasses import dataclass, field
from typing import Final, Literal

from annotations.reports.documents.comparisons import ReportedComparison, ReportedModel
from annotations.reports.documents.counted import CountedPart
from annotations.reports.documents.design import Design, ViewingOfRater
from annotations.reports.documents.estimates import ReportedEstimate
from annotations.reports.documents.preferences import PreferencePart
from annotations.reports.documents.provenance import MadeOfRatings, Source
from annotations.reports.documents.supporting import ReportedExclusion, ReportedSupport
from annotations.reports.numbers import scale_value

FORMAT: Final = 1
"""Raised when the document's format changes so that older documents can no longer be read."""


BETWEEN_METHODS = " | "
"""Between the names of the methods of one item's images."""


@dataclass(frozen=True, kw_only=True)
class WithoutRater:
    """By statistic: its value with each of these raters left out."""

    raters: tuple[str, ...]
    values: dict[str, tuple[float | None, ...]]


@dataclass(frozen=True, kw_only=True)
class RaterPairs:
    """Kappa of every pair of raters, and how many items both rated; both square, with rows and columns as `raters`."""

    raters: tuple[str, ...]
    kappa: tuple[tuple[float | None, ...], ...]
    n_shared: tuple[tuple[int, ...], ...]
    method: str


@dataclass(frozen=True, kw_only=True)
class ReportedMean(ReportedEstimate):
    """The mean rating of one method. `method` is its name, and `convention` how the mean is taken.

    mean_of_units   over items with equal weight; histogram: ratings by level
    """

    convention: str
    mean_of_units: float | None
    n_units: int
    n_ratings: int
    n_prompts: int
    n_raters: int
    histogram: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class MeansOfFacet:
    """The means on items whose facet has this value."""

    facet: str
    value: str
    means: tuple[ReportedMean, ...]


@dataclass(frozen=True, kw_only=True)
class ReportedMetric:
    """One automatic metric against people; epsilon: the difference up to which its scores count as tied."""

    metric: str
    epsilon: float | None
    estimates: tuple[ReportedEstimate, ...]


@dataclass(frozen=True, kw_only=True)
class ReportedMetricDifference:
    """Metric a minus metric b in one statistic."""

    metric_a: str
    metric_b: str
    statistic: str
    difference: float | None
    p: float | None
    method: str
    n: int
    p_holm: float | None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class MetricGroups:
    """Groups of metrics that the tests distinguish, best first."""

    statistic: str
    groups: tuple[tuple[str, ...], ...]
    method: str


@dataclass(frozen=True, kw_only=True)
class MetricBoard:
    """All metrics. ceiling: one rater against the rest; baseline: a constant metric, which is right only on ties."""

    metrics: tuple[ReportedMetric, ...]
    baseline: tuple[ReportedEstimate, ...]
    ceiling: tuple[ReportedEstimate, ...]
    differences: tuple[ReportedMetricDifference, ...] = ()
    clusters: tuple[MetricGroups, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MetricBoardOfFacet(MetricBoard):
    """All metrics on items whose facet has this value."""

    facet: str
    value: str


@dataclass(frozen=True, kw_only=True)
class ReportedRater:
    """One rater next to the others; n_shared: ratings of items that others rated too; why: what stands out."""

    rater: str
    n: int
    n_shared: int
    gold_pass_rate: ReportedEstimate
    agreement: ReportedEstimate
    rank_correlation: ReportedEstimate
    mean_absolute_deviation: ReportedEstimate
    severity: ReportedEstimate
    spread: ReportedEstimate
    modal_share: ReportedEstimate
    longest_run: ReportedEstimate
    median_seconds: ReportedEstimate
    fast_share: ReportedEstimate
    self_consistency: ReportedEstimate
    self_deviation: ReportedEstimate
    suspicion: float | None
    why: str


Form = Literal["rating", "vote", "ranking", "best_worst"]
RATED: Final = "rating"
VOTED: Final = "vote"
RANKED: Final = "ranking"
BEST_AND_WORST: Final = "best_worst"
_FORM_OF_PART: dict[str, Form] = {"votes": VOTED, "rankings": RANKED, "best_worst": BEST_AND_WORST}
_FORM_OF_KIND: dict[str, Form] = {"preference": VOTED, "ranking": RANKED, "best_worst": BEST_AND_WORST}
FIRST_AND_SECOND = ("first image", "second image")
"""Names of the two images of a pair, where the pairs are not all of the same two methods."""


@dataclass(frozen=True, kw_only=True)
class ReportedQuestion:
    """The results of one question.

    name, question   its short name, and what raters were asked ("" where it is not known)
    values, labels   the scale: each level's value, and its words if it has any
    kind             "ordinal", "interval", "nominal", "preference", "ranking" or "best_worst"
    n_gold           items with a known right answer
    preferences      of votes and rankings, else None
    histogram        ratings by level
    without_rater    None where there are too many raters
    components       groups of raters who share no item with other groups, the first 50 of n_components
    means            of every method, or of all items where no method is known
    board            None without metrics; facets: the same by facet
    support          how far the figures can be relied on; None in documents from before statistics version 6
    """

    name: str
    question: str
    values: tuple[float, ...]
    labels: tuple[str, ...]
    kind: str = ""
    is_ordinal: bool
    n_ratings: int
    n_units: int
    n_raters: int
    n_unable: int
    n_gold: int = 0
    preferences: PreferencePart | None = None
    histogram: tuple[int, ...]
    agreement: tuple[ReportedEstimate, ...]
    without_rater: WithoutRater | None = None
    pairs: RaterPairs | None
    components: tuple[tuple[str, ...], ...]
    n_components: int
    means: tuple[ReportedMean, ...]
    comparisons: tuple[ReportedComparison, ...]
    model: ReportedModel | None = None
    means_by_facet: tuple[MeansOfFacet, ...] = ()
    board: MetricBoard | None
    facets: tuple[MetricBoardOfFacet, ...]
    raters: tuple[ReportedRater, ...]
    n_raters_left_out: int = 0
    support: ReportedSupport | None = None

    def __post_init__(self) -> None:
        if not self.kind:  # the first documents say only whether levels are ordered
            object.__setattr__(self, "kind", "ordinal" if self.is_ordinal else "nominal")

    @property
    def asked(self) -> str:
        """The question in words, or else its name."""
        return self.question or self.name

    @property
    def form(self) -> Form:
        """What one answer is. In older documents, best and worst have the kind of a ranking."""
        if self.preferences:
            return _FORM_OF_PART[self.preferences.kind]
        return _FORM_OF_KIND.get(self.kind, RATED)

    @property
    def has_nameless_sides(self) -> bool:
        """Whether the first two levels are a pair's first and second image, which are other methods' in other pairs."""
        return self.form == VOTED and tuple(self.labels[:2]) == FIRST_AND_SECOND

    @property
    def level_names(self) -> list[str]:
        """The name of each level: its words, or else its value."""
        return list(self.labels) or [scale_value(value) for value in self.values]

    @property
    def answers(self) -> list[tuple[float | None, str, int, int]]:
        """(value, its words, how often it was given, how many levels these are) of each answer.

        Votes for either image are one answer without a value where more than two methods meet: the first image is then
        another method's in each pair.
        """
        labels = self.labels or [""] * len(self.values)
        found = [(value, words, n, 1) for value, words, n in zip(self.values, labels, self.histogram, strict=True)]
        if self.has_nameless_sides:
            return [(None, "one of the two images", sum(self.histogram[:2]), 2), *found[2:]]
        return [*found]

    @property
    def answer_counts(self) -> list[tuple[str, int]]:
        """The same as (its words, or else its value, how often it was given)."""
        return [(words or scale_value(value or 0.0), n) for value, words, n, _levels in self.answers]


@dataclass(frozen=True, kw_only=True)
class DisputedUnit:
    """A unit about which raters disagree.

    item, prompt, images   what was shown: the item's key, the prompt's text, images by number
    distance               mean distance of two raters, 0…1; counts: ratings by level
    """

    unit: str
    item: str
    prompt: str
    images: tuple[int, ...]
    distance: float
    counts: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The request that made the report: (baseline, refined), and (key or "rule", reason) of the exclusions at that
    time."""

    comparisons: tuple[tuple[str, str], ...] = ()
    excluded: tuple[tuple[int | str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReportedRegistration:
    """The plan that was frozen before the first answer, and the deviations from it.

    made_at   ISO 8601; digest: SHA-256 of the registered file
    """

    number: int
    made_at: str
    digest: str
    deviations: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class WithExcluded:
    """One comparison as it would be with the excluded raters, for one question; positive when refined is higher.

    without, with_them   the mean difference without the excluded raters (as in the report) and with them
    """

    question: str
    baseline: str
    refined: str
    without: ReportedEstimate
    with_them: ReportedEstimate


@dataclass(frozen=True, kw_only=True)
class StudyDocument:
    """The whole result of a study or of files.

    key               names the study in labels of tables
    n_excluded        rows of files that were left out; warnings: what in the files should be checked
    raters_by_kind    {"person": 3, "imported": 1}; empty where it is not known
    with_excluded     each comparison without and with the excluded raters; empty where nobody is excluded
    n_further         answers of further raters of disputed items, which no figure counts
    n_withdrawn       raters who withdrew their answers from the study or had them erased
    facets_left_out   facet → why metrics are not shown by it
    asked, exclusion_rule, n_late, sources, disputed, design, registration   known only to the site; exclusion_rule is
                      None for files and "" where none was declared, disputed is by question
    counted           questions whose answers are not a single level; only the site knows them
    viewing           how the raters who count saw the images; raters without a report are left out
    """

    format: Literal[1] = FORMAT
    title: str
    key: str = ""
    made: MadeOfRatings
    n_items: int
    n_excluded: int = 0
    warnings: tuple[str, ...] = ()
    excluded_raters: tuple[ReportedExclusion, ...] = ()
    raters_by_kind: dict[str, int] = field(default_factory=dict)
    n_withdrawn: int = 0
    n_further: int = 0
    with_excluded: tuple[WithExcluded, ...] = ()
    methods: tuple[str, ...]
    n_prompts: int
    metrics: tuple[str, ...]
    facets_left_out: dict[str, str]
    dimensions: tuple[ReportedQuestion, ...]
    asked: Asked | None = None
    exclusion_rule: str | None = None
    n_late: int = 0
    sources: tuple[Source, ...] = ()
    disputed: dict[str, tuple[DisputedUnit, ...]] = field(default_factory=dict)
    design: Design | None = None
    counted: tuple[CountedPart, ...] = ()
    registration: ReportedRegistration | None = None
    viewing: tuple[ViewingOfRater, ...] = ()

    @property
    def sampled(self) -> str:
        """What means are over: prompts or, without any, items, each of which then counts as one of its own."""
        return "prompts" if self.n_prompts else "items"

    @property
    def single_methods(self) -> list[str]:
        """The methods one by one: where an item shows several images, an entry of `methods` names all of theirs."""
        return list(dict.fromkeys(name for group in self.methods for name in group.split(BETWEEN_METHODS)))
