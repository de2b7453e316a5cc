"""Which words a rater has agreed to."""

from annotations.models import ConsentText, Study
from annotations.queries.words import said


def current_consent(study: Study) -> ConsentText:
    """The version of the consent text that this page shows; a new one if no rater has read these words before.

    A translation is a separate version, since the record holds the words that a rater has read. Call it while the
    study's row is locked, so that two raters who join at once agree to the same version.
    """
    words = said(study, study.consent)
    versions = study.consent_texts.order_by("number")
    same = versions.filter(text=words).last()
    if same is not None:
        return same
    last = versions.last()
    return ConsentText.objects.create(study=study, number=last.number + 1 if last else 1, text=words)
