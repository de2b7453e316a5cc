"""A horizontal axis: its ends, its round ticks, and the position of a value on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, inf, log10

Limits = tuple[float | None, float | None]
"""The lowest and the highest value that a quantity can take; None where there is no such end."""

NO_WIDTH = 1e-9


@dataclass(frozen=True)
class Axis:
    """From `low` to `high`, drawn from `left` to `right`."""

    low: float
    high: float
    ticks: Sequence[float]
    left: float
    right: float

    @classmethod
    def holding(cls, values: Sequence[float], limits: Limits, left: float, right: float) -> "Axis":
        """An axis that holds the values as far as the limits allow, with four to eight round ticks."""
        lowest = -inf if limits[0] is None else limits[0]
        highest = inf if limits[1] is None else limits[1]
        inside = [min(max(value, lowest), highest) for value in values]
        low, high = min(inside, default=max(0.0, lowest)), max(inside, default=min(1.0, highest))
        if high - low <= NO_WIDTH:  # apart by rounding errors alone: their ticks would be one and the same
            low, high = max(low - 0.5, lowest), min(high + 0.5, highest)
        step = nice_step((high - low) / 5)
        # A scale of 1 to 7 in steps of 2 has its ticks at 1, 3, 5, 7; elsewhere ticks are multiples of the step.
        origin = low % step if low == lowest and float(low).is_integer() and step >= 1 else 0.0
        first, last = floor((low - origin) / step + 1e-9), ceil((high - origin) / step - 1e-9)
        ticks = [round(origin + place * step, 10) for place in range(first, last + 1)]
        low, high = max(ticks[0], lowest), min(ticks[-1], highest)
        return cls(low, high, [tick for tick in ticks if low <= tick <= high], left, right)

    def x(self, value: float) -> float:
        """Where the value lies; what lies beyond the axis is at its end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.left + share * (self.right - self.left), 1)

    def is_beyond(self, value: float) -> bool:
        reach = 1e-9 * (self.high - self.low)
        return not self.low - reach <= value <= self.high + reach

    def figure(self, tick: float) -> str:
        """The tick's label; all have the same number of decimals, and a minus is a minus sign."""
        step = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else 1.0
        decimals = max(0, -floor(log10(step) + 1e-9))
        decimals += round(step / 10.0 ** floor(log10(step)), 6) == 2.5
        return f"{tick:.{decimals}f}".replace("-", "−")


def nice_step(step: float) -> float:
    """The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below the step."""
    power = 10.0 ** floor(log10(step))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= step * (1 - 1e-9))
