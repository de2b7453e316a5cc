"""Deciding which listed errors are the same: suggested by place, relation and words, decided by a researcher."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from annotations.models import MissedError, Study
from annotations.queries.audits import overview as queries
from annotations.queries.audits.work import elements_of
from annotations.services.audits.groups import Group, save_groups
from annotations.services.audits.matching import Mention, suggest_groups
from annotations.views.audits.marks import placed_mark
from annotations.views.rights import researcher_of_study, signed_in
from generation.models import Claim, Image

IMAGES_PER_PAGE = 24


@never_cache
@researcher_of_study
@require_safe
def overview(request: HttpRequest, study: Study) -> HttpResponse:
    """The images on which errors were listed, those still to be matched first."""
    page = Paginator(queries.images_with_lists(study), IMAGES_PER_PAGE).get_page(request.GET.get("page"))
    context = {"study": study, "tab": "audit", "page": page, "images": list(page.object_list)}
    return render(request, "annotations/audit/matching.html", context)


@never_cache
@researcher_of_study
@require_http_methods(["GET", "HEAD", "POST"])
def match(request: HttpRequest, study: Study, image_id: int) -> HttpResponse:
    """All errors listed on one image, and the claims that name an error, each with the number of its error."""
    image = get_object_or_404(queries.images_with_lists(study), pk=image_id)
    errors, claims = queries.listed_on(study, image.pk), queries.true_claims(study, image.pk)
    if request.method == "POST":
        save_groups(
            study=study, image_id=image.pk, groups=_groups(request, errors, claims), decided_by=signed_in(request)
        )
        messages.success(request, _("Saved."))
        following = queries.images_to_match(study).first()
        if following is not None:
            return redirect("study-audit-match", study.token, following.pk)
        return redirect("study-audit-matching", study.token)
    return render(request, "annotations/audit/match.html", _context(study, image, errors, claims))


def _groups(request: HttpRequest, errors: list[MissedError], claims: list[Claim]) -> list[Group]:
    """The groups in the form: rows with the same number are one error; a claim without a number is a separate error."""
    missed: dict[int, list[int]] = {}
    named: dict[int, list[int]] = {}
    for rows, prefix, found in ((errors, "m", missed), (claims, "c", named)):
        for row in rows:
            number = request.POST.get(f"{prefix}{row.pk}", "")
            # A listed error without a readable number is a separate error, beyond the numbers of the page.
            key = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else -row.pk
            if key > 0 or prefix == "m":
                found.setdefault(key, []).append(row.pk)
    order = sorted({*missed, *named}, key=lambda number: (number < 0, abs(number)))
    return [Group(missed=missed.get(number, []), claims=named.get(number, [])) for number in order]


def _context(study: Study, image: Image, errors: list[MissedError], claims: list[Claim]) -> dict[str, Any]:
    stored = queries.groups_on(study, image.pk)
    is_decided = bool(stored) and all(error.group_id for error in errors)
    # Imported lists can be matched even if nobody has planned an audit.
    elements = elements_of(image.prompt, getattr(study, "audit_plan", None))
    names = {element.id: element.text for element in elements}
    letters = {
        auditor: chr(ord("A") + place % 26) for place, auditor in enumerate(dict.fromkeys(e.auditor_id for e in errors))
    }
    if is_decided:
        by_claim = {claim.pk: group.number for group in stored for claim in group.claims.all()}
        numbers = [error.group.number if error.group else 0 for error in errors]
        numbers += [by_claim.get(claim.pk, 0) for claim in claims]
    else:
        numbers = [
            number + 1 for number in suggest_groups([*map(_error_mention, errors), *map(_claim_mention, claims)])
        ]
    rows: list[dict[str, Any]] = []
    for error, number in zip(errors, numbers, strict=False):
        rows.append(
            {
                "name": f"m{error.pk}",
                "number": number,
                "text": error.text,
                "who": _("auditor %(letter)s") % {"letter": letters[error.auditor_id]},
                "is_before": error.stage == MissedError.Stage.BEFORE,
                "kind": error.kind.replace("_", " "),
                "about": names.get(error.about, error.about),
                "mark": placed_mark(error, image, number),
            }
        )
    for claim, number in zip(claims, numbers[len(errors) :], strict=True):
        rows.append(
            {
                "name": f"c{claim.pk}",
                "number": number,
                "text": claim.text,
                "who": claim.critique.critic,
                "is_claim": True,
                "kind": claim.kind.replace("_", " "),
                "about": names.get(claim.about, claim.about),
            }
        )
    rows.sort(key=lambda row: (row["number"] == 0, row["number"]))
    return {
        "study": study,
        "tab": "audit",
        "image": image,
        "rows": rows,
        "choices": range(1, len(rows) + 1),
        "is_decided": is_decided,
        "decided": stored[0] if is_decided else None,
    }


def _error_mention(error: MissedError) -> Mention:
    box = None
    if error.x is not None and error.y is not None:
        box = (error.x, error.y, error.width or 0.0, error.height or 0.0)
    return Mention(error.text, error.kind, error.about, box, f"auditor {error.auditor_id}")


def _claim_mention(claim: Claim) -> Mention:
    # A critic may name one error twice, in other words: its claims are not a list without repetitions.
    return Mention(claim.text, claim.kind, claim.about)
