"""Parts of a question's document that say how far its figures can be relied on."""

from dataclasses import dataclass, field

from annotations.reports.documents.estimates import ReportedEstimate


@dataclass(frozen=True, kw_only=True)
class ReportedFewest:
    """How few of a kind must be removed before the leader no longer leads.

    kind       "prompts", "raters", "ratings" or "votes"
    n          how many; 0 if no method leads, None if only removing all of them is sufficient or, where is_exact is
               false, if a search found no sufficient number
    of         how many there are; names: which ones, the first 50, empty for single ratings and votes
    is_exact   no smaller number is sufficient
    """

    kind: str
    n: int | None
    of: int
    names: tuple[str, ...] = ()
    is_exact: bool = True


@dataclass(frozen=True, kw_only=True)
class ReportedChange:
    """A change over a rater's session, mean over raters, with the p of no change."""

    estimate: ReportedEstimate
    p: float | None


@dataclass(frozen=True, kw_only=True)
class AdjustedMethod:
    """A method's mean as if every rater had rated it on every prompt; raw: the plain mean of the same ratings."""

    method: str
    mean: ReportedEstimate
    raw: float | None


@dataclass(frozen=True, kw_only=True)
class ReportedAdjusted:
    """Fair averages of all methods; reason: why they are undefined."""

    methods: tuple[AdjustedMethod, ...]
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ReportedSeeds:
    """Variances by name (prompt, seed, rater, prompt × rater, rest); n: the counts behind them; reason: why they are
    undefined."""

    components: dict[str, float | None] = field(default_factory=dict)
    n: dict[str, int] = field(default_factory=dict)
    reason: str = ""

    def in_order(self) -> list[tuple[str, float | None]]:
        """The variances in one order, which a stored document does not keep in every database."""
        order = ("prompt", "seed", "rater", "prompt × rater", "rest")
        return [(name, self.components[name]) for name in order if name in self.components]


@dataclass(frozen=True, kw_only=True)
class ReportedSupport:
    """within_raters: agreement of raters with themselves; empty, or None, if the data do not show it.

    spread: shares of the variance of a single rating, by name: object (the item), rater (severity), residual (the rest)
    """

    within_raters: tuple[ReportedEstimate, ...] = ()
    drift: tuple[ReportedChange, ...] = ()
    adjusted: ReportedAdjusted | None = None
    seeds: ReportedSeeds | None = None
    spread: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ReportedExclusion:
    """A rater whose n_answers answers do not count in any figure."""

    rater: str
    reason: str
    n_answers: int
