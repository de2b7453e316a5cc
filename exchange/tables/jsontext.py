"""JSON lines and JSON arrays of objects as rows in bounded memory."""

import json
import re
from collections.abc import Iterator
from itertools import chain

from exchange.rejects import Reject, RejectLog, bad_file, shown
from exchange.tables.headers import Columns
from exchange.tables.jsondocument import read_document
from exchange.tables.row import JsonValue, Row
from exchange.tables.strictjson import Fault, StrictDecoder
from exchange.text import CHUNK, MAX_LINE, lines_of
from exchange.wording import listed

_BLANK = re.compile(r"[ \t\r\n]*")
_MOST_HELD_BACK = 1_000
_ONE_PER_LINE = 'write one JSON object per line: {"prompt": "…", "topic": "…"}'


class _Shaper:
    """Turns decoded objects into rows: names resolved, faults and missing keys logged.

    Until an object has all the keys that are needed, keys may be missing because this is another kind of file. Until
    then the objects' rejects are held back, and if no object ever has these keys, no row is at fault.
    """

    def __init__(self, name: str, columns: Columns | None, log: RejectLog) -> None:
        self._name = name
        self._columns = columns
        self._log = log
        self._resolved: dict[tuple[str, ...], dict[str, str]] = {}
        self._held_back: list[Reject] = []
        self._has_good = False
        self._keys: dict[str, None] = {}

    def row(self, value: JsonValue, number: int, faults: list[Fault]) -> Row | None:
        for fault in faults:
            self._note(number, fault.field, fault.value, fault.problem, fault.cure)
        if faults:
            return None
        if not isinstance(value, dict):
            self._note(number, "", json.dumps(value), "this is not a JSON object", _ONE_PER_LINE)
            return None
        if self._columns is None:
            return Row(self._name, number, value)
        keys = tuple(value)
        resolved = self._resolved.get(keys)
        if resolved is None:
            resolved = self._columns.resolve(keys)
            self._columns.warn_of_unused(keys, file=self._name, log=self._log)
            if len(self._resolved) < 1_000:
                self._resolved[keys] = resolved
        missing = self._columns.missing(resolved)
        if missing:
            if not self._has_good and len(self._keys) < 1_000:
                self._keys.update(dict.fromkeys(keys))
            problem, cure = self._columns.explain_missing(missing, keys)
            self._note(number, missing[0], "", problem, cure)
            return None
        self._has_good = True
        self._let_go()
        unknown = self._columns.unknown(resolved)
        if unknown:
            problem = f"{listed(unknown)} not understood by this format"
            self._note(number, unknown[0], "", problem, "remove or rename it")
            return None
        return Row(self._name, number, {ours: value[key] for key, ours in resolved.items()})

    def end(self) -> None:
        """Raises BadFile if a key that is needed is not in any object."""
        if self._columns is not None and self._keys and not self._has_good:
            found = list(self._keys)
            missing = self._columns.missing(self._columns.resolve(found))
            if missing:
                problem, cure = self._columns.explain_missing(missing, found)
                raise bad_file(self._name, problem, cure, field=missing[0])
        self._let_go()

    def _note(self, number: int, field: str, value: object, problem: str, cure: str) -> None:
        self._held_back.append(Reject(self._name, number, field, shown(value), problem, cure))
        if self._has_good or len(self._held_back) >= _MOST_HELD_BACK:
            self._let_go()

    def _let_go(self) -> None:
        for reject in self._held_back:
            self._log.add(reject)
        self._held_back.clear()


def read_json_lines(lines: Iterator[str], *, name: str, columns: Columns | None, log: RejectLog) -> Iterator[Row]:
    """One row per line; blank lines are skipped; lines that are not one JSON object go to the log."""
    decoder, shaper = StrictDecoder(), _Shaper(name, columns, log)
    for number, line in enumerate(lines, start=1):
        text = line.strip(" \t\r\n")
        if not text:
            continue
        try:
            value, end = decoder.decode(text, 0)
        except json.JSONDecodeError as error:
            problem = f"the line is not JSON ({error.msg} at character {error.pos + 1})"
            log.note(name, number, "", text, problem, _ONE_PER_LINE)
            continue
        except RecursionError:
            log.note(name, number, "", text, "the JSON is nested too deeply", "flatten it")
            continue
        if end != len(text):
            problem = f"more text follows the JSON value (from character {end + 1})"
            log.note(name, number, "", text, problem, _ONE_PER_LINE)
            continue
        row = shaper.row(value, number, decoder.faults)
        if row is not None:
            yield row
    shaper.end()


def read_json_objects(texts: Iterator[str], *, name: str, columns: Columns | None, log: RejectLog) -> Iterator[Row]:
    """JSON lines, or one object that is a table or a single record: see `jsondocument`.

    It is one object if the first line is not a complete one and the next does not begin with a brace, or if nothing
    follows the first.
    """
    before, texts = _first_two_lines(texts)
    if len(before) > 1 and (before[1].startswith("{") or _is_whole(before[0])):
        yield from read_json_lines(lines_of(texts, name), name=name, columns=columns, log=log)
        return
    if len(before) == 1 and _is_whole(before[0]) is None:
        yield from read_json_lines(lines_of(texts, name), name=name, columns=columns, log=log)
        return
    shaper = _Shaper(name, columns, log)
    records, faults = read_document(texts, name=name, log=log)
    for number, record in enumerate(records, start=1):
        row = shaper.row(record, number, faults)
        if row is not None:
            yield row
    shaper.end()


def _first_two_lines(texts: Iterator[str]) -> tuple[list[str], Iterator[str]]:
    """The first two lines that are not blank, each without its blanks, and the texts again."""
    looked_at: list[str] = []
    found: list[str] = []
    rest = ""
    for text in texts:
        looked_at.append(text)
        *lines, rest = re.split(r"\r\n|\n|\r", rest + text)
        found += [line.strip() for line in lines if line.strip()]
        if len(found) > 1:
            break
    found += [rest.strip()] if rest.strip() else []
    return found[:2], chain(looked_at, texts)


def _is_whole(line: str) -> bool | None:
    """Whether a line is one JSON value; None if it is not JSON at all, so that reading on is useless."""
    try:
        _, end = json.JSONDecoder().raw_decode(line)
    except json.JSONDecodeError as error:
        return None if error.pos < len(line) - 1 and error.msg not in _CUT_SHORT else False
    except RecursionError:
        return None
    return end == len(line)


_CUT_SHORT = frozenset(("Unterminated string starting at", "Expecting value", "Expecting ',' delimiter"))


def read_json_array(texts: Iterator[str], *, name: str, columns: Columns | None, log: RejectLog) -> Iterator[Row]:
    """One row per element of the outermost array; elements that are not objects go to the log.

    Raises BadFile for wrong syntax, after which elements cannot be separated.
    """
    window, decoder, shaper = _Window(texts), StrictDecoder(), _Shaper(name, columns, log)
    window.peek()
    window.at += 1  # the opening bracket, because of which the caller chose this function
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
                "correct it there, or write one JSON object per line",
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
            f'after element {number} (line {window.line}) comes "{found}", not a comma or the closing bracket'
            if found
            else f"the file ends after element {number}, before the closing bracket",
            "the file may have been cut short; send it whole" if not found else "correct it there",
            row=number,
        )
    window.at += 1
    if window.peek():
        raise bad_file(name, f"text follows the closing bracket (line {window.line})", "keep one array in the file")
    shaper.end()


class _Window:
    """The part of a long text that is being read."""

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
                continue  # a number may continue in the next piece
            self.at = end
            return value

    def _fill(self, wanted: int) -> bool:
        """Reads at least `wanted` more characters; False if the text has ended."""
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
