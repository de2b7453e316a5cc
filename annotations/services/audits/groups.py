"""Deciding which listed errors and claims name the same error of an image."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotations.models import MissedError, MissedErrorGroup, Study
from generation.models import Claim

LONGEST_TEXT = 1000


@dataclass(frozen=True)
class Group:
    """A distinct error: ids of the listed errors and of the claims that name it. Its words are the first one's."""

    missed: Sequence[int]
    claims: Sequence[int] = ()


def save_groups(*, study: Study, image_id: int, groups: Sequence[Group], decided_by: User | None) -> None:
    """Save a person's decisions about one image, replacing earlier ones; all or nothing.

    A single claim needs no group and gets none. Listed errors and claims of other images are ignored.
    """
    now = timezone.now()
    with transaction.atomic():
        # If two people work on the same image, the later decision counts as a whole; they are never mixed.
        Study.objects.select_for_update().get(pk=study.pk)
        MissedErrorGroup.objects.filter(study=study, image=image_id).delete()
        errors = MissedError.objects.filter(study=study, image=image_id).in_bulk()
        claims = Claim.objects.filter(critique__image=image_id).in_bulk()
        number = 0
        for group in groups:
            missed = [errors[pk] for pk in group.missed if pk in errors]
            named = [claims[pk] for pk in group.claims if pk in claims]
            if not missed and len(named) < 2:
                continue
            number += 1
            mentions: list[MissedError | Claim] = [*missed, *named]
            row = MissedErrorGroup.objects.create(
                study=study,
                image_id=image_id,
                number=number,
                text=mentions[0].text[:LONGEST_TEXT],
                kind=next((mention.kind for mention in mentions if mention.kind), ""),
                about=next((mention.about for mention in mentions if mention.about), ""),
                decided_by=decided_by,
                decided_at=now,
            )
            row.claims.set(named)
            MissedError.objects.filter(pk__in=[error.pk for error in missed]).update(group=row)


def forget_listed(missed: QuerySet[MissedError]) -> None:
    """Delete listed errors. Their groups take the words of another mention, or are deleted if nothing is left to
    group."""
    groups = list(MissedErrorGroup.objects.filter(missed_errors__in=missed).distinct())
    missed.delete()
    for group in groups:
        listed, claims = list(group.missed_errors.order_by("pk")), list(group.claims.order_by("pk"))
        if not listed and len(claims) < 2:
            group.delete()
            continue
        mentions: list[MissedError | Claim] = [*listed, *claims]
        group.text = mentions[0].text[:LONGEST_TEXT]
        group.kind = next((mention.kind for mention in mentions if mention.kind), "")
        group.about = next((mention.about for mention in mentions if mention.about), "")
        group.save(update_fields=["text", "kind", "about"])
