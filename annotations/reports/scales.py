"""Scales as they are declared: `1-5`, `0,0.5,1`, or `speed=1-3` for one dimension."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import pairwise

MOST_LEVELS = 1001


class BadScale(ValueError):
    """A scale that cannot be read; the message says what was given and how scales are written."""


@dataclass(frozen=True)
class Scales:
    """The declared scale of every dimension: a default, and exceptions by name. Values ascend and are exact."""

    default: tuple[Decimal, ...] | None = None
    by_dimension: dict[str, tuple[Decimal, ...]] = field(default_factory=dict)

    @classmethod
    def parse(cls, declarations: Sequence[str]) -> "Scales":
        default: tuple[Decimal, ...] | None = None
        by_dimension: dict[str, tuple[Decimal, ...]] = {}
        for declaration in declarations:
            name, equals, text = declaration.rpartition("=")
            values = parse_scale(text)
            if equals and name:
                if name in by_dimension:
                    raise BadScale(f"the scale of {name!r} is declared twice; keep one")
                by_dimension[name] = values
            elif default is not None:
                raise BadScale(f"two scales for all dimensions, the second being {text!r}; write DIMENSION={text}")
            else:
                default = values
        return cls(default, by_dimension)

    def of(self, dimension: str) -> tuple[Decimal, ...]:
        values = self.by_dimension.get(dimension, self.default)
        if values is None:
            raise BadScale(f"no scale is declared for the dimension {dimension!r}; add --scale {dimension}=1-5")
        return values


def parse_scale(text: str) -> tuple[Decimal, ...]:
    """`1-5` is every whole number from 1 to 5; a list such as `0,0.5,1` is just that. Raises BadScale."""
    cure = "write a range of whole numbers such as 1-5, or all values such as 0,0.5,1"
    try:
        if "," in text:
            values = tuple(Decimal(part.strip()) for part in text.split(","))
        else:
            low, dash, high = text.strip().partition("-")
            if not low:  # a negative lower end: -2-2
                low, dash, high = text.strip()[1:].partition("-")
                low = f"-{low}"
            if not dash or int(high) - int(low) >= MOST_LEVELS:
                raise ValueError
            values = tuple(Decimal(value) for value in range(int(low), int(high) + 1))
    except (InvalidOperation, ValueError):
        raise BadScale(f"{text!r} is no scale; {cure}") from None
    if not all(value.is_finite() for value in values) or any(a >= b for a, b in pairwise(values)):
        raise BadScale(f"the values of {text!r} must be finite and ascend, each once; {cure}")
    if len(values) < 2:
        raise BadScale(f"{text!r} has fewer than two levels; {cure}")
    return values
