"""The content of an auditing page, as template context, without anything that would reveal a critic, a method or a
control."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from annotations.models import (
    Adjudication,
    Audit,
    AuditItem,
    ElementCheck,
    MissedError,
    RepairJudgement,
    Study,
    Verdict,
)
from annotations.queries.audits import work as queries
from annotations.queries.audits.work import Element
from annotations.views.audits.marks import placed_mark
from generation.models import Claim, Image

_KINDS = {
    "missing": pgettext_lazy("kind of error", "missing"),
    "extra": pgettext_lazy("kind of error", "extra"),
    "count": pgettext_lazy("kind of error", "count"),
    "attribute": pgettext_lazy("kind of error", "attribute"),
    "relation": pgettext_lazy("kind of error", "relation"),
    "anatomy": pgettext_lazy("kind of error", "anatomy"),
    "text": pgettext_lazy("kind of error", "text"),
    "look": pgettext_lazy("kind of error", "look"),
}


def audit_context(
    audit: Audit, *, problem: str = "", open_names: Sequence[str] = (), typed: Any = None
) -> dict[str, Any]:
    """The page of one audit in its current state. Claims that may not be seen yet are left out."""
    item = audit.item
    is_pair = item.kind == AuditItem.Kind.REPAIR
    elements = queries.elements_of(item.image.prompt, audit.plan)
    listed = queries.listed_errors(audit)
    stage = "repair" if is_pair else "claims" if audit.may_see_claims else "list"
    claims = queries.claims_in_order(audit.claim_order) if audit.may_see_claims else []
    return {
        "token": audit.token,
        "study_token": audit.plan.study.token,
        "stage": stage,
        "has_ended": audit.has_ended,
        "prompt": item.image.prompt.text,
        "pictures": _pictures(audit, listed),
        "reference": reference_picture(item, audit.plan.study),
        "elements": _element_questions(audit, elements, is_pair) if audit.plan.with_elements else [],
        "claims": _repair_questions(audit, claims) if is_pair else _claim_questions(audit, claims),
        "listed": [_listed_row(audit, error, number, elements) for number, error in enumerate(listed, start=1)],
        "kinds": [(kind, _kind_label(kind)) for kind in queries.kinds_of(audit.plan)],
        "relations": elements,
        "regions": _regions(),
        "key": uuid4().hex,
        "typed": typed or {},
        "problem": problem,
        "open_names": list(open_names),
    }


def decision_context(adjudication: Adjudication, verdict: Verdict | None, *, problem: str = "") -> dict[str, Any]:
    """A disagreement as its adjudicator sees it: image, prompt and claim, without the others' verdicts."""
    image = adjudication.item.image
    return {
        "token": adjudication.token,
        "study_token": adjudication.plan.study.token,
        "stage": "decide",
        "has_ended": adjudication.state == Adjudication.State.DECIDED,
        "prompt": image.prompt.text,
        "pictures": [_picture(image, 0, _("The image to judge"), [], None)],
        "reference": reference_picture(adjudication.item, adjudication.plan.study),
        "elements": [],
        "claims": [_verdict_question("c0", adjudication.claim.text, verdict)],
        "problem": problem,
        "open_names": [],
    }


def images_as_shown(audit: Audit) -> list[Image]:
    """The images from left to right."""
    if audit.item.refined is None:
        return [audit.item.image]
    shown = [audit.item.image, audit.item.refined]
    return shown[::-1] if audit.is_mirrored else shown


def reference_picture(item: AuditItem, study: Study) -> dict[str, Any] | None:
    """The reference image for comparison; its place is after the images, and it has no marks."""
    found = queries.reference_of(item, study)
    return found and {"place": 1 if item.refined_id is None else 2, "width": found["width"], "height": found["height"]}


def _pictures(audit: Audit, listed: Sequence[MissedError]) -> list[dict[str, Any]]:
    images = images_as_shown(audit)
    if len(images) == 1:
        return [_picture(images[0], 0, _("The image to judge"), listed, None)]
    names = (_("Left image"), _("Right image"))
    # The refined image is on the left when mirrored: place 0 holds what is in the refined one.
    return [
        _picture(image, place, names[place], listed, (place == 0) == audit.is_mirrored)
        for place, image in enumerate(images)
    ]


def _picture(
    image: Image, place: int, name: str, listed: Sequence[MissedError], is_in_refined: bool | None
) -> dict[str, Any]:
    marks = [
        placed_mark(error, image, number)
        for number, error in enumerate(listed, start=1)
        if is_in_refined is None or error.is_in_refined == is_in_refined
    ]
    size = {"width": image.width or 1, "height": image.height or 1}
    return {"place": place, "name": name, **size, "marks": [mark for mark in marks if mark is not None]}


def _option(code: str, label: str, key: str) -> dict[str, str]:
    return {"code": code, "label": label, "key": key}


def _element_questions(audit: Audit, elements: Sequence[Element], is_pair: bool) -> list[dict[str, Any]]:
    checks = queries.checks_of(audit)
    tell = _option("cannot_tell", _("Cannot tell"), "c")
    if is_pair:
        options = [*_places(pgettext("side", "Left"), pgettext("side", "Right"), _("Both"), _("Neither")), tell]
    else:
        options = [_option("present", _("There"), "y"), _option("absent", _("Not there"), "n"), tell]
    return [
        {
            "name": f"e{place}",
            "text": element.text,
            "options": options,
            "given": _side_of(audit, checks[element.id].answer) if element.id in checks else "",
            "more": [],
        }
        for place, element in enumerate(elements)
    ]


def _claim_questions(audit: Audit, claims: Sequence[Claim]) -> list[dict[str, Any]]:
    verdicts = queries.verdicts_of(audit)
    return [_verdict_question(f"c{place}", claim.text, verdicts.get(claim.pk)) for place, claim in enumerate(claims)]


def _verdict_question(name: str, text: str, verdict: Verdict | None) -> dict[str, Any]:
    return {
        "name": name,
        "text": text,
        "given": verdict.value if verdict else "",
        "options": [
            _option("right", pgettext("verdict", "Right"), "r"),
            _option("partly", _("Partly"), "p"),
            _option("wrong", _("Wrong"), "w"),
            _option("cannot_tell", _("Cannot tell"), "c"),
        ],
        "more": [
            {
                "name": f"{name}-reason",
                "for": "wrong",
                "legend": _("Why is it wrong?"),
                "is_required": True,
                "given": verdict.reason if verdict else "",
                "options": [
                    _option("not_there", _("What it names is not there"), "1"),
                    _option("misread", _("It misread the image"), "2"),
                    _option("elsewhere", _("It is about something else"), "3"),
                    _option("contradicts", _("It contradicts the prompt"), "4"),
                ],
            },
            {
                "name": f"{name}-severity",
                "for": "true",
                "legend": _("How bad is the error?"),
                "is_required": False,
                "given": verdict.severity if verdict else "",
                "options": [_option("minor", _("Minor"), "1"), _option("major", _("Major"), "2")],
            },
        ],
    }


def _repair_questions(audit: Audit, claims: Sequence[Claim]) -> list[dict[str, Any]]:
    judged = queries.repairs_of(audit)
    rows = []
    for place, claim in enumerate(claims):
        name, row = f"c{place}", judged.get(claim.pk)
        rows.append(
            {
                "name": name,
                "text": claim.text,
                "given": _side_of(audit, row.place) if row else "",
                "options": [
                    *_places(_("Left only"), _("Right only"), _("Both"), _("Neither")),
                    _option("cannot_tell", _("Cannot tell"), "c"),
                ],
                "more": [
                    {
                        "name": f"{name}-degree",
                        "for": "both",
                        "legend": _("Where is it worse?"),
                        "is_required": False,
                        "given": _degree(audit, row),
                        "options": [
                            _option("alike", _("Alike"), "1"),
                            _option("left", _("On the left"), "2"),
                            _option("right", _("On the right"), "3"),
                        ],
                    }
                ],
            }
        )
    return rows


def _places(left: str, right: str, both: str, none: str) -> list[dict[str, str]]:
    return [
        _option("left", left, "l"),
        _option("right", right, "r"),
        _option("both", both, "b"),
        _option("none", none, "n"),
    ]


def _side_of(audit: Audit, stored: str) -> str:
    """The side on which this auditor sees a stored baseline or refined answer; anything else unchanged."""
    if stored not in (ElementCheck.Answer.BASELINE, ElementCheck.Answer.REFINED):
        return stored
    return "left" if (stored == ElementCheck.Answer.REFINED) == audit.is_mirrored else "right"


def _degree(audit: Audit, row: RepairJudgement | None) -> str:
    if row is None or row.place != "both":
        return ""
    worse_in = {RepairJudgement.Outcome.WORSE: "refined", RepairJudgement.Outcome.IMPROVED: "baseline"}.get(
        RepairJudgement.Outcome(row.outcome)
    )
    return _side_of(audit, worse_in) if worse_in else "alike"


def _listed_row(audit: Audit, error: MissedError, number: int, elements: Sequence[Element]) -> dict[str, Any]:
    texts = {element.id: element.text for element in elements}
    details = [_kind_label(error.kind) if error.kind else "", texts.get(error.about, "")]
    if error.severity:
        details.append(error.get_severity_display())
    if audit.item.kind == AuditItem.Kind.REPAIR:
        side = _side_of(audit, "refined" if error.is_in_refined else "baseline")
        details.insert(0, _("on the left") if side == "left" else _("on the right"))
    return {
        "number": number,
        "key": error.key,
        "text": error.text,
        "details": " · ".join(str(detail) for detail in details if detail),
        "is_fixed": error.stage == MissedError.Stage.BEFORE and audit.sealed_at is not None,
    }


def _kind_label(kind: str) -> str:
    """The usual kinds in the auditor's language; kinds of a particular critic in its own words."""
    return str(_KINDS.get(kind) or kind.replace("_", " "))


def _regions() -> list[tuple[str, str]]:
    names = (
        _("top left"),
        _("top"),
        _("top right"),
        pgettext("place in an image", "left"),
        _("middle"),
        pgettext("place in an image", "right"),
        _("bottom left"),
        _("bottom"),
        _("bottom right"),
    )
    return [(str(number), name) for number, name in enumerate(names, start=1)]
