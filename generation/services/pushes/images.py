"""Images as rows of a call: uploaded with it, or at an address of an allowed store."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, BinaryIO

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from exchange.bundles.archives import Bundle
from exchange.bundles.lineage import ImageRow
from exchange.bundles.manifests import DEFAULT_METHOD, given_rows
from exchange.bundles.names import UnsafeName, safe_name
from exchange.rejects import Reject, RejectLog
from generation.models import Image, PromptSet
from generation.queries.images import images_by_reference
from generation.queries.importers import Counts
from generation.services.imports.images import ImageBatches
from generation.services.imports.prompt_lookup import PromptLookup
from generation.services.origin import Origin
from generation.services.pushes.refused import CALL, Refused, all_or_nothing, put_on_record, refuse_others
from generation.services.pushes.stores import fetched

MOST_ROWS = 100
"""Maximum number of images per call: each takes a tenth of a second."""


class Sent(Bundle):
    """The files of a call."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(CALL, {name: len(content) for name, content in files.items()})
        self._files = files

    def open(self, entry: str) -> nullcontext[BinaryIO]:
        return nullcontext(BytesIO(self._files[entry]))


@dataclass(frozen=True)
class Pushed:
    """What happened to a row; rows count from 1."""

    row: int
    image: Image
    is_new: bool


def push_images(
    *, prompt_set: str, method: str, rows: Sequence[Mapping[str, Any]], files: Mapping[str, bytes], user: User
) -> tuple[Counts, list[Pushed]]:
    """Add images to the set of this name, which is made if it is new; returns what happened to each row, in order.

    rows   each with `file` (a name in `files`) or `url`, and as in a manifest: prompt, prompt_key, method, seed,
           round, key, parent (another row's file, or the key or SHA-256 of an image that is there); what else it
           has is kept as the image's provenance
    files  by name
    Files are checked and stored before the transaction; those that a refused call leaves are found by their content.
    Raises Refused with every row that cannot be added.
    """
    refuse_others(prompt_set, user)
    named, contents = _with_files(rows, files)
    bundle, log = Sent(contents), RejectLog(keep=200)
    parents = _outside_parents(named, bundle, prompt_set, log)
    plain = [row if _is_sent(bundle, row.get("parent")) else {**row, "parent": None} for row in named]
    found = list(given_rows(bundle, plain, log))
    kept = [_refined(row, parents.get(row.number)) for row in found]
    origin = Origin(user, by_api=True)

    def batches(into: PromptSet, log: RejectLog) -> ImageBatches:
        lookup = PromptLookup(into, origin=origin)
        return ImageBatches(
            bundle,
            manifest="its rows",
            method=method or DEFAULT_METHOD,
            prompts=lookup,
            origin=origin,
            dry_run=False,
            log=log,
        )

    read = batches(PromptSet(name=prompt_set), log).read(kept)
    if log:
        raise Refused(log.first)

    def save(log: RejectLog) -> tuple[Counts, list[Pushed]]:
        into = PromptSet.objects.get_or_create(name=prompt_set, defaults={"owner": user})[0]
        refuse_others(prompt_set, user)
        work = batches(into, log)
        for row in kept:
            if row.number in parents:
                work.settle(row.parent, parents[row.number])
        work.save(read)
        if log:
            raise Refused(log.first)
        work.counts.touch(into, work.counts.n_created)
        put_on_record(work.counts, user=user, kind="images")
        pushed = [Pushed(row.number, *work.outcome(row.file)) for row in kept]
        return work.counts, sorted(pushed, key=lambda one: one.row)

    return all_or_nothing(save)


def _with_files(
    rows: Sequence[Mapping[str, Any]], files: Mapping[str, bytes]
) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """The rows, each with a file, and all files by safe name. An address gives a file named by its row."""
    contents: dict[str, bytes] = {}
    for name, content in files.items():
        try:
            contents[safe_name(name)] = content
        except UnsafeName as error:
            raise Refused([Reject(CALL, None, "files", name, str(error), _("send it under a plain name"))]) from error
    named: list[dict[str, Any]] = []
    for number, row in enumerate(rows, 1):
        values = {name: value for name, value in row.items() if value not in (None, "")}
        if url := values.get("url"):
            if "file" in values:
                cure = _("send one of them")
                raise Refused([Reject(CALL, number, "url", url, _("the row has a file and an address"), cure)])
            values["file"] = f"row {number}"
            contents[values["file"]] = fetched(str(url), row=number)
        named.append({"image": values.pop("file", None), **values})
    return named, contents


def _outside_parents(
    rows: Sequence[Mapping[str, Any]], bundle: Bundle, prompt_set: str, log: RejectLog
) -> dict[int, Image]:
    """Row → the stored image that it was refined from, of rows whose parent is not among the call's files."""
    asked = {
        number: str(row["parent"])
        for number, row in enumerate(rows, 1)
        if row.get("parent") and not _is_sent(bundle, row["parent"])
    }
    known = images_by_reference(set(asked.values()), prompt_set) if asked else {}
    images = Image.objects.select_related("prompt").in_bulk([pk for ids in known.values() for pk in ids])
    found: dict[int, Image] = {}
    for number, reference in asked.items():
        ids = known.get(reference, [])
        if len(ids) == 1:
            found[number] = images[ids[0]]
        else:
            problem = _("%(n)s images of this set have this name") % {"n": len(ids)}
            if not ids:
                problem = _("no image of this set, and no file of the call, has this name")
            log.note(CALL, number, "parent", reference, problem, _("send the parent first, or correct its name"))
    return found


def _is_sent(bundle: Bundle, name: object) -> bool:
    """Whether a file of the call has this name."""
    try:
        return bundle.find(str(name or "")) is not None
    except UnsafeName:
        return False


def _refined(row: ImageRow, parent: Image | None) -> ImageRow:
    if parent is None:
        return row
    return replace(row, parent=f"image {parent.pk}", round=row.round or parent.round + 1)
