"""Answers that are not a single level, such as several choices or marked places: how often each possible answer was
given."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.reports import view
from annotations.reports.documents.counted import CountedPart, CountedRow
from annotations.reports.documents.study import StudyDocument
from annotations.reports.estimates import number
from annotations.reports.numbers import counted, interval, share
from annotations.reports.view import Block, Paragraph, Section
from annotations.stats.arrays import FloatArray, IntArray
from annotations.stats.intervals.crossed_clusters import Clusters, clustered_share

COUNTS = ("dimension", "method", "key", "label", "n", "of", "share", "low", "high", "covers", "note")
"""Columns of the table: `n` of `of` is `share`, with its 95% interval over `covers`, or why there is none."""
EVERY = ""
"""The name of the method in rows for all methods together."""


@dataclass(frozen=True)
class CountedData:
    """The answers to one question.

    keys, labels   (n_counts,) what is counted: names in files, and words for readers
    hits, weights  (n_answers, n_counts) how often an answer says it, and how often it could; 0 ≤ hits ≤ weights
    prompt, rater  (n_answers,) codes; method the same, −1 where the answer is about several methods' images
    """

    name: str
    question: str
    kind: str
    keys: Sequence[str]
    labels: Sequence[str]
    hits: FloatArray
    weights: FloatArray
    prompt: IntArray
    rater: IntArray
    method: IntArray
    n_unable: int


def counted_part(data: CountedData, methods: Sequence[str]) -> CountedPart:
    """One question's answers: its counts over all methods, then by method where several are known.

    Shares have 95% intervals over prompts and raters at once; if there are too few of either, over the other.
    """
    rows = _rows(data, np.ones(len(data.rater), bool), EVERY)
    present = [code for code in range(len(methods)) if (data.method == code).any()]
    for code in present if len(present) > 1 else ():
        rows += _rows(data, data.method == code, methods[code])
    return CountedPart(
        name=data.name,
        question=data.question,
        kind=data.kind,
        n_answers=len(data.rater),
        n_raters=len(np.unique(data.rater)),
        n_unable=data.n_unable,
        rows=tuple(rows),
    )


def _rows(data: CountedData, chosen: NDArray[np.bool_], method: str) -> list[CountedRow]:
    rows = []
    kinds = [Clusters("prompts", data.prompt[chosen]), Clusters("raters", data.rater[chosen])]
    for place, (key, label) in enumerate(zip(data.keys, data.labels, strict=True)):
        hits, weights = data.hits[chosen, place], data.weights[chosen, place]
        found = clustered_share(hits, weights, kinds)
        covers = next(
            (name for name in ("prompts and raters", "prompts", "raters") if not found.why_undefined(name)), ""
        )
        spread = found.interval(covers) if covers else None
        rows.append(
            CountedRow(
                method=method,
                key=key,
                label=label,
                n=float(hits.sum()),
                of=float(weights.sum()),
                share=number(found.value),
                low=number(spread.low) if spread else None,
                high=number(spread.high) if spread else None,
                covers=covers,
                note="" if covers else found.why_undefined("prompts"),
            )
        )
    return rows


def counted_headline(part: CountedPart) -> str:
    """How many answers there are, and the most frequent one; without the final full stop."""
    answers, raters = counted(part.n_answers, "answer"), counted(part.n_raters, "rater")
    text = f"{answers} by {raters}"
    if part.n_unable:
        text += f", {counted(part.n_unable, 'time')} unable to answer"
    every = [row for row in part.rows if row.method == EVERY and row.share is not None]
    if every and len(every) > 1:
        most = max(every, key=lambda row: row.share or 0.0)
        text += f"; most often “{most.label}”, {share(most.share or 0.0)}"
    return text


def counted_sections(part: CountedPart, anchor: str) -> list[Section]:
    return [Section(f"{anchor}-counts", "Counts and shares", list(_blocks(part)), "counts", part.name)]


def _blocks(part: CountedPart) -> Iterator[Block]:
    rows = [
        (
            row.label,
            row.method or "all",
            f"{row.n:g}",
            f"{row.of:g}",
            "–" if row.share is None else share(row.share),
            interval(row.low, row.high),
            row.covers or row.note,
        )
        for row in part.rows
    ]
    yield view.table(("answer", "method", "n", "of", "share", "95% interval", "over"), rows, numeric={2, 3, 4})
    yield Paragraph("Each share counts every answer once; intervals treat prompts and raters as samples.", "note")


def count_rows(document: StudyDocument) -> Iterator[tuple[Any, ...]]:
    for part in document.counted:
        for row in part.rows:
            yield part.name, *(getattr(row, name) for name in COUNTS[1:])
