"""Reads for the researcher's audit tab: progress, listed errors, and errors still to be matched."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, IntegerField, Max, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from annotations.models import (
    Adjudication,
    Audit,
    AuditItem,
    Auditor,
    AuditPlan,
    MissedError,
    MissedErrorGroup,
    Study,
    Verdict,
)
from annotations.queries.audits.work import study_images
from generation.models import Claim, Critique, Image

TRUE_VALUES = (Verdict.Value.RIGHT, Verdict.Value.PARTLY)


@dataclass(frozen=True)
class Figures:
    """An audit's state. Counts are of finished audits unless their name says otherwise; controls are included."""

    n_images: int
    n_pairs: int
    n_finished: int
    n_wanted: int
    n_late: int
    n_verdicts: int
    n_listed: int
    n_waiting: int
    n_decided: int
    n_to_match: int

    @property
    def percent(self) -> int:
        return 100 * self.n_finished // self.n_wanted if self.n_wanted else 0


def figures(plan: AuditPlan) -> Figures:
    items = plan.items.aggregate(
        images=Count("pk", filter=Q(kind=AuditItem.Kind.CLAIMS)),
        pairs=Count("pk", filter=Q(kind=AuditItem.Kind.REPAIR)),
        wanted=Coalesce(Sum("wanted"), 0),
    )
    audits = plan.audits.aggregate(
        finished=Count("pk", filter=Q(state=Audit.State.FINISHED)), late=Count("pk", filter=Q(state=Audit.State.LATE))
    )
    queue = plan.adjudications.aggregate(
        decided=Count("pk", filter=Q(state=Adjudication.State.DECIDED)),
        waiting=Count("pk", filter=~Q(state=Adjudication.State.DECIDED)),
    )
    finished = Verdict.objects.filter(audit__plan=plan, audit__state=Audit.State.FINISHED, is_current=True)
    return Figures(
        n_images=items["images"],
        n_pairs=items["pairs"],
        n_finished=audits["finished"],
        n_wanted=items["wanted"],
        n_late=audits["late"],
        n_verdicts=finished.count(),
        n_listed=listed(plan.study).count(),
        n_waiting=queue["waiting"],
        n_decided=queue["decided"],
        n_to_match=images_to_match(plan.study).count(),
    )


def auditors_with_progress(study: Study) -> QuerySet[Auditor, Any]:
    """The study's auditors with `n_finished` and `last_at` (None before the first), in one query."""
    finished = Audit.objects.filter(auditor=OuterRef("pk"), state=Audit.State.FINISHED).order_by().values("auditor")
    return study.auditors.annotate(
        n_finished=Coalesce(Subquery(finished.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0),
        last_at=Subquery(finished.annotate(last=Max("finished_at")).values("last")),
    ).order_by("-n_finished", "pk")


def listed(study: Study) -> QuerySet[MissedError]:
    """Errors that finished audits (or an import) list and that were not withdrawn, without those of compared pairs."""
    return MissedError.objects.filter(study=study, withdrawn_at=None).filter(
        Q(audit=None) | Q(audit__state=Audit.State.FINISHED), ~Q(stage=MissedError.Stage.REPAIR)
    )


def images_with_lists(study: Study) -> QuerySet[Image, Any]:
    """Images on which somebody listed an error: `n_listed`, `n_lists` (by how many), `n_groups`, `n_unmatched`."""

    def counted(rows: QuerySet[Any], what: Count) -> Coalesce:
        per_image = rows.filter(image=OuterRef("pk")).order_by().values("image").annotate(n=what).values("n")
        return Coalesce(Subquery(per_image, output_field=IntegerField()), 0)

    rows = listed(study)
    return (
        Image.objects.filter(Exists(rows.filter(image=OuterRef("pk"))))
        .select_related("prompt")
        .annotate(
            n_listed=counted(rows, Count("pk")),
            n_lists=counted(rows, Count("auditor", distinct=True)),
            n_unmatched=counted(rows.filter(group=None), Count("pk")),
            n_groups=counted(MissedErrorGroup.objects.filter(study=study), Count("pk")),
        )
        .order_by("-n_unmatched", "pk")
    )


def images_to_match(study: Study) -> QuerySet[Image]:
    """Images with a listed error that is not in a group yet."""
    return Image.objects.filter(Exists(listed(study).filter(image=OuterRef("pk"), group=None))).order_by("pk")


def listed_on(study: Study, image_id: int) -> list[MissedError]:
    return list(listed(study).filter(image=image_id).select_related("auditor", "group").order_by("auditor", "pk"))


def true_claims(study: Study, image_id: int) -> list[Claim]:
    """Claims about an image, controls left out, that somebody judged right or partly right: they name an error."""
    verdicts = Verdict.objects.filter(study=study, claim=OuterRef("pk"), is_current=True, value__in=TRUE_VALUES)
    counted = verdicts.filter(Q(audit__state=Audit.State.FINISHED) | Q(audit=None))
    claims = Claim.objects.filter(Exists(counted), critique__image=image_id, critique__source=Critique.Source.CRITIC)
    return list(claims.select_related("critique").order_by("critique", "rank"))


def groups_on(study: Study, image_id: int) -> list[MissedErrorGroup]:
    groups = MissedErrorGroup.objects.filter(study=study, image=image_id).select_related("decided_by")
    return list(groups.prefetch_related("claims").order_by("number"))


def images_with_critiques(study: Study) -> QuerySet[Image, Any]:
    """The study's images that have a critique of any source, with its critiques and `n_audits`, the number of audits of
    it."""
    audits = Audit.objects.filter(plan__study=study, item__image=OuterRef("pk")).order_by().values("item__image")
    critiques = Critique.objects.annotate(n_claims=Count("claims")).order_by("source", "critic", "pk")
    return (
        study_images(study)
        .filter(Exists(Critique.objects.filter(image=OuterRef("pk"))))
        .select_related("prompt", "method")
        .prefetch_related(Prefetch("critiques", critiques, to_attr="all_critiques"))
        .annotate(
            n_audits=Coalesce(Subquery(audits.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)
        )
        .order_by("pk")
    )


def critiques_of(image: Image) -> Sequence[Critique]:
    return list(image.critiques.prefetch_related("claims").order_by("source", "critic", "pk"))


def is_given_out(image_id: int) -> bool:
    """Whether an auditor has been given the image, so that its claims can no longer change."""
    return Audit.objects.filter(item__image=image_id).exists()
