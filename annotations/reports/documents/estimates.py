"""An estimate as stored in a document: JSON has no NaN, so undefined values are None, with the reason next to them."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class ReportedInterval:
    """An interval over what `covers` names (“units”, “raters”, “prompts and raters”…); without ends it has a reason.

    n_undefined         resamples in which the statistic was undefined
    cut_low, cut_high   whether the computed interval reached beyond this end, which is the limit of the quantity's
                        range
    """

    low: float | None
    high: float | None
    covers: str
    method: str
    level: float = 0.95
    n_undefined: int = 0
    reason: str = ""
    cut_low: bool = False
    cut_high: bool = False

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Both ends, where it has them."""
        return None if self.low is None or self.high is None else (self.low, self.high)


@dataclass(frozen=True, kw_only=True)
class ReportedEstimate:
    """One statistic. Without a value it has a reason; `n` counts the data behind it, by kind; `notes` qualify it."""

    statistic: str
    value: float | None
    method: str
    n: dict[str, int] = field(default_factory=dict)
    reason: str = ""
    notes: tuple[str, ...] = ()
    seed: int | None = None
    intervals: tuple[ReportedInterval, ...] = ()
