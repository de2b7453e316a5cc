"""The researchers' own texts about their study."""

from collections.abc import Mapping

from annotations.models import Statement, Study


def statement_of(study: Study) -> Statement:
    """The researchers' texts; an unsaved, empty row if there are none."""
    return Statement.objects.filter(study=study).first() or Statement(study=study)


def facts_of(study: Study) -> Mapping[str, str]:
    """The researchers' texts for checklists, by key; empty ones are left out."""
    return {key: text for key, text in statement_of(study).facts.items() if text}
