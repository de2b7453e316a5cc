"""A test of the hypothesis that there is no agreement at all, for comparison with published tables."""

from dataclasses import dataclass
from math import isnan, nan


@dataclass(frozen=True, slots=True)
class NullTest:
    """A test statistic, its degrees of freedom and its p-value; NaN with a reason when undefined."""

    statistic: str
    value: float
    freedom: tuple[float, ...]
    p_value: float
    method: str
    reason: str = ""

    @classmethod
    def undefined(cls, statistic: str, method: str, reason: str) -> "NullTest":
        return cls(statistic, nan, (), nan, method, reason)

    @property
    def is_defined(self) -> bool:
        return not isnan(self.value)
