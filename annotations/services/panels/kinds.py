"""Each panel's names for the identifiers in its links, and the address to which its participants return."""

from dataclasses import dataclass

from annotations.models import Panel


@dataclass(frozen=True)
class Defaults:
    """First values of a panel's settings. `link_query` is the query of its study link, with the placeholders that the
    panel fills in."""

    participant_parameter: str
    session_parameter: str
    study_parameter: str
    return_address: str
    link_query: str


DEFAULTS: dict[str, Defaults] = {
    # docs.prolific.com/api-reference/studies/the-study-object and .../core-concepts/reviewing-submissions-and-rewards
    Panel.Kind.PROLIFIC: Defaults(
        "PROLIFIC_PID",
        "SESSION_ID",
        "STUDY_ID",
        "https://app.prolific.com/submissions/complete?cc={code}",
        "PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}",
    ),
    Panel.Kind.CONNECT: Defaults(
        "participantId", "assignmentId", "projectId", "", "participantId=…&assignmentId=…&projectId=…"
    ),
    Panel.Kind.SONA: Defaults("survey_code", "", "", "", "survey_code=%SURVEY_CODE%"),
    Panel.Kind.MTURK: Defaults("workerId", "assignmentId", "hitId", "", "workerId=…&assignmentId=…&hitId=…"),
    Panel.Kind.OTHER: Defaults("participant", "session", "study", "", "participant=…&session=…"),
}
