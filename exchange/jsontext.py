"""JSON lines and JSON arrays of objects as rows in bounded memory."""

import json
import re
from collections.abc import Iterator

from .headers import Columns, listed
from .rejects import RejectLog, bad_file
from .row import JsonValue, Row
from .strictjson import Fault, StrictDecoder
from .text import CHUNK, MAX_LINE

_BLANK = re.compile(r"[ \t\r\n]*")
_ONE_A_LINE = 'write one JSON object a line: {"prompt": "…", "topic": "…"}'


class _Shaper:
    """Turns decoded objects into rows: names resolved, faults and missing keys logged."""

    def __init__(self, name: str, columns: Columns | None, log: RejectLog) -> None:
        self._name = name
        self._columns = columns
        self._log = log
        self._resolved: dict[tuple[str, ...], dict[str, str]] = {}

    def row(self, value: JsonValue, number: int, faults: list[Fault]) -> Row | None:
        for fault in faults:
            self._log.note(self._name, number, fault.field, fault.value, fault.problem, fault.cure)
        if faults:
            return None
        if not isinstance(value, dict):
            self._log.note(self._name, number, "", json.dumps(value), "this is not a JSON object", _ONE_A_LINE)
            return None
        if self._columns is None:
            return Row(self._name, number, value)
        keys = tuple(value)
        resolved = self._resolved.get(keys)
        if resolved is None:
            resolved = self._columns.resolve(keys)
            if len(self._resolved) < 1_000:
                self._resolved[keys] = resolved
        missing = self._columns.missing(resolved)
        if missing:
            problem, cure = self._columns.explain_missing(missing, keys)
            self._log.note(self._name, number, missing[0], "", problem, cure)
            return None
        unknown = self._columns.unknown(resolved)
        if unknown:
            problem = f"{listed(unknown)} not understood by this format"
            self._log.note(self._name, number, unknown[0], "", problem, "remove or rename it")
            return None
        return Row(self._name, number, {ours: value[key] for key, ours in resolved.items()})


def read_json_lines(lines: Iterator[str], *, name: str, columns: Columns | None, log: RejectLog) -> Iterator[Row]:
    """One row a line; blank lines are skipped; lines that are not one JSON object go to the log."""
    decoder, shaper = StrictDecoder(), _Shaper(name, columns, log)
    for number, line in enumerate(lines, start=1):
        text = line.strip(" \t\r\n")
        if not text:
            continue
        try:
            value, end = decoder.decode(text, 0)
        except json.JSONDecodeError as error:
            problem = f"the line is not JSON ({error.msg} at character {error.pos + 1})"
            log.note(name, number, "", text, problem, _ONE_A_LINE)
            continue
        except RecursionError:
            log.note(name, number, "", text, "the JSON is nested too deeply", "flatten it")
            continue
        if end != len(text):
            problem = f"more text follows the JSON value (from character {end + 1})"
            log.note(name, number, "", text, problem, _ONE_A_LINE)
            continue
        row = shaper.row(value, number, decoder.faults)
        if row is not None:
            yield row


def read_json_array(texts: Iterator[str], *, name: str, columns: Columns | None, log: RejectLog) -> Iterator[Row]:
    """One row an element of the outermost array; elements that are no objects go to the log.

    Raises BadFile at wrong syntax, after which no element can be told from the next.
    """
    window, decoder, shaper = _Window(texts), StrictDecoder(), _Shaper(name, columns, log)
    window.peek()
    window.at += 1  # the opening bracket, which made the caller choose this function
    number = 0
    expected = window.peek() != "]"
    while expected:
        number += 1
        try:
            value = window.value(decoder)
        except (json.JSONDecodeError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
            raise bad_file(
                name,
                f"element {number} of the array (line {window.line}) is not JSON: {reason}",
                "correct it there, or write one JSON object a line",
                row=number,
                value=window.text[window.at : window.at + 80],
            ) from error
        row = shaper.row(value, number, decoder.faults)
        if row is not None:
            yield row
        expected = window.peek() == ","
        if expected:
            window.at += 1
    if window.peek() != "]":
        found = window.peek()
        raise bad_file(
            name,
            f'after element {number} (line {window.line}) stands "{found}", not a comma or the closing bracket'
            if found
            else f"the file ends after element {number}, before the closing bracket",
            "the file may have been cut short; send it whole" if not found else "correct it there",
            row=number,
        )
    window.at += 1
    if window.peek():
        raise bad_file(name, f"text follows the closing bracket (line {window.line})", "keep one array in the file")


class _Window:
    """The part of a long text that is being looked at."""

    def __init__(self, texts: Iterator[str]) -> None:
        self._texts = texts
        self._lines_before = 0
        self._ended = False
        self.text = ""
        self.at = 0

    @property
    def line(self) -> int:
        return self._lines_before + self.text.count("\n", 0, self.at) + 1

    def peek(self) -> str:
        """The next character that is not blank, "" at the end; `at` then points to it."""
        while True:
            match = _BLANK.match(self.text, self.at)
            self.at = match.end() if match else self.at
            if self.at < len(self.text):
                return self.text[self.at]
            if not self._fill(CHUNK):
                return ""

    def value(self, decoder: StrictDecoder) -> JsonValue:
        """The JSON value at `at`, which moves behind it. Raises what the decoder raises."""
        wanted = CHUNK
        while True:
            self.peek()
            try:
                value, end = decoder.decode(self.text, self.at)
            except json.JSONDecodeError:
                # Perhaps only cut off by the window; doubling keeps the work linear in the size of the object.
                if len(self.text) - self.at > MAX_LINE or not self._fill(wanted):
                    raise
                wanted *= 2
                continue
            if end == len(self.text) and not isinstance(value, dict | list | str) and self._fill(CHUNK):
                continue  # a number may go on in the next piece
            self.at = end
            return value

    def _fill(self, wanted: int) -> bool:
        """Reads at least `wanted` more characters; False where the text has ended."""
        self._lines_before += self.text.count("\n", 0, self.at)
        pieces = [self.text[self.at :]]
        self.at = 0
        n_read = 0
        while n_read < wanted and not self._ended:
            piece = next(self._texts, None)
            if piece is None:
                self._ended = True
            else:
                pieces.append(piece)
                n_read += len(piece)
        self.text = "".join(pieces)
        return n_read > 0
