"""Images that are held elsewhere: a table of keys, prompts and methods, without files."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from exchange.cells import Cells
from exchange.headers import Columns
from exchange.manifests import DEFAULT_METHOD
from exchange.row import JsonValue
from exchange.tables import RejectLog, read_rows
from generation.models import Image, Prompt
from generation.models.digests import digest
from generation.queries.importers import Counts, Progress, Source, batches, no_progress
from generation.services.image_rows import Methods, image_digest
from generation.services.prompt_lookup import Named, PromptLookup, Unclear
from generation.services.prompts import named_prompt_set

ROWS_AT_ONCE = 1_000
MAX_NAME = 200
COLUMNS = Columns(
    ("item",),
    ("prompt", "prompt_key", "method"),
    {
        "image": "item",
        "key": "item",
        "item_key": "item",
        "text": "prompt",
        "prompt_text": "prompt",
        "prompt_id": "prompt_key",
        "model": "method",
        "t2i_model": "method",
        "generator": "method",
    },
)


def import_items(
    source: Source,
    *,
    prompt_set: str,
    method: str = "",
    owner: User | None = None,
    dry_run: bool = False,
    progress: Progress = no_progress,
    log: RejectLog,
) -> Counts:
    """Add images of which only key, prompt and method are known to the prompt set of this name, made if it is new.

    source  a table with item and prompt or prompt_id; method, model, t2i_model or generator; further columns become
            the image's facets (`provenance["facets"]`)
    method  for rows without one

    Saved in batches of 1,000 rows, each in a transaction. An image whose key is there already is unchanged where
    prompt and method agree (also where its file is held here), and refused where they do not. Facets are added to an
    image without any. Memory: about 200 bytes a row. Raises BadFile where the file cannot be read.
    """
    into = named_prompt_set(prompt_set, owner=owner, dry_run=dry_run)
    work = _Batches(PromptLookup(into, key_as_text=True, dry_run=dry_run), prompt_set, dry_run=dry_run, log=log)
    rows = read_rows(source.content, name=source.name, columns=COLUMNS, log=log)
    parsed = (
        row
        for cells in (Cells(row, log) for row in rows)
        if (row := _parse(cells, method or DEFAULT_METHOD)) is not None
    )
    for some in batches(parsed, ROWS_AT_ONCE):
        with nullcontext() if dry_run else transaction.atomic():
            work.save(some)
            progress(work.counts)
    return work.counts


@dataclass(frozen=True)
class _Item:
    number: int
    file: str
    key: str
    prompt: Named
    method: str
    facets: dict[str, JsonValue]


def _parse(cells: Cells, method: str) -> _Item | None:
    known = {*COLUMNS.required, *COLUMNS.optional}
    item = _Item(
        number=cells.row.number,
        file=cells.row.file,
        key=cells.text("item", max_length=MAX_NAME),
        prompt=Named(
            cells.text("prompt", required=False), cells.text("prompt_key", max_length=MAX_NAME, required=False)
        ),
        method=cells.text("method", max_length=MAX_NAME, required=False) or method,
        facets={name: value for name, value in cells.row.values.items() if name not in known and cells.has(name)},
    )
    if cells.ok and not any(item.prompt):
        cells.reject("prompt", "neither prompt nor prompt_id is filled in", "fill in one of them")
    return item if cells.ok else None


class _Batches:
    def __init__(self, prompts: PromptLookup, prompt_set: str, *, dry_run: bool, log: RejectLog) -> None:
        self.counts = Counts()
        self._prompts, self._prompt_set = prompts, prompt_set
        self._methods = Methods(dry_run=dry_run)
        self._dry_run, self._log = dry_run, log
        self._rows: dict[str, tuple[int, str]] = {}  # key → first row in this file, digest of what it says

    def save(self, items: Sequence[_Item]) -> None:
        fresh = [item for item in items if self._is_first(item)]
        prompts = self._prompts.find([item.prompt for item in fresh])
        self.counts.made["prompts"] = self._prompts.n_made
        stored = self._stored([item.key for item in fresh])
        new: list[Image] = []
        changed: list[Image] = []
        for item, prompt in zip(fresh, prompts, strict=True):
            if isinstance(prompt, Unclear):
                value = item.prompt.key or item.prompt.text
                self._log.note(item.file, item.number, prompt.field, value, prompt.problem, prompt.cure)
            elif (image := stored.get(item.key)) is None:
                new.append(self._image(item, prompt))
                self.counts.n_created += 1
            elif self._agrees(item, prompt, image):
                if item.facets and "facets" not in image.provenance:
                    image.provenance["facets"] = item.facets
                    changed.append(image)
                    self.counts.n_created += 1
                else:
                    self.counts.n_unchanged += 1
        if self._dry_run:
            self.counts.keys |= {image.key for image in new}
        else:
            Image.objects.bulk_create(new)
            Image.objects.bulk_update(changed, ["provenance"])
        self.counts.made["images without a file"] += len(new)
        self.counts.made["facets"] += len(changed)

    def _is_first(self, item: _Item) -> bool:
        """Whether the file says this for the first time; a repeated row changes nothing, a different one is refused."""
        says = digest(item.prompt, item.method, item.facets)
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
        images = Image.objects.filter(prompt__prompt_set__name=self._prompt_set, key__in=keys)
        return {image.key: image for image in images.select_related("method", "prompt").order_by("-pk")}

    def _agrees(self, item: _Item, prompt: Prompt, image: Image) -> bool:
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

    def _image(self, item: _Item, prompt: Prompt) -> Image:
        return Image(
            prompt=prompt,
            method=self._methods.get(item.method),
            key=item.key,
            digest=image_digest(prompt=prompt, method=item.method, content=item.key),
            provenance={"facets": item.facets} if item.facets else {},
        )
