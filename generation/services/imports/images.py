"""Images from a folder or a zip with a manifest: files, rows, and which was refined from which."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import transaction

from exchange.bundles.archives import Bundle, Limits, open_bundle
from exchange.bundles.manifests import DEFAULT_METHOD, ImageRow, find_manifest, image_rows
from exchange.holes import NO_METHOD, Holes
from exchange.rejects import BadFile, RejectLog
from generation.models import Image, ImportRun, Reference
from generation.models.among import among
from generation.queries.importers import Counts, Progress, Source, batches, no_progress
from generation.services.image_files import FILE_FIELDS, store_image
from generation.services.imports.image_rows import Methods, image_digest, stored_images
from generation.services.imports.prompt_lookup import KnownPrompt, Named, PromptLookup, Unclear
from generation.services.imports.prompts import named_prompt_set
from generation.services.origin import Origin

# An image takes about a tenth of a second to check and render: a batch is saved, and progress shown, every few seconds.
ROWS_AT_ONCE = 20


def import_images(
    source: Source,
    *,
    prompt_set: str,
    method: str = "",
    owner: User | None = None,
    import_run: ImportRun | None = None,
    dry_run: bool = False,
    limits: Limits | None = None,
    progress: Progress = no_progress,
    log: RejectLog,
) -> Counts:
    """Add a bundle's images (see `exchange.bundles.manifests`) to the prompt set of this name, which is made if new.

    method    for images whose manifest names none
    progress  called in each batch's transaction
    owner, import_run   who adds, and by which import; their rights bound what may be written (`services.origin`)

    Prompts are found by key or text, and made from their text if new. Files go into the storage before the batch's
    rows are saved, so no row lacks its file. An image is the same when prompt, method, seed, round, parent and the
    file's bytes are, and its key where both have one; equal pictures of one manifest are as many images. An image that
    is stored without a key gets the one that its row gives. A damaged image is refused with its row, and so is what
    was refined from it. A prompt has one reference image: a row that names another one is refused.
    Memory: the manifest, and one image at a time. Raises BadFile for a bundle that cannot be taken as a whole, and
    where nothing may be added to the set.
    """
    origin = Origin(owner, import_run)
    with (
        open_bundle(source.content, name=source.name, limits=limits) as bundle,
        named_prompt_set(prompt_set, origin=origin, file=source.name, dry_run=dry_run) as into,
    ):
        work = ImageBatches(
            bundle,
            manifest=find_manifest(bundle),
            method=method or DEFAULT_METHOD,
            prompts=PromptLookup(into, origin=origin, dry_run=dry_run),
            origin=origin,
            dry_run=dry_run,
            log=log,
        )
        for rows in batches(image_rows(bundle, log, manifest=work.manifest), ROWS_AT_ONCE):
            # Decoding and rendering take long and need no lock: only the saving is a transaction.
            read = work.read(rows)
            with nullcontext() if dry_run else transaction.atomic():
                n_before = work.counts.n_created
                work.save(read)
                work.counts.touch(into, work.counts.n_created - n_before)
                progress(work.counts)
        work.warn()
        return work.counts


@dataclass(frozen=True)
class _Settled:
    """An image of this bundle that is stored or, in a dry run, would be."""

    digest: str
    image: Image


class _Codes(NamedTuple):
    """An image's identity by what it is, and by its name as well: its key, or its file in the bundle."""

    plain: str
    named: str


@dataclass(frozen=True)
class _Read:
    """A row whose files are whole and in the storage, with the file fields of its `Image` and its `Reference`."""

    row: ImageRow
    file_fields: dict[str, Any]
    reference_fields: dict[str, Any]


class ImageBatches:
    """Reads and saves rows batch by batch. manifest: what refusals call the file of the rows."""

    def __init__(
        self,
        bundle: Bundle,
        *,
        manifest: str,
        method: str,
        prompts: PromptLookup,
        origin: Origin,
        dry_run: bool,
        log: RejectLog,
    ) -> None:
        self.counts = Counts()
        self.manifest = manifest
        self._bundle, self._method, self._prompts = bundle, method, prompts
        self._methods = Methods(dry_run=dry_run)
        log.spellings.know("method", self._methods.names())
        self._origin, self._dry_run, self._log = origin, dry_run, log
        self._holes = Holes(NO_METHOD)
        self._odd: list[ImageRow] = []
        self._taken_by: dict[str, int] = {}  # digest → the row of this manifest that it is
        self._settled: dict[str, _Settled] = {}  # entry of the bundle → its image
        self._dry: dict[str, Image] = {}  # digest → image that a real run would have made
        self._new: set[str] = set()  # digests of the images that were made here
        self._references: dict[str, str] = {}  # digest of a prompt → SHA-256 of its reference image
        self._rows_with_new: set[int] = set()  # rows that brought a reference

    def settle(self, name: str, image: Image) -> None:
        """Let rows name a stored image as their parent."""
        self._settled[name] = _Settled(image.digest, image)

    def outcome(self, file: str) -> tuple[Image, bool]:
        """The image of a file that was saved, and whether it is new."""
        settled = self._settled[file]
        return settled.image, settled.digest in self._new

    def read(self, rows: Sequence[ImageRow]) -> list[_Read]:
        """Check every file and put those that are new into the storage. Refused rows are left out."""
        sums: dict[str, str] = {}
        for row in rows:
            for field, entry in _entries(row):
                try:
                    sums[entry] = sums.get(entry) or hashlib.sha256(self._bundle.read(entry)).hexdigest()
                except BadFile as bad:
                    self._refuse(row, field, entry, bad.reject.problem, bad.reject.cure)
        stored: dict[str, dict[str, Any]] = {"": {}}
        for model in (Image, Reference) if any(row.reference for row in rows) else (Image,):
            for same in (
                model._default_manager.exclude(sha256="").filter(among("sha256", set(sums.values()))).order_by()
            ):
                stored[same.sha256] = {name: getattr(same, name) for name in FILE_FIELDS}
        read = []
        for row in rows:
            if all(self._is_stored(row, field, entry, sums.get(entry), stored) for field, entry in _entries(row)):
                fields = [stored[sums.get(entry, "")] for entry in (row.file, row.reference)]
                read.append(_Read(row, *fields))
        return read

    def _is_stored(
        self, row: ImageRow, field: str, entry: str, sha256: str | None, stored: dict[str, dict[str, Any]]
    ) -> bool:
        """Put a file into the storage unless it is there; whether it is there now. sha256: None for a refused one."""
        if sha256 is not None and sha256 not in stored:
            try:
                stored[sha256] = store_image(
                    self._bundle.read(entry),
                    name=entry,
                    dry_run=self._dry_run,
                    odd_metadata=partial(self._odd.append, row),
                )
            except BadFile as bad:
                self._refuse(row, field, entry, bad.reject.problem, bad.reject.cure)
        return sha256 in stored

    def save(self, read: Sequence[_Read]) -> None:
        """Make the rows that are new; call it in a transaction."""
        prompts = self._prompts.find([Named(one.row.prompt, one.row.prompt_key) for one in read])
        chosen: list[tuple[_Read, KnownPrompt]] = []
        for one, prompt in zip(read, prompts, strict=True):
            if isinstance(prompt, Unclear):
                self._refuse(one.row, prompt.field, one.row.prompt_key or one.row.prompt, prompt.problem, prompt.cure)
            else:
                chosen.append((one, prompt))
        self.counts.made["prompts"] = self._prompts.n_made
        if any(one.row.reference for one, _prompt in chosen):
            chosen = self._save_references(chosen)
        for level in _parents_before_children(chosen):
            self._save_level(level)

    def _save_references(self, chosen: Sequence[tuple[_Read, KnownPrompt]]) -> list[tuple[_Read, KnownPrompt]]:
        """Give the prompts their references. The rows that have an image and were not refused."""
        there = Reference.objects.filter(prompt__in=[prompt.pk for one, prompt in chosen if one.row.reference])
        self._references.update(there.values_list("prompt__digest", "sha256"))
        new: list[Reference] = []
        kept: list[tuple[_Read, KnownPrompt]] = []
        for one, prompt in chosen:
            row, fields = one.row, one.reference_fields
            is_new = bool(fields) and prompt.digest not in self._references
            if fields and self._references.setdefault(prompt.digest, fields["sha256"]) != fields["sha256"]:
                problem, cure = "the prompt has another reference image", "give all rows of a prompt the same one"
                self._refuse(row, "reference", row.reference, problem, cure)
                continue
            if is_new:
                known = {name: value for name, value in row.provenance.items() if name.startswith("reference_")}
                source = {"bundle": self._bundle.name, "file": row.reference}
                provenance = {**(known if row.file else row.provenance), "source": source}
                reference = Reference(
                    prompt_id=prompt.pk,  # type: ignore[misc]  # None in a dry run, which saves nothing
                    provenance=provenance,
                    **fields,
                    **self._origin.fields,
                )
                new.append(reference)
                self._rows_with_new.add(row.number)
            if row.file:
                kept.append((one, prompt))
            else:
                self.counts.n_created += is_new
                self.counts.n_unchanged += not is_new
        if not self._dry_run:
            Reference.objects.bulk_create(new)
        self.counts.made["references"] += len(new)
        return kept

    def _save_level(self, chosen: Sequence[tuple[_Read, KnownPrompt]]) -> None:
        """Images whose parents are settled."""
        codes: dict[str, _Codes] = {}
        for one, prompt in chosen:
            row = one.row
            parent = self._settled.get(row.parent)
            if row.parent and parent is None:
                problem = "the image that it was refined from was refused"
                self._refuse(row, "parent", row.parent, problem, "fix that image's row first")
                continue
            self._holes.meet(row.number, is_empty=self._is_hole(row))
            codes[row.file] = self._codes(one, prompt, parent.digest if parent else "")
        images = stored_images([code for both in codes.values() for code in both]) | self._dry
        new: dict[str, Image] = {}
        named: list[Image] = []
        for one, prompt in chosen:
            row = one.row
            if row.file not in codes:
                continue
            code = self._code_of(row, codes[row.file], images)
            if code is None:
                continue
            if code not in images:
                images[code] = new[code] = self._image(one, prompt, code)
                self.counts.n_created += 1
            elif row.key and not images[code].key:
                images[code].key = row.key
                named.append(images[code])
                self.counts.n_created += 1
            elif row.number in self._rows_with_new:
                self.counts.n_created += 1
            else:
                self.counts.n_unchanged += 1
            self._taken_by[code] = row.number
            self._settled[row.file] = _Settled(code, images[code])
        if self._dry_run:
            self._dry |= new
            self.counts.keys |= {image.key for image in (*new.values(), *named) if image.key}
        else:
            Image.objects.bulk_create(new.values())
            Image.objects.bulk_update(named, ["key"])
        self._new |= set(new)
        self.counts.made["images"] += len(new)
        self.counts.made["keys"] += len(named)

    def _codes(self, one: _Read, prompt: KnownPrompt, parent: str) -> _Codes:
        def code(name: str) -> str:
            return image_digest(
                prompt=prompt,
                method=self._method_of(one.row),
                seed=one.row.seed,
                round=one.row.round,
                content=one.file_fields["sha256"],
                parent=parent,
                name=name,
            )

        return _Codes(code(""), code(one.row.key or one.row.file))

    def _code_of(self, row: ImageRow, codes: _Codes, images: Mapping[str, Image]) -> str | None:
        """Which image the row is, stored or new; None after it was refused.

        Equal pictures of one prompt stay apart: the first is known by its properties, others also by their names.
        """
        code = codes.named
        if codes.named not in images:
            same = images.get(codes.plain)
            is_free = same is None or (codes.plain not in self._taken_by and (not row.key or same.key in ("", row.key)))
            code = codes.plain if is_free or (row.key and same is not None and same.key == row.key) else codes.named
        if (number := self._taken_by.get(code)) is not None:
            problem = f"row {number} has the same image under this key"
            self._refuse(row, "key", row.key, problem, "name each image once, by a key of its own")
            return None
        return code

    def _image(self, one: _Read, prompt: KnownPrompt, code: str) -> Image:
        row = one.row
        parent = self._settled[row.parent].image if row.parent else None
        note = {Image.METHOD_IS_UNKNOWN: True} if self._is_hole(row) else {}
        return Image(
            prompt_id=prompt.pk,  # type: ignore[misc]  # a dry run saves no image, and its new prompts have no key
            method=self._methods.get(self._method_of(row), is_refined=parent is not None),
            parent=parent,
            round=row.round,
            seed=row.seed,
            key=row.key,
            digest=code,
            provenance={**row.provenance, **note, "source": {"bundle": self._bundle.name, "file": row.file}},
            **one.file_fields,
            **self._origin.fields,
        )

    def warn(self) -> None:
        """Warn of values that were accepted but may not be intended, once all rows are imported."""
        file = f"{self._bundle.name}: {self.manifest}"
        self._holes.warn(self._log, file)
        if self._odd:
            n, first = len(self._odd), self._odd[0]
            images = "1 image has" if n == 1 else f"{n:,} images have"
            self._log.warn(
                f"{file}: {images} metadata (EXIF) that cannot be read in full: the pixels are whole, but an "
                f'orientation may be missed, so look whether they are upright; the first is "{first.file}" in row '
                f"{first.number}."
            )

    def _is_hole(self, row: ImageRow) -> bool:
        """Whether nobody says by which method this image was made, though the manifest says it of others."""
        return not row.has_method and self._method == DEFAULT_METHOD

    def _method_of(self, row: ImageRow) -> str:
        return self._method if row.method == DEFAULT_METHOD else row.method

    def _refuse(self, row: ImageRow, field: str, value: str, problem: str, cure: str) -> None:
        self._log.note(f"{self._bundle.name}: {self.manifest}", row.number, field, value, problem, cure)


def _entries(row: ImageRow) -> list[tuple[str, str]]:
    """The files that a row names, each with its column."""
    return [(field, entry) for field, entry in (("image", row.file), ("reference", row.reference)) if entry]


def _parents_before_children(chosen: Sequence[tuple[_Read, KnownPrompt]]) -> list[list[tuple[_Read, KnownPrompt]]]:
    """The rows in layers, none of which holds an image and its parent: a parent needs its row before its child."""
    depth: dict[str, int] = {}
    layers: list[list[tuple[_Read, KnownPrompt]]] = []
    for one, prompt in chosen:
        depth[one.row.file] = here = depth.get(one.row.parent, -1) + 1
        while len(layers) <= here:
            layers.append([])
        layers[here].append((one, prompt))
    return layers
