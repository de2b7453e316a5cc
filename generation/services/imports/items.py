"""Images that are held elsewhere: a table of keys, prompts and methods, without files."""

import json
from collections import defaultdict
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import repeat
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db import transaction

from exchange.bundles.manifests import DEFAULT_METHOD
from exchange.holes import NO_METHOD, NO_PROMPT, NO_PROMPT_ID, Holes
from exchange.rejects import RejectLog
from exchange.study_tables import ITEMS
from exchange.tables.cells import Cells
from exchange.tables.row import JsonValue
from exchange.tables.rows import read_rows
from exchange.tables.values import MAX_TEXT
from generation.models import Image, ImportRun
from generation.models.bulk import Same, insert_columns
from generation.queries.images import with_keys
from generation.queries.importers import Counts, Progress, Source, batches, no_progress
from generation.services.imports.image_rows import Methods, image_digest
from generation.services.imports.prompt_lookup import KnownPrompt, Named, PromptLookup, Unclear
from generation.services.imports.prompts import named_prompt_set
from generation.services.origin import Origin

ROWS_AT_ONCE = 5_000
MAX_NAME = 200
IMAGE = ("prompt_id", "method_id", "key", "digest", "provenance")


def import_items(
    source: Source,
    *,
    prompt_set: str,
    method: str = "",
    owner: User | None = None,
    import_run: ImportRun | None = None,
    dry_run: bool = False,
    progress: Progress = no_progress,
    log: RejectLog,
) -> Counts:
    """Add images of which only key, prompt and method are known to the prompt set of this name, made if it is new.

    source  a table with item and prompt or prompt_id; method, model, t2i_model or generator; further columns become
            the image's facets (`provenance["facets"]`)
    method  for rows without one; where neither says it, the method is "imported", and an empty cell of the column is
            noted (`Image.METHOD_IS_UNKNOWN`), so that results name no method
    owner, import_run   who adds, and by which import; their rights bound what may be written (`services.origin`)

    Saved in batches of 5,000 rows, each in a transaction. An image whose key is there already is unchanged where
    prompt and method agree (also where its file is held here), and refused where they do not. Facets are added to an
    image without any. Empty cells in columns that other rows fill are counted in warnings. Memory: about 200 bytes per
    row. Raises BadFile where the file cannot be read, or nothing may be added to the set.
    """
    origin = Origin(owner, import_run)
    rows = read_rows(source.content, name=source.name, columns=ITEMS, log=log)
    parsed = (row for cells in (Cells(row, log) for row in rows) if (row := _parse(cells, method)) is not None)
    with named_prompt_set(prompt_set, origin=origin, file=source.name, dry_run=dry_run) as into:
        prompts = PromptLookup(into, origin=origin, key_as_text=True, dry_run=dry_run)
        work = _Batches(prompts, prompt_set, origin=origin, dry_run=dry_run, log=log)
        for some in batches(parsed, ROWS_AT_ONCE):
            with nullcontext() if dry_run else transaction.atomic():
                n_before = work.counts.n_created
                work.save(some)
                work.counts.touch(into, work.counts.n_created - n_before)
                progress(work.counts)
    work.warn_of_holes(source.name)
    return work.counts


class _Item(NamedTuple):
    number: int
    file: str
    key: str
    prompt: Named
    method: str
    has_method: bool
    facets: dict[str, JsonValue]


def _parse(cells: Cells, method: str) -> _Item | None:
    known = {*ITEMS.required, *ITEMS.optional}
    own_method = cells.known_text("method", max_length=MAX_NAME, required=False) or method
    item = _Item(
        number=cells.row.number,
        file=cells.row.file,
        key=cells.known_text("item", max_length=MAX_NAME),
        prompt=Named(
            cells.known_text("prompt", max_length=MAX_TEXT, required=False),
            cells.known_text("prompt_id", max_length=MAX_NAME, required=False),
        ),
        method=own_method or DEFAULT_METHOD,
        has_method=bool(own_method) or "method" not in cells.row.values,
        facets={name: value for name, value in cells.row.values.items() if name not in known and cells.has(name)},
    )
    if cells.ok and not any(item.prompt):
        cells.reject("prompt", f"the item has {NO_PROMPT}", "fill in prompt or prompt_id, or remove the row")
    return item if cells.ok else None


class _Batches:
    def __init__(
        self, prompts: PromptLookup, prompt_set: str, *, origin: Origin, dry_run: bool, log: RejectLog
    ) -> None:
        self.counts = Counts()
        self._prompts, self._prompt_set = prompts, prompt_set
        self._methods = Methods(dry_run=dry_run)
        log.spellings.know("method", self._methods.names())
        self._origin, self._dry_run, self._log = origin, dry_run, log
        self._holes = {NO_PROMPT_ID: Holes(NO_PROMPT_ID), NO_METHOD: Holes(NO_METHOD)}
        self._rows: dict[str, tuple[int, int]] = {}  # key → first row in this file, hash of what it says

    def save(self, items: Sequence[_Item]) -> None:
        self._meet_names(items)
        fresh = [item for item in items if self._is_first(item)]
        for item in fresh:
            self._holes[NO_METHOD].meet(item.number, is_empty=not item.has_method)
        prompts = self._prompts.find(_with_keys([item.prompt for item in fresh]))
        self.counts.made["prompts"] = self._prompts.n_made
        stored = self._stored([item.key for item in fresh])
        new: list[tuple[Any, ...]] = []
        new_keys: list[str] = []
        changed: list[Image] = []
        for item, prompt in zip(fresh, prompts, strict=True):
            if isinstance(prompt, Unclear):
                value = item.prompt.key or item.prompt.text
                self._log.note(item.file, item.number, prompt.field, value, prompt.problem, prompt.cure)
                continue
            self._holes[NO_PROMPT_ID].meet(item.number, is_empty=not item.prompt.key)
            if (image := stored.get(item.key)) is None:
                new.append(self._image(item, prompt))
                new_keys.append(item.key)
                self.counts.n_created += 1
            elif self._agrees(item, prompt, image):
                if item.facets and "facets" not in image.provenance:
                    image.provenance["facets"] = item.facets
                    changed.append(image)
                    self.counts.n_created += 1
                else:
                    self.counts.n_unchanged += 1
        if self._dry_run:
            self.counts.keys.update(new_keys)
        else:
            added_by, import_run = (Same(pk) for pk in self._origin.ids)
            columns = dict(zip(IMAGE, zip(*new, strict=True) if new else repeat(()), strict=False))
            insert_columns(Image, columns | {"added_by_id": added_by, "import_run_id": import_run}, len(new))
            if changed:
                Image.objects.bulk_update(changed, ["provenance"])
        self.counts.made["images without a file"] += len(new)
        self.counts.made["facets"] += len(changed)

    def warn_of_holes(self, file: str) -> None:
        for holes in self._holes.values():
            holes.warn(self._log, file)

    def _meet_names(self, items: Sequence[_Item]) -> None:
        """Names that are nearly the same are among the log's warnings."""
        for file in dict.fromkeys(item.file for item in items):
            named = {
                "method": (item.method for item in items if item.has_method),
                "item": (item.key for item in items),
                "prompt": (item.prompt.text for item in items if item.prompt.text),
                "prompt_id": (item.prompt.key for item in items if item.prompt.key),
            }
            for what, names in named.items():
                self._log.spellings.meet(file, what, names)

    def _is_first(self, item: _Item) -> bool:
        """Whether the file says this for the first time; a repeated row changes nothing, a different one is refused."""
        facets = json.dumps(item.facets, sort_keys=True) if item.facets else ""
        says = hash((item.prompt, item.method, facets))
        row, before = self._rows.setdefault(item.key, (item.number, says))
        if row == item.number:
            return True
        if before == says:
            self.counts.n_unchanged += 1
        else:
            problem = f"row {row} says something else about this item; nothing was overwritten"
            self._log.note(item.file, item.number, "item", item.key, problem, "keep one of the two rows")
        return False

    def _stored(self, keys: Sequence[str]) -> dict[str, Image]:
        images = with_keys(keys).select_related("method", "prompt__prompt_set").order_by("-pk")
        return {image.key: image for image in images if image.prompt.prompt_set.name == self._prompt_set}

    def _agrees(self, item: _Item, prompt: KnownPrompt, image: Image) -> bool:
        wrong = ""
        if image.prompt_id != prompt.pk:
            wrong = f'another prompt ("{image.prompt.text[:80]}")'
        elif image.method.name != item.method:
            wrong = f'another method ("{image.method.name}")'
        elif item.facets and image.provenance.get("facets", item.facets) != item.facets:
            wrong = "other values in its further columns"
        if wrong:
            problem = f'"{self._prompt_set}" has this item with {wrong}; nothing was overwritten'
            self._log.note(
                item.file, item.number, "item", item.key, problem, "correct the row, or use another prompt set"
            )
        return not wrong

    def _image(self, item: _Item, prompt: KnownPrompt) -> tuple[Any, ...]:
        """The row of a new image: see `IMAGE`."""
        provenance: dict[str, JsonValue] = {"facets": item.facets} if item.facets else {}
        if not item.has_method:
            provenance[Image.METHOD_IS_UNKNOWN] = True
        return (
            prompt.pk,
            self._methods.get(item.method).pk,
            item.key,
            image_digest(prompt=prompt, method=item.method, content=item.key),
            provenance,
        )


def _with_keys(names: Sequence[Named]) -> list[Named]:
    """The names, each without a key with the only key that another one gives to the same text."""
    keys: defaultdict[str, set[str]] = defaultdict(set)
    for name in names:
        if name.key and name.text:
            keys[name.text].add(name.key)
    return [
        Named(name.text, next(iter(keys[name.text]))) if not name.key and len(keys[name.text]) == 1 else name
        for name in names
    ]
