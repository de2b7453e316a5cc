"""Comparisons without and with the raters who were excluded, side by side."""

from annotations.reports.documents.study import StudyDocument, WithExcluded


def with_excluded(without: StudyDocument, everybody: StudyDocument) -> tuple[WithExcluded, ...]:
    """Each comparison that both documents have, by question, baseline and refined method."""
    other = {
        (question.name, one.baseline, one.refined): one.mean_diff
        for question in everybody.dimensions
        for one in question.comparisons
    }
    return tuple(
        WithExcluded(
            question=question.name,
            baseline=one.baseline,
            refined=one.refined,
            without=one.mean_diff,
            with_them=other[question.name, one.baseline, one.refined],
        )
        for question in without.dimensions
        for one in question.comparisons
        if (question.name, one.baseline, one.refined) in other
    )
