"""What a report says about its study's registration: that there was one, and every deviation from it."""

from annotations.reports.documents.study import StudyDocument


def registration_lines(document: StudyDocument) -> list[str]:
    """When and how the plan was frozen, then each deviation; nothing where no plan was registered."""
    found = document.registration
    if found is None:
        return []
    frozen = (
        f"The plan was frozen on {found.made_at[:10]}, before the first answer (SHA-256 {found.digest[:16]}…, "
        "registration.json)."
    )
    if not found.deviations:
        return [frozen, "Settings, sample, exclusions and comparisons are as registered."]
    return [frozen, *found.deviations]
