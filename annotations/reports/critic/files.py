"""Verdicts on a critic's claims from a file, checked while they are read."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from annotations.reports.bad_data import BadData, OnBadValue
from annotations.reports.critic.data import (
    NOT_STATED,
    ORDINARY,
    Claims,
    CriticData,
    Flags,
    Labels,
    Verdicts,
    critic_of,
)
from annotations.reports.study.files.study import nothing_left
from annotations.reports.study.files.table_checks import leave_out_blanks, warn_of_missing, warn_of_near
from annotations.stats.arrays import IntArray
from annotations.stats.critic.audit import CANNOT_TELL, CRITIC, PARTLY, PLANTED, RIGHT, WRONG, WRONG_IMAGE
from exchange.rejects import BadFile, Reject, RejectLog
from exchange.tables.coded import CodedColumn, CodedTable, read_columns
from exchange.tables.headers import Columns
from exchange.tables.values import BadValue, parse_boolean, parse_number

NAMES = ("critic", "image", "claim", "auditor")
REQUIRED = (*NAMES, "verdict")
ABOUT_THE_ROW = ("is_current", "audit_state", "is_adjudication")
"""Columns of a study's own export of verdicts that say which rows count and which settle a disagreement."""
VERDICT_COLUMNS = Columns(
    required=REQUIRED,
    optional=("kind", "severity", "is_control", "confidence", *ABOUT_THE_ROW),
    aliases={
        "model": "critic",
        "image_id": "image",
        "item": "image",
        "claim_id": "claim",
        "text": "claim",
        "annotator": "auditor",
        "rater": "auditor",
        "label": "verdict",
        "judgement": "verdict",
        "judgment": "verdict",
        "control": "is_control",
        "critique_source": "is_control",
        "claim_kind": "kind",
        "claim_confidence": "confidence",
    },
    names=NAMES,
)
_WORDS = {
    RIGHT: "right correct true t yes y 1",
    PARTLY: "partly|partly right|partly correct|partially|partially right|partially correct|partial|half|0.5",
    WRONG: "wrong incorrect false f no n 0",
    CANNOT_TELL: "cannot tell|can't tell|can not tell|unsure|not sure|unclear|unknown|unable|unable to answer",
}
VERDICT_OF = {
    word: code for code, words in _WORDS.items() for word in (words.split("|") if "|" in words else words.split())
}
WORD_CURE = "write right, partly, wrong or cannot_tell (or correct and incorrect, true and false, yes and no, 1 and 0)"
CONTROL_CURE = "write true or false (or wrong_image or planted for a control of that kind)"


def parse_verdict(text: str) -> int:
    """The code of a verdict in words or digits, in any case. Raises BadValue."""
    word = " ".join(text.replace("_", " ").replace("-", " ").replace("’", "'").casefold().split())
    code = VERDICT_OF.get(word)
    if code is None and word in ("1.0", "0.0"):
        code = RIGHT if word == "1.0" else WRONG
    if code is None:
        raise BadValue("this is not a verdict", WORD_CURE)
    return code


def parse_control(text: str) -> int:
    """CRITIC for no control, or else its kind; an unspecified control is one made about a wrong image."""
    word = text.strip().casefold().replace("-", "_").replace(" ", "_")
    if word == "planted":
        return PLANTED
    if word in ("wrong_image", "critic"):
        return WRONG_IMAGE if word == "wrong_image" else CRITIC
    try:
        return WRONG_IMAGE if word and parse_boolean(word) else CRITIC
    except BadValue as problem:
        raise BadValue(problem.problem, CONTROL_CURE) from None


def read_verdicts(path: Path, *, on_bad_value: OnBadValue, log: RejectLog) -> CriticData:
    """One row per auditor's verdict on one claim; a claim is identified by critic, image and its text or identifier.

    Columns beyond the known ones are facets: of the claim where all its rows say the same, else of the verdict. A
    study's own export can be read back: rows that are not current or whose audit is not finished are ignored, and an
    adjudicator's verdict replaces the vote.

    A word that is not a verdict, a second, different verdict of one auditor and a claim that is a control in one row
    only are bad: with "error" they raise BadData, with "exclude" they are left out and are in the log. Raises BadFile
    where the file as a whole cannot be read. Images are those with a claim of the critic: an image on which it claimed
    nothing is not in such a file.
    """
    table = read_columns(path, name=path.name, columns=VERDICT_COLUMNS, log=log)
    if len(table) == 0 and not log.total:
        raise BadFile(Reject(path.name, None, "", "", "there is no verdict in it", "export the verdicts again"))
    keep = leave_out_blanks(table, NAMES, log)
    warn_of_near(table, NAMES, log)
    keep &= _flags(table, "is_current", keep, log, empty=True)
    if "audit_state" in table.columns:
        keep &= np.array([label.strip() in ("", "finished") for label in table["audit_state"].labels], bool)[
            table["audit_state"].codes
        ]
    is_final = _flags(table, "is_adjudication", keep, log, empty=False)
    is_missing = keep & table["verdict"].blanks()
    warn_of_missing(table, is_missing, "verdicts", log)
    keep &= ~is_missing
    value = _parsed(table, "verdict", parse_verdict, keep, log)
    source = np.full(len(table), CRITIC, np.int64)
    if "is_control" in table.columns:
        source = _parsed(table, "is_control", parse_control, keep, log)
    names, code = {}, {}
    for name in NAMES:
        names[name], code[name] = _sorted_codes(table[name], keep)
    claim_key = (code["critic"] * len(names["image"]) + code["image"]) * len(names["claim"]) + code["claim"]
    claim_key = np.unique(claim_key, return_inverse=True)[1]  # dense, so that products fit into 64 bits
    keep &= _same_source(table, claim_key, source, keep, log)
    # One verdict per auditor and claim, and one adjudication per claim by any auditor.
    n_auditors = len(names["auditor"])
    cell = claim_key * (n_auditors + 1) + np.where(is_final, n_auditors, code["auditor"])
    keep &= _once(table, cell, value, keep, log)
    if not keep.any():
        raise nothing_left(table, "verdict", log)
    if log.total and on_bad_value == "error":
        raise BadData(log)
    rows = np.flatnonzero(keep)
    _, first, claim = np.unique(claim_key[rows], return_index=True, return_inverse=True)
    real = np.unique(code["critic"][rows[source[rows] == CRITIC]])
    critics = [names["critic"][i] for i in real] or names["critic"]
    own = np.array([critics.index(n) if n in critics else critic_of(n, critics) for n in names["critic"]] or [0])
    of_claim, of_verdict, confidence = _facets(table, rows, claim, first)
    at = rows[first]
    claims = Claims(
        image=code["image"][at],
        critic=own[code["critic"][at]],
        source=source[at],
        group=np.full(len(at), -1, np.int64),
        confidence=confidence,
        about=np.full(len(at), "", object),
        facets=of_claim,
    )
    seen = np.zeros((len(critics), len(names["image"])), bool)
    is_real = claims.source == CRITIC
    seen[claims.critic[is_real], claims.image[is_real]] = True
    final = is_final[rows]
    adjudicated = np.full(len(at), -1, np.int64)
    adjudicated[claim[final]] = value[rows][final]
    verdicts = Verdicts(
        claim=claim[~final],
        auditor=code["auditor"][rows][~final],
        value=value[rows][~final],
        adjudicated=adjudicated,
        lists_first=np.full(int((~final).sum()), -1, np.int64),
        facets={name: labels[~final] for name, labels in of_verdict.items()},
        has_partly=bool((value[rows] == PARTLY).any()),
    )
    control = np.full(len(names["image"]), ORDINARY, np.int64)
    return CriticData(names["image"], critics, names["auditor"], seen, control, claims, verdicts)


def _sorted_codes(column: CodedColumn, keep: Flags) -> tuple[list[str], IntArray]:
    """Names of kept rows in order, and each row's index into them (0 in a row that is not kept)."""
    names = sorted(column.labels[i] for i in np.unique(column.codes[keep]))
    position = {name: i for i, name in enumerate(names)}
    by_label = np.array([position.get(label, 0) for label in column.labels] or [0], np.int64)
    return names, by_label[column.codes]


def _parsed(table: CodedTable, name: str, parse: Callable[[str], int], keep: Flags, log: RejectLog) -> IntArray:
    """Each row's code; rows with a text that cannot be parsed go to the log and out of `keep`, in place."""
    column = table[name]
    by_label = np.zeros(max(len(column.labels), 1), np.int64)
    problems: dict[int, BadValue] = {}
    for code, label in enumerate(column.labels):
        try:
            by_label[code] = parse(label)
        except BadValue as problem:
            problems[code] = problem
    for row in np.flatnonzero(keep & np.isin(column.codes, list(problems))):
        bad = problems[int(column.codes[row])]
        log.note(table.file, int(table.row_numbers[row]), name, column[row], bad.problem, bad.cure)
        keep[row] = False
    return by_label[column.codes]


def _flags(table: CodedTable, name: str, keep: Flags, log: RejectLog, *, empty: bool) -> Flags:
    """Each row's yes or no; `empty` where the cell is empty or the column is missing."""
    if name not in table.columns:
        return np.full(len(table), empty)
    return _parsed(table, name, lambda text: int(parse_boolean(text) if text.strip() else empty), keep, log) == 1


def _same_source(table: CodedTable, claim: IntArray, source: IntArray, keep: Flags, log: RejectLog) -> Flags:
    rows, leader = _leaders(claim, keep)
    good = np.ones(len(table), bool)
    for row in rows[source[rows] != source[leader]]:
        first = leader[np.searchsorted(rows, row)]
        problem = f"row {table.row_numbers[first]} has another value for the same claim"
        text, cure = table["is_control"][row], "say the same in all its rows"
        log.note(table.file, int(table.row_numbers[row]), "is_control", text, problem, cure)
        good[row] = False
    return good


def _once(table: CodedTable, cell: IntArray, value: IntArray, keep: Flags, log: RejectLog) -> Flags:
    """One verdict per auditor and claim: an equal second one is dropped silently, a different one goes to the log."""
    rows, leader = _leaders(cell, keep)
    good = np.ones(len(table), bool)
    good[rows[rows != leader]] = False
    for at in np.flatnonzero(value[rows] != value[leader]):
        row, first = rows[at], leader[at]
        text = table["verdict"][row]
        problem = f"the same auditor judged the same claim otherwise in row {table.row_numbers[first]}"
        log.note(table.file, int(table.row_numbers[row]), "verdict", text, problem, "keep the verdict that counts")
    return good


def _leaders(key: IntArray, keep: Flags) -> tuple[IntArray, IntArray]:
    """The kept rows in order, and for each the first kept row with the same key."""
    rows = np.flatnonzero(keep)
    _, first, index = np.unique(key[rows], return_index=True, return_inverse=True)
    return rows, rows[first[index]] if len(rows) else rows


def _facets(
    table: CodedTable, rows: IntArray, claim: IntArray, first: IntArray
) -> tuple[Labels, Labels, NDArray[np.float64]]:
    """(facets of claims, facets of verdicts, confidence of each claim, NaN where none)."""
    of_claim: dict[str, NDArray[np.object_]] = {}
    of_verdict: dict[str, NDArray[np.object_]] = {}
    confidence = np.full(len(first), np.nan)
    for name in table.columns:
        if name in (*REQUIRED, "is_control", *ABOUT_THE_ROW):
            continue
        codes, names = table[name].codes, list(table[name].labels)
        labels = np.array([label or NOT_STATED for label in names], object)[codes[rows]]
        is_of_claim = bool((codes[rows] == codes[rows][first][claim]).all()) if len(rows) else True
        if name == "confidence" and is_of_claim and (numbers := _shares(names)):
            confidence = np.array([numbers[text] for text in np.array(names, object)[codes[rows[first]]]], float)
        elif is_of_claim:
            of_claim[name] = labels[first]
        else:
            of_verdict[name] = labels
    return of_claim, of_verdict, confidence


def _shares(labels: list[str]) -> Mapping[str, float]:
    """Each text as a number in [0, 1], NaN for an empty one; an empty mapping if a text is neither, or all are
    empty."""
    found: dict[str, float] = {"": np.nan}
    try:
        found |= {label: parse_number(label, low=0, high=1) for label in labels if label}
    except BadValue:
        return {}
    return found if len(found) > 1 else {}
