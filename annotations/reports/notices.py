"""Sentences that both reports need: which answers come from programs, and what was left out."""

from collections.abc import Iterator, Sequence

from annotations.reports.documents.conversion import Document
from annotations.reports.documents.supporting import ReportedExclusion
from annotations.reports.numbers import counted
from annotations.reports.view import Notice


def simulated(n: int, everybody: int, *, who: str, what: str) -> Iterator[Notice]:
    """That n of these people (“raters”, “auditors”) are programs, which drew their `what`; nothing if n is 0."""
    if not n:
        return
    if n == everybody:
        said = f"All {who} here are simulated: a program drew their {what}."
    elif n == 1:
        said = f"1 of these {who} is simulated: a program drew its {what}."
    else:
        said = f"{n:,} of these {who} are simulated: a program drew their {what}."
    yield Notice(f"{said} They say nothing about people.", "simulated")


MOST_NAMED = 20


def excluded_raters(excluded: Sequence[ReportedExclusion]) -> Iterator[Notice]:
    """The excluded raters with their reasons; nothing without any."""
    if not excluded:
        return
    shown = excluded[:MOST_NAMED]
    named = "; ".join(f"{one.rater} ({counted(one.n_answers, 'answer')}): {one.reason}" for one in shown)
    n_more = len(excluded) - MOST_NAMED
    more = f"; and {n_more:,} more, all of them in excluded_raters.csv" if n_more > 0 else ""
    who = "1 rater is" if len(excluded) == 1 else f"{len(excluded):,} raters are"
    yield Notice(f"{who} excluded from every figure: {named}{more}.", "first")


def of_files(document: Document) -> Iterator[Notice]:
    """What should be checked in the files that were read, and how many of their rows were left out."""
    for warning in document.warnings:
        yield Notice(warning, "check")
    if n := document.n_excluded:
        rows = counted(n, "row")
        yield Notice(
            f"{rows} of the files {'was' if n == 1 else 'were'} left out, each with its reason in excluded.csv."
        )
