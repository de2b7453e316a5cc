"""Declarations of questions: `1-5`, `0,0.5,1`, `speed=1-3` for a single one, `choice=nominal:1,2,3` with a kind."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from annotations.reports.study.data import KINDS, Kind
from exchange.identity import identity
from exchange.labels import same_label
from exchange.numerals import in_ascii, odd_sign

MOST_LEVELS = 1001
_END = r"-?[0-9]+(?:\.[0-9]+)?"
_RANGE = re.compile(rf"(?P<low>{_END})-(?P<high>{_END})(?:/(?P<step>any|[0-9]+(?:\.[0-9]+)?))?")
_ANY = re.compile(r".*/\s*any", re.DOTALL)
_CURE = (
    "write a range of whole numbers such as 1-5, a range with a step such as 0-100/0.1 (at most 1,001 levels), or with "
    "any value between its ends such as 0-100/any, all values such as 0,0.5,1, or all words such as Poor,Fair,Good"
)
_KIND_OF: dict[str, Kind] = {**{kind: kind for kind in KINDS}, "slider": "interval"}
"""The words for a kind of question."""


class BadScale(ValueError):
    """A scale that cannot be read; the message says what was given and how scales are written."""


@dataclass(frozen=True)
class Question:
    """A question's scale: its values ascend and are exact; labels, if any, are one per value.

    `words` is what raters were asked; "" if only its short name is known. The values of a continuous scale are its two
    ends, and any answer between them is a level.
    """

    values: tuple[Decimal, ...]
    kind: Kind = "ordinal"
    labels: tuple[str, ...] = ()
    words: str = ""
    is_continuous: bool = False

    @property
    def value_of_label(self) -> dict[str, float]:
        """Label, in the form in which labels are compared → value."""
        return {same_label(label): float(value) for label, value in zip(self.labels, self.values, strict=False)}


@dataclass(frozen=True)
class Scales:
    """The declared scales of all questions: a default, and exceptions by name."""

    default: Question | None = None
    by_dimension: Mapping[str, Question] = field(default_factory=dict)

    @classmethod
    def parse(cls, declarations: Sequence[str]) -> "Scales":
        default: Question | None = None
        by_dimension: dict[str, Question] = {}
        for declaration in declarations:
            name, equals, text = declaration.rpartition("=")
            name = identity(name)
            question = parse_question(text)
            if equals and name:
                if name in by_dimension:
                    raise BadScale(f"the scale of {name!r} is declared twice; keep one")
                by_dimension[name] = question
            elif default is not None:
                raise BadScale(f"two scales for all dimensions, the second being {text!r}; write DIMENSION={text}")
            else:
                default = question
        return cls(default, by_dimension)

    def find(self, dimension: str) -> Question | None:
        return self.by_dimension.get(dimension, self.default)

    def of(self, dimension: str) -> Question:
        """Raises BadScale for a dimension without a scale."""
        question = self.find(dimension)
        if question is None:
            raise BadScale(f"no scale is declared for the dimension {dimension!r}; add --scale {dimension}=1-5")
        return question

    def in_order(self, dimensions: Sequence[str]) -> list[str]:
        """The dimensions in the order in which they were declared, followed by the others in their own order."""
        place = {name: i for i, name in enumerate(self.by_dimension)}
        return sorted(dimensions, key=lambda name: place.get(name, len(place)))


def parse_question(text: str) -> Question:
    """A scale, optionally after the question's kind and a colon. Raises BadScale."""
    kind, colon, scale = text.partition(":")
    if not colon:
        return _declared(text, "ordinal")
    return _declared(scale, parse_kind(kind))


def _declared(text: str, kind: Kind) -> Question:
    words = [identity(part) for part in text.split(",")]
    if len(words) > 1 and not any(_is_number(word) for word in words):
        if not all(words) or len({same_label(word) for word in words}) < len(words):
            raise BadScale(f"a level of {text!r} is empty or there twice; {_CURE}")
        return Question(tuple(map(Decimal, range(1, len(words) + 1))), kind, tuple(words))
    if _ANY.fullmatch(text.strip()):
        return Question(parse_scale(text.partition("/")[0] + "/any"), kind, is_continuous=True)
    return Question(parse_scale(text), kind)


def _is_number(text: str) -> bool:
    try:
        Decimal(in_ascii(text))
    except InvalidOperation:
        return False
    return True


def parse_kind(text: str) -> Kind:
    """ordinal, interval (or slider), nominal, preference, ranking or best_worst, in any case. Raises BadScale."""
    kind = _KIND_OF.get(text.strip().casefold())
    if kind is None:
        raise BadScale(f"{text.strip()!r} is not a kind of question; write one of {', '.join(_KIND_OF)}")
    return kind


def parse_scale(text: str) -> tuple[Decimal, ...]:
    """`1-5` is every whole number from 1 to 5, `0-100/0.1` every tenth from 0 to 100; `0,0.5,1` is exactly these
    values.

    Digits and dashes may be of any script. For `0-100/any` only the two ends are listed. Raises BadScale.
    """
    plain = in_ascii(text)
    try:
        values = tuple(Decimal(part.strip()) for part in plain.split(",")) if "," in plain else _range(plain)
    except (InvalidOperation, ValueError):
        sign = odd_sign(plain) if any(letter.isnumeric() for letter in plain) else ""
        raise BadScale(f"{text!r} is not a scale{f': it holds {sign}' if sign else ''}; {_CURE}") from None
    check_values(values, text, _CURE)
    return values


def _range(text: str) -> tuple[Decimal, ...]:
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise ValueError
    low, high = Decimal(match["low"]), Decimal(match["high"])
    if match["step"] == "any":
        return low, high
    step = Decimal(match["step"] or 1)
    if step <= 0 or (match["step"] is None and (low % 1 or high % 1)):
        raise ValueError
    n, rest = divmod(high - low, step)
    if rest or n >= MOST_LEVELS:
        raise ValueError
    return tuple(low + step * place for place in range(int(n) + 1))


def check_values(values: Sequence[Decimal], text: str, cure: str) -> None:
    """Raises BadScale for values that no scale can have."""
    if not all(value.is_finite() for value in values) or any(a >= b for a, b in pairwise(values)):
        raise BadScale(f"the values of {text!r} must be finite and ascend, each once; {cure}")
    if len(values) < 2:
        raise BadScale(f"{text!r} has fewer than two levels; {cure}")
