"""A report in parts, and what reproduces its figures: the same for the page, the file and the paper."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotations.reports.critic.notices import critic_notices
from annotations.reports.critic.sections import critic_headlines, critic_sections
from annotations.reports.documents.conversion import Document
from annotations.reports.documents.critic import CriticDocument
from annotations.reports.documents.preferences import PreferenceDocument
from annotations.reports.documents.provenance import Made, MadeOfRatings, MadeOfVerdicts
from annotations.reports.documents.study import StudyDocument
from annotations.reports.notices import excluded_raters, of_files
from annotations.reports.study.counted import counted_headline, counted_sections
from annotations.reports.study.sections.notices import notices
from annotations.reports.study.sections.report import headline, sections
from annotations.reports.study.sections.viewing import TITLE, viewing_headline, viewing_sections
from annotations.reports.view import Notice, Section
from annotations.reports.votes.sections import preference_sections


@dataclass(frozen=True)
class Part:
    """One question, or all of a report without questions, which then has no title."""

    title: str
    headlines: Sequence[str]
    sections: Sequence[Section]


def provenance(made: Made) -> str:
    """What is needed to reproduce the figures."""
    drawn = ""
    if isinstance(made, MadeOfRatings | MadeOfVerdicts):
        drawn = f"seed {made.seed}, {made.n_resamples:,} resamples, "
    same = "The same inputs, seed and versions" if drawn else "The same inputs and versions"
    return (
        f"evalsite {made.code_version}, statistics {made.stats_version}, {drawn}{made.at}. "
        f"Inputs {made.inputs_hash[:16]}. {same} give the same figures."
    )


def notices_of(document: Document) -> list[Notice]:
    """The notices that qualify a document's figures."""
    if isinstance(document, CriticDocument):
        return critic_notices(document)
    if isinstance(document, PreferenceDocument):
        return [*excluded_raters(document.excluded_raters), *of_files(document)]
    return notices(document)


def parts_of(document: Document) -> list[Part]:
    """The questions of a study, of votes or of rankings with their sections; or the one part of a report about
    critics."""
    if isinstance(document, CriticDocument):
        return [Part("", critic_headlines(document), critic_sections(document))]
    return _of_study(document) if isinstance(document, StudyDocument) else _of_preferences(document)


def _of_study(document: StudyDocument) -> list[Part]:
    found = sections(document)
    parts = [
        Part(
            dimension.asked,
            [headline(dimension, document)],
            [section for section in found if section.question == dimension.name],
        )
        for dimension in document.dimensions
    ] + [
        Part(part.question or part.name, [counted_headline(part)], counted_sections(part, f"counted-{number}"))
        for number, part in enumerate(document.counted, start=1)
    ]
    if document.viewing:
        parts.append(Part(TITLE, [viewing_headline(document)], viewing_sections(document)))
    return parts


def _of_preferences(document: PreferenceDocument) -> list[Part]:
    found = preference_sections(document)
    return [
        Part(
            part.asked,
            [part.sentence.rstrip(".")],
            [section for section in found if section.question == part.name],
        )
        for part in document.preferences
    ]
