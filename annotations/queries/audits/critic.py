"""Auditors' answers about a study's critics, as arrays: the input of the report on critics."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Case, Count, Exists, IntegerField, Max, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce
from numpy.typing import NDArray

from annotations.models import (
    Audit,
    AuditItem,
    AuditPlan,
    ElementCheck,
    MissedError,
    MissedErrorGroup,
    Rater,
    RepairJudgement,
    Study,
    Verdict,
)
from annotations.queries.columns import integers
from annotations.reports.critic.data import (
    ANSWERS,
    CLEAN,
    DEFECT,
    NOT_STATED,
    ORDINARY,
    OUTCOMES,
    Claims,
    CriticData,
    Lists,
    Repairs,
    Verdicts,
    critic_of,
)
from annotations.stats.arrays import IntArray
from annotations.stats.critic.audit import CRITIC, PLANTED, WRONG_IMAGE
from generation.models import Claim, Critique, Image

ROWS_AT_ONCE = 10_000
NONE = -1
VALUES = (Verdict.Value.RIGHT, Verdict.Value.PARTLY, Verdict.Value.WRONG, Verdict.Value.CANNOT_TELL)
SOURCES = {
    Critique.Source.CRITIC: CRITIC,
    Critique.Source.WRONG_IMAGE: WRONG_IMAGE,
    Critique.Source.PLANTED: PLANTED,
}


# --- what counts -----------------------------------------------------------------------------------------------------
def counted_verdicts(study: Study) -> QuerySet[Verdict]:
    """Current verdicts of finished audits, of adjudicators, and imported ones."""
    finished = Q(audit=None) | Q(audit__state=Audit.State.FINISHED)
    return Verdict.objects.filter(finished, study=study, is_current=True)


def counted_errors(study: Study) -> QuerySet[MissedError]:
    """Errors that auditors of single images listed and did not take back; errors from side-by-side pages are
    separate."""
    finished = Q(audit=None) | Q(audit__state=Audit.State.FINISHED)
    rows = MissedError.objects.filter(finished, study=study, withdrawn_at=None)
    return rows.exclude(stage=MissedError.Stage.REPAIR)


def finished_audits(study: Study, kind: str) -> QuerySet[Audit]:
    return Audit.objects.filter(plan__study=study, state=Audit.State.FINISHED, item__kind=kind)


def state_of_audit(study: Study) -> list[Any]:
    """A key that changes whenever anything said about the critics changes; six cheap queries."""
    verdicts = study.verdicts.aggregate(n=Count("pk"), last=Max("pk"), current=Count("pk", filter=Q(is_current=True)))
    errors = study.missed_errors.aggregate(
        n=Count("pk"), last=Max("pk"), kept=Count("pk", filter=Q(withdrawn_at=None)), matched=Count("group")
    )
    # A finished audit is never changed; its answers are verdicts, errors, judgements and checks with new ids.
    audits = Audit.objects.filter(plan__study=study, state=Audit.State.FINISHED).aggregate(
        n=Count("pk"), last=Max("finished_at")
    )
    groups = study.missed_error_groups.aggregate(n=Count("pk"), last=Max("pk"), at=Max("decided_at"))
    repairs = RepairJudgement.objects.filter(audit__plan__study=study).aggregate(n=Count("pk"), last=Max("pk"))
    checks = ElementCheck.objects.filter(audit__plan__study=study).aggregate(n=Count("pk"), last=Max("pk"))
    return [study.token, verdicts, errors, audits, groups, repairs, checks]


# --- the arrays ------------------------------------------------------------------------------------------------------
def critic_data(study: Study) -> CriticData:
    """Every counted judgement of the study's critics. About fifteen queries for any size.

    Images are those with a finished audit of claims, a counted verdict or a listed error; a critic was shown those that
    have a critique under its name. Critics with several versions are distinguished by version. Claims that nobody has
    judged are included, since they are false alarms on images known to have no errors.
    """
    items = _items(study)
    image_rows = _images(study)
    images = _Index(pk for pk, *_rest in image_rows)
    critiques = critiques_on_trial(study)
    claims, claim_index, critics, seen = _claims(critiques, image_rows, images)
    auditors = sorted(study.auditors.values_list("name", "pk", "kind"))
    auditor_index = _Index(pk for _name, pk, _kind in auditors)
    control = np.full(len(image_rows), ORDINARY, np.int64)
    defects: dict[int, list[str]] = {}
    for image, kind, known in items:
        place = images.position.get(image)
        if place is None or kind not in (AuditItem.Control.CLEAN, AuditItem.Control.DEFECT):
            continue
        control[place] = CLEAN if kind == AuditItem.Control.CLEAN else DEFECT
        if kind == AuditItem.Control.DEFECT:
            defects[place] = [str(one.get("about") or "") for one in known if isinstance(one, dict)] or [""]
    return CriticData(
        images=[name for _pk, name, *_rest in image_rows],
        critics=critics,
        auditors=[name for name, _pk, _kind in auditors],
        seen=seen,
        control=control,
        claims=claims,
        verdicts=_verdicts(study, claim_index, auditor_index, len(claims)),
        lists=_lists(study, images, auditor_index, image_rows),
        repairs=_repairs(study, claim_index, images),
        defects=defects,
        n_simulated=sum(kind == Rater.Kind.SIMULATED for _name, _pk, kind in auditors),
    )


class _Index:
    """Primary keys → positions in the order given."""

    def __init__(self, keys: Iterable[int]) -> None:
        self.keys = np.fromiter(keys, np.int64)
        self.position = {int(key): place for place, key in enumerate(self.keys)}
        self._order = np.argsort(self.keys)

    def of(self, keys: IntArray) -> IntArray:
        """(n,) the position of each key, −1 for an unknown key."""
        if not len(self.keys):
            return np.full(len(keys), NONE, np.int64)
        at = self._order[np.minimum(np.searchsorted(self.keys, keys, sorter=self._order), len(self.keys) - 1)]
        return np.where(self.keys[at] == keys, at, NONE)


def _items(study: Study) -> list[tuple[int, str, Any]]:
    rows = AuditItem.objects.filter(plan__study=study, kind=AuditItem.Kind.CLAIMS).exclude(control="")
    return list(rows.order_by("pk").values_list("image_id", "control", "known_defects"))


def _images(study: Study) -> list[tuple[int, str, str, str]]:
    """(primary key, name, method, prompt's category) of every image with an answer about it, by name."""
    judged = counted_verdicts(study).filter(claim__critique__image=OuterRef("pk"))
    searched = finished_audits(study, AuditItem.Kind.CLAIMS).filter(item__image=OuterRef("pk"))
    listed = counted_errors(study).filter(image=OuterRef("pk"))
    rows = Image.objects.filter(Exists(judged) | Exists(searched) | Exists(listed))
    found = rows.order_by().values_list("pk", "key", "method__name", "prompt__category")
    return sorted(
        ((pk, key or f"image-{pk}", method, category or NOT_STATED) for pk, key, method, category in found),
        key=lambda row: (row[1], row[0]),
    )


def critiques_on_trial(study: Study) -> QuerySet[Critique]:
    """Critiques on trial with their controls: those that the plan names, and those with a judged claim."""
    plan = AuditPlan.objects.filter(study=study).first()
    judged = Exists(counted_verdicts(study).filter(claim__critique=OuterRef("pk")))
    audited = Exists(finished_audits(study, AuditItem.Kind.CLAIMS).filter(item__image=OuterRef("image")))
    on_trial = Q(source=Critique.Source.CRITIC)
    if plan is not None and plan.critics:
        on_trial &= Q(critic__in=plan.critics)
    return Critique.objects.filter(judged | (audited & on_trial))


def _claims(
    critiques: QuerySet[Critique], image_rows: Sequence[tuple[int, str, str, str]], images: _Index
) -> tuple[Claims, _Index, list[str], NDArray[np.bool_]]:
    own = list(critiques.order_by("pk").values_list("pk", "image_id", "critic", "critic_version", "source"))
    versions: dict[str, set[str]] = {}
    for _pk, _image, critic, version, source in own:
        if source == Critique.Source.CRITIC:
            versions.setdefault(critic, set()).add(version)

    def name_of(critic: str, version: str) -> str:
        return f"{critic} {version}".strip() if len(versions.get(critic, ())) > 1 else critic

    critics = sorted({name_of(critic, version) for _p, _i, critic, version, source in own if source == "critic"})
    seen = np.zeros((len(critics), len(image_rows)), bool)
    of_critique = {}
    for pk, image, critic, version, source in own:
        at = images.position.get(image)
        if at is None:  # it was added between two queries
            continue
        code = critic_of(name_of(critic, version), critics) if critics else NONE
        of_critique[pk] = (at, code, SOURCES[Critique.Source(source)])
        if source == Critique.Source.CRITIC:
            seen[code, at] = True
    link = MissedErrorGroup.claims.through
    group_of: dict[int, int] = {}
    rows = Claim.objects.filter(critique__in=critiques).order_by("pk")
    linked = link.objects.filter(claim__critique__in=critiques).order_by("-missederrorgroup_id")
    group_of.update(linked.values_list("claim_id", "missederrorgroup_id").iterator(chunk_size=ROWS_AT_ONCE))
    keys, head, group, confidence = [], [], [], []
    texts: dict[str, list[str]] = {"about": [], "kind": [], "severity": []}
    for pk, critique, about, kind, severity, sure in rows.values_list(
        "pk", "critique_id", "about", "kind", "severity", "confidence"
    ).iterator(chunk_size=ROWS_AT_ONCE):
        if critique not in of_critique:
            continue
        keys.append(pk)
        head.append(of_critique[critique])
        group.append(group_of.get(pk, NONE))
        confidence.append(np.nan if sure is None else sure)
        for name, text in (("about", about), ("kind", kind or NOT_STATED), ("severity", severity or NOT_STATED)):
            texts[name].append(text)
    table = np.array(head, np.int64).reshape(-1, 3)
    place = table[:, 0]
    method = np.array([row[2] for row in image_rows], object)
    category = np.array([row[3] for row in image_rows], object)
    claims = Claims(
        image=place,
        critic=table[:, 1],
        source=table[:, 2],
        group=np.array(group, np.int64),
        confidence=np.array(confidence, float),
        about=np.array(texts["about"], object),
        facets={
            "kind": np.array(texts["kind"], object),
            "severity": np.array(texts["severity"], object),
            "category": category[place],
            "method": method[place],
        },
    )
    return claims, _Index(keys), critics, seen


def _verdicts(study: Study, claims: _Index, auditors: _Index, n_claims: int) -> Verdicts:
    rows = counted_verdicts(study).order_by("pk")
    claim, auditor, value, is_final, lists_first = integers(
        rows.values_list(
            "claim_id", "auditor_id", _coded("value", VALUES), _flag("is_adjudication"), _order("audit__")
        ),
        5,
    )
    claim, auditor = claims.of(claim), auditors.of(auditor)
    # The first query does not know claims that were judged after it.
    known = (claim >= 0) & (auditor >= 0)
    final, own = known & (is_final == 1), known & (is_final == 0)
    adjudicated = np.full(n_claims, NONE, np.int64)
    adjudicated[claim[final]] = value[final]
    return Verdicts(claim[own], auditor[own], value[own], adjudicated, lists_first[own])


def _lists(study: Study, images: _Index, auditors: _Index, image_rows: Sequence[tuple[int, str, str, str]]) -> Lists:
    audits = finished_audits(study, AuditItem.Kind.CLAIMS).order_by("pk")
    audit, searched, who, is_first = integers(
        audits.values_list("pk", "item__image_id", "auditor_id", _flag("lists_first")), 4
    )
    searched, who = images.of(searched), auditors.of(who)
    known = (searched >= 0) & (who >= 0)
    # An audit may be finished between two queries; its list does not count before its search does.
    counted = {0, *audit[known].tolist()}
    before = Q(stage=MissedError.Stage.BEFORE) & (Q(audit=None) | Q(audit__lists_first=True))
    rows = counted_errors(study).order_by("pk")
    found = [
        (images.position[image], auditors.position[auditor], *rest)
        for of_audit, image, auditor, *rest in rows.values_list(
            Coalesce("audit_id", Value(0)),
            "image_id",
            "auditor_id",
            Coalesce("group_id", Value(NONE)),
            Case(When(before, then=Value(1)), default=Value(0), output_field=IntegerField()),
            Case(When(audit=None, then=Value(1)), default=Value(0), output_field=IntegerField()),
            "group__kind",
            "kind",
            "severity",
        ).iterator(chunk_size=ROWS_AT_ONCE)
        if of_audit in counted and image in images.position and auditor in auditors.position
    ]
    numbers = np.array([row[:5] for row in found], np.int64).reshape(-1, 5)
    place, auditor, group = numbers[:, 0], numbers[:, 1], numbers[:, 2]
    is_own, alone = numbers[:, 3] == 1, numbers[:, 4] == 1
    # An imported list has no audit: anyone who listed an error on an image has searched it.
    more, at = np.unique(np.stack([place[alone], auditor[alone]]), axis=1, return_inverse=True)
    more_first = np.bincount(at.ravel(), is_own[alone], minlength=more.shape[1]) > 0
    method = np.array([row[2] for row in image_rows], object)
    category = np.array([row[3] for row in image_rows], object)
    return Lists(
        image=np.concatenate([searched[known], more[0]]),
        auditor=np.concatenate([who[known], more[1]]),
        is_first=np.concatenate([is_first[known] == 1, more_first]),
        listed_image=place,
        listed_auditor=auditor,
        group=group,
        is_own=is_own,
        facets={
            "kind": np.array([row[5] or row[6] or NOT_STATED for row in found], object),
            "severity": np.array([row[7] or NOT_STATED for row in found], object),
            "category": category[place],
            "method": method[place],
        },
    )


@dataclass(frozen=True)
class _Pairs:
    index: _Index
    image: IntArray
    method: NDArray[np.object_]
    is_placebo: NDArray[np.bool_]


def _pairs(study: Study, images: _Index) -> _Pairs:
    """Pairs with a finished audit whose baseline is among the images; others have no judged claim."""
    done = finished_audits(study, AuditItem.Kind.REPAIR).filter(item=OuterRef("pk"))
    rows = AuditItem.objects.filter(Exists(done), plan__study=study).order_by("pk")
    found = [
        row
        for row in rows.values_list("pk", "image_id", "refined__method__name", "control")
        if row[1] in images.position
    ]
    return _Pairs(
        _Index(pk for pk, *_rest in found),
        images.of(np.array([image for _pk, image, *_rest in found], np.int64)),
        np.array([method for *_head, method, _control in found], object),
        np.array([control == AuditItem.Control.PLACEBO for *_rest, control in found], bool),
    )


def _repairs(study: Study, claims: _Index, images: _Index) -> Repairs:
    pairs = _pairs(study, images)
    done = Q(audit__plan__study=study, audit__state=Audit.State.FINISHED, audit__item__kind=AuditItem.Kind.REPAIR)
    rows = RepairJudgement.objects.filter(done, is_current=True).order_by("pk")
    left = Q(place="baseline", audit__is_mirrored=False) | Q(place="refined", audit__is_mirrored=True)
    right = Q(place="baseline", audit__is_mirrored=True) | Q(place="refined", audit__is_mirrored=False)
    side = Case(When(left, then=Value(1)), When(right, then=Value(0)), default=Value(NONE), output_field=IntegerField())
    item, claim, outcome, on_left = integers(
        rows.values_list("audit__item_id", "claim_id", _coded("outcome", OUTCOMES), side), 4
    )
    pair, about = pairs.index.of(item), claims.of(claim)
    kept = (pair >= 0) & (about >= 0)
    checks = ElementCheck.objects.filter(done, is_current=True, answer__in=ANSWERS).order_by("pk")
    answers = [
        (pairs.index.position[of_item], element, answer)
        for of_item, element, answer in checks.values_list(
            "audit__item_id", "element", _coded("answer", ANSWERS)
        ).iterator(chunk_size=ROWS_AT_ONCE)
        if of_item in pairs.index.position
    ]
    return Repairs(
        pair_image=pairs.image,
        pair_method=pairs.method,
        pair_is_placebo=pairs.is_placebo,
        pair=pair[kept],
        claim=about[kept],
        outcome=outcome[kept],
        on_left=on_left[kept],
        element_pair=np.array([row[0] for row in answers], np.int64),
        element=np.array([row[1] for row in answers], object),
        answer=np.array([row[2] for row in answers], np.int64),
    )


# --- rows as integers ------------------------------------------------------------------------------------------------
def _coded(field: str, values: Sequence[str]) -> Case:
    """The place of a text field's value among `values`."""
    whens = [When(**{field: value}, then=Value(place)) for place, value in enumerate(values)]
    return Case(*whens, default=Value(NONE), output_field=IntegerField())


def _flag(field: str) -> Case:
    return Case(When(**{field: True}, then=Value(1)), default=Value(0), output_field=IntegerField())


def _order(prefix: str) -> Case:
    """1 if the auditor listed first, 0 if not, −1 if there is no audit to say."""
    first, last = {f"{prefix}lists_first": True}, {f"{prefix}lists_first": False}
    return Case(
        When(**first, then=Value(1)), When(**last, then=Value(0)), default=Value(NONE), output_field=IntegerField()
    )
