"""Answers as levels of their question: the meaning of a label, the categories, and a slider's levels."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.reports.study.scales import MOST_LEVELS, BadScale, Question
from annotations.stats.arrays import IntArray
from exchange.identity import identity
from exchange.labels import CONTRADICTION_CURE, contradictions, is_in_words, number_in, proposal, same_label
from exchange.rejects import RejectLog
from exchange.tables.coded import CodedTable
from exchange.tables.values import UNABLE_WORDS, BadValue, parse_answer, parse_decimal, parse_number

MOST_CATEGORIES = 50
YES_AND_NO = ({"yes", "no"}, {"true", "false"})


def question_of_words(table: CodedTable, rows: IntArray, question: Question, log: RejectLog, name: str) -> Question:
    """The question with the labels of the file as its categories, if its answers are words without numbers.

    Only for questions that the program that wrote the file marks as choices. Words with a known order are left
    unchanged: the user must say what they are worth. So are answers some of which are numbers.
    """
    found = nominal_question(_labels(table, rows), words=question.words)
    if found is None:
        return question
    log.remark(f"{table.file}: {name} is answered by choices without an order: {', '.join(found.labels)}.")
    return found


def nominal_question(labels: Collection[str], *, words: str = "") -> Question | None:
    """The nominal question that has these labels; None if they are numbers, have a known order, or are none or too
    many."""
    labels = sorted(label for label in labels if label)
    if not labels or len(labels) > MOST_CATEGORIES or any(_says_number(label) for label in labels):
        return None
    if proposal(labels) or any(label.casefold() in UNABLE_WORDS for label in labels):
        return None
    both = next((pair for pair in YES_AND_NO if {label.casefold() for label in labels} <= pair), None)
    if both and len(labels) < 2:
        labels = sorted([*labels, *(word.capitalize() for word in both if word != labels[0].casefold())], reverse=True)
    if len(labels) < 2:
        labels = [*labels, "any other choice"]
    return Question(tuple(map(Decimal, range(1, len(labels) + 1))), "nominal", tuple(labels), words)


def question_of_slider(table: CodedTable, rows: IntArray, question: Question, name: str) -> Question:
    """The continuous question with the answers in the file, and the scale's ends, as its levels. Raises BadScale."""
    low, high = question.values[0], question.values[-1]
    found = {low, high}
    for label in _labels(table, rows):
        try:
            value = parse_decimal(label)
        except BadValue:
            continue
        if low <= value <= high:
            found.add(value)
    if len(found) > MOST_LEVELS:
        raise BadScale(
            f"{name!r} has {len(found):,} different answers, more than {MOST_LEVELS:,}; declare a step, such as "
            f"{name}={low}-{high}/{(high - low) / 1000}, and round the answers to it"
        )
    return replace(question, values=tuple(sorted(found)))


def _labels(table: CodedTable, rows: IntArray) -> list[str]:
    column = table["value"]
    labels = (identity(column.labels[code]) for code in np.unique(column.codes[rows]))
    return sorted(label for label in labels if label)


def _says_number(label: str) -> bool:
    try:
        parse_number(number_in(label) or label)
    except BadValue:
        return False
    return True


def levels_of(
    table: CodedTable,
    rows: IntArray,
    is_unable: NDArray[np.bool_],
    dimension: str,
    question: Question,
    words: dict[str, float],
    log: RejectLog,
) -> tuple[IntArray, NDArray[np.bool_]]:
    """Each row's level (−1 for a bad value), and whether it is "unable to answer". Bad rows go to the log."""
    column = table["value"]
    scale = [float(value) for value in question.values]
    level_of = np.full(len(column.labels), -1, np.int64)
    unable_by = np.zeros(len(column.labels), bool)
    problems: dict[int, BadValue] = {}
    codes = column.codes[rows]
    words = {**question.value_of_label, **words}
    read: dict[str, float] = {}
    given = np.unique(codes[~is_unable])
    unclear = contradictions(label for code in given if same_label(label := column.labels[code]) not in words)
    for code in given:
        label = column.labels[code]
        if label in unclear:
            problems[int(code)] = BadValue(unclear[label], CONTRADICTION_CURE)
            continue
        try:
            answer = parse_answer(label, scale, words)
        except BadValue as problem:
            problems[int(code)] = problem
            continue
        unable_by[code] = answer is None
        level_of[code] = -1 if answer is None else scale.index(answer)
        if answer is not None and number_in(label):
            read[label] = answer
    if read:
        said = ", ".join(f'"{label}" as {value:g}' for label, value in sorted(read.items(), key=lambda pair: pair[1]))
        log.remark(f"{table.file}: labels of {dimension} are read by the numbers in them: {said}.")
    cure = cure_of_words([label for code in problems if (label := column.labels[code]) not in unclear], dimension)
    for row in rows[np.isin(codes, list(problems)) & ~is_unable]:
        code = int(column.codes[row])
        what = f"{problems[code].problem} (dimension {dimension})"
        is_unclear = column.labels[code] in unclear
        table.refuse(
            log, row, "value", column.labels[code], what, problems[code].cure if is_unclear or not cure else cure
        )
    return level_of[codes], unable_by[codes] | is_unable


def cure_of_words(bad: Sequence[str], dimension: str) -> str:
    """What to do about answers in words: the line that says what they mean, ready to be used; "" for other errors."""
    words = [identity(label) for label in bad if is_in_words(label)]
    if not words or len(words) > 12 or any(word.casefold() in _NO_ANSWERS for word in words):
        return ""
    proposed: dict[str, Any] = proposal(words)
    said = ",".join(f"{word}={proposed.get(word, 'NUMBER')}" for word in proposed or words)
    return f'say what the words mean; the mapping then keeps this: --labels "{dimension}:{said}"'


_NO_ANSWERS = frozenset(("nan", "na", "n/a", "null", "none", "inf", "infinity", "-inf"))
