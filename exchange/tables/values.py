"""Single cells: text or JSON value in, typed value out, or what is wrong with it and what to do."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from math import isfinite

from exchange.identity import identity
from exchange.labels import number_in, same_label
from exchange.numerals import in_ascii, odd_sign
from exchange.tables.row import JsonValue

MAX_INTEGER = 2**63 - 1
MAX_TEXT = 10_000
"""Maximum number of characters of a prompt or a note, unless the caller says otherwise."""
MAX_SLUG = 100
EMPTY_CELL = "the cell is empty", "fill it in or remove the row"
"""What is wrong with an empty cell that is needed, and what to do."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,30}(\.0+)?")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
_GROUPED = re.compile(r"[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
"""A number whose comma may separate thousands or decimals."""
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_TRUE = frozenset(("true", "t", "yes", "y", "1", "on"))
_FALSE = frozenset(("false", "f", "no", "n", "0", "off"))
UNABLE_WORDS = frozenset(("unable to answer", "unable_to_answer", "unable-to-answer", "unable"))


class BadValue(ValueError):
    """A cell that cannot be accepted."""

    def __init__(self, problem: str, cure: str) -> None:
        super().__init__(f"{problem}; {cure}")
        self.problem = problem
        self.cure = cure


def is_missing(value: JsonValue) -> bool:
    """True for an empty or blank cell and for null. Words such as "NA" are text, not missing."""
    return value is None or (isinstance(value, str) and not identity(value))


def text_of(value: JsonValue) -> str:
    """A cell as text, the same for every reader: whole numbers without a decimal point, "" for null."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, float) and isfinite(value) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def parse_text(value: JsonValue, *, max_length: int = MAX_TEXT) -> str:
    """Text as `identity` spells it, of at least one and at most `max_length` characters. JSON numbers become text."""
    if isinstance(value, bool | dict | list):
        raise BadValue(f"text is needed, this is {_kind(value)}", "write it in double quotes")
    text = identity(text_of(value))
    if not text:
        raise BadValue(*EMPTY_CELL)
    if len(text) > max_length:
        raise BadValue(f"the text has {len(text)} characters", f"shorten it to {max_length}")
    control = _CONTROL.search(text)
    if control:
        raise BadValue(f"the text holds the control character U+{ord(control[0]):04X}", "remove it")
    return text


@lru_cache(maxsize=400)
def parse_known_text(text: str, max_length: int) -> str:
    """`parse_text` of a text, cached: tables repeat the same names many times."""
    return parse_text(text, max_length=max_length)


def parse_number(value: JsonValue, *, low: float | None = None, high: float | None = None) -> float:
    """A finite number within [low, high]; digits of any script, with a decimal point or comma.

    If three digits follow a comma, as in 1,234, it may separate thousands: that is refused.
    """
    number = float(_plain_number(value))
    if not isfinite(number):
        raise BadValue("the number is too large", "correct it")
    _check_range(number, low, high)
    return number


def parse_decimal(value: JsonValue) -> Decimal:
    """The number that `parse_number` reads, exactly as it is written."""
    parse_number(value)
    return Decimal(_plain_number(value))


def _plain_number(value: JsonValue) -> str:
    """A cell that is a number, as ASCII digits with a decimal point."""
    if isinstance(value, bool | dict | list):
        raise BadValue(f"a number is needed, this is {_kind(value)}", "write a plain number")
    written = identity(text_of(value))
    if not written:
        raise BadValue("the cell is empty", "write a number or remove the row")
    text = in_ascii(written)
    if _DECIMAL_COMMA.fullmatch(text) and not _THOUSANDS.fullmatch(text):
        text = text.replace(",", ".")
    if not _NUMBER.fullmatch(text):
        raise _not_a_number("this is not a number", written, text)
    return text


def parse_integer(value: JsonValue, *, low: int | None = None, high: int | None = None) -> int:
    """A whole number within [low, high] and 64 bits; "3.0" is 3, which is how some programs write it."""
    if isinstance(value, bool | dict | list):
        raise BadValue(f"a whole number is needed, this is {_kind(value)}", "write a plain number")
    written = identity(text_of(value))
    if not written:
        raise BadValue("the cell is empty", "write a whole number or remove the row")
    text = in_ascii(written)
    if not _INTEGER.fullmatch(text):
        if _NUMBER.fullmatch(text):
            raise BadValue("this is not a whole number", "round it, or write it without exponent")
        raise _not_a_number("this is not a whole number", written, text)
    number = int(text.partition(".")[0])
    if abs(number) > MAX_INTEGER:
        raise BadValue("the number does not fit into 64 bits", "correct it")
    _check_range(number, low, high)
    return number


def parse_on_scale(value: JsonValue, scale: Sequence[float]) -> float:
    """A value that is one of `scale` (ascending). The message names the scale and the likely mistake."""
    number = parse_number(value)
    if number in scale:
        return number
    levels = _scale_in_words(scale)
    problem = f"{number:g} is not on the scale {levels}"
    text = f"{number:g}"
    if len(text) == 2 and all(letter.isdigit() and float(letter) in scale for letter in text):
        raise BadValue(
            f"{problem}; most likely a slip: {text[0]} and {text[1]} typed together",
            f"ask the rater, or leave the rating out; valid are {levels}",
        )
    if scale[0] < number < scale[-1]:
        raise BadValue(f"{problem}, it lies between two levels", f"choose one of {levels}, or declare a finer scale")
    raise BadValue(
        f"{problem}; most likely a slip, or the file uses another scale",
        f"correct it to one of {levels}, or declare the scale that was used",
    )


def parse_answer(value: JsonValue, scale: Sequence[float], words: Mapping[str, float] | None = None) -> float | None:
    """A rating: a value on the scale, or None for "unable to answer", which is an answer but not a number.

    words  label, as `same_label` spells it, → its value; a label that has its number in it ("5 – Strongly agree") needs
           no entry
    """
    if isinstance(value, str):
        if identity(value).casefold() in UNABLE_WORDS:
            return None
        if words and (known := words.get(same_label(value))) is not None:
            return parse_on_scale(known, scale)
        return parse_on_scale(number_in(value) or value, scale)
    return parse_on_scale(value, scale)


def parse_slug(value: JsonValue) -> str:
    """An identifier of ASCII letters, digits, hyphen, underscore and point, beginning with a letter or digit."""
    text = parse_text(value, max_length=MAX_SLUG)
    if not _SLUG.fullmatch(text):
        plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
        offer = re.sub(r"[^A-Za-z0-9_.-]+", "-", plain).strip("-._")
        cure = f'for example "{offer}"' if offer else "begin with a letter or digit"
        raise BadValue("an identifier holds only letters a–z, digits, hyphen, underscore and point", cure)
    return text


def parse_boolean(value: JsonValue) -> bool:
    """True or false, from the words true, t, yes, y, 1, on and false, f, no, n, 0, off in any case."""
    if isinstance(value, bool):
        return value
    word = in_ascii(identity(text_of(value))).casefold() if not isinstance(value, dict | list) else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise BadValue("this is neither yes nor no", "write yes or no (or true and false, 1 and 0)")


def parse_timestamp(value: JsonValue) -> datetime:
    """A moment in UTC, from a full ISO 8601 date with or without a time; without a zone it is taken as UTC.

    Within EARLIEST and LATEST: programs write the beginning of a calendar (1, 1900, 1904, 1970, 1980) for "no date".
    """
    if not isinstance(value, str):
        raise BadValue(f"a date and time is needed, this is {_kind(value)}", _TIME_CURE)
    written = _TIMESTAMP.fullmatch(identity(value))
    if written is None:
        raise BadValue("this is not a date and time", _TIME_CURE)
    date, time, zone = written.groups()
    zone = {None: "+00:00", "Z": "+00:00", "z": "+00:00", "UTC": "+00:00"}.get(zone, zone)
    try:
        moment = datetime.fromisoformat(f"{date}T{time or '00:00'}{zone}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadValue("this is not a date and time of the calendar", _TIME_CURE) from error
    if not EARLIEST <= moment < LATEST:
        problem = f"the date lies outside the years {EARLIEST.year} to {LATEST.year - 1}; most likely it means that "
        "there is none"
        raise BadValue(problem, "correct it, or leave the cell empty where there is no date")
    return moment


EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, tzinfo=UTC)
_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]+([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?) ?(Z|z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_TIME_CURE = "write it as 2025-03-31T14:05:00+02:00"


def _kind(value: JsonValue) -> str:
    if value is None:
        return "empty"
    names = {bool: "true or false", dict: "a JSON object", list: "a list", str: "text"}
    return names.get(type(value), "a number")


def _not_a_number(problem: str, written: str, text: str) -> BadValue:
    """The message about a cell; it names the character that does not belong, since many characters look alike."""
    sign = "" if text.isascii() else odd_sign(text)
    if sign and any(letter.isnumeric() for letter in written):
        return BadValue(f"{problem}: it holds {sign}", "write it in the digits 0 to 9, with at most one decimal point")
    return BadValue(problem, _number_cure(text))


def _number_cure(text: str) -> str:
    if _GROUPED.fullmatch(text):
        whole = text.replace(",", "")
        if text.count(",") > 1:
            return f"write it without separators of thousands: {whole}"
        return f"write {whole} if the comma separates thousands, {text.replace(',', '.')} if it is a decimal comma"
    if _DECIMAL_COMMA.fullmatch(text):
        return f"write it without separators of thousands, and with a decimal point: {text.replace(',', '.')}"
    if text.casefold() in ("nan", "na", "n/a", "null", "none", "-", "inf", "infinity", "-inf"):
        return "leave the row out where there is no value"
    return "write digits with at most one decimal point"


def _check_range(number: float, low: float | None, high: float | None) -> None:
    if (low is not None and number < low) or (high is not None and number > high):
        span = f"at least {low:g}" if high is None else f"at most {high:g}" if low is None else f"{low:g} to {high:g}"
        raise BadValue(f"{number:g} is out of range", f"valid is {span}")


def _scale_in_words(scale: Sequence[float]) -> str:
    if len(scale) > 12:
        return f"{scale[0]:g} to {scale[-1]:g} ({len(scale)} levels)"
    return ", ".join(f"{level:g}" for level in scale)
