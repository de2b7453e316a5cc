"""Prompt sets from files: prompts and their variants, once each, however often they are imported."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

from django.contrib.auth.models import User
from django.db import transaction

from exchange.known_files import PromptRow, read_prompts
from exchange.rejects import BadFile, RejectLog
from generation.models import ImportRun, Prompt, PromptSet, PromptVariant
from generation.models.digests import digest
from generation.queries.importers import Counts, Progress, Source, batches, no_progress
from generation.services.origin import Origin

ROWS_AT_ONCE = 1_000
KINDS = frozenset(PromptVariant.Kind.values)


@contextmanager
def named_prompt_set(name: str, *, origin: Origin, file: str, dry_run: bool = False) -> Iterator[PromptSet]:
    """The prompt set of this name, made now if there is none; in a dry run a new one stays unsaved.

    A set that was made for a file of which nothing could be taken is taken back. Raises BadFile, about `file`, where
    the set is there and may not be added to.
    """
    there = PromptSet.objects.filter(name=name).first()
    if there is not None and (refusal := origin.refusal(there, file=file)) is not None:
        raise refusal
    if dry_run:
        yield there or PromptSet(name=name)
        return
    into, is_new = PromptSet.objects.get_or_create(name=name, defaults={"owner": origin.user})
    try:
        yield into
    except BadFile:
        _take_back_if_empty(into, is_new=is_new)
        raise
    _take_back_if_empty(into, is_new=is_new)


def _take_back_if_empty(prompt_set: PromptSet, *, is_new: bool) -> None:
    if is_new and not prompt_set.prompts.exists():
        prompt_set.delete()


def import_prompts(
    source: Source,
    *,
    prompt_set: str,
    category: str = "",
    owner: User | None = None,
    import_run: ImportRun | None = None,
    dry_run: bool = False,
    progress: Progress = no_progress,
    log: RejectLog,
    rows_at_once: int = ROWS_AT_ONCE,
) -> Counts:
    """Add the prompts of a file to the prompt set of this name, which is made if it is new.

    source    any table that `exchange.known_files` understands; `category` is for rows without one
    progress  called in each batch's transaction
    owner, import_run   who adds, and by which import; their rights bound what may be written (`services.origin`)

    Saved in batches of `rows_at_once`, each in a transaction: repeating an interrupted import continues it.
    A prompt is the same when text, category, sub-category, topic and key are; further columns that differ from what
    is stored are refused, and so is a key that belongs to another prompt. Memory: about 300 bytes per row.
    Raises BadFile where the file as a whole cannot be read, or nothing may be added to the set.
    """
    origin = Origin(owner, import_run)
    with named_prompt_set(prompt_set, origin=origin, file=source.name, dry_run=dry_run) as into:
        batch = _Batches(into, source.name, origin=origin, dry_run=dry_run, log=log)
        for rows in batches(read_prompts(source.content, name=source.name, log=log, category=category), rows_at_once):
            with nullcontext() if dry_run else transaction.atomic():
                batch.save(rows)
                progress(batch.counts)
    return batch.counts


class _Batches:
    """Compares each batch with what the file and the database had before, and saves what is new."""

    def __init__(self, prompt_set: PromptSet, file: str, *, origin: Origin, dry_run: bool, log: RejectLog) -> None:
        self.counts = Counts()
        self._origin = origin
        self._into, self._file, self._dry_run, self._log = prompt_set, file, dry_run, log
        self._rows: dict[str, tuple[int, str]] = {}  # prompt's digest → first row in this file, digest of its metadata
        self._keys: dict[str, str] = {}  # key → digest of the prompt that has it
        self._variants: set[str] = set()

    def save(self, rows: Sequence[PromptRow]) -> None:
        digests = [Prompt.digest_of(r.text, r.category, r.sub_category, r.topic, r.key) for r in rows]
        stored = self._stored(digests)
        key_owners = self._key_owners([row.key for row in rows if row.key]) | self._keys
        new: dict[str, Prompt] = {}
        accepted: list[tuple[PromptRow, str, dict[str, str]]] = []
        for row, code in zip(rows, digests, strict=True):
            if not self._is_consistent(row, code, stored.get(code), key_owners):
                continue
            if row.key:
                key_owners[row.key] = self._keys[row.key] = code
            metadata, variants = _sorted_out(row)
            if code not in stored and code not in self._rows:
                new[code] = Prompt(
                    prompt_set=self._into,
                    digest=code,
                    key=row.key,
                    text=row.text,
                    category=row.category,
                    sub_category=row.sub_category,
                    topic=row.topic,
                    metadata=metadata,
                    **self._origin.fields,
                )
            self._rows.setdefault(code, (row.number, digest(metadata)))
            accepted.append((row, code, variants))
        if not self._dry_run:
            Prompt.objects.bulk_create(new.values())
        self.counts.made["prompts"] += len(new)
        variants_of = self._save_variants(accepted, stored | new)
        counted: set[str] = set()
        n_before = self.counts.n_created
        for _row, code, _variants in accepted:
            is_new = (code in new or code in variants_of) and code not in counted
            counted.add(code)
            self.counts.n_created += is_new
            self.counts.n_unchanged += not is_new
        self.counts.touch(self._into, self.counts.n_created - n_before)

    def _stored(self, digests: Sequence[str]) -> dict[str, Prompt]:
        if self._into.pk is None:
            return {}
        return {p.digest: p for p in Prompt.objects.filter(prompt_set=self._into, digest__in=digests)}

    def _key_owners(self, keys: Sequence[str]) -> dict[str, str]:
        """Key → digest of the prompt that has it, in the set as it was before."""
        if self._into.pk is None or not keys:
            return {}
        return dict(Prompt.objects.filter(prompt_set=self._into, key__in=keys).values_list("key", "digest"))

    def _is_consistent(self, row: PromptRow, code: str, stored: Prompt | None, key_owners: dict[str, str]) -> bool:
        if row.key and key_owners.get(row.key, code) != code:
            problem = f'the key "{row.key}" belongs to another prompt of "{self._into.name}"'
            cure = "give each prompt a key of its own, or import into another prompt set"
            self._log.note(self._file, row.number, "key", row.key, problem, cure)
            return False
        metadata, _ = _sorted_out(row)
        earlier = self._rows.get(code)
        if earlier is not None and earlier[1] != digest(metadata):
            self._refuse_metadata(row, f"row {earlier[0]} has")
            return False
        if earlier is None and stored is not None and stored.metadata != metadata:
            self._refuse_metadata(row, f'"{self._into.name}" has')
            return False
        return True

    def _refuse_metadata(self, row: PromptRow, where: str) -> None:
        problem = f"{where} the same prompt with other values in its further columns; nothing was overwritten"
        cure = "make the further columns alike, or tell the two prompts apart by a key"
        self._log.note(self._file, row.number, "", row.text, problem, cure)

    def _save_variants(
        self, accepted: Sequence[tuple[PromptRow, str, dict[str, str]]], prompts: dict[str, Prompt]
    ) -> set[str]:
        """Save variants that are new; the digests of the prompts that got one."""
        wanted = {
            f"{code} {kind} {digest(text)}": (code, kind, text)
            for _row, code, variants in accepted
            for kind, text in variants.items()
        }
        stored = [prompt.pk for prompt in prompts.values() if prompt.pk]
        rows = PromptVariant.objects.filter(prompt__in=stored) if wanted and stored else PromptVariant.objects.none()
        known = {f"{p} {kind} {code}" for p, kind, code in rows.values_list("prompt__digest", "kind", "digest")}
        new = {name: parts for name, parts in wanted.items() if name not in known and name not in self._variants}
        if self._dry_run:
            self._variants.update(new)
        else:
            PromptVariant.objects.bulk_create(
                PromptVariant(prompt=prompts[code], kind=kind, text=text, digest=digest(text))
                for code, kind, text in new.values()
            )
        self.counts.made["variants"] += len(new)
        return {code for code, _kind, _text in new.values()}


def _sorted_out(row: PromptRow) -> tuple[dict[str, object], dict[str, str]]:
    """(metadata, variants): wordings of kinds that we have no name for are kept as metadata."""
    known = {kind: text for kind, text in row.variants.items() if kind in KINDS}
    other = {f"{kind}_prompt": text for kind, text in row.variants.items() if kind not in KINDS}
    return {**row.metadata, **other}, known
