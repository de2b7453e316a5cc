"""Images from a folder or a zip with a manifest: files, rows, and which was refined from which."""

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from exchange.archives import Bundle, Limits, open_bundle
from exchange.manifests import DEFAULT_METHOD, ImageRow, find_manifest, image_rows
from exchange.tables import BadFile, RejectLog
from generation.models import Image, Prompt
from generation.queries.importers import Counts, Progress, Source, batches, no_progress
from generation.services.image_files import FILE_FIELDS, store_image
from generation.services.image_rows import Methods, image_digest, stored_images
from generation.services.prompt_lookup import Named, PromptLookup, Unclear
from generation.services.prompts import named_prompt_set

# An image takes about a tenth of a second to check and render: a batch is saved, and progress shown, every few seconds.
ROWS_AT_ONCE = 20


def import_images(
    source: Source,
    *,
    prompt_set: str,
    method: str = "",
    owner: User | None = None,
    dry_run: bool = False,
    limits: Limits | None = None,
    progress: Progress = no_progress,
    log: RejectLog,
) -> Counts:
    """Add the images of a bundle (see `exchange.manifests`) to the prompt set of this name, which is made if new.

    method    for images whose manifest names none
    progress  called in each batch's transaction

    Prompts are found by key or text, and made from their text if new. Files go into the storage before the batch's
    rows are saved, so no row lacks its file. An image is the same when prompt, method, seed, round, parent and the
    file's bytes are. A damaged image is refused with its row, and so is what was refined from it.
    Memory: the manifest, and one image at a time. Raises BadFile for a bundle that cannot be taken as a whole.
    """
    with open_bundle(source.content, name=source.name, limits=limits) as bundle:
        work = _Batches(
            bundle,
            method=method or DEFAULT_METHOD,
            prompts=PromptLookup(named_prompt_set(prompt_set, owner=owner, dry_run=dry_run), dry_run=dry_run),
            dry_run=dry_run,
            log=log,
        )
        for rows in batches(image_rows(bundle, log, manifest=work.manifest), ROWS_AT_ONCE):
            # Decoding and rendering take long and need no lock: only the saving is a transaction.
            read = work.read(rows)
            with nullcontext() if dry_run else transaction.atomic():
                work.save(read)
                progress(work.counts)
        return work.counts


@dataclass(frozen=True)
class _Settled:
    """An image of this bundle that is stored or, in a dry run, would be."""

    digest: str
    image: Image


@dataclass(frozen=True)
class _Read:
    """A row whose file is whole and in the storage, with the file fields of its `Image`."""

    row: ImageRow
    file_fields: dict[str, Any]


class _Batches:
    def __init__(self, bundle: Bundle, *, method: str, prompts: PromptLookup, dry_run: bool, log: RejectLog) -> None:
        self.counts = Counts()
        self.manifest = find_manifest(bundle)
        self._bundle, self._method, self._prompts = bundle, method, prompts
        self._methods = Methods(dry_run=dry_run)
        self._dry_run, self._log = dry_run, log
        self._settled: dict[str, _Settled] = {}  # entry of the bundle → its image
        self._dry: dict[str, Image] = {}  # digest → image that a real run would have made

    def read(self, rows: Sequence[ImageRow]) -> list[_Read]:
        """Check every file and put those that are new into the storage. Refused rows are left out."""
        sums: dict[str, str] = {}
        for row in rows:
            try:
                sums[row.file] = hashlib.sha256(self._bundle.read(row.file)).hexdigest()
            except BadFile as bad:
                self._refuse(row, "image", row.file, bad.reject.problem, bad.reject.cure)
        known = {image.sha256: image for image in Image.objects.filter(sha256__in=set(sums.values()))}
        read = []
        for row in rows:
            if row.file not in sums:
                continue
            if (same := known.get(sums[row.file])) is not None:
                read.append(_Read(row, {name: getattr(same, name) for name in FILE_FIELDS}))
                continue
            try:
                fields = store_image(self._bundle.read(row.file), name=row.file, dry_run=self._dry_run)
            except BadFile as bad:
                self._refuse(row, "image", row.file, bad.reject.problem, bad.reject.cure)
                continue
            read.append(_Read(row, fields))
        return read

    def save(self, read: Sequence[_Read]) -> None:
        """Make the rows that are new; call it in a transaction."""
        prompts = self._prompts.find([Named(one.row.prompt, one.row.prompt_key) for one in read])
        chosen: list[tuple[_Read, Prompt]] = []
        for one, prompt in zip(read, prompts, strict=True):
            if isinstance(prompt, Unclear):
                self._refuse(one.row, prompt.field, one.row.prompt_key or one.row.prompt, prompt.problem, prompt.cure)
            else:
                chosen.append((one, prompt))
        self.counts.made["prompts"] = self._prompts.n_made
        for level in _parents_before_children(chosen):
            self._save_level(level)

    def _save_level(self, chosen: Sequence[tuple[_Read, Prompt]]) -> None:
        """Images whose parents are settled."""
        digests: dict[str, str] = {}
        for one, prompt in chosen:
            row = one.row
            parent = self._settled.get(row.parent)
            if row.parent and parent is None:
                problem = "the image that it was refined from was refused"
                self._refuse(row, "parent", row.parent, problem, "mend that image's row first")
                continue
            digests[row.file] = image_digest(
                prompt=prompt,
                method=self._method_of(row),
                seed=row.seed,
                round=row.round,
                content=one.file_fields["sha256"],
                parent=parent.digest if parent else "",
            )
        images = stored_images(list(digests.values())) | self._dry
        new: dict[str, Image] = {}
        for one, prompt in chosen:
            code = digests.get(one.row.file)
            if code is None:
                continue
            if code in images:
                self.counts.n_unchanged += 1
            else:
                images[code] = new[code] = self._image(one, prompt, code)
                self.counts.n_created += 1
            self._settled[one.row.file] = _Settled(code, images[code])
        if self._dry_run:
            self._dry |= new
            self.counts.keys |= {image.key for image in new.values() if image.key}
        else:
            Image.objects.bulk_create(new.values())
        self.counts.made["images"] += len(new)

    def _image(self, one: _Read, prompt: Prompt, code: str) -> Image:
        row = one.row
        parent = self._settled[row.parent].image if row.parent else None
        return Image(
            prompt=prompt,
            method=self._methods.get(self._method_of(row), is_refined=parent is not None),
            parent=parent,
            round=row.round,
            seed=row.seed,
            key=row.key,
            digest=code,
            provenance={**row.provenance, "source": {"bundle": self._bundle.name, "file": row.file}},
            **one.file_fields,
        )

    def _method_of(self, row: ImageRow) -> str:
        return self._method if row.method == DEFAULT_METHOD else row.method

    def _refuse(self, row: ImageRow, field: str, value: str, problem: str, cure: str) -> None:
        self._log.note(f"{self._bundle.name}: {self.manifest}", row.number, field, value, problem, cure)


def _parents_before_children(chosen: Sequence[tuple[_Read, Prompt]]) -> list[list[tuple[_Read, Prompt]]]:
    """The rows in layers, none of which holds an image and its parent: a parent needs its row before its child."""
    depth: dict[str, int] = {}
    layers: list[list[tuple[_Read, Prompt]]] = []
    for one, prompt in chosen:
        depth[one.row.file] = here = depth.get(one.row.parent, -1) + 1
        while len(layers) <= here:
            layers.append([])
        layers[here].append((one, prompt))
    return layers
