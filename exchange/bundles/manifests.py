"""The manifest of a bundle of images: each file's prompt, method, and the image it was refined from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from exchange.bundles.archives import Bundle
from exchange.bundles.lineage import ImageRow, parents_first
from exchange.bundles.names import UnsafeName
from exchange.rejects import RejectLog, bad_file
from exchange.tables.cells import Cells
from exchange.tables.headers import Columns, folded
from exchange.tables.row import JsonValue, Row
from exchange.tables.rows import read_rows
from exchange.tables.values import MAX_INTEGER, MAX_TEXT
from exchange.wording import listed

MANIFEST_NAMES = ("manifest", "images", "pairs", "metadata")
"""Searched for in this order, each with one of MANIFEST_ENDINGS, at the top level or in the only folder there."""
MANIFEST_ENDINGS = (".csv", ".tsv", ".jsonl", ".json", ".parquet")
IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".webp")

MAX_ROUND = 1_000
DEFAULT_METHOD = "imported"

_IMAGES = Columns(
    ("image",),
    ("prompt", "prompt_key", "method", "seed", "round", "parent", "key", "reference"),
    {
        "file": "image",
        "file_name": "image",
        "filename": "image",
        "image_file": "image",
        "path": "image",
        "text": "prompt",
        "prompt_id": "prompt_key",
        "model": "method",
        "generator": "method",
        "t2i_model": "method",
        "parent_image": "parent",
        "baseline": "parent",
        "reference_image": "reference",
    },
)
_PAIRS = Columns(
    ("baseline", "refined"),
    ("case", "generator", "prompt", "prompt_key", "reference"),
    {
        "key": "case",
        "id": "case",
        "model": "generator",
        "text": "prompt",
        "prompt_id": "prompt_key",
        "reference_image": "reference",
    },
)


def find_manifest(bundle: Bundle) -> str:
    """The bundle's manifest. Raises BadFile if there is none, or no obvious one."""
    tables = [entry for entry in bundle.names if entry.casefold().endswith(MANIFEST_ENDINGS)]
    depth = min((entry.count("/") for entry in tables), default=0)
    top = [entry for entry in tables if entry.count("/") == depth]
    for stem in MANIFEST_NAMES:
        for ending in MANIFEST_ENDINGS:
            named = [entry for entry in top if entry.rpartition("/")[2].casefold() == stem + ending]
            if len(named) == 1:
                return named[0]
    if len(top) == 1:
        return top[0]
    raise bad_file(
        bundle.name,
        f"no obvious manifest; tables found: {listed(tables)}" if tables else "there is no manifest",
        "add manifest.csv with the columns image, prompt and method, or pairs.csv with prompt, baseline and refined",
    )


def image_rows(bundle: Bundle, log: RejectLog, *, manifest: str = "") -> Iterator[ImageRow]:
    """The images that the manifest names and the bundle holds; each parent comes before the images refined from it.

    Rows with a reference and no image come first.

    manifest  the entry to read; by default the one that `find_manifest` finds

    Rows whose file is missing or named twice, or without a prompt, go to the log, and so do rows whose parent is not
    among the good ones, and image files that no row names. The whole manifest is held in memory, at most one row for
    each entry of the bundle. Raises BadFile where the manifest as a whole cannot be read.
    """
    entry = manifest or find_manifest(bundle)
    called = f"{bundle.name}: {entry}"
    good: dict[str, ImageRow] = {}
    named: set[str] = set()
    with bundle.open(entry) as stream:
        rows = read_rows(stream, name=called, log=log)
        first = next(rows, None)
        if first is None:
            if not log:
                raise bad_file(called, "the manifest has no rows", "name each image in a row of its own")
            return
        reader = _reader_of(list(first.values), bundle, entry, called, log)
        for row in chain([first], rows):
            found = reader.read(row)
            named.update(reader.mentioned)
            for image in found:
                if not image.file:
                    yield image
                elif image.file in good:
                    problem = f"the image is named in row {good[image.file].number} already"
                    log.note(called, row.number, "image", image.file, problem, "name each image once")
                else:
                    good[image.file] = image
    yield from parents_first(good, called, log)
    for name in bundle.names:
        if name not in named and name.casefold().endswith(IMAGE_ENDINGS):
            problem = "no row of the manifest names this image; it is not imported"
            log.note(bundle.name, None, "image", name, problem, "add a row for it, or take the file out")


def given_rows(bundle: Bundle, rows: Sequence[Mapping[str, JsonValue]], log: RejectLog) -> Iterator[ImageRow]:
    """Like `image_rows`, for rows that came without a manifest; their numbers count from 1."""
    reader = _ImageReader(bundle, "", _IMAGES, log, needs_image=True)
    good: dict[str, ImageRow] = {}
    for number, values in enumerate(rows, 1):
        for image in reader.read(Row(bundle.name, number, dict(values))):
            if image.file in good:
                problem = f"the image is named in row {good[image.file].number} already"
                log.note(bundle.name, number, "image", image.file, problem, "name each image once")
            else:
                good[image.file] = image
    yield from parents_first(good, bundle.name, log)


def _reader_of(found: list[str], bundle: Bundle, entry: str, called: str, log: RejectLog) -> "_Reader":
    names = {folded(name) for name in found}
    is_pairs = names.issuperset(_PAIRS.required) and not _has_image(found)
    columns = _PAIRS if is_pairs else _IMAGES
    resolved = columns.resolve(found)
    missing = columns.missing(resolved)
    if missing and (is_pairs or "reference" not in resolved.values()):
        problem, cure = columns.explain_missing(missing, found)
        raise bad_file(called, problem, f"{cure}; a file of pairs needs baseline and refined", field=missing[0])
    return _PairReader(bundle, entry, columns, log) if is_pairs else _ImageReader(bundle, entry, columns, log)


def _has_image(found: list[str]) -> bool:
    return not _IMAGES.missing(_IMAGES.resolve(found))


class _Reader:
    """Reads rows of one manifest shape; `mentioned` are the entries that the last row named, good or not."""

    def __init__(
        self, bundle: Bundle, entry: str, columns: Columns, log: RejectLog, *, needs_image: bool = False
    ) -> None:
        self._needs_image = needs_image
        self._bundle = bundle
        self._entry = entry
        self._columns = columns
        self._log = log
        self.mentioned: set[str] = set()

    def read(self, row: Row) -> list[ImageRow]:
        self.mentioned = set()
        resolved = self._columns.resolve(list(row.values))
        known = {*self._columns.required, *self._columns.optional}
        values = {mine: row.values[name] for name, mine in resolved.items()}
        cells = Cells(Row(row.file, row.number, values), self._log)
        provenance = {name: value for name, value in values.items() if name not in known and cells.has(name)}
        images = self._images(cells, provenance)
        if not cells.has("prompt") and not cells.has("prompt_key"):
            cells.reject("prompt", "neither prompt nor prompt_key is filled in", "fill in one of them")
        return images if cells.ok else []

    def _images(self, cells: Cells, provenance: dict[str, JsonValue]) -> list[ImageRow]:
        raise NotImplementedError

    def _file(self, cells: Cells, column: str, *, required: bool = True) -> str:
        """The entry that a cell names; "" where an optional one is empty."""
        name = cells.text(column, max_length=1_024, required=required)
        if not name:
            return ""
        try:
            entry = self._bundle.find(name, beside=self._entry)
        except UnsafeName as error:
            cells.reject(column, str(error), "give the file's name as it is inside the bundle")
            return ""
        if entry is None:
            cells.reject(column, "no such file is in the bundle", "add the file or correct the name")
            return ""
        self.mentioned.add(entry)
        return entry


class _ImageReader(_Reader):
    def _images(self, cells: Cells, provenance: dict[str, JsonValue]) -> list[ImageRow]:
        stated = cells.optional_integer("round", low=0, high=MAX_ROUND)
        method = cells.name("method", max_length=200, required=False)
        reference = self._file(cells, "reference", required=False)
        return [
            ImageRow(
                number=cells.row.number,
                file=self._file(cells, "image", required=self._needs_image or not cells.has("reference")),
                prompt=cells.name("prompt", max_length=MAX_TEXT, required=False),
                prompt_key=cells.name("prompt_key", max_length=200, required=False),
                method=method or DEFAULT_METHOD,
                has_method=bool(method) or "method" not in cells.row.values,
                seed=cells.optional_integer("seed", low=0, high=MAX_INTEGER),
                round=-1 if stated is None else stated,
                parent=self._file(cells, "parent", required=False),
                key=cells.name("key", max_length=200, required=False),
                provenance=provenance,
                reference=reference,
            )
        ]


class _PairReader(_Reader):
    def _images(self, cells: Cells, provenance: dict[str, JsonValue]) -> list[ImageRow]:
        case = cells.text("case", max_length=180, required=False)
        generator = cells.name("generator", max_length=180, required=False)
        baseline, refined = self._file(cells, "baseline"), self._file(cells, "refined")
        if baseline and baseline == refined:
            cells.reject("refined", "baseline and refined are the same file", "name the refined image's file")
        shared: dict[str, JsonValue] = {"case": case} if case else {}
        if generator:
            shared["generator"] = generator
        first = ImageRow(
            number=cells.row.number,
            file=baseline,
            prompt=cells.name("prompt", max_length=MAX_TEXT, required=False),
            prompt_key=cells.name("prompt_key", max_length=200, required=False),
            method=f"{generator} baseline".strip(),
            seed=None,
            round=0,
            parent="",
            key=f"{case} baseline" if case else "",
            provenance={**shared, **provenance},
            reference=self._file(cells, "reference", required=False),
        )
        second = replace(
            first,
            file=refined,
            method=f"{generator} refined".strip(),
            round=1,
            parent=baseline,
            key=f"{case} refined" if case else "",
        )
        return [first, second]
