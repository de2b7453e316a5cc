"""Sentences that both reports need: which answers come from programs, and what was left out."""

from collections.abc import Iterator

from annotations.reports.documents.conversion import Document
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


def of_files(document: Document) -> Iterator[Notice]:
    """What should be checked in the files that were read, and how many of their rows were left out."""
    for warning in document.warnings:
        yield Notice(warning, "check")
    if n := document.n_excluded:
        rows = counted(n, "row")
        yield Notice(
            f"{rows} of the files {'was' if n == 1 else 'were'} left out, each with its reason in excluded.csv."
        )
