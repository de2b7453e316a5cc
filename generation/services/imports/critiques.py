"""Critiques of images with their claims, from a table."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from contextlib import nullcontext

from django.contrib.auth.models import User
from django.db import transaction

from exchange.rejects import RejectLog
from generation.models import Claim, Critique, Image, ImportRun
from generation.models.digests import digest
from generation.queries.importers import Counts, Progress, Source, batches, no_progress
from generation.services.imports.critique_rows import CritiqueRow, read_critiques
from generation.services.imports.targets import NEW, Target
from generation.services.origin import Origin

ROWS_AT_ONCE = 500


def import_critiques(
    source: Source,
    *,
    critic: str = "",
    prompt_set: str = "",
    owner: User | None = None,
    import_run: ImportRun | None = None,
    known: AbstractSet[str] = frozenset(),
    dry_run: bool = False,
    progress: Progress = no_progress,
    log: RejectLog,
) -> Counts:
    """Add the critiques of a file (see `critique_rows`), each with its claims.

    critic      for rows that name none; prompt_set: only that set's images are meant
    owner, import_run   who adds, and by which import: only images of prompt sets that they may add to are meant
    known       in a dry run: keys of images that earlier steps would have made

    Saved in batches of 500 critiques, each in a transaction. A critique is the same when image, critic, version, text,
    refined prompt and claims are; it is then unchanged. A critic may say several things of one image: other words are
    another critique. Memory: one batch, and 100 bytes per critique. Raises BadFile where the file cannot be read, or
    nothing may be added to the named set.
    """
    counts = Counts()
    target = Target.of(prompt_set, Origin(owner, import_run), file=source.name)
    seen: set[str] = set()
    for rows in batches(read_critiques(source, critic=critic, log=log), ROWS_AT_ONCE):
        with nullcontext() if dry_run else transaction.atomic():
            _save(rows, seen, counts, source.name, target, known, dry_run=dry_run, log=log)
            progress(counts)
    return counts


def critique_digest(image_digest: str, row: CritiqueRow) -> str:
    claims = [[c.rank, c.text, c.kind, c.about, c.severity, c.confidence] for c in row.claims]
    control = [] if row.source == Critique.Source.CRITIC else [row.source]
    return digest(
        "critique", image_digest, row.critic, row.critic_version, row.text, row.refined_prompt, claims, *control
    )


def _save(
    rows: Sequence[CritiqueRow],
    seen: set[str],
    counts: Counts,
    file: str,
    target: Target,
    known: AbstractSet[str],
    *,
    dry_run: bool,
    log: RejectLog,
) -> None:
    references = target.images({row.image for row in rows})
    ids = {pk for found in references.values() for pk in found}
    digests = dict(Image.objects.filter(pk__in=ids).values_list("pk", "digest"))
    placed: dict[str, tuple[CritiqueRow, int]] = {}
    for row in rows:
        found = references.get(row.image, [])
        if len(found) != 1 and (found or row.image not in known):
            log.note(file, row.number, "image", row.image, *target.unplaced(row.image, found))
            continue
        code = critique_digest(digests[found[0]] if found else row.image, row)
        if code in placed or code in seen:
            counts.n_unchanged += row.n_rows
        else:
            placed[code] = row, found[0] if found else NEW
    stored = set(Critique.objects.filter(digest__in=placed).values_list("digest", flat=True))
    counts.n_unchanged += sum(row.n_rows for code, (row, _) in placed.items() if code in stored)
    new = {code: place for code, place in placed.items() if code not in stored}
    counts.n_created += sum(row.n_rows for row, _ in new.values())
    counts.made["critiques"] += len(new)
    counts.made["claims"] += sum(len(row.claims) for row, _ in new.values())
    if dry_run:
        seen.update(new)
        return
    critiques = Critique.objects.bulk_create(
        Critique(
            image_id=image,
            critic=row.critic,
            critic_version=row.critic_version,
            source=row.source,
            split=Critique.Split.NUMBERED if row.is_split else Critique.Split.GIVEN,
            text=row.text,
            refined_prompt=row.refined_prompt,
            provenance=row.provenance,
            digest=code,
            **target.origin.fields,
        )
        for code, (row, image) in new.items()
    )
    added = [image for row, image in new.values() for _ in range(row.n_rows)]
    target.note_touched(counts, [image for _, image in placed.values()], added)
    Claim.objects.bulk_create(
        Claim(
            critique=critique,
            rank=claim.rank,
            text=claim.text,
            kind=claim.kind,
            about=claim.about,
            severity=claim.severity,
            confidence=claim.confidence,
        )
        for critique, (row, _) in zip(critiques, new.values(), strict=True)
        for claim in row.claims
    )
