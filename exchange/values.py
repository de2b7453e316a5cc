"""Single cells: text or JSON value in, typed value out, or what is wrong with it and the cure."""

import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from math import isfinite

from .row import JsonValue
from .strictjson import StrictDecoder

MAX_INTEGER = 2**63 - 1
MAX_TEXT = 10_000
"""Characters of a prompt or a note, unless the caller says otherwise."""
MAX_SLUG = 100

_INTEGER = re.compile(r"[+-]?[0-9]{1,30}(\.0+)?")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_TRUE = frozenset(("true", "t", "yes", "y", "1", "on"))
_FALSE = frozenset(("false", "f", "no", "n", "0", "off"))
UNABLE_WORDS = frozenset(("unable to answer", "unable_to_answer", "unable-to-answer", "unable"))


class BadValue(ValueError):
    """A cell that cannot be taken."""

    def __init__(self, problem: str, cure: str) -> None:
        super().__init__(f"{problem}; {cure}")
        self.problem = problem
        self.cure = cure


def is_missing(value: JsonValue) -> bool:
    """True for an empty or blank cell and for null. Words such as "NA" are text, not missing."""
    return value is None or (isinstance(value, str) and not value.strip())


def parse_text(value: JsonValue, *, max_length: int = MAX_TEXT) -> str:
    """Text without outer blanks, at least one and at most `max_length` characters. JSON numbers become their text."""
    if isinstance(value, bool | dict | list):
        raise BadValue(f"text is needed, this is {_kind(value)}", "write it in double quotes")
    text = _as_text(value).strip()
    if not text:
        raise BadValue("the cell is empty", "fill it in or remove the row")
    if len(text) > max_length:
        raise BadValue(f"the text has {len(text)} characters", f"shorten it to {max_length}")
    control = _CONTROL.search(text)
    if control:
        raise BadValue(f"the text holds the control character U+{ord(control[0]):04X}", "remove it")
    return text


def parse_number(value: JsonValue, *, low: float | None = None, high: float | None = None) -> float:
    """A finite number within [low, high]; digits with a decimal point, in ASCII."""
    if isinstance(value, bool | dict | list):
        raise BadValue(f"a number is needed, this is {_kind(value)}", "write a plain number")
    text = _as_text(value).strip()
    if not text:
        raise BadValue("the cell is empty", "write a number or remove the row")
    if not _NUMBER.fullmatch(text):
        raise BadValue("this is not a number", _number_cure(text))
    number = float(text)
    if not isfinite(number):
        raise BadValue("the number is too large", "correct it")
    _check_range(number, low, high)
    return number


def parse_integer(value: JsonValue, *, low: int | None = None, high: int | None = None) -> int:
    """A whole number within [low, high] and 64 bits; "3.0" is 3, which is how some programs write it."""
    if isinstance(value, bool | dict | list):
        raise BadValue(f"a whole number is needed, this is {_kind(value)}", "write a plain number")
    text = _as_text(value).strip()
    if not text:
        raise BadValue("the cell is empty", "write a whole number or remove the row")
    if not _INTEGER.fullmatch(text):
        if _NUMBER.fullmatch(text):
            raise BadValue("this is not a whole number", "round it, or write it without exponent")
        raise BadValue("this is not a whole number", _number_cure(text))
    number = int(text.partition(".")[0])
    if abs(number) > MAX_INTEGER:
        raise BadValue("the number does not fit into 64 bits", "correct it")
    _check_range(number, low, high)
    return number


def parse_on_scale(value: JsonValue, scale: Sequence[float]) -> float:
    """A value that is one of `scale` (ascending). The message names the scale and says what slip it looks like."""
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


def parse_answer(value: JsonValue, scale: Sequence[float]) -> float | None:
    """A rating: a value on the scale, or None for "unable to answer", which is an answer and no number."""
    if isinstance(value, str) and value.strip().casefold() in UNABLE_WORDS:
        return None
    return parse_on_scale(value, scale)


def parse_slug(value: JsonValue) -> str:
    """An identifier of ASCII letters, digits, hyphen, underscore and point, begun by a letter or digit."""
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
    word = _as_text(value).strip().casefold() if not isinstance(value, dict | list) else ""
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise BadValue("this is neither yes nor no", "write yes or no (or true and false, 1 and 0)")


def parse_json_object(value: JsonValue) -> dict[str, JsonValue]:
    """A JSON object, as such or as text. Raises BadValue for anything else, repeated keys and NaN included."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, str):
        raise BadValue(f"a JSON object is needed, this is {_kind(value)}", 'write {"name": "value"}')
    decoder = StrictDecoder()
    text = value.strip()
    try:
        result, end = decoder.decode(text, 0)
    except (json.JSONDecodeError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
        raise BadValue(f"this is not JSON ({reason})", 'write {"name": "value"} with double quotes') from error
    if decoder.faults:
        raise BadValue(decoder.faults[0].problem, decoder.faults[0].cure)
    if end != len(text):
        raise BadValue("more text follows the JSON object", 'write {"name": "value"} and nothing behind it')
    if not isinstance(result, dict):
        raise BadValue(f"a JSON object is needed, this is {_kind(result)}", 'write {"name": "value"}')
    return result


def parse_timestamp(value: JsonValue) -> datetime:
    """A moment with its time zone, from ISO 8601; without a zone it is taken as UTC."""
    if not isinstance(value, str):
        raise BadValue(f"a date and time is needed, this is {_kind(value)}", _TIME_CURE)
    try:
        moment = datetime.fromisoformat(value.strip())
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError as error:
        raise BadValue("this is not a date and time", _TIME_CURE) from error


_TIME_CURE = "write it as 2025-03-31T14:05:00+02:00"


def _as_text(value: JsonValue) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _kind(value: JsonValue) -> str:
    if value is None:
        return "empty"
    names = {bool: "true or false", dict: "a JSON object", list: "a list", str: "text"}
    return names.get(type(value), "a number")


def _number_cure(text: str) -> str:
    if _DECIMAL_COMMA.fullmatch(text):
        return f"write it with a decimal point: {text.replace(',', '.')}"
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
